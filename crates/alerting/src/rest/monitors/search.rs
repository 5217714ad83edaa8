//! `_search` over monitors, which is answered from memory.

use pampero_opensearch::search::{SearchRequest, SourceFilter, TotalHits};
use pampero_opensearch::{Exception, ExceptionKind};
use serde_json::{Map, Value, json};

use super::super::envelope;
use super::super::find::{Catalog, FieldKind, Filter, Found};

/// The index in which OpenSearch keeps monitors.
pub(super) const INDEX: &str = ".opendistro-alerting-config";

/// Most hits that may be looked at, those that are left out included.
///
/// Source: OpenSearch, `index.max_result_window`.
const WINDOW_MAX: usize = 10_000;

/// The fields of monitors that can be asked for, without those of what a search would have to look into
/// part by part (`nested` in OpenSearch).
const CATALOG: Catalog = Catalog {
    fields: &[
        ("monitor.name", FieldKind::Text),
        ("monitor.type", FieldKind::Keyword),
        ("monitor.monitor_type", FieldKind::Keyword),
        ("monitor.enabled", FieldKind::Boolean),
        ("monitor.enabled_time", FieldKind::Number),
        ("monitor.last_update_time", FieldKind::Number),
        ("monitor.owner", FieldKind::Keyword),
        ("monitor.schema_version", FieldKind::Number),
        ("monitor.schedule.period.interval", FieldKind::Number),
        ("monitor.schedule.period.unit", FieldKind::Keyword),
        ("monitor.schedule.cron.expression", FieldKind::Keyword),
        ("monitor.schedule.cron.timezone", FieldKind::Keyword),
        ("monitor.inputs.search.indices", FieldKind::Keyword),
        ("monitor.triggers.query_level_trigger.id", FieldKind::Keyword),
        ("monitor.triggers.query_level_trigger.name", FieldKind::Keyword),
        ("monitor.triggers.query_level_trigger.severity", FieldKind::Keyword),
        ("monitor.triggers.query_level_trigger.actions.name", FieldKind::Keyword),
        ("monitor.triggers.query_level_trigger.actions.destination_id", FieldKind::Keyword),
    ],
    absent: &["workflow.", "monitor.user.", "monitor.data_sources."],
    default_fields: &["monitor.name"],
};

/// A monitor as a search sees it.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) id: String,
    pub(super) version: u64,
    pub(super) seq_no: u64,
    /// `{"monitor":{…}}`.
    pub(super) document: Value,
}

/// Answers a search over all monitors.
///
/// # Errors
/// The search asks for something that is not known here; the refusal names it.
pub(super) fn answer(
    request: &SearchRequest,
    candidates: &[Candidate],
    took_ms: u64,
) -> Result<Value, Exception> {
    refuse_the_rest(request)?;
    let window = request.from.saturating_add(request.size);
    if WINDOW_MAX < window {
        return Err(Exception::illegal_argument(format!(
            "Result window is too large, from + size must be less than or equal to: [{WINDOW_MAX}] but was [{window}]."
        )));
    }
    let filter = match &request.query {
        Some(query) => CATALOG.filter(query)?,
        None => Filter::Always(true),
    };
    let order = CATALOG.order(&request.sort)?;
    let found = |it: &Candidate| filter.takes(Found { id: &it.id, source: &it.document });
    let mut hits: Vec<&Candidate> = candidates.iter().filter(|it| found(it)).collect();
    hits.sort_by(|one, other| {
        let other = Found { id: &other.id, source: &other.document };
        order.compare(Found { id: &one.id, source: &one.document }, other)
    });
    let total = total(request.track_total_hits, hits.len());
    let is_scored = order.is_empty() || request.track_scores;
    let max_score = if is_scored && !hits.is_empty() { json!(1.0) } else { Value::Null };
    let page = hits.into_iter().skip(request.from).take(request.size);
    let shown = page.map(|it| {
        let sort =
            (!order.is_empty()).then(|| order.values(Found { id: &it.id, source: &it.document }));
        hit(it, sort, is_scored, request.source.as_ref())
    });
    Ok(envelope(took_ms, total, max_score, shown.collect()))
}

/// Returns how many hits there are, as far as they are counted; null when they are not.
fn total(track: Option<TotalHits>, count: usize) -> Value {
    let count = count as u64;
    match track {
        Some(TotalHits::Untracked) => Value::Null,
        Some(TotalHits::UpTo(limit)) if limit < count => {
            json!({ "value": limit, "relation": "gte" })
        }
        _ => json!({ "value": count, "relation": "eq" }),
    }
}

fn hit(
    found: &Candidate,
    sort: Option<Vec<Value>>,
    is_scored: bool,
    source: Option<&SourceFilter>,
) -> Value {
    let mut hit = Map::new();
    hit.insert("_index".to_owned(), INDEX.into());
    hit.insert("_id".to_owned(), found.id.as_str().into());
    hit.insert("_version".to_owned(), found.version.into());
    hit.insert("_seq_no".to_owned(), found.seq_no.into());
    hit.insert("_primary_term".to_owned(), 1.into());
    hit.insert("_score".to_owned(), if is_scored { json!(1.0) } else { Value::Null });
    let unwrapped = found.document["monitor"].clone();
    match source {
        Some(filter) if !filter.is_shown() => {}
        Some(filter) => {
            hit.insert("_source".to_owned(), filter.apply(unwrapped));
        }
        None => {
            hit.insert("_source".to_owned(), unwrapped);
        }
    }
    if let Some(sort) = sort {
        hit.insert("sort".to_owned(), sort.into());
    }
    hit.into()
}

/// Refuses what this search does not do, by name.
fn refuse_the_rest(request: &SearchRequest) -> Result<(), Exception> {
    let asked = [
        ("aggregations", !request.aggregations.is_empty()),
        ("search_after", request.search_after.is_some()),
        ("min_score", request.min_score.is_some()),
        ("terminate_after", request.terminate_after.is_some()),
        ("stored_fields", request.stored_fields.is_some()),
        ("fields", !request.fields.is_empty()),
        ("docvalue_fields", !request.docvalue_fields.is_empty()),
        ("highlight", request.highlight.is_some()),
        ("post_filter", request.post_filter.is_some()),
        ("collapse", request.collapse.is_some()),
        ("indices_boost", !request.indices_boost.is_empty()),
        ("pit", request.pit.is_some()),
    ];
    match asked.into_iter().find(|(_, is_asked)| *is_asked) {
        Some((name, _)) => {
            Err(Exception::unsupported(format!("[{name}] in a search over monitors")))
        }
        None => Ok(()),
    }
}

/// Returns the refusal of a search without a body.
pub(super) fn body_required() -> Exception {
    Exception::new(ExceptionKind::Parse, "request body or source parameter is required")
}
