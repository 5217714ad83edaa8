//! Answers and refusals, and how they become bytes.
//!
//! A handler returns an [`Answer`] or a [`Failure`] and knows nothing of `pretty` or `filter_path`:
//! the frame renders what is still a value when it comes by. What is large is rendered earlier, on
//! the thread that made it.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, LOCATION};
use http::{HeaderValue, StatusCode};
use pampero_opensearch::{Exception, ExceptionKind};
use serde_json::{Value, json};

use super::filter_path::FilterPath;
use pampero_opensearch::parameters::Parameters;

/// The content type of everything but `_cat` text.
pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=UTF-8");

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=UTF-8");

/// What a call answers when it went well, or well enough.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    status: StatusCode,
    content: Content,
    location: Option<HeaderValue>,
}

/// The body of an answer; lies in the extensions of a response until the frame renders it.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    /// A value that is filtered and written when it is sent.
    Json(Value),
    /// Compact JSON, which is read again when it must be filtered or indented.
    Raw(Bytes),
    /// JSON as it is sent.
    Rendered(Bytes),
    /// A refusal, which is never filtered.
    Refusal(Value),
    /// Plain text.
    Text(String),
    /// Nothing.
    Empty,
}

/// How the JSON of an answer is shaped.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shape {
    pretty: bool,
    filter: Option<FilterPath>,
}

impl Answer {
    /// Answers 200 with a value.
    pub(crate) fn json(value: Value) -> Self {
        Self::of(StatusCode::OK, Content::Json(value))
    }

    /// Answers 200 with `{"acknowledged": true}`.
    pub(crate) fn acknowledged() -> Self {
        Self::json(json!({ "acknowledged": true }))
    }

    /// Answers 200 with compact JSON that is written already.
    pub(crate) fn raw(bytes: impl Into<Bytes>) -> Self {
        Self::of(StatusCode::OK, Content::Raw(bytes.into()))
    }

    /// Answers 200 with plain text.
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::of(StatusCode::OK, Content::Text(text.into()))
    }

    /// Takes another status.
    #[must_use]
    pub(crate) fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// Adds where the thing that was made lies.
    #[must_use]
    pub(crate) fn with_location(mut self, path: &str) -> Self {
        self.location = HeaderValue::from_str(path).ok();
        self
    }

    /// Renders the body now; to be called where an answer may be large, on a thread that may block.
    #[must_use]
    pub(crate) fn rendered(mut self, shape: &Shape) -> Self {
        if let Content::Json(_) | Content::Raw(_) = self.content {
            self.content = Content::Rendered(self.content.render(shape).0);
        }
        self
    }

    fn of(status: StatusCode, content: Content) -> Self {
        Self { status, content, location: None }
    }
}

impl Content {
    /// Returns the bytes and their content type.
    pub(crate) fn render(self, shape: &Shape) -> (Bytes, Option<HeaderValue>) {
        let bytes = match self {
            Self::Json(value) => shape.write(value),
            Self::Raw(bytes) if shape.is_plain() => bytes,
            Self::Raw(bytes) => match serde_json::from_slice(&bytes) {
                Ok(value) => shape.write(value),
                Err(_) => bytes,
            },
            Self::Rendered(bytes) => bytes,
            Self::Refusal(value) => Shape { filter: None, ..shape.clone() }.write(value),
            Self::Text(text) => return (text.into(), Some(TEXT)),
            Self::Empty => return (Bytes::new(), None),
        };
        (bytes, Some(JSON))
    }
}

impl Shape {
    /// Reads `pretty` and `filter_path`.
    ///
    /// # Errors
    /// `pretty` is no boolean.
    pub(crate) fn read(parameters: &Parameters) -> Result<Self, Exception> {
        let pretty = parameters.boolean("pretty", false)?;
        let filter = parameters.text("filter_path").and_then(FilterPath::read);
        Ok(Self { pretty, filter })
    }

    /// Tells whether nothing is filtered or indented.
    pub(crate) fn is_plain(&self) -> bool {
        !self.pretty && self.filter.is_none()
    }

    /// Returns the filter, if there is one.
    pub(crate) fn filter(&self) -> Option<&FilterPath> {
        self.filter.as_ref()
    }

    fn write(&self, mut value: Value) -> Bytes {
        if let Some(filter) = &self.filter {
            value = filter.apply(value);
        }
        if self.pretty { format!("{value:#}\n").into() } else { value.to_string().into() }
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response = carrying(self.status, self.content);
        if let Some(location) = self.location {
            response.headers_mut().insert(LOCATION, location);
        }
        response
    }
}

/// What a call answers when it is refused or fails.
#[derive(Clone, Debug)]
pub(crate) enum Failure {
    /// In OpenSearch's words, with type and reason.
    Exception(Exception),
    /// In one sentence, as the HTTP layer of OpenSearch refuses.
    Plain(StatusCode, String),
}

impl Failure {
    /// Returns the HTTP status.
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Exception(exception) => StatusCode::from_u16(exception.status())
                .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            Self::Plain(status, _) => *status,
        }
    }

    /// Returns the value of `error` as it stands in the answer.
    pub(crate) fn to_json(&self) -> Value {
        match self {
            Self::Exception(exception) => with_root_cause(exception),
            Self::Plain(_, reason) => Value::String(reason.clone()),
        }
    }
}

impl From<Exception> for Failure {
    fn from(exception: Exception) -> Self {
        Self::Exception(exception)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = self.status();
        let body = json!({ "error": self.to_json(), "status": status.as_u16() });
        carrying(status, Content::Refusal(body))
    }
}

/// Returns the error object with its `root_cause`: the cause of a failed search, else the error itself.
fn with_root_cause(exception: &Exception) -> Value {
    let mut error = exception.to_json();
    let searched = exception.kind() == ExceptionKind::SearchPhaseExecution;
    let cause = exception.cause().filter(|_| searched);
    let mut root = cause.map_or_else(|| error.clone(), Exception::to_json);
    if let Some(entries) = root.as_object_mut() {
        entries.remove("caused_by");
    }
    let entries = error.as_object_mut().expect("an exception is an object");
    // A query that does not fit an index is told in `failed_shards` already.
    if cause.is_some_and(|it| it.kind() == ExceptionKind::QueryShard) {
        entries.remove("caused_by");
    }
    entries.insert("root_cause".to_owned(), Value::Array(vec![root]));
    error
}

/// Makes a response whose body the frame renders.
fn carrying(status: StatusCode, content: Content) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, JSON);
    response.extensions_mut().insert(content);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_search_shows_the_cause_as_its_root() {
        let cause = Exception::new(ExceptionKind::QueryShard, "No mapping found for [ts]")
            .in_index("logs", "u");
        let search = Exception::new(ExceptionKind::SearchPhaseExecution, "all shards failed")
            .with("phase", "query")
            .caused_by(cause);
        let failure = Failure::from(search);
        assert_eq!(failure.status(), StatusCode::BAD_REQUEST);
        let root = json!({ "type": "query_shard_exception", "reason": "No mapping found for [ts]",
            "index": "logs", "index_uuid": "u" });
        assert_eq!(
            failure.to_json(),
            json!({ "root_cause": [root], "type": "search_phase_execution_exception",
                "reason": "all shards failed", "phase": "query" })
        );
    }

    #[test]
    fn a_simple_refusal_is_its_own_root() {
        let inner = Exception::new(ExceptionKind::NumberFormat, "For input string: \"x\"");
        let failure = Failure::from(Exception::illegal_argument("no").caused_by(inner));
        let root = json!({ "type": "illegal_argument_exception", "reason": "no" });
        let cause =
            json!({ "type": "number_format_exception", "reason": "For input string: \"x\"" });
        assert_eq!(
            failure.to_json(),
            json!({ "root_cause": [root], "type": "illegal_argument_exception", "reason": "no",
                "caused_by": cause })
        );
    }

    #[test]
    fn refusals_are_indented_but_never_filtered() {
        let parameters = Parameters::read("/", Some("pretty&filter_path=nothing"));
        let shape = Shape::read(&parameters).unwrap();
        let (bytes, _) = Content::Refusal(json!({ "status": 400 })).render(&shape);
        assert_eq!(bytes, "{\n  \"status\": 400\n}\n");
        let (bytes, _) = Content::Raw(Bytes::from_static(b"{\"took\":1}")).render(&shape);
        assert_eq!(bytes, "{}\n");
    }
}
