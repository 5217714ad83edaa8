//! How many bytes of documents wait for tantivy's threads; its own queue counts batches only.

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use super::locks;

/// Longest wait for room: a thread of tantivy that died takes nothing any more.
const WAIT_MAX: Duration = Duration::from_secs(10);

#[derive(Debug, Default)]
pub(crate) struct InFlight {
    bytes: Mutex<usize>,
    taken: Condvar,
}

/// Gives its bytes back when the document was taken in or thrown away.
#[derive(Debug)]
pub(crate) struct Ticket {
    bytes: usize,
    of: Arc<InFlight>,
}

impl InFlight {
    /// Counts a document in.
    pub(crate) fn enter(self: &Arc<Self>, bytes: usize) -> Ticket {
        *locks::lock(&self.bytes) += bytes;
        Ticket { bytes, of: Arc::clone(self) }
    }

    /// Waits until fewer than `bytes_max` wait.
    pub(crate) fn wait_below(&self, bytes_max: usize) {
        let bytes = locks::lock(&self.bytes);
        // Both outcomes are the same to the caller: it goes on, and finds out about a dead writer.
        drop(self.taken.wait_timeout_while(bytes, WAIT_MAX, |bytes| *bytes >= bytes_max));
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        *locks::lock(&self.of.bytes) -= self.bytes;
        self.of.taken.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_given_back_when_a_document_is_dropped() {
        let in_flight = Arc::new(InFlight::default());
        let first = in_flight.enter(10);
        let second = in_flight.enter(5);
        assert_eq!(*locks::lock(&in_flight.bytes), 15);
        drop(first);
        in_flight.wait_below(6);
        drop(second);
        assert_eq!(*locks::lock(&in_flight.bytes), 0);
    }
}
