//! The engine against a real Prometheus 2.42: the same random data, the same random queries.
//!
//! Values, labels, timestamps, order and kind of error have to be the same. What is different for a
//! reason stands in `explained.rs`. `PAMPERO_DIFFERENTIAL_SEED` and `PAMPERO_DIFFERENTIAL_QUERIES`
//! ask for other queries and for more of them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod answer;
mod data;
mod explained;
mod grammar;
mod prometheus;
mod wire;

use std::collections::BTreeMap;
use std::time::Duration;

use pampero_promql::{Cancel, Engine, Options, Steps, WindowRule};

use crate::answer::Answered;
use crate::data::Recording;
use crate::explained::EXPLAINED;
use crate::grammar::{Asked, Grammar};
use crate::prometheus::Prometheus;

const SEED: u64 = 20_261_124;
const QUERIES: u64 = 3_000;

/// Most differences that are shown.
const SHOWN_MAX: usize = 25;

#[test]
fn random_queries_are_answered_as_prometheus_answers_them() {
    let seed = setting("PAMPERO_DIFFERENTIAL_SEED").unwrap_or(SEED);
    let queries = setting("PAMPERO_DIFFERENTIAL_QUERIES").unwrap_or(QUERIES);
    let recording = Recording::random(seed);
    let prometheus = Prometheus::start();
    prometheus.write(&recording);
    let engine = Engine::new(Options {
        lookback: Duration::from_secs(300),
        evaluation_interval: Duration::from_secs(15),
        window: WindowRule::LeftClosed,
        ..Options::default()
    });
    let mut grammar = Grammar::new(seed);
    let mut differences = Vec::new();
    let mut explained: BTreeMap<&str, u32> = BTreeMap::new();
    let mut telling = 0;
    for _ in 0..queries {
        let (query, asked) = (grammar.query(), grammar.asked());
        let ours = ask_engine(&engine, &recording, &query, asked);
        let theirs = ask_prometheus(&prometheus, &query, asked);
        telling += u64::from(theirs.is_telling());
        let Some(difference) = ours.difference(&theirs, is_ordered(&query)) else { continue };
        match EXPLAINED.iter().find(|known| (known.holds)(&query, &ours, &theirs)) {
            Some(known) => *explained.entry(known.reason).or_default() += 1,
            None => differences.push(format!(
                "{query}\n  {asked:?}\n  {difference}\n  ours {ours}\n  theirs {theirs}"
            )),
        }
    }
    println!(
        "{queries} queries with seed {seed}, {telling} with an answer; explained: {explained:?}"
    );
    // Reasons that explain more than a few queries would hide mistakes.
    let excused: u64 = explained.values().copied().map(u64::from).sum();
    assert!(excused <= queries / 100, "too many differences are explained: {explained:?}");
    assert!(queries / 2 < telling, "too few queries have an answer: {telling} of {queries}");
    let shown = differences.iter().take(SHOWN_MAX).cloned().collect::<Vec<_>>().join("\n\n");
    assert!(differences.is_empty(), "{} differences:\n\n{shown}", differences.len());
}

#[expect(clippy::disallowed_methods, reason = "a test has no configuration to ask")]
fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().unwrap())
}

fn ask_engine(engine: &Engine, recording: &Recording, query: &str, asked: Asked) -> Answered {
    let answer = engine.parse(query).and_then(|query| match asked {
        Asked::At(at_ms) => engine.instant(recording, &query, at_ms, &Cancel::default()),
        Asked::Over { start_ms, end_ms, step_ms } => {
            let steps = Steps { start_ms, end_ms, step_ms };
            engine.range(recording, &query, steps, &Cancel::default())
        }
    });
    Answered::from(answer)
}

fn ask_prometheus(prometheus: &Prometheus, query: &str, asked: Asked) -> Answered {
    let body = match asked {
        Asked::At(at_ms) => {
            prometheus.ask("/api/v1/query", &[("query", query), ("time", &seconds(at_ms))])
        }
        Asked::Over { start_ms, end_ms, step_ms } => prometheus.ask(
            "/api/v1/query_range",
            &[
                ("query", query),
                ("start", &seconds(start_ms)),
                ("end", &seconds(end_ms)),
                ("step", &seconds(step_ms)),
            ],
        ),
    };
    Answered::from(body)
}

fn seconds(milliseconds: i64) -> String {
    format!("{}.{:03}", milliseconds / 1_000, milliseconds % 1_000)
}

/// Returns whether the order of an instant vector is promised by the query.
fn is_ordered(query: &str) -> bool {
    query.starts_with("sort(") || query.starts_with("sort_desc(")
}
