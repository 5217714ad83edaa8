//! Mappings, documents and dates as OpenSearch knows them.

#![expect(clippy::unwrap_used, reason = "a test may fail at any step")]

mod arbitrary;
mod dates;
mod documents;
mod dynamic;
mod formats;
mod mappings;
