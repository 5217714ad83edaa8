//! Logs: what the program says of itself, searchable in OpenSearch's language.
//!
//! Three rooms: [`rest`] answers OpenSearch's REST API over the indices, [`path`] brings the program's
//! own events into them, [`shipping`] sends the same documents to a real OpenSearch. Knows no
//! weather.

pub mod metrics;
pub mod path;
pub mod rest;
pub mod shipping;
