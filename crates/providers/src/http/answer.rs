//! One exchange with a service: the request goes out, the capped answer comes back.

use std::error::Error;
use std::io;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{HeaderMap, HeaderName};
use reqwest::{RequestBuilder, Response, StatusCode};
use secrecy::SecretString;
use serde::de::DeserializeOwned;

use super::excerpt::{excerpt, is_html};
use super::retry_after::{http_date, retry_after};
use super::trace_headers::trace_headers;
use crate::ProviderError;

/// Largest answer for one place, in bytes after decompression.
pub(crate) const SINGLE_BODY_MAX: usize = 1024 * 1024;
/// Largest answer for many places, in bytes after decompression.
pub(crate) const BULK_BODY_MAX: usize = 16 * 1024 * 1024;
/// What is read of an answer that is an error, in bytes: its message stands at its beginning.
const ERROR_BODY_MAX: usize = 64 * 1024;

/// An answer as it arrived, with the key that must not be shown of it.
#[derive(Debug)]
pub(crate) struct RawAnswer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    /// The key of the request; `None` when the service wants none.
    pub(crate) key: Option<SecretString>,
}

/// Sends `request` and reads at most `body_max` bytes of its answer, counted after decompression.
///
/// The status is not judged here. The body of an error is cut rather than refused, and may have
/// been cut on its way: what an error means stands in its status and at its beginning.
///
/// # Errors
/// The connection failed, a redirect is not to be followed, or the body is too large.
pub(crate) async fn send(
    request: RequestBuilder,
    body_max: usize,
    key: Option<&SecretString>,
) -> Result<RawAnswer, ProviderError> {
    let request = request.headers(trace_headers());
    let mut response = request.send().await.map_err(sending_fault)?;
    let status = response.status();
    let headers = response.headers().clone();
    let body = if status.is_success() {
        read_all(&mut response, body_max).await?
    } else {
        read_beginning(&mut response, ERROR_BODY_MAX).await
    };
    let url = response.url();
    tracing::debug!(
        host = url.host_str(),
        path = url.path(),
        status = status.as_u16(),
        bytes = body.len(),
        "weather service answered"
    );
    Ok(RawAnswer { status, headers, body, key: key.cloned() })
}

async fn read_all(response: &mut Response, body_max: usize) -> Result<Vec<u8>, ProviderError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(reading_fault)? {
        if body_max < body.len() + chunk.len() {
            let reason = format!("it is larger than {} MiB", body_max / 1024 / 1024);
            return Err(ProviderError::Malformed { reason });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

async fn read_beginning(response: &mut Response, length: usize) -> Vec<u8> {
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        body.extend_from_slice(&chunk);
        if length <= body.len() {
            body.truncate(length);
            break;
        }
    }
    body
}

/// Names a fault before the answer began. A refused redirect is the service's fault and may heal.
fn sending_fault(error: reqwest::Error) -> ProviderError {
    let during = if error.is_redirect() {
        "following a redirect"
    } else if error.is_connect() {
        "connecting"
    } else {
        "waiting for the answer"
    };
    ProviderError::Connection { during, source: error.without_url() }
}

fn reading_fault(error: reqwest::Error) -> ProviderError {
    if is_bad_data(&error) {
        return ProviderError::Malformed { reason: "it cannot be decompressed".to_owned() };
    }
    ProviderError::Connection { during: "reading the answer", source: error.without_url() }
}

/// Tells whether the bytes arrived but made no sense, as opposed to not arriving.
fn is_bad_data(error: &reqwest::Error) -> bool {
    let mut cause = error.source();
    while let Some(error) = cause {
        let io_error = error.downcast_ref::<io::Error>();
        if io_error.is_some_and(|error| error.kind() == io::ErrorKind::InvalidData) {
            return true;
        }
        cause = error.source();
    }
    false
}

impl RawAnswer {
    /// Reads the body as JSON.
    ///
    /// # Errors
    /// The body is empty, is markup, is no JSON, or has another shape than `T`.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, ProviderError> {
        serde_json::from_slice(&self.body)
            .map_err(|error| self.malformed(&self.why_no_json(&error)))
    }

    fn why_no_json(&self, error: &serde_json::Error) -> String {
        let text = String::from_utf8_lossy(&self.body);
        if text.trim().is_empty() {
            "it is empty".to_owned()
        } else if is_html(&text) {
            format!("it is {} instead of JSON", self.excerpt())
        } else {
            error.to_string()
        }
    }

    /// Says that the answer cannot be read, without showing the key.
    pub(crate) fn malformed(&self, reason: &str) -> ProviderError {
        ProviderError::Malformed { reason: self.clean(reason) }
    }

    /// Returns the beginning of the body for a message.
    pub(crate) fn excerpt(&self) -> String {
        self.clean(&String::from_utf8_lossy(&self.body))
    }

    /// Returns a text of the answer in a form that may stand in a message.
    pub(crate) fn clean(&self, text: &str) -> String {
        excerpt(text, self.key.as_ref())
    }

    /// Returns how long the service asks us to wait, from `now`; `None` when it does not say.
    pub(crate) fn retry_after(&self, now: Timestamp) -> Option<Duration> {
        retry_after(&self.headers, now)
    }

    /// Returns a header as text; `None` when it is missing or no text.
    pub(crate) fn header(&self, name: &HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Returns a header that is an HTTP date; `None` when it is missing or none.
    pub(crate) fn header_date(&self, name: &HeaderName) -> Option<Timestamp> {
        http_date(self.header(name)?.trim())
    }

    /// Tells what the status of a refusal means to all services alike.
    ///
    /// `said` is what the service said, already fit to be shown.
    pub(crate) fn refusal(&self, said: String, now: Timestamp) -> ProviderError {
        self.refusal_with(self.status, said, now)
    }

    /// Tells what a refusal means whose status stands in its body.
    pub(crate) fn refusal_with(
        &self,
        status: StatusCode,
        said: String,
        now: Timestamp,
    ) -> ProviderError {
        let message = if said.is_empty() { status.to_string() } else { said };
        let retry_after = self.retry_after(now);
        match status.as_u16() {
            401 | 403 => ProviderError::Auth { message },
            404 | 422 => ProviderError::NotCovered { message },
            429 => ProviderError::RateLimited { message, retry_after },
            // 407 and 408 come from what stands between us and the service; 499 is its own timeout.
            status @ (407 | 408 | 499 | 500..) => {
                ProviderError::Server { status, message, retry_after }
            }
            400.. => ProviderError::BadRequest { message },
            status => self.malformed(&format!("it has the unexpected status {status}")),
        }
    }
}
