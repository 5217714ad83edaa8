//! A store with groups at work on it, for tests of rules.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use pampero_promql::{Engine, Options};
use pampero_resilience::VirtualClock;
use pampero_samples::{Sample, SampleOptions, SampleStore};
use pampero_series::{Labels, METRIC_NAME};

use super::{
    AlertSink, Desk, GroupAtWork, RuleAlert, RuleAlertState, RuleEvaluation, RuleFileError,
    RuleGroup,
};
use crate::testkit;
use crate::writer::Writer;

/// From one evaluation to the next.
pub(super) const INTERVAL: Duration = Duration::from_secs(15);

pub(super) fn parse(text: &str) -> Result<Vec<RuleGroup>, RuleFileError> {
    RuleGroup::parse_file("weather.yml", text, &Engine::new(Options::default()))
}

/// Reads a group `a` from what follows its name in the file.
pub(super) fn rule_group(rules: &str) -> RuleGroup {
    parse(&format!("groups:\n- name: a\n{rules}")).unwrap().remove(0)
}

pub(super) fn group(rules: &str) -> GroupAtWork {
    GroupAtWork::new(rule_group(rules), INTERVAL)
}

/// Collects what rules find.
#[derive(Default)]
pub(super) struct Heard(Mutex<Vec<RuleEvaluation>>);

impl AlertSink for Heard {
    fn take(&self, evaluation: RuleEvaluation) {
        self.0.lock().unwrap().push(evaluation);
    }
}

impl Heard {
    /// Returns what was heard since the last time.
    pub(super) fn take_all(&self) -> Vec<RuleEvaluation> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

/// A store with a group at work on it.
pub(super) struct Bench {
    _folder: tempfile::TempDir,
    pub(super) store: SampleStore,
    pub(super) writer: Writer,
    pub(super) engine: Engine,
    pub(super) heard: Heard,
    pub(super) zero_ms: i64,
}

impl Bench {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let future_window = Duration::from_secs(24 * 60 * 60);
        let options = SampleOptions { future_window, ..SampleOptions::default() };
        let store = SampleStore::open(folder.path(), options).unwrap();
        let clock = Arc::new(VirtualClock::starting_at(testkit::noon()));
        let writer = Writer::new(store.clone(), clock);
        let engine = Engine::new(Options::default());
        let zero_ms = testkit::noon().as_millisecond();
        Self { _folder: folder, store, writer, engine, heard: Heard::default(), zero_ms }
    }

    pub(super) fn put(&self, place: &str, after_ms: i64, value: f64) {
        self.put_into("temperature", place, after_ms, value);
    }

    pub(super) fn put_into(&self, metric: &str, place: &str, after_ms: i64, value: f64) {
        let labels: Labels = [(METRIC_NAME, metric), ("place", place)].into_iter().collect();
        let series = self.store.resolve(&labels).unwrap();
        let timestamp_ms = self.zero_ms + after_ms;
        self.writer.append(&[Sample { series, timestamp_ms, value }]).unwrap();
    }

    pub(super) fn evaluate(&self, group: &GroupAtWork, after_ms: i64) {
        let Self { engine, store, writer, heard, .. } = self;
        let at_ms = self.zero_ms + after_ms;
        let desk = Desk { engine, store, writer, sink: Some(heard), now_ms: at_ms };
        group.evaluate(desk, at_ms);
    }

    pub(super) fn kept(&self, metric: &str) -> Vec<String> {
        testkit::kept(&self.store, metric, self.zero_ms)
    }

    /// Returns what was heard since the last time, one line for each alert:
    /// `<second> <place> <state> <value> since <second>`.
    pub(super) fn heard(&self) -> Vec<String> {
        self.heard.take_all().iter().flat_map(|heard| lines(heard, self.zero_ms)).collect()
    }
}

/// Writes an evaluation, one line for each alert, times in seconds after `zero_ms`.
pub(super) fn lines(heard: &RuleEvaluation, zero_ms: i64) -> Vec<String> {
    let seconds = |ms: i64| (ms - zero_ms) / 1000;
    let at = seconds(heard.at_ms);
    match &heard.outcome {
        Err(error) => vec![format!("{at} failed: {error}")],
        Ok(alerts) if alerts.is_empty() && heard.has_no_data => vec![format!("{at} no data")],
        Ok(alerts) => {
            let line = |alert: &RuleAlert| {
                let place = alert.labels.value("place");
                let state = alert.state.as_str();
                let since = seconds(alert.active_at_ms);
                let kept =
                    alert.keep_firing_since_ms.filter(|_| alert.state == RuleAlertState::Firing);
                let kept = kept.map(|ms| format!(" kept since {}", seconds(ms)));
                format!(
                    "{at} {place} {state} {} since {since}{}",
                    alert.value,
                    kept.unwrap_or_default()
                )
            };
            alerts.iter().map(line).collect()
        }
    }
}
