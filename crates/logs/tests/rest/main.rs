//! The REST API as its callers see it: requests through the real routes, without a socket.

#![expect(clippy::unwrap_used, reason = "a test may stop where it stands")]

mod bulk;
mod delete_by_query;
mod documents;
mod frame;
mod grafana;
mod hostile;
mod refresh;
mod scroll;
mod search;
mod shippers;
mod testkit;
