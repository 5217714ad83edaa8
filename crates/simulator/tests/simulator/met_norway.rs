//! MET Norway: shape, caller, decimals, conditional requests.

use pampero_weather::provider::ProviderId;
use reqwest::header::{IF_MODIFIED_SINCE, USER_AGENT};
use serde_json::{Value, json};

use crate::harness::{Harness, has_names, read, weather_path};

const MET_NORWAY: ProviderId = ProviderId::MetNorway;
const COMPACT: &str = "weatherapi/locationforecast/2.0/compact?lat=59.9139&lon=10.7522";

#[tokio::test]
async fn forecast_has_the_documented_shape() {
    let harness = Harness::start().await;
    // Every place has had a run by now in this hour.
    harness.set_clock("2026-09-21T14:50:00Z");
    let got = harness.get(MET_NORWAY, &format!("{}&altitude=267", weather_path(MET_NORWAY))).await;
    let body = got.json();
    has_names(&body, &["type", "geometry", "properties"]);
    assert_eq!(body["geometry"]["coordinates"], json!([-58.3816, -34.6037, 267]));
    assert_eq!(body["properties"]["meta"]["units"]["wind_speed_of_gust"], "m/s");
    let steps = body["properties"]["timeseries"].as_array().unwrap();
    assert_eq!(steps[0]["time"], "2026-09-21T14:00:00Z");
    assert_eq!(steps[1]["time"], "2026-09-21T15:00:00Z");
    let data = &steps[0]["data"];
    has_names(data, &["instant", "next_1_hours", "next_6_hours", "next_12_hours"]);
    has_names(
        &data["instant"]["details"],
        &[
            "air_pressure_at_sea_level",
            "air_temperature",
            "cloud_area_fraction",
            "dew_point_temperature",
            "fog_area_fraction",
            "relative_humidity",
            "wind_from_direction",
            "wind_speed",
            "wind_speed_of_gust",
        ],
    );
    assert!(data["next_1_hours"]["details"]["precipitation_amount"].is_f64());
    assert!(data["next_1_hours"]["summary"]["symbol_code"].is_string());
    has_names(
        &data["next_6_hours"]["details"],
        &["precipitation_amount", "air_temperature_min", "air_temperature_max"],
    );
    let last = steps.last().unwrap();
    assert!(last["data"].get("next_1_hours").is_none());
    assert_eq!(steps.len(), 49 + 4);
}

#[tokio::test]
async fn compact_leaves_out_what_the_real_one_leaves_out() {
    let harness = Harness::start().await;
    let body = harness.get(MET_NORWAY, COMPACT).await.json();
    let details = &body["properties"]["timeseries"][0]["data"]["instant"]["details"];
    for absent in ["dew_point_temperature", "fog_area_fraction", "wind_speed_of_gust"] {
        assert!(details.get(absent).is_none(), "{absent}");
    }
    assert!(details["wind_speed"].is_f64());
}

#[tokio::test]
async fn unchanged_forecast_is_answered_304_until_the_next_run() {
    let harness = Harness::start().await;
    let first = harness.get(MET_NORWAY, COMPACT).await;
    let modified = first.header("last-modified").unwrap().to_owned();
    assert_eq!(first.header("expires"), Some("Mon, 21 Sep 2026 14:42:00 GMT"));
    let again = async || {
        let request = harness.http.get(harness.url(MET_NORWAY, COMPACT));
        let response = request.header(IF_MODIFIED_SINCE, &modified).send().await.unwrap();
        read(response).await.unwrap()
    };
    let unchanged = again().await;
    assert_eq!((unchanged.status, unchanged.text.as_str()), (304, ""));
    assert_eq!(unchanged.header("last-modified"), Some(modified.as_str()));
    harness.advance(1_800);
    let changed = again().await;
    assert_eq!(changed.status, 200);
    assert_ne!(changed.header("last-modified"), Some(modified.as_str()));
    assert_eq!(
        harness.simulator.requests(MET_NORWAY).last_if_modified_since,
        Some(modified.clone())
    );
}

#[tokio::test]
async fn rain_of_the_coming_hour_is_that_which_open_meteo_tells_at_its_end() {
    let harness = Harness::start().await;
    // 13 years of 365 days back lies 2013-05-08T14:50Z, a day of rain.
    harness.set_clock("2026-05-05T14:50:00Z");
    let path = "weatherapi/locationforecast/2.0/compact?lat=40.6398&lon=-73.7789";
    let body = harness.get(MET_NORWAY, path).await.json();
    let amounts: Vec<&Value> = (0..3)
        .map(|hour| {
            let step = &body["properties"]["timeseries"][hour]["data"]["next_1_hours"];
            &step["details"]["precipitation_amount"]
        })
        .collect();
    // JFK: 0.01 in until 15Z, 0.58 in until 16Z, none until 17Z.
    assert_eq!(amounts, [&json!(0.3), &json!(14.7), &json!(0.0)]);
}

#[tokio::test]
async fn callers_without_contact_and_long_decimals_are_forbidden() {
    let harness = Harness::start().await;
    let url = harness.url(MET_NORWAY, COMPACT);
    let response = harness.http.get(url).header(USER_AGENT, "reqwest/0.13").send().await.unwrap();
    assert_eq!(response.status(), 403);
    assert_eq!(response.headers()["errorclass"], "Forbidden");
    check(&harness, "lat=59.91391&lon=10.75", 403).await;
    check(&harness, "lat=59.9&lon=10.75222", 403).await;
    check(&harness, "lat=59.9", 400).await;
    check(&harness, "lat=99.9&lon=1", 400).await;
    check(&harness, "lat=59.9&lon=10.7&altitude=2.5", 400).await;
    check(&harness, "lat=59.9&lon=10.7&altitude=-2", 200).await;
}

async fn check(harness: &Harness, query: &str, status: u16) {
    let path = format!("weatherapi/locationforecast/2.0/compact?{query}");
    assert_eq!(harness.get(MET_NORWAY, &path).await.status, status, "{query}");
}
