//! What the operator of the HTTP API may choose.

use std::time::Duration;

/// How much may be asked at once, and how large an answer may be.
#[derive(Clone, Debug)]
pub struct HttpOptions {
    /// Most queries that are evaluated at once, each on a thread of its own; further ones wait.
    pub queries_max: usize,
    /// Most queries that wait for their turn; further ones are refused with status 503.
    pub queries_waiting_max: usize,
    /// Most time for one query, its wait included; `timeout` of a request may ask for less.
    pub query_timeout: Duration,
    /// Most remote-write requests that are taken at once; further ones are refused with status 503,
    /// and the sender repeats them.
    pub remote_writes_max: usize,
    /// Most bytes of a form in the body of a request.
    pub form_bytes_max: usize,
    /// Most bytes of an answer before it is compressed.
    pub answer_bytes_max: usize,
    /// Most series, names or values in an answer that lists them; the rest is left out, with a
    /// warning.
    pub listed_max: usize,
    /// Answers of at least this many bytes are compressed for clients that accept it.
    pub gzip_bytes_min: usize,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            queries_max: 20,
            queries_waiting_max: 100,
            query_timeout: Duration::from_secs(2 * 60),
            remote_writes_max: 8,
            form_bytes_max: 1 << 20,
            answer_bytes_max: 64 << 20,
            listed_max: 100_000,
            gzip_bytes_min: 1 << 10,
        }
    }
}
