//! Indices on tantivy: documents with versions, durable when acknowledged, and searches over them.
//!
//! Knows OpenSearch's language as types and nothing of HTTP or clocks: the present instant is passed
//! in. All calls block; callers in async code go through `spawn_blocking`. Start reading at
//! [`Indices`] for what is kept, and at [`search::search`] for what is asked.

pub mod aggregation;
pub mod analysis;
pub mod cluster;
pub mod engine;
pub mod layout;
pub mod query;
pub mod search;

pub use cluster::Cluster;
pub use engine::{
    Action, Found, Index, IndexError, IndexOptions, IndexStatistics, Indices, Operation, Outcome,
    Snapshot, StoredDocument, UpdateBody, VersionCheck, Written,
};
