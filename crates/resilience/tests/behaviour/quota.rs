//! The allowance of a calendar window, in memory and in the ledger.

use std::sync::Arc;

use pampero_resilience::DecisionKind::{CallRefused, LedgerFailed, QuotaExhausted};
use pampero_resilience::{
    BreakerState, CallError, FailureClass, MemoryLedger, Policy, QuotaLedger, QuotaLimit,
    QuotaUsage, QuotaWindow, Stack, VirtualClock,
};

use crate::trial::{Fault, FrailLedger, LedgerState, START, SetClock, Trial, advance_s, single};

const NOON: &str = START;

#[tokio::test(start_paused = true)]
async fn used_up_allowance_is_told_once_and_comes_back_with_the_next_window() {
    let trial = Trial::new(daily(2), []).await;
    trial.call().await.unwrap();
    trial.call().await.unwrap();
    assert_eq!(trial.kinds(), []);

    let error = trial.call().await.unwrap_err();
    let CallError::QuotaExhausted { window, resets_at, .. } = error else { panic!("{error}") };
    assert_eq!((window, resets_at), (QuotaWindow::Day, "2026-11-25T00:00:00Z".parse().unwrap()));
    assert_eq!((error.class(), error.was_attempted()), (FailureClass::Quota, false));
    assert_eq!(error.retry_after().unwrap().as_secs(), 12 * 3600);
    assert_eq!(trial.kinds(), [QuotaExhausted]);
    trial.call().await.unwrap_err();
    assert_eq!(trial.kinds(), [CallRefused]);
    assert_eq!(trial.stack.breaker().snapshot().state, BreakerState::Closed);
    assert_eq!(trial.stack.breaker().snapshot().window_failures, 0);
    assert_eq!(trial.stack.pause(), None);

    advance_s(12 * 3600).await;
    assert_eq!(trial.stack.quota()[0].used, 0);
    trial.call_costing(2).await.unwrap();
    trial.call().await.unwrap_err();
    assert_eq!(trial.kinds(), [QuotaExhausted]);
}

#[tokio::test(start_paused = true)]
async fn count_survives_a_new_start_on_the_same_ledger() {
    let ledger = Arc::new(MemoryLedger::default());
    let first = Trial::with(daily(3), [], SetClock::at(NOON), ledger.clone()).await;
    first.call_costing(2).await.unwrap();

    let second = Trial::with(daily(3), [], SetClock::at(NOON), ledger.clone()).await;
    assert_eq!(second.stack.quota()[0].used, 2);
    second.call_costing(2).await.unwrap_err();
    second.call_costing(1).await.unwrap();

    let next_day = SetClock::at("2026-11-25T00:00:00Z");
    let third = Trial::with(daily(3), [], next_day, ledger).await;
    assert_eq!(third.stack.quota()[0].used, 0);
}

#[tokio::test(start_paused = true)]
async fn refused_call_is_charged_to_no_window() {
    let quota = vec![
        QuotaLimit { window: QuotaWindow::Day, units: 10 },
        QuotaLimit { window: QuotaWindow::Month, units: 15 },
    ];
    let clock = SetClock::at(NOON);
    let ledger = Arc::new(MemoryLedger::default());
    let policy = Policy { quota, ..single() };
    let trial = Trial::with(policy, [], clock.clone(), ledger).await;
    trial.call_costing(8).await.unwrap();
    check_window(trial.call_costing(8).await.unwrap_err(), QuotaWindow::Month);
    check_window(trial.call_costing(3).await.unwrap_err(), QuotaWindow::Day);
    assert_eq!(used(&trial.stack), [8, 8]);

    clock.set("2026-11-25T08:00:00Z");
    trial.call_costing(7).await.unwrap();
    assert_eq!(used(&trial.stack), [7, 15]);
    check_window(trial.call_costing(1).await.unwrap_err(), QuotaWindow::Month);

    clock.set("2026-12-01T00:00:00Z");
    assert_eq!(used(&trial.stack), [0, 0]);
}

#[track_caller]
fn check_window(error: CallError<Fault>, expected: QuotaWindow) {
    let CallError::QuotaExhausted { window, .. } = error else { panic!("{error}") };
    assert_eq!(window, expected);
}

#[tokio::test(start_paused = true)]
async fn clock_that_is_set_back_gives_nothing_back() {
    let clock = SetClock::at("2026-11-24T00:00:01Z");
    let ledger = Arc::new(MemoryLedger::default());
    let trial = Trial::with(daily(1), [], clock.clone(), ledger.clone()).await;
    trial.call().await.unwrap();

    clock.set("2026-11-23T23:59:59Z");
    trial.call().await.unwrap_err();
    let reopened = Trial::with(daily(1), [], clock.clone(), ledger).await;
    reopened.call().await.unwrap_err();

    clock.set("2026-11-25T00:00:00Z");
    trial.call().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn units_are_on_record_before_the_attempt_is_made() {
    let ledger = Arc::new(MemoryLedger::default());
    let clock = SetClock::at(NOON);
    let stack = Stack::open("a service", daily(5), clock, ledger.clone(), 1).await.unwrap();

    let recorded = stack.call(3, &|_| (), |_| async { Ok::<_, Fault>(recorded(&*ledger).await) });

    assert_eq!(recorded.await.unwrap(), 3);
}

#[tokio::test(start_paused = true)]
async fn call_goes_on_without_the_ledger_and_the_count_is_recorded_later() {
    let ledger = Arc::new(FrailLedger::default());
    let trial = Trial::with(daily(5), [], SetClock::at(NOON), ledger.clone()).await;

    ledger.turn(LedgerState::Failing);
    trial.call().await.unwrap();
    let decisions = trial.decisions();
    let cause = "the quota ledger is not available: the disk is full";
    assert_eq!((decisions[0].kind, decisions[0].cause.as_deref()), (LedgerFailed, Some(cause)));
    trial.call().await.unwrap();
    assert_eq!(trial.kinds(), []);
    assert_eq!(trial.stack.stats().ledger_failures, 2);
    assert_eq!(used(&trial.stack), [2]);

    ledger.turn(LedgerState::Working);
    trial.call().await.unwrap();
    assert_eq!(recorded(&*ledger).await, 3);

    ledger.turn(LedgerState::Failing);
    trial.call().await.unwrap();
    assert_eq!(trial.kinds(), [LedgerFailed]);
}

#[tokio::test(start_paused = true)]
async fn call_without_cost_needs_neither_allowance_nor_ledger() {
    let ledger = Arc::new(FrailLedger::default());
    let trial = Trial::with(daily(1), [], SetClock::at(NOON), ledger.clone()).await;
    trial.call().await.unwrap();
    ledger.turn(LedgerState::Failing);

    trial.call_costing(0).await.unwrap();

    assert_eq!(trial.kinds(), []);
    assert_eq!(trial.stack.stats().ledger_failures, 0);
}

#[tokio::test(start_paused = true)]
async fn ledger_that_hangs_does_not_hold_up_the_call() {
    let ledger = Arc::new(FrailLedger::default());
    let trial = Trial::with(daily(5), [], SetClock::at(NOON), ledger.clone()).await;
    ledger.turn(LedgerState::Hanging);

    trial.call().await.unwrap();

    assert_eq!(trial.sent_s(), [5.0]);
    assert_eq!(trial.kinds(), [LedgerFailed]);
}

#[tokio::test(start_paused = true)]
async fn unreadable_ledger_is_an_error_only_where_there_is_a_quota() {
    let open = |policy| async {
        let ledger = Arc::new(FrailLedger::default());
        ledger.turn(LedgerState::Failing);
        Stack::open("a service", policy, SetClock::at(NOON), ledger, 1).await
    };

    assert!(open(daily(1)).await.is_err());
    assert!(open(single()).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn concurrent_calls_never_exceed_the_allowance() {
    let ledger = Arc::new(MemoryLedger::default());
    let clock = VirtualClock::starting_at(NOON.parse().unwrap());
    let trial = Trial::with(daily(20), [], Arc::new(clock), ledger.clone()).await;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let trial = Arc::clone(&trial);
        tasks.spawn(async move { trial.call().await.is_ok() });
    }

    let good = tasks.join_all().await.into_iter().filter(|good| *good).count();

    assert_eq!(good, 20);
    assert_eq!(trial.sent_s().len(), 20);
    assert_eq!(recorded(&*ledger).await, 20);
}

#[tokio::test]
async fn memory_ledger_keeps_the_newest_window_and_the_larger_count() {
    let ledger = MemoryLedger::default();
    let usage = |started_at: &str, used| QuotaUsage {
        window: QuotaWindow::Day,
        started_at: started_at.parse().unwrap(),
        used,
    };
    let (today, yesterday) = ("2026-11-24T00:00:00Z", "2026-11-23T00:00:00Z");
    for (given, kept) in [
        (usage(today, 5), 5),
        (usage(today, 3), 5),
        (usage(yesterday, 9), 5),
        (usage(today, 6), 6),
        (usage("2026-11-25T00:00:00Z", 1), 1),
    ] {
        ledger.save("a service", &[given]).await.unwrap();
        assert_eq!(recorded(&ledger).await, kept, "{given:?}");
    }
    assert!(ledger.load("another").await.unwrap().is_empty());
}

fn daily(units: u64) -> Policy {
    let quota = vec![QuotaLimit { window: QuotaWindow::Day, units }];
    Policy { quota, ..single() }
}

fn used(stack: &Stack) -> Vec<u64> {
    stack.quota().iter().map(|state| state.used).collect()
}

async fn recorded(ledger: &dyn QuotaLedger) -> u64 {
    ledger.load("a service").await.unwrap().iter().map(|usage| usage.used).sum()
}
