//! What the whole stack adds to a successful call: prints nanoseconds per call with and without it.

use std::convert::Infallible;
use std::hint::black_box;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pampero_resilience::{
    Failure, FailureClass, MemoryLedger, Policy, QuotaLimit, QuotaWindow, RatePolicy, Stack,
    SystemClock,
};

const CALLS: u32 = 200_000;
const ROUNDS: usize = 7;

/// A failure that never happens.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
struct Never(Infallible);

impl Failure for Never {
    fn class(&self) -> FailureClass {
        match self.0 {}
    }

    fn retry_after(&self) -> Option<Duration> {
        match self.0 {}
    }
}

#[expect(clippy::print_stdout, reason = "the figures are what this program is for")]
fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let runtime = runtime.expect("a runtime without sockets can always be made");
    runtime.block_on(async {
        let bare = fastest(async || attempt().await.is_ok()).await;
        let default = measure(Policy::default()).await;
        let limited = measure(with_all_limits()).await;
        println!("stack ns_per_call={default:.0} all_limits={limited:.0} bare={bare:.0}");
    });
}

/// Returns nanoseconds per call through a stack.
async fn measure(policy: Policy) -> f64 {
    let ledger = Arc::new(MemoryLedger::default());
    let stack = Stack::open("bench", policy, Arc::new(SystemClock), ledger, 1).await;
    let stack = stack.expect("a ledger in memory can be read");
    fastest(async || stack.call(1, &|_| {}, |_| attempt()).await.is_ok()).await
}

async fn attempt() -> Result<u64, Never> {
    Ok(black_box(1))
}

/// Returns nanoseconds per call in the fastest of some rounds, which is the least disturbed one.
async fn fastest(call: impl AsyncFn() -> bool) -> f64 {
    let mut fastest = f64::INFINITY;
    for _ in 0..ROUNDS {
        let started = Instant::now();
        for _ in 0..CALLS {
            assert!(black_box(call().await), "a call was refused");
        }
        fastest = fastest.min(started.elapsed().as_nanos() as f64 / f64::from(CALLS));
    }
    fastest
}

/// The default policy with a rate and two quotas, wide enough never to refuse.
fn with_all_limits() -> Policy {
    let units = NonZeroU32::MAX;
    Policy {
        rate: Some(RatePolicy { units, per: Duration::from_secs(1), burst: units }),
        quota: vec![
            QuotaLimit { window: QuotaWindow::Day, units: u64::MAX },
            QuotaLimit { window: QuotaWindow::Month, units: u64::MAX },
        ],
        ..Policy::default()
    }
}
