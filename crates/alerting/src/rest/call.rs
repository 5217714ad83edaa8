//! One call as a handler sees it: method, path, parameters and body, unpacked and within the limit.

use std::io::Read;

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use bytes::{Bytes, BytesMut};
use flate2::bufread::MultiGzDecoder;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, Method, StatusCode};
use http_body_util::BodyExt;
use pampero_opensearch::{Exception, ExceptionKind, Unambiguous};
use serde_json::Value;

use super::AlertingRest;
use super::answer::Failure;
use pampero_opensearch::parameters::Parameters;

/// One call.
#[derive(Debug)]
pub(super) struct Call {
    /// The method; a `HEAD` comes as such.
    pub(super) method: Method,
    /// The path as it was sent.
    pub(super) path: String,
    /// The query string.
    pub(super) parameters: Parameters,
    body: Bytes,
}

impl Call {
    /// Refuses parameters that this call does not take.
    ///
    /// # Errors
    /// `illegal_argument_exception` that names them.
    pub(super) fn takes(&self, known: &[&str]) -> Result<(), Failure> {
        Ok(self.parameters.check(&[known])?)
    }

    /// Refuses a body.
    ///
    /// # Errors
    /// There is one.
    pub(super) fn takes_no_body(&self) -> Result<(), Failure> {
        if self.body.is_empty() {
            return Ok(());
        }
        let Self { method, path, .. } = self;
        let reason = format!("request [{method} {path}] does not support having a body");
        Err(Exception::illegal_argument(reason).into())
    }

    /// Reads the body as JSON; `None` when there is none.
    ///
    /// # Errors
    /// It is no JSON, says something twice, or nests too deep.
    pub(super) fn json(&self) -> Result<Option<Value>, Failure> {
        let text = match self.parameters.text("source") {
            Some(source) if self.body.is_empty() => source.as_bytes(),
            _ => &self.body[..],
        };
        if text.is_empty() {
            return Ok(None);
        }
        let read = serde_json::from_slice(text).map(|Unambiguous(value)| Some(value));
        read.map_err(|error| {
            let reason = format!("the body is no valid JSON: {error}");
            Exception::new(ExceptionKind::JsonParse, reason).into()
        })
    }

    /// Reads the body as JSON.
    ///
    /// # Errors
    /// As [`Call::json`]; and there is no body.
    pub(super) fn required_json(&self) -> Result<Value, Failure> {
        let missing = || Exception::new(ExceptionKind::Parse, "request body is required");
        self.json()?.ok_or_else(|| missing().into())
    }
}

impl FromRequest<AlertingRest> for Call {
    type Rejection = Failure;

    async fn from_request(request: Request, rest: &AlertingRest) -> Result<Self, Failure> {
        let (parts, body) = request.into_parts();
        let path = parts.uri.path().to_owned();
        let parameters = Parameters::read(&path, parts.uri.query());
        let body = read(&parts.headers, body, rest.options().body_bytes_max).await?;
        if !body.is_empty() {
            check_content_type(&parts.headers)?;
        }
        Ok(Self { method: parts.method, path, parameters, body })
    }
}

/// Reads a body and unpacks it; both forms hold at most `bytes_max` bytes.
async fn read(headers: &HeaderMap, mut body: Body, bytes_max: usize) -> Result<Bytes, Failure> {
    let mut sent = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| broken("the body of the request broke off"))?;
        let Ok(data) = frame.into_data() else { continue };
        if bytes_max < sent.len() + data.len() {
            return Err(too_large(bytes_max));
        }
        sent.extend_from_slice(&data);
    }
    let sent = sent.freeze();
    let coding = headers.get(CONTENT_ENCODING).map(|value| value.as_bytes().to_ascii_lowercase());
    match coding.as_deref() {
        _ if sent.is_empty() => Ok(sent),
        None | Some(b"" | b"identity") => Ok(sent),
        Some(b"gzip" | b"x-gzip") => unpack(&sent, bytes_max),
        Some(coding) => {
            let coding = String::from_utf8_lossy(coding);
            let reason = format!(
                "Content-Encoding [{coding}] is not supported; send the body plain or as gzip"
            );
            Err(Failure::Plain(StatusCode::UNSUPPORTED_MEDIA_TYPE, reason))
        }
    }
}

fn unpack(packed: &[u8], bytes_max: usize) -> Result<Bytes, Failure> {
    let mut plain = Vec::new();
    let limit = u64::try_from(bytes_max).unwrap_or(u64::MAX).saturating_add(1);
    let read = MultiGzDecoder::new(packed).take(limit).read_to_end(&mut plain);
    read.map_err(|_| broken("the body is no valid gzip"))?;
    if bytes_max < plain.len() { Err(too_large(bytes_max)) } else { Ok(plain.into()) }
}

fn broken(reason: &str) -> Failure {
    Exception::new(ExceptionKind::Parse, reason).into()
}

fn too_large(bytes_max: usize) -> Failure {
    let reason =
        format!("the body is larger than the limit of [{bytes_max}] bytes; say it with less");
    Failure::Plain(StatusCode::PAYLOAD_TOO_LARGE, reason)
}

/// Refuses a body that is not said to be JSON.
fn check_content_type(headers: &HeaderMap) -> Result<(), Failure> {
    let not_acceptable = |reason: String| Err(Failure::Plain(StatusCode::NOT_ACCEPTABLE, reason));
    let Some(value) = headers.get(CONTENT_TYPE) else {
        return not_acceptable("Content-Type header is missing".to_owned());
    };
    let text = String::from_utf8_lossy(value.as_bytes());
    let essence = text.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    not_acceptable(format!("Content-Type header [{text}] is not supported"))
}
