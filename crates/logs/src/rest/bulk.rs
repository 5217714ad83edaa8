//! `_bulk`: many operations in one request.
//!
//! The hot path of the server. Action lines are read without copying, documents are slices of the
//! body, and the answer is written as text. A body is worked on in slices of some thousand
//! operations, so that what it takes besides its own bytes and its answer stays small; the action
//! lines behind the first slice are checked before anything is written.

mod action;
mod answer;
mod parse;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::post;
use bytes::Bytes;
use pampero_index::cluster::ResolveOptions;
use pampero_index::{Index, Operation, Written};
use pampero_opensearch::{Exception, ExceptionKind};

use super::RestState;
use super::answer::{Answer, Failure};
use super::call::{Call, body_required};
use super::documents;
use super::refresh::Refresh;
use answer::{BulkAnswer, Done};
use parse::{Defaults, Item, Parser, Word};

pub(crate) use action::token;
pub(crate) use answer::Shards;

/// Operations that are worked on together.
const SLICE_ITEMS: usize = 4096;

/// About how many bytes the answer to one operation takes.
const ANSWER_BYTES: usize = 192;

const PARAMETERS: [&str; 12] = [
    "refresh",
    "pipeline",
    "routing",
    "timeout",
    "wait_for_active_shards",
    "require_alias",
    "_source",
    "_source_includes",
    "_source_excludes",
    "type",
    "batch_size",
    "batch_interval",
];

/// Returns the routes.
pub(super) fn routes() -> Router<RestState> {
    Router::new()
        .route("/_bulk", post(bulk_all).put(bulk_all))
        .route("/{index}/_bulk", post(bulk_one).put(bulk_one))
}

async fn bulk_all(State(state): State<RestState>, call: Call) -> Result<Answer, Failure> {
    bulk(state, None, call).await
}

async fn bulk_one(
    State(state): State<RestState>,
    Path(index): Path<String>,
    call: Call,
) -> Result<Answer, Failure> {
    bulk(state, Some(index), call).await
}

async fn bulk(state: RestState, index: Option<String>, call: Call) -> Result<Answer, Failure> {
    let begun = Instant::now();
    call.takes(&[&PARAMETERS])?;
    if call.body.is_empty() {
        return Err(body_required().into());
    }
    let parameters = &call.parameters;
    let defaults = Defaults {
        index: index.map(Arc::from),
        routing: parameters.text("routing").map(str::to_owned),
        pipeline: parameters.text("pipeline").map(str::to_owned),
        require_alias: parameters.boolean("require_alias", false)?,
        source: documents::source_parameters(parameters),
    };
    let refresh = Refresh::read(parameters)?;
    parameters.duration("timeout")?;
    let shape = call.shape.clone();
    let (body, reservation) = call.into_body();
    let work = move |state: &RestState| {
        let _until_the_end = reservation;
        let mut writer = Writer::new(state, refresh);
        let mut answer = BulkAnswer::new(&shape, expected_bytes(&body));
        writer.write_all(body, &defaults, &mut answer)?;
        let (items, refused) = answer.counts();
        let counts = state.counts();
        counts.bulk_items.fetch_add(items as u64, Ordering::Relaxed);
        counts.bulk_items_refused.fetch_add(refused as u64, Ordering::Relaxed);
        let took_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        Ok((Answer::raw(answer.finish(took_ms)).rendered(&shape), writer.touched))
    };
    state.write(refresh, work).await
}

/// Guesses the size of an answer from that of the body, without asking for much in vain.
fn expected_bytes(body: &Bytes) -> usize {
    (body.len() / 2).min(SLICE_ITEMS * ANSWER_BYTES)
}

/// Writes the items of one request.
struct Writer<'a> {
    state: &'a RestState,
    refresh: Refresh,
    /// Where writes to a name go, or why they go nowhere.
    targets: HashMap<Arc<str>, Result<Target, Exception>>,
    touched: Vec<Arc<Index>>,
}

/// Where writes to a name go.
#[derive(Clone)]
struct Target {
    index: Arc<Index>,
    /// What an alias gives to those without a routing of their own.
    routing: Option<Arc<str>>,
}

/// The operations of a slice that go to one index, with their places in the answer.
#[derive(Default)]
struct Group {
    places: Vec<usize>,
    operations: Vec<Operation>,
}

impl<'a> Writer<'a> {
    fn new(state: &'a RestState, refresh: Refresh) -> Self {
        Self { state, refresh, targets: HashMap::new(), touched: Vec::new() }
    }

    fn write_all(
        &mut self,
        body: Bytes,
        defaults: &Defaults,
        answer: &mut BulkAnswer<'_>,
    ) -> Result<(), Failure> {
        let mut parser = Parser::new(body, defaults)?;
        let mut slice = read_slice(&mut parser)?;
        if slice.is_empty() {
            let reason = "Validation Failed: 1: no requests added;";
            return Err(Exception::new(ExceptionKind::ActionRequestValidation, reason).into());
        }
        parser.check_rest()?;
        while !slice.is_empty() {
            self.write_slice(slice, answer);
            slice = read_slice(&mut parser)?;
        }
        self.touched.iter().try_for_each(|index| self.refresh.apply(index))?;
        Ok(())
    }

    fn write_slice(&mut self, mut slice: Vec<Item>, answer: &mut BulkAnswer<'_>) {
        let mut results: Vec<Option<Result<Written, Exception>>> = Vec::new();
        results.resize_with(slice.len(), || None);
        let mut groups: HashMap<Arc<str>, (Arc<Index>, Group)> = HashMap::new();
        for (place, item) in slice.iter_mut().enumerate() {
            match self.admitted(item) {
                Ok((index, operation)) => {
                    item.index = Arc::clone(index.name());
                    let (_, group) = groups
                        .entry(Arc::clone(index.name()))
                        .or_insert_with(|| (index, Group::default()));
                    group.places.push(place);
                    group.operations.push(operation);
                }
                Err(refused) => results[place] = Some(Err(refused)),
            }
        }
        let now = self.state.clock.now();
        let mut copies: HashMap<Arc<str>, u64> = HashMap::new();
        for (name, (index, group)) in groups {
            let written = index.write(group.operations, now);
            for (place, result) in group.places.into_iter().zip(written) {
                results[place] = Some(result);
            }
            copies.insert(name, documents::copies(&index));
            self.touch(index);
        }
        for (item, result) in slice.iter().zip(results) {
            self.answer_item(item, result, &copies, answer);
        }
    }

    fn answer_item(
        &self,
        item: &Item,
        result: Option<Result<Written, Exception>>,
        copies: &HashMap<Arc<str>, u64>,
        answer: &mut BulkAnswer<'_>,
    ) {
        let unanswered = || Exception::new(ExceptionKind::Internal, "the operation was not done");
        let Item { word, index, id, .. } = item;
        match result.unwrap_or_else(|| Err(unanswered())) {
            Ok(written) => answer.done(&Done {
                word: *word,
                index,
                copies: copies.get(index).copied().unwrap_or(1),
                forced_refresh: self.refresh == Refresh::Now,
                get: documents::updated_source(&written, item.source.as_ref()),
                written: &written,
            }),
            Err(why) => answer.refused(*word, index, id.as_deref(), &why),
        }
    }

    /// Takes the operation out of an item and returns it with the index it goes to.
    fn admitted(&mut self, item: &mut Item) -> Result<(Arc<Index>, Operation), Exception> {
        let taken = Err(Exception::illegal_argument("the operation was taken already"));
        let mut operation = std::mem::replace(&mut item.operation, taken)?;
        let Target { index, routing } = self.target(item)?;
        let given = operation.routing.take();
        operation.routing = documents::routing(&item.index, routing.as_deref(), given)?;
        Ok((index, operation))
    }

    /// Returns where an item goes; an index that is not there is made, but not for a deletion.
    fn target(&mut self, item: &Item) -> Result<Target, Exception> {
        if let Some(known) = self.targets.get(&item.index) {
            return known.clone();
        }
        let cluster = &self.state.cluster;
        let now = self.state.clock.now();
        if item.word == Word::Delete && !item.require_alias {
            cluster.resolve(&item.index, ResolveOptions::default(), now)?;
        }
        let target = cluster.write_index(&item.index, item.require_alias, now).map(|index| {
            let routing = cluster.write_routing(&item.index).map(Arc::from);
            Target { index, routing }
        });
        if !item.require_alias {
            self.targets.insert(Arc::clone(&item.index), target.clone());
        }
        target
    }

    fn touch(&mut self, index: Arc<Index>) {
        if !self.touched.iter().any(|it| it.uuid() == index.uuid()) {
            self.touched.push(index);
        }
    }
}

fn read_slice(parser: &mut Parser<'_>) -> Result<Vec<Item>, Exception> {
    let mut slice = Vec::new();
    while slice.len() < SLICE_ITEMS {
        match parser.next_item()? {
            Some(item) => slice.push(item),
            None => break,
        }
    }
    Ok(slice)
}
