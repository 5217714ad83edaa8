//! The circuit breaker: leaves a service alone that keeps failing, and finds out when it is back.
//!
//! Start reading at [`Breaker::admit`]. The breaker can be used without a [`crate::Stack`].

mod core;
mod rate_window;
mod snapshot;
mod transition;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use self::core::Core;
pub use self::snapshot::{BreakerFailure, BreakerSnapshot};
pub use self::transition::{Transition, TransitionCause};
use crate::{BreakerPolicy, Clock, Decision, DecisionKind};

/// A switch round one service.
///
/// It opens after consecutive failures or at a share of failures, whichever comes first. While
/// open it refuses every call. Then it lets a bounded number of probes through: a failed one opens
/// it again, enough good ones close it. Every transition begins a new generation, and the outcome
/// of a call that was admitted in an older one changes nothing.
#[derive(Debug)]
pub struct Breaker {
    clock: Arc<dyn Clock>,
    core: Mutex<Core>,
}

/// What the breaker does with the next call.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum BreakerState {
    /// Every call passes.
    Closed,
    /// No call passes.
    Open,
    /// A bounded number of probes passes.
    HalfOpen,
}

impl BreakerState {
    /// Returns the spelling: `closed`, `open` or `half_open`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
        }
    }
}

impl fmt::Display for BreakerState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// The breaker did not let a call pass.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct BreakerRefusal {
    /// `Open`, or `HalfOpen` while others probe.
    pub state: BreakerState,
    /// When a probe may pass; `None` when the breaker is forced open.
    pub until: Option<Timestamp>,
    /// The time from now until then; `None` when the breaker is forced open.
    pub retry_after: Option<Duration>,
}

/// The right to make one call. Dropped without an outcome, it counts neither way.
#[derive(Debug)]
#[must_use = "a permit that is dropped gives its place back at once"]
pub struct Permit<'a> {
    breaker: &'a Breaker,
    generation: u64,
    probe: bool,
    settled: bool,
}

/// A permit, and the transition that it took.
#[derive(Debug)]
pub struct Admission<'a> {
    /// The right to make the call.
    pub permit: Permit<'a>,
    /// The breaker became half-open for this call; `None` when nothing changed.
    pub decision: Option<Decision>,
}

impl Breaker {
    /// Makes a closed breaker.
    pub fn new(policy: BreakerPolicy, clock: Arc<dyn Clock>) -> Self {
        let core = Mutex::new(Core::new(policy, Instant::now(), clock.now()));
        Self { clock, core }
    }

    /// Lets a call pass, or not.
    ///
    /// # Errors
    /// The breaker is open, or half-open with all its probes under way.
    pub fn admit(&self) -> Result<Admission<'_>, BreakerRefusal> {
        let mut core = self.lock();
        let before = core.state();
        let probe = core.admit(&*self.clock)?;
        let decision = (core.state() != before).then(|| self.half_opened(&core));
        let permit = Permit { breaker: self, generation: core.generation(), probe, settled: false };
        Ok(Admission { permit, decision })
    }

    /// Returns what the breaker shows at present; changes nothing.
    pub fn snapshot(&self) -> BreakerSnapshot {
        self.lock().snapshot(Instant::now())
    }

    /// Returns how often each change of state happened, those that never did included.
    pub fn transitions(&self) -> [(Transition, u64); Transition::ALL.len()] {
        self.lock().transitions()
    }

    /// Opens the breaker until it is released or forced closed, for a reason in words.
    ///
    /// `None` when it was forced open already, and nothing changed.
    pub fn force_open(&self, cause: Option<String>) -> Option<Decision> {
        let changed = self.lock().force_open(self.clock.now());
        changed.then(|| self.decision(DecisionKind::BreakerForcedOpen, cause))
    }

    /// Closes the breaker until it is released or forced open, for a reason in words.
    ///
    /// `None` when it was forced closed already, and nothing changed.
    pub fn force_closed(&self, cause: Option<String>) -> Option<Decision> {
        let changed = self.lock().force_closed(Instant::now(), self.clock.now());
        changed.then(|| self.decision(DecisionKind::BreakerForcedClosed, cause))
    }

    /// Gives the breaker back to its own rules, closed and with all counts at zero.
    ///
    /// `None` when it was not forced, and nothing changed.
    pub fn release(&self, cause: Option<String>) -> Option<Decision> {
        let changed = self.lock().release(Instant::now(), self.clock.now());
        changed.then(|| self.decision(DecisionKind::BreakerReleased, cause))
    }

    /// Tells whether every call will still be refused at `then`, unless somebody intervenes.
    pub(crate) fn refuses_at(&self, then: Instant) -> bool {
        self.lock().refuses_at(then)
    }

    fn half_opened(&self, core: &Core) -> Decision {
        let cause = format!("it was open for {:?}", core.policy().open_for);
        self.decision(DecisionKind::BreakerHalfOpened, Some(cause))
    }

    fn decision(&self, kind: DecisionKind, cause: Option<String>) -> Decision {
        Decision { at: self.clock.now(), kind, cause, attempt: None, elapsed: None }
    }

    fn lock(&self) -> MutexGuard<'_, Core> {
        self.core.lock().expect("no code panics while it holds the breaker")
    }
}

impl Permit<'_> {
    /// Tells whether the breaker has not changed its state since the call was admitted.
    pub fn is_current(&self) -> bool {
        self.breaker.lock().generation() == self.generation
    }

    /// Reports that the service answered after `elapsed`; returns the transition that it caused.
    pub fn succeed(mut self, elapsed: Duration) -> Option<Decision> {
        self.settled = true;
        let breaker = self.breaker;
        let mut core = breaker.lock();
        if core.generation() != self.generation {
            return None;
        }
        if let Some(limit) = core.policy().slow_call.filter(|limit| elapsed > *limit) {
            let cause = format!("slow: the answer took {elapsed:?}, the limit is {limit:?}");
            return self.count_failure(&mut core, &cause);
        }
        let probes = core.count_success(self.probe, &*breaker.clock)?;
        let cause = format!("{probes} probes in a row succeeded");
        let cause = if probes == 1 { "a probe succeeded".to_owned() } else { cause };
        Some(breaker.decision(DecisionKind::BreakerClosed, Some(cause)))
    }

    /// Reports that the service failed, for a reason in words; returns the transition that it caused.
    pub fn fail(mut self, cause: &str) -> Option<Decision> {
        self.settled = true;
        let mut core = self.breaker.lock();
        if core.generation() != self.generation {
            return None;
        }
        self.count_failure(&mut core, cause)
    }

    /// Gives the place back without saying anything about the service, as dropping does.
    pub fn stay_neutral(self) {}

    fn count_failure(&self, core: &mut Core, cause: &str) -> Option<Decision> {
        let opened = core.count_failure(self.probe, cause, &*self.breaker.clock)?;
        Some(self.breaker.decision(DecisionKind::BreakerOpened, Some(opened)))
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if self.probe && !self.settled {
            let mut core = self.breaker.lock();
            if core.generation() == self.generation {
                core.give_back_probe();
            }
        }
    }
}
