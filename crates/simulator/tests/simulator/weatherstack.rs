//! Weatherstack: shape, the quirks of its times, errors with status 200.

use pampero_weather::provider::ProviderId;
use serde_json::{Value, json};

use crate::harness::{Harness, has_names, second};

const WEATHERSTACK: ProviderId = ProviderId::Weatherstack;

async fn current(harness: &Harness, query: &str) -> Value {
    harness.get(WEATHERSTACK, &format!("current?access_key=key&query={query}")).await.json()
}

#[tokio::test]
async fn current_weather_has_the_documented_shape() {
    let harness = Harness::start().await;
    let body = current(&harness, "-34.6037,-58.3816").await;
    has_names(&body, &["request", "location", "current"]);
    let request = json!({"type": "LatLon", "query": "Lat -34.60 and Lon -58.38", "language": "en", "unit": "m"});
    assert_eq!(body["request"], request);
    has_names(
        &body["location"],
        &[
            "name",
            "country",
            "region",
            "lat",
            "lon",
            "timezone_id",
            "localtime",
            "localtime_epoch",
            "utc_offset",
        ],
    );
    has_names(
        &body["current"],
        &[
            "observation_time",
            "temperature",
            "weather_code",
            "weather_icons",
            "weather_descriptions",
            "wind_speed",
            "wind_degree",
            "wind_dir",
            "pressure",
            "precip",
            "humidity",
            "cloudcover",
            "feelslike",
            "uv_index",
            "visibility",
            "is_day",
        ],
    );
    for whole in ["temperature", "wind_speed", "wind_degree", "pressure", "humidity", "visibility"]
    {
        assert!(body["current"][whole].is_i64(), "{whole}");
    }
    assert_eq!(body["location"]["lat"], "-34.604");
}

#[tokio::test]
async fn times_have_their_quirks() {
    let harness = Harness::start().await;
    check(&harness, "-34.6037,-58.3816", "-3.0", "2026-09-21 11:12", "02:00 PM").await;
    check(&harness, "27.7172,85.3240", "5.75", "2026-09-21 19:57", "02:00 PM").await;
    check(&harness, "19.0760,72.8777", "5.5", "2026-09-21 19:42", "02:00 PM").await;
    // The observation was made before midnight UTC, which only its time can tell.
    harness.set_clock("2026-12-31T00:01:00Z");
    check(&harness, "51.5074,-0.1278", "0.0", "2026-12-31 00:01", "11:45 PM").await;
}

async fn check(harness: &Harness, query: &str, offset: &str, localtime: &str, observed: &str) {
    let body = current(harness, query).await;
    let location = &body["location"];
    assert_eq!(
        (&location["utc_offset"], &location["localtime"]),
        (&json!(offset), &json!(localtime))
    );
    let wall = format!("{}:00Z", localtime.replace(' ', "T"));
    assert_eq!(location["localtime_epoch"], second(&wall));
    assert_eq!(body["current"]["observation_time"], observed);
}

#[tokio::test]
async fn errors_come_with_status_200() {
    let harness = Harness::start().await;
    refused(&harness, "current?query=1,2", 101, "missing_access_key").await;
    refused(&harness, "current?query=1,2&access_key=wrong-key", 101, "invalid_access_key").await;
    refused(&harness, "current?access_key=key", 601, "missing_query").await;
    refused(
        &harness,
        "current?access_key=key&query=1,2;3,4",
        604,
        "bulk_queries_not_supported_on_plan",
    )
    .await;
    refused(&harness, "current?access_key=key&query=Atlantis", 615, "request_failed").await;
    refused(&harness, "current?access_key=key&query=Oslo&units=x", 606, "invalid_unit").await;
}

async fn refused(harness: &Harness, path: &str, code: u16, kind: &str) {
    let got = harness.get(WEATHERSTACK, path).await;
    let body = got.json();
    assert_eq!((got.status, &body["success"]), (200, &json!(false)), "{path}");
    assert_eq!((&body["error"]["code"], &body["error"]["type"]), (&json!(code), &json!(kind)));
}

#[tokio::test]
async fn cities_can_be_asked_by_name() {
    let harness = Harness::start().await;
    let body = current(&harness, "Oslo").await;
    assert_eq!(body["location"]["timezone_id"], "Europe/Oslo");
}
