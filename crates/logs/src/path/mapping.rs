//! The fields of the log's documents, for our own indices and for those of another cluster.

use serde_json::{Value, json};

/// Version of the template; a higher one takes the place of a lower one.
pub(crate) const TEMPLATE_VERSION: u64 = 1;

/// Longest text that is kept as a whole string beside its words.
const WHOLE_MAX: usize = 1024;

/// Returns the body that creates the index of a day.
pub(super) fn index_body() -> Value {
    json!({
        "settings": { "number_of_shards": 1, "number_of_replicas": 0 },
        "mappings": mappings(),
    })
}

/// Returns the index template for a cluster of several machines, or of one.
pub(crate) fn index_template(prefix: &str, has_alias: bool) -> Value {
    let aliases = if has_alias { json!({ prefix: {} }) } else { json!({}) };
    json!({
        "index_patterns": [format!("{prefix}-*")],
        "priority": 100,
        "version": TEMPLATE_VERSION,
        "_meta": { "managed_by": "pampero" },
        "template": {
            "settings": { "number_of_shards": 1, "auto_expand_replicas": "0-1" },
            "mappings": mappings(),
            "aliases": aliases,
        },
    })
}

/// Returns the mapping.
///
/// Words that are compared whole are keywords; each has a twin `.keyword` all the same, so that a query
/// finds them that was written for an index without a template. Fields of events keep what they are in
/// the document, and are mapped so that the same name may be a number here and a text there.
pub(super) fn mappings() -> Value {
    let date = json!({ "type": "date" });
    let words = json!({
        "type": "text",
        "fields": { "keyword": { "type": "keyword", "ignore_above": WHOLE_MAX } },
    });
    let whole = json!({ "type": "keyword", "fields": { "keyword": { "type": "keyword" } } });
    let id = json!({ "type": "keyword" });
    json!({
        "date_detection": false,
        "dynamic_templates": [
            field_template("field_integers", "long", &number()),
            field_template("field_decimals", "double", &number()),
            field_template("field_booleans", "boolean", &id),
            field_template("field_texts", "string", &words),
        ],
        "properties": {
            "timestamp": date,
            "level": words,
            "log_message": words,
            "target": whole,
            "service": whole,
            "place": whole,
            "provider": whole,
            "request_id": id,
            "trace_id": id,
            "duration_ms": { "type": "double" },
            "error": { "properties": { "chain": words } },
            "repeated": { "properties": { "count": { "type": "long" }, "first": date, "last": date } },
            "unmapped_fields": { "type": "text" },
        },
    })
}

fn number() -> Value {
    json!({ "type": "double", "ignore_malformed": true })
}

fn field_template(name: &str, kind: &str, mapping: &Value) -> Value {
    json!({ name: { "path_match": "fields.*", "match_mapping_type": kind, "mapping": mapping } })
}
