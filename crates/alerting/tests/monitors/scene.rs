//! A recorded past, what finds documents in it, and what takes observations.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use pampero_alerting::{
    Alert, AlertState, Book, BookLimits, Definitions, DefinitionsOptions, LogSearch, Mutes, Notice,
    NoticeKind, Observation, Observer, Outcome, Policy, RunOptions, Runner, SourceId, SourceKind,
    Teller, Words,
};
use pampero_index::search::{SearchOptions, search};
use pampero_index::{Action, IndexOptions, Indices, Operation, VersionCheck};
use pampero_notifications::{FolderVault, Guard};
use pampero_opensearch::search::SearchRequest;
use pampero_opensearch::{Exception, ExceptionKind, Mapping};
use pampero_resilience::VirtualClock;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Map, Value, json};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// When everything begins.
pub(crate) fn start() -> Timestamp {
    "2026-05-18T10:00:00Z".parse().unwrap()
}

pub(crate) fn after(seconds: i64) -> Timestamp {
    start().checked_add(SignedDuration::from_secs(seconds)).unwrap()
}

/// One error of the past.
pub(crate) fn error_at(at: Timestamp, number: usize) -> Value {
    json!({ "timestamp": at.to_string(), "level": "ERROR", "log_message": format!("failure {number}") })
}

/// Three hours of errors by chance, in bursts.
pub(crate) fn recorded(seed: u64) -> Vec<(Timestamp, Value)> {
    let mut chance = StdRng::seed_from_u64(seed);
    let mut documents = Vec::new();
    let mut at_ms = start().as_millisecond();
    while documents.len() < 400 {
        at_ms += if chance.random_bool(0.1) {
            chance.random_range(300_000..1_500_000)
        } else {
            chance.random_range(1..60_000)
        };
        let at = Timestamp::from_millisecond(at_ms).unwrap();
        documents.push((at, error_at(at, documents.len())));
    }
    documents
}

/// Finds documents: a list in the place of an index, which knows one kind of query only.
#[derive(Debug, Default)]
pub(crate) struct Listed {
    pub(crate) documents: Mutex<Vec<(Timestamp, Value)>>,
    pub(crate) searches: Mutex<Vec<Value>>,
    /// How many of the next searches fail.
    pub(crate) failures: Mutex<usize>,
    pub(crate) is_missing: Mutex<bool>,
}

impl LogSearch for Listed {
    fn search(&self, indices: &[String], body: &Value, now: Timestamp) -> Result<Value, Exception> {
        self.searches.lock().unwrap().push(body.clone());
        if *self.is_missing.lock().unwrap() {
            return Err(Exception::index_not_found(&indices[0]));
        }
        let mut failures = self.failures.lock().unwrap();
        if 0 < *failures {
            *failures -= 1;
            return Err(Exception::new(ExceptionKind::Timeout, "too slow"));
        }
        let minutes = body.pointer("/query/bool/must/0/range/timestamp/gte").map(|_| 5);
        let from =
            minutes.map(|minutes| now.checked_sub(SignedDuration::from_mins(minutes)).unwrap());
        let until = body.pointer("/query/bool/filter/0/range/timestamp/lt").and_then(Value::as_i64);
        let documents = self.documents.lock().unwrap();
        let found = documents.iter().filter(|(at, _)| {
            from.is_none_or(|from| from <= *at)
                && until.is_none_or(|until| at.as_millisecond() < until)
        });
        let hits: Vec<Value> = found.map(|(_, source)| json!({ "_source": source })).collect();
        let total = json!({ "value": hits.len(), "relation": "eq" });
        let newest = &hits[hits.len().saturating_sub(3)..];
        Ok(json!({ "hits": { "total": total, "hits": newest } }))
    }
}

/// Real indices.
#[derive(Debug)]
pub(crate) struct Indexed {
    indices: Indices,
    _folder: TempDir,
}

impl Indexed {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let indices = Indices::open(folder.path(), IndexOptions::default()).unwrap();
        let mapping = json!({ "properties": {
            "timestamp": { "type": "date" }, "level": { "type": "text" }, "log_message": { "type": "text" },
        } });
        let mapping = Mapping::from_json(&mapping).unwrap();
        indices.create("weather_logs", Map::new(), mapping, start()).unwrap();
        Self { indices, _folder: folder }
    }

    pub(crate) fn write(&self, documents: &[(Timestamp, Value)]) {
        let index = self.indices.get("weather_logs").unwrap();
        let operations = documents.iter().map(|(_, source)| Operation {
            id: None,
            action: Action::Index(serde_json::to_vec(source).unwrap().into()),
            routing: None,
            check: VersionCheck::None,
        });
        for written in index.write(operations.collect(), start()) {
            written.unwrap();
        }
        index.refresh().unwrap();
    }
}

impl LogSearch for Indexed {
    fn search(&self, indices: &[String], body: &Value, now: Timestamp) -> Result<Value, Exception> {
        let index =
            self.indices.get(&indices[0]).ok_or_else(|| Exception::index_not_found(&indices[0]))?;
        let request = SearchRequest::from_json(body)?;
        search(&[index.snapshot(now)?], &request, &SearchOptions::default(), now)
    }
}

/// A change of state as the tests compare it.
pub(crate) type Seen = (Timestamp, String, AlertState);

/// A message as the tests compare it.
pub(crate) type Said = (Timestamp, NoticeKind, String, String);

/// A book that takes observations and writes down what came of them.
#[derive(Debug)]
pub(crate) struct Notebook {
    words: Words,
    pub(crate) state: Mutex<Notes>,
}

#[derive(Debug, Default)]
pub(crate) struct Notes {
    pub(crate) book: Book,
    pub(crate) seen: Vec<Seen>,
    pub(crate) said: Vec<Said>,
    pub(crate) runs: Vec<(Timestamp, String, String)>,
    pub(crate) kept: HashSet<SourceId>,
}

impl Notebook {
    pub(crate) fn new() -> Self {
        let notes = Notes { book: Book::new(BookLimits::default()), ..Notes::default() };
        Self { words: words(), state: Mutex::new(notes) }
    }
}

pub(crate) fn words() -> Words {
    Words { zone: jiff::tz::TimeZone::UTC, page: None }
}

impl Observer for Notebook {
    fn observe(
        &self,
        source: &SourceId,
        policy: &Policy,
        observation: &Observation,
        teller: &dyn Teller,
    ) {
        let mut state = self.state.lock().unwrap();
        let outcome = match &observation.outcome {
            Outcome::Known(findings) => format!("{:?}", findings.first().map(|found| found.value)),
            Outcome::NoData => "no data".to_owned(),
            Outcome::Failed(reason) => reason.clone(),
        };
        state.runs.push((observation.at, source.definition.clone(), outcome));
        let mutes = Mutes::new(Vec::new());
        let step = state.book.observe(source, policy, observation, &mutes);
        for change in &step.changes {
            state.seen.push((observation.at, change.alert.name.clone(), change.alert.state));
        }
        for notice in &step.notices {
            let (subject, text) = self.say(notice, observation, teller);
            state.said.push((notice.at, notice.kind, subject, text));
        }
    }

    fn live_alert(&self, source: &SourceId) -> Option<Alert> {
        let state = self.state.lock().unwrap();
        state.book.alerts_of(source).find(|alert| alert.state == AlertState::Active).cloned()
    }

    fn keep_only(&self, kind: SourceKind, sources: &HashSet<SourceId>) {
        assert_eq!(kind, SourceKind::Monitor);
        self.state.lock().unwrap().kept.clone_from(sources);
    }
}

impl Notebook {
    fn say(
        &self,
        notice: &Notice,
        observation: &Observation,
        teller: &dyn Teller,
    ) -> (String, String) {
        let told = teller.message(notice, observation).unwrap();
        told.unwrap_or_else(|| self.words.message(notice, observation))
    }
}

/// The query of the original over the last five minutes, as the list of documents understands it.
pub(crate) fn monitor(minutes: u32, condition: &str) -> Value {
    json!({
        "name": "Error Weather Logs",
        "schedule": { "period": { "interval": minutes, "unit": "MINUTES" } },
        "inputs": [{ "search": { "indices": ["weather_logs"], "query": {
            "size": 3,
            "query": { "range": { "timestamp": { "gte": "now-5m", "lte": "now/m" } } },
            "sort": [{ "timestamp": "asc" }],
        } } }],
        "triggers": [{
            "id": "count_error",
            "name": "count_error",
            "severity": "1",
            "condition": { "script": { "source": condition, "lang": "painless" } },
            "actions": [{
                "id": "tell",
                "name": "ERROR Log",
                "destination_id": "slack-ops",
                "message_template": { "source": "{{ctx.results.0.hits.total.value}} at {{ctx.periodEnd}}" },
            }],
        }],
    })
}

/// Definitions in a folder, and a runner over them.
pub(crate) struct Stage {
    pub(crate) definitions: Arc<Definitions>,
    pub(crate) notebook: Arc<Notebook>,
    pub(crate) runner: Arc<Runner>,
    pub(crate) cancel: CancellationToken,
    monitors: std::path::PathBuf,
}

impl Stage {
    pub(crate) fn new(folder: &TempDir, search: Arc<dyn LogSearch>, at: Timestamp) -> Self {
        Self::with(
            folder,
            search,
            at,
            RunOptions {
                settle: Duration::ZERO,
                spread: Duration::ZERO,
                ledger: Some(folder.path().join("ledger")),
                ..RunOptions::default()
            },
        )
    }

    pub(crate) fn with(
        folder: &TempDir,
        search: Arc<dyn LogSearch>,
        at: Timestamp,
        options: RunOptions,
    ) -> Self {
        let clock = Arc::new(VirtualClock::starting_at(at));
        let place = |name: &str| folder.path().join(name);
        let kept = DefinitionsOptions {
            monitors: place("monitors"),
            channels: place("channels"),
            ledger: place("ledger"),
            poll: Duration::from_secs(2),
            monitors_max: 2_000,
            channels_max: 100,
        };
        let vault = Arc::new(FolderVault::new(place("secrets"), Vec::new(), []));
        let definitions =
            Definitions::open(&kept, &[], vault, Guard::public_only(), clock.clone()).unwrap();
        let definitions = Arc::new(definitions);
        let notebook = Arc::new(Notebook::new());
        let runner =
            Runner::new(definitions.clone(), search, notebook.clone(), clock.clone(), options);
        let cancel = CancellationToken::new();
        let monitors = place("monitors");
        Self { definitions, notebook, runner: Arc::new(runner), cancel, monitors }
    }

    /// Writes the file of a monitor, as a person would.
    pub(crate) fn write(&self, id: &str, monitor: &Value) {
        std::fs::create_dir_all(self.monitors.as_path()).unwrap();
        std::fs::write(self.monitors.join(format!("{id}.json")), monitor.to_string()).unwrap();
    }

    /// Runs for so long in virtual time.
    pub(crate) async fn play(&self, wait: Duration) {
        let cancel = self.cancel.child_token();
        let running = self.runner.clone().run(cancel.clone());
        let stop = async {
            tokio::time::sleep(wait).await;
            cancel.cancel();
        };
        tokio::join!(running, stop);
    }
}
