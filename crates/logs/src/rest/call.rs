//! One call as a handler sees it: parameters and body.

use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use http::Method;
use pampero_opensearch::{Exception, ExceptionKind, Unambiguous};
use serde_json::Value;

use super::RestState;
use super::answer::{Failure, Shape};
use super::body::{self, ContentType, Reservation};
use pampero_opensearch::parameters::Parameters;

/// One call: what it is, its parameters, its body, unpacked and within the limits.
#[derive(Debug)]
pub(crate) struct Call {
    /// The method; a `HEAD` comes as such.
    pub(crate) method: Method,
    /// The path as it was sent, without trailing slashes.
    pub(crate) path: String,
    /// The query string.
    pub(crate) parameters: Parameters,
    /// How the answer is shaped.
    pub(crate) shape: Shape,
    /// The body; empty when there is none.
    pub(crate) body: Bytes,
    content: Option<(ContentType, String)>,
    /// Holds the body's part of the budget until the call has ended.
    reservation: Reservation,
}

impl Call {
    /// Refuses parameters that this call does not take.
    ///
    /// # Errors
    /// `illegal_argument_exception` that names them.
    pub(crate) fn takes(&self, known: &[&[&str]]) -> Result<(), Failure> {
        Ok(self.parameters.check(known)?)
    }

    /// Refuses a body.
    ///
    /// # Errors
    /// There is one.
    pub(crate) fn takes_no_body(&self) -> Result<(), Failure> {
        if self.body.is_empty() {
            return Ok(());
        }
        let Self { method, path, .. } = self;
        Err(Exception::illegal_argument(format!(
            "request [{method} {path}] does not support having a body"
        ))
        .into())
    }

    /// Refuses lines where one JSON value is taken.
    ///
    /// # Errors
    /// The content type is `application/x-ndjson` (406).
    pub(crate) fn takes_json(&self) -> Result<(), Failure> {
        match &self.content {
            Some((ContentType::Lines, header)) => Err(body::unsupported_content_type(header)),
            _ => Ok(()),
        }
    }

    /// Reads the body as JSON; `None` when there is none.
    ///
    /// # Errors
    /// It is no JSON, or nests too deep.
    pub(crate) fn json(&self) -> Result<Option<Value>, Failure> {
        self.takes_json()?;
        let text = match self.parameters.text("source") {
            Some(source) if self.body.is_empty() => source.as_bytes(),
            _ => &self.body[..],
        };
        if text.is_empty() {
            return Ok(None);
        }
        Ok(Some(read_json(text)?))
    }

    /// Reads the body as JSON.
    ///
    /// # Errors
    /// As [`Call::json`]; and there is no body.
    pub(crate) fn required_json(&self) -> Result<Value, Failure> {
        self.json()?.ok_or_else(|| body_required().into())
    }

    /// Returns the body apart from the call, with its part of the budget.
    pub(crate) fn into_body(self) -> (Bytes, Reservation) {
        (self.body, self.reservation)
    }
}

/// Returns the refusal of a call without a body that needs one.
pub(crate) fn body_required() -> Exception {
    Exception::new(ExceptionKind::Parse, "request body is required")
}

/// Reads JSON in which no object says anything twice.
///
/// # Errors
/// `json_parse_exception` with the place.
pub(crate) fn read_json(text: &[u8]) -> Result<Value, Exception> {
    let read = serde_json::from_slice(text).map(|Unambiguous(value)| value);
    read.map_err(|error| {
        Exception::new(ExceptionKind::JsonParse, format!("the body is no valid JSON: {error}"))
    })
}

impl FromRequest<RestState> for Call {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &RestState) -> Result<Self, Failure> {
        let (parts, body) = request.into_parts();
        let path = parts.uri.path().to_owned();
        let parameters = Parameters::read(&path, parts.uri.query());
        let shape = Shape::read(&parameters)?;
        let bytes_max = state.options.body_bytes_max;
        let (body, reservation) =
            body::read(&parts.headers, body, bytes_max, state.budget()).await?;
        let content = if body.is_empty() {
            None
        } else {
            let kind = body::content_type(&parts.headers)?;
            let header = parts.headers.get(http::header::CONTENT_TYPE);
            let header = header.map(|it| String::from_utf8_lossy(it.as_bytes()).into_owned());
            Some((kind, header.unwrap_or_default()))
        };
        Ok(Self { method: parts.method, path, parameters, shape, body, content, reservation })
    }
}
