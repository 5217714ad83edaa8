//! The order of the parts: what each of them sees, and what it does not.

use std::time::Duration;

use pampero_resilience::DecisionKind::{
    AttemptFailed, BreakerClosed, BreakerHalfOpened, BreakerOpened, CallRefused, GaveUp,
    RetryScheduled,
};
use pampero_resilience::{
    BreakerState, CallError, FailureClass, Policy, QuotaLimit, QuotaWindow, RatePolicy,
};
use tokio::time::timeout;

use crate::trial::{DOWN, GOOD, HANG, Trial, advance_s, at_once, failing, positive, single};

#[tokio::test(start_paused = true)]
async fn open_breaker_takes_no_place_no_token_and_no_quota() {
    let rate =
        RatePolicy { units: positive(1), per: Duration::from_secs(3600), burst: positive(1) };
    let quota = vec![QuotaLimit { window: QuotaWindow::Day, units: 1 }];
    let trial = Trial::new(Policy { rate: Some(rate), quota, ..single() }, []).await;
    trial.stack.breaker().force_open(None);

    let error = trial.call().await.unwrap_err();
    assert!(matches!(error, CallError::BreakerOpen { until: None, .. }), "{error}");
    assert_eq!(trial.kinds(), [CallRefused]);
    assert_eq!(trial.stack.quota()[0].used, 0);
    assert_eq!(trial.stack.stats().in_flight, 0);

    trial.stack.breaker().release(None);
    trial.call().await.unwrap();
    assert_eq!(trial.sent_s(), [0.0]);
}

#[tokio::test(start_paused = true)]
async fn refusal_does_not_queue_behind_those_who_passed_before() {
    let policy = Policy { concurrency: positive(1), queue_max: 0, ..single() };
    let trial = Trial::new(policy, [GOOD.after_s(5)]).await;
    let refused = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        trial.stack.breaker().force_open(None);
        let error = trial.call().await.unwrap_err();
        trial.stack.breaker().release(None);
        (trial.elapsed_s(), error)
    };

    let (passed, (refused_s, error)) = tokio::join!(trial.call(), refused);

    assert!(passed.is_ok());
    assert!(matches!(error, CallError::BreakerOpen { .. }), "{error}");
    assert_eq!(refused_s, 1.0);
}

#[tokio::test(start_paused = true)]
async fn hang_is_cut_by_the_attempt_timeout_and_seen_by_the_breaker() {
    let trial = Trial::new(at_once(), [HANG, HANG, HANG]).await;

    let error = trial.call().await.unwrap_err();

    assert!(matches!(error, CallError::TimedOut { attempts: 3, .. }), "{error}");
    assert_eq!(trial.sent_s(), [0.0, 10.0, 20.0]);
    assert_eq!(trial.elapsed_s(), 30.0);
    assert_eq!(trial.stack.breaker().snapshot().state, BreakerState::Open);
    assert_eq!(trial.stack.stats().attempts_timed_out, 3);
    let attempt = [AttemptFailed, RetryScheduled];
    assert_eq!(
        trial.kinds(),
        [&attempt[..], &attempt, &[AttemptFailed, BreakerOpened, GaveUp]].concat()
    );
}

#[tokio::test(start_paused = true)]
async fn queueing_is_not_counted_against_the_attempt() {
    let policy = Policy { concurrency: positive(1), ..single() };
    let trial = Trial::new(policy, [GOOD.after_s(9), GOOD.after_s(9), GOOD.after_s(9)]).await;

    let (first, second, third) = tokio::join!(trial.call(), trial.call(), trial.call());

    assert!(first.is_ok() && second.is_ok() && third.is_ok());
    assert_eq!(trial.sent_s(), [0.0, 9.0, 18.0]);
}

#[tokio::test(start_paused = true)]
async fn waiting_for_the_rate_is_not_counted_against_the_attempt() {
    let rate = RatePolicy { units: positive(1), per: Duration::from_secs(20), burst: positive(1) };
    let trial = Trial::new(Policy { rate: Some(rate), ..single() }, []).await;

    let (first, second) = tokio::join!(trial.call(), trial.call());

    assert!(first.is_ok() && second.is_ok());
    assert_eq!(trial.sent_s(), [0.0, 20.0]);
}

#[tokio::test(start_paused = true)]
async fn deadline_bounds_the_queue() {
    let deadline = Duration::from_secs(15);
    let policy = Policy { concurrency: positive(1), deadline, ..single() };
    let trial = Trial::new(policy, vec![GOOD.after_s(9); 3]).await;

    let (first, second, third) = tokio::join!(trial.call(), trial.call(), trial.call());

    assert!(first.is_ok());
    assert_deadline(second.unwrap_err(), 1);
    // The second gives its place to the third at the very moment at which both are cut off.
    assert_deadline(third.unwrap_err(), 1);
    assert_eq!(trial.sent_s(), [0.0, 9.0, 15.0]);
    assert_eq!(trial.elapsed_s(), 15.0);
    assert_eq!(trial.under_way(), 0);
    assert_eq!(trial.stack.stats().waiting, 0);
    assert_eq!(trial.stack.stats().in_flight, 0);
}

#[tokio::test(start_paused = true)]
async fn deadline_bounds_the_wait_for_the_rate() {
    let rate = RatePolicy { units: positive(1), per: Duration::from_secs(600), burst: positive(1) };
    let trial = Trial::new(Policy { rate: Some(rate), ..single() }, []).await;

    let (first, second) = tokio::join!(trial.call(), trial.call());

    assert!(first.is_ok());
    assert_deadline(second.unwrap_err(), 0);
    assert_eq!(trial.elapsed_s(), 60.0);
}

#[tokio::test(start_paused = true)]
async fn deadline_cancels_the_attempt_which_counts_neither_way() {
    let deadline = Duration::from_secs(5);
    let trial = Trial::new(Policy { deadline, ..single() }, [HANG]).await;

    assert_deadline(trial.call().await.unwrap_err(), 1);

    assert_eq!(trial.under_way(), 0);
    assert_eq!(trial.stack.breaker().snapshot().consecutive_failures, 0);
    assert_eq!(trial.kinds(), [GaveUp]);
    assert_eq!(trial.stack.stats().deadlines_exceeded, 1);
}

#[track_caller]
fn assert_deadline<E: std::error::Error>(error: CallError<E>, begun: u32) {
    let CallError::DeadlineExceeded { attempts, .. } = error else { panic!("{error}") };
    assert_eq!(attempts, begun);
}

#[tokio::test(start_paused = true)]
async fn cancelled_probe_gives_its_place_back() {
    let trial = Trial::new(single(), [DOWN, DOWN, DOWN, HANG, GOOD]).await;
    for _ in 0..3 {
        trial.call().await.unwrap_err();
    }
    advance_s(60).await;

    timeout(Duration::from_secs(1), trial.call()).await.unwrap_err();
    let snapshot = trial.stack.breaker().snapshot();
    assert_eq!((snapshot.state, snapshot.probes_in_flight), (BreakerState::HalfOpen, 0));

    trial.decisions();
    trial.call().await.unwrap();
    assert_eq!(trial.kinds(), [BreakerClosed]);
}

#[tokio::test(start_paused = true)]
async fn second_call_is_refused_while_a_probe_is_under_way() {
    let trial = Trial::new(single(), [DOWN, DOWN, DOWN, GOOD.after_s(5)]).await;
    for _ in 0..3 {
        trial.call().await.unwrap_err();
    }
    advance_s(60).await;
    trial.decisions();

    let (probe, other) = tokio::join!(trial.call(), trial.call());

    assert!(probe.is_ok());
    let error = other.unwrap_err();
    assert!(
        matches!(error, CallError::BreakerOpen { state: BreakerState::HalfOpen, .. }),
        "{error}"
    );
    assert_eq!(trial.kinds(), [BreakerHalfOpened, CallRefused, BreakerClosed]);
}

#[tokio::test(start_paused = true)]
async fn late_success_of_an_older_generation_does_not_close_the_breaker() {
    // The first call is slow; three others open the breaker meanwhile, and a probe hangs.
    let script = [GOOD.after_s(9), DOWN, DOWN, DOWN, HANG];
    let mut policy = single();
    policy.breaker.open_for = Duration::from_secs(2);
    let trial = Trial::new(policy, script).await;

    let late = trial.call();
    let others = async {
        for _ in 0..3 {
            trial.call().await.unwrap_err();
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
        timeout(Duration::from_secs(8), trial.call()).await.unwrap_err();
    };
    let look = async {
        tokio::time::sleep(Duration::from_millis(9500)).await;
        trial.stack.breaker().snapshot()
    };
    let (late, (), snapshot) = tokio::join!(late, others, look);

    assert!(late.is_ok());
    assert_eq!(snapshot.state, BreakerState::HalfOpen);
    assert_eq!((snapshot.probes_in_flight, snapshot.probes_succeeded), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn queue_is_asked_again_when_the_breaker_has_opened() {
    let policy = Policy { concurrency: positive(1), ..single() };
    let trial = Trial::new(policy, vec![DOWN.after_s(1); 10]).await;

    let calls = (0..6).map(|_| trial.call());
    let outcomes = join_all(calls).await;

    assert_eq!(trial.sent_s(), [0.0, 1.0, 2.0]);
    let refused = |outcome: &&Result<_, _>| matches!(outcome, Err(CallError::BreakerOpen { .. }));
    assert_eq!(outcomes.iter().filter(refused).count(), 3);
}

#[tokio::test(start_paused = true)]
async fn queue_is_asked_again_when_the_service_refuses_the_key() {
    let policy = Policy { concurrency: positive(1), ..single() };
    let trial = Trial::new(policy, [failing(FailureClass::Auth).after_s(1)]).await;

    let outcomes = join_all((0..6).map(|_| trial.call())).await;

    assert_eq!(trial.sent_s(), [0.0]);
    let refused = |outcome: &&Result<_, _>| matches!(outcome, Err(CallError::Paused { .. }));
    assert_eq!(outcomes.iter().filter(refused).count(), 5);
}

#[tokio::test(start_paused = true)]
async fn future_can_be_sent_to_another_thread() {
    let trial = Trial::new(single(), []).await;
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(async move { trial.call().await });

    assert!(tasks.join_next().await.unwrap().unwrap().is_ok());
}

/// Waits for all of the futures, which begin in their order.
async fn join_all<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut waiting: Vec<_> = futures.map(|future| (Box::pin(future), None)).collect();
    std::future::poll_fn(|context| {
        for (future, output) in waiting.iter_mut().filter(|(_, output)| output.is_none()) {
            if let std::task::Poll::Ready(ready) = future.as_mut().poll(context) {
                *output = Some(ready);
            }
        }
        if waiting.iter().all(|(_, output)| output.is_some()) {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    waiting.into_iter().filter_map(|(_, output)| output).collect()
}
