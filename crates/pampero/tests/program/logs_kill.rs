//! Killed at any instant while documents come in over REST: what was acknowledged is there, once.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use crate::harness::{Program, folder, hurried, simulator};

const KILLS: usize = 20;
const DOCUMENTS_OF_BATCH: usize = 20;
/// A program acknowledges fewer batches before its last ones.
const BATCHES_OF_LIFE: usize = 4;
/// Longest time that is left to the last batches of a program, in milliseconds.
const END_MS: u64 = 40;
/// Documents of one answer.
const PAGE: usize = 10_000;

#[tokio::test]
async fn no_acknowledged_document_is_lost_or_doubled() {
    let simulator = simulator().await;
    let folder = folder();
    let config = hurried(&simulator, &["open_meteo"], "");
    let mut chance = StdRng::seed_from_u64(31);
    let mut sent = Sent::default();

    let program = Program::serve(folder.path(), &config, &[]).await;
    program.wait_until("/weather/current", |reply| reply.status == 200).await;
    let mapping = r#"{"mappings":{"dynamic":"strict","properties":{"batch":{"type":"long"},"text":{"type":"text"}}}}"#;
    let created = program.index("PUT /killed", mapping).await;
    assert_eq!(created.status, 200, "{}", created.text);
    program.kill();
    for _ in 0..KILLS {
        let program = Program::serve(folder.path(), &config, &[]).await;
        let weather = program.get("/weather/current").await;
        assert_eq!(weather.status, 200, "{}", weather.text);
        sent.check_count(&program).await;
        for _ in 0..chance.random_range(1..BATCHES_OF_LIFE) {
            sent.send(&program).await;
        }
        let last = async {
            loop {
                sent.send(&program).await;
            }
        };
        // The request that is under way at that instant is dropped, and nobody heard its answer.
        let end = Duration::from_millis(chance.random_range(0..END_MS));
        let _ = tokio::time::timeout(end, last).await;
        program.kill();
    }
    assert!(sent.batches > sent.acknowledged.len(), "no request was under way at any kill");

    let program = Program::serve(folder.path(), &config, &[]).await;
    sent.check(&program).await;
    let own = program.index("GET /weather_logs/_count", "").await.json();
    assert!(own["count"].as_u64().unwrap() > 0, "its own log goes on: {own}");
    let (status, log) = program.terminate();
    assert!(status.success(), "{log}");
    assert!(!log.contains("\"level\":\"ERROR\"") && !log.contains("damaged"), "{log}");
}

/// What was sent, and what of it was acknowledged.
#[derive(Default)]
struct Sent {
    batches: usize,
    acknowledged: Vec<usize>,
}

impl Sent {
    /// Sends a batch and remembers it once it is acknowledged.
    async fn send(&mut self, program: &Program) {
        let batch = self.batches;
        self.batches += 1;
        let reply = program.index("POST /killed/_bulk", self.body(batch)).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        assert_eq!(reply.json()["errors"], false, "{}", reply.text);
        self.acknowledged.push(batch);
    }

    /// Writes new documents, and a document of the batch before once more.
    fn body(&self, batch: usize) -> String {
        let mut body = String::new();
        for number in 0..DOCUMENTS_OF_BATCH {
            let id = id(batch, number);
            writeln!(body, "{{\"create\":{{\"_id\":{id:?}}}}}\n{}", document(batch)).unwrap();
        }
        if let Some(before) = self.acknowledged.last() {
            let id = id(*before, 0);
            writeln!(body, "{{\"index\":{{\"_id\":{id:?}}}}}\n{}", document(*before)).unwrap();
        }
        body
    }

    /// Checks that there are as many documents as were acknowledged, or a few that nobody heard of.
    async fn check_count(&self, program: &Program) {
        let counted = program.index("GET /killed/_count", "").await.json();
        let count = counted["count"].as_u64().unwrap() as usize;
        let least = self.acknowledged.len() * DOCUMENTS_OF_BATCH;
        let most = self.batches * DOCUMENTS_OF_BATCH;
        assert!((least..=most).contains(&count), "{count} documents, not {least} to {most}");
    }

    /// Checks that every acknowledged document is there once, and that nothing else was made up.
    async fn check(&self, program: &Program) {
        let mut kept = BTreeSet::new();
        let mut after = Value::Null;
        loop {
            let mut search = json!({
                "size": PAGE,
                "version": true,
                "sort": [{ "batch": "asc" }, { "_id": "asc" }],
            });
            if !after.is_null() {
                search["search_after"] = after;
            }
            let page = program.index("GET /killed/_search", search.to_string()).await;
            assert_eq!(page.status, 200, "{}", page.text);
            let page = page.json();
            let hits = page["hits"]["hits"].as_array().unwrap();
            for hit in hits {
                let id = hit["_id"].as_str().unwrap();
                let (batch, number) = id.split_once('-').unwrap();
                let batch: usize = batch.parse().unwrap();
                assert!(batch < self.batches && number.len() == 2, "{id} was never sent");
                assert_eq!(hit["_source"].to_string(), document(batch), "{id}");
                assert!(kept.insert(id.to_owned()), "{id} is there twice");
            }
            let Some(last) = hits.last() else { break };
            after = last["sort"].clone();
        }
        for batch in &self.acknowledged {
            let ids = (0..DOCUMENTS_OF_BATCH).map(|number| id(*batch, number));
            let lost: Vec<String> = ids.filter(|id| !kept.contains(id)).collect();
            assert!(lost.is_empty(), "{lost:?} were acknowledged");
        }
    }
}

fn id(batch: usize, number: usize) -> String {
    format!("{batch}-{number:02}")
}

fn document(batch: usize) -> String {
    format!("{{\"batch\":{batch},\"text\":\"rain in the hills\"}}")
}
