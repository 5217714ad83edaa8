//! Adapters for weather services: a question in, observations out.
//!
//! One module per service, each with its wire types and its mapping; nothing outside knows a wire
//! format. What can go wrong around an adapter (retry, breaker, limits) is not decided here:
//! an adapter makes one attempt and tells the class of its failure.
//! Start reading at [`WeatherProvider`].

mod error;
mod provider;

pub use error::ProviderError;
pub use provider::{Answer, Ask, Attribution, CachedAnswer, Profile, Refresh, WeatherProvider};
