//! What an operator can decide about the HTTP edge, as the program means it.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use secrecy::SecretString;

/// Where the API listens, who may use it, and every limit it keeps.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// The address the listener is bound to; its IP address is always an allowed `Host`.
    pub listen: SocketAddr,
    /// Names besides loopback names and IP addresses under which the API may be asked, without port.
    ///
    /// A request whose `Host` is any other name is refused, so that a foreign web page cannot reach
    /// the API by pointing a name of its own at it.
    pub public_hosts: Vec<String>,
    /// Origins, as in `https://maps.example.org`, whose pages may read answers and, with the token,
    /// change things; `*` stands for every origin. Empty: no page of another origin may.
    pub cors_origins: Vec<String>,
    /// The token that routes which change something ask for; `None` when they ask for none.
    pub admin_token: Option<SecretString>,
    /// Most connections that are served at the same time; further ones wait to be accepted.
    pub connections_max: usize,
    /// Largest request body in bytes.
    pub body_limit: usize,
    /// Largest request line and headers together in bytes; at least 8 KiB.
    pub header_limit: usize,
    /// Longest time a connection may take to send the next request's headers, idle time included.
    pub header_timeout: Duration,
    /// Longest time a request body may take to arrive, and longest time to make an answer.
    pub request_timeout: Duration,
    /// Longest time that requests under way may take to end once the program is told to stop.
    pub shutdown_grace: Duration,
    /// How long a cache may serve a weather answer without asking again.
    pub answer_max_age: Duration,
    /// Most clients that follow the event stream at the same time.
    pub subscribers_max: usize,
    /// Whether requests and connections are counted and timed for `/metrics`.
    pub measure: bool,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8000)),
            public_hosts: Vec::new(),
            cors_origins: Vec::new(),
            admin_token: None,
            connections_max: 1024,
            body_limit: 64 * 1024,
            header_limit: 16 * 1024,
            header_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(10),
            shutdown_grace: Duration::from_secs(10),
            answer_max_age: Duration::from_secs(10),
            subscribers_max: 64,
            measure: true,
        }
    }
}
