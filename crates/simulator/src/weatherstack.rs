//! The stand-in for Weatherstack: `current` with `access_key`, `query` and `units`.
//!
//! Errors come with status 200, as the classic service does it.
//! Source: Weatherstack API documentation and captured answers.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::gazetteer::{self, City};
use crate::question::Question;
use crate::reply::Reply;
use crate::scene::{Scene, round, spot, timestamp};
use crate::world::{Site, Sky, Spot, Strength, sun};

/// Answers a question.
pub(crate) fn answer(scene: &Scene<'_>, question: &Question) -> Reply {
    if question.path != "current" {
        return refusal(404, 404, "404_not_found", "The requested resource does not exist.");
    }
    let Some(key) = question.get("access_key").filter(|key| !key.is_empty()) else {
        return refusal(200, 101, "missing_access_key", "You have not supplied an API Access Key.");
    };
    if !scene.config.keys.accepts(key) {
        let info = "You have not supplied a valid API Access Key.";
        return refusal(200, 101, "invalid_access_key", info);
    }
    let Some(query) = question.get("query").filter(|query| !query.trim().is_empty()) else {
        return refusal(200, 601, "missing_query", "Please specify a valid location identifier.");
    };
    if query.contains(';') {
        let info = "Your plan does not support bulk queries.";
        return refusal(200, 604, "bulk_queries_not_supported_on_plan", info);
    }
    let unit = match question.get("units").unwrap_or("m") {
        _ if scene.in_wrong_units() => "s",
        unit @ ("m" | "s" | "f") => unit,
        _ => return refusal(200, 606, "invalid_unit", "You have specified an invalid unit."),
    };
    match find(query) {
        Some(found) => Reply::json(200, &body(scene, &found, unit)),
        None => not_found(),
    }
}

/// Answers with an error in the classic form; `code` and `status` are not the same thing.
pub(crate) fn refusal(status: u16, code: u16, kind: &str, info: &str) -> Reply {
    let body = json!({"success": false, "error": {"code": code, "type": kind, "info": info}});
    Reply::json(status, &body)
}

/// Answers as the service does for a place it does not know, and for some faults of its own.
fn not_found() -> Reply {
    refusal(200, 615, "request_failed", "Your API request failed. Please try again.")
}

/// Whom a query means.
struct Found {
    spot: Spot,
    city: Option<&'static City>,
    /// How the service calls the kind of query, and how it repeats it.
    kind: &'static str,
    repeated: String,
}

/// Reads `lat,lon` or the name of a city; `None` for anything else.
fn find(query: &str) -> Option<Found> {
    if let Some((latitude, longitude)) = query.split_once(',')
        && let (Ok(latitude), Ok(longitude)) = (latitude.trim().parse(), longitude.trim().parse())
    {
        let spot = spot(latitude, longitude)?;
        let repeated = format!("Lat {latitude:.2} and Lon {longitude:.2}");
        return Some(Found { spot, city: gazetteer::city_at(spot), kind: "LatLon", repeated });
    }
    let city = *gazetteer::search(query, None).first()?;
    let repeated = format!("{}, {}", city.name, city.country);
    Some(Found { spot: city.spot(), city: Some(city), kind: "City", repeated })
}

fn body(scene: &Scene<'_>, found: &Found, unit: &str) -> Value {
    let instant = scene.instant();
    json!({
        "request": {
            "type": found.kind, "query": found.repeated, "language": "en", "unit": unit,
        },
        "location": location(found, instant),
        "current": current(scene, found.spot, instant, unit),
    })
}

/// `localtime_epoch` is the wall clock written as if it were UTC, as the real service does.
fn location(found: &Found, instant: i64) -> Value {
    let zone_name = gazetteer::time_zone_at(found.spot);
    let zone = TimeZone::get(zone_name).unwrap_or(TimeZone::UTC);
    let offset_s = i64::from(zone.to_offset(timestamp(instant)).seconds());
    let wall = instant + offset_s;
    // Hours with one decimal where that is exact (`-3.0`), with two where it is not (`5.75`).
    let hours = offset_s as f64 / 3_600.0;
    let decimals = if offset_s % 360 == 0 { 1 } else { 2 };
    json!({
        "name": found.city.map_or("Somewhere", |city| city.name),
        "country": found.city.map_or("", |city| city.country),
        "region": found.city.map_or("", |city| city.region),
        "lat": format!("{:.3}", found.spot.latitude),
        "lon": format!("{:.3}", found.spot.longitude),
        "timezone_id": zone_name,
        "localtime": written(timestamp(wall), "%Y-%m-%d %H:%M"),
        "localtime_epoch": wall.div_euclid(60) * 60,
        "utc_offset": format!("{hours:.decimals$}"),
    })
}

/// New values come every quarter of an hour and can be fetched two minutes later.
fn observed_at(instant: i64) -> i64 {
    (instant - 120).div_euclid(900) * 900
}

fn current(scene: &Scene<'_>, spot: Spot, instant: i64, unit: &str) -> Value {
    let observed_at = observed_at(instant);
    let weather = scene.weather(&Site::at(spot), observed_at, None);
    let (code, words) =
        if scene.with_unknown_code() { (999, "A rain of frogs") } else { condition(weather.sky) };
    let degrees = |celsius: f64| match unit {
        "s" => celsius + 273.15,
        "f" => celsius * 1.8 + 32.0,
        _ => celsius,
    };
    let speed = |ms: f64| if unit == "f" { ms / 0.447_04 } else { ms * 3.6 };
    let length_km = |metres: f64| if unit == "f" { metres / 1_609.344 } else { metres / 1_000.0 };
    let amount = |mm: f64| if unit == "f" { round(mm / 25.4, 2) } else { round(mm, 1) };
    json!({
        "observation_time": written(timestamp(observed_at), "%I:%M %p"),
        "temperature": whole(weather.temperature_c.map(degrees)),
        "weather_code": code,
        "weather_icons": ["https://example.invalid/icon.png"],
        "weather_descriptions": [words],
        "wind_speed": whole(weather.wind_ms.map(speed)),
        "wind_degree": whole(weather.wind_from_degrees),
        "wind_dir": weather.wind_from_degrees.map(compass),
        "pressure": whole(weather.sea_level_hpa),
        "precip": weather.hour_mm.map(amount),
        "humidity": whole(weather.humidity_percent),
        "cloudcover": whole(weather.cloud_percent),
        "feelslike": whole(weather.temperature_c.map(|air| degrees(air - 0.5))),
        "uv_index": if sun::is_up(spot, observed_at) { 3 } else { 0 },
        "visibility": whole(weather.visibility_m.map(|metres| length_km(metres.min(10_000.0)))),
        "is_day": if sun::is_up(spot, observed_at) { "yes" } else { "no" },
    })
}

fn written(instant: Timestamp, pattern: &str) -> String {
    instant.strftime(pattern).to_string()
}

/// Writes a value as a whole number, as the service does.
fn whole(value: Option<f64>) -> Option<i64> {
    value.map(|value| value.round() as i64)
}

/// Names the one of 16 points of the compass from which the wind comes.
fn compass(degrees: f64) -> &'static str {
    const POINTS: [&str; 16] = [
        "N", "NNE", "NE", "ENE", "E", "ESE", "SE", "SSE", "S", "SSW", "SW", "WSW", "W", "WNW",
        "NW", "NNW",
    ];
    POINTS[(degrees / 22.5).round() as usize % 16]
}

fn condition(sky: Sky) -> (u16, &'static str) {
    use Strength::{Heavy, Light, Moderate};
    match sky {
        Sky::Clear => (113, "Clear"),
        Sky::MostlyClear | Sky::PartlyCloudy => (116, "Partly cloudy"),
        Sky::Overcast => (122, "Overcast"),
        Sky::Fog => (248, "Fog"),
        Sky::Drizzle(_) => (266, "Light drizzle"),
        Sky::Rain(Light) => (296, "Light rain"),
        Sky::Rain(Moderate) => (302, "Moderate rain"),
        Sky::Rain(Heavy) => (308, "Heavy rain"),
        Sky::Sleet(Light) => (317, "Light sleet"),
        Sky::Sleet(Moderate | Heavy) => (320, "Moderate or heavy sleet"),
        Sky::Snow(Light) => (326, "Light snow"),
        Sky::Snow(Moderate) => (332, "Moderate snow"),
        Sky::Snow(Heavy) => (338, "Heavy snow"),
        Sky::Thunderstorm => (389, "Moderate or heavy rain with thunder"),
    }
}
