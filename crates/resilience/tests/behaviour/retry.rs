//! What is repeated, how often and when.

use std::time::Duration;

use pampero_resilience::DecisionKind::{
    AttemptFailed, BreakerClosed, BreakerHalfOpened, BreakerOpened, GaveUp, Paused, QuotaExhausted,
    Recovered, RetryScheduled,
};
use pampero_resilience::{
    CallError, DecisionKind, Failure, FailureClass, Policy, QuotaLimit, QuotaWindow, RetryPolicy,
};

use crate::trial::{Answer, DOWN, GOOD, Trial, asking, at_once, failing, positive};

#[tokio::test(start_paused = true)]
async fn each_class_is_repeated_and_counted_by_its_rule() {
    let repeated = [AttemptFailed, RetryScheduled];
    let transient = [&repeated[..], &repeated, &[AttemptFailed, BreakerOpened, GaveUp]].concat();
    let malformed = [&repeated[..], &[AttemptFailed, GaveUp]].concat();
    let paused = vec![AttemptFailed, Paused, GaveUp];
    let once = vec![AttemptFailed, GaveUp];
    check(FailureClass::Transient, 3, 3, &transient).await;
    check(FailureClass::Malformed, 2, 2, &malformed).await;
    check(FailureClass::Auth, 1, 0, &paused).await;
    check(FailureClass::Quota, 1, 0, &[AttemptFailed, QuotaExhausted, Paused, GaveUp]).await;
    // Without a word from the service the pause is as long as the deadline, so nothing is repeated.
    check(FailureClass::RateLimited, 1, 0, &paused).await;
    check(FailureClass::NotCovered, 1, 0, &once).await;
    check(FailureClass::BadRequest, 1, 0, &once).await;
    check(FailureClass::Stale, 1, 0, &once).await;
}

async fn check(class: FailureClass, attempts: u32, counted: u32, decisions: &[DecisionKind]) {
    let trial = Trial::new(at_once(), vec![failing(class); 10]).await;
    let error = trial.call().await.unwrap_err();

    let told = trial.decisions();
    assert_eq!(told.iter().map(|told| told.kind).collect::<Vec<_>>(), decisions, "{class:?}");
    assert!(told[0].cause.as_ref().unwrap().starts_with(class.as_str()), "{:?}", told[0]);
    let CallError::Failed { attempts: made, .. } = error else { panic!("{class:?}: {error}") };
    assert_eq!(made, attempts, "{class:?}");
    assert_eq!(trial.sent_s().len() as u32, attempts, "{class:?}");
    assert_eq!(error.class(), class);
    assert_eq!(trial.stack.breaker().snapshot().consecutive_failures, counted, "{class:?}");
    assert_eq!(trial.stack.stats().failed(class), u64::from(attempts), "{class:?}");
}

#[tokio::test(start_paused = true)]
async fn success_after_a_failure_is_told_as_a_recovery() {
    let trial = Trial::new(at_once(), [DOWN.after_s(2), DOWN.after_s(4), GOOD.after_s(3)]).await;

    trial.call().await.unwrap();

    let decisions = trial.decisions();
    let told = |index: usize| {
        let decision = &decisions[index];
        (decision.kind, decision.attempt.unwrap(), decision.elapsed.unwrap().as_secs())
    };
    assert_eq!(told(0), (AttemptFailed, 1, 2));
    assert_eq!(told(1), (RetryScheduled, 1, 2));
    assert_eq!(told(2), (AttemptFailed, 2, 4));
    assert_eq!(told(3), (RetryScheduled, 2, 6));
    assert_eq!(told(4), (Recovered, 3, 9));
    assert_eq!(decisions[0].cause.as_deref(), Some("transient: the service said no"));
    assert_eq!(decisions[4].cause.as_deref(), Some("after 2 attempts that failed"));
    assert_eq!(decisions[4].at, "2026-11-24T12:00:09Z".parse().unwrap());
    assert_eq!(trial.stack.stats().retries, 2);
    assert_eq!(trial.stack.stats().calls, 1);
}

#[tokio::test(start_paused = true)]
async fn wait_that_the_service_asks_for_is_waited_out_exactly() {
    for class in [FailureClass::RateLimited, FailureClass::Transient] {
        let trial = Trial::new(at_once(), [asking(class, 7), asking(class, 11), GOOD]).await;

        trial.call().await.unwrap();

        assert_eq!(trial.sent_s(), [0.0, 7.0, 18.0], "{class:?}");
        let is_paused = trial.kinds().contains(&Paused);
        assert_eq!(is_paused, class == FailureClass::RateLimited, "{class:?}");
        assert_eq!(trial.stack.pause(), None);
    }
}

#[tokio::test(start_paused = true)]
async fn wait_that_would_outlive_the_deadline_is_not_begun() {
    let trial = Trial::new(at_once(), [DOWN.after_s(9), asking(FailureClass::Transient, 52)]);
    let trial = trial.await;

    let error = trial.call().await.unwrap_err();

    assert!(matches!(error, CallError::Failed { attempts: 2, .. }), "{error}");
    assert_eq!(trial.elapsed_s(), 9.0);
    let last = trial.decisions().pop().unwrap();
    assert_eq!(last.cause.as_deref(), Some("the wait of 52s would outlive the deadline"));
}

#[tokio::test(start_paused = true)]
async fn waits_stay_within_their_growing_bounds() {
    let retry = RetryPolicy { attempts_max: positive(6), ..RetryPolicy::default() };
    let deadline = Duration::from_secs(3600);
    let mut policy = Policy { retry, deadline, ..Policy::default() };
    policy.breaker.consecutive_failures = positive(100);
    let trial = Trial::new(policy, vec![DOWN; 6]).await;

    trial.call().await.unwrap_err();

    let sent = trial.sent_s();
    let waits: Vec<f64> = sent.windows(2).map(|pair| pair[1] - pair[0]).collect();
    for (wait, bound) in waits.iter().zip([5.0, 10.0, 20.0, 40.0, 60.0]) {
        assert!(*wait <= bound, "{waits:?}");
    }
    assert!(waits.iter().sum::<f64>() > 5.0, "{waits:?}");
}

#[tokio::test(start_paused = true)]
async fn breaker_that_opens_ends_the_call_with_the_last_failure() {
    let mut policy = at_once();
    policy.breaker.consecutive_failures = positive(2);
    let trial = Trial::new(policy, vec![DOWN; 10]).await;

    let error = trial.call().await.unwrap_err();

    assert!(matches!(error, CallError::Failed { attempts: 2, .. }), "{error}");
    let last = trial.decisions().pop().unwrap();
    assert_eq!((last.kind, last.cause.as_deref()), (GaveUp, Some("the breaker is open")));
}

#[tokio::test(start_paused = true)]
async fn repeat_may_be_the_probe_when_the_wait_is_longer_than_the_breaker_stays_open() {
    let mut policy = at_once();
    policy.breaker.consecutive_failures = positive(1);
    policy.breaker.open_for = Duration::from_secs(2);
    let trial = Trial::new(policy, [asking(FailureClass::Transient, 3), GOOD]).await;

    trial.call().await.unwrap();

    let opened = [AttemptFailed, BreakerOpened, RetryScheduled];
    let probed = [BreakerHalfOpened, BreakerClosed, Recovered];
    assert_eq!(trial.kinds(), [opened, probed].concat());
}

#[tokio::test(start_paused = true)]
async fn refusal_of_a_repeat_ends_the_call_with_the_failure_before_it() {
    let quota = vec![QuotaLimit { window: QuotaWindow::Day, units: 1 }];
    let trial = Trial::new(Policy { quota, ..at_once() }, vec![DOWN; 10]).await;

    let error = trial.call().await.unwrap_err();

    assert!(matches!(error, CallError::Failed { attempts: 1, .. }), "{error}");
    assert!(error.was_attempted());
    assert_eq!(trial.kinds(), [AttemptFailed, RetryScheduled, QuotaExhausted, GaveUp]);
}

#[tokio::test(start_paused = true)]
async fn slow_success_is_an_answer_to_the_caller_and_a_failure_to_the_breaker() {
    let mut policy = at_once();
    policy.breaker.slow_call = Some(Duration::from_secs(2));
    let slow: Answer = GOOD.after_s(3);
    let trial = Trial::new(policy, [slow.clone(), slow.clone(), slow]).await;

    for _ in 0..3 {
        trial.call().await.unwrap();
    }

    assert_eq!(trial.kinds(), [BreakerOpened]);
    let cause = trial.stack.breaker().snapshot().last_failure.unwrap().cause;
    assert_eq!(cause, "slow: the answer took 3s, the limit is 2s");
}

#[test]
fn failure_keeps_its_cause() {
    let trial = |answer: Answer| async { Trial::new(at_once(), [answer]).await.call().await };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let error = runtime.block_on(trial(failing(FailureClass::BadRequest))).unwrap_err();

    assert_eq!(error.to_string(), "the call failed after 1 attempt");
    let source = std::error::Error::source(&error).unwrap();
    assert_eq!(source.to_string(), "the service said no");
    let as_failure: &dyn Failure = &error;
    assert_eq!(as_failure.class(), FailureClass::BadRequest);
}
