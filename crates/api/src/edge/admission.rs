//! Who may ask: the checks that keep foreign web pages away from a service on a loopback address.
//!
//! `Host` must be a name the operator knows, so that a page cannot reach us under a name of its own
//! (DNS rebinding). A request that changes something must not come from a page of another origin.

use std::net::{IpAddr, Ipv6Addr};

use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Version, header};

use crate::problem::ApiError;

/// The names and origins that are let in.
pub(crate) struct Admission {
    hosts: Vec<String>,
    origins: Origins,
}

/// The origins of other pages that may read answers.
pub(crate) enum Origins {
    /// Every one.
    Any,
    /// These.
    Listed(Vec<HeaderValue>),
}

impl Admission {
    pub(crate) fn new(public_hosts: &[String], origins: Origins) -> Self {
        let known = public_hosts.iter().map(|host| host.trim_end_matches('.').to_ascii_lowercase());
        Self { hosts: known.collect(), origins }
    }

    /// Returns the origins that may read answers.
    pub(crate) fn origins(&self) -> &Origins {
        &self.origins
    }

    /// Refuses a request that may come from a foreign page.
    pub(crate) fn check<B>(&self, request: &Request<B>) -> Result<(), ApiError> {
        let host = asked_host(request)?;
        if let Some(host) = host
            && !self.knows(name_of(host))
        {
            return Err(unknown_host(host));
        }
        if is_harmless(request.method()) {
            return Ok(());
        }
        self.check_origin(request.headers(), host)
    }

    /// A name is known when it means this machine, when it is an IP address, which no foreign page can
    /// point elsewhere, or when the operator listed it.
    fn knows(&self, name: &str) -> bool {
        let name = name.strip_suffix('.').unwrap_or(name);
        name.parse::<IpAddr>().is_ok()
            || is_bracketed_address(name)
            || name.eq_ignore_ascii_case("localhost")
            || self.hosts.iter().any(|known| name.eq_ignore_ascii_case(known))
    }

    fn check_origin(&self, headers: &HeaderMap, host: Option<&str>) -> Result<(), ApiError> {
        if let Some(origin) = headers.get(header::ORIGIN) {
            let own = host.is_some_and(|host| is_origin_of(origin, host));
            return if own || self.origins.allow(origin) { Ok(()) } else { Err(foreign_origin()) };
        }
        // A browser that leaves `Origin` out still says whether the page is of another site.
        let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
        match site {
            None | Some(b"same-origin" | b"none") => Ok(()),
            Some(_) => Err(foreign_origin()),
        }
    }
}

impl Origins {
    /// Reads the list of the configuration, in which `*` stands for every origin.
    ///
    /// An entry that cannot be in a header is left out, since no request can ever match it.
    pub(crate) fn listed(origins: &[String]) -> Self {
        if origins.iter().any(|origin| origin == "*") {
            return Self::Any;
        }
        let trimmed = origins.iter().map(|origin| origin.trim_end_matches('/'));
        Self::Listed(trimmed.filter_map(|origin| origin.parse().ok()).collect())
    }

    /// Tells whether pages of `origin` may read answers.
    pub(crate) fn allow(&self, origin: &HeaderValue) -> bool {
        match self {
            Self::Any => true,
            Self::Listed(listed) => listed.contains(origin),
        }
    }

    /// Tells whether no foreign page may read anything.
    pub(crate) fn is_empty(&self) -> bool {
        matches!(self, Self::Listed(listed) if listed.is_empty())
    }
}

/// Tells whether a method changes nothing.
pub(crate) fn is_harmless(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// Returns the host that is asked; `None` when an HTTP/1.0 client does not say.
fn asked_host<B>(request: &Request<B>) -> Result<Option<&str>, ApiError> {
    if let Some(authority) = request.uri().authority() {
        return Ok(Some(authority.as_str()));
    }
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let Some(host) = hosts.next() else {
        if request.version() < Version::HTTP_11 {
            return Ok(None);
        }
        return Err(bad_host("the Host header is missing"));
    };
    if hosts.next().is_some() {
        return Err(bad_host("there is more than one Host header; send one"));
    }
    host.to_str().map(Some).map_err(|_| bad_host("the Host header cannot be read"))
}

/// Cuts the port off.
fn name_of(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => name,
        _ => host,
    }
}

fn is_bracketed_address(name: &str) -> bool {
    let inner = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
    inner.is_some_and(|inner| inner.parse::<Ipv6Addr>().is_ok())
}

/// Tells whether `origin` is a page of ours, asked under `host`.
fn is_origin_of(origin: &HeaderValue, host: &str) -> bool {
    let Ok(origin) = origin.to_str() else { return false };
    let authority = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    authority.is_some_and(|authority| authority.eq_ignore_ascii_case(host))
}

fn bad_host(detail: &str) -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, "bad_host", detail)
}

fn unknown_host(host: &str) -> ApiError {
    let shown: String = host.chars().take(64).collect();
    let detail = format!(
        "this server is not known as {shown:?}; if it should be, add the name to server.public_hosts"
    );
    ApiError::new(StatusCode::MISDIRECTED_REQUEST, "unknown_host", detail)
}

fn foreign_origin() -> ApiError {
    let detail = "a page of another origin may not change anything here; \
                  if it should, add its origin to server.cors_origins";
    ApiError::new(StatusCode::FORBIDDEN, "foreign_origin", detail)
}
