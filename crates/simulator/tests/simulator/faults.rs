//! Every fault as a plain client sees it.

use std::time::{Duration, Instant};

use pampero_simulator::Fault;
use pampero_weather::provider::ProviderId::{
    self, MetNorway, OpenMeteo, OpenWeatherMap, Weatherstack,
};
use serde_json::{Value, json};

use crate::harness::{FORECAST, Got, Harness, START, second};

const BATCH: &str = "v1/forecast?latitude=1,2,3&longitude=4,5,6&current=temperature_2m";

/// Plays a fault on the question for Buenos Aires.
async fn played(provider: ProviderId, fault: &str) -> Got {
    let harness = Harness::start().await;
    harness.play(provider, fault.parse().unwrap());
    let got = harness.weather(provider).await;
    let counts = harness.simulator.requests(provider);
    let kind = fault.split(':').next().unwrap();
    assert_eq!(counts.by_fault.get(kind), Some(&1), "{fault}");
    got
}

async fn played_batch(fault: &str) -> Value {
    let harness = Harness::start().await;
    harness.play(OpenMeteo, fault.parse().unwrap());
    harness.get(OpenMeteo, BATCH).await.json()
}

#[tokio::test]
async fn refusals_have_the_status_and_words_of_the_service() {
    check(OpenMeteo, "status:503", 503, "\"error\":true").await;
    check(OpenMeteo, "limit_reached:minute", 429, "Minutely").await;
    check(OpenMeteo, "limit_reached:hour", 429, "Hourly").await;
    check(OpenMeteo, "limit_reached:day", 429, "Daily").await;
    check(OpenMeteo, "limit_reached:concurrent", 429, "concurrent requests").await;
    check(OpenMeteo, "quota_exhausted", 429, "Daily").await;
    check(OpenMeteo, "auth_refused", 401, "API key").await;
    check(OpenMeteo, "bad_request", 400, "\"error\":true").await;
    check(OpenMeteo, "not_covered", 400, "No data").await;
    check(MetNorway, "status:500", 500, "<html>").await;
    check(MetNorway, "status:203", 203, "timeseries").await;
    check(MetNorway, "auth_refused", 403, "Forbidden").await;
    check(MetNorway, "quota_exhausted", 429, "Too Many").await;
    check(MetNorway, "bad_request", 400, "<html>").await;
    check(MetNorway, "not_covered", 422, "covered").await;
    check(OpenWeatherMap, "status:502", 502, "\"cod\":502").await;
    check(OpenWeatherMap, "limit_reached:minute", 429, "\"cod\":429").await;
    check(OpenWeatherMap, "quota_exhausted", 429, "blocked").await;
    check(OpenWeatherMap, "auth_refused", 401, "Invalid API key.").await;
    check(OpenWeatherMap, "bad_request", 400, "\"cod\":\"400\"").await;
    check(OpenWeatherMap, "not_covered", 404, "\"cod\":\"404\"").await;
    check(Weatherstack, "status:500", 500, "\"success\":false").await;
    check(Weatherstack, "rate_limited", 429, "rate_limit_reached").await;
    check(Weatherstack, "quota_exhausted", 200, "\"code\":104").await;
    check(Weatherstack, "auth_refused", 200, "\"code\":101").await;
    check(Weatherstack, "bad_request", 200, "\"code\":606").await;
    check(Weatherstack, "not_covered", 200, "\"code\":602").await;
    for provider in ProviderId::ALL {
        check(provider, "auth_html_403", 403, "<!DOCTYPE html>").await;
        check(provider, "html", 200, "<!DOCTYPE html>").await;
        check(provider, "empty_answer", 200, "").await;
        check(provider, "empty_array", 200, "[]").await;
        check(provider, "cut_json", 200, "An error occurred").await;
    }
}

async fn check(provider: ProviderId, fault: &str, status: u16, contained: &str) {
    let got = played(provider, fault).await;
    assert_eq!(got.status, status, "{provider} {fault}");
    assert!(got.text.contains(contained), "{provider} {fault}: {}", got.text);
    let json = serde_json::from_str::<Value>(&got.text).is_ok();
    assert_eq!(json, !got.text.is_empty() && !got.text.contains('<') && fault != "cut_json");
}

#[tokio::test]
async fn retry_after_is_absent_in_seconds_or_a_date() {
    for provider in ProviderId::ALL {
        let retry_after = async |fault: &str| {
            let got = played(provider, fault).await;
            assert_eq!(got.status, 429);
            got.header("retry-after").map(str::to_owned)
        };
        assert_eq!(retry_after("rate_limited").await, None);
        assert_eq!(retry_after("rate_limited:5").await.as_deref(), Some("5"));
        let date = retry_after("rate_limited:date:30").await;
        assert_eq!(date.as_deref(), Some("Mon, 21 Sep 2026 14:12:30 GMT"));
    }
}

#[tokio::test]
async fn garbage_is_no_text() {
    let harness = Harness::start().await;
    harness.play(OpenMeteo, Fault::Garbage);
    let response = harness.http.get(harness.url(OpenMeteo, FORECAST)).send().await.unwrap();
    assert_eq!(response.status(), 200);
    let bytes = response.bytes().await.unwrap();
    assert!(bytes.len() == 512 && std::str::from_utf8(&bytes).is_err());
}

#[tokio::test]
async fn slow_answers_are_slow_where_they_should_be() {
    let harness = Harness::start().await;
    let url = harness.url(OpenMeteo, FORECAST);
    let times = async || {
        let begun = Instant::now();
        let response = harness.http.get(&url).send().await.unwrap();
        let headers = begun.elapsed();
        let body = response.bytes().await.unwrap();
        assert!(serde_json::from_slice::<Value>(&body).is_ok());
        (headers, begun.elapsed())
    };
    let slow = Duration::from_millis(400);
    harness.play(OpenMeteo, Fault::SlowFirstByte { ms: 400 });
    let (headers, _) = times().await;
    assert!(slow <= headers, "{headers:?}");
    harness.play(OpenMeteo, Fault::SlowBody { ms: 400 });
    let (headers, whole) = times().await;
    assert!(headers < slow && slow <= whole, "{headers:?} {whole:?}");
}

#[tokio::test]
async fn hanging_request_ends_when_the_client_gives_up() {
    let harness = Harness::start().await;
    harness.play(OpenMeteo, Fault::Hang);
    let url = harness.url(OpenMeteo, FORECAST);
    let asked = harness.http.get(url).timeout(Duration::from_millis(200)).send().await;
    assert!(asked.unwrap_err().is_timeout());
    let ended = async {
        while harness.simulator.requests(OpenMeteo).unanswered == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), ended).await.expect("the request is let go");
    assert_eq!(harness.simulator.requests(OpenMeteo).in_flight, 0);
}

#[tokio::test]
async fn broken_connections_break_as_said() {
    breaks(Fault::Reset, "reset").await;
    breaks(Fault::Close, "closed").await;
    breaks(Fault::CutBody, "body").await;
}

/// Asks and looks for `named` in the chain of causes.
async fn breaks(fault: Fault, named: &str) {
    let harness = Harness::start().await;
    harness.play(OpenMeteo, fault.clone());
    let error = harness.try_get(OpenMeteo, FORECAST).await.expect_err("a broken connection");
    let mut causes = vec![error.to_string()];
    let mut cause: &dyn std::error::Error = &error;
    while let Some(next) = cause.source() {
        causes.push(next.to_string());
        cause = next;
    }
    assert!(causes.iter().any(|text| text.contains(named)), "{fault}: {causes:?}");
    assert_eq!(error.is_body() || error.is_decode(), fault == Fault::CutBody, "{causes:?}");
}

#[tokio::test]
async fn batches_break_in_four_ways() {
    let whole = played_batch_of(None).await;
    let places = whole.as_array().unwrap().clone();
    assert_eq!(played_batch("wrong_count").await, json!(places[..2]));
    assert_eq!(played_batch("one_element_null").await, json!([places[0], places[1], null]));
    assert_eq!(played_batch("out_of_order").await, json!([places[2], places[1], places[0]]));
    assert_eq!(played_batch("object_instead_of_array").await, places[0]);
}

async fn played_batch_of(fault: Option<Fault>) -> Value {
    let harness = Harness::start().await;
    harness.simulator.set_fault(OpenMeteo, fault).unwrap();
    harness.get(OpenMeteo, BATCH).await.json()
}

/// Where the values of an answer stand, by provider: temperature, humidity, pressure, time.
fn pointers(provider: ProviderId) -> [&'static str; 4] {
    match provider {
        OpenMeteo => [
            "/current/temperature_2m",
            "/current/relative_humidity_2m",
            "/current/pressure_msl",
            "/current/time",
        ],
        MetNorway => [
            "/properties/timeseries/0/data/instant/details/air_temperature",
            "/properties/timeseries/0/data/instant/details/relative_humidity",
            "/properties/timeseries/0/data/instant/details/air_pressure_at_sea_level",
            "/properties/timeseries/0/time",
        ],
        OpenWeatherMap => ["/main/temp", "/main/humidity", "/main/pressure", "/dt"],
        Weatherstack => [
            "/current/temperature",
            "/current/humidity",
            "/current/pressure",
            "/current/observation_time",
        ],
    }
}

/// An answer of a provider with and without a fault.
async fn both(provider: ProviderId, fault: &str) -> (Value, Value) {
    let harness = Harness::start().await;
    let good = harness.weather(provider).await.json();
    (good, played(provider, fault).await.json())
}

fn number(body: &Value, pointer: &str) -> f64 {
    body.pointer(pointer).and_then(Value::as_f64).unwrap_or_else(|| panic!("{pointer} in {body}"))
}

#[tokio::test]
async fn values_are_bent() {
    for provider in ProviderId::ALL {
        let [temperature, humidity, pressure, _] = pointers(provider);
        let (good, bad) = both(provider, "wrong_units").await;
        assert!((number(&bad, temperature) - number(&good, temperature) - 273.15).abs() < 0.6);
        let (good, bad) = both(provider, "implausible").await;
        assert_eq!((number(&bad, temperature), number(&bad, humidity)), (999.0, 101.0));
        assert!(number(&good, humidity) <= 100.0);
        let (good, bad) = both(provider, "station_pressure_as_msl").await;
        let lower = number(&good, pressure) - number(&bad, pressure);
        assert!((140.0..220.0).contains(&lower), "{provider} {lower}");
        let (good, bad) = both(provider, "corrected_value").await;
        let warmer = number(&bad, temperature) - number(&good, temperature);
        assert!(warmer > 0.9 && warmer < 2.1, "{provider} {warmer}");
    }
    let bad = played(OpenMeteo, "implausible").await.json();
    let current = &bad["current"];
    assert!(current["wind_gusts_10m"].as_f64() < current["wind_speed_10m"].as_f64());
    let bad = played(OpenMeteo, "wrong_units").await.json();
    assert_eq!(bad["current_units"]["temperature_2m"], "K");
    assert_eq!(bad["current_units"]["wind_speed_10m"], "km/h");
}

#[tokio::test]
async fn codes_nobody_knows_are_in_the_answers() {
    let answered = |provider, pointer: &'static str| async move {
        played(provider, "unknown_code").await.json().pointer(pointer).cloned().unwrap()
    };
    assert_eq!(answered(OpenMeteo, "/current/weather_code").await, 199);
    assert_eq!(answered(OpenWeatherMap, "/weather/0/id").await, 999);
    assert_eq!(answered(Weatherstack, "/current/weather_code").await, 999);
    let symbol = "/properties/timeseries/0/data/next_1_hours/summary/symbol_code";
    assert_eq!(answered(MetNorway, symbol).await, "rainoffrogs_day");
}

#[tokio::test]
async fn fields_are_null_absent_text_or_too_many() {
    for provider in ProviderId::ALL {
        let [temperature, humidity, pressure, _] = pointers(provider);
        let nulls = played(provider, "null_fields").await.json();
        assert_eq!(nulls.pointer(humidity), Some(&Value::Null), "{provider}");
        assert_eq!(nulls.pointer(pressure), Some(&Value::Null), "{provider}");
        assert!(nulls.pointer(temperature).unwrap().is_number(), "{provider}");
        let absent = played(provider, "absent_fields").await.json();
        assert_eq!(absent.pointer(humidity), None, "{provider}");
        assert!(absent.pointer(temperature).unwrap().is_number(), "{provider}");
        let (good, texts) = both(provider, "text_numbers").await;
        let text = good.pointer(humidity).unwrap().to_string();
        assert_eq!(texts.pointer(humidity), Some(&Value::String(text)), "{provider}");
        let extra = played(provider, "extra_fields").await.json();
        assert!(extra.get("x_new_field").is_some_and(Value::is_object), "{provider}");
        assert_eq!(extra.pointer(temperature), good.pointer(temperature), "{provider}");
    }
    let units = played(OpenMeteo, "extra_fields").await.json()["current_units"].clone();
    assert_eq!(units["x_new_field"], "new");
}

#[tokio::test]
async fn instants_lie_ahead_behind_or_stand_still() {
    let time = |body: &Value, provider| {
        let found = body.pointer(pointers(provider)[3]).cloned().unwrap();
        found.as_i64().unwrap_or_else(|| found.as_str().map_or(0, second_or_zero))
    };
    for provider in [OpenMeteo, OpenWeatherMap, MetNorway] {
        let (good, ahead) = both(provider, "clock_ahead:120").await;
        let lead = time(&ahead, provider) - second(START);
        assert!((6_000..=10_800).contains(&lead), "{provider} {lead}");
        assert!(time(&good, provider) <= second(START), "{provider}");
        let (good, old) = both(provider, "old_answer:6").await;
        assert_eq!(time(&good, provider) - time(&old, provider), 6 * 3_600, "{provider}");
        let harness = Harness::start().await;
        let good = harness.weather(provider).await.json();
        harness.play(provider, Fault::Frozen);
        harness.advance(5 * 3_600);
        let frozen = harness.weather(provider).await.json();
        let [temperature, .., instant] = pointers(provider);
        assert_eq!(frozen.pointer(instant), good.pointer(instant), "{provider}");
        assert_eq!(frozen.pointer(temperature), good.pointer(temperature), "{provider}");
    }
    let old = played(MetNorway, "old_answer:6").await.json();
    let steps = old["properties"]["timeseries"].as_array().unwrap();
    assert!(steps.iter().all(|step| step["time"].as_str() <= Some("2026-09-21T08:12:00Z")));
    let (good, old) = both(Weatherstack, "old_answer:6").await;
    assert_eq!(good["current"]["observation_time"], "02:00 PM");
    assert_eq!(old["current"]["observation_time"], "08:00 AM");
    let (good, ahead) = both(Weatherstack, "clock_ahead:120").await;
    let wall = |body: &Value| body["location"]["localtime_epoch"].as_i64().unwrap();
    assert_eq!(wall(&ahead) - wall(&good), 7_200);
}

fn second_or_zero(text: &str) -> i64 {
    text.parse::<jiff::Timestamp>().map_or(0, jiff::Timestamp::as_second)
}

#[tokio::test]
async fn huge_body_is_huge() {
    let got = played(OpenMeteo, "huge_body:2").await;
    assert_eq!(got.text.len(), 2 * 1024 * 1024 + r#"{"padding":""}"#.len());
    assert!(got.json().is_object());
}

#[tokio::test]
async fn redirects_end_or_do_not() {
    let harness = Harness::start().await;
    harness.play(OpenMeteo, Fault::RedirectLoop);
    assert!(harness.try_get(OpenMeteo, FORECAST).await.unwrap_err().is_redirect());
    harness.play(OpenMeteo, Fault::TooManyRedirects { hops: 4 });
    assert!(harness.try_get(OpenMeteo, FORECAST).await.unwrap_err().is_redirect());
    harness.play(OpenMeteo, Fault::TooManyRedirects { hops: 3 });
    let got = harness.get(OpenMeteo, FORECAST).await;
    assert_eq!((got.status, got.json()["current"]["interval"].clone()), (200, json!(900)));
    assert_eq!(harness.simulator.requests(OpenMeteo).by_status[&307], 4 + 4 + 3);
}

#[tokio::test]
async fn providers_lean_to_different_sides() {
    let harness = Harness::start().await;
    let mut temperatures = Vec::new();
    for provider in ProviderId::ALL {
        let body = harness.weather(provider).await.json();
        temperatures.push(number(&body, pointers(provider)[0]));
    }
    let spread = temperatures.iter().copied().fold(f64::MIN, f64::max)
        - temperatures.iter().copied().fold(f64::MAX, f64::min);
    assert!(spread > 0.5 && spread < 2.5, "{temperatures:?}");
}
