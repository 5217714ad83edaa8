//! The envelope of every answer, and its way onto the wire.

use std::convert::Infallible;
use std::io::Write;

use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, VARY};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Serialize;

use super::failure::Failure;
use super::text;

/// What every answer begins with that is one.
const OPENING: &[u8] = br#"{"status":"success","data":"#;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// The text format of Prometheus.
const EXPOSITION: HeaderValue =
    HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

/// How the client wants its answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Accepts {
    gzip: bool,
}

impl<S: Send + Sync> FromRequestParts<S> for Accepts {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self { gzip: accepts_gzip(&parts.headers) })
    }
}

fn accepts_gzip(headers: &HeaderMap) -> bool {
    let values = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|encoding| {
        let mut parts = encoding.split(';').map(str::trim);
        let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
        let refused = parts.any(|weight| {
            weight.strip_prefix("q=").is_some_and(|weight| weight.parse() == Ok(0.0))
        });
        named && !refused
    })
}

/// An answer before it is compressed.
pub(super) struct Success {
    content_type: HeaderValue,
    text: Vec<u8>,
}

impl Success {
    /// Answers with a value.
    pub(super) fn of<T: Serialize>(data: &T) -> Self {
        let mut text = Self::open();
        text::push_value(&mut text, data);
        Self::close(text, &[], &[])
    }

    /// Returns the beginning of an answer, after which its data are written.
    pub(super) fn open() -> Vec<u8> {
        OPENING.to_vec()
    }

    /// Ends an answer that began with [`Success::open`].
    pub(super) fn close(mut text: Vec<u8>, warnings: &[String], infos: &[String]) -> Self {
        for (name, notes) in [("warnings", warnings), ("infos", infos)] {
            if !notes.is_empty() {
                text.push(b',');
                text::push_string(&mut text, name);
                text.push(b':');
                text::push_value(&mut text, &notes);
            }
        }
        text.push(b'}');
        Self { content_type: JSON, text }
    }

    /// Answers with the text format of Prometheus instead of JSON.
    pub(super) fn exposition(text: Vec<u8>) -> Self {
        Self { content_type: EXPOSITION, text }
    }

    /// Compresses the answer if the client accepts it and it is worth it.
    pub(super) fn encode(self, accepts: Accepts, gzip_bytes_min: usize) -> Encoded {
        let is_compressed = accepts.gzip && gzip_bytes_min <= self.text.len();
        let body = if is_compressed { compress(&self.text) } else { self.text };
        Encoded { content_type: self.content_type, is_compressed, body: body.into() }
    }
}

fn compress(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(text.len() / 8), Compression::fast());
    encoder.write_all(text).expect("a vector takes whatever is written to it");
    encoder.finish().expect("a vector takes whatever is written to it")
}

/// An answer as it goes onto the wire.
pub(super) struct Encoded {
    content_type: HeaderValue,
    is_compressed: bool,
    body: Bytes,
}

impl IntoResponse for Encoded {
    fn into_response(self) -> Response {
        let mut response = Response::new(self.body.into());
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, self.content_type);
        headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
        if self.is_compressed {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        response
    }
}

/// An error in the shape of the API.
#[derive(Debug)]
pub(super) struct Refusal(pub(super) Failure);

#[derive(Serialize)]
struct RefusalBody<'r> {
    status: &'static str,
    #[serde(rename = "errorType")]
    error_type: &'static str,
    error: &'r str,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Failure { kind, message } = self.0;
        let mut text = Vec::new();
        let body = RefusalBody { status: "error", error_type: kind.as_str(), error: &message };
        text::push_value(&mut text, &body);
        (kind.status(), [(CONTENT_TYPE, JSON)], text).into_response()
    }
}

/// Answers in plain text, with the line break at the end that Go puts there.
pub(super) fn plain(status: StatusCode, message: &str) -> Response {
    let headers =
        [("content-type", "text/plain; charset=utf-8"), ("x-content-type-options", "nosniff")];
    (status, headers, format!("{message}\n")).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_clients_that_accept_it_get_gzip() {
        check_gzip("gzip", true);
        check_gzip("deflate, GZIP;q=0.5", true);
        check_gzip("gzip;q=0", false);
        check_gzip("gzip; q=0.0, br", false);
        check_gzip("br", false);
        check_gzip("", false);
    }

    #[track_caller]
    fn check_gzip(accept: &str, expected: bool) {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_ENCODING, accept.parse().unwrap());
        assert_eq!(accepts_gzip(&headers), expected, "{accept}");
    }
}
