//! `pampero demo`: three airports at once, and a breaker that opens and closes on schedule.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::harness::{Program, folder};
use crate::logs;

/// The scheduled faults begin after 20 s and last 40 s; the breaker closes some seconds later.
const STORY: Duration = Duration::from_secs(110);

#[tokio::test]
async fn the_demo_serves_at_once_and_tells_the_story_of_an_outage() {
    let folder = folder();
    let data = folder.path().join("data");
    let arguments = ["demo", "--listen", "127.0.0.1:0", "--log-format", "json", "--data"];
    let arguments = [&arguments[..], &[data.to_str().unwrap()]].concat();
    let begun = Instant::now();
    let demo = Program::start(&arguments, &[]).await;
    logs::create_as_in_the_original(&demo).await;

    for airport in ["ewr", "jfk", "lga"] {
        let path = format!("/weather/current?place={airport}");
        let reply = demo.wait_until(&path, |reply| reply.status == 200).await;
        assert_eq!(reply.json()["role"], "primary", "{airport}");
        assert_eq!(reply.json()["provider"], "open_meteo", "{airport}");
    }
    assert!(begun.elapsed() < Duration::from_secs(5), "all airports within five seconds");

    let fallback = |reply: &crate::harness::Reply| reply.json()["role"] == "fallback";
    let reply = demo.wait_until("/weather/current?place=jfk", fallback).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.json()["provider"], "met_norway");
    let why = reply.json()["fallback_reason"].as_str().unwrap().to_owned();
    assert!(why.starts_with("open_meteo: "), "{why}");

    let path = "/api/events?limit=1000&order=asc&provider=open_meteo";
    let told = |kind: &'static str| {
        move |reply: &crate::harness::Reply| kinds(&reply.json()).iter().any(|told| told == kind)
    };
    demo.wait_until(path, told("breaker_opened")).await;
    while begun.elapsed() < STORY && !told("breaker_closed")(&demo.get(path).await) {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let events = demo.get("/api/events?limit=1000&order=asc").await.json();
    let story = kinds(&events);
    let mut position = 0;
    for kind in [
        "attempt_failed",
        "breaker_opened",
        "fallback_started",
        "breaker_half_opened",
        "breaker_closed",
        "fallback_ended",
    ] {
        let found = story[position..].iter().position(|told| told == kind);
        position += found.unwrap_or_else(|| panic!("no {kind} in its turn: {story:?}"));
    }
    let opened = events["events"].as_array().unwrap();
    let opened = opened.iter().find(|event| event["kind"] == "breaker_opened").unwrap();
    assert!(opened["cause"].as_str().unwrap().contains('3'), "{opened}");
    let back = demo.wait_until("/weather/current?place=jfk", |reply| !fallback(reply)).await;
    assert_eq!(back.json()["role"], "primary");

    let errors = logs::wait_until_all_errors_are_counted(&demo).await;
    assert!(errors > 0, "the outage was worth an error: {}", demo.log());
    let (status, log) = demo.terminate();
    assert!(status.success(), "{status}: {log}");
}

fn kinds(events: &Value) -> Vec<String> {
    let events = events["events"].as_array().unwrap();
    events.iter().map(|event| event["kind"].as_str().unwrap().to_owned()).collect()
}
