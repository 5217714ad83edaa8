//! HTTP as all adapters use it: one client, capped bodies, faults told apart.
//!
//! Nothing here shows a URL with its query, because that is where some services want the key.

mod answer;
mod excerpt;
mod retry_after;
mod trace_headers;

use std::fmt;
use std::time::Duration;

use reqwest::redirect::{Action, Attempt, Policy};
use reqwest::{Certificate, Client, ClientBuilder, Url};

pub(crate) use answer::{BULK_BODY_MAX, RawAnswer, SINGLE_BODY_MAX, send};

/// Most redirects that are followed for one request.
const REDIRECTS_MAX: usize = 3;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);

/// The HTTP client cannot be built.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client cannot be built")]
pub struct HttpClientError(#[source] reqwest::Error);

/// Builds the client that all adapters share; it uses the proxy of the environment, if one is set.
///
/// It takes gzip, sends no `Referer`, repeats nothing by itself, gives up connecting after 5 s and
/// follows at most 3 redirects: never from https to http, and never to another site, because keys
/// would go with them. It has no limit for a whole request: that belongs to who makes the call.
///
/// # Errors
/// `user_agent` cannot stand in a header, or TLS cannot be set up.
pub fn http_client(user_agent: &str) -> Result<Client, HttpClientError> {
    build(|| client_builder(user_agent))
}

/// Builds the same client without any proxy, for stand-ins on the own machine.
///
/// # Errors
/// Like [`http_client`].
pub fn http_client_without_proxy(user_agent: &str) -> Result<Client, HttpClientError> {
    build(|| client_builder(user_agent).no_proxy())
}

fn client_builder(user_agent: &str) -> ClientBuilder {
    Client::builder()
        .user_agent(user_agent)
        .gzip(true)
        .referer(false)
        .redirect(Policy::custom(judge_redirect))
        .retry(reqwest::retry::never())
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(IDLE_TIMEOUT)
}

/// Builds with the certificate authorities of the machine, or with the bundled ones of Mozilla
/// where the machine has none, as in a minimal container.
fn build(builder: impl Fn() -> ClientBuilder) -> Result<Client, HttpClientError> {
    // A second installation fails because there is a provider already, which is all we want.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match builder().build() {
        Ok(client) => Ok(client),
        Err(_) => builder()
            .tls_certs_only(bundled_authorities().map_err(HttpClientError)?)
            .build()
            .map_err(HttpClientError),
    }
}

fn bundled_authorities() -> Result<Vec<Certificate>, reqwest::Error> {
    let bundled = webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter();
    bundled.map(|certificate| Certificate::from_der(certificate)).collect()
}

/// Why a redirect is not followed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum RedirectRefusal {
    TooMany,
    ToPlainHttp,
    ToAnotherSite,
}

impl fmt::Display for RedirectRefusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::TooMany => "the service redirects more than 3 times",
            Self::ToPlainHttp => "the service redirects from https to http",
            Self::ToAnotherSite => "the service redirects to another site",
        })
    }
}

impl std::error::Error for RedirectRefusal {}

fn judge_redirect(attempt: Attempt<'_>) -> Action {
    match redirect_refusal(attempt.previous(), attempt.url()) {
        Some(refusal) => attempt.error(refusal),
        None => attempt.follow(),
    }
}

/// Says why `next` is not followed after the URLs of `previous`, the first request included.
fn redirect_refusal(previous: &[Url], next: &Url) -> Option<RedirectRefusal> {
    if REDIRECTS_MAX < previous.len() {
        return Some(RedirectRefusal::TooMany);
    }
    let last = previous.last()?;
    if last.scheme() == "https" && next.scheme() != "https" {
        return Some(RedirectRefusal::ToPlainHttp);
    }
    (!is_same_site(last, next)).then_some(RedirectRefusal::ToAnotherSite)
}

/// Tells whether two URLs have the same host, or hosts under the same two last labels.
fn is_same_site(one: &Url, other: &Url) -> bool {
    match (one.domain(), other.domain()) {
        (Some(one), Some(other)) => one == other || site_of(one) == site_of(other),
        _ => one.host() == other.host(),
    }
}

/// Returns the last two labels of a domain, as in `example.org`.
fn site_of(domain: &str) -> &str {
    let mut dots = domain.rmatch_indices('.').skip(1);
    dots.next().map_or(domain, |(dot, _)| &domain[dot + 1..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirect_stays_few_and_safe() {
        use RedirectRefusal::{ToAnotherSite, ToPlainHttp, TooMany};
        let secure = "https://api.example.org/a";
        check(&[secure], "https://api.example.org/b", None);
        check(&[secure], "https://www.example.org/b", None);
        check(&["http://api.example.org/a"], "https://api.example.org/a", None);
        check(&["http://127.0.0.1:1/a"], "http://127.0.0.1:2/b", None);
        check(&[secure; 3], secure, None);
        check(&[secure; 4], secure, Some(TooMany));
        check(&[secure], "http://api.example.org/a", Some(ToPlainHttp));
        check(&[secure], "https://example.net/b", Some(ToAnotherSite));
        check(&[secure], "https://notexample.org/b", Some(ToAnotherSite));
        check(&["http://127.0.0.1:1/a"], "http://10.0.0.1:1/a", Some(ToAnotherSite));
    }

    #[track_caller]
    fn check(previous: &[&str], next: &str, refusal: Option<RedirectRefusal>) {
        let url = |text: &str| text.parse::<Url>().expect("the case is a URL");
        let previous: Vec<Url> = previous.iter().map(|text| url(text)).collect();
        assert_eq!(redirect_refusal(&previous, &url(next)), refusal, "{previous:?} → {next}");
    }

    #[test]
    fn client_can_be_built_with_the_bundled_authorities() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let authorities = bundled_authorities().expect("the bundled certificates can be read");
        assert!(50 < authorities.len(), "{}", authorities.len());
        let client = client_builder("Pampero/0.0").tls_certs_only(authorities).build();
        assert!(client.is_ok(), "{client:?}");
    }

    #[test]
    fn user_agent_that_is_no_header_is_refused() {
        assert!(http_client("Pampero/0.1\nX: y").is_err());
        assert!(http_client("Pampero/0.1 ops@example.org").is_ok());
        assert!(http_client_without_proxy("Pampero/0.1").is_ok());
    }
}
