//! Killed at any instant, fifty times: nothing that was served is missing, nothing is there twice.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use pampero_simulator::SimulatorConfig;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::Value;

use crate::harness::{Program, folder, hurried, now, simulator_with};

const KILLS: usize = 50;
/// The simulated time goes so much faster, so that each poll brings a new observation.
const HASTE: i32 = 3_000;

#[tokio::test]
async fn no_acknowledged_observation_is_lost_or_doubled() {
    let begun = now();
    let first = begun - SignedDuration::from_hours(30 * 24);
    let hasty = move || -> Timestamp { first + now().duration_since(begun) * HASTE };
    let config = SimulatorConfig::new(Arc::new(hasty));
    let simulator = simulator_with(config).await;
    let folder = folder();
    let config = hurried(&simulator, &["open_meteo"], "")
        .replace("interval = \"200ms\"", "interval = \"100ms\"\nstale_after = \"8000h\"");
    let mut chance = StdRng::seed_from_u64(9);
    let mut served: BTreeMap<String, Value> = BTreeMap::new();
    for _ in 0..KILLS {
        let program = Program::serve(folder.path(), &config, &[]).await;
        let life = Duration::from_millis(chance.random_range(0..600));
        let end = tokio::time::Instant::now() + life;
        while tokio::time::Instant::now() < end {
            let reply = program.get("/weather/current").await;
            if reply.status == 200 {
                let body = reply.json();
                served.insert(body["observed_at"].as_str().unwrap().to_owned(), body);
            }
        }
        program.kill();
    }
    assert!(served.len() > KILLS / 2, "only {} observations were served", served.len());

    let program = Program::serve(folder.path(), &config, &[]).await;
    let stored = all_observations(&program).await;
    for (observed_at, body) in &served {
        let rows: Vec<&Value> =
            stored.iter().filter(|row| row["observed_at"] == observed_at.as_str()).collect();
        assert_eq!(rows.len(), 1, "{observed_at}");
        assert_eq!(rows[0]["temperature"], body["temperature"], "{observed_at}");
        assert_eq!(rows[0]["fetched_at"], body["fetched_at"], "{observed_at}");
    }
}

async fn all_observations(program: &Program) -> Vec<Value> {
    let mut rows = Vec::new();
    let mut next = Some("/api/places/jfk/observations?limit=1000".to_owned());
    while let Some(path) = next {
        let page = program.get(&path).await.json();
        rows.extend(page["observations"].as_array().unwrap().iter().cloned());
        next = page["next"].as_str().map(str::to_owned);
    }
    rows
}
