//! OpenWeatherMap: shape, units, keys.

use pampero_weather::provider::ProviderId;
use serde_json::json;

use crate::harness::{Harness, has_names, second, weather_path};

const OPENWEATHERMAP: ProviderId = ProviderId::OpenWeatherMap;

#[tokio::test]
async fn current_weather_has_the_documented_shape() {
    let harness = Harness::start().await;
    let mut body = harness.weather(OPENWEATHERMAP).await.json();
    // Rain and snow are there only when something falls.
    body.as_object_mut().unwrap().retain(|name, _| name != "rain" && name != "snow");
    has_names(
        &body,
        &[
            "coord",
            "weather",
            "base",
            "main",
            "visibility",
            "wind",
            "clouds",
            "dt",
            "sys",
            "timezone",
            "id",
            "name",
            "cod",
        ],
    );
    has_names(
        &body["main"],
        &[
            "temp",
            "feels_like",
            "temp_min",
            "temp_max",
            "pressure",
            "humidity",
            "sea_level",
            "grnd_level",
        ],
    );
    has_names(&body["wind"], &["speed", "deg", "gust"]);
    has_names(&body["weather"][0], &["id", "main", "description", "icon"]);
    assert_eq!(body["dt"], second("2026-09-21T14:00:00Z"));
    assert_eq!((&body["timezone"], &body["cod"]), (&json!(-10_800), &json!(200)));
    assert_eq!((&body["sys"]["country"], &body["name"]), (&json!("AR"), &json!("Buenos Aires")));
    for whole in ["pressure", "humidity", "sea_level", "grnd_level"] {
        assert!(body["main"][whole].is_i64(), "{whole}");
    }
    assert!(body["visibility"].as_i64().unwrap() <= 10_000);
}

#[tokio::test]
async fn rain_is_a_group_of_its_own_and_absent_when_dry() {
    let harness = Harness::start().await;
    let path = "data/2.5/weather?lat=40.6398&lon=-73.7789&units=metric&appid=key";
    // 13 years of 365 days back lies 2013-05-08T15:45Z, an hour of 0.58 in; five hours later it is dry.
    harness.set_clock("2026-05-05T15:45:00Z");
    let body = harness.get(OPENWEATHERMAP, path).await.json();
    assert_eq!(body["rain"], json!({"1h": 14.73}));
    assert_eq!(body["weather"][0]["id"], 502);
    harness.set_clock("2026-05-05T20:45:00Z");
    assert!(harness.get(OPENWEATHERMAP, path).await.json().get("rain").is_none());
}

#[tokio::test]
async fn kelvin_comes_unless_units_are_asked_for() {
    let harness = Harness::start().await;
    let temp = async |units: &str| {
        let path = weather_path(OPENWEATHERMAP).replace("&units=metric", units);
        harness.get(OPENWEATHERMAP, &path).await.json()["main"]["temp"].as_f64().unwrap()
    };
    let (kelvin, celsius, fahrenheit) =
        (temp("").await, temp("&units=metric").await, temp("&units=imperial").await);
    assert!((kelvin - 273.15 - celsius).abs() < 0.011);
    assert!((celsius * 1.8 + 32.0 - fahrenheit).abs() < 0.02);
}

#[tokio::test]
async fn wrong_questions_are_refused() {
    let harness = Harness::start().await;
    check(&harness, "data/2.5/weather?lat=1&lon=2", 401, json!(401)).await;
    check(&harness, "data/2.5/weather?lat=1&lon=2&appid=", 401, json!(401)).await;
    check(&harness, "data/2.5/weather?lat=1&lon=2&appid=wrong-key", 401, json!(401)).await;
    check(&harness, "data/2.5/weather?lat=1&appid=key", 400, json!("400")).await;
    check(&harness, "data/2.5/weather?lat=91&lon=2&appid=key", 400, json!("400")).await;
    check(&harness, "data/2.5/onecall?appid=key", 404, json!("404")).await;
}

async fn check(harness: &Harness, path: &str, status: u16, cod: serde_json::Value) {
    let got = harness.get(OPENWEATHERMAP, path).await;
    let body = got.json();
    assert_eq!((got.status, &body["cod"]), (status, &cod), "{path}");
    assert!(body["message"].is_string());
}
