//! Answers of queries within a number of bytes.

use std::io::{Error, Write};

use serde_json::{Value, json};

/// How many hits a reduced answer keeps.
const HITS_MAX: usize = 3;

/// Takes so many bytes and no more.
struct Limited {
    bytes: Vec<u8>,
    bytes_max: usize,
}

impl Write for Limited {
    fn write(&mut self, part: &[u8]) -> Result<usize, Error> {
        if self.bytes.len() + part.len() > self.bytes_max {
            return Err(Error::other("too long"));
        }
        self.bytes.extend_from_slice(part);
        Ok(part.len())
    }

    fn flush(&mut self) -> Result<(), Error> {
        Ok(())
    }
}

/// Returns whether an answer has no more bytes than so many.
pub(super) fn fits(answer: &Value, bytes_max: usize) -> bool {
    written(answer, bytes_max).is_some()
}

/// Returns an answer as JSON: the whole, or with three hits, or the number of hits alone.
pub(super) fn reduced(answer: &Value, bytes_max: usize) -> String {
    if let Some(whole) = written(answer, bytes_max) {
        return whole;
    }
    let hits = &answer["hits"];
    let first: Vec<&Value> = hits["hits"].as_array().into_iter().flatten().take(HITS_MAX).collect();
    let few = json!({
        "hits": { "total": hits["total"], "hits": first },
        "aggregations": answer["aggregations"],
        "reduced": true,
    });
    let least = || json!({ "hits": { "total": hits["total"] }, "reduced": true }).to_string();
    written(&few, bytes_max).unwrap_or_else(least)
}

fn written(answer: &Value, bytes_max: usize) -> Option<String> {
    let mut limited = Limited { bytes: Vec::new(), bytes_max };
    serde_json::to_writer(&mut limited, answer).ok()?;
    String::from_utf8(limited.bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_answers_are_reduced_and_stay_json() {
        let hit = json!({ "_source": { "message": "x".repeat(100) } });
        let answer = json!({
            "hits": { "total": { "value": 50 }, "hits": vec![hit; 50] },
            "aggregations": { "a": { "value": 1 } },
        });
        check(&answer, 100_000, 50);
        check(&answer, 2_000, 3);
        check(&answer, 100, 0);
    }

    #[track_caller]
    fn check(answer: &Value, bytes_max: usize, hits: usize) {
        let text = reduced(answer, bytes_max);
        assert!(text.len() <= bytes_max, "{text}");
        let kept: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(kept["hits"]["total"]["value"], 50);
        assert_eq!(kept["hits"]["hits"].as_array().map_or(0, Vec::len), hits);
    }
}
