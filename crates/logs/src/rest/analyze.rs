//! `_analyze`: which terms an analyzer makes of a text.

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use pampero_index::analysis::{Token, analyze_first};
use pampero_opensearch::Exception;
use pampero_opensearch::mapping::{Analyzer, FieldKind};
use serde_json::{Value, json};

use super::answer::{Answer, Failure};
use super::call::Call;
use super::documents::one_index;
use super::search::invalid;
use super::{RestState, Work};

/// Most tokens of one answer (`index.analyze.max_token_count`).
const TOKENS_MAX: usize = 10_000;

/// Positions that lie between two texts of one request.
const POSITION_GAP: usize = 100;

/// What a body asks for.
struct Asked {
    analyzer: Option<Analyzer>,
    field: Option<String>,
    texts: Vec<String>,
}

/// Returns the routes.
pub(super) fn routes() -> Router<RestState> {
    Router::new()
        .route("/_analyze", get(analyze_text).post(analyze_text))
        .route("/{index}/_analyze", get(analyze_in_index).post(analyze_in_index))
}

async fn analyze_text(State(state): State<RestState>, call: Call) -> Result<Answer, Failure> {
    respond(state, None, call).await
}

async fn analyze_in_index(
    State(state): State<RestState>,
    Path(index): Path<String>,
    call: Call,
) -> Result<Answer, Failure> {
    respond(state, Some(index), call).await
}

async fn respond(state: RestState, index: Option<String>, call: Call) -> Result<Answer, Failure> {
    call.takes(&[&["index"]])?;
    let index = index.or_else(|| call.parameters.text("index").map(str::to_owned));
    let asked = read(&call.required_json()?)?;
    let shape = call.shape.clone();
    let work = move |state: &RestState| {
        let analyzer = asked.resolve(state, index.as_deref())?;
        let tokens = tokens(analyzer, &asked.texts)?;
        Ok(Answer::json(json!({ "tokens": tokens })).rendered(&shape))
    };
    state.run(Work::Search, work).await
}

impl Asked {
    /// Returns the analyzer that is named, or that of the field that is named.
    fn resolve(&self, state: &RestState, index: Option<&str>) -> Result<Analyzer, Exception> {
        let index = index.map(|name| one_index(state, name)).transpose()?;
        match (self.analyzer, &self.field, index) {
            (Some(analyzer), _, _) => Ok(analyzer),
            (None, Some(path), Some(index)) => {
                let mapping = index.mapping();
                match mapping.field(path).map(|field| &field.kind) {
                    Some(FieldKind::Text { analyzer, .. }) => Ok(*analyzer),
                    Some(_) => Ok(Analyzer::Keyword),
                    None => Ok(Analyzer::Standard),
                }
            }
            (None, Some(_), None) => Err(Exception::illegal_argument(
                "analysis based on a specific field requires an index",
            )),
            (None, None, _) => Ok(Analyzer::Standard),
        }
    }
}

fn read(body: &Value) -> Result<Asked, Exception> {
    let mut asked = Asked { analyzer: None, field: None, texts: Vec::new() };
    let Value::Object(entries) = body else {
        return Err(Exception::parsing("the body must be an object"));
    };
    for (key, value) in entries {
        match (key.as_str(), value) {
            ("analyzer", Value::String(name)) => {
                let analyzer = Analyzer::from_name(name).ok_or_else(|| {
                    Exception::illegal_argument(format!("failed to find global analyzer [{name}]"))
                })?;
                asked.analyzer = Some(analyzer);
            }
            ("field", Value::String(path)) => asked.field = Some(path.clone()),
            ("text", Value::String(text)) => asked.texts.push(text.clone()),
            ("text", Value::Array(texts)) => {
                asked.texts.extend(texts.iter().filter_map(Value::as_str).map(str::to_owned));
            }
            ("explain", Value::Bool(false)) => {}
            (
                "tokenizer" | "filter" | "char_filter" | "normalizer" | "explain" | "attributes",
                _,
            ) => {
                return Err(Exception::unsupported(format!("[{key}] of _analyze")));
            }
            _ => {
                let reason = format!("[analyze_request] unknown field [{key}]");
                return Err(Exception::illegal_argument(reason));
            }
        }
    }
    if asked.texts.is_empty() { Err(invalid("text is missing")) } else { Ok(asked) }
}

fn tokens(analyzer: Analyzer, texts: &[String]) -> Result<Vec<Value>, Exception> {
    let mut shown = Vec::new();
    let (mut position, mut unit) = (0, 0);
    for text in texts {
        let tokens = analyze_first(analyzer, text, TOKENS_MAX + 1 - shown.len());
        let last = tokens.last().map(|token| token.position + 1);
        shown.extend(tokens.iter().map(|token| show(token, position, unit)));
        if shown.len() > TOKENS_MAX {
            return Err(Exception::illegal_argument(format!(
                "The number of tokens produced by calling _analyze has exceeded the allowed maximum of [{TOKENS_MAX}]. This limit can be set by changing the [index.analyze.max_token_count] index level setting."
            )));
        }
        position += last.unwrap_or_default() + POSITION_GAP;
        unit += text.encode_utf16().count() + 1;
    }
    Ok(shown)
}

fn show(token: &Token, position: usize, unit: usize) -> Value {
    json!({
        "token": token.text,
        "start_offset": unit + token.units.start,
        "end_offset": unit + token.units.end,
        "type": token.kind,
        "position": position + token.position,
    })
}
