//! Receivers that do as they are told, and a bed for alerts under virtual time.

use std::collections::{HashMap, HashSet, VecDeque};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use pampero_alerting::{
    ActionPolicy, Alerting, AlertingOptions, DefaultTeller, Deliver, Finding, Manner, NoDataRule,
    Observation, Observed, Outcome, Phase, Policy, Receiver, SourceId, SourceKind,
};
use pampero_notifications::{Delivered, DeliveryError, Message};
use pampero_resilience::{Clock, FailureClass, VirtualClock};
use pampero_series::Labels;
use tokio_util::sync::CancellationToken;

/// A message that a receiver got.
#[derive(Clone, Debug)]
pub(crate) struct Got {
    /// Seconds since the start.
    pub(crate) at: i64,
    pub(crate) channel: String,
    pub(crate) message: Message,
}

/// What a receiver does with a message.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// It takes it.
    Take,
    /// It takes it, and the answer is lost.
    TakeAndFail,
    /// It cannot be reached.
    Unreachable,
    /// It wants to be left alone for so many seconds.
    TooMany(u64),
    /// It will never take it.
    Refuse,
    /// It says nothing, for ever.
    Hang,
}

/// Receivers.
#[derive(Debug)]
pub(crate) struct Receivers {
    clock: VirtualClock,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    known: HashMap<String, Receiver>,
    /// What is done next, by channel; then the message is taken, or the usual answer given.
    next: HashMap<String, VecDeque<Answer>>,
    usual: HashMap<String, Answer>,
    got: Vec<Got>,
    /// Tries, with the seconds since the start.
    tried: Vec<(i64, String)>,
}

pub(crate) fn start() -> Timestamp {
    "2026-11-24T12:00:00Z".parse().unwrap()
}

impl Receivers {
    pub(crate) fn set(&self, channel: &str, is_enabled: bool, manner: Manner) {
        let changed = self.clock.now();
        let receiver = Receiver { name: channel.to_owned(), is_enabled, manner, changed };
        self.state.lock().unwrap().known.insert(channel.to_owned(), receiver);
    }

    pub(crate) fn answer(&self, channel: &str, answers: &[Answer]) {
        let mut state = self.state.lock().unwrap();
        state.next.entry(channel.to_owned()).or_default().extend(answers.iter().cloned());
    }

    pub(crate) fn always(&self, channel: &str, answer: Answer) {
        self.state.lock().unwrap().usual.insert(channel.to_owned(), answer);
    }

    /// Returns what arrived since the last call.
    pub(crate) fn take(&self) -> Vec<Got> {
        std::mem::take(&mut self.state.lock().unwrap().got)
    }

    /// Returns when a channel was tried, in seconds since the start.
    pub(crate) fn tried(&self, channel: &str) -> Vec<i64> {
        let state = self.state.lock().unwrap();
        let of_channel = state.tried.iter().filter(|(_, tried)| tried == channel);
        of_channel.map(|(at, _)| *at).collect()
    }

    fn seconds(&self) -> i64 {
        self.clock.now().duration_since(start()).as_secs()
    }
}

#[async_trait]
impl Deliver for Receivers {
    fn receiver(&self, channel: &str) -> Option<Receiver> {
        self.state.lock().unwrap().known.get(channel).cloned()
    }

    fn forgetful(&self) -> HashSet<String> {
        let state = self.state.lock().unwrap();
        let forgetful = state.known.iter().filter(|(_, one)| one.manner == Manner::Forgetful);
        forgetful.map(|(id, _)| id.clone()).collect()
    }

    async fn deliver(&self, channel: &str, message: &Message) -> Result<Delivered, DeliveryError> {
        let at = self.seconds();
        let answer = {
            let mut state = self.state.lock().unwrap();
            state.tried.push((at, channel.to_owned()));
            let next = state.next.get_mut(channel).and_then(VecDeque::pop_front);
            let answer = next.or_else(|| state.usual.get(channel).cloned()).unwrap_or(Answer::Take);
            if matches!(answer, Answer::Take | Answer::TakeAndFail) {
                let (channel, message) = (channel.to_owned(), message.clone());
                state.got.push(Got { at, channel, message });
            }
            answer
        };
        let failed = |class, status, retry_after, may_have_arrived| DeliveryError {
            class,
            status,
            reason: "the receiver misbehaves".to_owned(),
            retry_after,
            may_have_arrived,
        };
        match answer {
            Answer::Take => Ok(Delivered { status: 200, text: "ok".to_owned() }),
            Answer::TakeAndFail => Err(failed(FailureClass::Transient, None, None, true)),
            Answer::Unreachable => Err(failed(FailureClass::Transient, None, None, false)),
            Answer::TooMany(seconds) => {
                let asked = Some(Duration::from_secs(seconds));
                Err(failed(FailureClass::RateLimited, Some(429), asked, false))
            }
            Answer::Refuse => Err(failed(FailureClass::BadRequest, Some(410), None, false)),
            Answer::Hang => std::future::pending().await,
        }
    }
}

/// Alerts with receivers `slack` and `mail`, which take everything at once.
pub(crate) struct Bed {
    pub(crate) alerting: Alerting,
    pub(crate) receivers: Arc<Receivers>,
    clock: VirtualClock,
}

impl Bed {
    pub(crate) fn open(folder: &Path) -> Self {
        Self::open_with(folder, AlertingOptions::default())
    }

    pub(crate) fn open_with(folder: &Path, options: AlertingOptions) -> Self {
        let clock = VirtualClock::starting_at(start());
        let receivers = Arc::new(Receivers { clock, state: Mutex::default() });
        receivers.set("slack", true, Manner::Plain);
        receivers.set("mail", true, Manner::Plain);
        Self::open_again(folder, options, clock, receivers)
    }

    fn open_again(
        folder: &Path,
        options: AlertingOptions,
        clock: VirtualClock,
        receivers: Arc<Receivers>,
    ) -> Self {
        let deliver: Arc<dyn Deliver> = receivers.clone();
        let alerting = Alerting::open(folder, options, Arc::new(clock), deliver).unwrap();
        Self { alerting, receivers, clock }
    }

    /// Closes the alerts without a word, and opens them again.
    pub(crate) fn restart(self, folder: &Path) -> Self {
        let Self { alerting, receivers, clock } = self;
        drop(alerting);
        Self::open_again(folder, AlertingOptions::default(), clock, receivers)
    }

    /// Delivers while `script` runs, and then ends in good order.
    pub(crate) async fn run(&self, script: impl Future<Output = ()>) {
        let cancel = CancellationToken::new();
        let ended = async {
            script.await;
            cancel.cancel();
        };
        tokio::join!(self.alerting.run(cancel.clone()), ended);
    }

    /// Delivers for so many seconds, fewer than the five of a tick, and then ends as a killed process does.
    pub(crate) async fn run_and_kill(&self, seconds: u64) {
        let cancel = CancellationToken::new();
        tokio::select! {
            () = self.alerting.run(cancel) => {}
            () = tokio::time::sleep(Duration::from_secs(seconds)) => {}
        }
    }

    /// Enters an evaluation that finds these groups.
    pub(crate) fn observe(&self, source: &SourceId, policy: &Policy, groups: &[&str]) -> Observed {
        let at = self.clock.now();
        let finding = |group: &&str| Finding {
            key: key(group),
            phase: Phase::Firing { since: at },
            value: Some(3.0),
            annotations: Vec::new(),
        };
        let outcome = Outcome::Known(groups.iter().map(finding).collect());
        let observation = Observation { at, outcome, answer: None };
        self.alerting.observe(source, policy, &observation, &DefaultTeller)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

pub(crate) fn key(group: &str) -> Labels {
    [("group", group)].into_iter().collect()
}

pub(crate) fn source(trigger: &str) -> SourceId {
    SourceId {
        kind: SourceKind::Monitor,
        definition: "error_logs".to_owned(),
        trigger: trigger.to_owned(),
    }
}

/// Returns a policy that tells `channel` of everything.
pub(crate) fn policy(name: &str, channel: &str) -> Policy {
    Policy {
        definition_name: "Error Weather Logs".to_owned(),
        name: name.to_owned(),
        severity: 1,
        labels: Labels::empty(),
        hold: Duration::ZERO,
        keep_firing: Duration::ZERO,
        no_data: NoDataRule::Quiet,
        actions: vec![ActionPolicy {
            id: format!("tell-{channel}"),
            name: format!("tell {channel}"),
            channel: channel.to_owned(),
            throttle: None,
        }],
        reminder: None,
        recovery: true,
        escalations: Vec::new(),
    }
}

pub(crate) async fn pass(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}
