//! An answer before it is sent: status, headers and a whole body.

use http::header::{HeaderName, RETRY_AFTER};
use pampero_weather::provider::ProviderId;
use serde::Serialize;

use crate::{met_norway, open_meteo, openweathermap, weatherstack};

/// An answer before it is sent.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) content_type: &'static str,
    pub(crate) headers: Vec<(HeaderName, String)>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    /// Makes an answer of JSON. A value that has no JSON form becomes an empty body.
    pub(crate) fn json(status: u16, value: &impl Serialize) -> Self {
        let body = serde_json::to_vec(value).unwrap_or_default();
        Self::of(status, "application/json; charset=utf-8", body)
    }

    pub(crate) fn html(status: u16, title: &str) -> Self {
        let page = format!(
            "<!DOCTYPE html>\n<html><head><title>{title}</title></head>\
             <body><h1>{title}</h1><p>The stand-in says so.</p></body></html>\n"
        );
        Self::of(status, "text/html; charset=utf-8", page.into_bytes())
    }

    pub(crate) fn of(status: u16, content_type: &'static str, body: Vec<u8>) -> Self {
        Self { status, content_type, headers: Vec::new(), body }
    }

    pub(crate) fn with(mut self, name: HeaderName, value: String) -> Self {
        self.headers.push((name, value));
        self
    }

    pub(crate) fn retry_after(self, value: String) -> Self {
        self.with(RETRY_AFTER, value)
    }
}

/// Answers with a status in the form in which the provider speaks of errors.
pub(crate) fn refusal(provider: ProviderId, status: u16, message: &str) -> Reply {
    match provider {
        ProviderId::OpenMeteo => open_meteo::refusal(status, message),
        ProviderId::MetNorway => met_norway::refusal(status, message),
        ProviderId::OpenWeatherMap => openweathermap::refusal(status, message),
        ProviderId::Weatherstack => weatherstack::refusal(status, status, "error", message),
    }
}
