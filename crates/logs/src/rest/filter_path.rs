//! `filter_path`: which parts of an answer are sent.

use pampero_opensearch::names::matches;
use serde_json::{Map, Value};

/// The patterns of one `filter_path`.
///
/// A pattern is a dotted path; `*` stands for any part of one name, `**` for any number of names, a
/// leading `-` takes away. What is included and not taken away stays.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct FilterPath {
    includes: Vec<Vec<String>>,
    excludes: Vec<Vec<String>>,
}

/// A pattern and how many of its names are matched so far.
type Place<'a> = (&'a [String], usize);

impl FilterPath {
    /// Reads a comma list of patterns; `None` when there is no pattern in it.
    pub(crate) fn read(list: &str) -> Option<Self> {
        let mut filter = Self::default();
        for pattern in list.split(',').map(str::trim).filter(|pattern| !pattern.is_empty()) {
            match pattern.strip_prefix('-') {
                Some(pattern) => filter.excludes.push(names(pattern)),
                None => filter.includes.push(names(pattern)),
            }
        }
        (filter != Self::default()).then_some(filter)
    }

    /// Returns what stays of an answer; `{}` when nothing does.
    pub(crate) fn apply(&self, mut answer: Value) -> Value {
        if !self.includes.is_empty() {
            let places: Vec<Place<'_>> = self.includes.iter().map(|it| (&it[..], 0)).collect();
            answer = include(answer, &places).unwrap_or_else(|| Value::Object(Map::new()));
        }
        if !self.excludes.is_empty() {
            let places: Vec<Place<'_>> = self.excludes.iter().map(|it| (&it[..], 0)).collect();
            answer = exclude(answer, &places).unwrap_or_else(|| Value::Object(Map::new()));
        }
        answer
    }
}

/// Cuts a pattern at its dots; `\.` is a dot that belongs to a name.
fn names(pattern: &str) -> Vec<String> {
    let mut names = vec![String::new()];
    let mut characters = pattern.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\\' if characters.peek() == Some(&'.') => {
                characters.next();
                last(&mut names).push('.');
            }
            '.' => names.push(String::new()),
            other => last(&mut names).push(other),
        }
    }
    // Several of them in a row say what one says.
    names.dedup_by(|name, before| name == "**" && before == "**");
    names
}

fn last(names: &mut [String]) -> &mut String {
    names.last_mut().expect("there is one from the start")
}

/// Returns the places after a name, and whether a pattern ends there.
fn step<'a>(places: &[Place<'a>], name: &str) -> (Vec<Place<'a>>, bool) {
    let mut after = Vec::new();
    let mut ends = false;
    for &(pattern, at) in places {
        let mut at = at;
        // `**` matches no name at all as well, so the pattern behind it is tried in its place.
        while pattern.get(at).is_some_and(|it| it == "**") {
            after.push((pattern, at));
            at += 1;
            ends |= at == pattern.len();
        }
        if pattern.get(at).is_some_and(|it| matches(it, name)) {
            ends |= at + 1 == pattern.len();
            after.push((pattern, at + 1));
        }
    }
    // The same place may be reached in many ways, and more of them at each level.
    let key = |&(pattern, at): &Place<'a>| (pattern.as_ptr(), at);
    after.sort_unstable_by_key(key);
    after.dedup_by_key(|place| key(place));
    (after, ends)
}

fn include(value: Value, places: &[Place<'_>]) -> Option<Value> {
    match value {
        Value::Object(entries) => {
            let kept: Map<String, Value> = entries
                .into_iter()
                .filter_map(|(name, inner)| {
                    let (after, ends) = step(places, &name);
                    let kept = if ends { Some(inner) } else { include(inner, &after) };
                    kept.map(|kept| (name, kept))
                })
                .collect();
            (!kept.is_empty()).then_some(Value::Object(kept))
        }
        Value::Array(items) if !places.is_empty() => {
            let kept: Vec<Value> =
                items.into_iter().filter_map(|item| include(item, places)).collect();
            (!kept.is_empty()).then_some(Value::Array(kept))
        }
        _ => None,
    }
}

fn exclude(value: Value, places: &[Place<'_>]) -> Option<Value> {
    match value {
        Value::Object(entries) => {
            let was_empty = entries.is_empty();
            let kept: Map<String, Value> = entries
                .into_iter()
                .filter_map(|(name, inner)| {
                    let (after, ends) = step(places, &name);
                    let kept = if ends { None } else { exclude(inner, &after) };
                    kept.map(|kept| (name, kept))
                })
                .collect();
            (was_empty || !kept.is_empty()).then_some(Value::Object(kept))
        }
        Value::Array(items) => {
            let was_empty = items.is_empty();
            let kept: Vec<Value> =
                items.into_iter().filter_map(|item| exclude(item, places)).collect();
            (was_empty || !kept.is_empty()).then_some(Value::Array(kept))
        }
        scalar => Some(scalar),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(list: &str, expected: &Value) {
        let answer = json!({
            "took": 3,
            "hits": { "total": { "value": 2 }, "hits": [
                { "_id": "1", "_source": { "a": 1, "b.c": 2 } },
                { "_id": "2", "_source": { "d": { "_id": 5 } } },
            ] },
            "_shards": { "failed": 0 },
        });
        let filtered = FilterPath::read(list).map_or(answer.clone(), |it| it.apply(answer));
        assert_eq!(&filtered, expected, "{list}");
    }

    #[test]
    fn what_is_included_and_not_taken_away_stays() {
        check("took", &json!({ "took": 3 }));
        check("took,hits.total", &json!({ "took": 3, "hits": { "total": { "value": 2 } } }));
        check("hits.hits._id", &json!({ "hits": { "hits": [{ "_id": "1" }, { "_id": "2" }] } }));
        check("hits.hits._so*.a", &json!({ "hits": { "hits": [{ "_source": { "a": 1 } }] } }));
        check(
            "hits.hits._source.b\\.c",
            &json!({ "hits": { "hits": [{ "_source": { "b.c": 2 } }] } }),
        );
        check("*.total.value", &json!({ "hits": { "total": { "value": 2 } } }));
        check(
            "hits.**._id",
            &json!({ "hits": { "hits": [
                { "_id": "1" },
                { "_id": "2", "_source": { "d": { "_id": 5 } } },
            ] } }),
        );
        check("_shards.**", &json!({ "_shards": { "failed": 0 } }));
        check("-hits,-took", &json!({ "_shards": { "failed": 0 } }));
        check("hits,-*.hits", &json!({ "hits": { "total": { "value": 2 } } }));
        check(
            "hits.hits,-hits.hits._source",
            &json!({ "hits": { "hits": [
            { "_id": "1" }, { "_id": "2" },
        ] } }),
        );
        check("nothing", &json!({}));
        check("took.deeper", &json!({}));
        check("-**", &json!({}));
    }

    #[test]
    fn places_do_not_multiply_with_depth() {
        let deep = |levels: usize| {
            (0..levels).fold(json!({ "last": 1 }), |inner, _| json!({ "a": inner, "b": 2 }))
        };
        for list in ["**.".repeat(1_000) + "last", "**.*.".repeat(20) + "last"] {
            let filter = FilterPath::read(&list).unwrap();
            let filtered = filter.apply(deep(100)).to_string();
            assert!(filtered.contains("last") && !filtered.contains("\"b\""), "{list}");
        }
    }

    #[test]
    fn a_list_without_patterns_filters_nothing() {
        assert_eq!(FilterPath::read(" , "), None);
    }
}
