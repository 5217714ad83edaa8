//! Random documents over two indices in several segments, sorted and paged in random ways, and the same
//! worked out naively.

use std::cmp::Ordering;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Map, Value, json};

use crate::kit::{Kit, delete, hits, ids, write};

/// The fields of the documents and how many values one may have.
const FIELDS: [&str; 6] = ["long", "double", "keyword", "boolean", "date", "unsigned"];

/// A document as the model keeps it.
#[derive(Clone)]
struct Document {
    id: String,
    index: &'static str,
    source: Map<String, Value>,
}

/// A value that can be compared.
#[derive(Clone, Debug, PartialEq)]
enum Comparable {
    Integer(i128),
    Decimal(f64),
    Text(String),
}

fn mapping() -> Value {
    json!({
        "long": { "type": "long" }, "double": { "type": "double" },
        "keyword": { "type": "keyword" }, "boolean": { "type": "boolean" },
        "date": { "type": "date" }, "unsigned": { "type": "unsigned_long" },
        "unique": { "type": "long" },
    })
}

fn random_value(field: &str, chance: &mut StdRng) -> Value {
    match field {
        "long" => json!(chance.random_range(-20..20)),
        "double" => json!(f64::from(chance.random_range(-40..40)) / 4.0),
        "keyword" => json!(format!("k{}", chance.random_range(0..30))),
        "boolean" => json!(chance.random_bool(0.5)),
        "date" => json!(chance.random_range(1_700_000_000_000_i64..1_700_000_000_050)),
        _ => json!(u64::MAX - chance.random_range(1..10)),
    }
}

fn random_source(unique: usize, chance: &mut StdRng) -> Map<String, Value> {
    let mut source = Map::new();
    source.insert("unique".to_owned(), json!(unique));
    for field in FIELDS {
        let count = [0, 1, 1, 1, 2, 3][chance.random_range(0..6)];
        let mut values: Vec<Value> = (0..count).map(|_| random_value(field, chance)).collect();
        match values.len() {
            0 => {}
            1 => drop(source.insert(field.to_owned(), values.remove(0))),
            _ => drop(source.insert(field.to_owned(), Value::Array(values))),
        }
    }
    source
}

/// Fills two indices, several segments each, with some documents overwritten and some deleted.
fn fill(kit: &Kit, chance: &mut StdRng) -> Vec<Document> {
    let mut documents: Vec<Document> = Vec::new();
    let mut unique = 0;
    for name in ["alpha", "beta"] {
        let index = kit.create(name, mapping());
        for _ in 0..4 {
            let mut batch = Vec::new();
            for _ in 0..chance.random_range(10..60) {
                let id = format!("{name}-{}", chance.random_range(0..120));
                let source = random_source(unique, chance);
                unique += 1;
                documents.retain(|document| document.id != id);
                batch.push((id.clone(), Value::Object(source.clone())));
                documents.push(Document { id, index: name, source });
            }
            write(&index, &batch);
        }
        let gone: Vec<String> = documents
            .iter()
            .filter(|document| document.index == name)
            .map(|document| document.id.clone())
            .filter(|_| chance.random_bool(0.1))
            .collect();
        delete(&index, &gone);
        documents.retain(|document| !gone.contains(&document.id));
    }
    documents
}

fn comparable(field: &str, value: &Value) -> Comparable {
    match (field, value) {
        ("double", value) => Comparable::Decimal(value.as_f64().unwrap()),
        (_, Value::String(text)) => Comparable::Text(text.clone()),
        (_, Value::Bool(it)) => Comparable::Integer((*it).into()),
        (_, number) => Comparable::Integer(
            number.as_i64().map_or_else(|| number.as_u64().unwrap().into(), i128::from),
        ),
    }
}

/// Returns the value by which a document is sorted; `None` when it has none.
fn sort_value(document: &Document, field: &str, mode: &str) -> Option<Comparable> {
    let values: Vec<Comparable> = match document.source.get(field)? {
        Value::Array(values) => values.iter().map(|value| comparable(field, value)).collect(),
        value => vec![comparable(field, value)],
    };
    let order = |one: &&Comparable, other: &&Comparable| compare_values(one, other);
    match mode {
        "min" => values.iter().min_by(order).cloned(),
        _ => values.iter().max_by(order).cloned(),
    }
}

fn compare_values(one: &Comparable, other: &Comparable) -> Ordering {
    match (one, other) {
        (Comparable::Integer(one), Comparable::Integer(other)) => one.cmp(other),
        (Comparable::Decimal(one), Comparable::Decimal(other)) => one.total_cmp(other),
        (Comparable::Text(one), Comparable::Text(other)) => one.cmp(other),
        _ => panic!("{one:?} and {other:?} are of one field"),
    }
}

/// A sort key as the model knows it.
struct ModelKey {
    field: &'static str,
    descending: bool,
    missing_first: bool,
    mode: &'static str,
}

impl ModelKey {
    fn random(chance: &mut StdRng) -> Self {
        let descending = chance.random_bool(0.5);
        let default = if descending { "max" } else { "min" };
        Self {
            field: FIELDS[chance.random_range(0..FIELDS.len())],
            descending,
            missing_first: chance.random_bool(0.3),
            mode: [default, "min", "max"][chance.random_range(0..3)],
        }
    }

    fn to_json(&self) -> Value {
        json!({ self.field: {
            "order": if self.descending { "desc" } else { "asc" },
            "missing": if self.missing_first { "_first" } else { "_last" },
            "mode": self.mode,
        } })
    }

    fn compare(&self, one: &Document, other: &Document) -> Ordering {
        let value = |document| sort_value(document, self.field, self.mode);
        let missing = if self.missing_first { Ordering::Less } else { Ordering::Greater };
        match (value(one), value(other)) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => missing,
            (Some(_), None) => missing.reverse(),
            (Some(one), Some(other)) => {
                let ordering = compare_values(&one, &other);
                if self.descending { ordering.reverse() } else { ordering }
            }
        }
    }
}

#[test]
fn random_orders_agree_with_the_model() {
    for seed in 0..2 {
        let mut chance = StdRng::seed_from_u64(seed);
        let kit = Kit::new();
        let mut documents = fill(&kit, &mut chance);
        for _ in 0..25 {
            let keys: Vec<ModelKey> =
                (0..chance.random_range(1..4)).map(|_| ModelKey::random(&mut chance)).collect();
            let mut sort: Vec<Value> = keys.iter().map(ModelKey::to_json).collect();
            sort.push(json!("unique"));
            documents.sort_by(|one, other| {
                keys.iter()
                    .map(|key| key.compare(one, other))
                    .find(|ordering| ordering.is_ne())
                    .unwrap_or_else(|| {
                        one.source["unique"].as_u64().cmp(&other.source["unique"].as_u64())
                    })
            });
            let expected: Vec<&str> =
                documents.iter().map(|document| document.id.as_str()).collect();
            check_pages(&kit, &sort, &expected, &mut chance);
        }
    }
}

/// Asks for everything, then for pages by `from`, then for pages by `search_after`.
#[track_caller]
fn check_pages(kit: &Kit, sort: &[Value], expected: &[&str], chance: &mut StdRng) {
    let whole = kit.search(&json!({ "sort": sort, "size": 1000 }));
    assert_eq!(ids(&whole), expected, "seeded sort {sort:?}");
    assert_eq!(whole["hits"]["total"]["value"], expected.len());
    let size = chance.random_range(10..60);
    let from = chance.random_range(0..expected.len());
    let page = kit.search(&json!({ "sort": sort, "size": size, "from": from }));
    let end = expected.len().min(from + size);
    assert_eq!(ids(&page), expected[from..end], "{size} from {from} of {sort:?}");
    let mut after = Value::Null;
    let mut seen: Vec<String> = Vec::new();
    loop {
        let mut body = json!({ "sort": sort, "size": size });
        if !after.is_null() {
            body["search_after"] = after;
        }
        let page = kit.search(&body);
        seen.extend(ids(&page).into_iter().map(str::to_owned));
        match hits(&page).last() {
            Some(last) if seen.len() <= expected.len() => after = last["sort"].clone(),
            _ => break,
        }
    }
    assert_eq!(seen, expected, "pages of {size} by {sort:?}");
}

#[test]
fn ties_keep_their_order_over_pages() {
    let mut chance = StdRng::seed_from_u64(77);
    let kit = Kit::new();
    let documents = fill(&kit, &mut chance);
    for sort in [json!(["boolean"]), json!([{ "boolean": "desc" }]), json!(["_doc"]), json!([])] {
        let whole = kit.search(&json!({ "sort": sort, "size": 1000 }));
        let expected: Vec<&str> = ids(&whole);
        assert_eq!(expected.len(), documents.len());
        let mut seen = Vec::new();
        for from in (0..expected.len()).step_by(7) {
            let page = kit.search(&json!({ "sort": sort, "from": from, "size": 7 }));
            seen.extend(ids(&page).into_iter().map(str::to_owned));
        }
        assert_eq!(seen, expected, "{sort}");
        // The first index comes first among equals.
        if sort == json!(["_doc"]) || sort == json!([]) {
            assert!(expected.is_sorted_by_key(|id| id.split('-').next()), "{sort}");
        }
    }
}

#[test]
fn ids_sort_as_text() {
    let mut chance = StdRng::seed_from_u64(5);
    let kit = Kit::new();
    let mut expected: Vec<String> =
        fill(&kit, &mut chance).into_iter().map(|document| document.id).collect();
    expected.sort();
    let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
    check_pages(&kit, &[json!("_id")], &expected, &mut chance);
    let backwards: Vec<&str> = expected.into_iter().rev().collect();
    check_pages(&kit, &[json!({ "_id": "desc" })], &backwards, &mut chance);
}
