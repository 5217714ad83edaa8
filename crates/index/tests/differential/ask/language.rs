//! Random texts in the query language.

use rand::RngExt;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use crate::documents::pick;

/// Returns a `query_string`.
pub(super) fn query_string(chance: &mut StdRng) -> Value {
    let mut body = json!({
        "query": group(chance, 3),
        "default_field": pick(chance, &["message", "title", "station"]),
    });
    if chance.random_bool(0.4) {
        body["default_operator"] = json!(pick(chance, &["AND", "OR", "and", "or"]));
    }
    json!({ "query_string": body })
}

/// Returns what stands in one pair of parentheses, joined in one way.
fn group(chance: &mut StdRng, depth: usize) -> String {
    let parts: Vec<String> = (0..chance.random_range(1..4)).map(|_| part(chance, depth)).collect();
    match chance.random_range(0..4) {
        0 => parts.join(" AND "),
        1 => parts.join(" OR "),
        2 => format!("{} AND NOT {}", parts.join(" AND "), part(chance, depth)),
        _ => {
            let mut signed = String::new();
            for (at, part) in parts.iter().enumerate() {
                // The first one is never forbidden: what only forbids means less inside of others.
                let signs: &[&str] = if at == 0 { &["", "+"] } else { &["", "+", "-"] };
                signed += pick(chance, signs);
                signed += part;
                signed += " ";
            }
            signed.trim_end().to_owned()
        }
    }
}

fn part(chance: &mut StdRng, depth: usize) -> String {
    if depth > 0 && chance.random_bool(0.3) {
        return format!("({})", group(chance, depth - 1));
    }
    let number = chance.random_range(0..12);
    let word = pick(chance, &["rain", "WIND", "gust", "timed_out", "10.5mm", "k12", "don't"]);
    match chance.random_range(0..14) {
        12 => pick(chance, &["/w.nds?/", "station:/k[0-9]+/", "level:/[a-w]+/"]).to_owned(),
        13 => pick(chance, &["rian~", "wnid~1", "SENSRO~", "station:k1~1", "gast~2"]).to_owned(),
        0..3 => word.to_owned(),
        3 => format!("title:{word}"),
        4 => format!("level.keyword:{}", pick(chance, &["ERROR", "INFO", "info", "\"two words\""])),
        5 => format!("{}\"rain {word}\"~{}", pick(chance, &["", "message:"]), number % 4),
        6 => format!("\"{word} of\""),
        7 => format!("count:{}{number}", pick(chance, &[">=", "<=", ">", "<", ""])),
        8 => {
            let (open, close) = (pick(chance, &['[', '{']), pick(chance, &[']', '}']));
            let (field, low, high) = pick(
                chance,
                &[
                    ("count", "-5", "7"),
                    ("temp", "*", "2.5"),
                    ("at", "2026-03-25", "now/d"),
                    ("at", "now-4d/d", "*"),
                    ("station", "k1", "k123"),
                    ("place.floor", "0", "3"),
                ],
            );
            format!("{field}:{open}{low} TO {high}{close}")
        }
        9 => format!("_exists_:{}", pick(chance, &["ip", "ok", "place.note", "nowhere"])),
        10 => pick(chance, &["station:k*", "ra?n", "message:W*", "level.keyword:*N*", "ip:*"])
            .to_owned(),
        _ => pick(chance, &["ok:true", "at:>=2026-03-25", "ip:\"10.0.0.1\"", "station:west-1"])
            .to_owned(),
    }
}
