//! Where writes go: to an index, to the one behind an alias, or to a new one.

use std::sync::Arc;

use jiff::Timestamp;
use pampero_opensearch::names::{check_index_name, matches, resolve_date_math};
use pampero_opensearch::{Exception, ExceptionKind};
use serde_json::Value;

use super::{Blueprint, Cluster, metadata};
use crate::engine::Index;

/// Setting of the cluster that says for which names writes make indices.
const AUTO_CREATE: &str = "action.auto_create_index";

impl Cluster {
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
        if !require_alias && let Some(index) = self.indices.get(name) {
            return Ok(index);
        }
        let resolved = resolve_date_math(name, now)?;
        if let Some(index) = self.alias_write_index(&resolved)? {
            return Ok(index);
        }
        if require_alias {
            return Err(not_found_and(
                &resolved,
                &format!("[require_alias] request flag is [true] and [{resolved}] is not an alias"),
            ));
        }
        if let Some(index) = self.indices.get(&resolved) {
            return Ok(index);
        }
        self.check_auto_create(&resolved)?;
        check_index_name(&resolved)?;
        match self.create(&resolved, name, &Blueprint::default(), now, |_| Ok(())) {
            // Somebody else was faster.
            Err(refused) if refused.kind() == ExceptionKind::ResourceAlreadyExists => {
                self.indices.get(&resolved).ok_or(refused)
            }
            made => made,
        }
    }

    /// Returns the routing that an alias gives to what is written to it; `None` for anything else.
    pub fn write_routing(&self, name: &str) -> Option<String> {
        let metadata = self.metadata();
        let members = metadata.aliases.get(name)?;
        let written = members.values().find(|it| it.alias.is_write_index == Some(true));
        written.or_else(|| members.values().next())?.alias.index_routing.clone()
    }

    /// Returns the index that a write to an alias goes to; `None` when it is no alias.
    pub(super) fn alias_write_index(&self, alias: &str) -> Result<Option<Arc<Index>>, Exception> {
        let metadata = self.metadata();
        let Some(members) = metadata.aliases.get(alias) else { return Ok(None) };
        let alive: Vec<_> =
            members.iter().filter(|(index, member)| self.is_member(index, member)).collect();
        let said = |it: &&(&String, &metadata::Membership)| it.1.alias.is_write_index == Some(true);
        let chosen = match alive[..] {
            [] => return Ok(None),
            [only] if only.1.alias.is_write_index != Some(false) => Some(only),
            _ => alive.iter().find(said).copied(),
        };
        match chosen.and_then(|(index, _)| self.indices.get(index)) {
            Some(index) => Ok(Some(index)),
            None => Err(Exception::illegal_argument(format!(
                "no write index is defined for alias [{alias}]. The write index may be explicitly disabled using is_write_index=false or the alias points to multiple indices without one being designated as a write index"
            ))),
        }
    }

    /// Refuses to make an index by a write where the cluster says so.
    fn check_auto_create(&self, name: &str) -> Result<(), Exception> {
        let metadata = self.metadata();
        let said =
            metadata.transient.get(AUTO_CREATE).or_else(|| metadata.settings.get(AUTO_CREATE));
        let said = said.and_then(Value::as_str).unwrap_or("true").trim();
        match said {
            "true" | "" => return Ok(()),
            "false" => return Err(not_found_and(name, &format!("[{AUTO_CREATE}] is [false]"))),
            _ => {}
        }
        for part in said.split(',').map(str::trim) {
            let (pattern, allowed) = match part.strip_prefix('-') {
                Some(pattern) => (pattern, false),
                None => (part.strip_prefix('+').unwrap_or(part), true),
            };
            match (matches(pattern, name), allowed) {
                (false, _) => {}
                (true, true) => return Ok(()),
                (true, false) => {
                    let what = format!(
                        "[{AUTO_CREATE}] contains [-{pattern}] which forbids automatic creation of the index"
                    );
                    return Err(not_found_and(name, &what));
                }
            }
        }
        Err(not_found_and(name, &format!("[{AUTO_CREATE}] ([{said}]) doesn't match")))
    }
}

/// Makes the refusal of a missing index with a reason of its own.
pub(super) fn not_found_and(name: &str, what: &str) -> Exception {
    let plain = Exception::index_not_found(name);
    let reason = format!("{} and {what}", plain.reason());
    let metadata = plain.metadata().clone();
    metadata
        .into_iter()
        .fold(Exception::new(ExceptionKind::IndexNotFound, reason), |exception, (key, value)| {
            exception.with(&key, value)
        })
}
