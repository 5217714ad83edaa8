//! The parts in their order, round one service.
//!
//! [`Stack::call`] is the outside, `Stack::attempt` shows the order within. The bookkeeping of one
//! call, and every decision that it tells, is in `call`.

mod call;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until, timeout_at};
use tracing::Instrument;

use self::call::{Call, Refusal, Setback};
use crate::backoff::Backoff;
use crate::clock::instant_after;
use crate::concurrency::Concurrency;
use crate::pause::PauseGate;
use crate::quota::QuotaMeter;
use crate::rate_limit::RateLimit;
use crate::stats::Counters;
use crate::{
    Breaker, CallError, Clock, Decision, Distribution, DistributionSnapshot, Failure, LedgerError,
    PauseState, Permit, Policy, QuotaLedger, QuotaState, RetryRule, StackStats,
};

/// Everything that stands between us and one service.
///
/// From the outside in: deadline of the whole call, retry, pause, breaker, concurrency, rate,
/// quota, timeout of the attempt.
pub struct Stack {
    service: String,
    policy: Policy,
    clock: Arc<dyn Clock>,
    backoff: Backoff,
    pause: PauseGate,
    breaker: Breaker,
    concurrency: Concurrency,
    rate: Option<RateLimit>,
    quota: QuotaMeter,
    counters: Counters,
    attempt_durations: Distribution,
}

/// Upper bounds for the time of an attempt, in seconds: from a service next door to a patient limit.
const ATTEMPT_BOUNDS_S: [f64; 11] = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

impl Stack {
    /// Puts up the stack of `service` and loads what the ledger knows of its quota.
    ///
    /// `seed` decides the jitter of the waits.
    ///
    /// # Errors
    /// The policy has a quota and the ledger cannot be read.
    pub async fn open(
        service: &str,
        policy: Policy,
        clock: Arc<dyn Clock>,
        ledger: Arc<dyn QuotaLedger>,
        seed: u64,
    ) -> Result<Self, LedgerError> {
        let quota = QuotaMeter::open(service, &policy.quota, ledger, clock.now()).await?;
        Ok(Self {
            service: service.to_owned(),
            backoff: Backoff::new(seed),
            pause: PauseGate::new(policy.pause.clone(), Arc::clone(&clock)),
            breaker: Breaker::new(policy.breaker.clone(), Arc::clone(&clock)),
            concurrency: Concurrency::new(policy.concurrency, policy.queue_max),
            rate: policy.rate.as_ref().and_then(RateLimit::new),
            quota,
            counters: Counters::default(),
            attempt_durations: Distribution::new(&ATTEMPT_BOUNDS_S),
            policy,
            clock,
        })
    }

    /// Makes a call that costs `cost` units of rate and quota, per attempt.
    ///
    /// `attempt` gets the number of the attempt, counted from 1. `observer` is told every decision
    /// as it is taken; it should return at once. Dropping the future cancels the call, and the
    /// breaker counts a cancelled attempt neither way.
    ///
    /// # Errors
    /// The last attempt failed, time ran out, or the call was refused before its first attempt.
    /// A refusal later in the call ends it with the failure that came before.
    pub async fn call<T, E, F, Fut>(
        &self,
        cost: u32,
        observer: &(dyn Fn(Decision) + Send + Sync),
        attempt: F,
    ) -> Result<T, CallError<E>>
    where
        E: Failure,
        F: Fn(u32) -> Fut + Send + Sync,
        Fut: Future<Output = Result<T, E>> + Send,
    {
        let mut call = Call::begin(self, cost, observer);
        let deadline = instant_after(call.begun, self.policy.deadline);
        let outcome = timeout_at(deadline, self.repeat(&mut call, deadline, &attempt)).await;
        outcome.unwrap_or_else(|_| Err(call.cut_off()))
    }

    /// Makes attempts until one succeeds or no further one makes sense.
    async fn repeat<T, E, F, Fut>(
        &self,
        call: &mut Call<'_>,
        deadline: Instant,
        attempt: &F,
    ) -> Result<T, CallError<E>>
    where
        E: Failure,
        F: Fn(u32) -> Fut + Send + Sync,
        Fut: Future<Output = Result<T, E>> + Send,
    {
        let mut failed: Option<CallError<E>> = None;
        loop {
            call.number += 1;
            let error = match self.attempt(call, attempt).await {
                Ok(answer) => {
                    call.succeed();
                    return Ok(answer);
                }
                Err(Setback::Refused(refusal)) => {
                    call.refuse(&refusal, failed.is_some());
                    return Err(failed.unwrap_or_else(|| refusal.into()));
                }
                Err(Setback::Failed(error)) => error,
            };
            match self.next_attempt_at(call, &error, deadline) {
                Ok(next) => sleep_until(next).await,
                Err(reason) => {
                    call.give_up(reason);
                    return Err(error);
                }
            }
            failed = Some(error);
        }
    }

    /// Makes one attempt, if pause, breaker, concurrency, rate and quota let it pass.
    async fn attempt<T, E, F, Fut>(&self, call: &mut Call<'_>, attempt: &F) -> Result<T, Setback<E>>
    where
        E: Failure,
        F: Fn(u32) -> Fut + Send + Sync,
        Fut: Future<Output = Result<T, E>> + Send,
    {
        self.pass_pause()?;
        let mut permit = self.pass_breaker(call)?;
        let _place = self.concurrency.enter().await.map_err(Refusal::Saturated)?;
        self.pass_rate_limit(call, &mut permit).await?;
        self.charge_quota(call).await?;
        let begun = call.begin_attempt();
        let limit = instant_after(begun, self.policy.attempt_timeout);
        let span = call.attempt_span();
        let outcome = timeout_at(limit, attempt(call.number)).instrument(span.clone()).await;
        let settled = self.settle(call, permit, begun, outcome.ok());
        call.end_span(&span, &settled);
        settled
    }

    fn pass_pause(&self) -> Result<(), Refusal> {
        self.pause.check().map_err(Refusal::Paused)
    }

    fn pass_breaker(&self, call: &Call<'_>) -> Result<Permit<'_>, Refusal> {
        let admission = self.breaker.admit().map_err(Refusal::Breaker)?;
        call.relay(admission.decision);
        Ok(admission.permit)
    }

    /// Waits for the units of the call, and asks pause and breaker again after every wait.
    ///
    /// Much may have happened while the call queued: without the second question a whole queue
    /// would go on to a service that just opened the breaker or asked to be left alone.
    async fn pass_rate_limit<'a>(
        &'a self,
        call: &Call<'_>,
        permit: &mut Permit<'a>,
    ) -> Result<(), Refusal> {
        let ask_again = |permit: &mut Permit<'a>| {
            self.pass_pause()?;
            if !permit.is_current() {
                *permit = self.pass_breaker(call)?;
            }
            Ok(())
        };
        let Some(rate) = &self.rate else { return ask_again(permit) };
        let _turn = rate.turn().await;
        loop {
            ask_again(permit)?;
            match rate.take(call.cost) {
                Ok(()) => return Ok(()),
                Err(wait) => sleep(wait).await,
            }
        }
    }

    /// Charges the allowances and puts that on record before the attempt is made.
    async fn charge_quota(&self, call: &Call<'_>) -> Result<(), Refusal> {
        let charged = self.quota.charge(call.cost, self.clock.now()).map_err(Refusal::Quota)?;
        if charged.is_empty() {
            return Ok(());
        }
        if let Err((error, is_first)) = self.quota.record(&charged).await {
            call.note_ledger_failure(&error, is_first);
        }
        Ok(())
    }

    /// Tells breaker, pause and observer how the attempt ended; `None` is a timeout.
    fn settle<T, E: Failure>(
        &self,
        call: &Call<'_>,
        permit: Permit<'_>,
        begun: Instant,
        outcome: Option<Result<T, E>>,
    ) -> Result<T, Setback<E>> {
        let elapsed = begun.elapsed();
        self.attempt_durations.record_duration(elapsed);
        let attempts = call.number;
        let error = match outcome {
            Some(Ok(answer)) => {
                self.counters.attempts_succeeded.add_one();
                call.relay(permit.succeed(elapsed));
                self.pause.note_success(begun);
                return Ok(answer);
            }
            Some(Err(source)) => CallError::Failed { source, attempts },
            None => CallError::TimedOut { limit: self.policy.attempt_timeout, attempts },
        };
        let cause = call.fail_attempt(&error, elapsed);
        let class = error.class();
        if class.counts_for_breaker() {
            call.relay(permit.fail(&cause));
        } else {
            permit.stay_neutral();
        }
        if let Some(pause) = self.pause.note_failure(class, error.retry_after(), begun, &cause) {
            call.pause(&pause);
        }
        Err(Setback::Failed(error))
    }

    /// Decides when the next attempt is made, or why there is none.
    fn next_attempt_at<E: Failure>(
        &self,
        call: &mut Call<'_>,
        error: &CallError<E>,
        deadline: Instant,
    ) -> Result<Instant, String> {
        let class = error.class();
        let repeatable = match class.retry_rule() {
            RetryRule::Never => false,
            RetryRule::Once => !std::mem::replace(&mut call.repeated_once, true),
            RetryRule::UntilLimit => true,
        };
        if !repeatable {
            let again = if class.retry_rule() == RetryRule::Once { " again" } else { "" };
            return Err(format!("{} is not repeated{again}", class.as_str()));
        }
        let attempts_max = self.policy.retry.attempts_max.get();
        if call.number >= attempts_max {
            return Err(format!("all {attempts_max} attempts are used up"));
        }
        let wait = self.wait(call.number, error.retry_after());
        let next = instant_after(Instant::now(), wait);
        if self.breaker.refuses_at(next) {
            return Err("the breaker is open".to_owned());
        }
        if next >= deadline {
            return Err(format!("the wait of {wait:?} would outlive the deadline"));
        }
        call.schedule_retry(wait);
        Ok(next)
    }

    /// Returns the wait after failed attempt number `attempt`: never less than the service asked for.
    ///
    /// A pause is such a request too, so that a repeat is not refused by the pause that the failed
    /// attempt brought about.
    fn wait(&self, attempt: u32, asked: Option<Duration>) -> Duration {
        let drawn = self.backoff.draw(&self.policy.retry, attempt);
        drawn.max(asked.unwrap_or_default()).max(self.pause.remaining())
    }

    /// Returns the name of the service, as the ledger knows it.
    pub fn service(&self) -> &str {
        &self.service
    }

    /// Returns the limits.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Returns the breaker, to be looked at or forced.
    pub fn breaker(&self) -> &Breaker {
        &self.breaker
    }

    /// Returns why and how long the service is left alone; `None` when it is not.
    pub fn pause(&self) -> Option<PauseState> {
        self.pause.present()
    }

    /// Ends a pause before its time, as when an operator has changed the key.
    pub fn end_pause(&self) {
        self.pause.clear();
    }

    /// Returns what is used of each allowance; empty without a quota.
    pub fn quota(&self) -> Vec<QuotaState> {
        self.quota.states(self.clock.now())
    }

    /// Returns how long attempts took that were answered, failed or timed out, in seconds.
    pub fn attempt_durations(&self) -> DistributionSnapshot {
        self.attempt_durations.snapshot()
    }

    /// Returns what the stack did since it was opened.
    pub fn stats(&self) -> StackStats {
        self.counters.read(self.concurrency.in_flight(), self.concurrency.waiting())
    }
}
