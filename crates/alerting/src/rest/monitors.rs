//! Monitors over REST: made, replaced, shown, removed, searched.

mod execute;
mod search;

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::routing::{MethodRouter, get, post};
use http::{Method, StatusCode};
use pampero_opensearch::search::SearchRequest;
use pampero_opensearch::{Exception, ExceptionKind};
use serde_json::{Value, json};

use super::AlertingRest;
use super::answer::{Answer, Failure};
use super::call::Call;
use crate::definitions::{DefinitionError, MonitorEntry, VersionCheck};
use crate::monitor::{Monitor, MonitorErrorKind};
use pampero_opensearch::parameters::Parameters;

/// Where monitors lie.
const BASE: &str = "/_plugins/_alerting/monitors";

/// Returns the paths, without the prefix of the plugin, and what answers there.
pub(super) fn routes() -> Vec<(&'static str, MethodRouter<AlertingRest>)> {
    vec![
        ("/monitors", post(create_monitor)),
        ("/monitors/_search", get(search_monitors).post(search_monitors)),
        ("/monitors/{id}", get(get_monitor).put(replace_monitor).delete(delete_monitor)),
        ("/monitors/_execute", post(execute::execute_given)),
        ("/monitors/{id}/_execute", post(execute::execute_saved)),
    ]
}

async fn create_monitor(State(rest): State<AlertingRest>, call: Call) -> Result<Answer, Failure> {
    call.takes(&["refresh"])?;
    check_refresh(&call.parameters)?;
    let document = call.required_json()?;
    let state = rest.clone();
    let made = move || {
        check_indices(&state, &document)?;
        state.definitions().create_monitor(None, &document).map_err(Failure::from)
    };
    let entry = rest.write(made).await?;
    Ok(Answer::created(shown(&entry), &format!("{BASE}/{}", entry.id)))
}

async fn replace_monitor(
    State(rest): State<AlertingRest>,
    Path(id): Path<String>,
    call: Call,
) -> Result<Answer, Failure> {
    call.takes(&["refresh", "if_seq_no", "if_primary_term"])?;
    check_refresh(&call.parameters)?;
    let check = read_version_check(&call.parameters)?;
    let document = call.required_json()?;
    let state = rest.clone();
    let replaced = move || {
        check_indices(&state, &document)?;
        state.definitions().replace_monitor(&id, &document, check).map_err(Failure::from)
    };
    let entry = rest.write(replaced).await?;
    Ok(Answer::ok(shown(&entry)))
}

async fn get_monitor(
    State(rest): State<AlertingRest>,
    Path(id): Path<String>,
    call: Call,
) -> Result<Answer, Failure> {
    call.takes(&["version"])?;
    if call.method != Method::HEAD {
        call.takes_no_body()?;
    }
    let not_found = || Failure::from(DefinitionError::MonitorNotFound { id: id.clone() });
    let entry = rest.definitions().monitor(&id).ok_or_else(not_found)?;
    if let Some(version) = call.parameters.number::<u64>("version")?
        && version != entry.version
    {
        let reason = format!(
            "[{id}]: version conflict, current version [{}] is different than the one provided [{version}]",
            entry.version
        );
        return Err(Failure::alerting(MonitorErrorKind::Conflict, reason));
    }
    let mut answer = shown(&entry);
    answer["associated_workflows"] = json!([]);
    Ok(Answer::ok(answer))
}

async fn delete_monitor(
    State(rest): State<AlertingRest>,
    Path(id): Path<String>,
    call: Call,
) -> Result<Answer, Failure> {
    call.takes(&["refresh"])?;
    check_refresh(&call.parameters)?;
    call.takes_no_body()?;
    let definitions = Arc::clone(rest.definitions());
    let removed = move || {
        let deleted = definitions.delete_monitor(&id, None)?;
        Ok(json!({ "_id": id, "_version": deleted.version }))
    };
    Ok(Answer::ok(rest.write(removed).await?))
}

async fn search_monitors(State(rest): State<AlertingRest>, call: Call) -> Result<Answer, Failure> {
    call.takes(&["index"])?;
    if call.parameters.text("index").is_some_and(|index| index != search::INDEX) {
        let reason = "Invalid index name.";
        return Err(Failure::alerting(MonitorErrorKind::IllegalArgument, reason));
    }
    let body = call.json()?.ok_or_else(search::body_required)?;
    let request = SearchRequest::from_json(&body)?;
    let searched = rest.clone();
    let work = move || {
        let began = searched.clock().now();
        let entries = searched.definitions().monitors();
        let candidates: Vec<_> = entries.iter().map(|entry| candidate(entry)).collect();
        let took = searched.clock().now().duration_since(began);
        let took_ms = u64::try_from(took.as_millis()).unwrap_or_default();
        Ok(search::answer(&request, &candidates, took_ms)?)
    };
    Ok(Answer::ok(rest.read(work).await?))
}

/// Refuses a monitor over indices that are not there, as OpenSearch does, which searches them once.
fn check_indices(rest: &AlertingRest, document: &Value) -> Result<(), Failure> {
    let monitor = Monitor::from_json(document)?;
    let Some(input) = monitor.input() else { return Ok(()) };
    let body = json!({ "size": 0, "track_total_hits": false });
    match rest.search().search(input.indices(), &body, rest.clock().now()) {
        Err(error) if error.kind() == ExceptionKind::IndexNotFound => {
            let named = error.metadata().get("index").and_then(Value::as_str);
            let named = named.map_or_else(|| input.indices().join(", "), str::to_owned);
            let reason = format!("Configured indices are not found: [{named}]");
            Err(Failure::Alerting {
                status: StatusCode::NOT_FOUND,
                class: Some("org.opensearch.index.IndexNotFoundException"),
                reason,
            })
        }
        // Any other failure may be over when the monitor runs, and is told then.
        _ => Ok(()),
    }
}

fn candidate(entry: &MonitorEntry) -> search::Candidate {
    search::Candidate {
        id: entry.id.clone(),
        version: entry.version,
        seq_no: entry.seq_no,
        document: json!({ "monitor": entry.to_json() }),
    }
}

/// Returns a monitor in its envelope.
fn shown(entry: &MonitorEntry) -> Value {
    json!({
        "_id": entry.id,
        "_version": entry.version,
        "_seq_no": entry.seq_no,
        "_primary_term": MonitorEntry::PRIMARY_TERM,
        "monitor": entry.to_json(),
    })
}

/// Every change is seen at once, so that nothing but the spelling of `refresh` matters.
pub(super) fn check_refresh(parameters: &Parameters) -> Result<(), Exception> {
    match parameters.text("refresh") {
        None | Some("" | "true" | "false" | "wait_for") => Ok(()),
        Some(other) => {
            Err(Exception::illegal_argument(format!("Unknown value for refresh: [{other}].")))
        }
    }
}

fn read_version_check(parameters: &Parameters) -> Result<Option<VersionCheck>, Failure> {
    let seq_no: Option<u64> = parameters.number("if_seq_no")?;
    let primary_term: Option<u64> = parameters.number("if_primary_term")?;
    let reason = match (seq_no, primary_term) {
        (None, None) => return Ok(None),
        (Some(seq_no), Some(primary_term)) => {
            return Ok(Some(VersionCheck { seq_no, primary_term }));
        }
        (Some(_), None) => "ifSeqNo is set, but primary term is [0]".to_owned(),
        (None, Some(term)) => format!("ifSeqNo is unassigned, but primary term is [{term}]"),
    };
    let reason = format!("Validation Failed: 1: {reason};");
    Err(Exception::new(ExceptionKind::ActionRequestValidation, reason).into())
}
