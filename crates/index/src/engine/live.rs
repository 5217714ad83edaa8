//! The newest version of every document that tantivy's searcher does not show yet.

use std::collections::HashMap;
use std::sync::Arc;

/// How long a deletion is remembered, so that versions go on counting.
///
/// Source: OpenSearch, `index.gc_deletes`.
const DELETION_KEPT_MS: i64 = 60_000;

/// Where in the write-ahead log a record lies.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Location {
    pub(crate) file: u64,
    pub(crate) offset: u64,
    pub(crate) length: usize,
}

/// What is known of an id.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct LiveEntry {
    pub(crate) version: u64,
    pub(crate) seq_no: u64,
    pub(crate) state: LiveState,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum LiveState {
    Present(Location),
    Deleted { at_ms: i64 },
}

#[derive(Debug, Default)]
pub(crate) struct LiveDocuments {
    entries: HashMap<Arc<str>, LiveEntry>,
}

impl LiveDocuments {
    pub(crate) fn get(&self, id: &str) -> Option<LiveEntry> {
        self.entries.get(id).copied()
    }

    pub(crate) fn extend(&mut self, entries: impl IntoIterator<Item = (Arc<str>, LiveEntry)>) {
        self.entries.extend(entries);
    }

    /// Forgets what the searcher shows now: all below a sequence number but fresh deletions.
    pub(crate) fn forget(&mut self, next_seq_no: u64, now_ms: i64) {
        self.entries.retain(|_, entry| match entry.state {
            _ if entry.seq_no >= next_seq_no => true,
            LiveState::Present(_) => false,
            LiveState::Deleted { at_ms } => now_ms.saturating_sub(at_ms) < DELETION_KEPT_MS,
        });
        if self.entries.capacity() > 4 * self.entries.len() + 1_024 {
            self.entries.shrink_to_fit();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn present(seq_no: u64) -> LiveEntry {
        let at = Location { file: 1, offset: 0, length: 1 };
        LiveEntry { version: 1, seq_no, state: LiveState::Present(at) }
    }

    fn deleted(seq_no: u64, at_ms: i64) -> LiveEntry {
        LiveEntry { version: 2, seq_no, state: LiveState::Deleted { at_ms } }
    }

    #[test]
    fn committed_documents_are_forgotten_and_deletions_kept_for_a_minute() {
        let mut live = LiveDocuments::default();
        live.extend([
            ("committed".into(), present(4)),
            ("newer".into(), present(5)),
            ("gone".into(), deleted(3, 0)),
            ("gone lately".into(), deleted(2, 1)),
        ]);
        live.forget(5, 60_000);
        assert_eq!(live.get("committed"), None);
        assert_eq!(live.get("newer"), Some(present(5)));
        assert_eq!(live.get("gone"), None);
        assert_eq!(live.get("gone lately"), Some(deleted(2, 1)));
    }
}
