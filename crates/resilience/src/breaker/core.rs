//! The state machine of the breaker, without its lock.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::rate_window::RateWindow;
use super::transition::TransitionCounts;
use super::{
    BreakerFailure, BreakerRefusal, BreakerSnapshot, BreakerState, Transition, TransitionCause,
};
use crate::clock::{instant_after, wall_after};
use crate::{BreakerPolicy, Clock};

#[derive(Debug)]
pub(super) struct Core {
    policy: BreakerPolicy,
    mode: Mode,
    since: Timestamp,
    generation: u64,
    consecutive_failures: u32,
    window: Option<RateWindow>,
    last_failure: Option<BreakerFailure>,
    transitions: TransitionCounts,
}

#[derive(Debug)]
enum Mode {
    Closed,
    ForcedClosed,
    Open { until: Instant, until_wall: Timestamp },
    ForcedOpen,
    HalfOpen { in_flight: u32, succeeded: u32 },
}

impl Core {
    pub(super) fn new(policy: BreakerPolicy, now: Instant, wall: Timestamp) -> Self {
        let window = policy.failure_rate.clone().map(|rate| RateWindow::new(rate, now));
        Self {
            policy,
            mode: Mode::Closed,
            since: wall,
            generation: 0,
            consecutive_failures: 0,
            window,
            last_failure: None,
            transitions: TransitionCounts::default(),
        }
    }

    pub(super) fn policy(&self) -> &BreakerPolicy {
        &self.policy
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    pub(super) fn state(&self) -> BreakerState {
        match self.mode {
            Mode::Closed | Mode::ForcedClosed => BreakerState::Closed,
            Mode::Open { .. } | Mode::ForcedOpen => BreakerState::Open,
            Mode::HalfOpen { .. } => BreakerState::HalfOpen,
        }
    }

    /// Lets a call pass and tells whether it is a probe.
    pub(super) fn admit(&mut self, clock: &dyn Clock) -> Result<bool, BreakerRefusal> {
        match &mut self.mode {
            Mode::Closed | Mode::ForcedClosed => Ok(false),
            Mode::ForcedOpen => {
                Err(BreakerRefusal { state: BreakerState::Open, until: None, retry_after: None })
            }
            Mode::Open { until, until_wall } => {
                let rest = until.saturating_duration_since(Instant::now());
                if !rest.is_zero() {
                    let until = Some(*until_wall);
                    let state = BreakerState::Open;
                    return Err(BreakerRefusal { state, until, retry_after: Some(rest) });
                }
                let probing = Mode::HalfOpen { in_flight: 1, succeeded: 0 };
                self.enter(probing, TransitionCause::OpenTimeOver, clock.now());
                Ok(true)
            }
            Mode::HalfOpen { in_flight, .. } => {
                if *in_flight < self.policy.probes_max.get() {
                    *in_flight += 1;
                    return Ok(true);
                }
                // A probe may end at any moment, so the next call may come at any moment.
                let until = Some(clock.now());
                let state = BreakerState::HalfOpen;
                Err(BreakerRefusal { state, until, retry_after: Some(Duration::ZERO) })
            }
        }
    }

    /// Counts a success of the present generation; returns the good probes if they closed the breaker.
    pub(super) fn count_success(&mut self, probe: bool, clock: &dyn Clock) -> Option<u32> {
        self.consecutive_failures = 0;
        if let (false, Some(window)) = (probe, &mut self.window) {
            window.count(false, Instant::now());
        }
        let Mode::HalfOpen { in_flight, succeeded } = &mut self.mode else { return None };
        *in_flight -= 1;
        *succeeded += 1;
        let succeeded = *succeeded;
        if succeeded < self.policy.probes_to_close.get() {
            return None;
        }
        self.reset_counts(Instant::now());
        self.enter(Mode::Closed, TransitionCause::ProbeSucceeded, clock.now());
        Some(succeeded)
    }

    /// Counts a failure of the present generation; returns why the breaker opened if it did.
    pub(super) fn count_failure(
        &mut self,
        probe: bool,
        cause: &str,
        clock: &dyn Clock,
    ) -> Option<String> {
        let (now, wall) = (Instant::now(), clock.now());
        self.consecutive_failures = self.consecutive_failures.saturating_add(1);
        self.last_failure = Some(BreakerFailure { at: wall, cause: cause.to_owned() });
        if let (false, Some(window)) = (probe, &mut self.window) {
            window.count(true, now);
        }
        let (why, reason) = self.reason_to_open(now)?;
        let open_for = self.policy.open_for;
        let until = instant_after(now, open_for);
        self.enter(Mode::Open { until, until_wall: wall_after(wall, open_for) }, why, wall);
        Some(format!("{reason}: {cause}"))
    }

    fn reason_to_open(&self, now: Instant) -> Option<(TransitionCause, String)> {
        match self.mode {
            Mode::ForcedClosed | Mode::ForcedOpen | Mode::Open { .. } => None,
            Mode::HalfOpen { .. } => {
                Some((TransitionCause::ProbeFailed, "a probe failed".to_owned()))
            }
            Mode::Closed => {
                let failures = self.consecutive_failures;
                if failures >= self.policy.consecutive_failures.get() {
                    let reason = format!("{failures} consecutive failures, at last");
                    return Some((TransitionCause::ConsecutiveFailures, reason));
                }
                let exceeded = self.window.as_ref()?.exceeded(now)?;
                Some((TransitionCause::FailureRate, format!("{exceeded}, at last")))
            }
        }
    }

    pub(super) fn give_back_probe(&mut self) {
        if let Mode::HalfOpen { in_flight, .. } = &mut self.mode {
            *in_flight -= 1;
        }
    }

    pub(super) fn force_open(&mut self, wall: Timestamp) -> bool {
        let changed = !matches!(self.mode, Mode::ForcedOpen);
        if changed {
            self.enter(Mode::ForcedOpen, TransitionCause::Operator, wall);
        }
        changed
    }

    pub(super) fn force_closed(&mut self, now: Instant, wall: Timestamp) -> bool {
        let changed = !matches!(self.mode, Mode::ForcedClosed);
        if changed {
            self.reset_counts(now);
            self.enter(Mode::ForcedClosed, TransitionCause::Operator, wall);
        }
        changed
    }

    pub(super) fn release(&mut self, now: Instant, wall: Timestamp) -> bool {
        let changed = self.is_forced();
        if changed {
            self.reset_counts(now);
            self.enter(Mode::Closed, TransitionCause::Operator, wall);
        }
        changed
    }

    pub(super) fn refuses_at(&self, then: Instant) -> bool {
        match self.mode {
            Mode::ForcedOpen => true,
            Mode::Open { until, .. } => then < until,
            Mode::Closed | Mode::ForcedClosed | Mode::HalfOpen { .. } => false,
        }
    }

    pub(super) fn snapshot(&self, now: Instant) -> BreakerSnapshot {
        let (until, probe_due) = match self.mode {
            Mode::Open { until, until_wall } => (Some(until_wall), until <= now),
            _ => (None, false),
        };
        let (probes_in_flight, probes_succeeded) = match self.mode {
            Mode::HalfOpen { in_flight, succeeded } => (in_flight, succeeded),
            _ => (0, 0),
        };
        let totals = self.window.as_ref().map(|window| window.totals(now));
        let (window_calls, window_failures) = totals.unwrap_or_default();
        BreakerSnapshot {
            state: self.state(),
            since: self.since,
            until,
            probe_due,
            forced: self.is_forced(),
            consecutive_failures: self.consecutive_failures,
            window_calls,
            window_failures,
            generation: self.generation,
            probes_in_flight,
            probes_succeeded,
            last_failure: self.last_failure.clone(),
        }
    }

    pub(super) fn transitions(&self) -> [(Transition, u64); Transition::ALL.len()] {
        self.transitions.read()
    }

    fn is_forced(&self) -> bool {
        matches!(self.mode, Mode::ForcedOpen | Mode::ForcedClosed)
    }

    fn enter(&mut self, mode: Mode, cause: TransitionCause, wall: Timestamp) {
        let from = self.state();
        self.mode = mode;
        // Who holds a closed breaker closed changes no state, and is in no row of the counts.
        self.transitions.count(Transition { from, to: self.state(), cause });
        self.since = wall;
        self.generation += 1;
    }

    fn reset_counts(&mut self, now: Instant) {
        self.consecutive_failures = 0;
        self.window = self.policy.failure_rate.clone().map(|rate| RateWindow::new(rate, now));
    }
}
