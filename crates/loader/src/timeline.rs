//! The timeline: publishes every event inside the process, writes it to the log and to the store.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use pampero_resilience::Decision;
use pampero_resilience::DecisionKind;
use pampero_store::Store;
use pampero_weather::event::{Event, EventKind};
use pampero_weather::place::PlaceId;
use pampero_weather::provider::ProviderId;
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio_util::sync::CancellationToken;

/// Where events go. Clones share the same timeline.
#[derive(Clone)]
pub struct Timeline {
    live: broadcast::Sender<Arc<Event>>,
    queue: mpsc::Sender<Queued>,
    stats: Arc<Counters>,
}

enum Queued {
    Event(Arc<Event>),
    Flush(oneshot::Sender<()>),
}

#[derive(Default)]
struct Counters {
    published: [AtomicU64; EventKind::ALL.len()],
    dropped: AtomicU64,
}

/// What became of the events since the program started.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TimelineStats {
    /// Events that were published.
    pub published: u64,
    /// Events that did not reach the store, because too many waited for it.
    pub dropped: u64,
    /// Events that wait for the store.
    pub waiting: usize,
}

impl Timeline {
    /// Most events that wait for the store; later ones are dropped, counted and still published.
    pub const QUEUE_MAX: usize = 16_384;
    /// Most events a slow subscriber may lag behind before it misses some.
    pub const LIVE_MAX: usize = 1_024;
    const BATCH_MAX: usize = 512;
    const RETRY_PAUSE: Duration = Duration::from_secs(5);

    /// Opens a timeline; the future writes events to the store until `cancel`, then drains and ends.
    pub fn open(
        store: Arc<dyn Store>,
        cancel: CancellationToken,
    ) -> (Self, impl Future<Output = ()>) {
        let (queue, waiting) = mpsc::channel(Self::QUEUE_MAX);
        let live = broadcast::Sender::new(Self::LIVE_MAX);
        let timeline = Self { live, queue, stats: Arc::default() };
        (timeline, write(store, waiting, cancel))
    }

    /// Publishes an event: to the log, to subscribers, and to the store as soon as it can.
    pub fn publish(&self, event: Event) {
        log(&event);
        let event = Arc::new(event);
        self.stats.published[event.kind as usize].fetch_add(1, Ordering::Relaxed);
        if self.queue.try_send(Queued::Event(Arc::clone(&event))).is_err() {
            self.stats.dropped.fetch_add(1, Ordering::Relaxed);
        }
        // Without a subscriber the event is only stored.
        let _ = self.live.send(event);
    }

    /// Publishes a decision of the stack of `provider` as an event.
    pub fn publish_decision(
        &self,
        provider: ProviderId,
        place: Option<&PlaceId>,
        decision: Decision,
    ) {
        self.publish(Event {
            at: decision.at,
            kind: event_kind(decision.kind),
            provider: Some(provider),
            place: place.cloned(),
            cause: decision.cause,
            attempt: decision.attempt,
            elapsed: decision.elapsed,
        });
    }

    /// Returns events as they are published; a slow reader misses the oldest.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Event>> {
        self.live.subscribe()
    }

    /// Waits until every event published so far was offered to the store.
    pub async fn flush(&self) {
        let (done, flushed) = oneshot::channel();
        if self.queue.send(Queued::Flush(done)).await.is_ok() {
            // The writer ends only after it has emptied the queue.
            let _ = flushed.await;
        }
    }

    /// Returns how many events of each kind were published, those without any included.
    pub fn published_by_kind(&self) -> impl Iterator<Item = (EventKind, u64)> {
        let counts = self.stats.published.iter().map(|count| count.load(Ordering::Relaxed));
        EventKind::ALL.iter().copied().zip(counts)
    }

    /// Returns what became of the events.
    pub fn stats(&self) -> TimelineStats {
        TimelineStats {
            published: self.published_by_kind().map(|(_, count)| count).sum(),
            dropped: self.stats.dropped.load(Ordering::Relaxed),
            waiting: Self::QUEUE_MAX - self.queue.capacity(),
        }
    }
}

/// Writes what waits until the timeline is closed or cancelled, then writes the rest once.
async fn write(
    store: Arc<dyn Store>,
    mut waiting: mpsc::Receiver<Queued>,
    cancel: CancellationToken,
) {
    let mut batch = Vec::with_capacity(Timeline::BATCH_MAX);
    loop {
        tokio::select! {
            biased;
            received = waiting.recv_many(&mut batch, Timeline::BATCH_MAX) => {
                if received == 0 {
                    return;
                }
            }
            () = cancel.cancelled() => {
                waiting.close();
                if waiting.is_empty() {
                    return;
                }
                continue;
            }
        }
        append(&store, std::mem::take(&mut batch), &cancel).await;
    }
}

/// Writes one batch, again and again while the store refuses it and the program runs.
async fn append(store: &Arc<dyn Store>, batch: Vec<Queued>, cancel: &CancellationToken) {
    let mut events = Vec::with_capacity(batch.len());
    let mut flushed = Vec::new();
    for queued in batch {
        match queued {
            Queued::Event(event) => events.push(Event::clone(&event)),
            Queued::Flush(done) => flushed.push(done),
        }
    }
    while !events.is_empty() {
        let Err(error) = store.append_events(events.clone()).await else { break };
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            count = events.len(),
            "events cannot be stored yet"
        );
        if cancel.is_cancelled() {
            tracing::error!(count = events.len(), "events were not stored before the end");
            break;
        }
        tokio::select! {
            () = tokio::time::sleep(Timeline::RETRY_PAUSE) => {}
            () = cancel.cancelled() => {}
        }
    }
    for done in flushed {
        // Whoever waited may have given up.
        let _ = done.send(());
    }
}

fn event_kind(kind: DecisionKind) -> EventKind {
    match kind {
        DecisionKind::AttemptFailed => EventKind::AttemptFailed,
        DecisionKind::RetryScheduled => EventKind::RetryScheduled,
        DecisionKind::GaveUp => EventKind::GaveUp,
        DecisionKind::Recovered => EventKind::Recovered,
        DecisionKind::BreakerOpened => EventKind::BreakerOpened,
        DecisionKind::BreakerHalfOpened => EventKind::BreakerHalfOpened,
        DecisionKind::BreakerClosed => EventKind::BreakerClosed,
        DecisionKind::BreakerForcedOpen => EventKind::BreakerForcedOpen,
        DecisionKind::BreakerForcedClosed => EventKind::BreakerForcedClosed,
        DecisionKind::BreakerReleased => EventKind::BreakerReleased,
        DecisionKind::CallRefused => EventKind::CallRefused,
        DecisionKind::Paused => EventKind::ProviderPaused,
        DecisionKind::QuotaExhausted => EventKind::QuotaExhausted,
        DecisionKind::LedgerFailed => EventKind::LedgerFailed,
    }
}

/// Writes an event to the log: what failed for good as an error, trouble that something is done about
/// as a warning, the rest as information.
fn log(event: &Event) {
    let provider = event.provider.map(ProviderId::as_str);
    let place = event.place.as_ref().map(PlaceId::as_str);
    let cause = event.cause.as_deref();
    let attempt = event.attempt;
    let elapsed_ms = event.elapsed.map(|elapsed| elapsed.as_millis() as u64);
    macro_rules! line {
        ($level:ident, $message:literal) => {
            tracing::$level!(provider, place, attempt, elapsed_ms, cause, $message)
        };
    }
    match event.kind {
        EventKind::AttemptFailed => line!(warn, "attempt failed"),
        EventKind::RetryScheduled => line!(info, "retry scheduled"),
        EventKind::GaveUp => line!(error, "gave up"),
        EventKind::Recovered => line!(info, "recovered"),
        EventKind::BreakerOpened => line!(warn, "breaker opened"),
        EventKind::BreakerHalfOpened => line!(info, "breaker lets a probe through"),
        EventKind::BreakerClosed => line!(info, "breaker closed"),
        EventKind::BreakerForcedOpen => line!(warn, "breaker forced open"),
        EventKind::BreakerForcedClosed => line!(warn, "breaker forced closed"),
        EventKind::BreakerReleased => line!(info, "breaker released"),
        EventKind::CallRefused => line!(info, "call refused"),
        EventKind::ProviderPaused => line!(warn, "provider paused"),
        EventKind::QuotaExhausted => line!(warn, "quota exhausted"),
        EventKind::LedgerFailed => line!(error, "quota count is not on record"),
        EventKind::FallbackStarted => line!(warn, "fallback started"),
        EventKind::FallbackEnded => line!(info, "fallback ended"),
        EventKind::ChainExhausted => line!(error, "no provider answered"),
        EventKind::ReadingRejected => line!(warn, "reading rejected"),
        EventKind::AnswerRejected => line!(warn, "answer rejected"),
        EventKind::RevisionStored => line!(info, "revision stored"),
        EventKind::StoreFailed => line!(error, "store failed"),
        EventKind::PlaceResolved => line!(info, "place resolved"),
        EventKind::PlaceUnresolved => line!(warn, "place cannot be resolved"),
    }
}
