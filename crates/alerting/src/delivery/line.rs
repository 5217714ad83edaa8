//! One channel: its messages in order, one at a time, with its stack round every try.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use pampero_notifications::{Delivered, DeliveryError, Message};
use pampero_resilience::{
    BreakerPolicy, CallError, Failure, FailureClass, LedgerError, MemoryLedger, PausePolicy,
    Policy, RatePolicy, RetryPolicy, RetryRule, Stack,
};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio_util::sync::CancellationToken;

use super::{Manner, Receiver};
use crate::engine::Inner;
use crate::outbox::{Next, OutboxRow};

/// The wait after the first call that failed, when nothing says how long; it doubles with each further one.
const WAIT_MIN: Duration = Duration::from_secs(5);
/// The doubling ends here.
const WAIT_MAX: Duration = Duration::from_secs(300);

/// One channel.
pub(super) struct Line {
    inner: Arc<Inner>,
    channel: String,
    stack: Mutex<Option<(Receiver, Arc<Stack>)>>,
    chance: Mutex<StdRng>,
}

/// What became of a call.
enum Outcome {
    Arrived,
    /// A repeat cannot help.
    Refused(String),
    /// A repeat may help, after so long.
    Postponed {
        reason: String,
        may_have_arrived: bool,
        wait: Duration,
    },
}

/// A try that failed, as the stack wants it.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
struct Failed(DeliveryError);

impl Failure for Failed {
    fn class(&self) -> FailureClass {
        self.0.class
    }

    fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }
}

impl Line {
    pub(super) fn new(inner: &Arc<Inner>, channel: &str) -> Arc<Self> {
        let seed = channel.bytes().fold(inner.options.seed, |seed, byte| {
            seed.wrapping_mul(31).wrapping_add(u64::from(byte))
        });
        Arc::new(Self {
            inner: Arc::clone(inner),
            channel: channel.to_owned(),
            stack: Mutex::default(),
            chance: Mutex::new(StdRng::seed_from_u64(seed)),
        })
    }

    /// Sends what waits until nothing does.
    pub(super) async fn serve(&self, cancel: &CancellationToken) {
        let mut failures = 0;
        while !cancel.is_cancelled() {
            let channel = self.channel.clone();
            let row = match self.inner.blocking(move |inner| inner.next_message(&channel)).await {
                Next::Send(row) => row,
                Next::GivenUp(_) => continue,
                Next::Nothing => return,
            };
            let id = row.id;
            match self.send(*row, failures).await {
                Outcome::Arrived => {
                    failures = 0;
                    self.settle(id, Ok(())).await;
                }
                Outcome::Refused(reason) => self.settle(id, Err(reason)).await,
                Outcome::Postponed { reason, may_have_arrived, wait } => {
                    failures += 1;
                    let channel = self.channel.clone();
                    let put_back = move |inner: &Inner| {
                        inner.put_message_back(&channel, id, reason, may_have_arrived);
                    };
                    self.inner.blocking(put_back).await;
                    self.wait(wait, cancel).await;
                }
            }
        }
    }

    /// Waits, or for less when the channels change, since that may be the remedy.
    async fn wait(&self, wait: Duration, cancel: &CancellationToken) {
        tokio::select! {
            () = cancel.cancelled() => {}
            () = tokio::time::sleep(wait) => {}
            () = self.inner.channels_changed.notified() => {}
        }
    }

    async fn settle(&self, id: i64, outcome: Result<(), String>) {
        let channel = self.channel.clone();
        self.inner.blocking(move |inner| inner.settle_message(&channel, id, outcome)).await;
    }

    async fn send(&self, row: OutboxRow, failures: u32) -> Outcome {
        let channel = &self.channel;
        let Some(receiver) = self.inner.deliver.receiver(channel) else {
            return Outcome::Refused(format!("there is no channel {channel}"));
        };
        if !receiver.is_enabled {
            return Outcome::Refused(format!("channel {channel} is not enabled"));
        }
        let stack = match self.stack(receiver).await {
            Ok(stack) => stack,
            // Only a ledger on disk can fail, and this one is not.
            Err(error) => return self.postponed(error.to_string(), false, None, failures),
        };
        // Set while nobody knows whether a try arrived, so that a repeat of it says that it is one.
        let in_doubt = AtomicBool::new(row.message.is_repeat);
        let message = &row.message;
        let attempt = |_| self.attempt(message, &in_doubt);
        let observer = |decision| tracing::debug!(?decision, channel.id = channel, "delivery");
        let called: Result<Delivered, CallError<Failed>> = stack.call(1, &observer, attempt).await;
        let error = match called {
            Ok(_) => return Outcome::Arrived,
            Err(error) => error,
        };
        let reason = match &error {
            CallError::Failed { source, .. } => source.to_string(),
            other => other.to_string(),
        };
        if error.was_attempted() {
            tracing::warn!(channel.id = channel, error = reason, "a message did not arrive");
            let channel = channel.clone();
            self.inner.blocking(move |inner| inner.count_failure(&channel)).await;
        }
        let is_hopeless = match error.class() {
            // An allowance comes back.
            FailureClass::Quota => false,
            class => class.retry_rule() == RetryRule::Never,
        };
        if is_hopeless {
            return Outcome::Refused(reason);
        }
        let in_doubt = in_doubt.load(Ordering::Acquire);
        self.postponed(reason, in_doubt, error.retry_after(), failures)
    }

    /// Makes one try.
    async fn attempt(&self, message: &Message, in_doubt: &AtomicBool) -> Result<Delivered, Failed> {
        let is_repeat = in_doubt.swap(true, Ordering::AcqRel);
        let deliver = &self.inner.deliver;
        let sent = if is_repeat == message.is_repeat {
            deliver.deliver(&self.channel, message).await
        } else {
            let message = Message { is_repeat, ..message.clone() };
            deliver.deliver(&self.channel, &message).await
        };
        sent.map_err(|error| {
            in_doubt.store(is_repeat || error.may_have_arrived, Ordering::Release);
            Failed(error)
        })
    }

    fn postponed(
        &self,
        reason: String,
        may_have_arrived: bool,
        asked: Option<Duration>,
        failures: u32,
    ) -> Outcome {
        let bound = WAIT_MIN.saturating_mul(1 << failures.min(16)).min(WAIT_MAX);
        let mut chance = self.chance.lock().unwrap_or_else(PoisonError::into_inner);
        let drawn = bound.mul_f64(chance.random_range(0.5..=1.0));
        // A receiver that asks for no time at all would be asked without a pause.
        let wait = asked.map_or(drawn, |asked| asked.max(Duration::from_secs(1)));
        Outcome::Postponed { reason, may_have_arrived, wait }
    }

    /// Returns the stack of the channel, a new one if the channel was changed.
    async fn stack(&self, receiver: Receiver) -> Result<Arc<Stack>, LedgerError> {
        let known = self.stack.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((known, stack)) = known
            && known == receiver
        {
            return Ok(stack);
        }
        let inner = &self.inner;
        let policy = policy(receiver.manner, inner.options.attempt_timeout);
        let ledger = Arc::new(MemoryLedger::default());
        let clock = Arc::clone(&inner.clock);
        let seed = inner.options.seed;
        let stack = Arc::new(Stack::open(&self.channel, policy, clock, ledger, seed).await?);
        let mut kept = self.stack.lock().unwrap_or_else(PoisonError::into_inner);
        *kept = Some((receiver, Arc::clone(&stack)));
        Ok(stack)
    }
}

fn policy(manner: Manner, attempt_timeout: Duration) -> Policy {
    let one = NonZeroU32::MIN;
    let rate = RatePolicy { units: one, per: Duration::from_secs(1), burst: one };
    Policy {
        deadline: attempt_timeout * 4,
        attempt_timeout,
        retry: RetryPolicy {
            attempts_max: one.saturating_add(2),
            backoff: Duration::from_secs(1),
            backoff_max: Duration::from_secs(10),
        },
        breaker: BreakerPolicy { failure_rate: None, ..BreakerPolicy::default() },
        rate: (manner == Manner::OnePerSecond).then_some(rate),
        concurrency: one,
        // A refused key fails each message by itself, which then can be sent again by hand.
        pause: PausePolicy { auth: Duration::ZERO, ..PausePolicy::default() },
        ..Policy::default()
    }
}
