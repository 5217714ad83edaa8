//! The control API, the schedule, the counters, and starting and stopping.

use std::time::Duration;

use pampero_simulator::{Fault, ScheduledFault, Simulator, SimulatorError, SwitchedBy};
use pampero_weather::provider::ProviderId;
use reqwest::Method;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::harness::{FORECAST, Got, Harness, WEATHER_PATHS, read, second};

const OPEN_METEO: ProviderId = ProviderId::OpenMeteo;

async fn control(harness: &Harness, method: Method, path: &str, body: Option<Value>) -> Got {
    let request = harness.http.request(method, harness.simulator.control_url().join(path).unwrap());
    let request = match body {
        Some(body) => request.json(&body),
        None => request,
    };
    read(request.send().await.unwrap()).await.unwrap()
}

#[tokio::test]
async fn fault_is_switched_on_listed_and_off() {
    let harness = Harness::start().await;
    let put = json!({"fault": {"kind": "status", "code": 503}, "for_seconds": 30});
    assert_eq!(control(&harness, Method::PUT, "faults/open_meteo", Some(put)).await.status, 200);
    assert_eq!(harness.get(OPEN_METEO, FORECAST).await.status, 503);
    let listed = control(&harness, Method::GET, "faults", None).await.json();
    let expected = json!([{
        "provider": "open_meteo", "fault": {"kind": "status", "code": 503}, "switched_by": "hand",
        "since": "2026-09-21T14:12:00Z", "until": "2026-09-21T14:12:30Z", "share": 1.0,
    }]);
    assert_eq!(listed["active"], expected);
    harness.advance(30);
    assert_eq!(harness.get(OPEN_METEO, FORECAST).await.status, 200);
    let put = json!({"fault": "status:500"});
    assert_eq!(control(&harness, Method::PUT, "faults/open_meteo", Some(put)).await.status, 200);
    assert_eq!(harness.get(OPEN_METEO, FORECAST).await.status, 500);
    assert_eq!(control(&harness, Method::DELETE, "faults/open_meteo", None).await.status, 204);
    assert_eq!(harness.get(OPEN_METEO, FORECAST).await.status, 200);
}

#[tokio::test]
async fn share_of_requests_is_hit_evenly() {
    let harness = Harness::start().await;
    let put = json!({"fault": {"kind": "status", "code": 503}, "share": 0.5});
    control(&harness, Method::PUT, "faults/open_meteo", Some(put)).await;
    let mut statuses = Vec::new();
    for _ in 0..6 {
        statuses.push(harness.get(OPEN_METEO, FORECAST).await.status);
    }
    assert_eq!(statuses, [200, 503, 200, 503, 200, 503]);
}

#[tokio::test]
async fn wrong_switches_are_refused_as_problems() {
    let harness = Harness::start().await;
    let hang = json!({"kind": "hang"});
    refused(&harness, "faults/nowhere", json!({"fault": hang}), 404, "known are open_meteo").await;
    refused(
        &harness,
        "faults/open_meteo",
        json!({"fault": {"kind": "flood"}}),
        400,
        "unknown variant",
    )
    .await;
    refused(&harness, "faults/open_meteo", json!({"fault": "flood"}), 422, "unknown fault").await;
    refused(&harness, "faults/open_meteo", json!({"fault": {"kind": "status"}}), 400, "code").await;
    refused(
        &harness,
        "faults/open_meteo",
        json!({"fault": {"kind": "status", "code": 99}}),
        422,
        "203, 204 or",
    )
    .await;
    refused(&harness, "faults/open_meteo", json!({"fault": hang, "share": 0}), 422, "share").await;
    refused(
        &harness,
        "faults/open_meteo",
        json!({"fault": hang, "for_seconds": -1}),
        422,
        "for_seconds",
    )
    .await;
    refused(&harness, "faults/open_meteo", json!({"fault": hang, "for": 1}), 400, "for_seconds")
        .await;
    refused(&harness, "faults/met_norway", json!({"fault": "wrong_count"}), 422, "batches").await;
    assert_eq!(harness.simulator.faults(), []);
    let wrong_method = control(&harness, Method::POST, "faults", None).await;
    assert_eq!(wrong_method.status, 405);
    assert_eq!(wrong_method.header("content-type"), Some("application/problem+json"));
    assert_eq!(control(&harness, Method::GET, "nothing", None).await.status, 404);
}

async fn refused(harness: &Harness, path: &str, body: Value, status: u16, named: &str) {
    let got = control(harness, Method::PUT, path, Some(body)).await;
    assert_eq!(got.status, status, "{}", got.text);
    assert_eq!(got.header("content-type"), Some("application/problem+json"));
    assert!(got.json()["detail"].as_str().unwrap().contains(named), "{}", got.text);
}

#[tokio::test]
async fn catalogue_lists_every_fault() {
    let harness = Harness::start().await;
    let body = control(&harness, Method::GET, "catalogue", None).await.json();
    let faults = body["faults"].as_array().unwrap();
    assert_eq!(faults.len(), Fault::ALL.len());
    assert_eq!(faults[0]["short"], "status:503");
    assert_eq!(faults[0]["expected"][0], json!({"provider": "open_meteo", "outcome": "transient"}));
}

#[tokio::test]
async fn requests_are_counted_without_their_keys() {
    let harness = Harness::start().await;
    for (provider, path) in WEATHER_PATHS {
        harness.get(provider, path).await;
    }
    harness.get(ProviderId::OpenWeatherMap, "data/2.5/weather?lat=1&lon=2&appid=wrong-key").await;
    let counts = harness.simulator.requests(ProviderId::OpenWeatherMap);
    assert_eq!((counts.total, counts.by_status[&200], counts.by_status[&401]), (2, 1, 1));
    assert_eq!((counts.in_flight, counts.in_flight_max, counts.unanswered), (0, 1, 0));
    assert_eq!(counts.last_query.as_deref(), Some("data/2.5/weather?lat=1&lon=2&appid=[key]"));
    assert_eq!(counts.last_user_agent.as_deref(), Some("Pampero/0.1 tests@example.org"));
    let body = control(&harness, Method::GET, "requests", None).await.json();
    assert_eq!(body["requests"]["weatherstack"]["by_status"], json!({"200": 1}));
    harness.play(OPEN_METEO, Fault::Html);
    assert_eq!(control(&harness, Method::POST, "reset", None).await.status, 204);
    assert_eq!(harness.simulator.requests(ProviderId::OpenWeatherMap).total, 0);
    assert_eq!(harness.simulator.faults(), []);
}

#[tokio::test]
async fn schedule_plays_on_time_and_the_hand_comes_first() {
    let schedule: ScheduledFault = "open_meteo=status:503@20s+40s/150s".parse().unwrap();
    let harness = Harness::start_with(|config| config.faults = vec![schedule]).await;
    let status = async |elapsed: i64| {
        let now = jiff::Timestamp::from_second(second(crate::harness::START) + elapsed).unwrap();
        harness.set_clock(&now.to_string());
        harness.get(OPEN_METEO, FORECAST).await.status
    };
    assert_eq!((status(0).await, status(19).await), (200, 200));
    assert_eq!((status(20).await, status(59).await), (503, 503));
    assert_eq!((status(60).await, status(170).await), (200, 503));
    let active = harness.simulator.faults();
    assert_eq!(active[0].switched_by, SwitchedBy::Schedule);
    assert_eq!(active[0].since.to_string(), "2026-09-21T14:14:50Z");
    harness.play(OPEN_METEO, Fault::Status { code: 500 });
    assert_eq!(status(171).await, 500);
    harness.simulator.set_fault(OPEN_METEO, None).unwrap();
    assert_eq!(status(172).await, 503);
}

#[tokio::test]
async fn paths_without_a_stand_in_say_so() {
    let harness = Harness::start().await;
    let url = harness.simulator.control_url().join("/atlantis/v1").unwrap();
    let got = read(harness.http.get(url).send().await.unwrap()).await.unwrap();
    assert_eq!(got.status, 404);
    assert!(got.json()["detail"].as_str().unwrap().contains("name of a provider"));
    let url = harness.url(OPEN_METEO, "/v1/search?name=Oslo");
    assert_eq!(harness.http.get(url).send().await.unwrap().status(), 200, "doubled slash");
    let url = harness.url(ProviderId::MetNorway, "weatherapi/locationforecast/2.0/compact");
    assert_eq!(harness.http.post(url).send().await.unwrap().status(), 405);
}

#[tokio::test]
async fn a_port_in_use_is_a_clear_error() {
    let harness = Harness::start().await;
    let mut config = pampero_simulator::SimulatorConfig::new(std::sync::Arc::new(|| {
        jiff::Timestamp::UNIX_EPOCH
    }));
    config.listen = harness.simulator.address();
    let refused = Simulator::start(config.clone(), CancellationToken::new()).await;
    let Err(error) = refused else { panic!("two simulators on one port") };
    assert!(error.to_string().contains("choose another address"), "{error}");
    config.listen.set_port(0);
    config.faults = vec![ScheduledFault::always(ProviderId::MetNorway, Fault::WrongCount)];
    let refused = Simulator::start(config, CancellationToken::new()).await;
    assert!(matches!(refused, Err(SimulatorError::Fault(_))));
}

#[tokio::test]
async fn stopping_drops_requests_that_hang() {
    let harness = Harness::start().await;
    harness.play(OPEN_METEO, Fault::Hang);
    let Harness { simulator, http, .. } = harness;
    let url = format!("{}{FORECAST}", simulator.base_url(OPEN_METEO));
    let address = simulator.address();
    let asked = tokio::task::JoinSet::from_iter([async move { http.get(url).send().await }]);
    while simulator.requests(OPEN_METEO).in_flight == 0 {
        tokio::task::yield_now().await;
    }
    tokio::time::timeout(Duration::from_secs(5), simulator.stop()).await.expect("stops at once");
    assert!(std::net::TcpListener::bind(address).is_ok(), "the port is free again");
    assert!(asked.join_all().await[0].is_err());
}
