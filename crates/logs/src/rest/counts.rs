//! What the REST API counts, for the metrics of the program.

use std::sync::atomic::{AtomicU64, Ordering};

use http::StatusCode;

/// Counts since the state was made; they only grow.
#[derive(Debug, Default)]
pub struct RestCounts {
    /// Calls that were answered with success.
    pub succeeded: AtomicU64,
    /// Calls that the caller got wrong (4xx), those refused for too much work included.
    pub refused: AtomicU64,
    /// Calls that the server got wrong (5xx).
    pub failed: AtomicU64,
    /// Operations that came in bulk requests.
    pub bulk_items: AtomicU64,
    /// Operations of bulk requests that were refused.
    pub bulk_items_refused: AtomicU64,
}

impl RestCounts {
    /// Counts one answer.
    pub(crate) fn count(&self, status: StatusCode) {
        let count = if status.is_server_error() {
            &self.failed
        } else if status.is_client_error() {
            &self.refused
        } else {
            &self.succeeded
        };
        count.fetch_add(1, Ordering::Relaxed);
    }
}
