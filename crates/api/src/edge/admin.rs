//! The admin token, asked for by every route that changes something.

use axum::extract::FromRequestParts;
use http::request::Parts;
use http::{HeaderMap, StatusCode, header};
use secrecy::ExposeSecret;
use subtle::ConstantTimeEq;

use crate::problem::ApiError;
use crate::state::ApiState;

/// Proof that the caller may change things; the first argument of every handler that does.
pub(crate) struct Admin;

impl FromRequestParts<ApiState> for Admin {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, ApiError> {
        let Some(token) = &state.config.admin_token else { return Ok(Self) };
        let given = bearer_token(&parts.headers).ok_or_else(|| {
            let detail = "this changes something: send the admin token as Authorization: Bearer";
            ApiError::new(StatusCode::UNAUTHORIZED, "token_missing", detail)
        })?;
        // The time a comparison takes must not tell how much of a guess was right.
        if bool::from(given.ct_eq(token.expose_secret().as_bytes())) {
            return Ok(Self);
        }
        let detail = "the admin token is not the right one";
        Err(ApiError::new(StatusCode::UNAUTHORIZED, "token_refused", detail))
    }
}

fn bearer_token(headers: &HeaderMap) -> Option<&[u8]> {
    let value = headers.get(header::AUTHORIZATION)?.as_bytes();
    let (scheme, token) = value.split_at_checked(b"Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then(|| token.trim_ascii())
}
