//! The weather services Pampero knows, each with one spelling everywhere.

use std::fmt;
use std::str::FromStr;

/// A weather service; its spelling is the same in configuration, URL, label, log and store.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum ProviderId {
    /// Open-Meteo, the default: no key, many places in one request.
    OpenMeteo,
    /// MET Norway (api.met.no): no key, but a contact in the User-Agent.
    MetNorway,
    /// OpenWeatherMap 2.5.
    OpenWeatherMap,
    /// Weatherstack.
    Weatherstack,
}

impl ProviderId {
    /// Every provider, in the order in which they are listed to people.
    pub const ALL: [Self; 4] =
        [Self::OpenMeteo, Self::MetNorway, Self::OpenWeatherMap, Self::Weatherstack];

    /// Returns the spelling of the provider.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OpenMeteo => "open_meteo",
            Self::MetNorway => "met_norway",
            Self::OpenWeatherMap => "openweathermap",
            Self::Weatherstack => "weatherstack",
        }
    }
}

impl fmt::Display for ProviderId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// The text names no provider that Pampero knows.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "unknown provider {0:?}; known are open_meteo, met_norway, openweathermap and weatherstack"
)]
pub struct UnknownProvider(pub String);

impl FromStr for ProviderId {
    type Err = UnknownProvider;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|provider| provider.as_str() == text);
        known.ok_or_else(|| UnknownProvider(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn provider_has_one_spelling_and_reads_no_other() {
        let spellings = ["open_meteo", "met_norway", "openweathermap", "weatherstack"];
        assert_eq!(ProviderId::ALL.map(ProviderId::as_str), spellings);
        for provider in ProviderId::ALL {
            assert_eq!(provider.to_string().parse(), Ok(provider));
        }
        for text in ["", "open-meteo", "OpenMeteo", "weatherstack "] {
            let error = text.parse::<ProviderId>().unwrap_err();
            assert_eq!(error, UnknownProvider(text.to_owned()));
            assert!(spellings.iter().all(|known| error.to_string().contains(known)));
        }
    }
}
