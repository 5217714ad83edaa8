//! The HTTP clients of the program, beside those of the providers.

use anyhow::Context;
use pampero_providers::{http_client, http_client_without_proxy};
use url::{Host, Url};

/// What the program calls itself.
pub(crate) const USER_AGENT: &str = concat!("Pampero/", env!("CARGO_PKG_VERSION"));

/// Makes a client for `url`: behind the proxy of the environment, but for the own machine.
///
/// # Errors
/// The system offers no TLS roots.
pub(crate) fn client_for(url: &Url) -> anyhow::Result<reqwest::Client> {
    if is_loopback(url) {
        return direct_client();
    }
    http_client(USER_AGENT).context("no HTTP client can be made")
}

/// Makes a client that never uses a proxy.
///
/// # Errors
/// The system offers no TLS roots.
pub(crate) fn direct_client() -> anyhow::Result<reqwest::Client> {
    http_client_without_proxy(USER_AGENT).context("no HTTP client can be made")
}

/// Tells whether a URL leads to the own machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(domain)) => domain == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
