//! Concurrency, queue and rate: the bounds on what reaches the service.

use std::time::Duration;

use pampero_resilience::DecisionKind::CallRefused;
use pampero_resilience::{CallError, FailureClass, Policy, RatePolicy};

use crate::trial::{GOOD, Trial, positive, single};

#[tokio::test(start_paused = true)]
async fn service_never_has_more_under_way_than_allowed() {
    let policy = Policy { concurrency: positive(2), ..single() };
    let trial = Trial::new(policy, vec![GOOD.after_s(3); 5]).await;

    let (..) = tokio::join!(trial.call(), trial.call(), trial.call(), trial.call(), trial.call());

    assert_eq!(trial.under_way_max(), 2);
    assert_eq!(trial.sent_s(), [0.0, 0.0, 3.0, 3.0, 6.0]);
}

#[tokio::test(start_paused = true)]
async fn full_queue_refuses_at_once() {
    let policy = Policy { concurrency: positive(1), queue_max: 1, ..single() };
    let trial = Trial::new(policy, [GOOD.after_s(3), GOOD.after_s(3)]).await;
    let refused = async {
        let error = trial.call().await.unwrap_err();
        (trial.elapsed_s(), error, trial.stack.stats())
    };

    let (first, second, (after_s, error, stats)) =
        tokio::join!(trial.call(), trial.call(), refused);

    assert!(first.is_ok() && second.is_ok());
    assert!(matches!(error, CallError::Saturated { waiting: 1 }), "{error}");
    assert_eq!((after_s, error.class()), (0.0, FailureClass::RateLimited));
    assert_eq!(trial.kinds(), [CallRefused]);
    assert_eq!((stats.in_flight, stats.waiting, stats.refused_by_queue), (1, 1, 1));
    assert_eq!(trial.stack.breaker().snapshot().window_calls, 2);
}

#[tokio::test(start_paused = true)]
async fn caller_that_leaves_the_queue_makes_room() {
    let policy = Policy { concurrency: positive(1), queue_max: 1, ..single() };
    let trial = Trial::new(policy, [GOOD.after_s(9), GOOD]).await;
    let leaves = tokio::time::timeout(Duration::from_secs(1), trial.call());
    let comes = async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        trial.call().await
    };

    let (first, left, came) = tokio::join!(trial.call(), leaves, comes);

    assert!(first.is_ok() && left.is_err() && came.is_ok());
    assert_eq!(trial.stack.stats().waiting, 0);
}

#[tokio::test(start_paused = true)]
async fn rate_is_kept_in_units() {
    let rate = RatePolicy { units: positive(10), per: Duration::from_secs(10), burst: positive(5) };
    let trial = Trial::new(Policy { rate: Some(rate), ..single() }, []).await;

    trial.call_costing(5).await.unwrap();
    trial.call_costing(3).await.unwrap();
    // Costs more than can ever be saved up, and so waits for all that can.
    trial.call_costing(8).await.unwrap();
    trial.call_costing(0).await.unwrap();

    assert_eq!(trial.sent_s(), [0.0, 3.0, 8.0, 8.0]);
}

#[tokio::test(start_paused = true)]
async fn costly_call_is_not_overtaken_by_cheap_ones() {
    let rate = RatePolicy { units: positive(1), per: Duration::from_secs(1), burst: positive(4) };
    let trial = Trial::new(Policy { rate: Some(rate), ..single() }, []).await;
    trial.call_costing(4).await.unwrap();
    let costly = async {
        trial.call_costing(4).await.unwrap();
        trial.elapsed_s()
    };
    let cheap = async {
        trial.call_costing(1).await.unwrap();
        trial.elapsed_s()
    };

    assert_eq!(tokio::join!(costly, cheap), (4.0, 5.0));
}
