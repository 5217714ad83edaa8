//! Aggregations beside tantivy's own collector: the same columns, the same run, as a ratio.
//!
//! `cargo bench -p pampero-index --bench aggregations [documents]`; 2 M documents over five days when
//! nothing is said.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a bench may fail, and reports")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use pampero_index::aggregation::{AggregationLimits, Part, aggregate};
use pampero_index::layout::Layout;
use pampero_index::query::{QueryContext, build};
use pampero_index::{Snapshot, analysis};
use pampero_opensearch::Mapping;
use pampero_opensearch::aggregation::Aggregations;
use pampero_opensearch::query::Query;
use serde_json::{Map, Value, json};
use tantivy::aggregation::{AggContextParams, AggregationCollector};
use tantivy::{Index, TantivyDocument};

/// Milliseconds since 1970 at which the documents begin.
const START_MS: i64 = 1_777_593_600_000;
const DAY_MS: i64 = 86_400_000;
const DAYS: i64 = 5;

fn main() {
    let documents: i64 =
        std::env::args().filter_map(|it| it.parse().ok()).next().unwrap_or(2_000_000);
    let snapshot = snapshot(documents);
    let day =
        json!({ "range": { "at": { "gte": START_MS + DAY_MS, "lt": START_MS + 2 * DAY_MS } } });
    let all = json!({ "match_all": {} });
    let by_level = |field: &str| json!({ "terms": { "field": field } });
    let hours = |date: &str, level: &str, interval: Value| {
        let mut histogram = json!({ "field": date });
        histogram.as_object_mut().unwrap().extend(interval.as_object().unwrap().clone());
        let kind = if date == "at" { "date_histogram" } else { "histogram" };
        json!({ "h": { (kind): histogram, "aggs": { "l": by_level(level) } } })
    };
    let own_hours = hours("at", "level", json!({ "fixed_interval": "1h" }));
    let their_hours = hours("n.at", "k.level", json!({ "interval": 3_600_000.0 }));
    compare(&snapshot, "24 h by hour and level", &day, &own_hours, &their_hours);
    compare(&snapshot, "all by hour and level", &all, &own_hours, &their_hours);
    let own_terms = json!({ "l": { "terms": { "field": "level" }, "aggs": { "d": { "stats": { "field": "duration" } } } } });
    let their_terms = json!({ "l": { "terms": { "field": "k.level" }, "aggs": { "d": { "stats": { "field": "n.duration" } } } } });
    compare(&snapshot, "all by level with stats", &all, &own_terms, &their_terms);
    compare(
        &snapshot,
        "all by place, 1,000 of them",
        &all,
        &json!({ "p": { "terms": { "field": "place" } } }),
        &json!({ "p": { "terms": { "field": "k.place" } } }),
    );
}

/// Builds an index in memory, in four segments.
fn snapshot(documents: i64) -> Snapshot {
    let layout = Layout::new();
    let index = Index::create_in_ram(layout.schema.clone());
    analysis::register(&index);
    let mut writer: tantivy::IndexWriter = index.writer_with_num_threads(1, 512 << 20).unwrap();
    writer.set_merge_policy(Box::new(tantivy::merge_policy::NoMergePolicy));
    for number in 0..documents {
        let mut document = TantivyDocument::new();
        let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15_u64 as i64).unsigned_abs();
        let level = ["debug", "info", "info", "info", "warn", "error"][(mixed % 6) as usize];
        let at = START_MS + number * DAYS * DAY_MS / documents;
        let values = json!({ "level": level, "place": format!("p{}", mixed % 1_000) });
        document.add_object(layout.keywords, object(values));
        let values = json!({ "at": at, "duration": (mixed % 10_000) as f64 / 10.0 });
        document.add_object(layout.numbers, object(values));
        writer.add_document(document).unwrap();
        if number % (documents / 4 + 1) == documents / 4 {
            writer.commit().unwrap();
        }
    }
    writer.commit().unwrap();
    let mapping = json!({ "properties": {
        "level": { "type": "keyword" }, "place": { "type": "keyword" }, "at": { "type": "date" },
        "duration": { "type": "double" },
    } });
    Snapshot {
        name: "logs".into(),
        uuid: "bench".into(),
        mapping: Arc::new(Mapping::from_json(&mapping).unwrap()),
        settings: Arc::new(Map::new()),
        layout: Arc::new(layout),
        searcher: index.reader().unwrap().searcher(),
    }
}

fn object(values: Value) -> std::collections::BTreeMap<String, tantivy::schema::OwnedValue> {
    let Value::Object(values) = values else { panic!("an object") };
    values.into_iter().map(|(name, value)| (name, value.into())).collect()
}

/// Times both, best of several, and prints the ratio.
fn compare(snapshot: &Snapshot, what: &str, query: &Value, own: &Value, theirs: &Value) {
    let now = Timestamp::UNIX_EPOCH;
    let query = Query::from_json(query).unwrap();
    let context = QueryContext {
        index: &snapshot.name,
        mapping: &snapshot.mapping,
        layout: &snapshot.layout,
        now,
    };
    let query = build(&query, context).unwrap();
    let own = Aggregations::from_json(own).unwrap();
    let theirs: tantivy::aggregation::agg_req::Aggregations =
        serde_json::from_value(theirs.clone()).unwrap();
    let limits = AggregationLimits::default();
    let own_time = best(|| {
        let parts = [Part { snapshot, query: query.as_ref() }];
        black_box(aggregate(&own, &parts, now, false, &limits).unwrap());
    });
    let their_time = best(|| {
        let collector =
            AggregationCollector::from_aggs(theirs.clone(), AggContextParams::default());
        black_box(snapshot.searcher.search(query.as_ref(), &collector).unwrap());
    });
    println!(
        "{what}: {:.1} ms, tantivy on one thread {:.1} ms, ratio {:.2}",
        own_time.as_secs_f64() * 1e3,
        their_time.as_secs_f64() * 1e3,
        own_time.as_secs_f64() / their_time.as_secs_f64()
    );
}

fn best(mut run: impl FnMut()) -> Duration {
    let time = |_| {
        let start = Instant::now();
        run();
        start.elapsed()
    };
    (0..9).map(time).min().unwrap()
}
