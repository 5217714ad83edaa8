//! The task that takes documents out of the queue of the log and brings them to where they are kept.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use pampero_telemetry::logging::documents::{DocumentQueue, LogDocument, unrecorded};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::{LogPath, Unwritten};
use crate::shipping::Shipping;

/// How the writer deals with what it is given.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct WriterOptions {
    /// Most documents that are taken at once.
    pub batch_max: usize,
    /// Shortest time between two batches, in which further documents gather.
    pub pause: Duration,
    /// Most documents that wait while a disk fails; beyond, the oldest are dropped.
    pub pending_max: usize,
    /// Most bytes of documents that wait while a disk fails.
    pub pending_bytes_max: usize,
    /// How long to wait before it is tried again to write to a disk that failed.
    pub retry: Duration,
    /// Longest time after which the buffer for another cluster is brought onto the disk.
    pub sync: Duration,
}

impl Default for WriterOptions {
    fn default() -> Self {
        Self {
            batch_max: 4_096,
            pause: Duration::from_millis(100),
            pending_max: 8_192,
            pending_bytes_max: 8 << 20,
            retry: Duration::from_secs(1),
            sync: Duration::from_secs(5),
        }
    }
}

/// What became of documents on the way to one place where they are kept.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct LaneStats {
    /// Times that writing failed.
    pub failures: u64,
    /// Documents that were dropped, because too many waited for a disk.
    pub dropped: u64,
    /// Documents that wait for a disk.
    pub pending: usize,
}

/// What became of documents on their ways; `None` for a way that there is not.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct WriterStats {
    /// Into the index.
    pub index: Option<LaneStats>,
    /// Into the buffer for another cluster.
    pub buffer: Option<LaneStats>,
}

/// Takes documents from the queue and writes them, into the index, into the buffer, or into both.
#[derive(Debug)]
pub struct LogWriter {
    queue: DocumentQueue,
    options: WriterOptions,
    lanes: Vec<Lane>,
    counts: WriterCounts,
}

/// Reads what became of documents; clones share the counts.
#[derive(Clone, Debug, Default)]
pub struct WriterCounts {
    index: Option<Arc<LaneCounts>>,
    buffer: Option<Arc<LaneCounts>>,
}

#[derive(Debug, Default)]
struct LaneCounts {
    failures: AtomicU64,
    dropped: AtomicU64,
    pending: AtomicUsize,
}

/// The way to one place where documents are kept, with what waits on it.
#[derive(Debug)]
struct Lane {
    destination: Destination,
    pending: Vec<LogDocument>,
    counts: Arc<LaneCounts>,
    /// When it is tried again; `None` while all is well.
    retries_at: Option<Instant>,
}

#[derive(Clone, Debug)]
enum Destination {
    Index(LogPath),
    Buffer(Shipping),
}

/// Why documents were not written.
#[derive(Debug, thiserror::Error)]
enum WriteError {
    #[error("the log index cannot be written")]
    Index(#[source] pampero_opensearch::Exception),
    #[error("the log buffer cannot be written")]
    Buffer(#[source] std::io::Error),
    #[error("writing was broken off")]
    Broken(#[source] tokio::task::JoinError),
}

impl WriterCounts {
    /// Returns what became of documents so far.
    pub fn stats(&self) -> WriterStats {
        let stats = |counts: &Arc<LaneCounts>| LaneStats {
            failures: counts.failures.load(Ordering::Relaxed),
            dropped: counts.dropped.load(Ordering::Relaxed),
            pending: counts.pending.load(Ordering::Relaxed),
        };
        WriterStats {
            index: self.index.as_ref().map(stats),
            buffer: self.buffer.as_ref().map(stats),
        }
    }
}

impl LogWriter {
    /// Makes a writer into `path`, into the buffer of `shipping`, or into both.
    pub fn new(
        queue: DocumentQueue,
        options: WriterOptions,
        path: Option<LogPath>,
        shipping: Option<Shipping>,
    ) -> Self {
        let mut counts = WriterCounts::default();
        let mut lanes = Vec::new();
        if let Some(path) = path {
            let lane = Lane::new(Destination::Index(path));
            counts.index = Some(Arc::clone(&lane.counts));
            lanes.push(lane);
        }
        if let Some(shipping) = shipping {
            let lane = Lane::new(Destination::Buffer(shipping));
            counts.buffer = Some(Arc::clone(&lane.counts));
            lanes.push(lane);
        }
        Self { queue, options, lanes, counts }
    }

    /// Returns the reader of what becomes of documents.
    pub fn counts(&self) -> WriterCounts {
        self.counts.clone()
    }

    /// Writes until `cancel`, then what is left in the queue.
    ///
    /// To be cancelled when everything that logs has ended. Without any place to write to the queue is
    /// closed at once, so that what is logged is counted as dropped.
    pub async fn run(mut self, cancel: CancellationToken) {
        if self.lanes.is_empty() {
            return;
        }
        let mut batch = Vec::new();
        let mut syncs_at = None;
        let mut is_closing = false;
        loop {
            let retries_at = self.lanes.iter().filter_map(|lane| lane.retries_at).min();
            tokio::select! {
                biased;
                () = cancel.cancelled(), if !is_closing => {
                    is_closing = true;
                    self.queue.close();
                    continue;
                }
                // Before the queue, which may never be empty.
                () = until(syncs_at), if !is_closing => {
                    syncs_at = None;
                    self.sync().await;
                    continue;
                }
                taken = self.queue.recv_many(&mut batch, self.options.batch_max) => {
                    if taken == 0 {
                        break;
                    }
                    syncs_at.get_or_insert(Instant::now() + self.options.sync);
                }
                () = until(retries_at), if !is_closing => {}
            }
            self.hand_over(std::mem::take(&mut batch), is_closing).await;
            let pause = tokio::time::sleep(self.options.pause);
            cancel.run_until_cancelled(pause).await;
        }
        self.hand_over(batch, true).await;
        self.sync().await;
        for lane in &mut self.lanes {
            lane.drop_beyond(0, 0);
        }
    }

    async fn hand_over(&mut self, batch: Vec<LogDocument>, is_last: bool) {
        let now = Instant::now();
        for lane in &mut self.lanes {
            lane.pending.extend(batch.iter().cloned());
            if is_last || lane.retries_at.is_none_or(|retries_at| retries_at <= now) {
                lane.write(self.options.retry).await;
            }
            lane.drop_beyond(self.options.pending_max, self.options.pending_bytes_max);
        }
    }

    async fn sync(&mut self) {
        for lane in &mut self.lanes {
            lane.sync().await;
        }
    }
}

async fn until(instant: Option<Instant>) {
    match instant {
        Some(instant) => sleep_until(instant).await,
        None => std::future::pending().await,
    }
}

impl Lane {
    fn new(destination: Destination) -> Self {
        Self { destination, pending: Vec::new(), counts: Arc::default(), retries_at: None }
    }

    /// Writes what waits; what is not written goes on waiting.
    async fn write(&mut self, retry: Duration) {
        if self.pending.is_empty() {
            self.retries_at = None;
            return;
        }
        let (destination, documents) =
            (self.destination.clone(), std::mem::take(&mut self.pending));
        let count = documents.len() as u64;
        let writing = move || unrecorded(|| destination.append(documents));
        let failure = match tokio::task::spawn_blocking(writing).await {
            Ok(Ok(())) => None,
            Ok(Err((left, error))) => {
                self.pending = left;
                Some(error)
            }
            Err(error) => {
                self.counts.dropped.fetch_add(count, Ordering::Relaxed);
                Some(WriteError::Broken(error))
            }
        };
        match failure {
            Some(error) => {
                self.counts.failures.fetch_add(1, Ordering::Relaxed);
                if self.retries_at.replace(Instant::now() + retry).is_none() {
                    self.tell_failing(&error);
                }
            }
            None if self.retries_at.take().is_some() => {
                let dropped = self.counts.dropped.load(Ordering::Relaxed);
                tracing::info!(destination = %self.destination, dropped, "the log is kept again");
            }
            None => {}
        }
    }

    async fn sync(&mut self) {
        let Destination::Buffer(shipping) = self.destination.clone() else { return };
        let syncing = tokio::task::spawn_blocking(move || unrecorded(|| shipping.sync()));
        if let Ok(Err(error)) = syncing.await {
            self.counts.failures.fetch_add(1, Ordering::Relaxed);
            self.tell_failing(&WriteError::Buffer(error));
        }
    }

    /// Tells the console, and no document: it would only wait with the others.
    fn tell_failing(&self, error: &WriteError) {
        unrecorded(|| {
            tracing::error!(
                destination = %self.destination,
                error = error as &dyn std::error::Error,
                "the log is not kept; documents wait and the oldest are dropped"
            );
        });
    }

    /// Drops the oldest of what waits beyond a number of documents and of bytes.
    fn drop_beyond(&mut self, documents_max: usize, bytes_max: usize) {
        let mut bytes = 0;
        let fits = |document: &&LogDocument| {
            bytes += document.body.len();
            bytes <= bytes_max
        };
        let kept = self.pending.iter().rev().take(documents_max).take_while(fits).count();
        let dropped = self.pending.len() - kept;
        self.pending.drain(..dropped);
        self.counts.dropped.fetch_add(dropped as u64, Ordering::Relaxed);
        self.counts.pending.store(self.pending.len(), Ordering::Relaxed);
    }
}

impl Destination {
    /// Writes documents, or gives back those that were not written; blocks.
    fn append(&self, documents: Vec<LogDocument>) -> Result<(), (Vec<LogDocument>, WriteError)> {
        match self {
            Self::Index(path) => path
                .append(documents)
                .map_err(|Unwritten { documents, error }| (documents, WriteError::Index(error))),
            Self::Buffer(shipping) => match shipping.append(&documents) {
                Ok(()) => Ok(()),
                Err(error) => Err((documents, WriteError::Buffer(error))),
            },
        }
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Index(_) => "index",
            Self::Buffer(_) => "buffer",
        })
    }
}
