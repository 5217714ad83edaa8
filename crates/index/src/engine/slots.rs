//! How many indices have a writer of tantivy open, with its memory and its threads.

use std::sync::{Arc, Mutex, Weak};

use super::index::Index;
use super::locks;

/// The indices with an open writer, the one that opened it longest ago first.
#[derive(Debug)]
pub(crate) struct WriterSlots {
    open: Mutex<Vec<(Arc<str>, Weak<Index>)>>,
    open_max: usize,
}

impl WriterSlots {
    pub(crate) fn new(open_max: usize) -> Self {
        Self { open: Mutex::default(), open_max: open_max.max(1) }
    }

    /// Notes that an index opens a writer, and closes those of others while there are too many.
    pub(crate) fn make_room(&self, uuid: &Arc<str>, index: &Weak<Index>) {
        let others: Vec<Arc<Index>> = {
            let mut open = locks::lock(&self.open);
            open.retain(|(other, index)| other != uuid && index.strong_count() > 0);
            open.push((Arc::clone(uuid), Weak::clone(index)));
            let superfluous = open.len().saturating_sub(self.open_max);
            let others = open[..open.len() - 1].iter().filter_map(|(_, index)| index.upgrade());
            if superfluous == 0 { Vec::new() } else { others.collect() }
        };
        for other in others {
            if locks::lock(&self.open).len() <= self.open_max {
                return;
            }
            // One that is being written to is passed over: waiting for it could be waiting for
            // each other.
            let Some(mut state) = locks::try_lock(&other.write) else { continue };
            if let Err(refusal) = other.close_writer(&mut state) {
                tracing::warn!(index = %other.name, error = %refusal, "a writer cannot be closed");
            }
        }
    }

    /// Notes that the writer of an index is closed.
    pub(crate) fn give_back(&self, uuid: &Arc<str>) {
        locks::lock(&self.open).retain(|(other, _)| other != uuid);
    }

    /// Notes that an index was written to, so that it is closed after those that were not.
    pub(crate) fn touch(&self, uuid: &Arc<str>) {
        let mut open = locks::lock(&self.open);
        if let Some(at) = open.iter().position(|(other, _)| other == uuid) {
            let entry = open.remove(at);
            open.push(entry);
        }
    }
}
