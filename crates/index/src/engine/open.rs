//! How an index comes to be and is opened again, whatever state it was left in.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, RwLock, Weak};

use arc_swap::{ArcSwap, ArcSwapOption};
use pampero_opensearch::Mapping;
use tantivy::{IndexReader, TantivyError};

use super::index::{Counts, Index, LOG_FOLDER, Refreshed, Shape, Times};
use super::live::{LiveDocuments, LiveEntry, LiveState, Location};
use super::log::{self, Log};
use super::metadata::Metadata;
use super::record::{Record, RecordKind};
use super::replay::{self, Replayed};
use super::shard::{self, Shard};
use super::slots::WriterSlots;
use super::state::{Life, WriteState};
use super::{IndexOptions, damage, disk, locks};
use crate::layout::Layout;

/// What all indices of a folder share.
#[derive(Clone, Debug)]
pub(crate) struct Shared {
    pub(crate) layout: Arc<Layout>,
    pub(crate) options: Arc<IndexOptions>,
    pub(crate) slots: Arc<WriterSlots>,
}

/// Makes the files of a new index in a folder that is not there yet.
///
/// # Errors
/// The disk failed; the folder may be there in part, under a name that is cleared away at the start.
pub(crate) fn create(folder: &Path, layout: &Layout, metadata: &Metadata) -> io::Result<()> {
    let unfinished = folder.with_extension(UNFINISHED);
    let made = fs::create_dir_all(unfinished.join(LOG_FOLDER))
        .and_then(|()| shard::create(&unfinished, layout).map_err(into_io))
        .and_then(|()| metadata.write(&unfinished))
        .and_then(|()| fs::rename(&unfinished, folder))
        .and_then(|()| disk::sync_folder(folder.parent().unwrap_or(folder)));
    if made.is_err() {
        let _ = fs::remove_dir_all(&unfinished);
    }
    made
}

/// Extension of the folder of an index that is being made.
pub(crate) const UNFINISHED: &str = "new";
/// Extension of the folder of an index that is being deleted.
pub(crate) const DELETED: &str = "deleted";

fn into_io(error: TantivyError) -> io::Error {
    match error {
        TantivyError::IoError(cause) => io::Error::new(cause.kind(), cause.to_string()),
        other => io::Error::other(other),
    }
}

/// Opens the index of a folder. A damaged one is there and says so. Checksums of up to `check_bytes`
/// bytes are looked at, which are taken off it.
///
/// # Errors
/// The file with its name cannot be read.
pub(crate) fn open(
    folder: PathBuf,
    shared: &Shared,
    check_bytes: &mut u64,
) -> io::Result<Arc<Index>> {
    let (metadata, mapping) = Metadata::read(&folder)?;
    let mut told = Vec::new();
    let opened = damage::open_shard(&folder, &shared.layout, check_bytes, &mut told);
    let (shard, reader) = match opened {
        Ok((shard, reader)) => (Some(shard), Some(reader)),
        Err(error) => {
            told.push(format!("its segments cannot be opened: {error}"));
            (None, None)
        }
    };
    let index = assemble(folder, shared, metadata, mapping, shard, reader)?;
    told.into_iter().for_each(|damage| index.tell_damage(damage));
    index.recover()?;
    Ok(index)
}

fn assemble(
    folder: PathBuf,
    shared: &Shared,
    metadata: Metadata,
    mapping: Mapping,
    shard: Option<Shard>,
    reader: Option<IndexReader>,
) -> io::Result<Arc<Index>> {
    let log_folder = folder.join(LOG_FOLDER);
    fs::create_dir_all(&log_folder)?;
    let log = Log::new(log_folder.clone(), &log::files_in(&log_folder)?);
    let next_seq_no = shard.as_ref().and_then(|shard| shard.next_seq_no().ok()).unwrap_or(0);
    let searcher = reader.as_ref().map(|reader| Arc::new(reader.searcher()));
    let shape = Shape::new(Arc::new(mapping), metadata.settings.clone());
    let write = WriteState {
        shard,
        log,
        next_seq_no,
        committed: next_seq_no,
        handed: next_seq_no,
        life: Life::Open,
    };
    Ok(Arc::new_cyclic(|this: &Weak<Index>| Index {
        name: metadata.name.as_str().into(),
        uuid: metadata.uuid.as_str().into(),
        folder,
        layout: Arc::clone(&shared.layout),
        options: Arc::clone(&shared.options),
        slots: Arc::clone(&shared.slots),
        this: Weak::clone(this),
        shape: ArcSwap::from_pointee(shape),
        metadata: Mutex::new(metadata),
        write: Mutex::new(write),
        jobs: Mutex::default(),
        live: RwLock::default(),
        reader,
        searchable: ArcSwapOption::new(searcher),
        ids: super::ids::DocumentIds::default(),
        times: Times::default(),
        refreshed: Refreshed::default(),
        counts: Counts::default(),
    }))
}

impl Index {
    /// Reads the log of the last life, and commits what is in it.
    fn recover(&self) -> io::Result<()> {
        let mut state = locks::lock(&self.write);
        if state.shard.is_none() {
            return Ok(());
        }
        let mut live = LiveDocuments::default();
        let folder = self.log_folder();
        let replayed = replay::replay(&folder, state.committed, &mut |record, location| {
            live.extend([entry_of(record, location)]);
        })?;
        state.next_seq_no = replayed.next_seq_no;
        self.counts.uncommitted.store(state.uncommitted(), Ordering::Relaxed);
        *locks::write(&self.live) = live;
        self.tell_lost(&replayed);
        if replayed.operations == 0 {
            // Outdated files and torn tails say nothing more.
            state.log.clear();
            state.committed = replayed.next_seq_no;
            return Ok(());
        }
        if let Err(refusal) = self.commit(&mut state, true) {
            // The disk may be full. All is in the log, which a later tick commits.
            self.times.pending.store(0, Ordering::Release);
            self.times.uncommitted.store(0, Ordering::Release);
            tracing::warn!(index = %self.name, error = %refusal, "a log cannot be committed");
        }
        // When the deletions were is not known any more.
        locks::write(&self.live).forget(state.committed, i64::MAX);
        if let Some(shard) = &mut state.shard
            && shard.is_open()
        {
            shard.close_writer();
            self.slots.give_back(&self.uuid);
        }
        Ok(())
    }

    /// Tells what of the log is lost, and keeps the files in which it was.
    pub(crate) fn tell_lost(&self, replayed: &Replayed) {
        for number in &replayed.damaged {
            let path = log::path_of(&self.log_folder(), *number);
            let copy = self.folder.join(super::index::QUARANTINE_FOLDER);
            let kept = fs::create_dir_all(&copy)
                .and_then(|()| fs::copy(&path, copy.join(format!("{number:010}.log"))));
            if let Err(error) = kept {
                tracing::warn!(index = %self.name, %error, "a damaged log cannot be kept");
            }
        }
        for lost in &replayed.lost {
            let (first, last) = (lost.start(), lost.end());
            let count = last - first + 1;
            self.tell_damage(format!(
                "{count} operations with the sequence numbers {first} to {last} \
                 are lost from the write-ahead log"
            ));
        }
    }
}

fn entry_of(record: Record, location: Location) -> (Arc<str>, LiveEntry) {
    let Record { kind, seq_no, version, id, .. } = record;
    let state = match kind {
        RecordKind::Add | RecordKind::Replace => LiveState::Present(location),
        RecordKind::Delete => LiveState::Deleted { at_ms: 0 },
    };
    (id, LiveEntry { version, seq_no, state })
}
