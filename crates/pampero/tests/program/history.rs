//! Killed at any instant while samples come in: what was acknowledged is there, once, and the
//! history goes on.

use std::collections::BTreeMap;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::Value;

use crate::harness::{PATIENCE, Program, folder, hurried, now, path_of, simulator};
use crate::remote_write::{body, query, series, write};

const KILLS: usize = 15;
const SERIES: [&str; 5] = ["a", "b", "c", "d", "e"];
const SAMPLES_OF_BATCH: i64 = 20;
/// The history's own work, as often as it can be had.
const BUSY_HISTORY: &str = "[metrics]\nscrape_interval = \"1s\"\nevaluation_interval = \"1s\"\n";

#[tokio::test]
async fn no_acknowledged_sample_is_lost_or_doubled() {
    let simulator = simulator().await;
    let folder = folder();
    let rules = path_of(&folder, "rules.yml");
    let rule = "groups: [{name: killed, rules: [{record: 'killed:up', expr: up}]}]";
    std::fs::write(&rules, rule).unwrap();
    let history = format!("{BUSY_HISTORY}rules = [{rules:?}]\n");
    let config = hurried(&simulator, &["open_meteo"], &history);
    let mut chance = StdRng::seed_from_u64(17);
    let mut sent = Sent { begun_ms: now().as_millisecond(), batches: 0, acknowledged: Vec::new() };

    let program = Program::serve(folder.path(), &config, &[]).await;
    program.wait_until("/weather/current", |reply| reply.status == 200).await;
    wait_for_fresh(&program, "killed:up").await;
    let before = query(&program, "up").await[0]["value"][0].as_f64().unwrap();
    program.kill();
    for _ in 0..KILLS {
        let program = Program::serve(folder.path(), &config, &[]).await;
        let weather = program.get("/weather/current").await;
        assert_eq!(weather.status, 200, "{}", weather.text);
        let life = Duration::from_millis(chance.random_range(0..300));
        // The request that is under way at that instant is dropped, and nobody heard its answer.
        let _ = tokio::time::timeout(life, sent.go_on(&program)).await;
        program.kill();
    }
    let batches = sent.acknowledged.len();
    assert!(batches > KILLS, "only {batches} batches were acknowledged");

    let program = Program::serve(folder.path(), &config, &[]).await;
    sent.check(&query(&program, "killed_at_any_instant[1h]").await);
    for metric in ["up", "killed:up"] {
        wait_for_fresh(&program, metric).await;
        let points = query(&program, &format!("{metric}[1h]")).await[0]["values"].clone();
        let first = points[0][0].as_f64().unwrap();
        assert!(first <= before, "{metric} begins at {first}, after {before}");
    }
    let (status, log) = program.terminate();
    assert!(status.success(), "{log}");
    assert!(!log.contains("\"level\":\"ERROR\""), "{log}");
}

/// Waits until a series has a sample from after this call.
async fn wait_for_fresh(program: &Program, metric: &str) {
    let called = std::time::Instant::now();
    let called_ms = now().as_millisecond();
    let expression = format!("timestamp({metric}{{job=\"pampero\"}}) * 1000 > {called_ms}");
    while query(program, &expression).await.as_array().unwrap().is_empty() {
        assert!(called.elapsed() < PATIENCE, "{metric} does not go on:\n{}", program.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// What was sent, and what of it was acknowledged.
struct Sent {
    begun_ms: i64,
    batches: i64,
    acknowledged: Vec<i64>,
}

impl Sent {
    /// Sends one batch after another.
    async fn go_on(&mut self, program: &Program) {
        loop {
            let batch = self.batches;
            self.batches += 1;
            let samples: Vec<(i64, f64)> = self.times(batch).zip(values(batch)).collect();
            let labelled = |name: &&str| {
                series(&[("__name__", "killed_at_any_instant"), ("series", name)], &samples)
            };
            let body = body(SERIES.iter().map(labelled).collect());
            let reply = crate::harness::reply(write(program, body)).await;
            assert_eq!(reply.status, 204, "{}", reply.text);
            self.acknowledged.push(batch);
        }
    }

    /// Returns the times of a batch; those of two batches interleave, so that most come late.
    fn times(&self, batch: i64) -> impl Iterator<Item = i64> + use<> {
        let begun_ms = self.begun_ms - 1_800_000;
        (0..SAMPLES_OF_BATCH).map(move |index| begun_ms + index * 90_000 + batch)
    }

    /// Checks that everything acknowledged is kept once, and that nothing else was made up.
    fn check(&self, kept: &Value) {
        let kept = kept.as_array().unwrap();
        assert_eq!(kept.len(), SERIES.len());
        let sent: BTreeMap<i64, f64> =
            (0..self.batches).flat_map(|batch| self.times(batch).zip(values(batch))).collect();
        for series in kept {
            let name = &series["metric"]["series"];
            let points: Vec<(i64, f64)> =
                series["values"].as_array().unwrap().iter().map(point).collect();
            assert!(points.is_sorted_by(|a, b| a.0 < b.0), "{name} has a time twice");
            let points: BTreeMap<i64, f64> = points.into_iter().collect();
            for (at, value) in &points {
                assert_eq!(sent.get(at), Some(value), "{name} at {at} was never sent");
            }
            for batch in &self.acknowledged {
                let lost = self.times(*batch).find(|at| !points.contains_key(at));
                assert_eq!(lost, None, "batch {batch} of {name} was acknowledged");
            }
        }
    }
}

fn values(batch: i64) -> impl Iterator<Item = f64> {
    (0..SAMPLES_OF_BATCH).map(move |index| (batch * SAMPLES_OF_BATCH + index) as f64)
}

/// Reads a point of an answer: milliseconds since the Unix epoch, and the value.
fn point(point: &Value) -> (i64, f64) {
    let at = (point[0].as_f64().unwrap() * 1000.0).round() as i64;
    (at, point[1].as_str().unwrap().parse().unwrap())
}
