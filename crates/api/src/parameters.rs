//! Query parameters, read strictly: an unknown or repeated one is refused by name.

use std::borrow::Cow;
use std::fmt::Display;
use std::str::FromStr;

use axum::extract::{FromRequestParts, RawPathParams};
use http::StatusCode;
use http::request::Parts;
use jiff::Timestamp;
use pampero_store::Order;
use url::form_urlencoded;

use crate::problem::ApiError;

/// A set of query parameters that a route understands.
pub(crate) trait ParameterSet: Sized {
    /// The names, as they are listed to people.
    const KNOWN: &'static [&'static str];

    /// Reads the values.
    fn read(values: &Parameters<'_>) -> Result<Self, ApiError>;
}

/// The values of a query, each name at most once.
pub(crate) struct Parameters<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

/// Extracts the query parameters of a route.
pub(crate) struct Query<T>(pub(crate) T);

/// The parameters of a route that has none.
pub(crate) struct NoParameters;

impl<'a> Parameters<'a> {
    /// Takes a query apart; `known` are the names a route understands.
    pub(crate) fn parse(query: &'a str, known: &[&str]) -> Result<Self, ApiError> {
        let mut values: Vec<(Cow<'a, str>, Cow<'a, str>)> = Vec::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            if !known.contains(&name.as_ref()) {
                return Err(unknown(&name, known));
            }
            if values.iter().any(|(before, _)| *before == name) {
                let detail = format!("parameter {name} is given more than once; give it once");
                let error = ApiError::new(StatusCode::BAD_REQUEST, "duplicate_parameter", detail);
                return Err(error.about_parameter(&name));
            }
            values.push((name, value));
        }
        Ok(Self(values))
    }

    /// Returns the text of a parameter; `None` when it is not given.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_ref())
    }

    /// Returns the value of a parameter; `None` when it is not given.
    pub(crate) fn get<T>(&self, name: &str) -> Result<Option<T>, ApiError>
    where
        T: FromStr,
        T::Err: Display,
    {
        let value = self.text(name).map(T::from_str).transpose();
        value.map_err(|error| ApiError::parameter(name, format!("{name}: {error}")))
    }

    /// Returns an instant written as in RFC 3339.
    pub(crate) fn instant(&self, name: &str) -> Result<Option<Timestamp>, ApiError> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let instant = text.parse().map_err(|_| {
            let advice = "write an instant with its offset, as in 2026-11-24T03:41:00Z";
            let plus = if text.contains(' ') { " (a + in a query is written %2B)" } else { "" };
            ApiError::parameter(name, format!("{name}: {text:?} is no instant; {advice}{plus}"))
        })?;
        Ok(Some(instant))
    }

    /// Returns the first and the last instant of a stretch, checked against one another.
    pub(crate) fn stretch(&self) -> Result<(Option<Timestamp>, Option<Timestamp>), ApiError> {
        let (from, to) = (self.instant("from")?, self.instant("to")?);
        if let (Some(from), Some(to)) = (from, to)
            && from >= to
        {
            let detail = format!("to: {to} must be later than from, which is {from}");
            return Err(ApiError::parameter("to", detail));
        }
        Ok((from, to))
    }

    /// Returns how many rows are wanted, 100 unless asked otherwise.
    pub(crate) fn limit(&self) -> Result<u32, ApiError> {
        let Some(text) = self.text("limit") else { return Ok(100) };
        let limit = text.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit));
        limit.ok_or_else(|| {
            let detail = format!("limit: {text:?} must be a whole number from 1 to {LIMIT_MAX}");
            ApiError::parameter("limit", detail)
        })
    }

    /// Returns the direction of a listing.
    pub(crate) fn order(&self, default: Order) -> Result<Order, ApiError> {
        match self.text("order") {
            None => Ok(default),
            Some("asc") => Ok(Order::Ascending),
            Some("desc") => Ok(Order::Descending),
            Some(text) => {
                let detail = format!("order: {text:?} must be asc or desc");
                Err(ApiError::parameter("order", detail))
            }
        }
    }
}

/// Most rows of one page.
pub(crate) const LIMIT_MAX: u32 = 1_000;

fn unknown(name: &str, known: &[&str]) -> ApiError {
    let advice = match known {
        [] => "this route takes none".to_owned(),
        [only] => format!("this route takes only {only}"),
        [others @ .., last] => format!("this route takes {} and {last}", others.join(", ")),
    };
    let shown: String = name.chars().take(64).collect();
    let detail = format!("unknown query parameter {shown:?}; {advice}");
    let error = ApiError::new(StatusCode::BAD_REQUEST, "unknown_parameter", detail);
    error.about_parameter(&shown)
}

impl<S: Sync, T: ParameterSet> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let query = parts.uri.query().unwrap_or_default();
        let values = Parameters::parse(query, T::KNOWN)?;
        Ok(Self(T::read(&values)?))
    }
}

impl ParameterSet for NoParameters {
    const KNOWN: &'static [&'static str] = &[];

    fn read(_: &Parameters<'_>) -> Result<Self, ApiError> {
        Ok(Self)
    }
}

/// A parameter of the path, read into what it means.
pub(crate) trait PathParameter: Sized {
    /// Its name in the template of the route.
    const NAME: &'static str;

    /// Reads it; a text that names nothing is refused like an unknown name.
    fn read(text: &str) -> Result<Self, ApiError>;
}

/// Extracts one parameter of the path.
pub(crate) struct PathValue<T>(pub(crate) T);

impl<S: Send + Sync, T: PathParameter> FromRequestParts<S> for PathValue<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let values = RawPathParams::from_request_parts(parts, state).await;
        let values = values.map_err(|_| {
            ApiError::parameter(T::NAME, format!("{}: the path is no valid UTF-8", T::NAME))
        })?;
        let found = values.iter().find(|(name, _)| *name == T::NAME);
        T::read(found.map(|(_, value)| value).unwrap_or_default()).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read_or_refused() {
        check("from=2026-11-24T00:00:00Z&to=2026-11-24T01:00:00%2B00:00&limit=5", "ok 5");
        check("", "ok 100");
        check("limit=0", "limit: \"0\" must be a whole number from 1 to 1000");
        check("limit=1001", "limit: \"1001\" must be a whole number from 1 to 1000");
        check("limit=", "limit: \"\" must be a whole number from 1 to 1000");
        check("limit=1&limit=1", "parameter limit is given more than once; give it once");
        check("lim=1", "unknown query parameter \"lim\"; this route takes from, to and limit");
        check(
            "from=2026-11-24",
            "from: \"2026-11-24\" is no instant; write an instant with its offset, as in 2026-11-24T03:41:00Z",
        );
        check(
            "from=2026-11-24T01:00:00+00:00",
            "from: \"2026-11-24T01:00:00 00:00\" is no instant; write an instant with its offset, as in 2026-11-24T03:41:00Z (a + in a query is written %2B)",
        );
        check(
            "from=2026-11-24T01:00:00Z&to=2026-11-24T01:00:00Z",
            "to: 2026-11-24T01:00:00Z must be later than from, which is 2026-11-24T01:00:00Z",
        );
    }

    #[track_caller]
    fn check(query: &str, outcome: &str) {
        let read = Parameters::parse(query, &["from", "to", "limit"]).and_then(|values| {
            values.stretch()?;
            values.limit()
        });
        let read = match read {
            Ok(limit) => format!("ok {limit}"),
            Err(error) => error.detail().to_owned(),
        };
        assert_eq!(read, outcome, "{query}");
    }
}
