//! `_mget`: several documents by their ids.

use axum::extract::{Path, State};
use pampero_opensearch::search::SourceFilter;
use pampero_opensearch::{Exception, ExceptionKind};
use serde_json::{Map, Value};

use super::get::{PARAMETERS, Reading};
use super::one_index;
use super::write::quoted;
use crate::rest::answer::{Answer, Failure};
use crate::rest::bulk::token;
use crate::rest::call::Call;
use crate::rest::{RestState, Work};

/// Most documents of one call.
const DOCUMENTS_MAX: usize = 10_000;

/// One document that is asked for.
struct Wanted {
    index: String,
    id: String,
    reading: Reading,
}

pub(super) async fn get_all(State(state): State<RestState>, call: Call) -> Result<Answer, Failure> {
    get_many(state, None, call).await
}

pub(super) async fn get_in_index(
    State(state): State<RestState>,
    Path(index): Path<String>,
    call: Call,
) -> Result<Answer, Failure> {
    get_many(state, Some(index), call).await
}

async fn get_many(state: RestState, index: Option<String>, call: Call) -> Result<Answer, Failure> {
    call.takes(&[&PARAMETERS])?;
    let reading = Reading::read(&call.parameters)?;
    let work = move |state: &RestState| {
        let wanted = read_wanted(&call.required_json()?, index.as_deref(), &reading)?;
        let documents: Vec<String> = wanted.iter().map(|wanted| show(state, wanted)).collect();
        let body = format!("{{\"docs\":[{}]}}", documents.join(","));
        Ok(Answer::raw(body).rendered(&call.shape))
    };
    state.run(Work::Search, work).await
}

/// Writes one document, or why it cannot be read.
fn show(state: &RestState, wanted: &Wanted) -> String {
    let Wanted { index, id, reading } = wanted;
    let found = one_index(state, index).and_then(|it| Ok((it.clone(), reading.find(&it, id)?)));
    match found {
        Ok((index, found)) => reading.show(index.name(), id, found.as_ref()),
        Err(exception) => {
            let (index, id) = (quoted(index), quoted(id));
            let error = Failure::from(exception).to_json();
            format!("{{\"_index\":{index},\"_id\":{id},\"error\":{error}}}")
        }
    }
}

fn read_wanted(
    body: &Value,
    index: Option<&str>,
    reading: &Reading,
) -> Result<Vec<Wanted>, Exception> {
    let Value::Object(entries) = body else {
        let reason = format!("unexpected token [{}], expected [START_OBJECT]", token(body));
        return Err(Exception::parsing(reason));
    };
    let mut wanted = Vec::new();
    for (key, value) in entries {
        let items = value.as_array().ok_or_else(|| unknown(key, value))?;
        for item in items {
            wanted.push(match key.as_str() {
                "docs" => read_document(item, wanted.len(), index, reading)?,
                "ids" => Wanted {
                    index: index
                        .map(str::to_owned)
                        .ok_or_else(|| missing("index", wanted.len()))?,
                    id: text(item).ok_or_else(|| missing("id", wanted.len()))?,
                    reading: reading.clone(),
                },
                _ => return Err(unknown(key, value)),
            });
        }
    }
    match wanted.len() {
        0 => Err(validation("no documents to get")),
        1..=DOCUMENTS_MAX => Ok(wanted),
        count => Err(Exception::illegal_argument(format!(
            "[{count}] documents were asked for at once, at most [{DOCUMENTS_MAX}] are read"
        ))),
    }
}

fn read_document(
    item: &Value,
    place: usize,
    index: Option<&str>,
    reading: &Reading,
) -> Result<Wanted, Exception> {
    let Value::Object(entries) = item else {
        let reason = "docs array element should include an object";
        return Err(Exception::illegal_argument(reason));
    };
    let mut index = index.map(str::to_owned);
    let mut id = None;
    let mut reading = reading.clone();
    for (key, value) in entries {
        match key.as_str() {
            "_index" => index = text(value),
            "_id" => id = text(value),
            "_source" => reading = reading.with_source(read_source(entries)?),
            "routing" | "version" | "version_type" | "_type" => {}
            "stored_fields" => {
                return Err(Exception::unsupported("[stored_fields] of single documents"));
            }
            _ => {
                let reason = format!("unknown parameter [{key}]");
                return Err(Exception::illegal_argument(reason));
            }
        }
    }
    Ok(Wanted {
        index: index.ok_or_else(|| missing("index", place))?,
        id: id.ok_or_else(|| missing("id", place))?,
        reading,
    })
}

fn read_source(entries: &Map<String, Value>) -> Result<SourceFilter, Exception> {
    SourceFilter::from_json(entries.get("_source").unwrap_or(&Value::Bool(true)))
}

/// Returns an id or a name; a number counts as its digits.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn unknown(key: &str, value: &Value) -> Exception {
    Exception::parsing(format!(
        "unknown key [{key}] for a {}, expected [docs] or [ids]",
        token(value)
    ))
}

fn missing(what: &str, place: usize) -> Exception {
    validation(&format!("{what} is missing for doc {place}"))
}

fn validation(what: &str) -> Exception {
    let reason = format!("Validation Failed: 1: {what};");
    Exception::new(ExceptionKind::ActionRequestValidation, reason)
}
