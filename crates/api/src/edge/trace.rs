//! The span of a request, and whose trace it belongs to.
//!
//! Without a collector there is no span: a request then only shows the id of its caller's trace in
//! its line of the log.

use http::{HeaderValue, Method, Request, StatusCode};
use pampero_telemetry::logging::LoggedRequest;
use pampero_telemetry::traces::{TRACEPARENT, adopt_caller, trace_id_of};
use tracing::Span;

use super::routes::{METHODS, TEMPLATES, template_of};

/// The `traceparent` of a request that nobody traces here; `None` without one.
pub(super) struct Caller(Option<HeaderValue>);

/// Begins the span of a request, below the span of its caller when it names one.
///
/// It shows the route and never the path, in which anything may stand.
/// Source: OpenTelemetry semantic conventions, HTTP spans, server.
pub(super) fn begin<B>(request: &Request<B>) -> (Span, Caller) {
    let span = tracing::trace_span!(
        "request",
        otel.name = name_of(request),
        otel.kind = "server",
        http.request.method = method_of(request.method()),
        http.route = route_of(request),
        http.response.status_code = tracing::field::Empty,
        request_id = tracing::field::Empty,
        otel.status_code = tracing::field::Empty,
    );
    if span.is_disabled() {
        return (span, Caller(request.headers().get(TRACEPARENT).cloned()));
    }
    adopt_caller(&span, request.headers());
    (span, Caller(None))
}

/// Says how a request was answered; a span without it was left by its client.
pub(super) fn end(span: &Span, status: StatusCode, id: Option<&HeaderValue>) {
    if span.is_disabled() {
        return;
    }
    span.record("http.response.status_code", status.as_u16());
    if let Some(id) = id.and_then(|id| id.to_str().ok()) {
        span.record("request_id", id);
    }
    if status.is_server_error() {
        span.record("otel.status_code", "error");
    }
}

impl Caller {
    /// Returns what documents of the log say of a request with that id.
    pub(super) fn logged(&self, id: &HeaderValue) -> LoggedRequest {
        LoggedRequest { id: id.clone(), traceparent: self.0.clone() }
    }

    /// Returns the id of the caller's trace, for the log; `None` when it named none.
    pub(super) fn trace_id(&self) -> Option<String> {
        self.0.as_ref().and_then(trace_id_of).map(|id| id.to_string())
    }
}

fn name_of<B>(request: &Request<B>) -> String {
    let method = method_of(request.method());
    match route_of(request) {
        Some(route) => format!("{method} {route}"),
        None => method.to_owned(),
    }
}

fn route_of<B>(request: &Request<B>) -> Option<&'static str> {
    template_of(request.uri().path()).map(|index| TEMPLATES[index])
}

/// Keeps the number of names bounded, whatever clients send.
fn method_of(method: &Method) -> &'static str {
    METHODS.into_iter().find(|known| *known == method).map_or("_OTHER", Method::as_str)
}
