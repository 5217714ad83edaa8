//! Random aggregations, nested.

use rand::RngExt;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use super::queries::query;
use super::{date, value};
use crate::documents::pick;

/// Returns one or two aggregations with at most so many inside each other.
pub(crate) fn aggregations(chance: &mut StdRng, depth: usize) -> Value {
    let mut asked = json!({ "a": aggregation(chance, depth) });
    if chance.random_bool(0.5) {
        asked["b"] = aggregation(chance, depth - 1);
    }
    // OpenSearch takes it at the top only.
    if chance.random_bool(0.25) {
        asked["c"] = composite(chance);
    }
    asked
}

fn aggregation(chance: &mut StdRng, depth: usize) -> Value {
    if depth == 0 || chance.random_bool(0.15) {
        return metric(chance);
    }
    let mut inner = json!({});
    if chance.random_bool(0.8) {
        inner = json!({ "x": aggregation(chance, depth - 1), "y": metric(chance) });
    }
    let (kind, options) = match chance.random_range(0..11) {
        0..3 => ("terms", terms(chance, &inner)),
        3..5 => ("date_histogram", date_histogram(chance, &inner)),
        5 => ("histogram", histogram(chance, &inner)),
        6 => ("range", ranges(chance)),
        7 => ("date_range", date_ranges(chance)),
        8 => ("filter", query(chance, 2)),
        9 => (
            "filters",
            json!({
                "other_bucket": chance.random_bool(0.5),
                "filters": { "one": query(chance, 2), "two": query(chance, 1) },
            }),
        ),
        _ => (
            "missing",
            json!({
                "field": pick(chance, &["ok", "count", "ip", "station", "at", "place.name", "code"]),
            }),
        ),
    };
    let mut body = json!({ kind: options });
    if inner != json!({}) {
        body["aggs"] = inner;
    }
    body
}

fn terms(chance: &mut StdRng, inner: &Value) -> Value {
    let field = pick(
        chance,
        &[
            "level.keyword",
            "station",
            "code",
            "count",
            "temp",
            "ok",
            "ip",
            "place.name",
            "place.floor",
        ],
    );
    let mut options = json!({ "field": field });
    if chance.random_bool(0.6) {
        options["size"] = json!(pick(chance, &[1, 3, 5, 20, 1000]));
    }
    if chance.random_bool(0.6) {
        options["order"] = match chance.random_bool(0.3) {
            true => json!([order(chance, inner), order(chance, inner)]),
            false => order(chance, inner),
        };
    }
    if chance.random_bool(0.2) {
        options["missing"] = value(field, chance);
        // A value that is too long to be one may stand for those that are missing all the same.
        if options["missing"] == "abcde" {
            options["missing"] = json!("ab");
        }
    }
    if chance.random_bool(0.2) {
        options["min_doc_count"] = json!(chance.random_range(1..6));
    }
    let is_word = matches!(field, "level.keyword" | "station" | "code" | "place.name");
    for rule in ["include", "exclude"] {
        if !chance.random_bool(0.15) {
            continue;
        }
        options[rule] = match is_word && chance.random_bool(0.5) {
            true => json!(pick(chance, &["k.*", "[A-Z]+", "a.*|west-[0-9]", ".*o.*"])),
            false if field == "ok" => continue,
            false => (0..3).map(|_| value(field, chance)).collect(),
        };
    }
    if options["include"].is_string() != options["exclude"].is_string() {
        options.as_object_mut().unwrap().remove("exclude");
    }
    options
}

/// Returns combinations of the keys of one to three sources.
fn composite(chance: &mut StdRng) -> Value {
    let (mut sources, mut after) = (Vec::new(), json!({}));
    for name in &["p", "q", "r"][..chance.random_range(1..=3)] {
        let field = pick(chance, &["station", "level.keyword", "place.name", "ip", "unique"]);
        let mut options = json!({ "field": field });
        if chance.random_bool(0.5) {
            options["order"] = json!(pick(chance, &["asc", "desc"]));
        }
        after[name] = value(field, chance);
        if chance.random_bool(0.3) {
            options["missing_bucket"] = json!(true);
            if chance.random_bool(0.2) {
                after[name] = Value::Null;
            }
        }
        let mut kind = "terms";
        if field == "unique" {
            kind = "histogram";
            options["interval"] = json!(7.5);
            after[name] = json!(7.5 * f64::from(chance.random_range(0..30)));
        }
        sources.push(json!({ *name: { kind: options } }));
    }
    let mut options = json!({ "sources": sources, "size": chance.random_range(1..30) });
    if chance.random_bool(0.5) {
        options["after"] = after;
    }
    json!({ "composite": options, "aggs": { "y": metric(chance) } })
}

/// Returns an order by count, key or what stands inside of the buckets.
fn order(chance: &mut StdRng, inner: &Value) -> Value {
    let direction = pick(chance, &["asc", "desc"]);
    let mut paths = vec!["_count", "_key"];
    if let Some((kind, _)) = inner["y"].as_object().and_then(|it| it.iter().next()) {
        match kind.as_str() {
            "avg" | "sum" | "value_count" | "cardinality" => paths.push("y"),
            "stats" => paths.extend(["y.avg", "y.sum", "y.count"]),
            _ => {}
        }
    }
    if !inner["x"]["filter"].is_null() || !inner["x"]["missing"].is_null() {
        paths.push("x");
    }
    let path = pick(chance, &paths);
    json!({ path: direction })
}

fn histogram(chance: &mut StdRng, inner: &Value) -> Value {
    let mut options = json!({
        "field": pick(chance, &["count", "temp", "place.floor"]),
        "interval": pick(chance, &[2.0, 2.5, 5.0, 0.75]),
    });
    if chance.random_bool(0.3) {
        options["offset"] = json!(pick(chance, &[1.0, 0.25, 3.5]));
    }
    if chance.random_bool(0.2) {
        options["missing"] = json!(chance.random_range(-5..5));
    }
    finish_histogram(chance, options, inner)
}

fn date_histogram(chance: &mut StdRng, inner: &Value) -> Value {
    let mut options = json!({ "field": "at" });
    if chance.random_bool(0.5) {
        options["fixed_interval"] = json!(pick(chance, &["6h", "1d", "450m", "2d"]));
        if chance.random_bool(0.4) {
            options["time_zone"] = json!(pick(chance, &["+05:30", "-08:00"]));
        }
        if chance.random_bool(0.3) {
            options["offset"] = json!(pick(chance, &["+3h", "-2h"]));
        }
    } else {
        let units = ["day", "1d", "week", "1w", "month", "1M", "quarter", "1y", "hour"];
        options["calendar_interval"] = json!(pick(chance, &units));
        if chance.random_bool(0.6) {
            let zones = ["Europe/Paris", "America/New_York", "Asia/Kolkata", "+02:00"];
            options["time_zone"] = json!(pick(chance, &zones));
        }
        if options["calendar_interval"] == "hour" {
            options["min_doc_count"] = json!(chance.random_range(1..3));
        }
    }
    if chance.random_bool(0.2) {
        options["missing"] = json!("2026-03-29T01:30:00Z");
    }
    finish_histogram(chance, options, inner)
}

fn finish_histogram(chance: &mut StdRng, mut options: Value, inner: &Value) -> Value {
    if chance.random_bool(0.4) && options["min_doc_count"].is_null() {
        options["min_doc_count"] = json!(chance.random_range(0..4));
    }
    if chance.random_bool(0.3) {
        options["order"] = order(chance, inner);
    }
    let is_date = options["field"] == "at";
    if chance.random_bool(0.2) && options["min_doc_count"].as_u64().unwrap_or(0) == 0 {
        options["extended_bounds"] = match is_date {
            true => json!({ "min": "2026-03-18", "max": "2026-04-09T12:00" }),
            false => json!({ "min": -31, "max": 25.5 }),
        };
    }
    let members = options.as_object_mut().unwrap();
    members.retain(|_, it| !it.is_null());
    options
}

fn ranges(chance: &mut StdRng) -> Value {
    json!({ "field": pick(chance, &["count", "temp", "place.floor"]), "ranges": [
        { "key": "low", "to": -5.0 }, { "key": "mid", "from": -5.0, "to": 2.5 },
        { "key": "wide", "from": -2.0, "to": 11.0 }, { "key": "high", "from": 5.0 },
    ] })
}

fn date_ranges(chance: &mut StdRng) -> Value {
    json!({ "field": "at", "ranges": [
        { "key": "early", "to": "2026-03-24" },
        { "key": "middle", "from": "2026-03-24", "to": "2026-03-29T01:00||+1d/d" },
        { "key": "late", "from": "now-6d/d", "to": pick(chance, &["now", "now+1M/M", "now-1d/d"]) },
        { "key": "last", "from": date_of_april(chance) },
    ] })
}

/// Returns a bound behind all others, so that the ranges stand in their order.
fn date_of_april(chance: &mut StdRng) -> Value {
    match date(chance) {
        Value::Number(_) => json!(1_775_000_000_000_i64),
        _ => json!("2026-04||/M"),
    }
}

fn metric(chance: &mut StdRng) -> Value {
    let number = pick(chance, &["count", "temp", "place.floor"]);
    let any = pick(chance, &["station", "count", "level.keyword", "ip", "ok", "at", "code"]);
    let kind = pick(chance, &["min", "max", "avg", "sum", "stats", "value_count", "cardinality"]);
    let mut options = match kind {
        "value_count" | "cardinality" => return json!({ kind: { "field": any } }),
        "min" | "max" if chance.random_bool(0.3) => return json!({ kind: { "field": "at" } }),
        _ => json!({ "field": number }),
    };
    if chance.random_bool(0.3) {
        options["missing"] = json!(chance.random_range(-3..3));
    }
    json!({ kind: options })
}
