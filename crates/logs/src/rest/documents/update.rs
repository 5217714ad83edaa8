//! Changing parts of a document.

use axum::extract::{Path, State};
use pampero_index::{Action, Operation, UpdateBody, VersionCheck};
use pampero_opensearch::search::SourceFilter;
use pampero_opensearch::{Exception, ExceptionKind};
use serde_json::{Map, Value};

use super::write::{PARAMETERS, Write, answer};
use super::{VersionParameters, source_parameters, updated_source};
use crate::rest::RestState;
use crate::rest::answer::{Answer, Failure};
use crate::rest::call::{Call, body_required, read_json};
use crate::rest::documents;
use crate::rest::refresh::Refresh;

const UPDATE_PARAMETERS: [&str; 6] = [
    "_source",
    "_source_includes",
    "_source_excludes",
    "require_alias",
    "retry_on_conflict",
    "lang",
];

/// Names that the body of an update may have.
const KEYS: [&str; 9] = [
    "doc",
    "doc_as_upsert",
    "upsert",
    "scripted_upsert",
    "script",
    "detect_noop",
    "_source",
    "if_seq_no",
    "if_primary_term",
];

/// The body of an update as it was read.
#[derive(Debug, Default)]
pub(crate) struct Update {
    pub(crate) body: UpdateBody,
    /// Which parts of the document are given back; `None` when the body does not say.
    pub(crate) source: Option<SourceFilter>,
    if_seq_no: Option<u64>,
    if_primary_term: Option<u64>,
}

pub(super) async fn update_document(
    State(state): State<RestState>,
    Path((name, id)): Path<(String, String)>,
    call: Call,
) -> Result<Answer, Failure> {
    call.takes(&[&PARAMETERS, &UPDATE_PARAMETERS, &VersionParameters::NAMES])?;
    call.takes_json()?;
    if call.body.is_empty() {
        return Err(body_required().into());
    }
    let refresh = Refresh::read(&call.parameters)?;
    let work = move |state: &RestState| {
        let parameters = &call.parameters;
        let mut update = read_update(&call.body)?;
        update.body.retry_on_conflict = parameters.number("retry_on_conflict")?.unwrap_or_default();
        let source = update.source.take().or_else(|| source_parameters(parameters));
        let check = read_check(&update, VersionParameters::read(parameters)?)?;
        let require_alias = parameters.boolean("require_alias", false)?;
        let routing = parameters.text("routing").map(str::to_owned);
        let index = state.cluster.write_index(&name, require_alias, state.clock.now())?;
        let of_alias = state.cluster.write_routing(&name);
        let routing = documents::routing(&name, of_alias.as_deref(), routing)?;
        let action = Action::Update(update.body);
        let operation = Operation { id: Some(id), action, routing, check };
        let (index, written) = Write { index, operation, refresh }.perform(state)?;
        let get = updated_source(&written, source.as_ref());
        Ok((answer(&index, &written, refresh, get), vec![index]))
    };
    state.write(refresh, work).await
}

/// Reads the body of an update, of a call of its own or of a line of a bulk request.
///
/// # Errors
/// It is no JSON, has an unknown key, asks for a script, or says nothing.
pub(crate) fn read_update(body: &[u8]) -> Result<Update, Exception> {
    let Value::Object(entries) = read_json(body)? else {
        let reason = "[1:1] [UpdateRequest] Expected START_OBJECT";
        return Err(Exception::new(ExceptionKind::XContentParse, reason));
    };
    let mut update = Update::default();
    update.body.detect_noop = true;
    for (key, value) in entries {
        match key.as_str() {
            "doc" => update.body.doc = Some(object(&key, value)?),
            "upsert" => update.body.upsert = Some(object(&key, value)?),
            "doc_as_upsert" => update.body.doc_as_upsert = boolean(&key, &value)?,
            "detect_noop" => update.body.detect_noop = boolean(&key, &value)?,
            "_source" => update.source = Some(SourceFilter::from_json(&value)?),
            "if_seq_no" => update.if_seq_no = value.as_u64(),
            "if_primary_term" => update.if_primary_term = value.as_u64(),
            "script" => return Err(Exception::unsupported("[script] of an update")),
            "scripted_upsert" if value == false => {}
            "scripted_upsert" => {
                return Err(Exception::unsupported("[scripted_upsert] of an update"));
            }
            _ => return Err(unknown_key(body, &key)),
        }
    }
    match (&update.body.doc, update.body.doc_as_upsert) {
        (None, true) => Err(invalid("doc must be specified if doc_as_upsert is enabled")),
        (None, false) => Err(invalid("script or doc is missing")),
        (Some(_), _) => Ok(update),
    }
}

fn read_check(update: &Update, asked: VersionParameters<'_>) -> Result<VersionCheck, Exception> {
    if asked.version.is_some() || asked.version_type.is_some_and(|it| it != "internal") {
        return Err(invalid(
            "internal versioning can not be used for optimistic concurrency control. Please use `if_seq_no` and `if_primary_term` instead",
        ));
    }
    let asked = VersionParameters {
        if_seq_no: asked.if_seq_no.or(update.if_seq_no),
        if_primary_term: asked.if_primary_term.or(update.if_primary_term),
        ..asked
    };
    let check = asked.check(false)?;
    if check != VersionCheck::None {
        if update.body.retry_on_conflict > 0 {
            return Err(invalid("compare and write operations can not be retried"));
        }
        if update.body.doc_as_upsert || update.body.upsert.is_some() {
            return Err(invalid("upsert requests don't support `if_seq_no` and `if_primary_term`"));
        }
    }
    Ok(check)
}

/// Refuses a key with its place and the nearest known one.
fn unknown_key(body: &[u8], key: &str) -> Exception {
    let quoted = format!("\"{key}\"");
    let at = memchr::memmem::find(body, quoted.as_bytes()).unwrap_or_default();
    let line = memchr::memchr_iter(b'\n', &body[..at]).count() + 1;
    let column = at - memchr::memrchr(b'\n', &body[..at]).map_or(0, |newline| newline + 1) + 1;
    let near = KEYS
        .iter()
        .map(|known| (strsim::normalized_levenshtein(key, known), known))
        .filter(|(likeness, _)| *likeness > 0.5)
        .max_by(|one, other| one.0.total_cmp(&other.0));
    let near = near.map(|(_, known)| format!(" did you mean [{known}]?")).unwrap_or_default();
    let reason = format!("[{line}:{column}] [UpdateRequest] unknown field [{key}]{near}");
    Exception::new(ExceptionKind::XContentParse, reason)
}

fn object(key: &str, value: Value) -> Result<Map<String, Value>, Exception> {
    match value {
        Value::Object(entries) => Ok(entries),
        _ => Err(wrong_value(key, "an object")),
    }
}

fn boolean(key: &str, value: &Value) -> Result<bool, Exception> {
    match value {
        Value::Bool(truth) => Ok(*truth),
        Value::String(text) if text == "true" => Ok(true),
        Value::String(text) if text == "false" => Ok(false),
        _ => Err(wrong_value(key, "true or false")),
    }
}

fn wrong_value(key: &str, expected: &str) -> Exception {
    let reason = format!("[UpdateRequest] failed to parse field [{key}]: expected {expected}");
    Exception::new(ExceptionKind::XContentParse, reason)
}

fn invalid(what: &str) -> Exception {
    let reason = format!("Validation Failed: 1: {what};");
    Exception::new(ExceptionKind::ActionRequestValidation, reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_refused(body: &str, reason: &str) {
        let refused = read_update(body.as_bytes()).unwrap_err();
        assert_eq!(refused.reason(), reason, "{body}");
    }

    #[test]
    fn what_is_no_update_is_refused() {
        check_refused(
            r#"{"dac":{}}"#,
            "[1:2] [UpdateRequest] unknown field [dac] did you mean [doc]?",
        );
        check_refused("{\n \"xyzzy\":1}", "[2:2] [UpdateRequest] unknown field [xyzzy]");
        check_refused("{}", "Validation Failed: 1: script or doc is missing;");
        check_refused(
            r#"{"script":"ctx"}"#,
            "[script] of an update is not supported by this server",
        );
        check_refused("[]", "[1:1] [UpdateRequest] Expected START_OBJECT");
        check_refused(
            r#"{"doc":1}"#,
            "[UpdateRequest] failed to parse field [doc]: expected an object",
        );
    }

    #[test]
    fn options_of_an_update_are_read() {
        let update =
            read_update(br#"{"doc":{"a":1},"doc_as_upsert":true,"_source":["a"]}"#).unwrap();
        assert!(update.body.doc_as_upsert && update.body.detect_noop);
        assert!(update.source.unwrap().is_shown());
    }
}
