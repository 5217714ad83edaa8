//! Adapters for weather services: a question in, observations out.
//!
//! One module per service, each with its wire types and its mapping; nothing outside knows a wire
//! format. What can go wrong around an adapter (retry, breaker, limits) is not decided here:
//! an adapter makes one attempt and tells the class of its failure.
//! Start reading at [`WeatherProvider`].

mod calendar;
mod config;
mod error;
mod http;
pub mod met_norway;
mod number;
pub mod open_meteo;
pub mod openweathermap;
mod provider;
mod reading;
#[cfg(test)]
mod testkit;
pub mod weatherstack;

pub use config::ConfigError;
pub use error::ProviderError;
pub use http::{HttpClientError, http_client, http_client_without_proxy};
pub use provider::{
    Allowance, Answer, Ask, Attribution, CachedAnswer, Defaults, Profile, Rate, Refresh,
    WeatherProvider,
};
