//! One folder of definitions and those that come with the program: read, watched, written back.
//!
//! The file is the truth. A changed one is taken over; a broken one keeps what was good before it and
//! becomes a problem; one that is gone counts as gone when it was missing twice in a row, since editors
//! move files away and back.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde_json::Value;
use tracing::{info, warn};

use super::disk::{self, Stamp};
use super::error::DefinitionError;
use super::ledger::{Ledger, Page, Row};
use super::locate::locate;
use super::{Deleted, Entry, Problem, VersionCheck};

/// A kind of definitions.
pub(super) trait Kind {
    /// What a definition is read into.
    type Item;

    /// The name of their folder.
    const FOLDER: &'static str;

    /// The member that disables one.
    const SWITCH: &'static str;

    /// Refuses an id that cannot be one.
    fn check_id(&self, id: &str) -> Result<(), DefinitionError>;

    /// Returns the stem of the file of an id.
    fn stem(&self, id: &str) -> String {
        id.to_owned()
    }

    /// Returns the id of a file with this stem.
    fn id(&self, stem: &str) -> String {
        stem.to_owned()
    }

    /// Reads what stands in a file.
    fn read_file(&self, id: &str, document: &Value, now: Timestamp) -> Result<Self::Item, Refusal>;

    /// Reads what was given over the API.
    fn read_given(
        &self,
        id: &str,
        document: &Value,
        old: Option<&Self::Item>,
        now: Timestamp,
    ) -> Result<Self::Item, DefinitionError>;

    /// Returns the text of its file.
    fn text(&self, item: &Self::Item) -> String;

    /// Tells whether the file has to be written anew at once, because something must not stand in it.
    fn must_rewrite(&self, document: &Value, item: &Self::Item) -> bool;

    /// Tells whether it is switched on.
    fn is_enabled(&self, item: &Self::Item) -> bool;

    /// Lets go what was kept besides the file.
    fn forget(&self, id: &str);

    /// Makes the refusal of an id that is not there.
    fn not_found(&self, id: &str) -> DefinitionError;
}

/// Why a document is no definition.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub(super) reason: String,
    /// Where in the document; empty for the whole.
    pub(super) pointer: String,
}

/// One folder of definitions.
#[derive(Debug)]
pub(super) struct Shelf<K: Kind> {
    kind: K,
    folder: PathBuf,
    ledger: Ledger,
    count_max: usize,
    shipped: BTreeMap<String, String>,
    state: Mutex<State<K::Item>>,
}

#[derive(Debug)]
struct State<T> {
    page: Page,
    entries: BTreeMap<String, Arc<Entry<T>>>,
    /// The files that were read, by the ids of their definitions.
    seen: HashMap<String, Stamp>,
    /// Ids whose files were missing once.
    missing: HashSet<String>,
    problems: BTreeMap<String, Problem>,
    is_page_dirty: bool,
    /// Grows with every change of what is there.
    revision: u64,
}

/// Why the text of a file is not taken.
struct Broken {
    line: usize,
    column: usize,
    message: String,
}

impl<K: Kind> Shelf<K> {
    /// Reads everything. `shipped` has names and texts; those that are wrong become problems.
    pub(super) fn open(
        kind: K,
        folder: PathBuf,
        ledger: Ledger,
        count_max: usize,
        shipped: &[(&str, &str)],
        now: Timestamp,
    ) -> Result<Self, DefinitionError> {
        let (page, lost) = ledger.read();
        if let Some(error) = lost {
            warn!(kind = K::FOLDER, error, "versions of definitions are lost and begin anew");
        }
        let shipped = shipped.iter().map(|(id, text)| ((*id).to_owned(), (*text).to_owned()));
        let state = State {
            page,
            entries: BTreeMap::new(),
            seen: HashMap::new(),
            missing: HashSet::new(),
            problems: BTreeMap::new(),
            is_page_dirty: false,
            revision: 0,
        };
        let shelf = Self {
            kind,
            folder,
            ledger,
            count_max,
            shipped: shipped.collect(),
            state: Mutex::new(state),
        };
        let mut state = shelf.lock();
        shelf.look(&mut state, now)?;
        for (id, text) in &shelf.shipped {
            if !state.entries.contains_key(id) {
                shelf.take_shipped(&mut state, id, text, now);
            }
        }
        let known: HashSet<String> =
            state.entries.keys().chain(state.problems.keys()).cloned().collect();
        state.page.rows.retain(|id, _| known.contains(id));
        shelf.keep_page(&mut state)?;
        drop(state);
        Ok(shelf)
    }

    fn lock(&self) -> MutexGuard<'_, State<K::Item>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn entries(&self) -> Vec<Arc<Entry<K::Item>>> {
        self.lock().entries.values().cloned().collect()
    }

    pub(super) fn entry(&self, id: &str) -> Option<Arc<Entry<K::Item>>> {
        self.lock().entries.get(id).cloned()
    }

    /// Tells whether an id has a definition or a file.
    pub(super) fn is_taken(&self, id: &str) -> bool {
        let state = self.lock();
        state.entries.contains_key(id) || state.seen.contains_key(id)
    }

    pub(super) fn problems(&self) -> Vec<Problem> {
        self.lock().problems.values().cloned().collect()
    }

    pub(super) fn revision(&self) -> u64 {
        self.lock().revision
    }

    /// Looks at the disk, and takes over what was changed.
    pub(super) fn poll(&self, now: Timestamp) -> Result<(), DefinitionError> {
        let mut state = self.lock();
        self.look(&mut state, now)?;
        self.keep_page(&mut state)
    }

    fn look(&self, state: &mut State<K::Item>, now: Timestamp) -> Result<(), DefinitionError> {
        let stems = disk::stems(&self.folder).map_err(|source| self.io("read", "", source))?;
        let mut present = HashSet::with_capacity(stems.len());
        for stem in &stems {
            let id = self.kind.id(stem);
            self.look_at(state, &id, now);
            present.insert(id);
        }
        let gone = |id: &&String| !present.contains(*id);
        let gone: Vec<String> = state.seen.keys().filter(gone).cloned().collect();
        for id in gone {
            if state.missing.insert(id.clone()) {
                continue;
            }
            state.missing.remove(&id);
            self.drop_file(state, &id, now);
        }
        state.missing.retain(|id| !present.contains(id));
        Ok(())
    }

    /// Looks at the file of one id.
    fn look_at(&self, state: &mut State<K::Item>, id: &str, now: Timestamp) {
        let path = self.folder.join(format!("{}.json", self.kind.stem(id)));
        // A file that goes away between two looks is gone with the next one.
        let Ok(stamp) = Stamp::of(&path) else { return };
        if state.seen.get(id) == Some(&stamp) {
            return;
        }
        state.seen.insert(id.to_owned(), stamp);
        let text = match disk::read(&path) {
            Ok(text) => text,
            Err(error) => {
                let broken = Broken { line: 1, column: 1, message: error.to_string() };
                self.note_problem(state, id, broken, now);
                return;
            }
        };
        match self.parse(id, &text, now) {
            Ok((item, document)) => {
                let is_full = self.count_max <= state.entries.len();
                if is_full && !state.entries.contains_key(id) {
                    let message = format!(
                        "there are {} {} already, which is the most",
                        self.count_max,
                        K::FOLDER
                    );
                    self.note_problem(state, id, Broken { line: 1, column: 1, message }, now);
                    return;
                }
                let text = self.without_secrets(state, id, text, &document, &item);
                self.take(state, id, &text, item, false, now);
            }
            Err(broken) => self.note_problem(state, id, broken, now),
        }
    }

    /// Writes a file anew that holds what must not stand in it, and returns its text.
    fn without_secrets(
        &self,
        state: &mut State<K::Item>,
        id: &str,
        text: String,
        document: &Value,
        item: &K::Item,
    ) -> String {
        if !self.kind.must_rewrite(document, item) {
            return text;
        }
        let clean = self.kind.text(item);
        let stem = self.kind.stem(id);
        if let Err(error) = disk::write(&self.folder, &stem, &clean) {
            warn!(file = self.file(id), %error, "a secret cannot be taken out of a file");
            return text;
        }
        info!(file = self.file(id), "a secret was taken out of a file");
        if let Ok(stamp) = Stamp::of(&self.folder.join(format!("{stem}.json"))) {
            state.seen.insert(id.to_owned(), stamp);
        }
        clean
    }

    fn parse(&self, id: &str, text: &str, now: Timestamp) -> Result<(K::Item, Value), Broken> {
        let document: Value = serde_json::from_str(text).map_err(|error| Broken {
            line: error.line().max(1),
            column: error.column().max(1),
            message: error.to_string(),
        })?;
        let refused = |reason: String, pointer: &str| {
            let (line, column) = locate(text, pointer);
            Broken { line, column, message: reason }
        };
        self.kind.check_id(id).map_err(|error| refused(error.to_string(), ""))?;
        match self.kind.read_file(id, &document, now) {
            Ok(item) => Ok((item, document)),
            Err(refusal) => Err(refused(refusal.reason, &refusal.pointer)),
        }
    }

    fn take_shipped(&self, state: &mut State<K::Item>, id: &str, text: &str, now: Timestamp) {
        match self.parse(id, text, now) {
            Ok((item, _)) => self.take(state, id, text, item, true, now),
            Err(broken) => self.note_problem(state, id, broken, now),
        }
    }

    /// Puts a definition on the shelf, with a new version when its text is a new one.
    fn take(
        &self,
        state: &mut State<K::Item>,
        id: &str,
        text: &str,
        item: K::Item,
        is_shipped: bool,
        now: Timestamp,
    ) {
        let fingerprint = disk::fingerprint(text);
        let old = state.page.rows.get(id);
        // What was shipped and is overridden keeps one line of versions, and so does what was broken.
        let is_same = old.is_some_and(|row| row.fingerprint == fingerprint);
        let is_known = state.entries.contains_key(id);
        if !is_same || old.is_some_and(|row| row.good_text.is_some()) {
            state.enter(id, fingerprint, self.kind.is_enabled(&item), now);
            if is_known {
                info!(file = self.file(id), "a changed definition was taken over");
            }
        }
        // What comes with the program may stand in for a broken file, which remains a problem.
        if !is_shipped && let Some(problem) = state.problems.remove(id) {
            info!(file = problem.file, "a definition is whole again");
        }
        state.put(id, item, is_shipped);
    }

    fn note_problem(&self, state: &mut State<K::Item>, id: &str, broken: Broken, now: Timestamp) {
        let Broken { line, column, message } = broken;
        let file = self.file(id);
        warn!(
            file,
            line,
            column,
            error = message,
            "a definition is broken; the last good one stays"
        );
        let problem = Problem { file, line, column, message, since: now };
        state.problems.insert(id.to_owned(), problem);
        state.revision += 1;
        self.keep_good(state, id, now);
    }

    /// Keeps the last good text over restarts, and brings it back after one.
    fn keep_good(&self, state: &mut State<K::Item>, id: &str, now: Timestamp) {
        match state.entries.get(id).cloned() {
            Some(entry) if !entry.is_shipped => {
                let text = self.kind.text(&entry.item);
                if let Some(row) = state.page.rows.get_mut(id) {
                    row.good_text = Some(text);
                    state.is_page_dirty = true;
                }
            }
            Some(_) => {}
            None => {
                let text = state.page.rows.get(id).and_then(|row| row.good_text.clone());
                let parsed = text.and_then(|text| self.parse(id, &text, now).ok());
                if let Some((item, _)) = parsed {
                    state.put(id, item, false);
                }
            }
        }
    }

    /// Takes a definition off whose file is gone; the shipped one of that id comes back.
    fn drop_file(&self, state: &mut State<K::Item>, id: &str, now: Timestamp) {
        state.seen.remove(id);
        state.problems.remove(id);
        state.entries.remove(id);
        state.revision += 1;
        info!(file = self.file(id), "the file of a definition is gone");
        match self.shipped.get(id) {
            Some(text) => self.take_shipped(state, id, text, now),
            None => {
                state.page.rows.remove(id);
                state.is_page_dirty = true;
            }
        }
    }

    /// Makes a new definition, or puts one in the place of another.
    pub(super) fn put(
        &self,
        id: &str,
        document: &Value,
        intent: Intent,
        check: Option<VersionCheck>,
        now: Timestamp,
    ) -> Result<Arc<Entry<K::Item>>, DefinitionError> {
        self.kind.check_id(id)?;
        let mut state = self.lock();
        // What somebody changed on the disk a moment ago is what a version is compared with.
        self.look_at(&mut state, id, now);
        let old = state.entries.get(id).cloned();
        match (&old, intent) {
            (None, Intent::Replace) => return Err(self.kind.not_found(id)),
            (Some(_), Intent::Create) => {
                return Err(DefinitionError::Exists { id: id.to_owned() });
            }
            // A broken file is somebody's work as well.
            (None, Intent::Create) if state.seen.contains_key(id) => {
                return Err(DefinitionError::Exists { id: id.to_owned() });
            }
            _ => {}
        }
        check_version(id, old.as_deref(), check)?;
        if old.is_none() && self.count_max <= state.entries.len() {
            return Err(DefinitionError::TooMany { what: K::FOLDER, count_max: self.count_max });
        }
        let item = old.as_ref().map(|entry| &entry.item);
        let item = self.kind.read_given(id, document, item, now)?;
        let text = self.kind.text(&item);
        let stem = self.kind.stem(id);
        disk::write(&self.folder, &stem, &text).map_err(|source| self.io("write", id, source))?;
        if let Ok(stamp) = Stamp::of(&self.folder.join(format!("{stem}.json"))) {
            state.seen.insert(id.to_owned(), stamp);
        }
        state.problems.remove(id);
        let is_enabled = self.kind.is_enabled(&item);
        state.enter(id, disk::fingerprint(&text), is_enabled, now);
        state.put(id, item, false);
        self.keep_page(&mut state)?;
        state.entries.get(id).cloned().ok_or_else(|| self.kind.not_found(id))
    }

    /// Removes a definition and its file.
    pub(super) fn delete(
        &self,
        id: &str,
        check: Option<VersionCheck>,
        now: Timestamp,
    ) -> Result<Deleted, DefinitionError> {
        self.kind.check_id(id)?;
        let mut state = self.lock();
        self.look_at(&mut state, id, now);
        let old = state.entries.get(id).cloned();
        let has_file = state.seen.contains_key(id);
        if old.is_none() && !has_file {
            return Err(self.kind.not_found(id));
        }
        check_version(id, old.as_deref(), check)?;
        if self.shipped.contains_key(id) {
            return Err(DefinitionError::Shipped { id: id.to_owned(), switch: K::SWITCH });
        }
        let stem = self.kind.stem(id);
        disk::remove(&self.folder, &stem).map_err(|source| self.io("remove", id, source))?;
        let deleted = Deleted {
            version: old.as_ref().map_or(1, |entry| entry.version + 1),
            seq_no: state.page.next_seq_no,
        };
        state.page.next_seq_no += 1;
        state.missing.remove(id);
        self.drop_file(&mut state, id, now);
        self.kind.forget(id);
        self.keep_page(&mut state)?;
        Ok(deleted)
    }

    fn keep_page(&self, state: &mut State<K::Item>) -> Result<(), DefinitionError> {
        if !state.is_page_dirty {
            return Ok(());
        }
        self.ledger
            .write(&state.page)
            .map_err(|source| self.io("write the versions of", "", source))?;
        state.is_page_dirty = false;
        Ok(())
    }

    /// Returns the name of a file without the folders above its own.
    fn file(&self, id: &str) -> String {
        format!("{}/{}.json", K::FOLDER, self.kind.stem(id))
    }

    fn io(&self, what: &'static str, id: &str, source: io::Error) -> DefinitionError {
        let file = if id.is_empty() { format!("{}/", K::FOLDER) } else { self.file(id) };
        DefinitionError::Io { what, file, source }
    }
}

/// Whether something may be there already, or must be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Intent {
    Create,
    Replace,
}

fn check_version<T>(
    id: &str,
    found: Option<&Entry<T>>,
    check: Option<VersionCheck>,
) -> Result<(), DefinitionError> {
    match (found, check) {
        (Some(entry), Some(check))
            if check.seq_no != entry.seq_no || check.primary_term != Entry::<T>::PRIMARY_TERM =>
        {
            Err(DefinitionError::Conflict {
                id: id.to_owned(),
                required: check.seq_no,
                required_term: check.primary_term,
                found: entry.seq_no,
            })
        }
        _ => Ok(()),
    }
}

impl<T> State<T> {
    /// Writes a new version into the page.
    fn enter(&mut self, id: &str, fingerprint: u64, is_enabled: bool, now: Timestamp) {
        let seq_no = self.page.next_seq_no;
        self.page.next_seq_no += 1;
        let old = self.page.rows.get(id);
        let enabled = match old.and_then(|row| row.enabled) {
            _ if !is_enabled => None,
            Some(since) => Some(since),
            None => Some(now),
        };
        let row = Row {
            version: old.map_or(1, |row| row.version + 1),
            seq_no,
            fingerprint,
            created: old.map_or(now, |row| row.created),
            updated: now,
            enabled,
            good_text: None,
        };
        self.page.rows.insert(id.to_owned(), row);
        self.is_page_dirty = true;
    }

    /// Makes an entry with what the page says of it.
    fn put(&mut self, id: &str, item: T, is_shipped: bool) {
        let Some(row) = self.page.rows.get(id) else { return };
        let entry = Entry {
            id: id.to_owned(),
            item,
            version: row.version,
            seq_no: row.seq_no,
            created: row.created,
            updated: row.updated,
            enabled: row.enabled,
            is_shipped,
        };
        self.entries.insert(id.to_owned(), Arc::new(entry));
        self.revision += 1;
    }
}
