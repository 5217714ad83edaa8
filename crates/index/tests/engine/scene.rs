//! A folder with one index, and short ways to write to it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use pampero_index::{
    Action, Index, IndexOptions, Indices, Operation, UpdateBody, VersionCheck, Written,
};
use pampero_opensearch::{Exception, Mapping};
use serde_json::{Map, Value};
use tempfile::TempDir;

/// Name of the index of every scene.
pub(crate) const NAME: &str = "weather_logs";

/// An index in a folder of its own.
pub(crate) struct Scene {
    pub(crate) folder: TempDir,
    options: IndexOptions,
    indices: Option<Indices>,
}

/// Returns an instant, in milliseconds after the begin of the test.
pub(crate) fn at_ms(millisecond: i64) -> Timestamp {
    Timestamp::from_millisecond(1_780_000_000_000 + millisecond).unwrap()
}

impl Scene {
    pub(crate) fn new() -> Self {
        Self::with_settings(&[])
    }

    pub(crate) fn with_settings(settings: &[(&str, &str)]) -> Self {
        Self::with(IndexOptions::default(), settings)
    }

    pub(crate) fn with(options: IndexOptions, settings: &[(&str, &str)]) -> Self {
        let folder = TempDir::new().unwrap();
        let indices = Indices::open(folder.path(), options.clone()).unwrap();
        let settings: Map<String, Value> =
            settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
        indices.create(NAME, settings, Mapping::default(), at_ms(0)).unwrap();
        Self { folder, options, indices: Some(indices) }
    }

    pub(crate) fn indices(&self) -> &Indices {
        self.indices.as_ref().unwrap()
    }

    pub(crate) fn index(&self) -> Arc<Index> {
        self.indices().get(NAME).unwrap()
    }

    /// Ends as a program does that is stopped.
    pub(crate) fn close(&mut self) {
        self.indices().close();
        self.indices = None;
    }

    /// Ends without a commit, as a program does that is killed.
    pub(crate) fn crash(&mut self) {
        self.indices = None;
    }

    pub(crate) fn open(&mut self) -> Arc<Index> {
        self.indices = Some(Indices::open(self.folder.path(), self.options.clone()).unwrap());
        self.index()
    }

    /// Returns the folder of the index.
    pub(crate) fn index_folder(&self) -> PathBuf {
        let uuid = self.indices.as_ref().map(|_| self.index().uuid().to_string());
        let named = uuid.map(|uuid| self.folder.path().join(uuid));
        named.unwrap_or_else(|| only_folder(self.folder.path()))
    }
}

fn only_folder(folder: &Path) -> PathBuf {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.into_iter().find(|path| path.is_dir()).unwrap()
}

pub(crate) fn operation(id: &str, action: Action) -> Operation {
    Operation { id: Some(id.to_owned()), action, routing: None, check: VersionCheck::None }
}

pub(crate) fn put(id: &str, source: &str) -> Operation {
    operation(id, Action::Index(source.to_owned().into()))
}

pub(crate) fn create(id: &str, source: &str) -> Operation {
    operation(id, Action::Create(source.to_owned().into()))
}

pub(crate) fn delete(id: &str) -> Operation {
    operation(id, Action::Delete)
}

pub(crate) fn update(id: &str, body: UpdateBody) -> Operation {
    operation(id, Action::Update(body))
}

pub(crate) fn object(value: Value) -> Option<Map<String, Value>> {
    value.as_object().cloned()
}

/// Does one operation at the begin of the test.
pub(crate) fn write_one(index: &Index, operation: Operation) -> Result<Written, Exception> {
    index.write(vec![operation], at_ms(0)).pop().unwrap()
}

/// Returns the newest source of a document.
pub(crate) fn source(index: &Index, id: &str) -> Option<String> {
    let found = index.get(id, true).unwrap()?;
    Some(String::from_utf8(found.source.to_vec()).unwrap())
}

/// Returns how many documents a search at an instant sees.
pub(crate) fn visible(index: &Index, now: Timestamp) -> u64 {
    index.snapshot(now).unwrap().searcher.num_docs()
}
