//! The bookkeeping of one call: how far it is, and what is told of it.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;
use tracing::Span;

use super::Stack;
use crate::call_error::{counted, refused_by_breaker};
use crate::clock::wall_between;
use crate::quota::Exhausted;
use crate::{
    BreakerRefusal, CallError, Decision, DecisionKind, Failure, FailureClass, LedgerError,
    PauseState,
};

/// A call under way.
pub(super) struct Call<'a> {
    stack: &'a Stack,
    observer: &'a (dyn Fn(Decision) + Send + Sync),
    pub(super) cost: u32,
    pub(super) begun: Instant,
    /// The attempt that is being prepared or made, counted from 1.
    pub(super) number: u32,
    /// Attempts that were begun: equal to `number` or one behind.
    attempts: u32,
    /// A failure that may be repeated only once was repeated.
    pub(super) repeated_once: bool,
}

/// Why an attempt gave no answer.
pub(super) enum Setback<E> {
    /// It was not made.
    Refused(Refusal),
    /// It was made and failed.
    Failed(CallError<E>),
}

/// What refused an attempt.
pub(super) enum Refusal {
    Breaker(BreakerRefusal),
    Paused((FailureClass, Timestamp, Duration)),
    Quota(Exhausted),
    Saturated(u32),
}

impl<'a> Call<'a> {
    pub(super) fn begin(
        stack: &'a Stack,
        cost: u32,
        observer: &'a (dyn Fn(Decision) + Send + Sync),
    ) -> Self {
        stack.counters.calls.add_one();
        let begun = Instant::now();
        Self { stack, observer, cost, begun, number: 0, attempts: 0, repeated_once: false }
    }

    pub(super) fn begin_attempt(&mut self) -> Instant {
        self.attempts = self.number;
        if self.number > 1 {
            self.stack.counters.retries.add_one();
        }
        Instant::now()
    }

    /// Begins the span of an attempt; an attempt that was cut off leaves it without an outcome.
    pub(super) fn attempt_span(&self) -> Span {
        tracing::trace_span!(
            "attempt",
            otel.kind = "client",
            peer.service = self.stack.service,
            attempt = self.number,
            outcome = tracing::field::Empty,
            otel.status_code = tracing::field::Empty,
        )
    }

    /// Says how the attempt of a span ended: `ok`, or the class of its failure.
    pub(super) fn end_span<T, E: Failure>(&self, span: &Span, settled: &Result<T, Setback<E>>) {
        match settled {
            Ok(_) => span.record("outcome", "ok"),
            Err(Setback::Failed(error)) => {
                span.record("outcome", error.class().as_str()).record("otel.status_code", "error")
            }
            Err(Setback::Refused(_)) => span,
        };
    }

    pub(super) fn succeed(&self) {
        if self.number > 1 {
            let cause = format!("after {} that failed", counted(self.number - 1));
            self.tell(DecisionKind::Recovered, cause);
        }
    }

    /// Tells of a failed attempt and returns its cause in words, the class first.
    pub(super) fn fail_attempt<E: Failure>(
        &self,
        error: &CallError<E>,
        elapsed: Duration,
    ) -> String {
        let counters = &self.stack.counters;
        let class = error.class();
        counters.attempts_failed[class as usize].add_one();
        let cause = match error {
            CallError::Failed { source, .. } => format!("{}: {}", class.as_str(), chain(source)),
            _ => {
                counters.attempts_timed_out.add_one();
                let limit = self.stack.policy.attempt_timeout;
                format!("{}: no answer within {limit:?}", class.as_str())
            }
        };
        let mut decision = self.decision(DecisionKind::AttemptFailed, cause.clone());
        decision.elapsed = Some(elapsed);
        (self.observer)(decision);
        cause
    }

    pub(super) fn schedule_retry(&self, wait: Duration) {
        self.tell(DecisionKind::RetryScheduled, format!("after {wait:?}"));
    }

    pub(super) fn give_up(&self, reason: String) {
        self.tell(DecisionKind::GaveUp, reason);
    }

    /// Tells of a refusal, which ends a call that has failed before or was never made.
    pub(super) fn refuse(&self, refusal: &Refusal, has_failed: bool) {
        let counters = &self.stack.counters;
        match refusal {
            Refusal::Breaker(_) => counters.refused_by_breaker.add_one(),
            Refusal::Paused(_) => counters.refused_by_pause.add_one(),
            Refusal::Quota(_) => counters.refused_by_quota.add_one(),
            Refusal::Saturated(_) => counters.refused_by_queue.add_one(),
        }
        let is_news = matches!(refusal, Refusal::Quota(exhausted) if exhausted.is_news);
        if is_news {
            self.tell(DecisionKind::QuotaExhausted, refusal.reason());
        }
        match (has_failed, is_news) {
            (true, _) => self.give_up(refusal.reason()),
            (false, false) => self.tell(DecisionKind::CallRefused, refusal.reason()),
            // That the allowance is used up says already that the call was not made.
            (false, true) => {}
        }
    }

    /// Tells that the service is left alone.
    pub(super) fn pause(&self, pause: &PauseState) {
        self.stack.counters.pauses[pause.class as usize].add_one();
        let cause = format!("until {:.0}: {}", pause.until, pause.cause);
        if pause.class == FailureClass::Quota {
            self.tell(DecisionKind::QuotaExhausted, pause.cause.clone());
        }
        self.tell(DecisionKind::Paused, cause);
    }

    pub(super) fn note_ledger_failure(&self, error: &LedgerError, is_first: bool) {
        self.stack.counters.ledger_failures.add_one();
        if is_first {
            self.tell(DecisionKind::LedgerFailed, chain(error));
        }
    }

    /// Ends a call whose time is over.
    pub(super) fn cut_off<E>(&self) -> CallError<E> {
        self.stack.counters.deadlines_exceeded.add_one();
        let error = CallError::DeadlineExceeded {
            limit: self.stack.policy.deadline,
            attempts: self.attempts,
        };
        self.give_up(error.to_string());
        error
    }

    /// Passes on a transition of the breaker as a decision of this call.
    pub(super) fn relay(&self, transition: Option<Decision>) {
        if let Some(transition) = transition {
            let (attempt, elapsed) = (Some(self.number), Some(self.begun.elapsed()));
            (self.observer)(Decision { attempt, elapsed, ..transition });
        }
    }

    fn tell(&self, kind: DecisionKind, cause: String) {
        (self.observer)(self.decision(kind, cause));
    }

    fn decision(&self, kind: DecisionKind, cause: String) -> Decision {
        Decision {
            at: self.stack.clock.now(),
            kind,
            cause: Some(cause),
            attempt: Some(self.number),
            elapsed: Some(self.begun.elapsed()),
        }
    }
}

impl Refusal {
    fn reason(&self) -> String {
        match self {
            Self::Breaker(refusal) => refused_by_breaker(refusal.state, refusal.until),
            Self::Paused((class, until, _)) => {
                format!("the service is left alone until {until:.0} ({})", class.as_str())
            }
            Self::Quota(Exhausted { state, .. }) => {
                let (used, limit, window) = (state.used, state.limit, state.window.as_str());
                let resets_at = state.resets_at;
                format!("{used} of {limit} units of the {window} are used until {resets_at:.0}")
            }
            Self::Saturated(waiting) => format!("{waiting} callers wait already"),
        }
    }
}

impl<E> From<Refusal> for Setback<E> {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl<E> From<Refusal> for CallError<E> {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Breaker(BreakerRefusal { state, until, retry_after }) => {
                Self::BreakerOpen { state, until, retry_after }
            }
            Refusal::Paused((class, until, retry_after)) => {
                Self::Paused { class, until, retry_after }
            }
            Refusal::Quota(Exhausted { state, refused_at, .. }) => Self::QuotaExhausted {
                window: state.window,
                resets_at: state.resets_at,
                retry_after: wall_between(refused_at, state.resets_at),
            },
            Refusal::Saturated(waiting) => Self::Saturated { waiting },
        }
    }
}

/// Joins an error and its causes, as in `the request failed: connection reset`.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
