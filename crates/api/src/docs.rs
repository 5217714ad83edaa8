//! The contract and a page to browse it; both are in the binary and need no network.

use std::sync::{Arc, LazyLock};

use axum::extract::Path;
use axum::response::{IntoResponse, Redirect, Response};
use bytes::Bytes;
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, VARY,
};
use http::{HeaderMap, HeaderValue, StatusCode};
use utoipa_swagger_ui::{Config, serve};

use crate::openapi;
use crate::parameters::{NoParameters, Query};
use crate::problem::ApiError;

/// The contract as it is served; made when it is first asked for.
static CONTRACT: LazyLock<Bytes> = LazyLock::new(|| Bytes::from(openapi::contract()));

/// The page may use its own scripts and styles and ask this server, nothing else.
const POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; \
                      img-src 'self' data:; frame-ancestors 'none'";

/// Returns this description.
#[utoipa::path(
    get,
    path = "/openapi.json",
    tag = "about",
    responses((status = 200, description = "OpenAPI 3.1", body = serde_json::Value, content_type = "application/json"))
)]
pub(crate) async fn get_openapi(_: Query<NoParameters>) -> Response {
    let json = HeaderValue::from_static("application/json");
    ([(CONTENT_TYPE, json)], CONTRACT.clone()).into_response()
}

pub(crate) async fn redirect_to_docs() -> Redirect {
    Redirect::permanent("/docs/")
}

pub(crate) async fn get_docs_page(headers: HeaderMap) -> Result<Response, ApiError> {
    file("index.html", &headers)
}

pub(crate) async fn get_docs_file(
    path: Result<Path<String>, axum::extract::rejection::PathRejection>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let Path(path) = path.map_err(|_| no_such_file())?;
    file(&path, &headers)
}

fn file(path: &str, headers: &HeaderMap) -> Result<Response, ApiError> {
    // Without this the page would send the contract to a validator on the internet.
    let config = Config::from("/openapi.json").validator_url("none");
    let file = serve(path, Arc::new(config));
    let file = file.map_err(|error| ApiError::internal(error.to_string()))?;
    let file = file.ok_or_else(no_such_file)?;
    let mut response = file.bytes.into_owned().into_response();
    let to_send = response.headers_mut();
    to_send.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    to_send.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600"));
    if let Ok(content_type) = HeaderValue::from_str(&file.content_type) {
        to_send.insert(CONTENT_TYPE, content_type);
    }
    if file.gzpipped {
        if !accepts_gzip(headers) {
            let detail = "this page is kept compressed; send Accept-Encoding: gzip";
            return Err(ApiError::new(StatusCode::NOT_ACCEPTABLE, "only_gzip", detail));
        }
        to_send.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        to_send.insert(VARY, HeaderValue::from_static("accept-encoding"));
    }
    Ok(response)
}

fn accepts_gzip(headers: &HeaderMap) -> bool {
    let mut accepted = headers.get_all(ACCEPT_ENCODING).iter();
    accepted.any(|value| {
        let codings = value.to_str().unwrap_or_default().split(',');
        codings
            .map(|coding| coding.split(';').next().unwrap_or_default().trim())
            .any(|coding| coding.eq_ignore_ascii_case("gzip") || coding == "*")
    })
}

fn no_such_file() -> ApiError {
    let detail = "there is no such file; the page to browse the API is /docs/";
    ApiError::new(StatusCode::NOT_FOUND, "unknown_route", detail)
}
