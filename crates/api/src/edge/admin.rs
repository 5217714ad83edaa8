//! The admin token, asked for by every route that changes something.

use axum::extract::FromRequestParts;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::request::Parts;
use http::{HeaderMap, StatusCode, header};
use secrecy::{ExposeSecret, SecretString};
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

/// Tells whether a request of OpenSearch's clients brings the token: as bearer, or as the password of
/// any user. It does when there is none to bring.
pub(crate) fn admin_token_fits(token: Option<&SecretString>, headers: &HeaderMap) -> bool {
    let Some(token) = token else { return true };
    let token = token.expose_secret().as_bytes();
    let fits = |given: &[u8]| bool::from(given.ct_eq(token));
    bearer_token(headers).is_some_and(fits)
        || basic_password(headers).is_some_and(|password| fits(&password))
}

fn basic_password(headers: &HeaderMap) -> Option<Vec<u8>> {
    let value = headers.get(header::AUTHORIZATION)?.as_bytes();
    let (scheme, encoded) = value.split_at_checked(b"Basic ".len())?;
    if !scheme.eq_ignore_ascii_case(b"Basic ") {
        return None;
    }
    let mut credentials = BASE64_STANDARD.decode(encoded.trim_ascii()).ok()?;
    let colon = credentials.iter().position(|letter| *letter == b':')?;
    Some(credentials.split_off(colon + 1))
}

fn bearer_token(headers: &HeaderMap) -> Option<&[u8]> {
    let value = headers.get(header::AUTHORIZATION)?.as_bytes();
    let (scheme, token) = value.split_at_checked(b"Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then(|| token.trim_ascii())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn the_token_is_taken_as_bearer_and_as_password() {
        check("Bearer 12345678", true);
        check("bearer  12345678 ", true);
        check("Bearer 123456789", false);
        // any:12345678, :12345678, 12345678:any, and a password with a colon in it.
        check("Basic YW55OjEyMzQ1Njc4", true);
        check("basic OjEyMzQ1Njc4", true);
        check("Basic MTIzNDU2Nzg6YW55", false);
        check("Basic YW55OjEyMzQ6NTY3OA==", false);
        check("Basic !", false);
        check("Basic", false);
        check("", false);
    }

    #[track_caller]
    fn check(given: &str, fits: bool) {
        let token = SecretString::from("12345678");
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, HeaderValue::from_str(given).unwrap());
        assert_eq!(admin_token_fits(Some(&token), &headers), fits, "{given}");
        assert!(admin_token_fits(None, &headers), "{given}");
    }
}
