//! Open-Meteo: batches, units, errors, replay, geocoding.

use pampero_weather::provider::ProviderId;
use serde_json::{Value, json};

use crate::harness::{FORECAST, Harness, has_names, read, second};

const OPEN_METEO: ProviderId = ProviderId::OpenMeteo;

#[tokio::test]
async fn one_place_is_answered_with_an_object_of_the_documented_shape() {
    let harness = Harness::start().await;
    let body = harness.get(OPEN_METEO, FORECAST).await.json();
    has_names(
        &body,
        &[
            "latitude",
            "longitude",
            "generationtime_ms",
            "utc_offset_seconds",
            "timezone",
            "timezone_abbreviation",
            "elevation",
            "current_units",
            "current",
        ],
    );
    let variables = [
        "time",
        "interval",
        "temperature_2m",
        "relative_humidity_2m",
        "precipitation",
        "weather_code",
        "pressure_msl",
        "cloud_cover",
        "wind_speed_10m",
        "wind_direction_10m",
        "wind_gusts_10m",
        "visibility",
    ];
    has_names(&body["current"], &variables);
    has_names(&body["current_units"], &variables);
    assert_eq!(body["current_units"]["time"], "unixtime");
    assert_eq!(body["current_units"]["wind_speed_10m"], "m/s");
    assert_eq!(body["current_units"]["weather_code"], "wmo code");
    assert_eq!(body["current"]["time"], second("2026-09-21T14:00:00Z"));
    assert_eq!(body["current"]["interval"], 900);
    for whole in ["relative_humidity_2m", "weather_code", "cloud_cover", "wind_direction_10m"] {
        assert!(body["current"][whole].is_i64(), "{whole}");
    }
    for decimal in ["temperature_2m", "pressure_msl", "wind_speed_10m", "visibility"] {
        assert!(body["current"][decimal].is_f64(), "{decimal}");
    }
    assert_eq!((&body["timezone"], &body["utc_offset_seconds"]), (&json!("GMT"), &json!(0)));
    assert_eq!(body["elevation"], 25.0);
}

#[tokio::test]
async fn many_places_are_answered_in_order_by_url_form_and_json() {
    let harness = Harness::start().await;
    let parameters = [
        ("latitude", "40.6925,59.9139,-34.6"),
        ("longitude", "-74.1687,10.7522,-58.4"),
        ("current", "temperature_2m"),
        ("timeformat", "unixtime"),
    ];
    let url = harness.url(OPEN_METEO, "v1/forecast");
    let by_url = harness.http.get(&url).query(&parameters).send().await.unwrap();
    let by_url = read(by_url).await.unwrap().json();
    let ids: Vec<_> =
        by_url.as_array().unwrap().iter().map(|place| &place["location_id"]).collect();
    assert_eq!(ids, [&Value::Null, &json!(1), &json!(2)]);
    assert!(by_url[0].get("location_id").is_none());
    let by_form = harness.http.post(&url).form(&parameters).send().await.unwrap();
    assert_eq!(read(by_form).await.unwrap().json(), by_url);
    let body = json!({"latitude": [40.6925, 59.9139, -34.6], "longitude": [-74.1687, 10.7522, -58.4],
        "current": ["temperature_2m"], "timeformat": "unixtime"});
    let by_json = harness.http.post(&url).json(&body).send().await.unwrap();
    assert_eq!(read(by_json).await.unwrap().json(), by_url);
}

#[tokio::test]
async fn readings_are_replayed_at_full_hours() {
    let harness = Harness::start().await;
    let at = "2013-07-15T16:00:00Z";
    let now = second(at) + 13 * 365 * 86_400;
    harness.set_clock(&jiff::Timestamp::from_second(now).unwrap().to_string());
    let path = "v1/forecast?latitude=40.69&longitude=-74.17&wind_speed_unit=ms&timeformat=unixtime\
        &current=temperature_2m,dew_point_2m,relative_humidity_2m,wind_speed_10m,wind_gusts_10m,\
        wind_direction_10m,pressure_msl,precipitation,visibility";
    let body = harness.get(OPEN_METEO, path).await.json();
    let expected = json!({
        "time": now, "interval": 900, "temperature_2m": 34.4, "dew_point_2m": 21.7,
        "relative_humidity_2m": 48, "wind_speed_10m": 5.66, "wind_gusts_10m": 8.75,
        "wind_direction_10m": 320, "pressure_msl": 1022.2, "precipitation": 0.0,
        "visibility": 16093.0,
    });
    assert_eq!(body["current"], expected);
    assert_eq!(body["elevation"], 5.0);
}

#[tokio::test]
async fn rain_of_an_hour_falls_in_four_quarters() {
    let harness = Harness::start().await;
    // 13 years of 365 days back lies 2013-05-08T15:50Z, in an hour of 0.58 in at JFK.
    harness.set_clock("2026-05-05T15:50:00Z");
    let path = "v1/forecast?latitude=40.6398&longitude=-73.7789&current=precipitation,weather_code\
        &hourly=precipitation&past_hours=0&forecast_hours=2";
    let body = harness.get(OPEN_METEO, path).await.json();
    assert_eq!(body["current"]["precipitation"], 3.68);
    assert_eq!(body["current"]["weather_code"], 65);
    assert_eq!(body["hourly"]["precipitation"], json!([0.25, 14.73]));
}

#[tokio::test]
async fn units_and_times_are_as_asked() {
    let harness = Harness::start().await;
    let place =
        "v1/forecast?latitude=-34.6037&longitude=-58.3816&current=temperature_2m,wind_speed_10m";
    let plain = harness.get(OPEN_METEO, place).await.json();
    assert_eq!(plain["current"]["time"], "2026-09-21T14:00");
    assert_eq!(plain["current_units"]["wind_speed_10m"], "km/h");
    let other = format!("{place}&temperature_unit=fahrenheit&wind_speed_unit=ms&timezone=auto");
    let other = harness.get(OPEN_METEO, &other).await.json();
    assert_eq!(other["timezone"], "America/Argentina/Buenos_Aires");
    assert_eq!(other["utc_offset_seconds"], -10_800);
    assert_eq!(other["current"]["time"], "2026-09-21T11:00");
    let number = |body: &Value, name: &str| body["current"][name].as_f64().unwrap();
    let fahrenheit = number(&plain, "temperature_2m") * 1.8 + 32.0;
    assert!((number(&other, "temperature_2m") - fahrenheit).abs() < 0.2);
    let kmh = number(&other, "wind_speed_10m") * 3.6;
    assert!((number(&plain, "wind_speed_10m") - kmh).abs() < 0.1);
}

#[tokio::test]
async fn height_given_by_the_client_cools_the_air() {
    let harness = Harness::start().await;
    let place = "v1/forecast?latitude=50.0&longitude=-30.0&current=temperature_2m";
    let ground = harness.get(OPEN_METEO, place).await.json();
    let ground_m = ground["elevation"].as_f64().unwrap();
    let high = harness.get(OPEN_METEO, &format!("{place}&elevation={}", ground_m + 1000.0)).await;
    let air = |body: &Value| body["current"]["temperature_2m"].as_f64().unwrap();
    assert!((air(&ground) - air(&high.json()) - 6.5).abs() < 0.11);
}

#[tokio::test]
async fn hours_around_now_can_be_asked_for() {
    let harness = Harness::start().await;
    let path = "v1/forecast?latitude=-34.6&longitude=-58.4&timeformat=unixtime\
        &hourly=temperature_2m,precipitation&past_hours=2&forecast_hours=1";
    let body = harness.get(OPEN_METEO, path).await.json();
    let noon = second("2026-09-21T12:00:00Z");
    assert_eq!(body["hourly"]["time"], json!([noon, noon + 3_600, noon + 7_200]));
    assert_eq!(body["hourly"]["temperature_2m"].as_array().unwrap().len(), 3);
    assert_eq!(body["hourly_units"]["precipitation"], "mm");
    assert!(body.get("current").is_none());
}

#[tokio::test]
async fn wrong_questions_are_refused_with_a_reason() {
    let harness = Harness::start().await;
    let many = vec!["1.0"; 1001].join(",");
    let cases = [
        (
            "v1/forecast?latitude=95&longitude=0".to_owned(),
            "Latitude must be in range of -90 to 90°. Given: 95.0.",
        ),
        ("v1/forecast?latitude=5&longitude=-181".to_owned(), "Longitude must be in range"),
        ("v1/forecast?latitude=1,2&longitude=3".to_owned(), "same number of elements"),
        ("v1/forecast?longitude=3".to_owned(), "same number of elements"),
        ("v1/forecast?latitude=x&longitude=3".to_owned(), "must be a list of numbers"),
        (format!("v1/forecast?latitude={many}&longitude={many}"), "Only up to 1000 locations"),
        (
            "v1/forecast?latitude=1&longitude=2&current=frogs".to_owned(),
            "invalid String value frogs",
        ),
        (
            "v1/forecast?latitude=1&longitude=2&wind_speed_unit=bft".to_owned(),
            "invalid String value bft",
        ),
        ("v1/forecast?latitude=1&longitude=2&timezone=Mars".to_owned(), "Invalid timezone"),
        ("v1/forecast?latitude=1&longitude=2&past_days=93".to_owned(), "out of range"),
        ("v1/search".to_owned(), "'name' is required"),
    ];
    for (path, reason) in cases {
        let got = harness.get(OPEN_METEO, &path).await;
        let body = got.json();
        assert_eq!((got.status, &body["error"]), (400, &json!(true)), "{path}");
        assert!(body["reason"].as_str().unwrap().contains(reason), "{body}");
    }
}

#[tokio::test]
async fn cities_are_found_and_no_match_has_no_list() {
    let harness = Harness::start().await;
    let found = harness.get(OPEN_METEO, "v1/search?name=Springfield&count=1").await.json();
    assert_eq!(found["results"].as_array().unwrap().len(), 1);
    let city = &found["results"][0];
    has_names(
        city,
        &[
            "id",
            "name",
            "latitude",
            "longitude",
            "elevation",
            "feature_code",
            "country_code",
            "admin1_id",
            "timezone",
            "population",
            "country_id",
            "country",
            "admin1",
        ],
    );
    assert_eq!(
        (&city["admin1"], &city["timezone"]),
        (&json!("Missouri"), &json!("America/Chicago"))
    );
    let none = harness.get(OPEN_METEO, "v1/search?name=Atlantis").await.json();
    has_names(&none, &["generationtime_ms"]);
}

#[tokio::test]
async fn two_simulators_say_the_same() {
    let (one, other) = (Harness::start().await, Harness::start().await);
    assert_eq!(
        one.get(OPEN_METEO, FORECAST).await.text,
        other.get(OPEN_METEO, FORECAST).await.text
    );
}
