//! Writing and deleting single documents.

use std::sync::Arc;

use axum::extract::{Path, State};
use http::StatusCode;
use pampero_index::cluster::ResolveOptions;
use pampero_index::{Action, Index, Operation, Outcome, Written};
use pampero_opensearch::{Exception, ExceptionKind};

use super::{VersionParameters, check_pipeline, copies};
use crate::rest::RestState;
use crate::rest::answer::{Answer, Failure};
use crate::rest::bulk::Shards;
use crate::rest::call::{Call, body_required};
use crate::rest::documents;
use crate::rest::refresh::Refresh;

/// Names that every write takes.
pub(super) const PARAMETERS: [&str; 4] =
    ["refresh", "routing", "timeout", "wait_for_active_shards"];

const INDEX_PARAMETERS: [&str; 3] = ["op_type", "pipeline", "require_alias"];

/// One write to one document, whatever it does.
pub(super) struct Write {
    pub(super) index: Arc<Index>,
    pub(super) operation: Operation,
    pub(super) refresh: Refresh,
}

pub(super) async fn index_without_id(
    State(state): State<RestState>,
    Path(name): Path<String>,
    call: Call,
) -> Result<Answer, Failure> {
    index(state, name, None, false, call).await
}

pub(super) async fn index_document(
    State(state): State<RestState>,
    Path((name, id)): Path<(String, String)>,
    call: Call,
) -> Result<Answer, Failure> {
    index(state, name, Some(id), false, call).await
}

pub(super) async fn create_document(
    State(state): State<RestState>,
    Path((name, id)): Path<(String, String)>,
    call: Call,
) -> Result<Answer, Failure> {
    index(state, name, Some(id), true, call).await
}

async fn index(
    state: RestState,
    name: String,
    id: Option<String>,
    create: bool,
    call: Call,
) -> Result<Answer, Failure> {
    call.takes(&[&PARAMETERS, &INDEX_PARAMETERS, &VersionParameters::NAMES])?;
    call.takes_json()?;
    let parameters = &call.parameters;
    let create = match parameters.text("op_type") {
        None => create,
        Some("create") => true,
        Some("index") if !create => false,
        Some(other) => {
            let reason = format!("opType must be 'create' or 'index', found: [{other}]");
            return Err(Exception::illegal_argument(reason).into());
        }
    };
    check_pipeline(parameters.text("pipeline"))?;
    let require_alias = parameters.boolean("require_alias", false)?;
    let refresh = Refresh::read(parameters)?;
    let check = VersionParameters::read(parameters)?.check(create)?;
    let routing = parameters.text("routing").map(str::to_owned);
    if call.body.is_empty() {
        return Err(body_required().into());
    }
    let (body, reservation) = call.into_body();
    let work = move |state: &RestState| {
        let _until_the_end = reservation;
        let index = state.cluster.write_index(&name, require_alias, state.clock.now())?;
        let of_alias = state.cluster.write_routing(&name);
        let routing = documents::routing(&name, of_alias.as_deref(), routing)?;
        let action = if create { Action::Create(body) } else { Action::Index(body) };
        let operation = Operation { id, action, routing, check };
        let write = Write { index, operation, refresh };
        let (index, written) = write.perform(state)?;
        Ok((answer(&index, &written, refresh, None), vec![index]))
    };
    state.write(refresh, work).await
}

pub(super) async fn delete_document(
    State(state): State<RestState>,
    Path((name, id)): Path<(String, String)>,
    call: Call,
) -> Result<Answer, Failure> {
    call.takes(&[&PARAMETERS, &VersionParameters::NAMES])?;
    call.takes_no_body()?;
    let refresh = Refresh::read(&call.parameters)?;
    let check = VersionParameters::read(&call.parameters)?.check(false)?;
    let routing = call.parameters.text("routing").map(str::to_owned);
    let work = move |state: &RestState| {
        let now = state.clock.now();
        // A deletion makes no index.
        state.cluster.resolve(&name, ResolveOptions::default(), now)?;
        let index = state.cluster.write_index(&name, false, now)?;
        let of_alias = state.cluster.write_routing(&name);
        let routing = documents::routing(&name, of_alias.as_deref(), routing)?;
        let operation = Operation { id: Some(id), action: Action::Delete, routing, check };
        let (index, written) = Write { index, operation, refresh }.perform(state)?;
        Ok((answer(&index, &written, refresh, None), vec![index]))
    };
    state.write(refresh, work).await
}

impl Write {
    /// Does it, and refreshes where that is asked for at once.
    ///
    /// # Errors
    /// The operation is refused, or the disk failed.
    pub(super) fn perform(self, state: &RestState) -> Result<(Arc<Index>, Written), Failure> {
        let mut results = self.index.write(vec![self.operation], state.clock.now());
        let written = results.pop().unwrap_or_else(|| {
            Err(Exception::new(ExceptionKind::Internal, "the operation was not done"))
        })?;
        self.refresh.apply(&self.index)?;
        Ok((self.index, written))
    }
}

/// Answers a write; `get` is what an update shows of the document, as compact JSON.
pub(super) fn answer(
    index: &Index,
    written: &Written,
    refresh: Refresh,
    get: Option<String>,
) -> Answer {
    let name = quoted(index.name());
    let id = quoted(&written.id);
    let Written { version, seq_no, outcome, .. } = written;
    let result = outcome.as_str();
    let forced = refresh == Refresh::Now && *outcome != Outcome::Noop;
    let forced = if forced { ",\"forced_refresh\":true" } else { "" };
    let shards = Shards::of(*outcome, copies(index));
    let Shards { total, successful } = shards;
    let get = get.map(|get| format!(",\"get\":{get}")).unwrap_or_default();
    let body = format!(
        "{{\"_index\":{name},\"_id\":{id},\"_version\":{version},\"result\":\"{result}\"{forced},\"_shards\":{{\"total\":{total},\"successful\":{successful},\"failed\":0}},\"_seq_no\":{seq_no},\"_primary_term\":1{get}}}"
    );
    let answer = Answer::raw(body);
    match outcome {
        Outcome::Created => {
            let path = format!("/{}/_doc/{}", encoded(index.name()), encoded(&written.id));
            answer.with_status(StatusCode::CREATED).with_location(&path)
        }
        Outcome::NotFound => answer.with_status(StatusCode::NOT_FOUND),
        Outcome::Updated | Outcome::Deleted | Outcome::Noop => answer,
    }
}

/// Writes a text as JSON.
pub(super) fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a text becomes JSON")
}

/// Writes a name as one segment of a path.
fn encoded(name: &str) -> String {
    let mut encoded = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}
