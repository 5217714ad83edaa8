//! What the hits of an answer show: their sources, fields, marks, scores and sort values.

use jiff::Timestamp;
use pampero_opensearch::search::{SearchRequest, SourceFilter, StoredFields};
use pampero_opensearch::{Exception, ExceptionKind};
use serde_json::{Map, Value, json};
use tantivy::query::{EnableScoring, Weight};
use tantivy::schema::Value as _;
use tantivy::{DocAddress, DocSet, TantivyDocument};

use super::fields;
use super::highlight::Marker;
use super::order::Position;
use super::plan::{self, Plan};
use super::scan::Shard;
use super::values::{Number, NumberKind};
use super::{SearchOptions, column, failed};
use crate::layout::Layout;
use crate::query;

/// What hits show, the same for all of one answer.
struct Shown<'a> {
    request: &'a SearchRequest,
    source: SourceFilter,
    id: bool,
    score: bool,
}

/// What belongs to one index while its hits are written.
struct Writer<'a> {
    shard: &'a Shard<'a>,
    named: Vec<(String, Box<dyn Weight>)>,
    marker: Option<Marker>,
}

/// Writes hits in their order.
///
/// # Errors
/// A document cannot be read, or the answer would become too large.
pub(super) fn write(
    plan: &Plan<'_>,
    request: &SearchRequest,
    options: &SearchOptions,
    positions: &[Position],
    now: Timestamp,
) -> Result<Vec<Value>, Exception> {
    let shown = Shown::new(plan, request);
    let mut writers: Vec<Option<Writer<'_>>> = plan.snapshots.iter().map(|_| None).collect();
    let mut hits = Vec::with_capacity(positions.len());
    let mut bytes = 0;
    for position in positions {
        let index = position.address.index;
        let Some(shard) = plan.shards.iter().find(|shard| shard.index == index) else {
            continue;
        };
        let slot = &mut writers[index as usize];
        if slot.is_none() {
            let made = Writer::new(shard, request, now).map_err(|it| plan.refused(it))?;
            *slot = Some(made);
        }
        let Some(writer) = slot else {
            continue;
        };
        let mut hit = writer.write(&shown, position, &mut bytes).map_err(|it| plan.refused(it))?;
        if bytes > options.answer_bytes_max {
            return Err(too_large(bytes, options.answer_bytes_max));
        }
        if !plan.order.keys.is_empty() {
            hit.insert("sort".to_owned(), plan.order.write(position));
        }
        hits.push(Value::Object(hit));
    }
    Ok(hits)
}

fn too_large(bytes: usize, bytes_max: usize) -> Exception {
    let reason = format!(
        "[search] Data too large, the sources of the hits would be [{bytes}] bytes, which is larger than the limit of [{bytes_max}]; ask for fewer hits"
    );
    Exception::new(ExceptionKind::CircuitBreaking, reason)
        .with("bytes_wanted", bytes)
        .with("bytes_limit", bytes_max)
}

impl<'a> Shown<'a> {
    fn new(plan: &Plan<'_>, request: &'a SearchRequest) -> Self {
        let (id, source) = match (&request.stored_fields, &request.source) {
            (Some(StoredFields::None), source) => {
                (false, source.clone().unwrap_or(SourceFilter::none()))
            }
            (_, Some(source)) => (true, source.clone()),
            (None, None) => (true, SourceFilter::all()),
            (Some(StoredFields::Names(names)), None) => {
                let all = names.iter().any(|name| name == "_source");
                (true, if all { SourceFilter::all() } else { SourceFilter::none() })
            }
        };
        let score = plan.needs_scores(request);
        Self { request, source, id, score }
    }
}

impl<'a> Writer<'a> {
    fn new(
        shard: &'a Shard<'a>,
        request: &SearchRequest,
        now: Timestamp,
    ) -> Result<Self, Exception> {
        let snapshot = shard.snapshot;
        let context = plan::context(snapshot, now);
        let queries = request.query.iter().chain(&request.post_filter);
        let mut named = Vec::new();
        for (name, query) in queries.flat_map(|query| query.named()) {
            let scoring = EnableScoring::disabled_from_searcher(&snapshot.searcher);
            let weight = query::build(query, context)?.weight(scoring).map_err(failed)?;
            named.push((name.to_owned(), weight));
        }
        let marker = match &request.highlight {
            Some(highlight) => Some(Marker::new(highlight, request.query.as_ref(), snapshot)?),
            None => None,
        };
        Ok(Self { shard, named, marker })
    }

    fn write(
        &self,
        shown: &Shown<'_>,
        position: &Position,
        bytes: &mut usize,
    ) -> Result<Map<String, Value>, Exception> {
        let snapshot = self.shard.snapshot;
        let address = DocAddress::new(position.address.segment, position.address.document);
        let stored: TantivyDocument = snapshot.searcher.doc(address).map_err(failed)?;
        let mut hit = Map::new();
        hit.insert("_index".to_owned(), Value::from(&*snapshot.name));
        let text = |field| stored.get_first(field).and_then(|value| value.as_str());
        if let Some(id) = text(snapshot.layout.id).filter(|_| shown.id) {
            hit.insert("_id".to_owned(), Value::from(id));
        }
        if let Some(routing) = text(snapshot.layout.routing) {
            hit.insert("_routing".to_owned(), Value::from(routing));
        }
        let score = if shown.score { Number::from_f32(position.score) } else { Value::Null };
        hit.insert("_score".to_owned(), score);
        self.write_versions(shown.request, address, &mut hit)?;
        let raw = stored.get_first(snapshot.layout.source).and_then(|value| value.as_bytes());
        self.write_source(shown, raw.unwrap_or_default(), address, bytes, &mut hit)?;
        let matched = self.matched(address)?;
        if !matched.is_empty() {
            hit.insert("matched_queries".to_owned(), json!(matched));
        }
        Ok(hit)
    }

    /// Writes all that is made of the source: itself, `fields` and `highlight`.
    fn write_source(
        &self,
        shown: &Shown<'_>,
        raw: &[u8],
        address: DocAddress,
        bytes: &mut usize,
        hit: &mut Map<String, Value>,
    ) -> Result<(), Exception> {
        let snapshot = self.shard.snapshot;
        let request = shown.request;
        let mut fields = Map::new();
        let is_read =
            shown.source.is_shown() || !request.fields.is_empty() || self.marker.is_some();
        if is_read {
            *bytes += raw.len();
            let source: Value = serde_json::from_slice(raw).map_err(failed)?;
            fields::read_from_source(&request.fields, &snapshot.mapping, &source, &mut fields);
            if let Some(marker) = &self.marker {
                let marked = marker.mark(&source)?;
                if !marked.is_empty() {
                    hit.insert("highlight".to_owned(), Value::Object(marked));
                }
            }
            if shown.source.is_shown() {
                hit.insert("_source".to_owned(), shown.source.apply(source));
            }
        }
        let reader = snapshot.searcher.segment_reader(address.segment_ord);
        fields::read_from_columns(
            &request.docvalue_fields,
            request.collapse.as_deref(),
            &snapshot.mapping,
            reader,
            address.doc_id,
            &mut fields,
        )?;
        if !fields.is_empty() {
            hit.insert("fields".to_owned(), Value::Object(fields));
        }
        Ok(())
    }

    fn write_versions(
        &self,
        request: &SearchRequest,
        address: DocAddress,
        hit: &mut Map<String, Value>,
    ) -> Result<(), Exception> {
        let reader = self.shard.snapshot.searcher.segment_reader(address.segment_ord);
        let read = |name: &str| -> Result<Value, Exception> {
            let column = column::open_numbers(reader, name, NumberKind::Unsigned)?;
            let number = column.and_then(|column| column.first(address.doc_id));
            Ok(number.map_or(Value::Null, Value::from))
        };
        if request.version {
            hit.insert("_version".to_owned(), read(Layout::VERSION)?);
        }
        if request.seq_no_primary_term {
            hit.insert("_seq_no".to_owned(), read(Layout::SEQ_NO)?);
            hit.insert("_primary_term".to_owned(), Value::from(1));
        }
        Ok(())
    }

    /// Returns the names of the queries that a document matches.
    fn matched(&self, address: DocAddress) -> Result<Vec<&str>, Exception> {
        let reader = self.shard.snapshot.searcher.segment_reader(address.segment_ord);
        let mut names = Vec::new();
        for (name, weight) in &self.named {
            let mut scorer = weight.scorer(reader, 1.0).map_err(failed)?;
            let at = if scorer.doc() < address.doc_id {
                scorer.seek(address.doc_id)
            } else {
                scorer.doc()
            };
            if at == address.doc_id {
                names.push(name.as_str());
            }
        }
        Ok(names)
    }
}
