//! What is kept of the cluster besides its indices, and the file that it is kept in.
//!
//! The file is replaced whole: a new one is written beside it, synced, and given its name; then the
//! folder is synced. A crash leaves the old file or the new one.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::Path;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::aliases::Alias;
use super::templates::{ComponentTemplate, IndexTemplate, LegacyTemplate};

const FILE: &str = "cluster.json";
const NEW_FILE: &str = "cluster.json.new";

/// Most bytes of the file.
const BYTES_MAX: usize = 16 << 20;

/// Version of the format of the file.
const FORMAT: u32 = 1;

/// Aliases, templates and settings of the cluster.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Metadata {
    format: u32,
    /// 22 characters of URL-safe base64.
    pub(crate) uuid: String,
    /// By the name of the alias, then by that of the index.
    pub(crate) aliases: BTreeMap<String, BTreeMap<String, Membership>>,
    pub(crate) index_templates: BTreeMap<String, IndexTemplate>,
    pub(crate) component_templates: BTreeMap<String, ComponentTemplate>,
    pub(crate) legacy_templates: BTreeMap<String, LegacyTemplate>,
    /// Settings of the cluster that outlive a restart, flat.
    pub(crate) settings: Map<String, Value>,
    /// Settings of the cluster that do not.
    #[serde(skip)]
    pub(crate) transient: Map<String, Value>,
    /// Uuids of indices whose deletion was decided together with a change of aliases.
    pub(crate) doomed: BTreeSet<String>,
}

/// One index of an alias.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Membership {
    /// Uuid of the index: another index of the same name does not inherit the alias.
    pub(crate) uuid: String,
    pub(crate) alias: Alias,
}

impl Metadata {
    fn new() -> Self {
        Self {
            format: FORMAT,
            uuid: BASE64_URL_SAFE_NO_PAD.encode(rand::random::<[u8; 16]>()),
            aliases: BTreeMap::new(),
            index_templates: BTreeMap::new(),
            component_templates: BTreeMap::new(),
            legacy_templates: BTreeMap::new(),
            settings: Map::new(),
            transient: Map::new(),
            doomed: BTreeSet::new(),
        }
    }

    /// Reads the file of a folder; makes it when there is none.
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        let text = match fs::read(folder.join(FILE)) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let metadata = Self::new();
                metadata.save(folder)?;
                return Ok(metadata);
            }
            Err(error) => return Err(error),
        };
        let unreadable = |reason: String| {
            let advice =
                "put back a copy of it, or take it away to start without aliases and templates";
            io::Error::new(ErrorKind::InvalidData, format!("{FILE}: {reason}; {advice}"))
        };
        let metadata: Self =
            serde_json::from_slice(&text).map_err(|error| unreadable(error.to_string()))?;
        if metadata.format != FORMAT {
            return Err(unreadable(format!("format {} is not known", metadata.format)));
        }
        Ok(metadata)
    }

    /// Puts this in the place of what the folder has. It is on disk when this returns.
    ///
    /// More than [`BYTES_MAX`] is `FileTooLarge`.
    pub(crate) fn save(&self, folder: &Path) -> io::Result<()> {
        let text = serde_json::to_vec(self)?;
        if BYTES_MAX < text.len() {
            return Err(ErrorKind::FileTooLarge.into());
        }
        let new = folder.join(NEW_FILE);
        let mut file = File::create(&new)?;
        file.write_all(&text)?;
        file.sync_all()?;
        fs::rename(&new, folder.join(FILE))?;
        File::open(folder)?.sync_all()
    }
}
