//! The requests to the cluster, and what their failures mean.
//!
//! Source: OpenSearch REST API, `_bulk` and `_index_template`.

use std::time::Duration;

use http::header::{CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, Method, StatusCode};
use jiff::Timestamp;
use secrecy::ExposeSecret;
use serde_json::Value;
use url::Url;

use super::ShippingConfig;
use super::bulk::{AnswerError, ItemOutcome, read_answer};

const NDJSON: &str = "application/x-ndjson";
const JSON: &str = "application/json";
/// Largest answer that is read, in bytes: a bulk answer tells of a thousand documents.
const ANSWER_MAX: usize = 16 << 20;
/// What of a bulk answer is asked for.
const BULK_FILTER: &str =
    "filter_path=errors,items.*.status,items.*.error.type,items.*.error.reason";

/// Why a request did not do what it was to do.
#[derive(Debug, thiserror::Error)]
pub(super) enum RequestError {
    /// There was nothing to send it with.
    #[error("a batch of documents cannot be packed")]
    Pack(#[source] std::io::Error),
    /// Nothing is known of what became of it.
    #[error("the cluster cannot be reached")]
    Unreachable(#[source] reqwest::Error),
    /// It may be tried again.
    #[error("the cluster answered {status}")]
    Busy { status: StatusCode, retry_after: Option<Duration> },
    /// The request as a whole is too large, or holds something that makes it unreadable.
    #[error("the cluster answered {0} to a batch of documents")]
    Unfit(StatusCode),
    /// Somebody has to change something first.
    #[error("the cluster refused with {status}{}", spaced(.reason))]
    Refused { status: StatusCode, reason: String },
    /// The answer is not what a cluster answers.
    #[error("the answer of the cluster cannot be read")]
    Answer(#[source] AnswerError),
    /// The answer is larger than may be.
    #[error("the answer of the cluster is larger than {ANSWER_MAX} bytes")]
    AnswerTooLarge,
}

fn spaced(reason: &str) -> String {
    if reason.is_empty() { String::new() } else { format!(": {reason}") }
}

impl RequestError {
    /// Returns the wait that the cluster asked for, if any.
    pub(super) fn retry_after(&self) -> Duration {
        match self {
            Self::Busy { retry_after, .. } => retry_after.unwrap_or_default(),
            _ => Duration::ZERO,
        }
    }
}

/// Speaks to the cluster.
#[derive(Debug)]
pub(super) struct Requests {
    pub(super) http: reqwest::Client,
}

impl Requests {
    /// Sends documents that were packed before; tells what became of each of `sent`.
    pub(super) async fn bulk(
        &self,
        config: &ShippingConfig,
        body: Vec<u8>,
        sent: usize,
        now: Timestamp,
    ) -> Result<Vec<ItemOutcome>, RequestError> {
        let mut url = endpoint(&config.url, &["_bulk"]);
        url.set_query(Some(BULK_FILTER));
        let request = self
            .request(config, Method::POST, url)
            .header(CONTENT_TYPE, NDJSON)
            .header(CONTENT_ENCODING, "gzip")
            .body(body);
        let (status, answer) = send(request, now).await?;
        match status {
            StatusCode::OK => read_answer(&answer, sent).map_err(RequestError::Answer),
            StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE => {
                Err(RequestError::Unfit(status))
            }
            _ => Err(refused(status, &answer)),
        }
    }

    /// Reads JSON; `None` when there is nothing of this name.
    pub(super) async fn get(
        &self,
        config: &ShippingConfig,
        path: &[&str],
        now: Timestamp,
    ) -> Result<Option<Value>, RequestError> {
        let url = endpoint(&config.url, path);
        match send(self.request(config, Method::GET, url), now).await? {
            (StatusCode::NOT_FOUND, _) => Ok(None),
            (status, answer) if status.is_success() => serde_json::from_slice(&answer)
                .map(Some)
                .map_err(|error| RequestError::Answer(AnswerError::Json(error))),
            (status, answer) => Err(refused(status, &answer)),
        }
    }

    /// Puts JSON.
    pub(super) async fn put(
        &self,
        config: &ShippingConfig,
        path: &[&str],
        body: &Value,
        now: Timestamp,
    ) -> Result<(), RequestError> {
        let url = endpoint(&config.url, path);
        let request = self
            .request(config, Method::PUT, url)
            .header(CONTENT_TYPE, JSON)
            .body(body.to_string());
        match send(request, now).await? {
            (status, _) if status.is_success() => Ok(()),
            (status, answer) => Err(refused(status, &answer)),
        }
    }

    fn request(
        &self,
        config: &ShippingConfig,
        method: Method,
        url: Url,
    ) -> reqwest::RequestBuilder {
        let request = self.http.request(method, url).timeout(config.timeout);
        match &config.username {
            Some(username) => {
                let password = config.password.as_ref().map(ExposeSecret::expose_secret);
                request.basic_auth(username, password)
            }
            None => request,
        }
    }
}

/// Returns the URL of a path below the cluster's, which may have one itself.
fn endpoint(base: &Url, path: &[&str]) -> Url {
    let mut url = base.clone();
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().extend(path);
    }
    url
}

/// Sends a request and reads the answer; an answer that asks for patience is an error.
async fn send(
    request: reqwest::RequestBuilder,
    now: Timestamp,
) -> Result<(StatusCode, Vec<u8>), RequestError> {
    // The URL is left out of errors: an operator may have put a token into its path.
    let unreachable = |error: reqwest::Error| RequestError::Unreachable(error.without_url());
    let mut response = request.send().await.map_err(unreachable)?;
    let status = response.status();
    if status == StatusCode::TOO_MANY_REQUESTS
        || status == StatusCode::REQUEST_TIMEOUT
        || status.is_server_error()
    {
        let retry_after = retry_after_of(response.headers(), now);
        return Err(RequestError::Busy { status, retry_after });
    }
    let mut answer = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        if ANSWER_MAX < answer.len() + chunk.len() {
            return Err(RequestError::AnswerTooLarge);
        }
        answer.extend_from_slice(&chunk);
    }
    Ok((status, answer))
}

fn refused(status: StatusCode, answer: &[u8]) -> RequestError {
    let reason = serde_json::from_slice::<Value>(answer).ok();
    let reason = reason.as_ref().and_then(|body| body.pointer("/error/reason")?.as_str());
    RequestError::Refused { status, reason: reason.unwrap_or_default().to_owned() }
}

/// Reads `Retry-After`, in seconds or as a date; `None` when it cannot be read.
///
/// Source: RFC 9110, section 10.2.3.
fn retry_after_of(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = Timestamp::try_from(httpdate::parse_http_date(text).ok()?).ok()?;
    Duration::try_from(at.duration_since(now)).ok()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn path_of_the_cluster_stays() {
        let check = |base: &str, url: &str| {
            assert_eq!(endpoint(&base.parse().unwrap(), &["logs", "_alias"]).as_str(), url);
        };
        check("http://search.example:9200", "http://search.example:9200/logs/_alias");
        check("https://search.example/os/", "https://search.example/os/logs/_alias");
        check("https://search.example/os", "https://search.example/os/logs/_alias");
    }

    #[test]
    fn retry_after_is_read_in_both_forms() {
        let now: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
        let check = |text: &'static str, seconds: Option<u64>| {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static(text))]);
            let wait = retry_after_of(&headers, now);
            assert_eq!(wait, seconds.map(Duration::from_secs), "{text}");
        };
        check("120", Some(120));
        check("Tue, 24 Nov 2026 12:01:00 GMT", Some(60));
        check("Tue, 24 Nov 2026 11:59:00 GMT", None);
        check("soon", None);
        assert_eq!(retry_after_of(&HeaderMap::new(), now), None);
    }
}
