//! Aliases: other names for indices, with a filter, a routing and a place to write to.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use pampero_opensearch::names::{check_alias_name, is_pattern, matches};
use pampero_opensearch::query::Query;
use pampero_opensearch::{Exception, ExceptionKind};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::metadata::{Membership, Metadata};
use super::{Cluster, ResolveOptions};
use crate::engine::Index;

/// What an alias says of one of its indices.
///
/// Source: OpenSearch, alias metadata; the fields have their names there.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Alias {
    /// A query that hides what it does not find.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<Value>,
    /// Routing of what is written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index_routing: Option<String>,
    /// Routing of what is searched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search_routing: Option<String>,
    /// Whether writes go to this index; `None` when nothing was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_write_index: Option<bool>,
    /// Whether wildcards pass the alias over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_hidden: Option<bool>,
}

/// One change of aliases; names of indices and aliases may be patterns where OpenSearch takes them.
#[derive(Clone, Debug, PartialEq)]
pub enum AliasAction {
    /// Gives indices other names.
    Add {
        /// Expressions over indices.
        indices: Vec<String>,
        /// Plain names.
        aliases: Vec<String>,
        /// What is said of them.
        alias: Alias,
    },
    /// Takes names away.
    Remove {
        /// Expressions over indices.
        indices: Vec<String>,
        /// Names or patterns.
        aliases: Vec<String>,
        /// Whether a name that is not there is refused; `None` refuses when nothing at all is removed.
        must_exist: Option<bool>,
    },
    /// Deletes indices.
    RemoveIndex {
        /// Expressions over indices.
        indices: Vec<String>,
    },
}

impl Alias {
    /// Reads what a body says of an alias; `null` says nothing.
    ///
    /// # Errors
    /// A key is not known, a value has the wrong type, or the filter is no query.
    pub fn from_json(name: &str, body: &Value) -> Result<Self, Exception> {
        let mut alias = Self::default();
        let entries = match body {
            Value::Null => return Ok(alias),
            Value::Object(entries) => entries,
            _ => {
                return Err(Exception::illegal_argument(format!(
                    "alias [{name}] must be an object"
                )));
            }
        };
        for (key, value) in entries {
            alias.set(name, key, value)?;
        }
        Ok(alias)
    }

    /// Takes one entry of a body.
    ///
    /// # Errors
    /// As [`Alias::from_json`].
    pub(crate) fn set(&mut self, name: &str, key: &str, value: &Value) -> Result<(), Exception> {
        match key {
            "filter" => self.filter = read_filter(name, value)?,
            "routing" => {
                let routing = read_text(name, key, value)?;
                self.index_routing.clone_from(&routing);
                self.search_routing = routing;
            }
            "index_routing" | "indexRouting" | "index-routing" => {
                self.index_routing = read_text(name, key, value)?;
            }
            "search_routing" | "searchRouting" | "search-routing" => {
                self.search_routing = read_text(name, key, value)?;
            }
            "is_write_index" => self.is_write_index = read_boolean(name, key, value)?,
            "is_hidden" => self.is_hidden = read_boolean(name, key, value)?,
            _ => {
                return Err(Exception::illegal_argument(format!(
                    "Unknown field [{key}] in alias [{name}]"
                )));
            }
        }
        let several = |routing: &Option<String>| {
            routing.as_ref().is_some_and(|routing| routing.contains(','))
        };
        if several(&self.index_routing) {
            return Err(Exception::illegal_argument(format!(
                "alias [{name}] has several index routing values associated with it"
            )));
        }
        Ok(())
    }

    /// Returns what is said of the alias, as answers show it.
    pub fn to_json(&self) -> Value {
        serde_json::to_value(self).expect("texts, booleans and JSON are JSON")
    }
}

fn read_filter(name: &str, value: &Value) -> Result<Option<Value>, Exception> {
    let empty = value.as_object().is_some_and(Map::is_empty);
    if value.is_null() || empty {
        return Ok(None);
    }
    Query::from_json(value).map_err(|cause| {
        Exception::illegal_argument(format!("failed to parse filter for alias [{name}]"))
            .caused_by(cause)
    })?;
    Ok(Some(value.clone()))
}

fn read_text(name: &str, key: &str, value: &Value) -> Result<Option<String>, Exception> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text.clone())),
        Value::Number(number) => Ok(Some(number.to_string())),
        _ => Err(wrong_type(name, key, "a string")),
    }
}

fn read_boolean(name: &str, key: &str, value: &Value) -> Result<Option<bool>, Exception> {
    match value {
        Value::Null => Ok(None),
        Value::Bool(boolean) => Ok(Some(*boolean)),
        Value::String(text) if text == "true" => Ok(Some(true)),
        Value::String(text) if text == "false" => Ok(Some(false)),
        _ => Err(wrong_type(name, key, "a boolean")),
    }
}

fn wrong_type(name: &str, key: &str, kind: &str) -> Exception {
    Exception::illegal_argument(format!("[{key}] of alias [{name}] must be {kind}"))
}

impl Metadata {
    /// Adds an alias to an index.
    ///
    /// # Errors
    /// The alias would have two indices to write to.
    pub(crate) fn add_alias(
        &mut self,
        index: &Index,
        name: &str,
        alias: Alias,
    ) -> Result<(), Exception> {
        let membership = Membership { uuid: index.uuid().to_string(), alias };
        let members = self.aliases.entry(name.to_owned()).or_default();
        members.insert(index.name().to_string(), membership);
        let writes = |member: &(&String, &Membership)| member.1.alias.is_write_index == Some(true);
        let to_write: Vec<&str> =
            members.iter().filter(writes).map(|(index, _)| index.as_str()).collect();
        if to_write.len() > 1 {
            return Err(Exception::illegal_argument(format!(
                "alias [{name}] has more than one write index [{}]",
                to_write.join(",")
            )));
        }
        Ok(())
    }

    /// Takes an alias from an index; tells whether it had it.
    pub(crate) fn remove_alias(&mut self, index: &str, name: &str) -> bool {
        let Some(members) = self.aliases.get_mut(name) else { return false };
        let had = members.remove(index).is_some();
        if members.is_empty() {
            self.aliases.remove(name);
        }
        had
    }

    /// Takes all aliases from an index.
    pub(crate) fn remove_aliases_of(&mut self, index: &str) {
        self.aliases.retain(|_, members| {
            members.remove(index);
            !members.is_empty()
        });
    }
}

/// Refuses names of aliases that are none.
pub(crate) fn check_new_alias(name: &str) -> Result<(), Exception> {
    if name == "_all" || is_pattern(name) {
        return Err(Exception::new(
            ExceptionKind::InvalidAliasName,
            format!("Invalid alias name [{name}]: must be one plain name"),
        ));
    }
    check_alias_name(name)
}

/// Makes the refusal of an alias that has the name of an index.
pub(crate) fn same_as_index(alias: &str, index: &Index) -> Exception {
    Exception::new(
        ExceptionKind::InvalidAliasName,
        format!("Invalid alias name [{alias}], an index exists with the same name as the alias"),
    )
    .in_index(index.name(), index.uuid())
}

/// Makes the refusal of aliases that are not there.
pub fn aliases_missing(names: &[&str]) -> Exception {
    let resource = match names {
        [one] => Value::from(*one),
        _ => Value::from(names.to_vec()),
    };
    Exception::new(ExceptionKind::AliasesNotFound, format!("aliases [{}] missing", names.join(",")))
        .with("resource.id", resource)
        .with("resource.type", "aliases")
}

impl Cluster {
    /// Returns the aliases of an index by name.
    pub fn aliases_of(&self, index: &Index) -> BTreeMap<String, Alias> {
        let metadata = self.metadata();
        let of_index = metadata.aliases.iter().filter_map(|(name, members)| {
            let member = members.get(&**index.name()).filter(|it| *it.uuid == **index.uuid())?;
            Some((name.clone(), member.alias.clone()))
        });
        of_index.collect()
    }

    /// Returns the names of the indices of an alias; none when there is no such alias.
    pub fn alias_indices(&self, alias: &str) -> Vec<String> {
        let metadata = self.metadata();
        let members = metadata.aliases.get(alias).into_iter().flatten();
        members
            .filter(|(index, member)| self.is_member(index, member))
            .map(|(index, _)| index.clone())
            .collect()
    }

    /// Returns the names of all aliases.
    pub fn alias_names(&self) -> Vec<String> {
        let metadata = self.metadata();
        let alive = metadata.aliases.iter().filter(|(_, members)| {
            members.iter().any(|(index, member)| self.is_member(index, member))
        });
        alive.map(|(name, _)| name.clone()).collect()
    }

    /// Tells whether a name is that of an alias.
    pub fn is_alias(&self, name: &str) -> bool {
        !self.alias_indices(name).is_empty()
    }

    /// Tells whether the index that an alias means is the one that is there.
    pub(crate) fn is_member(&self, index: &str, member: &Membership) -> bool {
        self.indices.get(index).is_some_and(|index| **index.uuid() == *member.uuid)
    }

    /// Does all changes of aliases at once, or none of them.
    ///
    /// # Errors
    /// One of them names what is not there, or what cannot be.
    pub fn update_aliases(&self, actions: &[AliasAction], now: Timestamp) -> Result<(), Exception> {
        let mut doomed = BTreeSet::new();
        self.change(|metadata| {
            let mut done = 0;
            let mut not_found = Vec::new();
            // What is deleted makes room for an alias of the same name.
            for action in actions {
                if let AliasAction::RemoveIndex { indices } = action {
                    for index in
                        self.resolve_concrete(&indices.join(","), ResolveOptions::default(), now)?
                    {
                        metadata.remove_aliases_of(index.name());
                        metadata.doomed.insert(index.uuid().to_string());
                        doomed.insert(index.name().to_string());
                        done += 1;
                    }
                }
            }
            for action in actions {
                done += self.apply(metadata, action, &doomed, &mut not_found, now)?;
            }
            if done == 0 && !not_found.is_empty() {
                let names: Vec<&str> = not_found.iter().map(String::as_str).collect();
                return Err(aliases_missing(&names));
            }
            Ok(())
        })?;
        doomed.iter().try_for_each(|index| self.indices.delete(index))
    }

    /// Does one change; returns how many memberships it touched.
    fn apply(
        &self,
        metadata: &mut Metadata,
        action: &AliasAction,
        doomed: &BTreeSet<String>,
        not_found: &mut Vec<String>,
        now: Timestamp,
    ) -> Result<usize, Exception> {
        let mut done = 0;
        match action {
            AliasAction::RemoveIndex { .. } => {}
            AliasAction::Add { indices, aliases, alias } => {
                aliases.iter().try_for_each(|name| check_new_alias(name))?;
                for index in self.resolve_for_aliases(indices, now)? {
                    for name in aliases {
                        if let Some(same) =
                            self.indices.get(name).filter(|_| !doomed.contains(name))
                        {
                            return Err(same_as_index(name, &same));
                        }
                        metadata.add_alias(&index, name, alias.clone())?;
                        done += 1;
                    }
                }
            }
            AliasAction::Remove { indices, aliases, must_exist } => {
                let indices = self.resolve_for_aliases(indices, now)?;
                for pattern in aliases {
                    let removed = remove_matching(metadata, &indices, pattern);
                    done += removed;
                    match must_exist {
                        Some(true) if removed == 0 => {
                            return Err(Exception::new(
                                ExceptionKind::ResourceNotFound,
                                format!("required alias [{pattern}] does not exist"),
                            ));
                        }
                        // Told to be content, it is content.
                        Some(false) => done += 1,
                        _ if removed == 0 => not_found.push(pattern.clone()),
                        _ => {}
                    }
                }
            }
        }
        Ok(done)
    }

    /// Resolves the indices of an action, which must be indices and not aliases.
    fn resolve_for_aliases(
        &self,
        indices: &[String],
        now: Timestamp,
    ) -> Result<Vec<std::sync::Arc<Index>>, Exception> {
        let options =
            ResolveOptions { hidden: true, allow_no_indices: false, ..ResolveOptions::default() };
        self.resolve_concrete(&indices.join(","), options, now)
    }
}

/// Takes the aliases that match from all of the indices; returns how often.
fn remove_matching(
    metadata: &mut Metadata,
    indices: &[std::sync::Arc<Index>],
    pattern: &str,
) -> usize {
    let pattern = if pattern == "_all" { "*" } else { pattern };
    let names: Vec<String> =
        metadata.aliases.keys().filter(|name| matches(pattern, name)).cloned().collect();
    let mut removed = 0;
    for name in &names {
        removed += indices.iter().filter(|index| metadata.remove_alias(index.name(), name)).count();
    }
    removed
}
