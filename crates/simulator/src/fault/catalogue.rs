//! What each fault is, and what a client should make of it: the one place that says so.

use pampero_weather::provider::ProviderId;
use serde::Serialize;

use super::{Fault, LimitWindow};

/// What a client should make of an answer.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Expected {
    /// The answer is good: an observation comes of it, perhaps with fewer values.
    Accepted,
    /// The answer can be read, but its values must be caught: refused, or kept with quality flags.
    Suspect,
    /// The key or the caller is refused.
    Auth,
    /// The allowance is used up.
    Quota,
    /// Too many calls in a short time.
    RateLimited,
    /// Nothing for the place.
    NotCovered,
    /// The request is called wrong.
    BadRequest,
    /// Server error, timeout, connection or truncated body.
    Transient,
    /// The answer cannot be read.
    Malformed,
    /// The instant lies too far back, or ahead.
    Stale,
}

impl Expected {
    /// Returns the spelling, as in `rate_limited`; the classes of failure are spelled as such.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Suspect => "suspect",
            Self::Auth => "auth",
            Self::Quota => "quota",
            Self::RateLimited => "rate_limited",
            Self::NotCovered => "not_covered",
            Self::BadRequest => "bad_request",
            Self::Transient => "transient",
            Self::Malformed => "malformed",
            Self::Stale => "stale",
        }
    }
}

/// One line of the catalogue of faults.
#[derive(Clone, Debug, Serialize)]
pub struct CatalogueEntry {
    /// The spelling.
    pub kind: &'static str,
    /// What the stand-in does, in one sentence.
    pub description: &'static str,
    /// The fault as JSON, with telling parameters.
    pub example: Fault,
    /// The short form of the example.
    pub short: String,
    /// What a client should make of the example, for each provider that can play it.
    pub expected: Vec<ExpectedOf>,
}

/// What is expected of one provider's client.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct ExpectedOf {
    /// The provider, as in `open_meteo`.
    pub provider: &'static str,
    /// What its client should make of the answer.
    pub outcome: Expected,
}

/// Returns every fault with its description and what a client should make of it.
pub fn catalogue() -> Vec<CatalogueEntry> {
    Fault::ALL.into_iter().map(CatalogueEntry::of).collect()
}

impl CatalogueEntry {
    fn of(example: Fault) -> Self {
        let playable = ProviderId::ALL.into_iter().filter(|id| example.applies_to(*id));
        let expected = playable
            .map(|id| ExpectedOf { provider: id.as_str(), outcome: example.expected(id) })
            .collect();
        let (kind, description) = (example.kind(), example.description());
        Self { kind, description, short: example.to_string(), expected, example }
    }
}

impl Fault {
    /// Longest wait after which a client with the default attempt timeout of 10 s still gets its
    /// answer, in milliseconds.
    const PATIENCE_MS: u64 = 10_000;

    /// Returns what a client of `provider` should make of the answer.
    pub fn expected(&self, provider: ProviderId) -> Expected {
        match self {
            Self::Status { code } => expected_of_status(*code, provider),
            Self::RateLimited { .. } => Expected::RateLimited,
            Self::LimitReached { window } => match (window, provider) {
                (LimitWindow::Day, ProviderId::OpenMeteo) => Expected::Quota,
                _ => Expected::RateLimited,
            },
            // OpenWeatherMap says the same to a client that is too fast and to one over its
            // allowance, so nothing but a 429 can be seen; MET Norway has no allowance at all.
            Self::QuotaExhausted => match provider {
                ProviderId::OpenMeteo | ProviderId::Weatherstack => Expected::Quota,
                ProviderId::OpenWeatherMap | ProviderId::MetNorway => Expected::RateLimited,
            },
            Self::AuthRefused | Self::AuthHtml403 => Expected::Auth,
            Self::BadRequest => Expected::BadRequest,
            // Open-Meteo covers the whole Earth and answers nulls where a model has no data; its
            // stand-in has only a 400 to say that it has nothing.
            Self::NotCovered => match provider {
                ProviderId::OpenMeteo => Expected::BadRequest,
                _ => Expected::NotCovered,
            },
            Self::SlowFirstByte { ms } | Self::SlowBody { ms } if *ms < Self::PATIENCE_MS => {
                Expected::Accepted
            }
            Self::SlowFirstByte { .. }
            | Self::SlowBody { .. }
            | Self::Hang
            | Self::Reset
            | Self::Close
            | Self::CutBody
            | Self::RedirectLoop
            | Self::TooManyRedirects { .. } => Expected::Transient,
            Self::CutJson
            | Self::Garbage
            | Self::Html
            | Self::EmptyAnswer
            | Self::EmptyArray
            | Self::WrongCount
            | Self::OneElementNull
            | Self::OutOfOrder
            | Self::ObjectInsteadOfArray
            // Three services name their units, and kelvin is the known accident of the fourth.
            | Self::WrongUnits
            | Self::HugeBody { .. } => Expected::Malformed,
            Self::ClockAhead { .. } | Self::OldAnswer { .. } => Expected::Stale,
            Self::Implausible | Self::StationPressureAsMsl => Expected::Suspect,
            Self::Frozen
            | Self::NullFields
            | Self::AbsentFields
            | Self::TextNumbers
            | Self::UnknownCode
            | Self::ExtraFields
            | Self::CorrectedValue => Expected::Accepted,
        }
    }

    /// Says in one sentence what the stand-in does.
    pub const fn description(&self) -> &'static str {
        match self {
            Self::Status { .. } => "answers with a status and the service's own error body",
            Self::RateLimited { .. } => "answers 429, with or without Retry-After",
            Self::LimitReached { .. } => {
                "answers that the limit of a minute, an hour, a day or of simultaneous requests is reached"
            }
            Self::QuotaExhausted => "answers that the allowance of the day or month is used up",
            Self::AuthRefused => "refuses the key or the caller",
            Self::AuthHtml403 => "refuses the caller with 403 and a page of HTML",
            Self::BadRequest => "calls the request wrong",
            Self::NotCovered => "has nothing for the place",
            Self::SlowFirstByte { .. } => "waits before the first byte",
            Self::SlowBody { .. } => "sends the headers at once and lets the body trickle",
            Self::Hang => "takes the request and never answers",
            Self::Reset => "takes the request and resets the connection",
            Self::Close => "takes the request and closes the connection without an answer",
            Self::CutBody => "closes the connection in the middle of the body",
            Self::CutJson => "answers JSON that ends in the middle, with plain text behind it",
            Self::Garbage => "answers 200 with bytes that are no text",
            Self::Html => "answers 200 with a page of HTML",
            Self::EmptyAnswer => "answers 200 with no body",
            Self::EmptyArray => "answers 200 with an empty array",
            Self::WrongCount => "leaves the last place of a batch out",
            Self::OneElementNull => {
                "answers null for the last place of a batch; the other places are good"
            }
            Self::OutOfOrder => "answers the places of a batch in the reverse order",
            Self::ObjectInsteadOfArray => {
                "answers a batch with the first place alone, as an object; one place is answered as usual"
            }
            Self::WrongUnits => "answers in kelvin and km/h, whatever was asked for",
            Self::Frozen => {
                "keeps answering with the instant and the values of the moment the fault began; stale once that is too long ago"
            }
            Self::ClockAhead { .. } => "answers with an instant in the future",
            Self::OldAnswer { .. } => "answers with an instant, and values, of hours ago",
            Self::NullFields => {
                "writes null for every measured value but the temperature: no value, never zero"
            }
            Self::AbsentFields => {
                "leaves out every measured value but the temperature: no value, never zero"
            }
            Self::TextNumbers => "writes numbers as text",
            Self::UnknownCode => {
                "answers with a weather code that is in no map: condition unknown, never an error"
            }
            Self::ExtraFields => "adds fields that nobody described",
            Self::Implausible => {
                "answers a temperature of 999 °C, a humidity of 101 % and gusts below the mean wind"
            }
            Self::StationPressureAsMsl => {
                "gives the pressure of a station 1600 m up as pressure at sea level"
            }
            Self::CorrectedValue => {
                "says something slightly different of an instant than before: a revision"
            }
            Self::HugeBody { .. } => "answers with a JSON body of many MiB",
            Self::RedirectLoop => "redirects to the same address for ever",
            Self::TooManyRedirects { .. } => "redirects some times, then answers",
        }
    }
}

/// Returns what a status means, by the documentation of the services.
fn expected_of_status(code: u16, provider: ProviderId) -> Expected {
    let met_norway = provider == ProviderId::MetNorway;
    match code {
        203 => Expected::Accepted,
        0..=399 => Expected::Malformed,
        401 | 403 => Expected::Auth,
        404 if provider == ProviderId::Weatherstack => Expected::BadRequest,
        404 => Expected::NotCovered,
        422 if met_norway => Expected::NotCovered,
        429 => Expected::RateLimited,
        499 if met_norway => Expected::Transient,
        400..=499 => Expected::BadRequest,
        _ => Expected::Transient,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn catalogue_names_every_fault_and_only_providers_that_can_play_it() {
        let entries = catalogue();
        assert_eq!(entries.len(), Fault::ALL.len());
        for entry in entries {
            let batches_only = !entry.example.applies_to(ProviderId::MetNorway);
            assert_eq!(entry.expected.len(), if batches_only { 1 } else { 4 }, "{}", entry.kind);
        }
    }

    #[test]
    fn a_wait_beyond_the_attempt_timeout_is_a_failure() {
        let expected = |ms| Fault::SlowBody { ms }.expected(ProviderId::OpenMeteo);
        assert_eq!(expected(9_999), Expected::Accepted);
        assert_eq!(expected(10_000), Expected::Transient);
    }
}
