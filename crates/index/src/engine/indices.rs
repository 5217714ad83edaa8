//! All indices of a folder: which there are, and their coming and going.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, RwLock};

use jiff::Timestamp;
use pampero_opensearch::{Exception, ExceptionKind, Mapping};
use serde_json::{Map, Value};

use super::index::Index;
use super::metadata::Metadata;
use super::open::{self, DELETED, Shared, UNFINISHED};
use super::slots::WriterSlots;
use super::state::{Life, WriteState};
use super::{IndexError, IndexOptions, damage, disk, ids, locks};
use crate::layout::Layout;

/// Most indices of a folder.
const INDICES_MAX: usize = 10_000;
const LOCK_FILE: &str = "indices.lock";

/// All indices of a folder, by name.
#[derive(Debug)]
pub struct Indices {
    folder: PathBuf,
    lock: File,
    shared: Shared,
    indices: RwLock<BTreeMap<Arc<str>, Arc<Index>>>,
    /// Held while an index is made or deleted.
    changing: Mutex<()>,
    unreadable: Vec<String>,
}

impl Indices {
    /// Opens all indices of a folder; a damaged one is told in [`Index::damage`] and leaves the others.
    ///
    /// # Errors
    /// The folder itself cannot be used, or another program uses it.
    pub fn open(folder: &Path, options: IndexOptions) -> Result<Self, IndexError> {
        let failed = |source| IndexError::Folder { folder: folder.display().to_string(), source };
        fs::create_dir_all(folder).map_err(failed)?;
        let lock = hold(folder).map_err(failed)?;
        let shared = Shared {
            layout: Arc::new(Layout::new()),
            slots: Arc::new(WriterSlots::new(options.writers_max)),
            options: Arc::new(options),
        };
        let mut indices = BTreeMap::new();
        let mut unreadable = Vec::new();
        let mut check_bytes = damage::CHECKED_BYTES_MAX;
        for path in index_folders(folder).map_err(failed)? {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            match open::open(path, &shared, &mut check_bytes) {
                Ok(index) => {
                    if let Some(older) = add_index(&mut indices, index) {
                        unreadable.push(same_name(&older));
                    }
                }
                Err(error) => {
                    tracing::warn!(folder = %name, %error, "an index cannot be opened");
                    unreadable
                        .push(format!("the index in the folder {name} cannot be opened: {error}"));
                }
            }
        }
        let (folder, indices) = (folder.to_owned(), RwLock::new(indices));
        Ok(Self { folder, lock, shared, indices, changing: Mutex::default(), unreadable })
    }

    /// Returns what could not even be opened by name, in words.
    pub fn unreadable(&self) -> &[String] {
        &self.unreadable
    }

    /// Returns the layout that all indices share.
    pub fn layout(&self) -> &Arc<Layout> {
        &self.shared.layout
    }

    /// Makes an index.
    ///
    /// `settings` are flat and as strings (`index.number_of_shards`), without the uuid and the date
    /// of creation, which are added.
    ///
    /// # Errors
    /// It is there already, there are too many, or the disk failed.
    pub fn create(
        &self,
        name: &str,
        settings: Map<String, Value>,
        mapping: Mapping,
        now: Timestamp,
    ) -> Result<Arc<Index>, Exception> {
        let _changing = locks::lock(&self.changing);
        if let Some(index) = self.get(name) {
            let reason = format!("index [{name}/{}] already exists", index.uuid);
            return Err(Exception::new(ExceptionKind::ResourceAlreadyExists, reason)
                .in_index(name, &index.uuid));
        }
        if locks::read(&self.indices).len() >= INDICES_MAX {
            return Err(Exception::illegal_argument(format!(
                "there are {INDICES_MAX} indices already, which is the most; delete some first"
            )));
        }
        let uuid = ids::new_uuid();
        let folder = self.folder.join(&uuid);
        let metadata = Metadata::new(name, uuid.clone(), settings, &mapping, now);
        let index = open::create(&folder, &self.shared.layout, &metadata)
            .and_then(|()| open::open(folder.clone(), &self.shared, &mut 0))
            .map_err(|error| {
                // Else the next start would find it, beside one of the same name that came after it.
                let _ = fs::remove_dir_all(&folder);
                disk::write_failed(name, &uuid, &error)
            })?;
        locks::write(&self.indices).insert(Arc::clone(&index.name), Arc::clone(&index));
        Ok(index)
    }

    /// Deletes an index with its files. Snapshots of it can be searched to their end.
    ///
    /// # Errors
    /// It is not there, or the disk failed. If it failed so late that the index is gone already, the
    /// index may come back after a crash of the machine.
    pub fn delete(&self, name: &str) -> Result<(), Exception> {
        let _changing = locks::lock(&self.changing);
        let index = self.get(name).ok_or_else(|| Exception::index_not_found(name))?;
        let deleted = index.folder.with_extension(DELETED);
        let failed = |error| disk::write_failed(name, &index.uuid, &error);
        fs::rename(&index.folder, &deleted).map_err(failed)?;
        // From here on the next start clears it away, so nothing more may be acknowledged in it.
        locks::write(&self.indices).remove(name);
        index.end(&mut locks::lock(&index.write), Life::Deleted);
        disk::sync_folder(&self.folder).map_err(failed)?;
        if let Err(error) = fs::remove_dir_all(&deleted) {
            // The next start tries again.
            tracing::warn!(index = name, %error, "files of a deleted index cannot be removed");
        }
        Ok(())
    }

    /// Returns the index of this name; aliases are not known here.
    pub fn get(&self, name: &str) -> Option<Arc<Index>> {
        locks::read(&self.indices).get(name).cloned()
    }

    /// Returns all indices in the order of their names.
    pub fn all(&self) -> Vec<Arc<Index>> {
        locks::read(&self.indices).values().cloned().collect()
    }

    /// Does what is due: refreshes what changed over a refresh interval ago, commits what was logged
    /// long ago or is much, closes writers that have been idle. To be called every 200 ms or so.
    pub fn tick(&self, now: Timestamp) {
        for index in self.all() {
            if let Err(refusal) = index.tick(now) {
                tracing::warn!(index = %index.name, error = %refusal, "an index cannot be kept up");
            }
        }
    }

    /// Commits and closes everything; no operation is taken afterwards, searches go on.
    pub fn close(&self) {
        for index in self.all() {
            index.close();
        }
    }
}

impl Drop for Indices {
    /// Ends the threads of tantivy, and unlocks the folder by word: closing the file is not enough
    /// while a child process that was just forked still holds a copy of it.
    fn drop(&mut self) {
        for index in self.all() {
            index.end(&mut locks::lock(&index.write), Life::Closed);
        }
        // A failure leaves the lock to the end of the process.
        let _ = self.lock.unlock();
    }
}

impl Index {
    /// Commits, and takes no more operations.
    fn close(&self) {
        let mut state = locks::lock(&self.write);
        if state.life != Life::Open || state.shard.is_none() {
            return;
        }
        if let Err(refusal) = self.commit(&mut state, self.publishes_itself()) {
            // It stays in the log.
            tracing::warn!(index = %self.name, error = %refusal, "an index cannot be committed");
        }
        if let Err(error) = state.log.sync() {
            tracing::warn!(index = %self.name, %error, "a write-ahead log cannot be synced");
        }
        // Under the same lock: nothing is written between the last sync and the end.
        self.end(&mut state, Life::Closed);
    }

    /// Takes no more operations, and waits until tantivy's threads have ended.
    fn end(&self, state: &mut WriteState, life: Life) {
        state.life = life;
        if let Some(shard) = &mut state.shard {
            shard.end_writer();
        }
        self.slots.give_back(&self.uuid);
    }
}

/// Adds an index to those that are opened, and returns one that has to go. Of two with one name the
/// later one stays: making the other one had failed, or its deletion.
fn add_index(
    indices: &mut BTreeMap<Arc<str>, Arc<Index>>,
    index: Arc<Index>,
) -> Option<Arc<Index>> {
    match indices.get(&index.name) {
        Some(same) if index.created_ms() < same.created_ms() => Some(index),
        _ => indices.insert(Arc::clone(&index.name), index),
    }
}

/// Tells of an index that has the name of a later one.
fn same_name(older: &Index) -> String {
    let folder = older.folder.file_name().unwrap_or_default().to_string_lossy();
    tracing::warn!(%folder, index = %older.name, "an index has the name of a later one");
    format!("the index in the folder {folder} is left out: a later one is named {} too", older.name)
}

fn hold(folder: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    let lock = options.create(true).truncate(false).write(true).open(folder.join(LOCK_FILE))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => {
            Err(io::Error::new(io::ErrorKind::WouldBlock, "another program uses them"))
        }
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Returns the folders of indices, and clears those away that are half made or half deleted.
fn index_folders(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut folders = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let extension = path.extension().and_then(|extension| extension.to_str());
        if !path.is_dir() {
            continue;
        }
        match extension {
            Some(UNFINISHED | DELETED) => fs::remove_dir_all(&path)?,
            _ if Metadata::is_in(&path) => folders.push(path),
            _ => {}
        }
    }
    folders.sort_unstable();
    Ok(folders)
}
