//! A weather answer that is ready to be sent: body, headers, and what makes it the same as before.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use jiff::Timestamp;
use serde::Serialize;

use crate::edge::prepared_headers;

/// How long a cache may serve an answer while this server gives none.
const STALE_IF_ERROR: Duration = Duration::from_secs(24 * 60 * 60);

/// An answer that is ready to be sent, as often as it is asked for.
#[derive(Debug)]
pub(crate) struct ReadyAnswer {
    body: Bytes,
    /// The headers of a 200, those of the edge included.
    headers: HeaderMap,
    /// The headers of a 304: the same without those that describe the body.
    headers_unchanged: HeaderMap,
    etag: HeaderValue,
    /// Whole seconds since the Unix epoch; `None` when the date alone does not tell that an answer
    /// is the same.
    unchanged_since: Option<i64>,
}

/// What an answer says of itself in its headers.
pub(crate) struct Validity {
    /// The instant the values are valid for: `Last-Modified`.
    pub(crate) observed_at: Timestamp,
    /// `Age`: time since the values were observed.
    pub(crate) age_seconds: u64,
    /// Whether the values are older than their limit.
    pub(crate) is_stale: bool,
    /// How long a cache may serve the answer from now on.
    pub(crate) max_age: Duration,
}

impl ReadyAnswer {
    /// Writes an answer down. `identity` is the part of it that does not change as time goes by.
    pub(crate) fn write(body: &impl Serialize, identity: &impl Serialize, is: &Validity) -> Self {
        let etag = etag_of(identity);
        let body = Bytes::from(serde_json::to_vec(body).expect("our own types can be written"));
        let mut unchanged = prepared_headers();
        unchanged.insert(header::ETAG, etag.clone());
        unchanged.insert(header::LAST_MODIFIED, http_date(is.observed_at));
        unchanged.insert(header::AGE, HeaderValue::from(is.age_seconds));
        // Caches count the age in, so what they may serve lasts that much longer.
        let max_age = is.age_seconds + is.max_age.as_secs();
        let stale_if_error = STALE_IF_ERROR.as_secs();
        let cache = format!("public, max-age={max_age}, stale-if-error={stale_if_error}");
        unchanged.insert(header::CACHE_CONTROL, header_value(&cache));
        let mut headers = unchanged.clone();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
        let unchanged_since = (!is.is_stale).then(|| is.observed_at.as_second());
        Self { body, headers, headers_unchanged: unchanged, etag, unchanged_since }
    }

    /// Answers a request with the headers `asked`: 304 without a body when the caller has this answer already.
    pub(crate) fn respond(&self, asked: &HeaderMap) -> Response {
        let unchanged = self.is_known_to(asked);
        let body = if unchanged { Body::empty() } else { Body::from(self.body.clone()) };
        let mut response = Response::new(body);
        if unchanged {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            *response.headers_mut() = self.headers_unchanged.clone();
        } else {
            *response.headers_mut() = self.headers.clone();
        }
        response
    }

    /// `If-None-Match` alone decides when it is there.
    ///
    /// Source: RFC 9110, sections 13.1.2, 13.1.3 and 13.2.2.
    fn is_known_to(&self, headers: &HeaderMap) -> bool {
        if headers.contains_key(header::IF_NONE_MATCH) {
            let mut given = headers.get_all(header::IF_NONE_MATCH).iter();
            return given.any(|tags| matches_tag(tags.as_bytes(), self.etag.as_bytes()));
        }
        let Some(since) = headers.get(header::IF_MODIFIED_SINCE) else { return false };
        let since = since.to_str().ok().and_then(|date| httpdate::parse_http_date(date).ok());
        let since = since.and_then(|since| Timestamp::try_from(since).ok());
        match (since, self.unchanged_since) {
            (Some(since), Some(unchanged_since)) => unchanged_since <= since.as_second(),
            _ => false,
        }
    }
}

/// Compares weakly: `W/` makes no difference.
fn matches_tag(tags: &[u8], own: &[u8]) -> bool {
    let opaque =
        |tag: &[u8]| tag.trim_ascii().strip_prefix(b"W/").unwrap_or(tag.trim_ascii()).to_vec();
    let own = opaque(own);
    // A comma cannot be in our own tags, so a tag of someone else's that is cut at one matches nothing.
    tags.split(|byte| *byte == b',').any(|tag| tag.trim_ascii() == b"*" || opaque(tag) == own)
}

fn etag_of(identity: &impl Serialize) -> HeaderValue {
    let mut hasher = DefaultHasher::new();
    serde_json::to_vec(identity).expect("our own types can be written").hash(&mut hasher);
    header_value(&format!("W/\"{:016x}\"", hasher.finish()))
}

fn http_date(at: Timestamp) -> HeaderValue {
    header_value(&at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string())
}

fn header_value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).expect("digits, letters and quotes may be in a header")
}
