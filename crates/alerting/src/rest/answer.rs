//! Answers and refusals of the plugins, as JSON.
//!
//! What shapes them (`pretty`, `filter_path`, compression) is the business of the frame that the routes
//! are mounted in.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, LOCATION};
use http::{HeaderValue, StatusCode};
use pampero_opensearch::{Exception, ExceptionKind};
use serde_json::{Value, json};

use crate::definitions::DefinitionError;
use crate::{MonitorError, MonitorErrorKind, StoreError};

const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=UTF-8");

/// What a call answers when it went well.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    status: StatusCode,
    body: Value,
    location: Option<HeaderValue>,
}

impl Answer {
    /// Answers 200.
    pub(super) fn ok(body: Value) -> Self {
        Self { status: StatusCode::OK, body, location: None }
    }

    /// Answers 201 with where the thing that was made lies.
    pub(super) fn created(body: Value, path: &str) -> Self {
        let location = HeaderValue::from_str(path).ok();
        Self { status: StatusCode::CREATED, body, location }
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response = rendered(self.status, &self.body);
        if let Some(location) = self.location {
            response.headers_mut().insert(LOCATION, location);
        }
        response
    }
}

/// What a call answers when it is refused or fails.
#[derive(Clone, Debug)]
pub(super) enum Failure {
    /// As the server itself refuses.
    Exception(Exception),
    /// As the alerting plugin does, with the class of what it wraps.
    Alerting {
        /// The HTTP status.
        status: StatusCode,
        /// A plain sentence.
        reason: String,
        /// The class that is named before the reason in `caused_by`; `None` leaves `caused_by` out.
        class: Option<&'static str>,
    },
    /// As the notifications plugin does.
    Status {
        /// The HTTP status.
        status: StatusCode,
        /// A plain sentence, or a JSON text with what became of a message.
        reason: String,
    },
    /// In one sentence, as the HTTP layer refuses.
    Plain(StatusCode, String),
}

impl Failure {
    /// Refuses in the words of the alerting plugin.
    pub(super) fn alerting(kind: MonitorErrorKind, reason: impl Into<String>) -> Self {
        MonitorError::new(kind, reason).into()
    }

    /// Refuses in the words of the notifications plugin.
    pub(super) fn notifications(status: StatusCode, reason: impl Into<String>) -> Self {
        Self::Status { status, reason: reason.into() }
    }

    /// Says that the server itself is at fault; why is in its log.
    pub(super) fn internal() -> Self {
        Exception::new(ExceptionKind::Internal, "the server could not answer; its log says why")
            .into()
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::Exception(exception) => StatusCode::from_u16(exception.status())
                .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            Self::Alerting { status, .. }
            | Self::Status { status, .. }
            | Self::Plain(status, _) => *status,
        }
    }

    /// Returns the value of `error`.
    fn error(&self) -> Value {
        let (kind, reason, class) = match self {
            Self::Exception(exception) => return rooted(exception.to_json()),
            Self::Plain(_, reason) => return Value::String(reason.clone()),
            Self::Alerting { reason, class, .. } => ("alerting_exception", reason, *class),
            Self::Status { reason, .. } => ("status_exception", reason, None),
        };
        let mut error = json!({ "type": kind, "reason": reason });
        if let Some(class) = class {
            error["caused_by"] =
                json!({ "type": "exception", "reason": format!("{class}: {reason}") });
        }
        rooted(error)
    }
}

/// Adds `root_cause`, which is the error itself without what it wraps.
fn rooted(mut error: Value) -> Value {
    let mut root = error.clone();
    if let Some(entries) = root.as_object_mut() {
        entries.remove("caused_by");
    }
    error["root_cause"] = json!([root]);
    error
}

impl From<Exception> for Failure {
    fn from(exception: Exception) -> Self {
        Self::Exception(exception)
    }
}

impl From<MonitorError> for Failure {
    fn from(error: MonitorError) -> Self {
        let status = error.status();
        Self::Alerting {
            status: StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            class: Some(error.kind.class()),
            reason: error.reason,
        }
    }
}

impl From<DefinitionError> for Failure {
    /// Puts a refusal into the form of the alerting plugin. Why the disk fails is for the log alone.
    fn from(error: DefinitionError) -> Self {
        match error {
            DefinitionError::Monitor(error) => error.into(),
            other => {
                warn_of(&other);
                Self::alerting(other.kind(), other.to_string())
            }
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        warn_of(&error);
        Self::internal()
    }
}

/// Writes into the log what an answer does not say.
pub(super) fn warn_of(error: &(dyn std::error::Error + 'static)) {
    if let Some(cause) = error.source() {
        tracing::warn!(error = %error, cause = %cause, "a call of alerting failed");
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = self.status();
        rendered(status, &json!({ "error": self.error(), "status": status.as_u16() }))
    }
}

fn rendered(status: StatusCode, body: &Value) -> Response {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, JSON);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(failure: Failure, expected: Value) {
        assert_eq!(failure.error(), expected);
    }

    #[test]
    fn refusals_have_the_words_of_their_plugin() {
        let reason = "Monitor name is null";
        check(
            Failure::alerting(MonitorErrorKind::IllegalArgument, reason),
            json!({ "root_cause": [{ "type": "alerting_exception", "reason": reason }],
                "type": "alerting_exception", "reason": reason,
                "caused_by": { "type": "exception",
                    "reason": "java.lang.IllegalArgumentException: Monitor name is null" } }),
        );
        check(
            Failure::notifications(StatusCode::NOT_FOUND, "Channel x not found"),
            json!({ "root_cause": [{ "type": "status_exception", "reason": "Channel x not found" }],
                "type": "status_exception", "reason": "Channel x not found" }),
        );
        check(
            Failure::Plain(StatusCode::NOT_ACCEPTABLE, "Content-Type header is missing".to_owned()),
            json!("Content-Type header is missing"),
        );
    }
}
