//! Current conditions and means: what is said, how old it is, and when it is the same as before.

use http::Method;
use pampero_weather::observation::Quantity;
use pampero_weather::provider::ProviderId::{MetNorway, OpenMeteo};
use pampero_weather::quality::Flag;
use serde_json::{Value, json};

use crate::app::{TestApp, observation, request};

#[tokio::test]
async fn current_conditions_say_where_they_come_from_and_how_old_they_are() {
    let app = TestApp::start().await;
    let mut said = observation("buenos-aires", OpenMeteo, "2026-11-24T14:45:00Z", 16.617);
    said.flags.set(Quantity::RelativeHumidity, Flag::Suspect);
    app.observe(said, None).await;

    let reply = app.get("/weather/current").await;

    assert_eq!(reply.status, 200);
    assert_eq!(
        reply.json(),
        json!({
            "temperature": 16.62, "humidity": 54, "pressure": 1017.2, "dew_point": null,
            "wind_speed": null, "wind_gust": null, "wind_direction": null, "precipitation": null,
            "cloud_cover": null, "visibility": null, "pressure_station": null, "condition": null,
            "datetime": "2026-11-24 11:45:00",
            "place": {
                "id": "buenos-aires", "name": "Buenos Aires", "latitude": -34.6037,
                "longitude": -58.3816, "elevation": 25,
                "time_zone": "America/Argentina/Buenos_Aires",
            },
            "provider": "open_meteo", "role": "primary", "fallback_reason": null,
            "source_kind": "model", "observed_at": "2026-11-24T14:45:00Z",
            "fetched_at": "2026-11-24T14:46:30Z", "age_seconds": 900, "stale": false,
            "stale_reason": null, "trouble": null,
            "units": {
                "temperature": "°C", "humidity": "%", "pressure": "hPa", "dew_point": "°C",
                "wind_speed": "m/s", "wind_gust": "m/s", "wind_direction": "°",
                "precipitation": "mm", "cloud_cover": "%", "visibility": "m",
                "pressure_station": "hPa", "elevation": "m",
            },
            "flags": {"humidity": ["suspect"]},
            "attribution": {"text": "Made by hand", "url": "https://example.org/"},
        })
    );
    assert_eq!(reply.header("content-type"), "application/json");
    assert_eq!(reply.header("last-modified"), "Tue, 24 Nov 2026 14:45:00 GMT");
    assert_eq!(reply.header("age"), "900");
    assert_eq!(reply.header("cache-control"), "public, max-age=910, stale-if-error=86400");
    assert_eq!(reply.header("x-content-type-options"), "nosniff");
    assert_eq!(reply.header("content-length"), reply.body.len().to_string());
}

#[tokio::test]
async fn a_place_is_named_by_query_or_path() {
    let app = TestApp::start().await;
    app.observe(observation("rosario", OpenMeteo, "2026-11-24T14:45:00Z", 21.0), None).await;
    for path in ["/weather/current?place=rosario", "/api/places/rosario/current"] {
        let reply = app.get(path).await;
        assert_eq!((reply.status.as_u16(), &reply.json()["place"]["id"]), (200, &json!("rosario")));
    }
    app.get("/weather/current").await.check_problem(404, "no_observation_yet");
}

#[tokio::test]
async fn age_follows_the_clock_while_the_etag_stays() {
    let app = TestApp::start().await;
    app.observe(observation("buenos-aires", OpenMeteo, "2026-11-24T14:59:00Z", 16.0), None).await;
    let first = app.get("/weather/current").await;
    app.clock.set("2026-11-24T15:00:00.999Z");
    assert_eq!(app.get("/weather/current").await.json()["age_seconds"], 60);
    app.clock.set("2026-11-24T15:00:01Z");
    let later = app.get("/weather/current").await;
    assert_eq!((&later.json()["age_seconds"], later.header("age")), (&json!(61), "61"));
    assert_eq!(first.header("etag"), later.header("etag"));
    app.clock.set("2026-11-24T14:00:00Z");
    assert_eq!(app.get("/weather/current").await.json()["age_seconds"], 0, "clock set back");
}

#[tokio::test]
async fn a_new_answer_is_served_within_the_same_second() {
    let app = TestApp::start().await;
    app.observe(observation("buenos-aires", OpenMeteo, "2026-11-24T14:59:00Z", 16.0), None).await;
    let before = app.get("/weather/current").await;
    // The same instant again, corrected.
    app.observe(observation("buenos-aires", OpenMeteo, "2026-11-24T14:59:00Z", 17.0), None).await;
    let after = app.get("/weather/current").await;
    assert_eq!(after.json()["temperature"], 17);
    assert_ne!(before.header("etag"), after.header("etag"));
}

#[tokio::test]
async fn stale_values_say_so_with_age_and_limit() {
    let app = TestApp::start().await;
    app.observe(observation("buenos-aires", OpenMeteo, "2026-11-24T14:00:00Z", 16.0), None).await;
    let fresh = app.get("/weather/current").await;
    assert_eq!(fresh.json()["stale"], false, "the limit itself is not stale");
    app.clock.set("2026-11-24T15:15:00Z");
    let stale = app.get("/weather/current").await;
    assert_eq!(stale.json()["stale"], true);
    assert_eq!(
        stale.json()["stale_reason"],
        "observed 75 min ago, which is more than the limit of 60 min"
    );
    assert_ne!(fresh.header("etag"), stale.header("etag"));
}

#[tokio::test]
async fn trouble_is_told_with_what_each_provider_said() {
    let app = TestApp::start().await;
    app.observe(observation("buenos-aires", OpenMeteo, "2026-11-24T13:00:00Z", 16.0), None).await;
    app.fail_a_round().await;
    let told = app.get("/weather/current").await.json();
    assert_eq!(told["trouble"]["since"], "2026-11-24T15:00:00Z");
    let reason = told["stale_reason"].as_str().unwrap();
    let begin = "observed 2 h 0 min ago, which is more than the limit of 60 min; \
                 since 2026-11-24T15:00:00Z no provider has answered: ";
    assert!(reason.starts_with(begin), "{reason}");
    assert!(reason.contains("open_meteo") && reason.contains("met_norway"), "{reason}");
    assert!(reason.contains("no such parameter"), "{reason}");

    let nothing = app.get("/weather/current?place=rosario").await;
    let problem = nothing.check_problem(404, "no_observation_yet");
    assert_eq!(
        (nothing.header("retry-after"), &problem["retry_after_seconds"]),
        ("60", &json!(60))
    );
    assert!(problem["detail"].as_str().unwrap().contains("no provider has answered"), "{problem}");
}

#[tokio::test]
async fn a_fallback_is_marked_with_its_reason() {
    let app = TestApp::start().await;
    let said = observation("buenos-aires", MetNorway, "2026-11-24T14:59:00Z", 16.0);
    app.observe(said, Some("open_meteo: breaker open")).await;
    let told = app.get("/weather/current").await.json();
    assert_eq!(told["role"], "fallback");
    assert_eq!(told["fallback_reason"], "open_meteo: breaker open");
    assert_eq!(told["provider"], "met_norway");
}

#[tokio::test]
async fn a_provider_that_left_the_chain_is_stale_after_an_hour_and_uncredited() {
    use pampero_weather::provider::ProviderId::Weatherstack;
    let app = TestApp::start().await;
    app.observe(observation("buenos-aires", Weatherstack, "2026-11-24T13:59:59Z", 16.0), None)
        .await;
    let told = app.get("/weather/current").await.json();
    assert_eq!((&told["stale"], &told["attribution"]), (&json!(true), &Value::Null));
}

#[tokio::test]
async fn who_has_the_answer_already_gets_no_body() {
    let app = TestApp::start().await;
    app.observe(observation("buenos-aires", OpenMeteo, "2026-11-24T14:45:00Z", 16.0), None).await;
    let etag = app.get("/weather/current").await.header("etag").to_owned();
    assert!(etag.starts_with("W/\""), "{etag}");
    let none_match = "if-none-match";
    check_conditional(&app, &[(none_match, &etag)], 304).await;
    check_conditional(&app, &[(none_match, &etag[2..])], 304).await;
    check_conditional(&app, &[(none_match, &format!("\"other\", {etag}"))], 304).await;
    check_conditional(&app, &[(none_match, "*")], 304).await;
    check_conditional(&app, &[(none_match, "\"other\"")], 200).await;
    let since = "if-modified-since";
    check_conditional(&app, &[(since, "Tue, 24 Nov 2026 14:45:00 GMT")], 304).await;
    check_conditional(&app, &[(since, "Tue, 24 Nov 2026 14:44:59 GMT")], 200).await;
    check_conditional(&app, &[(since, "yesterday")], 200).await;
    // The tag decides alone when there is one.
    let both = [(none_match, "\"other\""), (since, "Tue, 24 Nov 2026 14:45:00 GMT")];
    check_conditional(&app, &both, 200).await;
    app.clock.set("2026-11-24T16:00:00Z");
    check_conditional(&app, &[(none_match, &etag)], 200).await;
    check_conditional(&app, &[(since, "Tue, 24 Nov 2026 14:45:00 GMT")], 200).await;
}

async fn check_conditional(app: &TestApp, headers: &[(&'static str, &str)], status: u16) {
    let mut asked = request(Method::GET, "/weather/current");
    for (name, value) in headers {
        asked.headers_mut().insert(*name, value.parse().unwrap());
    }
    let reply = app.send(asked).await;
    assert_eq!(reply.status.as_u16(), status, "{headers:?}");
    assert_eq!(reply.body.is_empty(), status == 304, "{headers:?}");
    assert!(!reply.header("etag").is_empty() && !reply.header("age").is_empty(), "{headers:?}");
    assert_eq!(reply.header("content-type").is_empty(), status == 304, "{headers:?}");
}

#[tokio::test]
async fn head_has_the_headers_of_get_and_no_body() {
    let app = TestApp::start().await;
    app.observe(observation("buenos-aires", OpenMeteo, "2026-11-24T14:45:00Z", 16.0), None).await;
    for path in ["/weather/current", "/weather/average/day", "/weather/current?place=rosario"] {
        let get = app.get_with(path, "x-request-id", "same").await;
        let mut asked = request(Method::HEAD, path);
        asked.headers_mut().insert("x-request-id", "same".parse().unwrap());
        let head = app.send(asked).await;
        assert_eq!(head.status, get.status);
        assert!(head.body.is_empty(), "{path}");
        for name in ["content-type", "content-length", "etag", "age", "retry-after"] {
            assert_eq!(head.header(name), get.header(name), "{name} of {path}");
        }
    }
}

#[tokio::test]
async fn a_mean_says_what_it_rests_on() {
    let app = TestApp::start().await;
    for (observed_at, t) in [("2026-11-24T13:30:00Z", 10.0), ("2026-11-24T14:30:00Z", 20.0)] {
        app.observe(observation("buenos-aires", OpenMeteo, observed_at, t), None).await;
    }
    let reply = app.get("/weather/average/day").await;
    assert_eq!(reply.status, 200);
    let told = reply.json();
    assert_eq!(told["average"], 13.33);
    assert_eq!(told["coverage"], 0.0625);
    assert_eq!(
        told["window"],
        json!({"from": "2026-11-23T15:00:00Z", "to": "2026-11-24T15:00:00Z"})
    );
    for (field, value) in [
        ("period", json!("day")),
        ("quantity", json!("temperature")),
        ("unit", json!("°C")),
        ("method", json!("time_weighted")),
        ("samples", json!(2)),
        ("providers", json!(["open_meteo"])),
        ("newest_observed_at", json!("2026-11-24T14:30:00Z")),
        ("age_seconds", json!(1800)),
        ("stale", json!(false)),
        ("stale_reason", Value::Null),
        ("computed_at", json!("2026-11-24T15:00:00Z")),
        ("attribution", json!([{"text": "Made by hand", "url": "https://example.org/"}])),
    ] {
        assert_eq!(told[field], value, "{field}");
    }
    let week = app.get("/weather/average/week?place=buenos-aires").await.json();
    assert_eq!((&week["period"], &week["coverage"]), (&json!("week"), &json!(0.0089)));

    app.clock.set("2026-11-24T15:00:10Z");
    let known = app.get_with("/weather/average/day", "if-none-match", reply.header("etag")).await;
    assert_eq!(known.status, 304);
}

#[tokio::test]
async fn a_mean_without_data_is_withheld() {
    let app = TestApp::start().await;
    app.get("/weather/average/day").await.check_problem(404, "no_observation_yet");
    app.observe(observation("buenos-aires", OpenMeteo, "2026-11-20T13:00:00Z", 10.0), None).await;
    app.get("/weather/average/day").await.check_problem(404, "no_data_in_window");
    assert_eq!(app.get("/weather/average/week").await.status, 200);
}

#[tokio::test]
async fn wrong_questions_are_refused_by_name() {
    let app = TestApp::start().await;
    check_refused(&app, "/weather/current?place=atlantis", 404, "unknown_place", "place").await;
    check_refused(&app, "/weather/current?place=", 400, "invalid_parameter", "place").await;
    check_refused(&app, "/weather/current?place=A%20B", 400, "invalid_parameter", "place").await;
    check_refused(&app, "/weather/current?plaice=x", 400, "unknown_parameter", "plaice").await;
    check_refused(&app, "/weather/average/day?x=1", 400, "unknown_parameter", "x").await;
    let twice = "/weather/current?place=rosario&place=rosario";
    check_refused(&app, twice, 400, "duplicate_parameter", "place").await;
    check_refused(&app, "/api/places/atlantis/current", 404, "unknown_place", "place").await;
    check_refused(&app, "/api/places/NO/current", 404, "unknown_place", "place").await;
    check_refused(&app, "/api/places/%FF/current", 400, "invalid_parameter", "place").await;
}

async fn check_refused(app: &TestApp, path: &str, status: u16, code: &str, parameter: &str) {
    let problem = app.get(path).await.check_problem(status, code);
    assert_eq!(problem["parameter"], parameter, "{path}");
}
