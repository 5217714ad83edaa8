//! Killed at any instant, the index has lost nothing it acknowledged and doubled nothing.
//!
//! The test starts itself again as a child that writes without end and tells each acknowledged
//! operation; then it kills the child, opens the folder and compares. It does so many times over one
//! folder.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use pampero_index::{IndexOptions, Indices, Operation, StoredDocument};
use pampero_opensearch::Mapping;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Map, Value};
use tantivy::DocAddress;
use tempfile::TempDir;

use crate::scene::{NAME, at_ms, delete, put};

/// Tells the child which folder to write; without it the test is the parent.
const FOLDER_VARIABLE: &str = "PAMPERO_KILL_TEST_FOLDER";
/// Tells the child which life it lives.
const LIFE_VARIABLE: &str = "PAMPERO_KILL_TEST_LIFE";

const KILLS: u64 = 50;
/// Ids that are written again and again, besides those that are made.
const IDS: u32 = 40;
/// Most operations of one call.
const BATCH_MAX: usize = 20;

/// The newest acknowledged operation by id: its number, and whether it was a deletion.
type Known = BTreeMap<String, (u64, bool)>;

#[test]
#[expect(clippy::disallowed_methods, reason = "the child is told its folder by the environment")]
fn acknowledged_documents_survive_kills() {
    match std::env::var(FOLDER_VARIABLE) {
        Ok(folder) => {
            let life = std::env::var(LIFE_VARIABLE).unwrap().parse().unwrap();
            write_until_killed(Path::new(&folder), life);
        }
        Err(_) => kill_again_and_again(),
    }
}

fn kill_again_and_again() {
    let folder = TempDir::new().unwrap();
    let mut chance = StdRng::seed_from_u64(20_260_518);
    let mut acknowledged = Known::new();
    for life in 0..KILLS {
        let told = live_and_die(folder.path(), life, &mut chance);
        assert!(!told.is_empty(), "life {life} acknowledged nothing");
        acknowledged.extend(told);
        check(folder.path(), &mut acknowledged, life);
    }
}

/// Lets a child write for a random while, and returns what it had acknowledged when it was killed.
fn live_and_die(folder: &Path, life: u64, chance: &mut StdRng) -> Known {
    let mut child = start_child(folder, life);
    let mut lines = BufReader::new(child.stdout.take().expect("its output is piped"));
    let mut told = String::new();
    for _ in 0..chance.random_range(5..120) {
        let length = lines.read_line(&mut told).expect("its output is text");
        assert_ne!(length, 0, "the child ended by itself:\n{told}");
    }
    spin(Duration::from_micros(chance.random_range(0..8_000)));
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    lines.read_to_string(&mut told).expect("its output is text");
    // A last line without its end may be cut anywhere.
    let whole = told.rfind('\n').map_or("", |end| &told[..end]);
    whole.lines().filter_map(parse_acknowledgement).collect()
}

fn start_child(folder: &Path, life: u64) -> Child {
    let itself = std::env::current_exe().expect("a test has a file");
    Command::new(itself)
        .args(["--exact", "kill::acknowledged_documents_survive_kills", "--nocapture"])
        .env(FOLDER_VARIABLE, folder)
        .env(LIFE_VARIABLE, life.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a test can be started")
}

/// Lets time pass without giving the processor away, so that the kill comes at any instant.
fn spin(time: Duration) {
    let begun = Instant::now();
    while begun.elapsed() < time {
        std::hint::spin_loop();
    }
}

/// Reads `ack put 17 azul`; the test harness prints lines of its own between them.
fn parse_acknowledgement(line: &str) -> Option<(String, (u64, bool))> {
    let mut words = line.rsplit_once("ack ")?.1.split(' ');
    let deleted = words.next()? == "delete";
    let number = words.next()?.parse().ok()?;
    Some((words.next()?.to_owned(), (number, deleted)))
}

/// The child: batches of new documents, of replaced and of deleted ones; now and then a commit.
fn write_until_killed(folder: &Path, life: u64) {
    let mut chance = StdRng::seed_from_u64(life);
    // Each second life hands everything to tantivy at once, the others a little later.
    let log_only_bytes_max = life % 2 * 4_096;
    let options = IndexOptions { log_only_bytes_max, ..IndexOptions::default() };
    let indices = Indices::open(folder, options).unwrap();
    let index = indices
        .get(NAME)
        .unwrap_or_else(|| indices.create(NAME, Map::new(), Mapping::default(), at_ms(0)).unwrap());
    let mut number = life * 1_000_000;
    loop {
        let batch: Vec<(u64, Operation)> = (0..chance.random_range(1..=BATCH_MAX))
            .map(|_| {
                number += 1;
                (number, random_operation(&mut chance, number))
            })
            .collect();
        let operations = batch.iter().map(|(_, operation)| operation.clone()).collect();
        let written = index.write(operations, at_ms(0));
        let mut lines = String::new();
        for ((number, operation), written) in batch.iter().zip(written) {
            let deleted = matches!(operation.action, pampero_index::Action::Delete);
            let word = if deleted { "delete" } else { "put" };
            lines.push_str(&format!("ack {word} {number} {}\n", written.unwrap().id));
        }
        let mut output = std::io::stdout().lock();
        output.write_all(lines.as_bytes()).and_then(|()| output.flush()).expect("a parent reads");
        if chance.random_bool(0.05) {
            index.refresh().unwrap();
        }
    }
}

fn random_operation(chance: &mut StdRng, number: u64) -> Operation {
    let id = chance.random_range(0..IDS).to_string();
    match chance.random_range(0..5) {
        0 => delete(&id),
        1 => put(&id, &format!(r#"{{"n":{number}}}"#)),
        _ => Operation { id: None, ..put("", &format!(r#"{{"n":{number}}}"#)) },
    }
}

/// Opens the folder as the next start would, and compares it with what was acknowledged.
fn check(folder: &Path, acknowledged: &mut Known, life: u64) {
    let indices = Indices::open(folder, IndexOptions::default()).unwrap();
    let index = indices.get(NAME).unwrap();
    assert_eq!(index.damage(), None, "life {life}");
    let kept = everything_in(&index.snapshot(at_ms(0)).unwrap().searcher);
    // The operations of the last batch may have been done in the instant before they were told.
    let mut untold = 0;
    for (id, (number, deleted)) in acknowledged.iter_mut() {
        let found = kept.get(id).copied();
        let as_told = if *deleted { found.is_none() } else { found == Some(*number) };
        if as_told {
            continue;
        }
        untold += 1;
        assert!(id.len() < 20, "life {life}: {id} of {number} is lost");
        let is_newer = found.is_none_or(|found| found > *number);
        assert!(is_newer, "life {life}: {id} is of {found:?}, not of {number}");
        (*number, *deleted) = (found.unwrap_or(*number), found.is_none());
    }
    for (id, number) in kept {
        untold += usize::from(acknowledged.insert(id, (number, false)).is_none());
    }
    assert!(untold <= BATCH_MAX, "life {life}: {untold} operations were not as they were told");
}

/// Returns the number that each document carries; a document that is there twice fails.
fn everything_in(searcher: &tantivy::Searcher) -> BTreeMap<String, u64> {
    let mut kept = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for (ordinal, segment) in searcher.segment_readers().iter().enumerate() {
        for document in segment.doc_ids_alive() {
            let address = DocAddress::new(u32::try_from(ordinal).unwrap(), document);
            let stored: StoredDocument = searcher.doc(address).unwrap();
            let source: Value = serde_json::from_slice(&stored.source).unwrap();
            assert!(seen.insert(stored.id.clone()), "{} is there twice", stored.id);
            kept.insert(stored.id, source["n"].as_u64().unwrap());
        }
    }
    kept
}
