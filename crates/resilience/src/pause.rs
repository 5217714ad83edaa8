//! How long a service is left alone after an answer that asks for it.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use crate::clock::{instant_after, wall_after, wall_between};
use crate::{Clock, FailureClass, PausePolicy, QuotaWindow};

/// A service that is left alone.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PauseState {
    /// The class of failure that led to it.
    pub class: FailureClass,
    /// When it began.
    pub since: Timestamp,
    /// When it is over.
    pub until: Timestamp,
    /// The failure in words.
    pub cause: String,
}

/// No service asks for more: a month's allowance comes back within 31 days.
const QUOTA_PAUSE_MAX: Duration = Duration::from_secs(31 * 86_400);

/// Lets calls pass unless the service is left alone.
#[derive(Debug)]
pub(crate) struct PauseGate {
    policy: PausePolicy,
    clock: Arc<dyn Clock>,
    memory: Mutex<Memory>,
}

#[derive(Debug, Default)]
struct Memory {
    /// The newest pause, over or not.
    newest: Option<Pause>,
    /// Pauses for too many calls since the last success.
    strikes: u32,
}

#[derive(Debug)]
struct Pause {
    began: Instant,
    until: Instant,
    state: PauseState,
}

impl PauseGate {
    pub(crate) fn new(policy: PausePolicy, clock: Arc<dyn Clock>) -> Self {
        Self { policy, clock, memory: Mutex::default() }
    }

    /// Returns the pause that holds now.
    pub(crate) fn present(&self) -> Option<PauseState> {
        let memory = self.lock();
        let pause = memory.newest.as_ref().filter(|pause| !self.rest(pause).is_zero());
        pause.map(|pause| pause.state.clone())
    }

    /// Lets a call pass, or returns the class and the end of the pause and the time until then.
    pub(crate) fn check(&self) -> Result<(), (FailureClass, Timestamp, Duration)> {
        let memory = self.lock();
        let Some(pause) = &memory.newest else { return Ok(()) };
        let rest = self.rest(pause);
        if rest.is_zero() { Ok(()) } else { Err((pause.state.class, pause.state.until, rest)) }
    }

    /// Returns how long the pause goes on, zero without one.
    pub(crate) fn remaining(&self) -> Duration {
        self.lock().newest.as_ref().map(|pause| self.rest(pause)).unwrap_or_default()
    }

    /// Draws the consequence of a failed attempt; returns the pause if a new one began.
    ///
    /// Of several attempts that were under way together, the first decides: the others are not a
    /// repetition, and lengthen the pause only if the service asks for more.
    pub(crate) fn note_failure(
        &self,
        class: FailureClass,
        asked: Option<Duration>,
        attempt_begun: Instant,
        cause: &str,
    ) -> Option<PauseState> {
        let now = self.clock.now();
        let mut memory = self.lock();
        let together = memory.newest.as_ref().filter(|pause| attempt_begun <= pause.began);
        if asked.is_none() && together.is_some_and(|pause| pause.state.class == class) {
            return None;
        }
        let repeated = together.is_none();
        let wait = self.wait(class, asked, now, memory.strikes)?;
        if class == FailureClass::RateLimited && repeated {
            memory.strikes = memory.strikes.saturating_add(1);
        }
        if wait <= memory.newest.as_ref().map(|pause| self.rest(pause)).unwrap_or_default() {
            return None;
        }
        let began = Instant::now();
        let until = wall_after(now, wait);
        let state = PauseState { class, since: now, until, cause: cause.to_owned() };
        memory.newest =
            Some(Pause { began, until: instant_after(began, wait), state: state.clone() });
        Some(state)
    }

    /// Forgets the past after a success; one that was under way when the pause began says nothing.
    pub(crate) fn note_success(&self, attempt_begun: Instant) {
        let mut memory = self.lock();
        if memory.newest.as_ref().is_some_and(|pause| pause.began < attempt_begun) {
            *memory = Memory::default();
        }
    }

    /// Ends the pause, if there is one, and forgets the past.
    pub(crate) fn clear(&self) {
        *self.lock() = Memory::default();
    }

    /// Returns how long a failure of `class` keeps us away; `None` if it does not.
    fn wait(
        &self,
        class: FailureClass,
        asked: Option<Duration>,
        now: Timestamp,
        strikes: u32,
    ) -> Option<Duration> {
        match class {
            FailureClass::Auth => Some(self.policy.auth),
            FailureClass::Quota => {
                let until_midnight = || wall_between(now, QuotaWindow::Day.end_of(now));
                Some(asked.unwrap_or_else(until_midnight).min(QUOTA_PAUSE_MAX))
            }
            FailureClass::RateLimited => {
                let doubled = self.policy.rate_limited.saturating_mul(1 << strikes.min(31));
                let own = doubled.min(self.policy.rate_limited_max);
                Some(asked.map_or(own, |asked| asked.min(self.policy.asked_max)))
            }
            FailureClass::NotCovered
            | FailureClass::BadRequest
            | FailureClass::Transient
            | FailureClass::Malformed
            | FailureClass::Stale => None,
        }
    }

    /// Returns how long `pause` goes on, zero when it is over.
    fn rest(&self, pause: &Pause) -> Duration {
        let rest = pause.until.saturating_duration_since(Instant::now());
        // An allowance comes back at a wall time, which a sleeping machine reaches sooner than
        // its timers say.
        if pause.state.class == FailureClass::Quota {
            return rest.min(wall_between(self.clock.now(), pause.state.until));
        }
        rest
    }

    fn lock(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().expect("no code panics while it holds the pause")
    }
}
