//! The breaker alone, one rule after the other.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use pampero_resilience::{
    Breaker, BreakerPolicy, BreakerState, DecisionKind, FailureRate, Permit, TransitionCause,
    VirtualClock,
};

use crate::trial::{START, advance_s, positive};

const SOON: Duration = Duration::from_millis(100);

#[tokio::test(start_paused = true)]
async fn opens_after_exactly_as_many_failures_in_a_row_as_stated() {
    let breaker = breaker(BreakerPolicy::default());
    fail(&breaker, 2);
    permit(&breaker).succeed(SOON);
    fail(&breaker, 2);
    assert_eq!(breaker.snapshot().state, BreakerState::Closed);

    let decision = permit(&breaker).fail("transient: reset").unwrap();

    assert_eq!(decision.kind, DecisionKind::BreakerOpened);
    let cause = "3 consecutive failures, at last: transient: reset";
    assert_eq!(decision.cause.as_deref(), Some(cause));
    let refusal = breaker.admit().unwrap_err();
    assert_eq!(refusal.state, BreakerState::Open);
    assert_eq!(refusal.until, Some(wall("2026-11-24T12:01:00Z")));
    assert_eq!(refusal.retry_after, Some(Duration::from_secs(60)));
}

#[tokio::test(start_paused = true)]
async fn opens_at_the_stated_share_of_failures() {
    let breaker = breaker(BreakerPolicy::default());
    for _ in 0..4 {
        permit(&breaker).succeed(SOON);
        fail(&breaker, 1);
    }
    permit(&breaker).succeed(SOON);
    assert_eq!(breaker.snapshot().state, BreakerState::Closed);

    let decision = permit(&breaker).fail("down").unwrap();

    let cause = "5 of 10 calls failed within 60s, at last: down";
    assert_eq!(decision.cause.as_deref(), Some(cause));
}

#[tokio::test(start_paused = true)]
async fn many_old_successes_do_not_hide_that_half_of_the_calls_fail_now() {
    let breaker = breaker(BreakerPolicy::default());
    for _ in 0..1000 {
        permit(&breaker).succeed(SOON);
    }
    advance_s(60).await;
    for _ in 0..5 {
        permit(&breaker).succeed(SOON);
        fail(&breaker, 1);
    }

    assert_eq!(breaker.snapshot().state, BreakerState::Open);
}

#[tokio::test(start_paused = true)]
async fn transitions_are_counted_by_their_cause() {
    let breaker = breaker(BreakerPolicy::default());
    check_transitions(&breaker, &[]);
    fail(&breaker, 3);
    advance_s(60).await;
    fail(&breaker, 1);
    advance_s(60).await;
    permit(&breaker).succeed(SOON);
    let by_rules = [
        (TransitionCause::ConsecutiveFailures, 1),
        (TransitionCause::OpenTimeOver, 2),
        (TransitionCause::ProbeFailed, 1),
        (TransitionCause::ProbeSucceeded, 1),
    ];
    check_transitions(&breaker, &by_rules);
    breaker.force_closed(None);
    check_transitions(&breaker, &by_rules);
    breaker.force_open(None);
    breaker.release(None);
    let counts = breaker.transitions();
    let by_operator = counts.iter().filter(|(it, count)| {
        it.cause == TransitionCause::Operator && *count == 1 && it.from != it.to
    });
    assert_eq!(by_operator.count(), 2, "{counts:?}");
}

#[track_caller]
fn check_transitions(breaker: &Breaker, expected: &[(TransitionCause, u64)]) {
    let happened = breaker.transitions().into_iter().filter(|(_, count)| *count > 0);
    let happened: Vec<_> = happened.map(|(it, count)| (it.cause, count)).collect();
    assert_eq!(happened, expected);
}

#[tokio::test(start_paused = true)]
async fn neutral_outcomes_count_neither_way() {
    let breaker = breaker(BreakerPolicy::default());
    fail(&breaker, 2);
    permit(&breaker).stay_neutral();
    drop(permit(&breaker));
    let snapshot = breaker.snapshot();
    assert_eq!((snapshot.consecutive_failures, snapshot.window_calls), (2, 2));
    fail(&breaker, 1);
    assert_eq!(breaker.snapshot().state, BreakerState::Open);

    advance_s(60).await;
    permit(&breaker).stay_neutral();
    let snapshot = breaker.snapshot();
    assert_eq!((snapshot.state, snapshot.probes_in_flight), (BreakerState::HalfOpen, 0));
}

#[tokio::test(start_paused = true)]
async fn stays_open_to_the_eye_until_the_first_call_after_its_time() {
    let breaker = breaker(BreakerPolicy::default());
    fail(&breaker, 3);
    advance_s(59).await;
    assert!(!breaker.snapshot().probe_due);
    assert!(breaker.admit().is_err());
    advance_s(100).await;

    let before = breaker.snapshot();
    assert_eq!((before.state, before.probe_due), (BreakerState::Open, true));
    assert_eq!(before.since, wall("2026-11-24T12:00:00Z"));
    assert_eq!(before.until, Some(wall("2026-11-24T12:01:00Z")));
    assert_eq!(breaker.snapshot(), before);
    let admission = breaker.admit().unwrap();
    assert_eq!(admission.decision.unwrap().kind, DecisionKind::BreakerHalfOpened);
    let after = breaker.snapshot();
    assert_eq!((after.state, after.probes_in_flight), (BreakerState::HalfOpen, 1));
    assert_eq!(after.generation, before.generation + 1);
}

#[tokio::test(start_paused = true)]
async fn probes_are_bounded_and_enough_good_ones_close_it() {
    let policy = BreakerPolicy {
        probes_max: positive(2),
        probes_to_close: positive(3),
        ..BreakerPolicy::default()
    };
    let breaker = breaker(policy);
    fail(&breaker, 3);
    advance_s(60).await;

    let (first, second) = (permit(&breaker), permit(&breaker));
    assert_eq!(breaker.admit().unwrap_err().state, BreakerState::HalfOpen);
    assert_eq!(first.succeed(SOON), None);
    let third = permit(&breaker);
    assert!(breaker.admit().is_err());
    assert_eq!(second.succeed(SOON), None);
    let closed = third.succeed(SOON).unwrap();

    assert_eq!(closed.kind, DecisionKind::BreakerClosed);
    assert_eq!(closed.cause.as_deref(), Some("3 probes in a row succeeded"));
    let snapshot = breaker.snapshot();
    assert_eq!((snapshot.state, snapshot.window_calls), (BreakerState::Closed, 0));
}

#[tokio::test(start_paused = true)]
async fn failed_probe_opens_it_for_the_whole_time_again() {
    let breaker = breaker(BreakerPolicy::default());
    fail(&breaker, 3);
    advance_s(60).await;

    let opened = permit(&breaker).fail("down").unwrap();

    assert_eq!(opened.cause.as_deref(), Some("a probe failed: down"));
    assert_eq!(breaker.admit().unwrap_err().retry_after, Some(Duration::from_secs(60)));
}

#[tokio::test(start_paused = true)]
async fn outcome_of_an_older_generation_changes_nothing() {
    let policy = BreakerPolicy { consecutive_failures: positive(1), ..BreakerPolicy::default() };
    let breaker = breaker(policy);
    let old = [permit(&breaker), permit(&breaker), permit(&breaker), permit(&breaker)];
    fail(&breaker, 1);
    assert!(!old[0].is_current());
    advance_s(60).await;
    let probe = permit(&breaker);
    let before = breaker.snapshot();

    let [good, bad, neutral, cancelled] = old;
    assert_eq!(good.succeed(SOON), None);
    assert_eq!(bad.fail("late"), None);
    neutral.stay_neutral();
    drop(cancelled);

    assert_eq!(breaker.snapshot(), before);
    assert!(probe.is_current());
}

#[tokio::test(start_paused = true)]
async fn forced_state_holds_whatever_happens_until_it_is_released() {
    let breaker = breaker(BreakerPolicy::default());
    let why = || Some("maintenance".to_owned());
    let forced = breaker.force_open(why()).unwrap();
    assert_eq!((forced.kind, forced.cause), (DecisionKind::BreakerForcedOpen, why()));
    assert_eq!(breaker.force_open(why()), None);
    advance_s(86_400).await;
    let refusal = breaker.admit().unwrap_err();
    assert_eq!((refusal.until, refusal.retry_after), (None, None));
    assert!(breaker.snapshot().forced);

    let forced = breaker.force_closed(None).unwrap();
    assert_eq!(forced.kind, DecisionKind::BreakerForcedClosed);
    fail(&breaker, 100);
    assert_eq!(breaker.snapshot().state, BreakerState::Closed);
    assert_eq!(breaker.snapshot().consecutive_failures, 100);

    assert_eq!(breaker.release(None).unwrap().kind, DecisionKind::BreakerReleased);
    assert_eq!(breaker.release(None), None);
    let snapshot = breaker.snapshot();
    assert!(!snapshot.forced);
    assert_eq!((snapshot.consecutive_failures, snapshot.window_calls), (0, 0));
    fail(&breaker, 3);
    assert_eq!(breaker.snapshot().state, BreakerState::Open);
}

#[tokio::test(start_paused = true)]
async fn slow_success_counts_as_failure_only_beyond_the_limit() {
    let limit = Duration::from_secs(2);
    let policy = BreakerPolicy { slow_call: Some(limit), ..BreakerPolicy::default() };
    let breaker = breaker(policy);

    permit(&breaker).succeed(limit);
    assert_eq!(breaker.snapshot().consecutive_failures, 0);
    permit(&breaker).succeed(limit + Duration::from_millis(1));
    assert_eq!(breaker.snapshot().consecutive_failures, 1);
}

#[tokio::test(start_paused = true)]
async fn endless_open_time_does_not_panic() {
    let policy = BreakerPolicy {
        open_for: Duration::MAX,
        failure_rate: Some(FailureRate { window: Duration::MAX, ..FailureRate::default() }),
        ..BreakerPolicy::default()
    };
    let breaker = breaker(policy);
    fail(&breaker, 3);

    assert_eq!(breaker.admit().unwrap_err().until, Some(Timestamp::MAX));
}

fn breaker(policy: BreakerPolicy) -> Breaker {
    Breaker::new(policy, Arc::new(VirtualClock::starting_at(wall(START))))
}

fn permit(breaker: &Breaker) -> Permit<'_> {
    breaker.admit().unwrap().permit
}

fn fail(breaker: &Breaker, times: u32) {
    for _ in 0..times {
        permit(breaker).fail("down");
    }
}

fn wall(text: &str) -> Timestamp {
    text.parse().unwrap()
}
