//! A history that evaluates the rules under virtual time, and what it finds.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pampero_metrics::{
    AlertSink, History, HistoryOptions, Jobs, Replay, RuleAlert, RuleAlertState, RuleEvaluation,
    RuleGroup,
};
use pampero_promql::{Cancel, Engine, WindowRule};
use pampero_resilience::{Clock, VirtualClock};
use pampero_samples::{Sample, Synchronous};
use pampero_series::{
    Labels, METRIC_NAME, MatchOperator, Matcher, STALE_MARKER, Selection, SeriesSource, is_stale,
};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::SAMPLE_SECONDS;
use crate::generate::{Case, Step};

/// From one evaluation to the next.
pub(crate) const INTERVAL: Duration = Duration::from_secs(60);

/// Evaluations that are compared.
pub(crate) const EVALUATIONS: usize = 100;

/// An alert that fires.
pub(crate) struct Firing {
    pub(crate) name: String,
    /// Without the name.
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) annotations: BTreeMap<String, String>,
}

/// A sample of the series of alerts.
pub(crate) struct Kept {
    pub(crate) metric: String,
    /// At which evaluation.
    pub(crate) index: usize,
    pub(crate) labels: String,
    pub(crate) value: f64,
}

/// What came of a case.
pub(crate) struct Lived {
    /// The alerts that fire, for each evaluation.
    pub(crate) firing: Vec<Vec<Firing>>,
    /// The series of alerts, their times counted from the first evaluation.
    pub(crate) series: Vec<Kept>,
}

#[derive(Default)]
struct Heard(Mutex<Vec<RuleEvaluation>>);

impl AlertSink for Heard {
    fn take(&self, evaluation: RuleEvaluation) {
        self.0.lock().unwrap().push(evaluation);
    }
}

impl Lived {
    /// Evaluates the rules on their schedule. They come after the start, as those of a program that is
    /// started anew leave no series for their first two evaluations.
    pub(crate) fn through(case: &Case) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(live(case))
    }
}

async fn live(case: &Case) -> Lived {
    let clock = Arc::new(VirtualClock::starting_at("2026-11-24T12:00:00Z".parse().unwrap()));
    let mut options = HistoryOptions { self_scrape: None, ..HistoryOptions::default() };
    options.query.window = WindowRule::LeftClosed;
    // All samples are there from the beginning, so that those of alerts are late.
    options.samples.future_window = Duration::from_secs(24 * 60 * 60);
    options.samples.late_window = Duration::from_secs(24 * 60 * 60);
    options.samples.synchronous = Synchronous::Normal;
    let engine = Engine::new(options.query.clone());
    let group = RuleGroup::parse_file("rules.yml", &case.rules, &engine).unwrap().remove(0);
    let folder = tempfile::tempdir().unwrap();
    let history = History::open(folder.path(), options, clock.clone()).unwrap();
    let heard = Arc::new(Heard::default());
    let jobs = jobs(heard.clone());
    history.start(&jobs);
    let zero_ms = first_ms(&history, &group);
    put(&history, case, zero_ms, clock.now().as_millisecond());
    history.replace_rules(vec![group.clone()]);
    tokio::time::sleep(INTERVAL * u32::try_from(EVALUATIONS).unwrap()).await;
    jobs.cancel.cancel();
    jobs.tracker.close();
    jobs.tracker.wait().await;

    let heard = std::mem::take(&mut *heard.0.lock().unwrap());
    assert_eq!(heard[0].at_ms, zero_ms);
    check_replay(&history, &group, &heard);
    let interval_ms = i64::try_from(INTERVAL.as_millis()).unwrap();
    let mut firing: Vec<Vec<Firing>> = (0..EVALUATIONS).map(|_| Vec::new()).collect();
    for evaluation in &heard {
        let alerts = evaluation.outcome.as_ref().unwrap();
        let index = usize::try_from((evaluation.at_ms - zero_ms) / interval_ms).unwrap();
        let alerts = alerts.iter().filter(|it| it.state == RuleAlertState::Firing);
        firing[index].extend(alerts.map(|it| Firing::of(&evaluation.source.alert, it)));
    }
    Lived { firing, series: kept(&history, zero_ms, interval_ms) }
}

impl Firing {
    fn of(name: &str, alert: &RuleAlert) -> Self {
        let labels = alert.labels.iter().filter(|(label, _)| *label != "alertname");
        let labels = labels.map(|(label, value)| (label.to_owned(), value.to_owned())).collect();
        let annotations = alert.annotations.iter().cloned().collect();
        Self { name: name.to_owned(), labels, annotations }
    }
}

/// Returns when the first evaluation of the group is due.
fn first_ms(history: &History, group: &RuleGroup) -> i64 {
    let from_ms = history.now_ms() + 1;
    let to_ms = from_ms + i64::try_from(INTERVAL.as_millis()).unwrap();
    let replay = Replay {
        group,
        rule: None,
        from_ms,
        to_ms,
        evaluations_max: 2,
        time: Duration::from_secs(60),
    };
    let mut first_ms = None;
    let mut visit = |evaluation: RuleEvaluation| {
        first_ms = Some(evaluation.at_ms);
        ControlFlow::Break(())
    };
    history.replay(replay, &Cancel::new(), &mut visit).unwrap();
    first_ms.unwrap()
}

/// Checks that a replay of the same stretch finds the same.
fn check_replay(history: &History, group: &RuleGroup, heard: &[RuleEvaluation]) {
    let mut replayed = Vec::new();
    let mut visit = |evaluation| {
        replayed.push(evaluation);
        ControlFlow::Continue(())
    };
    let replay = Replay {
        group,
        rule: None,
        from_ms: heard[0].at_ms,
        to_ms: heard[heard.len() - 1].at_ms,
        evaluations_max: EVALUATIONS,
        time: Duration::from_secs(60),
    };
    assert_eq!(history.replay(replay, &Cancel::new(), &mut visit).unwrap(), EVALUATIONS);
    assert_eq!(replayed.len(), heard.len());
    for (replayed, lived) in replayed.iter().zip(heard) {
        let alerts = |it: &RuleEvaluation| {
            let alerts = it.outcome.as_ref().unwrap().to_vec();
            alerts.iter().map(|alert| format!("{alert:?}")).collect::<Vec<_>>()
        };
        assert_eq!(replayed.at_ms, lived.at_ms);
        assert_eq!(alerts(replayed), alerts(lived), "{}", lived.source.rule);
    }
}

fn jobs(heard: Arc<Heard>) -> Jobs {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Jobs {
        exposition: Arc::new(String::new),
        alerts: Some(heard),
        client: reqwest::Client::builder().no_proxy().build().unwrap(),
        tracker: TaskTracker::new(),
        cancel: CancellationToken::new(),
    }
}

/// Puts the series into the history, beginning at `zero_ms`.
fn put(history: &History, case: &Case, zero_ms: i64, now_ms: i64) {
    let mut batch = Vec::new();
    for (labels, steps) in &case.series {
        let series = history.store().resolve(labels).unwrap();
        let mut timestamp_ms = zero_ms;
        for step in steps {
            match step {
                Step::Value(value) => batch.push(Sample { series, timestamp_ms, value: *value }),
                Step::Stale => batch.push(Sample { series, timestamp_ms, value: STALE_MARKER }),
                Step::Nothing => {}
            }
            timestamp_ms += SAMPLE_SECONDS * 1000;
        }
    }
    let appended = history.store().append(&batch, now_ms).unwrap();
    assert_eq!(appended.stored, batch.len());
}

/// Returns the samples of the series of alerts.
fn kept(history: &History, zero_ms: i64, interval_ms: i64) -> Vec<Kept> {
    let pattern = "ALERTS|ALERTS_FOR_STATE";
    let matchers = [Matcher::new(METRIC_NAME, MatchOperator::Regex, pattern).unwrap()];
    let selection = Selection { matchers: &matchers, start_ms: zero_ms, end_ms: i64::MAX / 2 };
    let mut kept = Vec::new();
    let mut visit = |labels: &Labels, columns: pampero_series::Columns<'_>| {
        for (at_ms, value) in columns.timestamps_ms.iter().zip(columns.values) {
            if is_stale(*value) {
                continue;
            }
            let metric = labels.metric_name().unwrap().to_owned();
            let is_time = metric == "ALERTS_FOR_STATE";
            let since = if is_time { (zero_ms / 1000) as f64 } else { 0.0 };
            kept.push(Kept {
                metric,
                index: usize::try_from((at_ms - zero_ms) / interval_ms).unwrap(),
                labels: labels.to_string(),
                value: value - since,
            });
        }
        ControlFlow::Continue(())
    };
    history.store().select(selection, &mut visit).unwrap();
    kept
}
