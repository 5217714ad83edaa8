//! A request fitted to the indices it searches: queries built, sort keys resolved, limits checked.

use jiff::Timestamp;
use pampero_opensearch::names::matches;
use pampero_opensearch::query::{Clause, Query};
use pampero_opensearch::search::{MissingValue, SearchRequest, SortKey, SortMode, SortTarget};
use pampero_opensearch::{Exception, ExceptionKind};
use serde_json::{Value, json};
use tantivy::query::{AllQuery, BooleanQuery, BoostQuery, ConstScoreQuery, Occur};

use super::floor::ScoreFloor;
use super::order::{self, After, Key, KeyKind, Order};
use super::scan::Shard;
use crate::engine::Snapshot;
use crate::query::{self, QueryContext};

/// `index.max_result_window` unless an index says otherwise.
const WINDOW_DEFAULT: usize = 10_000;

/// Most `docvalue_fields` of a request.
const DOCVALUE_FIELDS_MAX: usize = 100;

/// A request fitted to its indices.
pub(super) struct Plan<'a> {
    /// All that are searched, also those that failed.
    pub(super) snapshots: &'a [Snapshot],
    /// Those that did not fail.
    pub(super) shards: Vec<Shard<'a>>,
    /// The order of the hits.
    pub(super) order: Order,
    /// What is collapsed.
    pub(super) group: Option<Key>,
    /// What failed, each with its index.
    pub(super) failures: Vec<Failure>,
}

/// One index that failed.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    /// Name of the index.
    pub(super) index: String,
    /// What it refused or could not do.
    pub(super) reason: Exception,
}

impl<'a> Plan<'a> {
    /// Fits a request.
    ///
    /// # Errors
    /// All indices refuse it, or it makes no sense for any.
    pub(super) fn new(
        snapshots: &'a [Snapshot],
        request: &SearchRequest,
        now: Timestamp,
    ) -> Result<Self, Exception> {
        check_request(request)?;
        let mut plan = Self {
            snapshots,
            shards: Vec::new(),
            order: Order { keys: Vec::new() },
            group: None,
            failures: Vec::new(),
        };
        let sort = sort_with_group(request);
        let mut kinds: Vec<Vec<KeyKind>> = vec![Vec::new(); sort.len()];
        for (index, snapshot) in (0..).zip(snapshots) {
            match fit(index, snapshot, request, &sort, now) {
                Ok((shard, own)) => {
                    plan.shards.push(shard);
                    kinds.iter_mut().zip(own).for_each(|(kinds, kind)| kinds.push(kind));
                }
                Err(reason) => plan.failures.push(Failure::new(snapshot, reason)),
            }
        }
        plan.check_any_left()?;
        let mut keys = Vec::new();
        for (key, kinds) in sort.iter().zip(kinds) {
            keys.push(make_key(key, &kinds)?);
        }
        if request.collapse.is_some() {
            plan.group = keys.pop();
        }
        plan.order = Order { keys };
        Ok(plan)
    }

    /// Reads `search_after`.
    ///
    /// # Errors
    /// It does not fit the sort keys.
    pub(super) fn read_after(&self, values: &[Value]) -> Result<After, Exception> {
        self.order.read_after(values).map_err(|refused| self.refused(refused))
    }

    /// Adds indices that failed while they were searched.
    ///
    /// # Errors
    /// Now all of them failed.
    pub(super) fn fail(&mut self, failures: &[(u32, Exception)]) -> Result<(), Exception> {
        for (index, reason) in failures {
            let before = self.shards.len();
            self.shards.retain(|shard| shard.index != *index);
            if self.shards.len() < before {
                let snapshot = &self.snapshots[*index as usize];
                self.failures.push(Failure::new(snapshot, reason.clone()));
            }
        }
        self.check_any_left()
    }

    fn check_any_left(&self) -> Result<(), Exception> {
        if self.shards.is_empty() && !self.failures.is_empty() {
            return Err(all_failed(&self.failures));
        }
        Ok(())
    }

    /// Wraps what refuses the request for all indices.
    pub(super) fn refused(&self, reason: Exception) -> Exception {
        match self.shards.first() {
            Some(shard) => all_failed(&[Failure::new(shard.snapshot, reason)]),
            None => reason,
        }
    }

    /// Tells whether hits need scores.
    pub(super) fn needs_scores(&self, request: &SearchRequest) -> bool {
        self.order.needs_scores() || request.track_scores
    }

    /// Tells whether all hits score the same, so that the order by score is that of the documents.
    pub(super) fn has_constant_scores(&self, request: &SearchRequest) -> bool {
        self.order.keys.is_empty()
            && request.indices_boost.is_empty()
            && request.query.as_ref().is_none_or(scores_are_constant)
    }

    /// Writes `_shards`.
    pub(super) fn write_shards(&self) -> Value {
        let mut shards = json!({
            "total": self.snapshots.len(),
            "successful": self.shards.len(),
            "skipped": 0,
            "failed": self.failures.len(),
        });
        if !self.failures.is_empty() {
            shards["failures"] = self.failures.iter().map(Failure::to_json).collect();
        }
        shards
    }
}

impl Failure {
    fn new(snapshot: &Snapshot, reason: Exception) -> Self {
        let reason = match reason.metadata().contains_key("index") {
            true => reason,
            false => reason.in_index(&snapshot.name, &snapshot.uuid),
        };
        Self { index: snapshot.name.to_string(), reason }
    }

    fn to_json(&self) -> Value {
        json!({ "shard": 0, "index": self.index, "node": "pampero", "reason": self.reason.to_json() })
    }
}

/// Says that every index failed; the first failure is the cause.
pub(super) fn all_failed(failures: &[Failure]) -> Exception {
    let failed: Vec<Value> = failures.iter().map(Failure::to_json).collect();
    let exception = Exception::new(ExceptionKind::SearchPhaseExecution, "all shards failed")
        .with("phase", "query")
        .with("grouped", true)
        .with("failed_shards", failed);
    match failures.first() {
        Some(first) => exception.caused_by(first.reason.clone()),
        None => exception,
    }
}

fn check_request(request: &SearchRequest) -> Result<(), Exception> {
    let wanted = request.docvalue_fields.len();
    if wanted > DOCVALUE_FIELDS_MAX {
        return Err(Exception::illegal_argument(format!(
            "Trying to retrieve too many docvalue_fields. Must be less than or equal to: [{DOCVALUE_FIELDS_MAX}] but was [{wanted}]. This limit can be set by changing the [index.max_docvalue_fields_search] index level setting."
        )));
    }
    let by_shard = request.sort.iter().any(|key| key.target == SortTarget::ShardDocument);
    if by_shard && request.pit.is_none() {
        return Err(Exception::new(
            ExceptionKind::ActionRequestValidation,
            "Validation Failed: 1: _shard_doc is only supported with point-in-time (PIT) context. Please provide a PIT or remove _shard_doc from sort.;",
        ));
    }
    if request.search_after.is_some() && request.from > 0 {
        return Err(Exception::illegal_argument(
            "`from` parameter must be set to 0 when `search_after` is used.",
        ));
    }
    if request.search_after.is_some() && request.collapse.is_some() {
        return Err(Exception::unsupported("collapse together with search_after"));
    }
    Ok(())
}

/// Returns the sort keys, and as the last one the field that is collapsed.
fn sort_with_group(request: &SearchRequest) -> Vec<SortKey> {
    let mut sort = request.sort.clone();
    if let Some(path) = &request.collapse {
        sort.push(SortKey {
            target: SortTarget::Field(pampero_opensearch::search::FieldSort {
                path: path.clone(),
                missing: MissingValue::Last,
                unmapped_type: Some("keyword".to_owned()),
                mode: None,
                format: None,
                numeric_type: None,
            }),
            descending: false,
        });
    }
    sort
}

/// Fits a request to one index, and tells what each sort key is there.
fn fit<'a>(
    index: u32,
    snapshot: &'a Snapshot,
    request: &SearchRequest,
    sort: &[SortKey],
    now: Timestamp,
) -> Result<(Shard<'a>, Vec<KeyKind>), Exception> {
    check_window(snapshot, request)?;
    let kinds =
        sort.iter().map(|key| order::key_kind(key, &snapshot.mapping)).collect::<Result<_, _>>()?;
    let context = context(snapshot, now);
    let mut query: Box<dyn tantivy::query::Query> = match &request.query {
        Some(query) => query::build(query, context)?,
        None => Box::new(AllQuery),
    };
    let boost = index_boost(&request.indices_boost, &snapshot.name);
    if (boost - 1.0).abs() > f32::EPSILON {
        query = Box::new(BoostQuery::new(query, boost));
    }
    if let Some(floor) = request.min_score {
        query = Box::new(ScoreFloor { inner: query, floor });
    }
    let hits = match &request.post_filter {
        Some(filter) => {
            let filter = ConstScoreQuery::new(query::build(filter, context)?, 0.0);
            Box::new(BooleanQuery::new(vec![
                (Occur::Must, query.box_clone()),
                (Occur::Must, Box::new(filter)),
            ]))
        }
        None => query.box_clone(),
    };
    Ok((Shard { index, snapshot, query, hits }, kinds))
}

/// Returns what queries need to know of an index.
pub(super) fn context(snapshot: &Snapshot, now: Timestamp) -> QueryContext<'_> {
    QueryContext {
        index: &snapshot.name,
        mapping: &snapshot.mapping,
        layout: &snapshot.layout,
        now,
    }
}

fn check_window(snapshot: &Snapshot, request: &SearchRequest) -> Result<(), Exception> {
    let window = match snapshot.settings.get("index.max_result_window") {
        Some(Value::String(text)) => text.parse().unwrap_or(WINDOW_DEFAULT),
        _ => WINDOW_DEFAULT,
    };
    let wanted = request.from.saturating_add(request.size);
    if wanted > window {
        return Err(Exception::illegal_argument(format!(
            "Result window is too large, from + size must be less than or equal to: [{window}] but was [{wanted}]. See the scroll api for a more efficient way to request large data sets. This limit can be set by changing the [index.max_result_window] index level setting."
        )));
    }
    Ok(())
}

fn index_boost(boosts: &[(String, f32)], name: &str) -> f32 {
    boosts.iter().find(|(pattern, _)| matches(pattern, name)).map_or(1.0, |(_, boost)| *boost)
}

fn make_key(key: &SortKey, kinds: &[KeyKind]) -> Result<Key, Exception> {
    let (path, missing, mode, format) = match &key.target {
        SortTarget::Field(field) => {
            (field.path.clone(), field.missing.clone(), field.mode, field.format.clone())
        }
        SortTarget::Score => ("_score".to_owned(), MissingValue::Last, None, None),
        SortTarget::Document => ("_doc".to_owned(), MissingValue::Last, None, None),
        SortTarget::ShardDocument => ("_shard_doc".to_owned(), MissingValue::Last, None, None),
    };
    let mut kind = KeyKind::Unmapped;
    for other in kinds {
        kind = order::unify(&path, kind, *other)?;
    }
    let default = if key.descending { SortMode::Max } else { SortMode::Min };
    let mode = mode.unwrap_or(default);
    Ok(Key { kind, path, descending: key.descending, missing, mode, format })
}

/// Tells whether all documents that a query finds score the same.
fn scores_are_constant(query: &Query) -> bool {
    match &query.clause {
        Clause::MatchAll | Clause::MatchNone | Clause::ConstantScore(_) => true,
        Clause::Bool(clause) => clause.must.is_empty() && clause.should.is_empty(),
        _ => false,
    }
}
