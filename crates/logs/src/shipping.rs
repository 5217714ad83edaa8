//! Sending the documents of the log to a real OpenSearch.
//!
//! Documents go into a bounded buffer on disk and leave it in bulk requests, one at a time. Each has an
//! id that stays the same however often it is sent, and is sent with `create`: so a repeat never
//! doubles, and what the cluster has taken before counts as taken. While the cluster is away the
//! buffer grows, drops its oldest when it is full, and nobody waits. Start reading at
//! [`Shipping::run`].

mod buffer;
mod bulk;
mod config;
mod dead_letters;
mod requests;
mod sender;

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use jiff::Timestamp;
use pampero_resilience::Clock;
use pampero_telemetry::logging::documents::LogDocument;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

pub use config::{InvalidShipping, ShippingConfig};

use buffer::Buffer;
use dead_letters::DeadLetters;
use sender::Sender;

/// The way to a cluster; clones share everything.
#[derive(Clone, Debug)]
pub struct Shipping(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    config: ShippingConfig,
    clock: Arc<dyn Clock>,
    seed: u64,
    buffer: Buffer,
    dead_letters: DeadLetters,
    filled: Notify,
    counts: Counts,
}

#[derive(Debug)]
struct Counts {
    shipped: AtomicU64,
    retried: AtomicU64,
    rejected: AtomicU64,
    requests: AtomicU64,
    requests_failed: AtomicU64,
    /// In ms since 1970; `i64::MIN` before the first one.
    last_success_ms: AtomicI64,
}

/// Why documents cannot be shipped.
#[derive(Debug, thiserror::Error)]
pub enum ShippingError {
    /// The configuration cannot be used.
    #[error("the cluster to ship the log to is not well configured")]
    Config(#[source] InvalidShipping),
    /// The buffer cannot be used.
    #[error("the buffer of the log in {folder} cannot be used")]
    Buffer {
        /// Its folder.
        folder: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

/// What became of the documents that were given to be shipped.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct ShippingStats {
    /// Bytes that wait on disk.
    pub buffer_bytes: u64,
    /// Documents that wait on disk.
    pub buffer_documents: u64,
    /// When the oldest of them was logged; `None` when none waits.
    pub oldest_at: Option<Timestamp>,
    /// Documents that the cluster has.
    pub shipped: u64,
    /// Documents that were sent again, each time counted.
    pub retried: u64,
    /// Documents that were dropped, because the buffer was full.
    pub dropped: u64,
    /// Documents that the cluster refused; they were set aside.
    pub rejected: u64,
    /// Bytes of the buffer that could not be read and are lost.
    pub damaged_bytes: u64,
    /// Bulk requests.
    pub requests: u64,
    /// Bulk requests that failed as a whole.
    pub requests_failed: u64,
    /// When the cluster took a request last; `None` when it took none yet.
    pub last_success_at: Option<Timestamp>,
}

impl Shipping {
    /// Opens the buffer in `folder`, with what is left in it from the last run; blocks.
    ///
    /// `seed` decides waits and ids, and must be another one each time.
    ///
    /// # Errors
    /// The configuration or the folder cannot be used.
    pub fn open(
        folder: &Path,
        config: ShippingConfig,
        clock: Arc<dyn Clock>,
        seed: u64,
    ) -> Result<Self, ShippingError> {
        config.check().map_err(ShippingError::Config)?;
        let buffer = Buffer::open(folder, config.buffer_bytes_max, seed).map_err(|source| {
            ShippingError::Buffer { folder: folder.display().to_string(), source }
        })?;
        let damaged_bytes = buffer.stats().damaged_bytes;
        if 0 < damaged_bytes {
            tracing::warn!(
                bytes = damaged_bytes,
                "a part of the log buffer cannot be read and is lost"
            );
        }
        let dead_letters = DeadLetters::new(folder, config.rejected_bytes_max);
        let counts = Counts {
            shipped: AtomicU64::new(0),
            retried: AtomicU64::new(0),
            rejected: AtomicU64::new(0),
            requests: AtomicU64::new(0),
            requests_failed: AtomicU64::new(0),
            last_success_ms: AtomicI64::new(i64::MIN),
        };
        let filled = Notify::new();
        let shared = Shared { config, clock, seed, buffer, dead_letters, filled, counts };
        Ok(Self(Arc::new(shared)))
    }

    /// Ships documents until `cancel`; what is left then stays in the buffer for the next run.
    ///
    /// `http` should not follow redirects to other sites, because the credentials would go with them.
    pub async fn run(self, http: reqwest::Client, cancel: CancellationToken) {
        let mut sender = Sender::new(Arc::clone(&self.0), http);
        tokio::select! {
            biased;
            () = cancel.cancelled() => {}
            () = sender.send_on() => {}
        }
        let synced = tokio::task::spawn_blocking(move || self.sync()).await;
        if !matches!(synced, Ok(Ok(()))) {
            tracing::warn!("the log buffer could not be written to its end");
        }
    }

    /// Puts documents into the buffer; blocks.
    ///
    /// # Errors
    /// The disk failed, and none of them is in the buffer.
    pub fn append(&self, documents: &[LogDocument]) -> io::Result<()> {
        self.0.buffer.append(documents, self.0.clock.now())?;
        self.0.filled.notify_one();
        Ok(())
    }

    /// Brings the buffer onto the disk; blocks.
    ///
    /// # Errors
    /// The disk failed.
    pub fn sync(&self) -> io::Result<()> {
        self.0.buffer.sync()
    }

    /// Returns what became of the documents so far.
    pub fn stats(&self) -> ShippingStats {
        let buffer = self.0.buffer.stats();
        let counts = &self.0.counts;
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let last_success_ms = counts.last_success_ms.load(Ordering::Relaxed);
        ShippingStats {
            buffer_bytes: buffer.bytes,
            buffer_documents: buffer.documents,
            oldest_at: buffer.oldest_at,
            shipped: count(&counts.shipped),
            retried: count(&counts.retried),
            dropped: buffer.dropped,
            rejected: count(&counts.rejected),
            damaged_bytes: buffer.damaged_bytes,
            requests: count(&counts.requests),
            requests_failed: count(&counts.requests_failed),
            last_success_at: Timestamp::from_millisecond(last_success_ms).ok(),
        }
    }
}
