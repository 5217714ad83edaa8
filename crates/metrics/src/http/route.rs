//! Methods of a route, and what is said to others.

use axum::handler::Handler;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter};
use http::header::ALLOW;
use http::{Method, StatusCode};

use super::answer::plain;
use super::state::ApiState;

/// Routes these methods to the handler, and tells all others which these are.
///
/// A handler of GET does not answer HEAD as well, because a query is worked out for its body.
pub(super) fn routed<H, T>(methods: &[Method], handler: H) -> MethodRouter<ApiState>
where
    H: Handler<T, ApiState>,
    T: 'static,
{
    let mut allowed: Vec<_> = methods.iter().map(Method::as_str).collect();
    allowed.sort_unstable();
    let allowed = allowed.join(", ");
    let refuse = move || {
        let allowed = allowed.clone();
        async move { not_allowed(allowed) }
    };
    let mut router = MethodRouter::new();
    for method in methods {
        let filter = MethodFilter::try_from(method.clone()).expect("the methods are standard ones");
        router = router.on(filter, handler.clone());
    }
    if !methods.contains(&Method::HEAD) {
        router = router.on(MethodFilter::HEAD, refuse.clone());
    }
    router.fallback(refuse)
}

fn not_allowed(allowed: String) -> Response {
    let refusal = plain(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed");
    ([(ALLOW, allowed)], refusal).into_response()
}

/// Answers for paths that are not there.
pub(super) async fn not_found() -> Response {
    plain(StatusCode::NOT_FOUND, "404 page not found")
}
