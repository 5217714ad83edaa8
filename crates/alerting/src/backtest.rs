//! Plays a monitor, or what a rule observed, over the past: when it would have fired, and what it would have
//! said.
//!
//! The same book decides as in earnest, in memory. A monitor's searches are made as of each past run, over
//! documents before it. Mutes are left aside, nobody acknowledges, and reminders and escalations come with
//! evaluations.

mod player;

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::monitor::{Monitor, MonitorTeller, StoredFacts};
use crate::run::{Answer, Run, ask, has_documents, source};
use crate::text::{Teller, Words};
use crate::{LogSearch, NoticeKind, Observation, Policy, SourceId};
use player::Player;

/// What a backtest plays, and what it may cost.
#[derive(Clone, Debug)]
pub struct BacktestOptions {
    /// The first instant at which a run may be due.
    pub from: Timestamp,
    /// The last instant at which a run may be due.
    pub to: Timestamp,
    /// A run of which those by interval are counted; `None` counts from `from`.
    pub anchor: Option<Timestamp>,
    /// The field that tells the time of documents, where the monitor does not say it.
    pub time_field: String,
    /// Most runs.
    pub evaluations_max: usize,
    /// Most time.
    pub time_max: Duration,
    /// Most firings, messages and errors that are listed, each; all are counted.
    pub listed_max: usize,
}

impl BacktestOptions {
    /// Returns the options for a stretch of the past with the usual limits.
    pub fn between(from: Timestamp, to: Timestamp) -> Self {
        Self {
            from,
            to,
            anchor: None,
            time_field: "@timestamp".to_owned(),
            evaluations_max: 100_000,
            time_max: Duration::from_secs(60),
            listed_max: 1_000,
        }
    }
}

/// What would have been.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Backtest {
    /// When it would have fired, in the order of the beginnings.
    pub firings: Vec<Firing>,
    /// How often it would have fired.
    pub count: usize,
    /// How many runs were played.
    pub evaluations: usize,
    /// What would have been said.
    pub messages: Vec<ToldMessage>,
    /// How many messages there would have been.
    pub message_count: usize,
    /// What could not be evaluated or rendered, each reason once.
    pub errors: Vec<BacktestError>,
    /// Why it ends before its end; `None` when it does not.
    pub stopped: Option<String>,
}

/// A time during which it would have been active.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Firing {
    /// The id of the trigger, or the name of the rule.
    pub trigger: String,
    /// What tells it from other alerts of the same source; empty for those of monitors.
    pub key: Vec<(String, String)>,
    /// When it would have become active.
    pub start: Timestamp,
    /// When it would have been over; `None` when it still was at the end.
    pub end: Option<Timestamp>,
    /// The highest value; `None` where there is none.
    pub peak: Option<f64>,
}

/// A message that would have been sent.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ToldMessage {
    /// When.
    pub at: Timestamp,
    /// Why.
    pub kind: NoticeKind,
    /// The id of the trigger, or the name of the rule.
    pub trigger: String,
    /// The id of the action.
    pub action: String,
    /// The channel.
    pub channel: String,
    /// The subject.
    pub subject: String,
    /// The text.
    pub text: String,
}

/// Something that could not be evaluated or rendered.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BacktestError {
    /// When it happened first.
    pub at: Timestamp,
    /// The id of the trigger, or the name of the rule.
    pub trigger: String,
    /// Why.
    pub reason: String,
    /// How often it happened.
    pub count: usize,
}

/// Plays a monitor over the past. `words` says what its templates do not. Blocks.
///
/// A monitor that is switched off is played all the same.
pub fn backtest(
    monitor: &Arc<Monitor>,
    facts: &StoredFacts,
    options: &BacktestOptions,
    search: &dyn LogSearch,
    words: &Words,
    cancel: &CancellationToken,
) -> Backtest {
    let begun = Instant::now();
    let schedule = monitor.schedule();
    let mut player = Player::new(words, options.listed_max);
    let anchor = schedule.anchor_before(options.anchor.unwrap_or(options.from), options.from);
    let just_before = options.from.checked_sub(SignedDuration::from_nanos(1));
    let mut after = just_before.unwrap_or(options.from);
    while let Some(at) = schedule.next_after(anchor, after).filter(|at| *at <= options.to) {
        if let Some(reason) = stopped(&player, options, begun, cancel) {
            player.stop(reason, at);
            break;
        }
        player.begin_evaluation();
        play(monitor, facts, options, search, at, &mut player);
        after = at;
    }
    player.finish()
}

/// Plays what a rule observed, in the order of the times.
pub fn backtest_observations(
    source: &SourceId,
    policy: &Policy,
    observations: impl IntoIterator<Item = Observation>,
    teller: &dyn Teller,
    words: &Words,
    options: &BacktestOptions,
    cancel: &CancellationToken,
) -> Backtest {
    let begun = Instant::now();
    let mut player = Player::new(words, options.listed_max);
    for observation in observations {
        if let Some(reason) = stopped(&player, options, begun, cancel) {
            player.stop(reason, observation.at);
            break;
        }
        player.begin_evaluation();
        player.observe(source, policy, &observation, teller);
    }
    player.finish()
}

fn stopped(
    player: &Player<'_>,
    options: &BacktestOptions,
    begun: Instant,
    cancel: &CancellationToken,
) -> Option<String> {
    if cancel.is_cancelled() {
        return Some("it was cancelled".to_owned());
    }
    if options.evaluations_max <= player.evaluations() {
        return Some(format!("it may play {} runs", options.evaluations_max));
    }
    if options.time_max <= begun.elapsed() {
        return Some(format!("it may take {} s", options.time_max.as_secs()));
    }
    None
}

/// Plays one run.
fn play(
    monitor: &Arc<Monitor>,
    facts: &StoredFacts,
    options: &BacktestOptions,
    search: &dyn LogSearch,
    at: Timestamp,
    player: &mut Player<'_>,
) {
    let field = monitor.time_field().unwrap_or(&options.time_field);
    let (start, end) = monitor.schedule().period_ending(at);
    let answer: Option<Answer> = monitor.input().map(|input| {
        let rendered = input.render(start, end)?;
        ask(search, &rendered.before(field, at), at)
    });
    let indices = monitor.input().map(|input| input.indices()).unwrap_or_default();
    let alert = |trigger: &str| player.live_alert(&source(&facts.id, trigger));
    let run = Run {
        monitor,
        facts,
        at,
        alert: &alert,
        has_documents: &|| has_documents(search, indices, Some(field), at),
        renders: false,
    };
    let execution = run.evaluate(answer);
    for (trigger, ran) in monitor.triggers().iter().zip(&execution.triggers) {
        let teller = MonitorTeller {
            monitor: Arc::clone(monitor),
            facts: facts.clone(),
            trigger: trigger.id.clone(),
        };
        let observation = execution.observation(ran);
        let policy = monitor.policy(trigger);
        player.observe(&source(&facts.id, &trigger.id), &policy, &observation, &teller);
        if let Some(reason) = &ran.error {
            player.note_error(at, &trigger.id, reason);
        }
    }
}
