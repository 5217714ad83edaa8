//! The parameters of a request: its query string, and the form in its body.

use std::borrow::Cow;

use axum::extract::{FromRequest, Request};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Method};
use http_body_util::{BodyExt, LengthLimitError, Limited};

use super::answer::Refusal;
use super::failure::{Failure, FailureKind};
use super::state::ApiState;

/// The media type of a form.
const FORM: &str = "application/x-www-form-urlencoded";

/// Parameters in the order in which they count: those of the body come first.
///
/// A pair that is not well written is left out, as Go does; [`Form::fault`] tells of the first.
#[derive(Clone, Debug, Default)]
pub(super) struct Form {
    pairs: Vec<(String, String)>,
    fault: Option<String>,
}

impl Form {
    /// Reads the body of a form and a query string; either may be empty.
    pub(super) fn parse(body: &str, query: &str) -> Self {
        let mut form = Self::default();
        for pair in body.split('&').chain(query.split('&')).filter(|pair| !pair.is_empty()) {
            match read_pair(pair) {
                Ok(pair) => form.pairs.push(pair),
                Err(fault) => form.fault = form.fault.take().or(Some(fault)),
            }
        }
        form
    }

    /// Returns the first value of a parameter, empty when it is not there.
    pub(super) fn first(&self, name: &str) -> &str {
        let found = self.pairs.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    /// Returns all values of a parameter.
    pub(super) fn all<'f>(&'f self, name: &'f str) -> impl Iterator<Item = &'f str> {
        self.pairs.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Refuses parameters that are not well written.
    ///
    /// # Errors
    /// One of them is not.
    pub(super) fn check(&self) -> Result<(), Failure> {
        match &self.fault {
            None => Ok(()),
            Some(fault) => Err(Failure::bad_data(format!("error parsing form values: {fault}"))),
        }
    }
}

fn read_pair(pair: &str) -> Result<(String, String), String> {
    if pair.contains(';') {
        return Err("invalid semicolon separator in query".to_owned());
    }
    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
    Ok((unescape(name)?, unescape(value)?))
}

/// Decodes `%xx` and `+`; bytes that are no UTF-8 become the replacement character.
fn unescape(text: &str) -> Result<String, String> {
    if !text.bytes().any(|byte| matches!(byte, b'%' | b'+')) {
        return Ok(text.to_owned());
    }
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let (plain, length) = match byte {
            b'+' => (b' ', 1),
            b'%' => (escaped_byte(&bytes[at..])?, 3),
            byte => (*byte, 1),
        };
        decoded.push(plain);
        at += length;
    }
    Ok(match String::from_utf8_lossy(&decoded) {
        Cow::Borrowed(text) => text.to_owned(),
        Cow::Owned(text) => text,
    })
}

fn escaped_byte(bytes: &[u8]) -> Result<u8, String> {
    let digit = |at: usize| bytes.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    match (digit(1), digit(2)) {
        (Some(high), Some(low)) => Ok((high * 16 + low) as u8),
        _ => {
            let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(3)]);
            Err(format!("invalid URL escape {shown:?}"))
        }
    }
}

impl FromRequest<ApiState> for Form {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &ApiState) -> Result<Self, Self::Rejection> {
        let (parts, body) = request.into_parts();
        let query = parts.uri.query().unwrap_or_default();
        if parts.method != Method::POST || !is_form(&parts.headers) {
            return Ok(Self::parse("", query));
        }
        let limit = state.options.form_bytes_max;
        let read = Limited::new(body, limit).collect().await;
        let body = read.map_err(|error| Refusal(unread(&*error, limit)))?.to_bytes();
        Ok(Self::parse(&String::from_utf8_lossy(&body), query))
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = content_type.and_then(|value| value.split(';').next()).unwrap_or_default();
    media_type.trim().eq_ignore_ascii_case(FORM)
}

fn unread(error: &(dyn std::error::Error + Send + Sync + 'static), limit: usize) -> Failure {
    if error.is::<LengthLimitError>() {
        let message = format!("the form is larger than {limit} bytes; ask for less at once");
        return Failure::new(FailureKind::TooLarge, message);
    }
    Failure::bad_data("error parsing form values: the body ended early")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, pairs: &[(&str, &str)], fault: Option<&str>) {
        let form = Form::parse("", text);
        let read: Vec<_> =
            form.pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(read, pairs, "{text}");
        assert_eq!(form.fault.as_deref(), fault, "{text}");
    }

    #[test]
    fn parameters_are_read_as_go_reads_them() {
        check("", &[], None);
        check("a=1&b&&c==", &[("a", "1"), ("b", ""), ("c", "=")], None);
        check("match%5B%5D=up%2b1+2", &[("match[]", "up+1 2")], None);
        check("q=%C3%B1", &[("q", "ñ")], None);
        check("q=%ff", &[("q", "\u{fffd}")], None);
        check("a=%zz&b=1", &[("b", "1")], Some(r#"invalid URL escape "%zz""#));
        check("a=%4", &[], Some(r#"invalid URL escape "%4""#));
        check("a=1;b=2", &[], Some("invalid semicolon separator in query"));
    }

    #[test]
    fn the_first_value_counts() {
        let form = Form::parse("time=1", "time=2");
        assert_eq!(form.first("time"), "1");
        assert_eq!(form.first("query"), "");
        assert_eq!(form.all("time").collect::<Vec<_>>(), ["1", "2"]);
    }
}
