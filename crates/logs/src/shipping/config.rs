//! Where documents are shipped to, and within which limits.

use std::time::Duration;

use secrecy::SecretString;
use url::Url;

/// A cluster of OpenSearch and how it is spoken to.
#[derive(Clone, Debug)]
pub struct ShippingConfig {
    /// Where the cluster answers, without credentials, as in `https://search.example:9200`.
    pub url: Url,
    /// Name for Basic authentication; `None` for none.
    pub username: Option<String>,
    /// Password for Basic authentication.
    pub password: Option<SecretString>,
    /// First words of the daily indices (`weather_logs-2026.11.24`), name of their alias and their
    /// template.
    pub index: String,
    /// Most bytes that wait on disk; beyond, the oldest documents are dropped.
    pub buffer_bytes_max: u64,
    /// Most documents of one request.
    pub batch_documents_max: usize,
    /// Most bytes of documents in one request, before they are compressed.
    pub batch_bytes_max: usize,
    /// How long a document waits for others to be sent with.
    pub interval: Duration,
    /// Longest time of one request.
    pub timeout: Duration,
    /// Upper bound of the wait after a first failure; it doubles with each further one. The wait
    /// itself is drawn evenly between zero and the bound (full jitter).
    pub backoff: Duration,
    /// The bound does not grow beyond this, nor does a wait that the cluster asks for.
    pub backoff_max: Duration,
    /// Most bytes of refused documents that are set aside.
    pub rejected_bytes_max: u64,
}

/// What is wrong with a [`ShippingConfig`].
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum InvalidShipping {
    /// The URL has another scheme.
    #[error("the URL must begin with http:// or https://")]
    Scheme,
    /// The URL carries a name or a password, which would be shown.
    #[error("the URL must not contain a user name or a password; set them apart from it")]
    Credentials,
    /// The URL has a query or a fragment.
    #[error("the URL must end with its path, without `?` or `#`")]
    Tail,
    /// A password without a name.
    #[error("a password needs a user name beside it")]
    NoUsername,
    /// The first words of the indices cannot be those of an index.
    #[error(
        "`{0}` cannot begin the name of an index; write lower-case letters, digits, `_` and `-`, a \
         letter first"
    )]
    Index(String),
}

impl ShippingConfig {
    /// Makes a configuration with the defaults.
    pub fn new(url: Url) -> Self {
        Self {
            url,
            username: None,
            password: None,
            index: "weather_logs".to_owned(),
            buffer_bytes_max: 256 << 20,
            batch_documents_max: 1_000,
            batch_bytes_max: 4 << 20,
            interval: Duration::from_secs(1),
            timeout: Duration::from_secs(30),
            backoff: Duration::from_secs(1),
            backoff_max: Duration::from_secs(60),
            rejected_bytes_max: 16 << 20,
        }
    }

    /// Checks what can be checked without the cluster.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(&self) -> Result<(), InvalidShipping> {
        if !matches!(self.url.scheme(), "http" | "https") {
            return Err(InvalidShipping::Scheme);
        }
        if !self.url.username().is_empty() || self.url.password().is_some() {
            return Err(InvalidShipping::Credentials);
        }
        if self.url.query().is_some() || self.url.fragment().is_some() {
            return Err(InvalidShipping::Tail);
        }
        if self.password.is_some() && self.username.is_none() {
            return Err(InvalidShipping::NoUsername);
        }
        if !is_index_name(&self.index) {
            return Err(InvalidShipping::Index(self.index.clone()));
        }
        Ok(())
    }
}

fn is_index_name(name: &str) -> bool {
    let is_part = |letter: u8| {
        letter.is_ascii_lowercase() || letter.is_ascii_digit() || matches!(letter, b'_' | b'-')
    };
    name.as_bytes().first().is_some_and(u8::is_ascii_lowercase)
        && name.len() <= 200
        && name.bytes().all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(url: &str, index: &str, problem: Option<InvalidShipping>) {
        let mut config = ShippingConfig::new(url.parse().unwrap());
        config.index = index.to_owned();
        assert_eq!(config.check().err(), problem);
    }

    #[test]
    fn configuration_that_cannot_be_used_says_why() {
        check("https://search.example:9200", "weather_logs", None);
        check("https://example/search/", "logs-2", None);
        check("ftp://search.example", "logs", Some(InvalidShipping::Scheme));
        check("https://me@search.example", "logs", Some(InvalidShipping::Credentials));
        check("https://me:pw@search.example", "logs", Some(InvalidShipping::Credentials));
        check("https://search.example/?a=b", "logs", Some(InvalidShipping::Tail));
        for index in ["", "_logs", "Logs", "a*", "a,b", "a b", "2logs"] {
            check("https://example", index, Some(InvalidShipping::Index(index.to_owned())));
        }
    }

    #[test]
    fn password_needs_a_name() {
        let mut config = ShippingConfig::new("https://search.example".parse().unwrap());
        config.password = Some("pw".into());
        assert_eq!(config.check(), Err(InvalidShipping::NoUsername));
        config.username = Some("me".to_owned());
        assert_eq!(config.check(), Ok(()));
    }
}
