//! What an adapter checks of its configuration before it asks anybody.

use pampero_weather::provider::ProviderId;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

/// A configuration no adapter can work with. No variant shows a key.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ConfigError {
    /// Paths cannot be added to the base URL, or it carries what belongs elsewhere.
    #[error(
        "the base URL of {0} must begin with http:// or https:// and have no user, query or fragment"
    )]
    BaseUrl(ProviderId),
    /// The key is empty or has characters that no key has.
    #[error("the key of {0} must be one or more visible ASCII characters without spaces")]
    Key(ProviderId),
    /// The service wants to know whom to write to.
    #[error(
        "{0} needs a contact for its User-Agent: an e-mail address or a web page, in visible ASCII without spaces"
    )]
    Contact(ProviderId),
    /// The service takes fewer places in one call, or none were allowed.
    #[error("a batch for {provider} must have 1 to {limit} places")]
    BatchMax {
        /// The service.
        provider: ProviderId,
        /// Most places it takes in one call.
        limit: usize,
    },
}

/// Checks that `url` can stand before the paths of a service.
pub(crate) fn checked_base_url(provider: ProviderId, url: &Url) -> Result<Url, ConfigError> {
    let speaks_http = matches!(url.scheme(), "http" | "https") && url.has_host();
    let is_bare = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    if speaks_http && is_bare { Ok(url.clone()) } else { Err(ConfigError::BaseUrl(provider)) }
}

/// Returns `base` with `path` behind it, whether `base` ends with a slash or not.
pub(crate) fn endpoint(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.path_segments_mut()
        .expect("a checked base URL has a host and so a path")
        .pop_if_empty()
        .extend(path.split('/'));
    url
}

/// Checks that `key` can be sent.
pub(crate) fn check_key(provider: ProviderId, key: &SecretString) -> Result<(), ConfigError> {
    let key = key.expose_secret();
    if key.is_empty() || !key.chars().all(|letter| letter.is_ascii_graphic()) {
        return Err(ConfigError::Key(provider));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_url_is_plain() {
        check_base_url("https://api.example.org", true);
        check_base_url("http://127.0.0.1:8080/open_meteo/", true);
        check_base_url("ftp://api.example.org", false);
        check_base_url("https://user@api.example.org", false);
        check_base_url("https://:secret@api.example.org", false);
        check_base_url("https://api.example.org/?appid=1", false);
        check_base_url("https://api.example.org/#top", false);
        check_base_url("data:text/plain,hello", false);
    }

    #[track_caller]
    fn check_base_url(text: &str, allowed: bool) {
        let url = text.parse().expect("the case is a URL");
        let checked = checked_base_url(ProviderId::OpenMeteo, &url);
        assert_eq!(checked.is_ok(), allowed, "{text}: {checked:?}");
    }

    #[test]
    fn path_is_joined_with_one_slash() {
        for base in ["http://127.0.0.1:1/open_meteo", "http://127.0.0.1:1/open_meteo/"] {
            let base = base.parse().expect("a URL");
            let joined = endpoint(&base, "v1/forecast");
            assert_eq!(joined.as_str(), "http://127.0.0.1:1/open_meteo/v1/forecast");
        }
    }

    #[test]
    fn key_is_visible_ascii() {
        for (key, allowed) in
            [("abc123", true), ("", false), ("a b", false), ("a\n", false), ("ключ", false)]
        {
            let checked = check_key(ProviderId::Weatherstack, &SecretString::from(key));
            assert_eq!(checked.is_ok(), allowed, "{key:?}");
        }
    }
}
