//! What was asked of a stand-in, so that tests can assert it.

use std::collections::BTreeMap;

use serde::Serialize;

/// What was asked of one provider since the start or the last reset.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct RequestCounts {
    /// Requests that arrived.
    pub total: u64,
    /// Requests that were answered, by status.
    pub by_status: BTreeMap<u16, u64>,
    /// Requests that a fault was played on, by the fault's spelling.
    pub by_fault: BTreeMap<&'static str, u64>,
    /// Requests that ended without an answer: reset, closed, or given up by the client.
    pub unanswered: u64,
    /// Requests being answered at this moment.
    pub in_flight: u64,
    /// Most requests that were being answered at the same moment.
    pub in_flight_max: u64,
    /// The path and parameters of the newest request, keys replaced by `[key]`, cut at 4096
    /// bytes; `None` before the first. Parameters of a form count like those of a URL.
    pub last_query: Option<String>,
    /// The `User-Agent` of the newest request; `None` when there was none.
    pub last_user_agent: Option<String>,
    /// The `If-Modified-Since` of the newest request; `None` when there was none.
    pub last_if_modified_since: Option<String>,
}
