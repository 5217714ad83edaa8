//! Random operations against a plain map: the same answers, the same documents, through refreshes,
//! clean ends and crashes.

use std::collections::BTreeMap;

use pampero_index::{Action, Index, IndexOptions, Operation, Outcome, UpdateBody, Written};
use pampero_opensearch::Exception;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use crate::scene::{Scene, at_ms, create, delete, object, put, update, visible};

const STEPS: usize = 80;
const IDS: u32 = 12;

/// What should be there.
#[derive(Default)]
struct Model {
    /// Version, sequence number and source by id.
    documents: BTreeMap<String, (u64, u64, Value)>,
    /// Versions of deletions, which a restart may forget.
    deletions: BTreeMap<String, u64>,
    next_seq_no: u64,
}

#[test]
fn random_operations_have_the_same_outcome_as_in_a_plain_map() {
    // Handed to tantivy at once, after a few, and with the next commit only.
    for (seed, log_only_bytes_max) in [(0, 0), (1, 0), (2, 700), (3, 700), (4, 1 << 20)] {
        run(seed, log_only_bytes_max);
    }
}

fn run(seed: u64, log_only_bytes_max: u64) {
    let mut chance = StdRng::seed_from_u64(seed);
    let options = IndexOptions { log_only_bytes_max, ..IndexOptions::default() };
    let mut scene = Scene::with(options, &[]);
    let mut model = Model::default();
    for step in 0..STEPS {
        let context = format!("seed {seed}, step {step}");
        match chance.random_range(0..20) {
            0 => scene.index().refresh().unwrap(),
            1 => {
                scene.crash();
                scene.open();
                model.deletions.clear();
            }
            2 => {
                scene.close();
                scene.open();
                model.deletions.clear();
            }
            3 => scene.index().force_merge(1).unwrap(),
            4 => compare(&scene.index(), &model, &context),
            _ => write(&scene.index(), &mut model, &mut chance, &context),
        }
    }
    compare(&scene.index(), &model, &format!("seed {seed}, at the end"));
}

fn write(index: &Index, model: &mut Model, chance: &mut StdRng, context: &str) {
    let count = chance.random_range(1..8);
    let operations: Vec<Operation> = (0..count).map(|_| random_operation(chance)).collect();
    let expected: Vec<_> = operations.iter().map(|operation| model.apply(operation)).collect();
    let written = index.write(operations, at_ms(0));
    let told: Vec<_> = written.iter().map(summary).collect();
    assert_eq!(told, expected, "{context}");
}

/// Outcome, version and sequence number, or the status of the refusal.
fn summary(written: &Result<Written, Exception>) -> Result<(Outcome, u64, u64), u16> {
    match written {
        Ok(written) => Ok((written.outcome, written.version, written.seq_no)),
        Err(refusal) => Err(refusal.status()),
    }
}

fn random_operation(chance: &mut StdRng) -> Operation {
    let id = chance.random_range(0..IDS).to_string();
    let value = chance.random_range(0..4);
    let source = json!({ "n": value, "inner": { "m": value } }).to_string();
    match chance.random_range(0..4) {
        0 => put(&id, &source),
        1 => create(&id, &source),
        2 => delete(&id),
        _ => update(
            &id,
            UpdateBody {
                doc: object(json!({ "inner": { "k": value } })),
                doc_as_upsert: chance.random_bool(0.5),
                detect_noop: true,
                ..UpdateBody::default()
            },
        ),
    }
}

impl Model {
    fn apply(&mut self, operation: &Operation) -> Result<(Outcome, u64, u64), u16> {
        let id = operation.id.as_deref().unwrap();
        let there = self.documents.get(id).cloned();
        let version = there.as_ref().map(|(version, ..)| *version);
        let version = version.or_else(|| self.deletions.get(id).copied()).unwrap_or(0);
        match (&operation.action, there) {
            (Action::Create(_), Some(_)) => Err(409),
            (Action::Index(source) | Action::Create(source), there) => {
                let document = serde_json::from_slice(source).unwrap();
                Ok(self.put(id, version + 1, document, there.is_some()))
            }
            (Action::Delete, there) => {
                self.documents.remove(id);
                self.deletions.insert(id.to_owned(), version + 1);
                let outcome = if there.is_some() { Outcome::Deleted } else { Outcome::NotFound };
                Ok((outcome, version + 1, self.take_seq_no()))
            }
            (Action::Update(body), Some((version, seq_no, document))) => {
                let mut merged = document.clone();
                let inner = body.doc.as_ref().unwrap()["inner"]["k"].clone();
                merged["inner"]["k"] = inner;
                if merged == document {
                    return Ok((Outcome::Noop, version, seq_no));
                }
                Ok(self.put(id, version + 1, merged, true))
            }
            (Action::Update(body), None) if body.doc_as_upsert => {
                let document = Value::Object(body.doc.clone().unwrap());
                Ok(self.put(id, version + 1, document, false))
            }
            (Action::Update(_), None) => Err(404),
        }
    }

    fn put(&mut self, id: &str, version: u64, document: Value, there: bool) -> (Outcome, u64, u64) {
        let seq_no = self.take_seq_no();
        self.documents.insert(id.to_owned(), (version, seq_no, document));
        self.deletions.remove(id);
        (if there { Outcome::Updated } else { Outcome::Created }, version, seq_no)
    }

    fn take_seq_no(&mut self) -> u64 {
        self.next_seq_no += 1;
        self.next_seq_no - 1
    }
}

/// Compares what is read by id, and what a search sees after a refresh.
fn compare(index: &Index, model: &Model, context: &str) {
    index.refresh().unwrap();
    assert_eq!(visible(index, at_ms(0)), model.documents.len() as u64, "{context}");
    for id in (0..IDS).map(|id| id.to_string()) {
        for realtime in [true, false] {
            let found = index.get(&id, realtime).unwrap().map(|found| {
                let source: Value = serde_json::from_slice(&found.source).unwrap();
                (found.version, found.seq_no, source)
            });
            assert_eq!(found.as_ref(), model.documents.get(&id), "{id}, {context}");
        }
    }
}
