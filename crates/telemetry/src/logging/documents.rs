//! Every event of the log as a JSON document, for an index that can be searched.
//!
//! The layer that [`Documents`] gives to the log makes the documents and pushes them into a bounded
//! queue. Whoever logs never waits and never fails: what finds no room is dropped, counted, and told
//! in a later document. [`DocumentQueue`] is the other end. Secrets are taken out on the way in.
//!
//! What the way of the documents says of itself must not feed itself without end. So three rules
//! hold: nothing that is logged within [`unrecorded`] becomes a document, which is how the queue's
//! other end works; the crates on the way ([`PATH_TARGETS`]) are heard from `WARN` on only; and what is
//! left of it is folded like all repeats.

mod folding;
mod layer;
mod members;
mod queue;

use std::cell::Cell;
use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use pampero_resilience::Clock;
use tokio::sync::mpsc;
use tracing_subscriber::filter::LevelFilter;

pub use folding::FoldPolicy;
pub use queue::DocumentQueue;

use super::LogFilter;
use crate::redaction::Redactor;
use queue::Shared;

/// First words of the targets that bring documents into an index or to another cluster.
pub const PATH_TARGETS: [&str; 10] = [
    "pampero_logs",
    "pampero_index",
    "pampero_opensearch",
    "tantivy",
    "hyper",
    "hyper_util",
    "h2",
    "reqwest",
    "rustls",
    "tower",
];

/// Which events become documents, and how many may wait.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DocumentConfig {
    /// What is let through, apart from what the console shows.
    pub filter: LogFilter,
    /// Most documents that wait.
    pub queue_max: usize,
    /// Most bytes of documents that wait.
    pub queue_bytes_max: usize,
    /// When repeats are folded.
    pub folding: FoldPolicy,
}

impl Default for DocumentConfig {
    fn default() -> Self {
        Self {
            filter: LogFilter::default(),
            queue_max: 8_192,
            queue_bytes_max: 8 << 20,
            folding: FoldPolicy::default(),
        }
    }
}

/// One event of the log, ready to be kept.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LogDocument {
    /// When it was logged; for folded repeats, when the last of them was.
    pub at: Timestamp,
    /// A JSON object in UTF-8 without line breaks.
    pub body: Bytes,
}

/// What became of the events.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct DocumentStats {
    /// Documents that went into the queue.
    pub queued: u64,
    /// Events that were folded into another one's document.
    pub folded: u64,
    /// Documents that found the queue full or closed.
    pub dropped: u64,
    /// Documents that wait.
    pub waiting: usize,
    /// Bytes of the documents that wait.
    pub waiting_bytes: usize,
}

/// The near end of the queue, from which the log takes its layer; clones share everything.
#[derive(Clone, Debug)]
pub struct Documents {
    filter: LogFilter,
    shared: Arc<Shared>,
}

/// Puts up the queue: one end for the log, one for whoever keeps the documents.
pub fn open(
    config: &DocumentConfig,
    redactor: Redactor,
    clock: Arc<dyn Clock>,
) -> (Documents, DocumentQueue) {
    let (sender, receiver) = mpsc::channel(config.queue_max.max(1));
    let shared = Arc::new(Shared::new(config, redactor, clock, sender));
    let queue = DocumentQueue::new(receiver, Arc::clone(&shared));
    (Documents { filter: config.filter.clone(), shared }, queue)
}

impl Documents {
    /// Returns what became of the events so far.
    pub fn stats(&self) -> DocumentStats {
        self.shared.stats()
    }

    pub(super) fn level_max(&self) -> LevelFilter {
        self.filter.level_max()
    }
}

thread_local! {
    static IS_UNRECORDED: Cell<bool> = const { Cell::new(false) };
}

/// Does work whose events become no documents, on this thread; the console shows them all the same.
pub fn unrecorded<T>(work: impl FnOnce() -> T) -> T {
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            IS_UNRECORDED.set(self.0);
        }
    }
    let _restore = Restore(IS_UNRECORDED.replace(true));
    work()
}

/// As [`unrecorded`], for a future: whatever it logs while it is polled becomes no document.
pub async fn unrecorded_future<F: Future>(work: F) -> F::Output {
    let mut work = std::pin::pin!(work);
    std::future::poll_fn(|context| unrecorded(|| work.as_mut().poll(context))).await
}

fn is_unrecorded() -> bool {
    IS_UNRECORDED.get()
}
