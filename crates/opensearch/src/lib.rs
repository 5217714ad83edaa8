//! OpenSearch's language: what its REST API says and asks, as types, without an index behind it.
//!
//! Mappings and documents, dates and date math, the query DSL, aggregations, search bodies, names of
//! indices, and refusals in OpenSearch's own words. Knows no storage, no HTTP and no clock: the
//! present instant is passed in. Start reading at [`Mapping`], [`query::Query`] and
//! [`search::SearchRequest`].

pub mod aggregation;
pub mod date;
pub mod exception;
pub mod mapping;
pub mod names;
pub mod parameters;
pub mod query;
pub mod search;
mod unambiguous;

pub use exception::{Exception, ExceptionKind};
pub use mapping::{Field, FieldKind, Mapping};
pub use unambiguous::Unambiguous;
