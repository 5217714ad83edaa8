//! Sources that are down, slow or lying: what is kept is served, marked, at once.

use jiff::Timestamp;
use pampero_simulator::Fault;
use pampero_weather::provider::ProviderId;

use crate::harness::{Program, folder, hurried, now, simulator};

#[tokio::test]
async fn with_every_source_failing_the_last_value_is_served_with_its_age() {
    check_outage(Fault::Status { code: 503 }, "503").await;
}

#[tokio::test]
async fn with_every_source_hanging_the_last_value_is_served_with_its_age() {
    check_outage(Fault::Hang, "no answer within").await;
}

#[tokio::test]
async fn with_every_source_answering_garbage_the_last_value_is_served_with_its_age() {
    check_outage(Fault::Garbage, "malformed").await;
}

async fn check_outage(fault: Fault, told: &str) {
    let simulator = simulator().await;
    let folder = folder();
    let config = hurried(&simulator, &["open_meteo", "met_norway"], "");
    let program = Program::serve(folder.path(), &config, &[]).await;
    let before = program.wait_until("/weather/current", |reply| reply.status == 200).await.json();
    program.terminate();
    for provider in [ProviderId::OpenMeteo, ProviderId::MetNorway] {
        simulator.set_fault(provider, Some(fault.clone())).unwrap();
    }
    // What is kept is older than a second, so it is stale from the beginning.
    let config = config.replace("[chain]", "stale_after = \"1s\"\n[chain]");
    let program = Program::serve(folder.path(), &config, &[]).await;

    let stale = |reply: &crate::harness::Reply| {
        let reason = reply.json()["stale_reason"].as_str().unwrap_or_default().to_owned();
        reply.json()["stale"] == true
            && reason.contains("open_meteo")
            && reason.contains("met_norway")
    };
    program.wait_until("/weather/current", stale).await;
    for _ in 0..200 {
        let asked_at = now();
        let reply = program.get("/weather/current").await;
        assert_eq!(reply.status, 200);
        let body = reply.json();
        for same in ["temperature", "observed_at", "fetched_at", "provider"] {
            assert_eq!(body[same], before[same], "{same} is never stamped anew");
        }
        let observed_at: Timestamp = body["observed_at"].as_str().unwrap().parse().unwrap();
        let age = body["age_seconds"].as_i64().unwrap();
        let least = asked_at.duration_since(observed_at).as_secs();
        let most = now().duration_since(observed_at).as_secs();
        assert!((least..=most).contains(&age), "{age} s is not in {least}..={most} s");
    }
    let events = program.get("/api/events?limit=1000").await.text;
    assert!(events.contains(told), "no event tells of {told}: {events}");
    program.terminate();
}

#[tokio::test]
async fn a_second_start_serves_before_anybody_was_asked() {
    let simulator = simulator().await;
    let folder = folder();
    let config = hurried(&simulator, &["open_meteo"], "");
    let program = Program::serve(folder.path(), &config, &[]).await;
    let before = program.wait_until("/weather/current", |reply| reply.status == 200).await.json();
    program.terminate();

    simulator.set_fault(ProviderId::OpenMeteo, Some(Fault::Hang)).unwrap();
    let again = Program::serve(folder.path(), &config, &[]).await;
    let reply = again.get("/weather/current").await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.json()["observed_at"], before["observed_at"]);
    assert_eq!(reply.json()["fetched_at"], before["fetched_at"]);
}
