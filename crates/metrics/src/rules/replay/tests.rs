//! That a replay of the past finds what was found at the time.

use std::sync::Arc;

use pampero_promql::{Engine, Options};
use pampero_resilience::VirtualClock;
use pampero_samples::Sample;

use super::super::testbed::lines;
use super::*;
use crate::options::HistoryOptions;
use crate::rules::{AlertSink, Desk, GroupAtWork};
use crate::testkit;

/// A history with a temperature each 15 s for an hour that swings about zero.
struct Past {
    _folder: tempfile::TempDir,
    history: History,
    zero_ms: i64,
}

impl Past {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(VirtualClock::starting_at(testkit::noon()));
        let options = HistoryOptions { self_scrape: None, ..HistoryOptions::default() };
        let history = History::open(folder.path(), options, clock).unwrap();
        let zero_ms = testkit::noon().as_millisecond() - 3_600_000;
        let mut batch = Vec::new();
        for (place, phase) in [("a", 0), ("b", 7)] {
            let labels = [(METRIC_NAME, "temperature"), ("place", place)].into_iter().collect();
            let series = history.store().resolve(&labels).unwrap();
            batch.extend((0..240).map(|step| Sample {
                series,
                timestamp_ms: zero_ms + 15_000 * step,
                value: ((step + phase) % 20 - 10) as f64 / 4.0,
            }));
        }
        history.writer().append(&batch).unwrap();
        Self { _folder: folder, history, zero_ms }
    }

    fn replayed(&self, group: &RuleGroup, rule: Option<&str>) -> Vec<String> {
        let mut found = Vec::new();
        let visit = &mut |heard: RuleEvaluation| {
            let rule = &heard.source.rule;
            found.extend(lines(&heard, 0).iter().map(|line| format!("{rule} {line}")));
            ControlFlow::Continue(())
        };
        self.history.replay(self.request(group, rule), &Cancel::new(), visit).unwrap();
        found
    }

    fn request<'r>(&self, group: &'r RuleGroup, rule: Option<&'r str>) -> Replay<'r> {
        Replay {
            group,
            rule,
            from_ms: self.zero_ms,
            to_ms: self.zero_ms + 3_600_000,
            evaluations_max: 10_000,
            time: Duration::from_secs(60),
        }
    }

    /// Evaluates the group as its schedule would have done; returns what was heard.
    fn lived(&self, group: &RuleGroup) -> Vec<String> {
        let heard = Heard::default();
        let at_work = GroupAtWork::new(group.clone(), Duration::from_secs(15));
        let mut schedule = Schedule::new(at_work.interval, at_work.offset);
        let mut at_ms = schedule.next(self.zero_ms - 1).due_ms;
        while at_ms <= self.zero_ms + 3_600_000 {
            let history = &self.history;
            let (engine, store, writer) = (history.engine(), history.store(), history.writer());
            let desk = Desk { engine, store, writer, sink: Some(&heard), now_ms: at_ms };
            at_work.evaluate(desk, at_ms);
            at_ms = schedule.next(at_ms).due_ms;
        }
        std::mem::take(&mut *heard.0.lock().unwrap())
    }
}

#[derive(Default)]
struct Heard(std::sync::Mutex<Vec<String>>);

impl AlertSink for Heard {
    fn take(&self, heard: RuleEvaluation) {
        let rule = &heard.source.rule;
        let lines = lines(&heard, 0).into_iter().map(|line| format!("{rule} {line}"));
        self.0.lock().unwrap().extend(lines);
    }
}

/// Rules that look at one another: a recorded metric, an alert that reads its own past, and one that
/// reads another alert.
const RULES: &str = "
groups:
- name: weather
  interval: 30s
  query_offset: 1s
  rules:
  - {record: colder, expr: 'temperature - 0.5'}
  - {record: coldest, expr: 'min(colder)'}
  - alert: Frost
    expr: |
      colder < -1 or (colder < 1.5 and on (place) ALERTS{alertname='Frost', alertstate='firing'})
    for: 1m
    labels: {band: '{{ if lt $value -1.0 }}low{{ else }}low{{ end }}'}
    annotations: {summary: '{{ $value }}'}
  - {alert: Both, expr: 'count(ALERTS{alertname=\"Frost\"}) > 1', keep_firing_for: 1m}
  - {alert: Coldest, expr: 'coldest < -2.5'}
";

fn rules() -> RuleGroup {
    RuleGroup::parse_file("r.yml", RULES, &Engine::new(Options::default())).unwrap().remove(0)
}

#[test]
fn a_replay_finds_what_was_found_at_the_time() {
    let past = Past::new();
    // Nothing was recorded yet, so that the replay works out what the alerts read.
    let before = past.replayed(&rules(), None);
    let coldest = past.replayed(&rules(), Some("Coldest"));
    let lived = past.lived(&rules());
    assert!(lived.iter().any(|line| line.starts_with("Both") && line.contains("firing")));
    assert!(lived.iter().any(|line| line.starts_with("Frost") && line.contains("inactive")));
    assert!(lived.len() > 200, "{} lines", lived.len());
    assert_eq!(before, lived);
    // And from what was recorded; its own alerts of the time are not mistaken for those of now.
    assert_eq!(past.replayed(&rules(), None), lived);
    assert!(!coldest.is_empty());
    assert!(coldest.iter().eq(lived.iter().filter(|line| line.starts_with("Coldest"))));
    let frost: Vec<_> = lived.iter().filter(|line| line.starts_with("Frost")).cloned().collect();
    assert_eq!(past.replayed(&rules(), Some("Frost")), frost);
    // An alert that was not there at the time leaves the kept series of others alone.
    assert!(!past.replayed(&rules(), Some("Both")).is_empty());
}

#[test]
fn a_replay_writes_nothing() {
    let past = Past::new();
    past.replayed(&rules(), None);
    for metric in ["ALERTS", "ALERTS_FOR_STATE", "colder"] {
        assert_eq!(testkit::kept(past.history.store(), metric, 0), [""; 0]);
    }
}

#[test]
fn a_replay_is_bounded() {
    let past = Past::new();
    let group = rules();
    let replay = past.request(&group, None);
    let cancel = Cancel::new();
    let check = |replay: Replay<'_>, expected: &str| {
        let visit = &mut |_: RuleEvaluation| ControlFlow::Continue(());
        let error = past.history.replay(replay, &cancel, visit).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    check(Replay { evaluations_max: 100, ..replay }, "has 120 evaluations, and 100 are the most");
    check(Replay { to_ms: i64::MAX, ..replay }, "choose a shorter stretch");
    check(Replay { from_ms: i64::MIN, ..replay }, "choose a shorter stretch");
    check(Replay { time: Duration::ZERO, ..replay }, "takes longer than 0 s");
    check(Replay { rule: Some("Frost#2"), ..replay }, "no alerting rule \"Frost#2\"");
    let visit = &mut |_: RuleEvaluation| ControlFlow::Continue(());
    assert_eq!(past.history.replay(replay, &cancel, visit).unwrap(), 120);
    let early = &mut |_: RuleEvaluation| ControlFlow::Break(());
    assert_eq!(past.history.replay(replay, &cancel, early).unwrap(), 1);
    let turned = Replay { to_ms: replay.from_ms - 1, ..replay };
    assert_eq!(past.history.replay(turned, &cancel, visit).unwrap(), 0);
    cancel.cancel();
    check(replay, "cancelled");
}
