//! The stand-in for MET Norway: Locationforecast 2.0, `compact` and `complete`.
//!
//! Hourly steps for two days, then a step every six hours; a new model run every half hour for
//! each place, so `Last-Modified`, `Expires` and 304 can be seen at work.
//! Source: MET Norway, Locationforecast 2.0 data model and terms of service.

mod caller;
mod series;

use http::header::{EXPIRES, HeaderName, LAST_MODIFIED};
use serde_json::json;

use crate::question::Question;
use crate::reply::Reply;
use crate::scene::{Scene, http_date, round, spot, timestamp};
use crate::world::{Site, Spot};

/// The header that says more about a refusal.
const ERROR_CLASS: HeaderName = HeaderName::from_static("errorclass");

/// A new model run comes this often.
const RUN_EVERY_S: i64 = 1_800;

/// Which of the two products is asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Product {
    /// The important values.
    Compact,
    /// All values.
    Complete,
}

/// Answers a question.
pub(crate) fn answer(scene: &Scene<'_>, question: &Question) -> Reply {
    let product = match question.path.as_str() {
        "weatherapi/locationforecast/2.0/compact" => Product::Compact,
        "weatherapi/locationforecast/2.0/complete" => Product::Complete,
        _ => return refusal(404, "Not Found"),
    };
    if !caller::is_identified(question.user_agent.as_deref()) {
        return refusal(403, "Forbidden: User-Agent must name the application and a contact");
    }
    match place(question) {
        Err(reply) => reply,
        Ok((spot, altitude_m)) => forecast(scene, question, product, spot, altitude_m),
    }
}

/// Answers with a status and, as the real service does, a page of HTML.
pub(crate) fn refusal(status: u16, title: &str) -> Reply {
    let reply = Reply::html(status, title);
    if matches!(status, 401 | 403) {
        reply.with(ERROR_CLASS, "Forbidden".to_owned())
    } else {
        reply
    }
}

/// Reads where the forecast is for, and the height when it is given.
fn place(question: &Question) -> Result<(Spot, Option<f64>), Reply> {
    let (Some(latitude), Some(longitude)) = (question.number("lat"), question.number("lon")) else {
        return Err(refusal(400, "Bad Request: lat and lon are required numbers"));
    };
    let text = |name| question.get(name).unwrap_or_default();
    if 4 < decimals(text("lat")) || 4 < decimals(text("lon")) {
        return Err(refusal(403, "Forbidden: at most 4 decimals in lat and lon"));
    }
    let Some(spot) = spot(latitude, longitude) else {
        return Err(refusal(400, "Bad Request: lat or lon is out of range"));
    };
    let altitude_m = match question.get("altitude").map(str::parse::<i32>) {
        None => None,
        Some(Ok(metres)) => Some(f64::from(metres)),
        Some(Err(_)) => return Err(refusal(400, "Bad Request: altitude must be an integer")),
    };
    Ok((spot, altitude_m))
}

fn decimals(number: &str) -> usize {
    number.split_once('.').map_or(0, |(_, decimals)| decimals.len())
}

fn forecast(
    scene: &Scene<'_>,
    question: &Question,
    product: Product,
    spot: Spot,
    altitude_m: Option<f64>,
) -> Reply {
    let run = run_at(spot, scene.instant());
    let expires = scene.now + scene.config.met_norway_expires.as_secs().cast_signed();
    let dated =
        |reply: Reply| reply.with(LAST_MODIFIED, http_date(run)).with(EXPIRES, http_date(expires));
    // While an old run is played, nothing else may be kept in its place.
    if !scene.series_ends() && is_unchanged(question, run) {
        return dated(Reply::of(304, "application/json", Vec::new()));
    }
    let site = Site::at(spot);
    let steps = series::steps(scene, product, &site, altitude_m, run);
    let height = altitude_m.unwrap_or(site.ground_m).round() as i64;
    dated(Reply::json(
        200,
        &json!({
            "type": "Feature",
            "geometry": {
                "type": "Point",
                "coordinates": [round(spot.longitude, 4), round(spot.latitude, 4), height],
            },
            "properties": {
                "meta": {
                    "updated_at": timestamp(run).to_string(),
                    "units": series::units(product, scene.in_wrong_units()),
                },
                "timeseries": steps,
            },
        }),
    ))
}

/// Returns when the newest model run came; each place has its own minute, so that not all change at once.
fn run_at(spot: Spot, instant: i64) -> i64 {
    let minute = ((spot.latitude * 100.0) as i64 + (spot.longitude * 100.0) as i64 * 7) * 61;
    let shift = minute.rem_euclid(RUN_EVERY_S);
    (instant - shift).div_euclid(RUN_EVERY_S) * RUN_EVERY_S + shift
}

fn is_unchanged(question: &Question, run: i64) -> bool {
    let Some(text) = &question.if_modified_since else { return false };
    let Ok(since) = httpdate::parse_http_date(text) else { return false };
    let since = since.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    run <= since.as_secs().cast_signed()
}
