//! Request bodies: JSON within a size and a time, each mistake named.

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use http_body::Body as _;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;

use crate::problem::ApiError;
use crate::state::ApiState;

/// Extracts a JSON body.
pub(crate) struct JsonBody<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<ApiState> for JsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &ApiState) -> Result<Self, ApiError> {
        check_media_type(request.headers())?;
        let limit = state.config.body_limit;
        let reading = read_whole(request.into_body(), limit);
        let body = tokio::time::timeout(state.config.request_timeout, reading).await;
        let body = body.map_err(|_| {
            let detail = "the request body did not arrive in time; send it faster";
            ApiError::new(StatusCode::REQUEST_TIMEOUT, "body_too_slow", detail)
        })??;
        from_json(&body).map(Self)
    }
}

fn check_media_type(headers: &HeaderMap) -> Result<(), ApiError> {
    let given = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = given.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    let detail = "the body must be JSON and say so: send Content-Type: application/json";
    Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail))
}

async fn read_whole(body: Body, limit: usize) -> Result<Bytes, ApiError> {
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if announced > limit {
        return Err(too_large(limit));
    }
    match Limited::new(body, limit).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(too_large(limit)),
        Err(error) => {
            let detail = "the request body broke off";
            Err(ApiError::new(StatusCode::BAD_REQUEST, "incomplete_body", detail).because(error))
        }
    }
}

fn too_large(limit: usize) -> ApiError {
    let detail = format!("the body may have at most {limit} bytes");
    ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", detail)
}

fn from_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let field = error.path().to_string();
        let refusal = bad_json(&error.into_inner());
        // What the path is called when the text breaks off before any field.
        let is_known = !matches!(field.as_str(), "." | "?");
        if is_known { refusal.about_field(&field) } else { refusal }
    })?;
    deserializer.end().map_err(|error| bad_json(&error))?;
    Ok(value)
}

fn bad_json(error: &serde_json::Error) -> ApiError {
    let code = if error.is_data() { "invalid_body" } else { "invalid_json" };
    ApiError::new(StatusCode::BAD_REQUEST, code, format!("the body cannot be read: {error}"))
}
