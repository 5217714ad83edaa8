//! The answer of a bulk request, written as text while the items are done.

use std::io::Write;

use bytes::Bytes;
use pampero_index::{Outcome, Written};
use pampero_opensearch::Exception;
use serde::Serialize;
use serde_json::{Value, json};

use super::parse::Word;
use crate::rest::answer::Shape;

/// Room for all that stands before the first item, which is known last.
const HEAD_BYTES: usize = 64;

/// Writes `{"took":…,"errors":…,"items":[…]}` in this order, which shippers depend on.
///
/// With `filter_path` each item is filtered as soon as it is there, so that a large answer of which
/// little stays is never held whole.
#[derive(Debug)]
pub(super) struct BulkAnswer<'a> {
    shape: &'a Shape,
    items: Vec<u8>,
    count: usize,
    refused: usize,
}

/// One operation that was done, as it is written.
pub(super) struct Done<'a> {
    pub(super) word: Word,
    /// Name of the index itself.
    pub(super) index: &'a str,
    pub(super) written: &'a Written,
    /// Copies of each shard, the first one included.
    pub(super) copies: u64,
    /// Whether the caller forced a refresh.
    pub(super) forced_refresh: bool,
    /// The value of `get`, as compact JSON.
    pub(super) get: Option<String>,
}

impl<'a> BulkAnswer<'a> {
    pub(super) fn new(shape: &'a Shape, bytes_expected: usize) -> Self {
        let mut items = Vec::with_capacity(HEAD_BYTES + bytes_expected);
        items.resize(HEAD_BYTES, b' ');
        Self { shape, items, count: 0, refused: 0 }
    }

    /// Adds an operation that was done.
    pub(super) fn done(&mut self, done: &Done<'_>) {
        let start = self.begin();
        let Done { word, index, written, copies, .. } = done;
        let status = match (written.outcome, word) {
            (Outcome::Created, _) => 201,
            (Outcome::NotFound, _) => 404,
            _ => 200,
        };
        let items = &mut self.items;
        items.extend_from_slice(b"{\"");
        items.extend_from_slice(word.as_str().as_bytes());
        items.extend_from_slice(b"\":{\"_index\":");
        write_json(items, index);
        items.extend_from_slice(b",\"_id\":");
        write_json(items, &written.id);
        let result = written.outcome.as_str();
        let shards = Shards::of(written.outcome, *copies);
        write(items, format_args!(",\"_version\":{},\"result\":\"{result}\"", written.version));
        if done.forced_refresh && written.outcome != Outcome::Noop {
            items.extend_from_slice(b",\"forced_refresh\":true");
        }
        write(
            items,
            format_args!(
                ",\"_shards\":{{\"total\":{},\"successful\":{},\"failed\":0}},\"_seq_no\":{},\"_primary_term\":1",
                shards.total, shards.successful, written.seq_no
            ),
        );
        if let Some(get) = &done.get {
            items.extend_from_slice(b",\"get\":");
            items.extend_from_slice(get.as_bytes());
        }
        write(items, format_args!(",\"status\":{status}}}}}"));
        self.end(start);
    }

    /// Adds an operation that was refused.
    pub(super) fn refused(&mut self, word: Word, index: &str, id: Option<&str>, why: &Exception) {
        self.refused += 1;
        let start = self.begin();
        let item = Refused { index, id, status: why.status(), error: why.to_json() };
        let items = &mut self.items;
        write(items, format_args!("{{\"{}\":", word.as_str()));
        write_json(items, &item);
        items.push(b'}');
        self.end(start);
    }

    /// Returns how many items there are, and how many were refused.
    pub(super) fn counts(&self) -> (usize, usize) {
        (self.count, self.refused)
    }

    /// Returns the whole answer as compact JSON.
    pub(super) fn finish(self, took_ms: u64) -> Bytes {
        let errors = self.refused > 0;
        let head = format!("{{\"took\":{took_ms},\"errors\":{errors},\"items\":[");
        let mut whole = self.items;
        whole.extend_from_slice(b"]}");
        let start = HEAD_BYTES - head.len();
        whole[start..HEAD_BYTES].copy_from_slice(head.as_bytes());
        Bytes::from(whole).slice(start..)
    }

    fn begin(&mut self) -> usize {
        self.count += 1;
        let start = self.items.len();
        if start > HEAD_BYTES {
            self.items.push(b',');
        }
        start
    }

    /// Filters the item that begins at `start`.
    fn end(&mut self, start: usize) {
        let Some(filter) = self.shape.filter() else { return };
        let item = self.items[start..].strip_prefix(b",").unwrap_or(&self.items[start..]);
        let item: Value = serde_json::from_slice(item).expect("an item is JSON");
        let mut kept = filter.apply(json!({ "items": [item] }));
        self.items.truncate(start);
        if let Some(item) = kept.pointer_mut("/items/0").map(Value::take) {
            if start > HEAD_BYTES {
                self.items.push(b',');
            }
            write_json(&mut self.items, &item);
        }
    }
}

/// How many copies of a shard a write went to.
pub(crate) struct Shards {
    pub(crate) total: u64,
    pub(crate) successful: u64,
}

impl Shards {
    /// A change that changed nothing goes to no shard.
    pub(crate) fn of(outcome: Outcome, copies: u64) -> Self {
        match outcome {
            Outcome::Noop => Self { total: 0, successful: 0 },
            _ => Self { total: copies, successful: 1 },
        }
    }
}

#[derive(Serialize)]
struct Refused<'a> {
    #[serde(rename = "_index")]
    index: &'a str,
    #[serde(rename = "_id")]
    id: Option<&'a str>,
    status: u16,
    error: Value,
}

fn write(items: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    items.write_fmt(text).expect("memory takes every byte");
}

fn write_json(items: &mut Vec<u8>, value: &(impl Serialize + ?Sized)) {
    serde_json::to_writer(items, value).expect("texts and trees become JSON");
}
