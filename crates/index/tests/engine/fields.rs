//! Fields that documents bring along.

use std::thread;

use pampero_index::UpdateBody;
use serde_json::json;

use crate::scene::{Scene, at_ms, object, put, update, visible, write_one};

#[test]
fn new_fields_are_mapped_before_the_document_is_acknowledged() {
    let mut scene = Scene::new();
    let index = scene.index();
    let documents = [r#"{"n":1}"#, r#"{"n":2,"text":"sensor timed out"}"#, r#"{"ok":true}"#];
    let operations = documents.iter().enumerate().map(|(id, it)| put(&id.to_string(), it));
    assert!(index.write(operations.collect(), at_ms(0)).iter().all(Result::is_ok));
    let body = UpdateBody { doc: object(json!({"room": {"t": 1.5}})), ..UpdateBody::default() };
    write_one(&index, update("0", body)).unwrap();
    let expected = json!({
        "n": { "type": "long" },
        "text": {
            "type": "text",
            "fields": { "keyword": { "type": "keyword", "ignore_above": 256 } },
        },
        "ok": { "type": "boolean" },
        "room": { "properties": { "t": { "type": "float" } } },
    });
    assert_eq!(index.mapping().to_json()["properties"], expected);
    drop(index);
    scene.crash();
    assert_eq!(scene.open().mapping().to_json()["properties"], expected);
}

#[test]
fn a_value_that_does_not_fit_is_refused_alone() {
    let scene = Scene::new();
    let index = scene.index();
    let written = index.write(
        vec![put("1", r#"{"n":1}"#), put("2", r#"{"n":"warm"}"#), put("3", r#"{"n":3}"#)],
        at_ms(0),
    );
    let refusal = written[1].as_ref().unwrap_err();
    assert_eq!((refusal.kind().as_str(), refusal.status()), ("mapper_parsing_exception", 400));
    assert_eq!(written[2].as_ref().unwrap().seq_no, 1);
    index.refresh().unwrap();
    assert_eq!(visible(&index, at_ms(0)), 2);
}

#[test]
fn types_stay_as_they_are() {
    let scene = Scene::new();
    let index = scene.index();
    let field = |kind: &str| json!({ "properties": { "n": { "type": kind } } });
    index.put_mapping(&field("long")).unwrap();
    let before = index.mapping().to_json();
    assert_eq!(index.put_mapping(&field("text")).unwrap_err().status(), 400);
    assert_eq!(index.mapping().to_json(), before);
}

#[test]
fn many_writers_may_bring_the_same_new_fields() {
    let scene = Scene::new();
    let index = scene.index();
    let source = |writer: usize, at: usize| format!(r#"{{"f{}":1,"g{writer}":"x"}}"#, at % 10);
    thread::scope(|threads| {
        for writer in 0..4 {
            let index = &index;
            threads.spawn(move || {
                for at in 0..20 {
                    let id = format!("{writer}-{at}");
                    write_one(index, put(&id, &source(writer, at))).unwrap();
                }
            });
        }
    });
    let mapped = index.mapping().to_json();
    let fields: Vec<&String> = mapped["properties"].as_object().unwrap().keys().collect();
    assert_eq!(fields.len(), 14, "{fields:?}");
    index.refresh().unwrap();
    assert_eq!(visible(&index, at_ms(0)), 80);
}

#[test]
fn values_can_be_found_where_the_layout_puts_them() {
    let scene = Scene::new();
    let index = scene.index();
    let source = json!({
        "level": "ERROR",
        "error": { "chain": ["timed out", "no route"] },
        "n": [1, -2],
        "x": 1.5,
        "ok": true,
    });
    write_one(&index, put("7", &source.to_string())).unwrap();
    index.refresh().unwrap();
    let snapshot = index.snapshot(at_ms(0)).unwrap();
    let columns = snapshot.searcher.segment_readers()[0].fast_fields();
    let words = columns.str("k.error.chain.keyword").unwrap().unwrap();
    assert_eq!(words.term_ords(0).count(), 2);
    assert!(columns.str("k.level.keyword").unwrap().is_some());
    assert_eq!(columns.i64("n.n").unwrap().values_for_doc(0).collect::<Vec<i64>>(), [1, -2]);
    assert_eq!(columns.f64("n.x").unwrap().first(0), Some(1.5));
    assert_eq!(columns.bool("n.ok").unwrap().first(0), Some(true));
    check_found(&index, "error.chain", "route", true);
    check_found(&index, "error.chain", "missing", false);
    check_found(&index, "level", "error", true);
}

#[track_caller]
fn check_found(index: &pampero_index::Index, path: &str, word: &str, found: bool) {
    let snapshot = index.snapshot(at_ms(0)).unwrap();
    let field = snapshot.layout.text(pampero_opensearch::mapping::Analyzer::Standard);
    let mut term = tantivy::Term::from_field_json_path(field, path, true);
    term.append_type_and_str(word);
    let count = snapshot.searcher.doc_freq(&term).unwrap();
    assert_eq!(count == 1, found, "{path}: {word}");
}

#[test]
fn strange_documents_do_no_harm() {
    let scene = Scene::new();
    let index = scene.index();
    let long = "word ".repeat(200_000);
    let sources = [
        json!({ "a\u{0}b": "zero", "c\u{1}d": 1 }),
        json!({ "long": long, "longest": "x".repeat(1 << 20) }),
        json!({ "": 1 }),
        json!({ "many": (0..20_000).collect::<Vec<u32>>() }),
        json!({ "big": u64::MAX, "small": f64::MIN_POSITIVE, "text": "\u{0}\u{1}\u{fffd}" }),
    ];
    for (id, source) in sources.iter().enumerate() {
        let _ = write_one(&index, put(&id.to_string(), &source.to_string()));
    }
    let _ = write_one(&index, put("invalid", "\u{feff}{}"));
    write_one(&index, put("last", "{}")).unwrap();
    index.refresh().unwrap();
    let found = index.get("1", false).unwrap().unwrap();
    assert_eq!(found.source.len(), sources[1].to_string().len());
    assert!(index.get("last", false).unwrap().is_some());
}
