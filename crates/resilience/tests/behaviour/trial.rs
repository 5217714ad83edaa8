//! A stack round a service that answers by script, and a record of what both did.

use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use pampero_resilience::{
    CallError, Clock, Decision, DecisionKind, Failure, FailureClass, LedgerError, MemoryLedger,
    Policy, QuotaLedger, QuotaUsage, RetryPolicy, Stack, VirtualClock,
};
use tokio::time::Instant;

/// One answer of the service: how long it takes, and what it is.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    after: Duration,
    outcome: Result<(), Fault>,
}

/// An answer at once.
pub(crate) const GOOD: Answer = Answer { after: Duration::ZERO, outcome: Ok(()) };
/// A transient failure at once.
pub(crate) const DOWN: Answer = failing(FailureClass::Transient);
/// No answer, for a year at least.
pub(crate) const HANG: Answer =
    Answer { after: Duration::from_secs(366 * 86_400), outcome: Ok(()) };

/// A failure of `class` at once.
pub(crate) const fn failing(class: FailureClass) -> Answer {
    Answer { after: Duration::ZERO, outcome: Err(Fault { class, retry_after: None }) }
}

/// A failure of `class` at once, with a request to wait.
pub(crate) const fn asking(class: FailureClass, wait_s: u64) -> Answer {
    let retry_after = Some(Duration::from_secs(wait_s));
    Answer { after: Duration::ZERO, outcome: Err(Fault { class, retry_after }) }
}

impl Answer {
    /// The same answer, later.
    pub(crate) const fn after_s(mut self, seconds: u64) -> Self {
        self.after = Duration::from_secs(seconds);
        self
    }
}

/// A failure of the service.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the service said no")]
pub(crate) struct Fault {
    class: FailureClass,
    retry_after: Option<Duration>,
}

impl Failure for Fault {
    fn class(&self) -> FailureClass {
        self.class
    }

    fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }
}

/// A stack, its service and what was seen of both.
pub(crate) struct Trial {
    pub(crate) stack: Stack,
    script: Mutex<VecDeque<Answer>>,
    sent: Mutex<Vec<Duration>>,
    decisions: Mutex<Vec<Decision>>,
    under_way: AtomicU32,
    under_way_max: AtomicU32,
    started: Instant,
}

/// The wall time at which a trial starts.
pub(crate) const START: &str = "2026-11-24T12:00:00Z";

impl Trial {
    /// Puts up a stack; the service answers from `script`, and well when that is at its end.
    pub(crate) async fn new(policy: Policy, script: impl IntoIterator<Item = Answer>) -> Arc<Self> {
        let clock = VirtualClock::starting_at(START.parse().unwrap());
        Self::with(policy, script, Arc::new(clock), Arc::new(MemoryLedger::default())).await
    }

    pub(crate) async fn with(
        policy: Policy,
        script: impl IntoIterator<Item = Answer>,
        clock: Arc<dyn Clock>,
        ledger: Arc<dyn QuotaLedger>,
    ) -> Arc<Self> {
        Arc::new(Self {
            stack: Stack::open("a service", policy, clock, ledger, 1).await.unwrap(),
            script: Mutex::new(script.into_iter().collect()),
            sent: Mutex::default(),
            decisions: Mutex::default(),
            under_way: AtomicU32::new(0),
            under_way_max: AtomicU32::new(0),
            started: Instant::now(),
        })
    }

    pub(crate) async fn call(&self) -> Result<(), CallError<Fault>> {
        self.call_costing(1).await
    }

    pub(crate) async fn call_costing(&self, cost: u32) -> Result<(), CallError<Fault>> {
        let observer = |decision| self.decisions.lock().unwrap().push(decision);
        self.stack.call(cost, &observer, |_| self.answer()).await
    }

    async fn answer(&self) -> Result<(), Fault> {
        self.sent.lock().unwrap().push(self.started.elapsed());
        let _under_way = UnderWay::begin(self);
        let answer = self.script.lock().unwrap().pop_front().unwrap_or(GOOD);
        tokio::time::sleep(answer.after).await;
        answer.outcome
    }

    /// Lets the service answer from `script` from now on.
    pub(crate) fn rewrite(&self, script: impl IntoIterator<Item = Answer>) {
        *self.script.lock().unwrap() = script.into_iter().collect();
    }

    /// Returns when the service was asked, in seconds since the start of the trial.
    pub(crate) fn sent_s(&self) -> Vec<f64> {
        self.sent.lock().unwrap().iter().map(Duration::as_secs_f64).collect()
    }

    /// Returns the time since the start of the trial, in seconds.
    pub(crate) fn elapsed_s(&self) -> f64 {
        self.started.elapsed().as_secs_f64()
    }

    /// Returns what was decided since the last question.
    pub(crate) fn decisions(&self) -> Vec<Decision> {
        std::mem::take(&mut self.decisions.lock().unwrap())
    }

    /// Returns the kinds of what was decided since the last question.
    pub(crate) fn kinds(&self) -> Vec<DecisionKind> {
        self.decisions().iter().map(|decision| decision.kind).collect()
    }

    /// Returns how many attempts the service has under way.
    pub(crate) fn under_way(&self) -> u32 {
        self.under_way.load(SeqCst)
    }

    /// Returns how many attempts the service had under way at most.
    pub(crate) fn under_way_max(&self) -> u32 {
        self.under_way_max.load(SeqCst)
    }
}

/// An attempt at the service, until it is answered or dropped.
struct UnderWay<'a>(&'a AtomicU32);

impl<'a> UnderWay<'a> {
    fn begin(trial: &'a Trial) -> Self {
        let count = trial.under_way.fetch_add(1, SeqCst) + 1;
        trial.under_way_max.fetch_max(count, SeqCst);
        Self(&trial.under_way)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

/// The default policy, with repeats that follow at once.
pub(crate) fn at_once() -> Policy {
    let retry = RetryPolicy { backoff: Duration::ZERO, ..RetryPolicy::default() };
    Policy { retry, ..Policy::default() }
}

/// The default policy, without repeats.
pub(crate) fn single() -> Policy {
    let retry = RetryPolicy { attempts_max: NonZeroU32::MIN, ..RetryPolicy::default() };
    Policy { retry, ..Policy::default() }
}

pub(crate) fn positive(count: u32) -> NonZeroU32 {
    NonZeroU32::new(count).unwrap()
}

pub(crate) async fn advance_s(seconds: u64) {
    tokio::time::advance(Duration::from_secs(seconds)).await;
}

/// A clock that is set by hand.
#[derive(Debug)]
pub(crate) struct SetClock(Mutex<Timestamp>);

impl SetClock {
    pub(crate) fn at(instant: &str) -> Arc<Self> {
        Arc::new(Self(Mutex::new(instant.parse().unwrap())))
    }

    pub(crate) fn set(&self, instant: &str) {
        *self.0.lock().unwrap() = instant.parse().unwrap();
    }
}

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

/// A ledger that can be made to fail or to hang.
#[derive(Default)]
pub(crate) struct FrailLedger {
    pub(crate) inner: MemoryLedger,
    pub(crate) state: Mutex<LedgerState>,
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum LedgerState {
    #[default]
    Working,
    Failing,
    Hanging,
}

impl FrailLedger {
    pub(crate) fn turn(&self, state: LedgerState) {
        *self.state.lock().unwrap() = state;
    }

    async fn suffer(&self) -> Result<(), LedgerError> {
        let state = *self.state.lock().unwrap();
        match state {
            LedgerState::Working => Ok(()),
            LedgerState::Failing => Err(LedgerError("the disk is full".into())),
            LedgerState::Hanging => std::future::pending().await,
        }
    }
}

#[async_trait]
impl QuotaLedger for FrailLedger {
    async fn load(&self, service: &str) -> Result<Vec<QuotaUsage>, LedgerError> {
        self.suffer().await?;
        self.inner.load(service).await
    }

    async fn save(&self, service: &str, usage: &[QuotaUsage]) -> Result<(), LedgerError> {
        self.suffer().await?;
        self.inner.save(service, usage).await
    }
}
