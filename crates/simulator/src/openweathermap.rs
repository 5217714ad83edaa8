//! The stand-in for OpenWeatherMap: `data/2.5/weather` with `lat`, `lon`, `appid` and `units`.
//!
//! Source: OpenWeatherMap, current weather data and weather condition codes.

use serde_json::{Map, Value, json};

use crate::gazetteer;
use crate::question::Question;
use crate::reply::Reply;
use crate::scene::{Scene, round, spot, timestamp};
use crate::world::{Site, Sky, Spot, Strength, Weather, sun};

/// The units a client can ask for.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Units {
    /// Kelvin, m/s: what comes when nothing is asked for.
    Standard,
    /// °C, m/s.
    Metric,
    /// °F, mph.
    Imperial,
}

/// Answers a question.
pub(crate) fn answer(scene: &Scene<'_>, question: &Question) -> Reply {
    if question.path != "data/2.5/weather" {
        return refusal(404, "Internal error");
    }
    if !question.get("appid").is_some_and(|key| scene.config.keys.accepts(key)) {
        return refusal(401, "Invalid API key.");
    }
    let (Some(latitude), Some(longitude)) = (question.number("lat"), question.number("lon")) else {
        return refusal(400, "Nothing to geocode");
    };
    let Some(spot) = spot(latitude, longitude) else {
        let wrong = if latitude.abs() > 90.0 { "wrong latitude" } else { "wrong longitude" };
        return refusal(400, wrong);
    };
    let units = match question.get("units") {
        _ if scene.in_wrong_units() => Units::Standard,
        Some("metric") => Units::Metric,
        Some("imperial") => Units::Imperial,
        _ => Units::Standard,
    };
    Reply::json(200, &body(scene, spot, units))
}

/// Answers with a status; `cod` is a text in a 400 and 404, and a number elsewhere.
pub(crate) fn refusal(status: u16, message: &str) -> Reply {
    let cod = match status {
        400 | 404 => Value::from(status.to_string()),
        _ => Value::from(status),
    };
    Reply::json(status, &json!({"cod": cod, "message": message}))
}

/// The data are worked out every ten minutes and can be fetched three minutes later.
fn calculated_at(instant: i64) -> i64 {
    (instant - 180).div_euclid(600) * 600
}

fn body(scene: &Scene<'_>, spot: Spot, units: Units) -> Value {
    let dt = calculated_at(scene.instant());
    let weather = scene.weather(&Site::at(spot), dt, None);
    let day = sun::is_up(spot, dt);
    let city = gazetteer::city_at(spot);
    let mut sys = json!({"type": 2, "id": 2_000_001});
    if let Some(city) = city {
        sys["country"] = city.country_code.into();
    }
    if let Some((rise, set)) = sun::rise_and_set(spot, dt) {
        sys["sunrise"] = rise.into();
        sys["sunset"] = set.into();
    }
    let mut body = json!({
        "coord": {"lon": spot.longitude, "lat": spot.latitude},
        "weather": conditions(scene, &weather, day),
        "base": "stations",
        "main": main(&weather, units),
        "wind": wind(&weather, units),
        "clouds": {"all": whole(weather.cloud_percent.unwrap_or(0.0))},
        "dt": dt,
        "sys": sys,
        "timezone": offset_seconds(spot, dt),
        "id": city.map_or(0, |city| city.id),
        "name": city.map_or("", |city| city.name),
        "cod": 200,
    });
    if let Some(visibility_m) = weather.visibility_m {
        body["visibility"] = whole(visibility_m.min(10_000.0));
    }
    if let Some(mm) = weather.hour_mm.filter(|mm| *mm >= 0.05) {
        let kind = if matches!(weather.sky, Sky::Snow(_)) { "snow" } else { "rain" };
        body[kind] = json!({"1h": round(mm, 2)});
    }
    body
}

fn offset_seconds(spot: Spot, at: i64) -> i32 {
    let zone = jiff::tz::TimeZone::get(gazetteer::time_zone_at(spot));
    zone.map_or(0, |zone| zone.to_offset(timestamp(at)).seconds())
}

fn main(weather: &Weather, units: Units) -> Map<String, Value> {
    let degrees = |celsius: f64| {
        round(
            match units {
                Units::Standard => celsius + 273.15,
                Units::Metric => celsius,
                Units::Imperial => celsius * 1.8 + 32.0,
            },
            2,
        )
    };
    let mut main = Map::new();
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            main.insert(name.to_owned(), value);
        }
    };
    let air = weather.temperature_c;
    put("temp", air.map(|air| degrees(air).into()));
    put("feels_like", air.map(|air| degrees(air - 0.4).into()));
    put("temp_min", air.map(|air| degrees(air - 0.9).into()));
    put("temp_max", air.map(|air| degrees(air + 0.8).into()));
    put("humidity", weather.humidity_percent.map(whole));
    put("pressure", weather.sea_level_hpa.map(whole));
    put("sea_level", weather.sea_level_hpa.map(whole));
    put("grnd_level", weather.station_hpa.map(whole));
    main
}

fn wind(weather: &Weather, units: Units) -> Map<String, Value> {
    let factor = if units == Units::Imperial { 1.0 / 0.447_04 } else { 1.0 };
    let mut wind = Map::new();
    let speed = round(weather.wind_ms.unwrap_or(0.0) * factor, 2);
    wind.insert("speed".to_owned(), speed.into());
    wind.insert("deg".to_owned(), whole(weather.wind_from_degrees.unwrap_or(0.0)));
    if let Some(gust) = weather.gust_ms {
        wind.insert("gust".to_owned(), round(gust * factor, 2).into());
    }
    wind
}

/// Lists the conditions, the main one first; haze over rain is told beside it.
fn conditions(scene: &Scene<'_>, weather: &Weather, day: bool) -> Vec<Value> {
    let letter = if day { 'd' } else { 'n' };
    let entry = |(id, main, description, icon): (u16, &str, &str, &str)| json!({"id": id, "main": main, "description": description, "icon": format!("{icon}{letter}")});
    if scene.with_unknown_code() {
        return vec![entry((999, "Frogs", "a rain of frogs", "99"))];
    }
    let mut list = vec![entry(condition(weather.sky))];
    let raining = matches!(weather.sky, Sky::Drizzle(_) | Sky::Rain(_));
    if raining && weather.visibility_m.is_some_and(|visibility| visibility < 5_000.0) {
        list.push(entry((701, "Mist", "mist", "50")));
    }
    list
}

fn condition(sky: Sky) -> (u16, &'static str, &'static str, &'static str) {
    use Strength::{Heavy, Light, Moderate};
    match sky {
        Sky::Clear => (800, "Clear", "clear sky", "01"),
        Sky::MostlyClear => (801, "Clouds", "few clouds", "02"),
        Sky::PartlyCloudy => (802, "Clouds", "scattered clouds", "03"),
        Sky::Overcast => (804, "Clouds", "overcast clouds", "04"),
        Sky::Fog => (741, "Fog", "fog", "50"),
        Sky::Drizzle(Light) => (300, "Drizzle", "light intensity drizzle", "09"),
        Sky::Drizzle(Moderate) => (301, "Drizzle", "drizzle", "09"),
        Sky::Drizzle(Heavy) => (302, "Drizzle", "heavy intensity drizzle", "09"),
        Sky::Rain(Light) => (500, "Rain", "light rain", "10"),
        Sky::Rain(Moderate) => (501, "Rain", "moderate rain", "10"),
        Sky::Rain(Heavy) => (502, "Rain", "heavy intensity rain", "10"),
        Sky::Sleet(Light) => (615, "Snow", "light rain and snow", "13"),
        Sky::Sleet(Moderate | Heavy) => (616, "Snow", "rain and snow", "13"),
        Sky::Snow(Light) => (600, "Snow", "light snow", "13"),
        Sky::Snow(Moderate) => (601, "Snow", "snow", "13"),
        Sky::Snow(Heavy) => (602, "Snow", "heavy snow", "13"),
        Sky::Thunderstorm => (211, "Thunderstorm", "thunderstorm", "11"),
    }
}

/// Writes a value as a whole number, as the service does.
fn whole(value: f64) -> Value {
    (value.round() as i64).into()
}
