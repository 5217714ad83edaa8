//! What holds for every call: paths, methods, refusals of the HTTP layer, and how answers are sent.
//!
//! The routes lie inside. What they answer carries its body as a value in the extensions of the
//! response, and becomes bytes here.

use std::io::Write;
use std::panic::AssertUnwindSafe;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::FutureExt;
use http::header::{
    ACCEPT, ACCEPT_ENCODING, ALLOW, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, VARY,
};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use http_body_util::BodyExt;
use pampero_opensearch::Exception;
use serde_json::json;
use tower::ServiceExt;

use super::RestState;
use super::answer::{Content, Failure, Shape};
use super::gate::internal;
use pampero_opensearch::parameters::Parameters;

/// Smaller answers are not worth packing.
const GZIP_BYTES_MIN: usize = 4 << 10;

/// Larger answers are packed on a thread that may block.
const GZIP_INLINE_BYTES_MAX: usize = 64 << 10;

const OPAQUE_ID: HeaderName = HeaderName::from_static("x-opaque-id");

/// What the frame must know of a request after the routes took it.
struct Asked {
    method: Method,
    uri: String,
    opaque_id: Option<HeaderValue>,
    takes_gzip: bool,
    shape: Shape,
}

/// Puts the frame round the routes.
pub(super) fn framed(routes: Router, state: RestState) -> Router {
    Router::new().fallback(move |request: Request| serve(routes.clone(), state.clone(), request))
}

/// Answers what no route takes.
pub(super) async fn no_handler(method: Method, uri: Uri) -> Response {
    let reason = format!("no handler found for uri [{uri}] and method [{method}]");
    let mut response = StatusCode::BAD_REQUEST.into_response();
    response.extensions_mut().insert(Content::Refusal(json!({ "error": reason })));
    response
}

async fn serve(routes: Router, state: RestState, mut request: Request) -> Response {
    normalize(request.uri_mut());
    let parameters = Parameters::read(request.uri().path(), request.uri().query());
    let (shape, unreadable) = match Shape::read(&parameters) {
        Ok(shape) => (shape, None),
        Err(exception) => (Shape::default(), Some(exception)),
    };
    let asked = Asked {
        method: request.method().clone(),
        uri: request.uri().to_string(),
        opaque_id: request.headers().get(OPAQUE_ID).cloned(),
        takes_gzip: takes_gzip(request.headers()),
        shape,
    };
    let refused = unreadable.map(Failure::from).or_else(|| other_format(&parameters, &request));
    let response = match refused {
        Some(failure) => failure.into_response(),
        None => guarded(routes, request).await,
    };
    let response = reworded(response, &asked).await;
    state.counts().count(response.status());
    sent(response, asked).await
}

/// Calls the routes; a panic becomes an error of this one call.
async fn guarded(routes: Router, request: Request) -> Response {
    match AssertUnwindSafe(routes.oneshot(request)).catch_unwind().await {
        Ok(Ok(response)) => response,
        Ok(Err(never)) => match never {},
        Err(_) => {
            tracing::error!("a request for the logs panicked");
            internal().into_response()
        }
    }
}

/// Takes trailing and doubled slashes away, as OpenSearch's own table of paths does.
fn normalize(uri: &mut Uri) {
    let path = uri.path();
    if path == "/" || !(path.ends_with('/') || path.contains("//")) {
        return;
    }
    let mut plain = String::with_capacity(path.len());
    for name in path.split('/').filter(|name| !name.is_empty()) {
        plain.push('/');
        plain.push_str(name);
    }
    if plain.is_empty() {
        plain.push('/');
    }
    if let Some(query) = uri.query() {
        plain.push('?');
        plain.push_str(query);
    }
    let mut parts = std::mem::take(uri).into_parts();
    parts.path_and_query = PathAndQuery::try_from(plain).ok();
    *uri = Uri::from_parts(parts).unwrap_or_default();
}

/// Refuses to answer in anything but JSON where only that is asked for.
fn other_format(parameters: &Parameters, request: &Request) -> Option<Failure> {
    if let Some(format @ ("yaml" | "cbor" | "smile")) = parameters.text("format") {
        return Some(Exception::unsupported(format!("format [{format}]")).into());
    }
    let accept = request.headers().get(ACCEPT)?.to_str().ok()?;
    let other = |part: &str| {
        let essence = part.split(';').next().unwrap_or_default().trim();
        ["yaml", "cbor", "smile"].iter().any(|it| essence.strip_prefix("application/") == Some(it))
    };
    accept.split(',').all(other).then(|| {
        let reason = format!("Accept header [{accept}] is not supported");
        Failure::Plain(StatusCode::NOT_ACCEPTABLE, reason)
    })
}

fn takes_gzip(headers: &HeaderMap) -> bool {
    let codings = headers.get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok());
    codings.unwrap_or_default().split(',').any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let named = matches!(parts.next(), Some("gzip" | "x-gzip" | "*"));
        named && !parts.any(|part| matches!(part, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
    })
}

/// Puts refusals that axum makes by itself into OpenSearch's words.
async fn reworded(mut response: Response, asked: &Asked) -> Response {
    if response.extensions().get::<Content>().is_some() {
        return response;
    }
    match response.status() {
        StatusCode::METHOD_NOT_ALLOWED => wrong_method(response, asked),
        status if status.is_client_error() => {
            let body = std::mem::take(response.body_mut());
            let reason = match body.collect().await {
                Ok(body) => String::from_utf8_lossy(&body.to_bytes()).into_owned(),
                Err(_) => "the request cannot be read".to_owned(),
            };
            Failure::from(Exception::illegal_argument(reason)).into_response()
        }
        _ => response,
    }
}

/// Answers a method that a path does not take, and `OPTIONS`, which every path takes.
fn wrong_method(mut response: Response, asked: &Asked) -> Response {
    let allow = response.headers_mut().remove(ALLOW);
    let allowed = allow.as_ref().and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut methods: Vec<&str> = allowed.split(',').map(str::trim).collect();
    methods.sort_unstable();
    let methods = methods.join(", ");
    let mut response = if asked.method == Method::OPTIONS {
        let mut response = StatusCode::OK.into_response();
        response.extensions_mut().insert(Content::Empty);
        response
    } else {
        let Asked { method, uri, .. } = asked;
        let reason = format!(
            "Incorrect HTTP method for uri [{uri}] and method [{method}], allowed: [{methods}]"
        );
        Failure::Plain(StatusCode::METHOD_NOT_ALLOWED, reason).into_response()
    };
    if let Ok(value) = HeaderValue::from_str(&methods) {
        response.headers_mut().insert(ALLOW, value);
    }
    response
}

/// Makes the bytes of an answer.
async fn sent(mut response: Response, asked: Asked) -> Response {
    if let Some(id) = asked.opaque_id {
        response.headers_mut().insert(OPAQUE_ID, id);
    }
    let Some(content) = response.extensions_mut().remove::<Content>() else { return response };
    let (mut bytes, kind) = content.render(&asked.shape);
    let headers = response.headers_mut();
    headers.remove(CONTENT_LENGTH);
    match kind {
        Some(kind) => headers.insert(CONTENT_TYPE, kind),
        None => headers.remove(CONTENT_TYPE),
    };
    if asked.method == Method::HEAD {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(bytes.len()));
        return response;
    }
    if bytes.len() >= GZIP_BYTES_MIN {
        headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
        if asked.takes_gzip {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            bytes = packed(bytes).await;
        }
    }
    *response.body_mut() = Body::from(bytes);
    response
}

async fn packed(bytes: Bytes) -> Bytes {
    if bytes.len() <= GZIP_INLINE_BYTES_MAX {
        return pack(&bytes);
    }
    let thread = tokio::task::spawn_blocking(move || pack(&bytes));
    thread.await.expect("packing into memory does not panic")
}

fn pack(bytes: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 4), Compression::fast());
    encoder.write_all(bytes).expect("memory takes every byte");
    encoder.finish().expect("memory takes every byte").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_path(sent: &str, expected: &str) {
        let mut uri: Uri = sent.parse().unwrap();
        normalize(&mut uri);
        assert_eq!(uri.to_string(), expected, "{sent}");
    }

    #[test]
    fn slashes_too_many_are_taken_away() {
        check_path("/", "/");
        check_path("/_bulk/", "/_bulk");
        check_path("/_bulk/?pipeline=x", "/_bulk?pipeline=x");
        check_path("//a//_doc/1%2F2/", "/a/_doc/1%2F2");
        check_path("/a/_search", "/a/_search");
        check_path("//", "/");
    }

    #[tokio::test]
    async fn a_handler_that_panics_ends_its_own_request_only() {
        let routes = Router::new()
            .route(
                "/panic",
                axum::routing::get(|| async {
                    if true {
                        panic!("on purpose")
                    }
                }),
            )
            .route("/fine", axum::routing::get(|| async { "fine" }));
        let ask = |path: &str| {
            let request = Request::builder().uri(path).body(Body::empty()).unwrap();
            guarded(routes.clone(), request)
        };
        assert_eq!(ask("/panic").await.status(), 500);
        assert_eq!(ask("/fine").await.status(), 200);
    }

    #[track_caller]
    fn check_gzip(accept: &'static str, expected: bool) {
        let headers = HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static(accept))]);
        assert_eq!(takes_gzip(&headers), expected, "{accept}");
    }

    #[test]
    fn answers_are_packed_for_those_who_unpack_them() {
        check_gzip("gzip, deflate", true);
        check_gzip("br;q=1.0, gzip;q=0.8", true);
        check_gzip("gzip;q=0", false);
        check_gzip("identity", false);
        check_gzip("", false);
    }
}
