//! `nested`: objects of a list, each for itself.
//!
//! The index holds the values of all objects of a document side by side. So a wider query, which finds
//! at least the documents that are sought, says which to look into; their objects are read from the
//! sources and put, one document each, into a small index in memory, over which the query is run as it
//! stands. Both steps are bounded, see [`DOCUMENTS_MAX`] and [`OBJECTS_MAX`].

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use pampero_opensearch::mapping::Analyzer;
use pampero_opensearch::query::{self as dsl, Clause, Query};
use pampero_opensearch::{Exception, ExceptionKind, Mapping};
use serde_json::{Map, Value};
use tantivy::directory::RamDirectory;
use tantivy::index::SegmentId;
use tantivy::query::{BitSetDocSet, ConstScorer, EnableScoring, Explanation, Scorer, Weight};
use tantivy::schema::Schema;
use tantivy::tokenizer::TokenizerManager;
use tantivy::{BitSet, DocId, DocSet, Score, SegmentReader, TERMINATED, TantivyError};

use super::{Builder, Built, constant, failed_to_create, none};
use crate::analysis;
use crate::engine::{FieldGroups, IndexedDocument, StoredDocument};
use crate::layout::Layout;

/// Most documents of an index that one query looks into.
const DOCUMENTS_MAX: usize = 10_000;

/// Most objects of an index that one query looks at.
const OBJECTS_MAX: usize = 100_000;

/// Objects that are looked at together.
const BATCH_OBJECTS: usize = 2_000;

/// Bytes of sources after which a batch is full.
const BATCH_BYTES: usize = 4 << 20;

/// Memory that tantivy may ask for while it takes a batch in; it holds the whole batch all the same.
const WRITER_BYTES: usize = 15_000_000;

/// Begins the refusals that come out of tantivy.
const REFUSED: &str = "query [nested]";

/// Returns what a query refused while it ran; `None` for faults of tantivy and the disk.
pub(crate) fn refusal(error: &TantivyError) -> Option<Exception> {
    match error {
        TantivyError::InvalidArgument(reason) if reason.starts_with(REFUSED) => {
            Some(Exception::illegal_argument(reason.as_str()))
        }
        _ => None,
    }
}

impl Builder<'_> {
    pub(super) fn nested(&self, clause: &dsl::Nested) -> Result<Built, Exception> {
        let mapping = self.context.mapping;
        let path = &*clause.path;
        if !mapping.is_nested(path) {
            if clause.ignore_unmapped && !mapping.is_object(path) {
                return Ok(none());
            }
            let reason = if mapping.is_object(path) {
                format!("[nested] nested object under path [{path}] is not of nested type")
            } else {
                format!("[nested] failed to find nested object under path [{path}]")
            };
            let cause = Exception::new(ExceptionKind::QueryShard, reason);
            return Err(failed_to_create(cause));
        }
        let wider = match wider(&clause.query) {
            Some(wider) => constant(self.build(&wider)?, 0.0),
            None => self.exists(&format!("{path}.*")),
        };
        let sought = Sought {
            path: path.to_owned(),
            query: self.build(&clause.query)?,
            mapping: mapping.clone(),
            layout: Arc::new(self.context.layout.clone()),
            looked: Mutex::default(),
        };
        Ok(constant(Box::new(NestedQuery { wider, sought: Arc::new(sought) }), 1.0))
    }
}

/// Returns a query that finds every document of which an object matches `query`, or `None` where only
/// looking into all of them is sure to.
///
/// What an object has, its document has; so what asks for something that is there is kept, and what
/// asks for something that is not there is left out.
fn wider(query: &Query) -> Option<Query> {
    let all_of = |queries: Vec<Query>| {
        let clause =
            dsl::Bool { filter: queries, adjust_pure_negative: true, ..Default::default() };
        Query::from(Clause::Bool(clause))
    };
    let any_of = |queries: &[Query]| {
        let should = queries.iter().map(wider).collect::<Option<Vec<_>>>()?;
        let clause = dsl::Bool { should, adjust_pure_negative: true, ..Default::default() };
        Some(Query::from(Clause::Bool(clause)))
    };
    match &query.clause {
        Clause::MatchAll | Clause::QueryString(_) | Clause::SimpleQueryString(_) => None,
        Clause::Bool(clause) => {
            let required = clause.must.iter().chain(&clause.filter);
            let required: Vec<Query> = required.filter_map(wider).collect();
            if !required.is_empty() {
                return Some(all_of(required));
            }
            let optional = clause.must.len() + clause.filter.len() > 0
                || clause.minimum_should_match.is_some()
                || clause.should.is_empty();
            if optional { None } else { any_of(&clause.should) }
        }
        Clause::ConstantScore(filter) => wider(filter),
        Clause::DisMax(clause) => any_of(&clause.queries),
        Clause::Boosting(clause) => wider(&clause.positive),
        Clause::Nested(clause) => wider(&clause.query),
        Clause::MatchNone
        | Clause::Match(_)
        | Clause::MatchBoolPrefix(_)
        | Clause::MatchPhrase(_)
        | Clause::MatchPhrasePrefix(_)
        | Clause::MultiMatch(_)
        | Clause::Term(_)
        | Clause::Terms(_)
        | Clause::Range(_)
        | Clause::Exists(_)
        | Clause::Prefix(_)
        | Clause::Wildcard(_)
        | Clause::Regexp(_)
        | Clause::Fuzzy(_)
        | Clause::Ids(_) => Some(query.clone()),
    }
}

/// Finds documents of which one object matches.
#[derive(Debug)]
struct NestedQuery {
    wider: Built,
    sought: Arc<Sought>,
}

impl Clone for NestedQuery {
    fn clone(&self) -> Self {
        Self { wider: self.wider.box_clone(), sought: Arc::clone(&self.sought) }
    }
}

/// What an object has to match.
struct Sought {
    path: String,
    query: Built,
    mapping: Mapping,
    layout: Arc<Layout>,
    looked: Mutex<Looked>,
}

impl fmt::Debug for Sought {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Sought").field("path", &self.path).finish_non_exhaustive()
    }
}

/// What was looked at so far, for one search asks a query more than once.
#[derive(Default)]
struct Looked {
    found: HashMap<SegmentId, BitSet>,
    documents: usize,
    objects: usize,
}

impl tantivy::query::Query for NestedQuery {
    fn weight(&self, scoring: EnableScoring<'_>) -> tantivy::Result<Box<dyn Weight>> {
        let wider = self.wider.weight(scoring)?;
        Ok(Box::new(NestedWeight { wider, sought: Arc::clone(&self.sought) }))
    }
}

struct NestedWeight {
    wider: Box<dyn Weight>,
    sought: Arc<Sought>,
}

impl Weight for NestedWeight {
    fn scorer(&self, reader: &SegmentReader, boost: Score) -> tantivy::Result<Box<dyn Scorer>> {
        let mut looked = self.sought.looked.lock().unwrap_or_else(PoisonError::into_inner);
        let found = match looked.found.get(&reader.segment_id()) {
            Some(found) => found.clone(),
            None => {
                let found = self.sought.look(reader, &*self.wider, &mut looked)?;
                looked.found.insert(reader.segment_id(), found.clone());
                found
            }
        };
        Ok(Box::new(ConstScorer::new(BitSetDocSet::from(found), boost)))
    }

    fn explain(&self, reader: &SegmentReader, document: DocId) -> tantivy::Result<Explanation> {
        let mut scorer = self.scorer(reader, 1.0)?;
        if scorer.doc() > document || scorer.seek(document) != document {
            return Err(TantivyError::InvalidArgument(format!(
                "document {document} does not match"
            )));
        }
        Ok(Explanation::new("NestedQuery", scorer.score()))
    }
}

/// Objects that are looked at together, with the documents they belong to.
#[derive(Default)]
struct Batch {
    objects: Vec<IndexedDocument>,
    owners: Vec<DocId>,
    bytes: usize,
}

impl Sought {
    /// Looks into the documents of a segment that `wider` finds.
    fn look(
        &self,
        reader: &SegmentReader,
        wider: &dyn Weight,
        looked: &mut Looked,
    ) -> tantivy::Result<BitSet> {
        /// Blocks of the store that are kept unpacked; the documents come in their order.
        const CACHED_BLOCKS: usize = 1;
        let store = reader.get_store_reader(CACHED_BLOCKS)?;
        let seq_nos = reader.fast_fields().u64(Layout::SEQ_NO)?;
        let mut found = BitSet::with_max_value(reader.max_doc());
        let mut batch = Batch::default();
        let mut candidates = wider.scorer(reader, 1.0)?;
        while candidates.doc() != TERMINATED {
            let candidate = candidates.doc();
            candidates.advance();
            if reader.alive_bitset().is_some_and(|alive| !alive.is_alive(candidate)) {
                continue;
            }
            looked.documents += 1;
            let stored: StoredDocument = store.get(candidate)?;
            let seq_no = seq_nos.first(candidate).unwrap_or_default();
            self.take_apart(&stored, seq_no, candidate, &mut batch)?;
            if batch.owners.len() >= BATCH_OBJECTS || batch.bytes >= BATCH_BYTES {
                looked.objects += batch.owners.len();
                self.check(looked)?;
                self.run(std::mem::take(&mut batch), &mut found)?;
            }
            self.check(looked)?;
        }
        looked.objects += batch.owners.len();
        self.check(looked)?;
        self.run(batch, &mut found)?;
        Ok(found)
    }

    fn check(&self, looked: &Looked) -> tantivy::Result<()> {
        let (most, what) = if looked.documents > DOCUMENTS_MAX {
            (DOCUMENTS_MAX, "documents")
        } else if looked.objects > OBJECTS_MAX {
            (OBJECTS_MAX, "objects")
        } else {
            return Ok(());
        };
        Err(TantivyError::InvalidArgument(format!(
            "{REFUSED} under path [{}] has to look into more than [{most}] {what} of an index, say \
             more of what is sought inside of it",
            self.path
        )))
    }

    /// Adds the objects of a document, each as a document with nothing else in it.
    fn take_apart(
        &self,
        stored: &StoredDocument,
        seq_no: u64,
        owner: DocId,
        batch: &mut Batch,
    ) -> tantivy::Result<()> {
        let broken = |error: &dyn fmt::Display| {
            TantivyError::InternalError(format!("document [{}] cannot be read: {error}", stored.id))
        };
        let source: Value =
            serde_json::from_slice(&stored.source).map_err(|error| broken(&error))?;
        let mut objects = Vec::new();
        objects_at(source, &self.path, &mut objects);
        let id: Arc<str> = stored.id.as_str().into();
        for object in objects {
            let source = at_path(&self.path, object).to_string();
            let parsed = self.mapping.parse_document(&id, source.as_bytes());
            let fields = FieldGroups::new(&self.layout, parsed.map_err(|error| broken(&error))?);
            batch.bytes += source.len();
            batch.owners.push(owner);
            batch.objects.push(IndexedDocument {
                layout: Arc::clone(&self.layout),
                id: Arc::clone(&id),
                routing: None,
                version: 1,
                seq_no,
                source: source.into(),
                fields,
                ticket: None,
            });
        }
        Ok(())
    }

    /// Runs the query over a batch and marks the documents of which an object matches.
    fn run(&self, batch: Batch, found: &mut BitSet) -> tantivy::Result<()> {
        if batch.objects.is_empty() {
            return Ok(());
        }
        let schema: Schema = self.layout.schema.clone();
        let tokenizers = TokenizerManager::default();
        for analyzer in Analyzer::ALL {
            tokenizers.register(analyzer.as_str(), analysis::tokenizer(analyzer));
        }
        let mut writer = tantivy::Index::builder()
            .schema(schema)
            .tokenizers(tokenizers)
            .single_segment_index_writer::<IndexedDocument>(
            RamDirectory::create(),
            WRITER_BYTES,
        )?;
        for object in batch.objects {
            writer.add_document(object)?;
        }
        let searcher = writer.finalize()?.reader()?.searcher();
        let weight = self.query.weight(EnableScoring::disabled_from_searcher(&searcher))?;
        for reader in searcher.segment_readers() {
            let mut scorer = weight.scorer(reader, 1.0)?;
            while scorer.doc() != TERMINATED {
                found.insert(batch.owners[scorer.doc() as usize]);
                scorer.advance();
            }
        }
        Ok(())
    }
}

/// Gathers the objects at a path; names may hold dots, and lists may lie anywhere.
fn objects_at(value: Value, path: &str, into: &mut Vec<Map<String, Value>>) {
    match value {
        Value::Array(members) => {
            members.into_iter().for_each(|member| objects_at(member, path, into));
        }
        Value::Object(object) if path.is_empty() => into.push(object),
        Value::Object(object) => {
            for (name, member) in object {
                match path.strip_prefix(&*name) {
                    Some("") => objects_at(member, "", into),
                    Some(rest) if rest.starts_with('.') => objects_at(member, &rest[1..], into),
                    _ => {}
                }
            }
        }
        _ => {}
    }
}

/// Puts an object where it was.
fn at_path(path: &str, object: Map<String, Value>) -> Value {
    path.rsplit('.').fold(Value::Object(object), |inner, name| {
        Value::Object(Map::from_iter([(name.to_owned(), inner)]))
    })
}
