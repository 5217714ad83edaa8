//! Which addresses messages may be sent to: a channel made over REST must not reach what only the
//! machine itself can reach.
//!
//! Names are resolved here, and a connection is made to an address that was judged, so that a name
//! cannot point elsewhere a moment later. Start reading at [`Guard::url`] and [`Guard::addresses`].

mod address;
mod network;
mod resolver;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use url::{Host, Url};

use address::{Reach, reach, with_embedded};
pub use network::{Network, NetworkError};
pub use resolver::{Resolver, SystemResolver};

/// Most bytes of a URL.
const URL_BYTES_MAX: usize = 4096;

/// Judges the targets of messages.
#[derive(Clone, Debug)]
pub struct Guard {
    allowed: Arc<[Network]>,
    resolver: Arc<dyn Resolver>,
}

/// Why a target is refused. Shows no more of a URL than its host.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum GuardError {
    /// The text is no URL.
    #[error("it is no URL: {reason}")]
    NotUrl {
        /// What is wrong with it.
        reason: String,
    },
    /// Neither http nor https.
    #[error("a URL must begin with http:// or https://")]
    Scheme,
    /// A user or a password stands in the URL.
    #[error("a URL must not hold a user or a password; put them into a header")]
    Credentials,
    /// Something that no configuration allows.
    #[error("{host} is refused: {address} is {what}")]
    Never {
        /// The host as it was given.
        host: String,
        /// The address of the host.
        address: IpAddr,
        /// What is there.
        what: &'static str,
    },
    /// Something that must be allowed first.
    #[error(
        "{host} is refused: {address} is {what}, and the configuration of the program does not allow it"
    )]
    NotAllowed {
        /// The host as it was given.
        host: String,
        /// The address of the host.
        address: IpAddr,
        /// What is there.
        what: &'static str,
    },
    /// The name has no address, or could not be asked for.
    #[error("the name {host} cannot be resolved: {reason}")]
    Unresolved {
        /// The name.
        host: String,
        /// What the resolver said.
        reason: String,
    },
}

impl GuardError {
    /// Tells whether another try may succeed: the resolver may answer next time.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unresolved { .. })
    }
}

impl Guard {
    /// Makes a guard that lets messages through to public addresses and to `allowed` ones.
    pub fn new(allowed: impl Into<Arc<[Network]>>, resolver: Arc<dyn Resolver>) -> Self {
        Self { allowed: allowed.into(), resolver }
    }

    /// Makes a guard that lets messages through to public addresses only, and asks the machine for names.
    pub fn public_only() -> Self {
        Self::new([], Arc::new(SystemResolver))
    }

    /// Tells whether anything beyond public addresses is allowed.
    pub fn allows_any(&self) -> bool {
        !self.allowed.is_empty()
    }

    /// Tells whether the operator named this address.
    pub fn names(&self, address: IpAddr) -> bool {
        with_embedded(address).any(|form| self.allowed.iter().any(|net| net.contains(form)))
    }

    /// Judges an address; `host` is what it is called in the error.
    ///
    /// # Errors
    /// It must not be reached.
    pub fn judge(&self, host: &str, address: IpAddr) -> Result<(), GuardError> {
        match reach(address) {
            Reach::Public => Ok(()),
            Reach::Never(what) => Err(GuardError::Never { host: host.to_owned(), address, what }),
            Reach::Inside(_) if self.names(address) => Ok(()),
            Reach::Inside(what) => {
                Err(GuardError::NotAllowed { host: host.to_owned(), address, what })
            }
        }
    }

    /// Parses a URL, and judges it as far as that goes without asking for names.
    ///
    /// # Errors
    /// It is none, has another scheme, holds a password, or its host is an address that must not be reached.
    pub fn url(&self, text: &str) -> Result<Url, GuardError> {
        if URL_BYTES_MAX < text.len() {
            let reason = format!("it is longer than {URL_BYTES_MAX} bytes");
            return Err(GuardError::NotUrl { reason });
        }
        let url =
            Url::parse(text).map_err(|error| GuardError::NotUrl { reason: error.to_string() })?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(GuardError::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(GuardError::Credentials);
        }
        if let Some(address) = literal(url.host()) {
            self.judge(url.host_str().unwrap_or_default(), address)?;
        }
        Ok(url)
    }

    /// Reads the host of a mail server, which may be an address in any form, and judges an address.
    ///
    /// # Errors
    /// It is no host, or an address that must not be reached.
    pub fn host(&self, text: &str) -> Result<Host, GuardError> {
        let host = match text.parse::<std::net::Ipv6Addr>() {
            Ok(address) => Host::Ipv6(address),
            Err(_) => Host::parse(text)
                .map_err(|error| GuardError::NotUrl { reason: error.to_string() })?,
        };
        if let Some(address) = literal(Some(host.clone())) {
            self.judge(&host.to_string(), address)?;
        }
        Ok(host)
    }

    /// Resolves a host, and judges every address it has.
    ///
    /// # Errors
    /// One of the addresses must not be reached, or there is none.
    pub async fn addresses(&self, host: &Host, port: u16) -> Result<Vec<SocketAddr>, GuardError> {
        let found = match (literal(Some(host.clone())), host) {
            (Some(address), _) => vec![address],
            (None, Host::Domain(name)) => self.resolve(name).await?,
            (None, _) => Vec::new(),
        };
        let shown = host.to_string();
        for address in &found {
            self.judge(&shown, *address)?;
        }
        if found.is_empty() {
            return Err(GuardError::Unresolved {
                host: shown,
                reason: "it has no address".to_owned(),
            });
        }
        Ok(found.into_iter().map(|address| SocketAddr::new(address, port)).collect())
    }

    async fn resolve(&self, name: &str) -> Result<Vec<IpAddr>, GuardError> {
        self.resolver.resolve(name).await.map_err(|error| GuardError::Unresolved {
            host: name.to_owned(),
            reason: error.to_string(),
        })
    }
}

fn literal<S>(host: Option<Host<S>>) -> Option<IpAddr> {
    match host? {
        Host::Ipv4(address) => Some(address.into()),
        Host::Ipv6(address) => Some(address.into()),
        Host::Domain(_) => None,
    }
}

#[cfg(test)]
mod tests;
