//! Keys of composite buckets: how they are ordered and written.

use std::cmp::Ordering;

use pampero_opensearch::aggregation::{CompositeSource, MissingOrder};
use serde_json::Value;

use super::format::KeyFormat;
use super::keys::Key;
use super::source::Source;

/// Compares two keys of one source, as its order says.
pub(super) fn compare_composite(source: &CompositeSource, one: &Key, other: &Key) -> Ordering {
    let null_first = match source.missing_order {
        MissingOrder::First => true,
        MissingOrder::Last => false,
        MissingOrder::Default => !source.descending,
    };
    match (one, other) {
        (Key::Null, Key::Null) => Ordering::Equal,
        (Key::Null, _) => {
            if null_first {
                Ordering::Less
            } else {
                Ordering::Greater
            }
        }
        (_, Key::Null) => {
            if null_first {
                Ordering::Greater
            } else {
                Ordering::Less
            }
        }
        _ => {
            if source.descending {
                other.cmp(one)
            } else {
                one.cmp(other)
            }
        }
    }
}

/// Returns what stands for a key in a composite bucket: dates are texts when a format is asked for.
pub(super) fn composite_key(request: &CompositeSource, source: &Source, key: &Key) -> Value {
    match (key, &source.format) {
        (Key::Null, _) => Value::Null,
        (Key::Integer(value), KeyFormat::Boolean) => Value::Bool(*value != 0),
        (_, format) if request.source.format.is_some() => Value::String(format.text(key)),
        (_, format) => format.json(key),
    }
}
