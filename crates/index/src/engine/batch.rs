//! Puts prepared operations in order: each sees those before it, gets its version, and becomes a
//! record of the log and an operation of tantivy. Nothing of a batch is seen until it is logged.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use pampero_opensearch::{Exception, ExceptionKind};
use serde_json::{Map, Value};
use tantivy::indexer::UserOperation;
use tantivy::{Searcher, Term};

use super::document::{FieldGroups, IndexedDocument};
use super::in_flight::InFlight;
use super::index::Index;
use super::live::{LiveEntry, LiveState, Location};
use super::prepare::{DocumentParser, Prepared, PreparedAction, merge};
use super::record::{self, Record, RecordKind};
use super::shard::ShardOperation;
use super::{Found, Outcome, UpdateBody, VersionCheck, Written, disk, locks, lookup};

const PRIMARY_TERM: u64 = 1;

/// Operations on their way to the log.
pub(crate) struct Batch<'i> {
    index: &'i Index,
    searcher: Searcher,
    in_flight: Arc<InFlight>,
    base: Location,
    now_ms: i64,
    pub(crate) next_seq_no: u64,
    pub(crate) frames: Vec<u8>,
    pub(crate) operations: Vec<ShardOperation>,
    pub(crate) entries: HashMap<Arc<str>, LiveEntry>,
}

/// The version of a document that is there, or of its deletion.
#[derive(Clone, Copy, Debug)]
struct Current {
    version: u64,
    seq_no: u64,
    exists: bool,
}

/// What becomes of a document.
struct Put {
    kind: RecordKind,
    source: Bytes,
    fields: FieldGroups,
    routing: Option<Arc<str>>,
}

impl<'i> Batch<'i> {
    /// `base` is where the first record will lie.
    pub(crate) fn new(
        index: &'i Index,
        searcher: Searcher,
        in_flight: Arc<InFlight>,
        base: Location,
        next_seq_no: u64,
    ) -> Self {
        Self {
            index,
            searcher,
            in_flight,
            base,
            now_ms: 0,
            next_seq_no,
            frames: Vec::new(),
            operations: Vec::new(),
            entries: HashMap::new(),
        }
    }

    /// Says when the next operations came.
    pub(crate) fn set_now(&mut self, now_ms: i64) {
        self.now_ms = now_ms;
    }

    /// Adds an operation, or says why it cannot be done.
    pub(crate) fn add(&mut self, prepared: Prepared) -> Result<Written, Exception> {
        let Prepared { id, is_new, routing, check, action } = prepared;
        if let PreparedAction::Refused(refusal) = action {
            return Err(refusal);
        }
        let current = if is_new { None } else { self.current(&id)? };
        match action {
            PreparedAction::Put { create, source, fields } => {
                if create && let Some(current) = current.filter(|current| current.exists) {
                    let version = current.version;
                    return Err(self.conflict(
                        &id,
                        &format!("document already exists (current version [{version}])"),
                    ));
                }
                let version = self.next_version(&id, current, check)?;
                let kind = kind_of(current);
                Ok(self.put(id, version, Put { kind, source, fields, routing }))
            }
            PreparedAction::Delete => {
                let version = self.next_version(&id, current, check)?;
                Ok(self.delete(id, version, current, routing))
            }
            PreparedAction::Update(body) => self.update(id, current, check, routing, body),
            PreparedAction::Refused(refusal) => Err(refusal),
        }
    }

    fn current(&self, id: &str) -> Result<Option<Current>, Exception> {
        let entry = self.entries.get(id).copied().or_else(|| locks::read(&self.index.live).get(id));
        if let Some(entry) = entry {
            let exists = matches!(entry.state, LiveState::Present(_));
            return Ok(Some(Current { version: entry.version, seq_no: entry.seq_no, exists }));
        }
        let place = lookup::place(&self.searcher, &self.index.layout, id)
            .map_err(|error| self.failed(&error))?;
        Ok(place.map(|place| Current {
            version: place.version,
            seq_no: place.seq_no,
            exists: true,
        }))
    }

    fn next_version(
        &self,
        id: &str,
        current: Option<Current>,
        check: VersionCheck,
    ) -> Result<u64, Exception> {
        let version = current.map_or(0, |current| current.version);
        match check {
            VersionCheck::None => Ok(version + 1),
            VersionCheck::Sequence { seq_no, primary_term } => {
                self.check_sequence(id, current, seq_no, primary_term)?;
                Ok(version + 1)
            }
            VersionCheck::External(given) if current.is_some() && given <= version => {
                Err(self.conflict(id, &format!(
                    "current version [{version}] is higher or equal to the one provided [{given}]"
                )))
            }
            VersionCheck::ExternalOrEqual(given) if given < version => {
                Err(self.conflict(id, &format!(
                    "current version [{version}] is higher than the one provided [{given}]"
                )))
            }
            VersionCheck::External(given) | VersionCheck::ExternalOrEqual(given) => Ok(given),
        }
    }

    fn check_sequence(
        &self,
        id: &str,
        current: Option<Current>,
        seq_no: u64,
        primary_term: u64,
    ) -> Result<(), Exception> {
        let found = match current.filter(|current| current.exists) {
            Some(current) if current.seq_no == seq_no && primary_term == PRIMARY_TERM => {
                return Ok(());
            }
            Some(current) => format!(
                "current document has seqNo [{}] and primary term [{PRIMARY_TERM}]",
                current.seq_no
            ),
            None => "but no document was found".to_owned(),
        };
        Err(self.conflict(
            id,
            &format!("required seqNo [{seq_no}], primary term [{primary_term}]. {found}"),
        ))
    }

    fn put(&mut self, id: Arc<str>, version: u64, put: Put) -> Written {
        let Put { kind, source, fields, routing } = put;
        let seq_no = self.take_seq_no();
        let record = Record {
            kind,
            seq_no,
            version,
            id: Arc::clone(&id),
            routing: routing.clone(),
            source: source.clone(),
        };
        let location = self.log(&record);
        self.enter(&id, version, seq_no, LiveState::Present(location));
        if kind == RecordKind::Replace {
            self.operations.push(UserOperation::Delete(self.id_term(&id)));
        }
        let ticket = Some(self.in_flight.enter(source.len()));
        let written = Written {
            id: id.to_string(),
            version,
            seq_no,
            outcome: match kind {
                RecordKind::Add => Outcome::Created,
                RecordKind::Replace | RecordKind::Delete => Outcome::Updated,
            },
            source: None,
        };
        self.operations.push(UserOperation::Add(IndexedDocument {
            layout: Arc::clone(&self.index.layout),
            id,
            routing,
            version,
            seq_no,
            source,
            fields,
            ticket,
        }));
        written
    }

    fn delete(
        &mut self,
        id: Arc<str>,
        version: u64,
        current: Option<Current>,
        routing: Option<Arc<str>>,
    ) -> Written {
        let exists = current.is_some_and(|current| current.exists);
        let seq_no = self.take_seq_no();
        self.log(&Record {
            kind: RecordKind::Delete,
            seq_no,
            version,
            id: Arc::clone(&id),
            routing,
            source: Bytes::new(),
        });
        self.enter(&id, version, seq_no, LiveState::Deleted { at_ms: self.now_ms });
        if exists {
            self.operations.push(UserOperation::Delete(self.id_term(&id)));
        }
        let outcome = if exists { Outcome::Deleted } else { Outcome::NotFound };
        Written { id: id.to_string(), version, seq_no, outcome, source: None }
    }

    fn update(
        &mut self,
        id: Arc<str>,
        current: Option<Current>,
        check: VersionCheck,
        routing: Option<Arc<str>>,
        body: UpdateBody,
    ) -> Result<Written, Exception> {
        let Some(current) = current.filter(|current| current.exists) else {
            let upsert = if body.doc_as_upsert { body.doc } else { body.upsert };
            let Some(document) = upsert else { return Err(self.missing(&id)) };
            let version = self.next_version(&id, current, check)?;
            return self.put_source(id, version, kind_of(current), routing, &document);
        };
        let version = self.next_version(&id, Some(current), check)?;
        let found = self.read(&id)?;
        let mut document = self.source_of(&id, &found.source)?;
        let changed = merge(&mut document, &body.doc.unwrap_or_default());
        if !changed && body.detect_noop {
            let Current { version, seq_no, .. } = current;
            let (outcome, source) = (Outcome::Noop, Some(found.source));
            return Ok(Written { id: id.to_string(), version, seq_no, outcome, source });
        }
        let routing = routing.or_else(|| found.routing.map(Arc::from));
        self.put_source(id, version, RecordKind::Replace, routing, &document)
    }

    fn put_source(
        &mut self,
        id: Arc<str>,
        version: u64,
        kind: RecordKind,
        routing: Option<Arc<str>>,
        document: &Map<String, Value>,
    ) -> Result<Written, Exception> {
        let source = Bytes::from(serde_json::to_vec(document).expect("an object of JSON is JSON"));
        let mut parser = DocumentParser::new(self.index);
        let fields = parser.parse(&id, &source)?;
        parser.finish()?;
        let put = Put { kind, source: source.clone(), fields, routing };
        Ok(Written { source: Some(source), ..self.put(id, version, put) })
    }

    /// Reads the newest version of a document that exists.
    fn read(&self, id: &str) -> Result<Found, Exception> {
        let Some(entry) = self.entries.get(id).copied() else {
            return self.index.get(id, true)?.ok_or_else(|| self.missing(id));
        };
        let LiveState::Present(location) = entry.state else { return Err(self.missing(id)) };
        let start = usize::try_from(location.offset - self.base.offset).expect("it is in memory");
        let frame = Bytes::copy_from_slice(&self.frames[start..start + location.length]);
        let (record, _) = record::frame_at(&frame).expect("it was just made");
        Ok(Found {
            version: entry.version,
            seq_no: entry.seq_no,
            source: record.source,
            routing: record.routing.map(|routing| routing.to_string()),
        })
    }

    fn source_of(&self, id: &str, source: &[u8]) -> Result<Map<String, Value>, Exception> {
        serde_json::from_slice(source).map_err(|error| {
            Exception::new(ExceptionKind::Corrupt, format!("document [{id}] is damaged: {error}"))
                .in_index(&self.index.name, &self.index.uuid)
        })
    }

    fn take_seq_no(&mut self) -> u64 {
        self.next_seq_no += 1;
        self.next_seq_no - 1
    }

    fn log(&mut self, record: &Record) -> Location {
        let offset = self.base.offset + self.frames.len() as u64;
        let length = record.encode(&mut self.frames);
        Location { file: self.base.file, offset, length }
    }

    fn enter(&mut self, id: &Arc<str>, version: u64, seq_no: u64, state: LiveState) {
        self.entries.insert(Arc::clone(id), LiveEntry { version, seq_no, state });
    }

    fn id_term(&self, id: &str) -> Term {
        Term::from_field_text(self.index.layout.id, id)
    }

    fn conflict(&self, id: &str, why: &str) -> Exception {
        let reason = format!("[{id}]: version conflict, {why}");
        self.about_document(ExceptionKind::VersionConflict, reason)
    }

    fn missing(&self, id: &str) -> Exception {
        self.about_document(ExceptionKind::DocumentMissing, format!("[{id}]: document missing"))
    }

    fn about_document(&self, kind: ExceptionKind, reason: String) -> Exception {
        Exception::new(kind, reason)
            .with("index", &*self.index.name)
            .with("shard", "0")
            .with("index_uuid", &*self.index.uuid)
    }

    fn failed(&self, error: &tantivy::TantivyError) -> Exception {
        disk::tantivy_failed(&self.index.name, &self.index.uuid, error)
    }
}

fn kind_of(current: Option<Current>) -> RecordKind {
    match current {
        Some(current) if current.exists => RecordKind::Replace,
        _ => RecordKind::Add,
    }
}
