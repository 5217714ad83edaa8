//! The logs that are searched: the documents of the benchmark of the logs, in daily indices.

use std::fmt::Write as _;
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::{SignedDuration, Timestamp};
use pampero_alerting::LogSearch;
use pampero_index::cluster::ResolveOptions;
use pampero_index::search::{SearchOptions, search};
use pampero_index::{Action, Cluster, IndexOptions, Operation, VersionCheck};
use pampero_opensearch::Exception;
use pampero_opensearch::search::SearchRequest;
use pampero_resilience::{Clock, SystemClock};
use serde_json::{Value, json};

/// Over how many days the documents are spread.
const DAYS: u64 = 7;
const BATCH: u64 = 2_000;
const WRITERS: usize = 2;

pub(crate) const PLACES: [&str; 5] = ["jfk", "ewr", "lga", "rosario", "north-field"];
pub(crate) const PROVIDERS: [&str; 4] =
    ["open_meteo", "met_norway", "openweathermap", "weatherstack"];

/// The logs, searched as the program does for monitors.
#[derive(Debug)]
pub(crate) struct Logs {
    pub(crate) cluster: Cluster,
    options: SearchOptions,
    incoming: AtomicU64,
}

impl LogSearch for Logs {
    fn search(&self, indices: &[String], body: &Value, now: Timestamp) -> Result<Value, Exception> {
        let request = SearchRequest::from_json(body)?;
        let options = ResolveOptions::default();
        let targets = self.cluster.resolve(&indices.join(","), options, now)?;
        for index in &targets {
            index.refresh_pending()?;
        }
        let snapshots = targets.iter().map(|index| index.snapshot(now));
        search(&snapshots.collect::<Result<Vec<_>, _>>()?, &request, &self.options, now)
    }
}

impl Logs {
    /// Writes all documents into daily indices behind one alias.
    pub(crate) fn filled(folder: &Path, corpus: Corpus) -> Self {
        let cluster = Cluster::open(folder, IndexOptions::default()).unwrap();
        let word = json!({ "type": "keyword" });
        let keyword = json!({ "keyword": { "type": "keyword", "ignore_above": 256 } });
        let body = json!({ "aliases": { "weather_logs": {} }, "mappings": { "properties": {
            "timestamp": { "type": "date" },
            "level": { "type": "text", "fields": keyword },
            "log_message": { "type": "text" },
            "target": word, "service": word, "place": word, "provider": word, "request_id": word,
            "duration_ms": { "type": "float" },
        } } });
        let now = SystemClock.now();
        for day in 0..=DAYS {
            let at = corpus.end - SignedDuration::from_hours(24 * i64::try_from(day).unwrap());
            cluster.create_index(&index_of(at), &body, now).unwrap();
        }
        let logs =
            Self { cluster, options: SearchOptions::default(), incoming: AtomicU64::default() };
        let next = AtomicU64::new(0);
        std::thread::scope(|scope| {
            for _ in 0..WRITERS {
                scope.spawn(|| {
                    loop {
                        let first = next.fetch_add(BATCH, Ordering::Relaxed);
                        if corpus.documents <= first {
                            break;
                        }
                        let numbers = first..(first + BATCH).min(corpus.documents);
                        logs.write(corpus, numbers, |number| corpus.at(number));
                    }
                });
            }
        });
        for index in logs.cluster.indices().all() {
            index.refresh().unwrap();
        }
        logs
    }

    /// Takes in a few documents of the present instant.
    pub(crate) fn take_in(&self, corpus: Corpus, count: u64) {
        let first = corpus.documents + self.incoming.fetch_add(count, Ordering::Relaxed);
        let now = SystemClock.now();
        self.write(corpus, first..first + count, |_| now);
    }

    fn write(&self, corpus: Corpus, numbers: Range<u64>, at: impl Fn(u64) -> Timestamp) {
        let now = SystemClock.now();
        let mut by_index: Vec<(String, Vec<Operation>)> = Vec::new();
        for number in numbers {
            let (at, mut line) = (at(number), String::new());
            corpus.write(number, at, &mut line);
            let name = index_of(at);
            if by_index.last().is_none_or(|(last, _)| *last != name) {
                by_index.push((name, Vec::new()));
            }
            let action = Action::Index(line.into());
            let (id, routing, check) = (None, None, VersionCheck::None);
            by_index.last_mut().unwrap().1.push(Operation { id, action, routing, check });
        }
        for (name, operations) in by_index {
            let index = self.cluster.indices().get(&name).unwrap();
            index.write(operations, now).into_iter().for_each(|written| {
                written.unwrap();
            });
        }
    }
}

fn index_of(at: Timestamp) -> String {
    at.strftime("weather_logs-%Y.%m.%d").to_string()
}

/// What is written: one document after the other, evenly spread over the days; those of the benchmark of
/// the logs.
#[derive(Clone, Copy)]
pub(crate) struct Corpus {
    pub(crate) end: Timestamp,
    pub(crate) documents: u64,
}

impl Corpus {
    fn at(&self, number: u64) -> Timestamp {
        let span_ms = DAYS * 24 * 3_600 * 1_000;
        let left = u128::from(self.documents - 1 - number);
        let ms = u128::from(span_ms) * left / u128::from(self.documents);
        self.end - SignedDuration::from_millis(i64::try_from(ms).unwrap())
    }

    /// Appends the document with this number as JSON.
    fn write(&self, number: u64, at: Timestamp, out: &mut String) {
        const MESSAGES: [&str; 6] = [
            "attempt failed",
            "retry scheduled",
            "weather",
            "answered",
            "breaker opened",
            "request was slow",
        ];
        // Mixed, so that neighbours differ, and the same for every run.
        let mixed = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 16;
        let level = match mixed % 100 {
            0..2 => "ERROR",
            2..10 => "WARN",
            _ => "INFO",
        };
        let pick = |shift: u32, count: usize| (mixed >> shift) as usize % count;
        let (place, provider) = (PLACES[pick(3, 5)], PROVIDERS[pick(7, 4)]);
        write!(
            out,
            "{{\"timestamp\":\"{at:.3}\",\"level\":\"{level}\",\"log_message\":\"{} after {} ms\",\
             \"target\":\"pampero_loader::round\",\"service\":\"loader\",\"place\":\"{place}\",\
             \"provider\":\"{provider}\",\"request_id\":\"{:08x}-{:x}\",\"duration_ms\":{},\
             \"fields\":{{\"attempt\":{},\"cause\":\"connection to the service timed out\"}}}}",
            MESSAGES[pick(11, 6)],
            mixed % 5_000,
            mixed as u32,
            number % 4_096,
            mixed % 5_000,
            1 + mixed % 3,
        )
        .unwrap();
    }
}
