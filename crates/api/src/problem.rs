//! Everything that can go wrong for a client, as RFC 9457 problem details.
//!
//! A handler returns an [`ApiError`]; the edge alone writes it out, because it knows the request id.
//! Start reading at [`ApiError`]; which failure gets which status stands in `problem/domain.rs`.

mod domain;

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, Method, StatusCode, header};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

/// The media type of every error body.
pub(crate) const PROBLEM_JSON: &str = "application/problem+json";

/// The media type of everything that OpenSearch says.
const OPENSEARCH_JSON: &str = "application/json; charset=UTF-8";

/// Why a request is not answered as asked.
#[derive(Debug)]
pub(crate) struct ApiError(Box<Refusal>);

/// The parts of an [`ApiError`], shared once it has become a response.
#[derive(Debug)]
struct Refusal {
    status: StatusCode,
    code: &'static str,
    detail: String,
    parameter: Option<String>,
    field: Option<String>,
    retry_after: Option<Duration>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// An RFC 9457 problem: what went wrong, for programs (`code`) and for people (`detail`).
#[derive(Debug, Serialize, ToSchema)]
#[schema(title = "Problem")]
pub(crate) struct Problem<'a> {
    /// Identifies the kind of problem; the last part is `code`.
    #[serde(rename = "type")]
    #[schema(example = "urn:pampero:problem:unknown_place")]
    kind: String,
    /// The meaning of the status in words.
    #[schema(example = "Not Found")]
    title: &'a str,
    /// The HTTP status.
    #[schema(example = 404, minimum = 400, maximum = 599)]
    status: u16,
    /// The kind of problem in one word; it never changes between releases.
    #[schema(example = "unknown_place")]
    code: &'a str,
    /// What is wrong with this request and what to do about it.
    #[schema(example = "there is no place atlantis")]
    detail: &'a str,
    /// The query or path parameter at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    parameter: Option<&'a str>,
    /// The field of the request body at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'a str>,
    /// When to come back, in seconds from now.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_seconds: Option<u64>,
    /// The id of this request, as in the `X-Request-Id` header and in the log.
    #[schema(example = "b3f0c2d1-1f")]
    request_id: &'a str,
}

impl ApiError {
    /// Says what went wrong: a lowercase sentence that names what to do.
    pub(crate) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self(Box::new(Refusal {
            status,
            code,
            detail: detail.into(),
            parameter: None,
            field: None,
            retry_after: None,
            source: None,
        }))
    }

    /// Says that a query or path parameter is at fault.
    pub(crate) fn parameter(name: &str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_parameter", detail).about_parameter(name)
    }

    /// Says that the server is at fault; the client sees the code and the request id only.
    pub(crate) fn internal(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        let detail = "the server could not answer; its log tells more under the request id";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail).because(source)
    }

    /// Returns what is wrong, in words.
    #[cfg(test)]
    pub(crate) fn detail(&self) -> &str {
        &self.0.detail
    }

    /// Names the parameter at fault.
    pub(crate) fn about_parameter(mut self, name: &str) -> Self {
        self.0.parameter = Some(name.to_owned());
        self
    }

    /// Names the field of the request body at fault.
    pub(crate) fn about_field(mut self, name: &str) -> Self {
        self.0.field = Some(name.to_owned());
        self
    }

    /// Says when to come back.
    pub(crate) fn retry_after(mut self, wait: Duration) -> Self {
        self.0.retry_after = Some(wait);
        self
    }

    /// Keeps the cause for the log; no client sees it.
    pub(crate) fn because(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }
}

/// An error on its way through the router; the edge puts the body in.
#[derive(Clone)]
struct Unwritten(Arc<Refusal>);

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self.0.status;
        response.extensions_mut().insert(Unwritten(Arc::from(self.0)));
        response
    }
}

/// In which words an error is told.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Spelling {
    /// As problem details.
    Problem,
    /// As OpenSearch tells it, on the routes of the log index.
    OpenSearch,
}

/// Writes the body and headers of an error that went through the router.
///
/// Headers that are there already stay, as `Allow`. A failure of the server is logged with its cause.
pub(crate) fn write_out(
    response: &mut Response,
    spelling: Spelling,
    method: &Method,
    request_id: &str,
) {
    let Some(Unwritten(refusal)) = response.extensions_mut().remove::<Unwritten>() else { return };
    if let Some(source) = &refusal.source {
        let error: &(dyn Error + 'static) = source.as_ref();
        tracing::error!(error, code = refusal.code, request_id, "a request failed");
    }
    let (media_type, body) = match spelling {
        Spelling::Problem => (PROBLEM_JSON, serde_json::to_vec(&refusal.as_problem(request_id))),
        Spelling::OpenSearch => (OPENSEARCH_JSON, serde_json::to_vec(&refusal.as_opensearch())),
    };
    let body = body.unwrap_or_default();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(wait) = refusal.retry_after {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(whole_seconds(wait)));
    }
    if refusal.status == StatusCode::UNAUTHORIZED {
        let challenge = HeaderValue::from_static("Bearer realm=\"pampero\"");
        headers.insert(header::WWW_AUTHENTICATE, challenge);
    }
    let body = if *method == Method::HEAD { Body::empty() } else { Body::from(body) };
    *response.body_mut() = body;
}

impl Refusal {
    fn as_opensearch(&self) -> Value {
        let kind = match self.status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => "security_exception",
            StatusCode::SERVICE_UNAVAILABLE => "timeout_exception",
            status if status.is_server_error() => "exception",
            _ => "illegal_argument_exception",
        };
        let error = json!({ "type": kind, "reason": self.detail });
        let mut whole = error.clone();
        whole["root_cause"] = json!([error]);
        json!({ "error": whole, "status": self.status.as_u16() })
    }

    fn as_problem<'a>(&'a self, request_id: &'a str) -> Problem<'a> {
        Problem {
            kind: format!("urn:pampero:problem:{}", self.code),
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            code: self.code,
            detail: &self.detail,
            parameter: self.parameter.as_deref(),
            field: self.field.as_deref(),
            retry_after_seconds: self.retry_after.map(whole_seconds),
            request_id,
        }
    }
}

/// Rounds up, so that nobody comes back too early.
fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}
