//! Gets operations ready outside of the lock that orders them: ids are given, documents parsed, and
//! fields that are new are mapped.

use std::sync::{Arc, MutexGuard};

use bytes::Bytes;
use jiff::Timestamp;
use pampero_opensearch::mapping::ParsedDocument;
use pampero_opensearch::{Exception, ExceptionKind, Mapping};
use serde_json::{Map, Value};

use super::document::FieldGroups;
use super::index::Index;
use super::metadata::Metadata;
use super::{Action, Operation, UpdateBody, VersionCheck, disk, locks};

/// Longest `_id` and `_routing` in bytes.
///
/// Source: OpenSearch, `IndexRequest.validate`.
const ID_BYTES_MAX: usize = 512;
/// How often a document may ask for further fields; one time is enough for a right parser.
const ADDITIONS_MAX: usize = 3;

/// An operation that can be done once it is its turn.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) id: Arc<str>,
    /// Whether the id was made here, so that no other document has it.
    pub(crate) is_new: bool,
    pub(crate) routing: Option<Arc<str>>,
    pub(crate) check: VersionCheck,
    pub(crate) action: PreparedAction,
}

#[derive(Debug)]
pub(crate) enum PreparedAction {
    Put { create: bool, source: Bytes, fields: FieldGroups },
    Update(UpdateBody),
    Delete,
    Refused(Exception),
}

impl Index {
    /// Gets operations ready, each with its own refusal.
    pub(crate) fn prepare(&self, operations: Vec<Operation>, now: Timestamp) -> Vec<Prepared> {
        if let Some(refusal) = self.blocked() {
            let refused = |operation: Operation| Prepared {
                id: operation.id.unwrap_or_default().into(),
                is_new: false,
                routing: None,
                check: VersionCheck::None,
                action: PreparedAction::Refused(refusal.clone()),
            };
            return operations.into_iter().map(refused).collect();
        }
        let mut parser = DocumentParser::new(self);
        let mut in_need = Vec::new();
        let mut prepared: Vec<Prepared> = Vec::with_capacity(operations.len());
        for operation in operations {
            prepared.push(self.prepare_one(operation, &mut parser, now));
            if parser.has_additions() {
                in_need.push(prepared.len() - 1);
            }
        }
        if let Err(refusal) = parser.finish() {
            for at in in_need {
                prepared[at].action = PreparedAction::Refused(refusal.clone());
            }
        }
        prepared
    }

    fn prepare_one(
        &self,
        operation: Operation,
        parser: &mut DocumentParser<'_>,
        now: Timestamp,
    ) -> Prepared {
        let is_new = operation.id.is_none();
        let id = operation.id.unwrap_or_else(|| self.ids.next(now));
        let refusal = check_length("id", &id)
            .or_else(|| check_length("routing", operation.routing.as_deref().unwrap_or("-")));
        let action = match refusal {
            Some(refusal) => PreparedAction::Refused(refusal),
            None => prepare_action(&id, operation.action, parser),
        };
        let routing = operation.routing.map(Arc::from);
        Prepared { id: id.into(), is_new, routing, check: operation.check, action }
    }

    /// Returns the refusal of an index that takes no writes by a setting.
    fn blocked(&self) -> Option<Exception> {
        let settings = self.settings();
        let is_set = |name: &str| match settings.get(name) {
            Some(Value::String(text)) => text == "true",
            Some(Value::Bool(truth)) => *truth,
            _ => false,
        };
        let block = if is_set("index.blocks.read_only") {
            "FORBIDDEN/5/index read-only (api)"
        } else if is_set("index.blocks.write") {
            "FORBIDDEN/8/index write (api)"
        } else if is_set("index.blocks.read_only_allow_delete") {
            return Some(disk::flood_stage(&self.name).in_index(&self.name, &self.uuid));
        } else {
            return None;
        };
        let reason = format!("index [{}] blocked by: [{block}];", self.name);
        Some(Exception::new(ExceptionKind::ClusterBlock, reason).in_index(&self.name, &self.uuid))
    }
}

fn prepare_action(id: &str, action: Action, parser: &mut DocumentParser<'_>) -> PreparedAction {
    let (create, source) = match action {
        Action::Index(source) => (false, source),
        Action::Create(source) => (true, source),
        Action::Update(body) => return PreparedAction::Update(body),
        Action::Delete => return PreparedAction::Delete,
    };
    match parser.parse(id, &source) {
        Ok(fields) => PreparedAction::Put { create, source, fields },
        Err(refusal) => PreparedAction::Refused(refusal),
    }
}

fn check_length(what: &str, value: &str) -> Option<Exception> {
    if value.is_empty() {
        let reason = format!("if _{what} is specified it must not be empty");
        return Some(Exception::illegal_argument(reason));
    }
    (value.len() > ID_BYTES_MAX).then(|| {
        let length = value.len();
        Exception::illegal_argument(format!(
            "{what} [{value}] is too long, must be no longer than {ID_BYTES_MAX} bytes but was: {length}"
        ))
    })
}

/// Reads documents with the fields of an index, and adds those that it lacks.
///
/// From the first new field to the end the shape of the index is held, so that the fields of many
/// documents are put on disk once.
pub(crate) struct DocumentParser<'i> {
    index: &'i Index,
    mapping: Arc<Mapping>,
    added: Option<(MutexGuard<'i, Metadata>, bool)>,
}

impl<'i> DocumentParser<'i> {
    pub(crate) fn new(index: &'i Index) -> Self {
        Self { index, mapping: index.mapping(), added: None }
    }

    /// Returns whether fields were added that are not on disk yet.
    fn has_additions(&self) -> bool {
        matches!(self.added, Some((_, true)))
    }

    pub(crate) fn parse(&mut self, id: &str, source: &Bytes) -> Result<FieldGroups, Exception> {
        let mut parsed = self.mapping.parse_document(id, source)?;
        for _ in 0..ADDITIONS_MAX {
            let Some(additions) = parsed.additions.take() else {
                return Ok(FieldGroups::new(&self.index.layout, parsed));
            };
            parsed = self.add(id, source, &additions)?;
        }
        Ok(FieldGroups::new(&self.index.layout, parsed))
    }

    fn add(
        &mut self,
        id: &str,
        source: &Bytes,
        additions: &Value,
    ) -> Result<ParsedDocument, Exception> {
        match &mut self.added {
            None => {
                let metadata = locks::lock(&self.index.metadata);
                // Somebody else may have added the same fields since.
                self.mapping = self.index.mapping();
                self.added = Some((metadata, false));
            }
            Some((_, changed)) => {
                Arc::make_mut(&mut self.mapping).merge(additions)?;
                *changed = true;
            }
        }
        self.mapping.parse_document(id, source)
    }

    /// Puts new fields on disk.
    ///
    /// # Errors
    /// The disk failed; no document that was parsed since the first new field may be written.
    pub(crate) fn finish(self) -> Result<(), Exception> {
        match self.added {
            Some((mut metadata, true)) => {
                self.index.keep_mapping(&mut metadata, Arc::unwrap_or_clone(self.mapping))
            }
            _ => Ok(()),
        }
    }
}

/// Merges `changes` into `document`, object by object, and returns whether anything changed.
pub(crate) fn merge(document: &mut Map<String, Value>, changes: &Map<String, Value>) -> bool {
    let mut changed = false;
    for (name, change) in changes {
        changed |= match (document.get_mut(name), change) {
            (Some(Value::Object(inner)), Value::Object(change)) => merge(inner, change),
            (Some(value), change) if value == change => false,
            (Some(value), change) => {
                *value = change.clone();
                true
            }
            (None, change) => {
                document.insert(name.clone(), change.clone());
                true
            }
        };
    }
    changed
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn changes_are_merged_object_by_object() {
        check(json!({"a": 1}), json!({"a": 1}), json!({"a": 1}), false);
        check(json!({"a": 1}), json!({"b": 2}), json!({"a": 1, "b": 2}), true);
        let nested = json!({"a": {"b": 1, "c": [1, 2]}});
        check(nested.clone(), json!({"a": {"b": 1}}), nested.clone(), false);
        check(nested.clone(), json!({"a": {"c": [2]}}), json!({"a": {"b": 1, "c": [2]}}), true);
        check(nested.clone(), json!({"a": 7}), json!({"a": 7}), true);
        check(json!({"a": 7}), nested.clone(), nested, true);
        check(json!({"a": 1}), json!({"a": null}), json!({"a": null}), true);
        check(json!({}), json!({}), json!({}), false);
    }

    #[track_caller]
    fn check(mut document: Value, changes: Value, merged: Value, changed: bool) {
        let target = document.as_object_mut().unwrap();
        assert_eq!(merge(target, changes.as_object().unwrap()), changed);
        assert_eq!(document, merged);
    }
}
