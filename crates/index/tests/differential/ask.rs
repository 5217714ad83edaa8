//! Random requests.

mod aggregations;
mod language;
mod queries;

use rand::RngExt;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use crate::documents::{ADDRESSES, FIRST_MS, LEVELS, SPAN_MS, STATIONS, pick};

pub(crate) use aggregations::aggregations;
pub(crate) use queries::query;

/// Fields by which hits can be sorted.
const SORTED: [&str; 8] =
    ["count", "temp", "ok", "at", "station", "level.keyword", "ip", "place.floor"];

/// Returns some sort keys, the last of which tells all documents apart.
pub(crate) fn sort(chance: &mut StdRng) -> Value {
    let mut keys: Vec<Value> = (0..chance.random_range(0..4)).map(|_| sort_key(chance)).collect();
    let last = pick(chance, &["unique", "unique", "_id"]);
    keys.push(match chance.random_bool(0.5) {
        true => json!(last),
        false => json!({ last: pick(chance, &["asc", "desc"]) }),
    });
    Value::Array(keys)
}

fn sort_key(chance: &mut StdRng) -> Value {
    let field = pick(chance, &SORTED);
    let order = pick(chance, &["asc", "desc"]);
    match chance.random_range(0..4) {
        0 => return json!(field),
        1 => return json!({ field: order }),
        _ => {}
    }
    let mut options = json!({ "order": order });
    let is_number = matches!(field, "count" | "temp" | "place.floor");
    if chance.random_bool(0.6) {
        let modes: &[&str] =
            if is_number { &["min", "max", "avg", "sum", "median"] } else { &["min", "max"] };
        options["mode"] = json!(pick(chance, modes));
    }
    match chance.random_range(0..4) {
        0 => options["missing"] = json!(pick(chance, &["_first", "_last"])),
        1 if is_number => options["missing"] = json!(chance.random_range(-10..10)),
        _ => {}
    }
    json!({ field: options })
}

/// Returns a date, or date math, as a bound of a range.
fn date(chance: &mut StdRng) -> Value {
    let ms = FIRST_MS + chance.random_range(0..SPAN_MS);
    let instant = jiff::Timestamp::from_millisecond(ms).unwrap();
    let format = |format: &str| json!(instant.strftime(format).to_string());
    match chance.random_range(0..8) {
        0 => json!(ms),
        1 => format("%Y-%m-%d"),
        2 => format("%Y-%m-%dT%H:%M"),
        3 => format("%Y-%m"),
        4 => json!(format!("{}||{}", instant.strftime("%Y-%m-%dT%H:%M:%S"), math(chance))),
        5 => json!(format!("{}||{}", instant.strftime("%Y-%m-%d"), math(chance))),
        _ => json!(format!("now{}", math(chance))),
    }
}

/// Returns one to three steps as in `-3d/d`.
fn math(chance: &mut StdRng) -> String {
    let mut math = String::new();
    for _ in 0..chance.random_range(0..3) {
        math += &match chance.random_range(0..5) {
            0 => format!("-{}d", chance.random_range(1..12)),
            1 => format!("-{}h", chance.random_range(1..60)),
            2 => "+1w".to_owned(),
            3 => format!("-{}m", chance.random_range(1..200)),
            _ => pick(chance, &["-1M", "+d", "-30s", "-1y+1y"]).to_owned(),
        };
    }
    if chance.random_bool(0.6) {
        math += pick(chance, &["/d", "/h", "/m", "/w", "/M", "/y", "/s"]);
    }
    math
}

/// Returns a value that documents may have in a field.
fn value(field: &str, chance: &mut StdRng) -> Value {
    match field {
        "station" => json!(pick(chance, &STATIONS)),
        "level.keyword" => json!(pick(chance, &LEVELS)),
        "code" => json!(pick(chance, &["a", "ab", "abcd", "abcde", "12"])),
        "place.name" => json!(pick(chance, &["roof", "cellar", "nowhere"])),
        "count" | "place.floor" => json!(chance.random_range(-12..12)),
        "temp" => json!(f64::from(chance.random_range(-160..160)) / 8.0),
        "ok" => pick(chance, &[json!(true), json!(false), json!("true")]),
        "at" => date(chance),
        "ip" => json!(pick(chance, &ADDRESSES)),
        _ => json!(pick(chance, &["rain", "wind", "info", "error", "WARN", "k12", "10.5mm"])),
    }
}
