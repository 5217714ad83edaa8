//! How long a service is left alone, and what ends that.

use std::sync::Arc;

use pampero_resilience::DecisionKind::{
    AttemptFailed, CallRefused, GaveUp, Paused, QuotaExhausted,
};
use pampero_resilience::{BreakerState, CallError, FailureClass, MemoryLedger, Policy};

use crate::trial::{GOOD, SetClock, Trial, advance_s, asking, failing, positive, single};

const AUTH: FailureClass = FailureClass::Auth;
const QUOTA: FailureClass = FailureClass::Quota;
const RATE_LIMITED: FailureClass = FailureClass::RateLimited;

#[tokio::test(start_paused = true)]
async fn refused_key_is_tried_once_and_again_after_an_hour() {
    let trial = Trial::new(Policy::default(), [failing(AUTH)]).await;
    trial.call().await.unwrap_err();
    assert_eq!(trial.kinds(), [AttemptFailed, Paused, GaveUp]);

    advance_s(3599).await;
    let error = trial.call().await.unwrap_err();
    assert!(matches!(error, CallError::Paused { class: AUTH, .. }), "{error}");
    assert!(!error.was_attempted());
    assert_eq!(error.retry_after().unwrap().as_secs(), 1);
    assert_eq!(trial.kinds(), [CallRefused]);
    let pause = trial.stack.pause().unwrap();
    assert_eq!((pause.class, pause.cause.as_str()), (AUTH, "auth: the service said no"));
    assert_eq!(pause.until, "2026-11-24T13:00:00Z".parse().unwrap());

    advance_s(1).await;
    trial.call().await.unwrap();
    assert_eq!(trial.sent_s(), [0.0, 3600.0]);
    assert_eq!(trial.stack.pause(), None);
    assert_eq!(trial.stack.stats().refused_by_pause, 1);
    assert_eq!(trial.stack.breaker().snapshot().state, BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn used_up_allowance_is_left_alone_until_midnight_utc() {
    let trial = Trial::new(single(), [failing(QUOTA)]).await;
    trial.call().await.unwrap_err();

    assert_eq!(trial.kinds(), [AttemptFailed, QuotaExhausted, Paused, GaveUp]);
    let until = trial.stack.pause().unwrap().until;
    assert_eq!(until, "2026-11-25T00:00:00Z".parse().unwrap());
    advance_s(12 * 3600 - 1).await;
    trial.call().await.unwrap_err();
    advance_s(1).await;
    trial.call().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn used_up_allowance_is_left_alone_until_the_reset_that_the_service_names() {
    let trial = Trial::new(single(), [asking(QUOTA, 3 * 86_400)]).await;
    trial.call().await.unwrap_err();

    let until = trial.stack.pause().unwrap().until;
    assert_eq!(until, "2026-11-27T12:00:00Z".parse().unwrap());
}

#[tokio::test(start_paused = true)]
async fn allowance_comes_back_at_its_wall_time_after_the_machine_slept() {
    let clock = SetClock::at("2026-11-24T12:00:00Z");
    let ledger = Arc::new(MemoryLedger::default());
    let trial = Trial::with(single(), [failing(QUOTA)], clock.clone(), ledger).await;
    trial.call().await.unwrap_err();
    clock.set("2026-11-24T23:59:59Z");
    trial.call().await.unwrap_err();

    clock.set("2026-11-25T00:00:00Z");

    trial.call().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn pause_after_too_many_calls_doubles_until_a_success() {
    let trial = Trial::new(single(), vec![failing(RATE_LIMITED); 8]).await;
    for pause_s in [60, 120, 240, 480, 960, 1920, 3600, 3600] {
        assert_eq!(trial.call().await.unwrap_err().class(), RATE_LIMITED);
        advance_s(pause_s - 1).await;
        assert!(trial.stack.pause().is_some(), "after {pause_s} s");
        advance_s(1).await;
        assert_eq!(trial.stack.pause(), None, "after {pause_s} s");
    }
    assert_eq!(trial.sent_s().len(), 8);
    trial.call().await.unwrap();

    trial.rewrite([failing(RATE_LIMITED)]);
    trial.call().await.unwrap_err();
    advance_s(60).await;
    assert_eq!(trial.stack.pause(), None);
}

#[tokio::test(start_paused = true)]
async fn calls_that_were_refused_together_count_as_one() {
    let trial = Trial::new(single(), vec![failing(RATE_LIMITED).after_s(1); 4]).await;

    let (..) = tokio::join!(trial.call(), trial.call(), trial.call(), trial.call());

    let paused = trial.kinds().into_iter().filter(|kind| *kind == Paused);
    assert_eq!(paused.count(), 1);
    let until = trial.stack.pause().unwrap().until;
    assert_eq!(until, "2026-11-24T12:01:01Z".parse().unwrap());
}

#[tokio::test(start_paused = true)]
async fn longest_wait_of_those_asked_for_together_counts() {
    let script = [20, 50, 30].map(|wait_s| asking(RATE_LIMITED, wait_s).after_s(1));
    let trial = Trial::new(single(), script).await;

    let (..) = tokio::join!(trial.call(), trial.call(), trial.call());

    let until = trial.stack.pause().unwrap().until;
    assert_eq!(until, "2026-11-24T12:00:51Z".parse().unwrap());

    // The three count as one, so the next pause is the second of its kind.
    trial.rewrite([failing(RATE_LIMITED)]);
    advance_s(50).await;
    trial.call().await.unwrap_err();
    let until = trial.stack.pause().unwrap().until;
    assert_eq!(until, "2026-11-24T12:02:51Z".parse().unwrap());
}

#[tokio::test(start_paused = true)]
async fn success_that_was_under_way_before_does_not_end_the_pause() {
    let trial = Trial::new(single(), [failing(AUTH).after_s(1), GOOD.after_s(2)]).await;

    let (refused, good) = tokio::join!(trial.call(), trial.call());

    assert!(refused.is_err() && good.is_ok());
    assert_eq!(trial.stack.pause().unwrap().class, AUTH);
}

#[tokio::test(start_paused = true)]
async fn service_cannot_ask_for_ever() {
    let trial = Trial::new(single(), [asking(RATE_LIMITED, u64::MAX)]).await;
    trial.call().await.unwrap_err();
    let until = trial.stack.pause().unwrap().until;
    assert_eq!(until, "2026-11-25T12:00:00Z".parse().unwrap());

    let trial = Trial::new(single(), [asking(QUOTA, u64::MAX)]).await;
    trial.call().await.unwrap_err();
    let until = trial.stack.pause().unwrap().until;
    assert_eq!(until, "2026-12-25T12:00:00Z".parse().unwrap());
}

#[tokio::test(start_paused = true)]
async fn operator_ends_the_pause() {
    let trial = Trial::new(single(), [failing(AUTH)]).await;
    trial.call().await.unwrap_err();

    trial.stack.end_pause();

    trial.call().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn pause_counts_neither_way_for_a_breaker_that_probes() {
    let mut policy = single();
    policy.breaker.consecutive_failures = positive(1);
    let trial = Trial::new(policy, [failing(FailureClass::Transient), failing(AUTH)]).await;
    trial.call().await.unwrap_err();
    advance_s(60).await;
    trial.call().await.unwrap_err();
    trial.call().await.unwrap_err();

    let snapshot = trial.stack.breaker().snapshot();

    assert_eq!((snapshot.state, snapshot.probes_in_flight), (BreakerState::HalfOpen, 0));
}
