//! The way in for samples of others.

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};

use crate::{History, RemoteWriteErrorKind, RemoteWriteRequest};

use super::answer::plain;
use super::failure::{Failure, FailureKind};
use super::query::written_out;
use super::state::ApiState;

/// How long a sender should wait before it tries again, in seconds.
const RETRY_AFTER_SECONDS: &str = "5";

/// Takes samples, and answers once they are on disk.
pub(super) async fn receive(State(state): State<ApiState>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let limit = state.history.options().remote_write.body_bytes_max;
    let body = match Limited::new(body, limit).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => {
            let message = format!("the body has more than {limit} bytes; send less at once");
            return plain(StatusCode::PAYLOAD_TOO_LARGE, &message);
        }
        Err(_) => return plain(StatusCode::BAD_REQUEST, "the body ended early"),
    };
    let history = state.history.clone();
    let keep = move |_: &_| Ok(keep(&history, &parts.headers, &body));
    match state.writes.run(state.options.query_timeout, keep).await {
        Ok(response) => response,
        Err(failure) => refuse(&failure),
    }
}

fn keep(history: &History, headers: &HeaderMap, body: &Bytes) -> Response {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let request = RemoteWriteRequest {
        content_type: header(CONTENT_TYPE),
        content_encoding: header(CONTENT_ENCODING),
        body,
    };
    match history.receive_remote_write(request) {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => {
            let status = status_of(error.kind());
            if status == StatusCode::INTERNAL_SERVER_ERROR {
                tracing::error!(error = %written_out(&error), "samples could not be taken");
                return plain(status, "the samples could not be kept; see the log");
            }
            let refusal = plain(status, &written_out(&error));
            if status == StatusCode::SERVICE_UNAVAILABLE { later(refusal) } else { refusal }
        }
    }
}

fn status_of(kind: RemoteWriteErrorKind) -> StatusCode {
    match kind {
        RemoteWriteErrorKind::BadRequest => StatusCode::BAD_REQUEST,
        RemoteWriteErrorKind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        RemoteWriteErrorKind::Unsupported => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        RemoteWriteErrorKind::TooManySeries => StatusCode::TOO_MANY_REQUESTS,
        RemoteWriteErrorKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        RemoteWriteErrorKind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn refuse(failure: &Failure) -> Response {
    let refusal = plain(failure.kind.status(), &failure.message);
    if failure.kind == FailureKind::Internal { refusal } else { later(refusal) }
}

fn later(refusal: Response) -> Response {
    ([(RETRY_AFTER, RETRY_AFTER_SECONDS)], refusal).into_response()
}
