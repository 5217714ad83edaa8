//! The geocoder: `v1/search` with `name`, `count`, `countryCode`.
//!
//! Names come in English whatever language is asked for.

use serde_json::{Value, json};

use super::refusal;
use crate::gazetteer::{self, City};
use crate::question::Question;
use crate::reply::Reply;

pub(super) fn answer(question: &Question) -> Reply {
    let Some(name) = question.get("name") else {
        return refusal(400, "Parameter 'name' is required.");
    };
    let count = match question.get("count").map(str::parse::<usize>) {
        None => 10,
        Some(Ok(count)) if (1..=100).contains(&count) => count,
        Some(_) => return refusal(400, "Parameter count must be between 1 and 100."),
    };
    let found = gazetteer::search(name, question.get("countryCode"));
    let mut body = json!({"generationtime_ms": 0.4});
    // Without a match there is no list at all, not an empty one.
    if !found.is_empty() {
        body["results"] = found.into_iter().take(count).map(result).collect();
    }
    Reply::json(200, &body)
}

fn result(city: &City) -> Value {
    json!({
        "id": city.id,
        "name": city.name,
        "latitude": city.latitude,
        "longitude": city.longitude,
        "elevation": city.elevation_m,
        "feature_code": "PPL",
        "country_code": city.country_code,
        "admin1_id": city.id + 100_000,
        "timezone": city.time_zone,
        "population": city.population,
        "country_id": city.id + 200_000,
        "country": city.country,
        "admin1": city.region,
    })
}
