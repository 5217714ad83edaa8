//! The indices with their aliases and templates, and how names are resolved to them.
//!
//! Aliases, templates and component templates lie in one JSON file beside the indices, which is
//! replaced whole and synced before a change is acknowledged. Each index has one shard without
//! replicas, whatever its settings say.

mod aliases;
mod blueprint;
mod metadata;
mod resolve;
mod rollover;
mod settings;
mod templates;
mod write;

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use jiff::Timestamp;
use pampero_opensearch::names::{check_index_name, invalid_index_name, resolve_date_math};
use pampero_opensearch::{Exception, ExceptionKind, Mapping};
use serde_json::{Map, Value};

use crate::engine::{Index, IndexError, IndexOptions, Indices, fields_max};

pub use aliases::{Alias, AliasAction, aliases_missing};
pub use blueprint::Blueprint;
pub use resolve::{ResolveOptions, Target};
pub use rollover::{Rollover, RolloverConditions};
pub use settings::{default_settings, flatten_index_settings, flatten_settings, nest_settings};
pub use templates::{ComponentTemplate, IndexTemplate, LegacyTemplate, Simulation};

use metadata::Metadata;

/// The whole: indices, aliases, templates.
#[derive(Debug)]
pub struct Cluster {
    indices: Indices,
    uuid: Arc<str>,
    folder: PathBuf,
    metadata: ArcSwap<Metadata>,
    /// Aliases that stand for an index which their clients would create.
    adopted: Mutex<BTreeSet<String>>,
    /// Held while something other than a document is changed.
    changing: Mutex<()>,
}

impl Cluster {
    /// Opens the folder; `Indices::open` says what a damaged index means.
    ///
    /// # Errors
    /// The folder or the file of aliases and templates cannot be used.
    pub fn open(folder: &Path, options: IndexOptions) -> Result<Self, IndexError> {
        let indices = Indices::open(folder, options)?;
        let unusable = |source| IndexError::Folder { folder: folder.display().to_string(), source };
        let mut metadata = Metadata::open(folder).map_err(unusable)?;
        finish_deletions(&indices, &metadata)
            .map_err(|exception| unusable(io::Error::other(exception)))?;
        // Indices that went away while the file was not written.
        metadata.aliases.retain(|_, members| {
            members.retain(|name, member| {
                indices.get(name).is_some_and(|index| **index.uuid() == *member.uuid)
            });
            !members.is_empty()
        });
        metadata.doomed.clear();
        Ok(Self {
            indices,
            uuid: metadata.uuid.as_str().into(),
            folder: folder.to_owned(),
            metadata: ArcSwap::from_pointee(metadata),
            adopted: Mutex::default(),
            changing: Mutex::new(()),
        })
    }

    /// Returns the indices alone.
    pub fn indices(&self) -> &Indices {
        &self.indices
    }

    /// Returns the uuid of the cluster: 22 characters of URL-safe base64, kept in the folder.
    pub fn uuid(&self) -> &Arc<str> {
        &self.uuid
    }

    /// Lets an alias stand for an index of its name until the process ends: whoever creates that index
    /// without a body is given the write index of the alias, where OpenSearch would refuse the name.
    ///
    /// So a client that begins by creating the index it means to write to works as it is.
    pub fn adopt_alias(&self, alias: &str) {
        let mut adopted = self.adopted.lock().unwrap_or_else(PoisonError::into_inner);
        adopted.insert(alias.to_owned());
    }

    /// Returns the index that an adopted alias stands for; `None` for any other name.
    fn adopted_index(&self, name: &str) -> Result<Option<Arc<Index>>, Exception> {
        let is_adopted = self.adopted.lock().unwrap_or_else(PoisonError::into_inner).contains(name);
        if is_adopted { self.alias_write_index(name) } else { Ok(None) }
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
        let resolved = resolve_date_math(name, now)?;
        check_index_name(&resolved)?;
        let is_empty = body.is_null() || body.as_object().is_some_and(Map::is_empty);
        if is_empty && let Some(index) = self.adopted_index(&resolved)? {
            return Ok(index);
        }
        let asked = Blueprint::from_json(body)?;
        self.create(&resolved, name, &asked, now, |_| Ok(()))
    }

    /// Makes an index; `change` is done to aliases together with it.
    fn create(
        &self,
        name: &str,
        provided_name: &str,
        asked: &Blueprint,
        now: Timestamp,
        change: impl FnOnce(&mut Metadata) -> Result<(), Exception>,
    ) -> Result<Arc<Index>, Exception> {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        self.check_free(name)?;
        let before = self.metadata();
        let mut blueprint = before.simulate(name, None).blueprint;
        blueprint.lay_over(asked);
        let mut settings = settings::of_new_index(provided_name);
        settings.extend(blueprint.settings.take().unwrap_or_default());
        settings.retain(|_, value| !value.is_null());
        settings::check_new_whole(&settings)?;
        let mappings = blueprint.mappings.take().unwrap_or_default();
        let mapping = Mapping::from_json_with(&mappings, fields_max(&settings))?;
        let mut metadata = Metadata::clone(&before);
        change(&mut metadata)?;
        let aliases = blueprint.aliases.unwrap_or_default();
        for alias in aliases.keys() {
            if let Some(same) = self.indices.get(alias) {
                return Err(aliases::same_as_index(alias, &same));
            }
        }
        if let Some(alias) = aliases.keys().find(|alias| **alias == name) {
            return Err(invalid_index_name(alias, "an alias cannot have the name of its index"));
        }
        let index = self.indices.create(name, settings, mapping, now)?;
        let added = aliases
            .into_iter()
            .try_for_each(|(alias, said)| {
                metadata.add_alias(&index, &alias.replace("{index}", name), said)
            })
            .and_then(|()| self.replace(&before, metadata));
        if let Err(refused) = added {
            // The index was never acknowledged; what is left of it would only be in the way.
            if let Err(kept) = self.indices.delete(name) {
                tracing::warn!(index = name, error = %kept, "an index that was refused is still there");
            }
            return Err(refused);
        }
        Ok(index)
    }

    /// Refuses a name that is taken.
    fn check_free(&self, name: &str) -> Result<(), Exception> {
        if let Some(index) = self.indices.get(name) {
            return Err(already_exists(&index));
        }
        if self.is_alias(name) {
            return Err(invalid_index_name(name, "already exists as alias"));
        }
        Ok(())
    }

    /// Deletes indices and takes their aliases away.
    ///
    /// # Errors
    /// One of them is not there, or the disk failed; those before it are gone then.
    pub fn delete_indices(&self, names: &[&str]) -> Result<(), Exception> {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let deleted = names.iter().try_for_each(|name| self.indices.delete(name));
        let before = self.metadata();
        let mut metadata = Metadata::clone(&before);
        for name in names.iter().filter(|name| self.indices.get(name).is_none()) {
            metadata.remove_aliases_of(name);
        }
        if metadata.aliases != before.aliases {
            self.replace(&before, metadata)?;
        }
        deleted
    }

    /// Changes settings of indices; `preserve` leaves alone what is set already.
    ///
    /// # Errors
    /// A setting is not known, not supported, cannot change, or the disk failed.
    pub fn put_index_settings(
        &self,
        indices: &[Arc<Index>],
        settings: &Value,
        preserve: bool,
    ) -> Result<(), Exception> {
        let flat = flatten_index_settings(settings)?;
        let open: Vec<String> =
            indices.iter().map(|it| format!("{}/{}", it.name(), it.uuid())).collect();
        settings::check_change(&flat, &open)?;
        for index in indices {
            let mut changes = flat.clone();
            if preserve {
                let there = index.settings();
                changes.retain(|name, _| !there.contains_key(name));
            }
            index.put_settings(&changes)?;
        }
        Ok(())
    }

    /// Returns the settings of the cluster, flat: those that outlive a restart, and those that do not.
    pub fn settings(&self) -> (Map<String, Value>, Map<String, Value>) {
        let metadata = self.metadata();
        (metadata.settings.clone(), metadata.transient.clone())
    }

    /// Changes settings of the cluster, given flat or nested; `null` takes one back.
    ///
    /// # Errors
    /// A setting is not known or not supported, or the disk failed.
    pub fn put_settings(&self, persistent: &Value, transient: &Value) -> Result<(), Exception> {
        let persistent = settings::read_cluster_settings("persistent", persistent)?;
        let transient = settings::read_cluster_settings("transient", transient)?;
        self.change(|metadata| {
            settings::merge(&mut metadata.settings, persistent);
            settings::merge(&mut metadata.transient, transient);
            Ok(())
        })
    }

    /// Returns aliases, templates and settings as they are now.
    pub(crate) fn metadata(&self) -> Arc<Metadata> {
        self.metadata.load_full()
    }

    /// Changes aliases, templates or settings; on an error nothing is changed.
    pub(crate) fn change<T>(
        &self,
        change: impl FnOnce(&mut Metadata) -> Result<T, Exception>,
    ) -> Result<T, Exception> {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.metadata();
        let mut metadata = Metadata::clone(&before);
        let all = if metadata.doomed.is_empty() { Vec::new() } else { self.indices.all() };
        metadata.doomed.retain(|uuid| all.iter().any(|index| **index.uuid() == **uuid));
        let value = change(&mut metadata)?;
        self.replace(&before, metadata)?;
        Ok(value)
    }

    /// Keeps what was changed, on disk and then in memory.
    fn replace(&self, before: &Metadata, metadata: Metadata) -> Result<(), Exception> {
        if *before == metadata {
            return Ok(());
        }
        metadata.save(&self.folder).map_err(|error| match error.kind() {
            io::ErrorKind::FileTooLarge => Exception::illegal_argument(
                "aliases, templates and settings would take more than [16mb]; delete some first",
            ),
            kind => Exception::new(
                ExceptionKind::Io,
                format!("aliases, templates and settings could not be kept: {kind}"),
            ),
        })?;
        self.metadata.store(Arc::new(metadata));
        Ok(())
    }
}

/// Deletes what was to be deleted when the process ended.
fn finish_deletions(indices: &Indices, metadata: &Metadata) -> Result<(), Exception> {
    let doomed = |index: &Arc<Index>| metadata.doomed.contains(&**index.uuid());
    indices.all().iter().filter(|it| doomed(it)).try_for_each(|it| indices.delete(it.name()))
}

/// Makes the refusal of a name that an index has already.
fn already_exists(index: &Index) -> Exception {
    Exception::new(
        ExceptionKind::ResourceAlreadyExists,
        format!("index [{}/{}] already exists", index.name(), index.uuid()),
    )
    .in_index(index.name(), index.uuid())
}
