//! The request within which something is logged.
//!
//! Spans would tell it too, but they are at level `TRACE` and there only for a collector. This costs a
//! request no more than a word of the task.

use http::HeaderValue;

use crate::traces;

tokio::task_local! {
    static REQUEST: LoggedRequest;
}

/// What the documents of a request say of it, where an event does not say so itself.
#[derive(Clone, Debug)]
pub struct LoggedRequest {
    /// The id of the request.
    pub id: HeaderValue,
    /// The `traceparent` that came with a request that nobody traces here; `None` without one.
    pub traceparent: Option<HeaderValue>,
}

/// Does the work of a request: what it logs while it is polled is logged within the request.
pub async fn within_request<F: Future>(request: LoggedRequest, work: F) -> F::Output {
    REQUEST.scope(request, work).await
}

/// Returns the id of the request within which the caller runs; `None` outside of any.
pub(super) fn current_request_id() -> Option<String> {
    REQUEST.try_with(|request| request.id.to_str().ok().map(str::to_owned)).ok().flatten()
}

/// Returns the id of the trace that the request came with; `None` when it came with none.
pub(super) fn current_callers_trace_id() -> Option<String> {
    let trace_id = |request: &LoggedRequest| traces::trace_id_of(request.traceparent.as_ref()?);
    REQUEST.try_with(trace_id).ok().flatten().map(|id| id.to_string())
}
