//! Cross-origin reading, for the origins that the operator listed.

use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN,
    VARY,
};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};

use super::admission::Origins;

/// How long a browser may remember a preflight answer.
const REMEMBER_FOR: Duration = Duration::from_secs(600);

/// Returns the answer to a preflight request; `None` when `request` is none, or nobody is listed.
pub(crate) fn preflight<B>(origins: &Origins, request: &Request<B>) -> Option<Response> {
    let is_preflight = request.method() == Method::OPTIONS
        && request.headers().contains_key(ORIGIN)
        && request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    if !is_preflight || origins.is_empty() {
        return None;
    }
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    let methods = HeaderValue::from_static("GET, HEAD, POST, PUT, DELETE");
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, methods);
    let asked = "authorization, content-type, if-none-match, if-modified-since, x-request-id";
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(asked));
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from(REMEMBER_FOR.as_secs()));
    Some(response)
}

/// Lets the page of `origin` read the answer, if it is listed.
pub(crate) fn open_up(origins: &Origins, origin: Option<&HeaderValue>, headers: &mut HeaderMap) {
    if origins.is_empty() {
        return;
    }
    if let Origins::Listed(_) = origins {
        headers.append(VARY, HeaderValue::from_static("Origin"));
    }
    let Some(origin) = origin.filter(|origin| origins.allow(origin)) else { return };
    let allowed = match origins {
        Origins::Any => HeaderValue::from_static("*"),
        Origins::Listed(_) => origin.clone(),
    };
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
    let readable = "age, etag, last-modified, link, location, retry-after, x-request-id";
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(readable));
}
