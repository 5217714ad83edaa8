//! Scrolls: every hit once, in the order of one search, counted exactly.

use pampero_index::Snapshot;
use pampero_index::search::{SearchOptions, search_page};
use pampero_opensearch::search::SearchRequest;
use serde_json::{Value, json};

use crate::kit::{Kit, ids, now, write};

/// Scrolls to the end, and returns the ids of all pages.
fn scroll(snapshots: &[Snapshot], body: &Value) -> Vec<String> {
    let request = SearchRequest::from_json(body).unwrap();
    let options = SearchOptions::default();
    let mut cursor = None;
    let mut seen = Vec::new();
    loop {
        let (page, next) = search_page(snapshots, &request, &options, cursor, now()).unwrap();
        assert_eq!(page["hits"]["total"], json!({ "value": 500, "relation": "eq" }));
        let found = ids(&page);
        if found.is_empty() {
            assert!(next.is_at_end());
            return seen;
        }
        seen.extend(found.into_iter().map(str::to_owned));
        cursor = Some(next);
    }
}

fn five_hundred() -> Kit {
    let kit = Kit::new();
    for name in ["a", "b"] {
        let index = kit.create(name, json!({ "n": { "type": "long" } }));
        for part in 0..5 {
            let documents: Vec<(String, Value)> =
                (0..50).map(|at| (format!("{name}{part}-{at}"), json!({ "n": at % 7 }))).collect();
            write(&index, &documents);
        }
    }
    kit
}

#[test]
fn scroll_shows_every_hit_once_in_order() {
    let kit = five_hundred();
    let snapshots = kit.snapshots();
    for sort in [json!([]), json!(["_doc"]), json!([{ "n": "desc" }]), json!([{ "_doc": "desc" }])]
    {
        let whole = kit.search(&json!({ "sort": sort, "size": 1000 }));
        for size in [7, 100, 500, 501] {
            let seen = scroll(&snapshots, &json!({ "sort": sort, "size": size }));
            assert_eq!(seen, ids(&whole), "{size} by {sort}");
        }
    }
}

#[test]
fn scroll_does_not_see_later_writes() {
    let kit = five_hundred();
    let snapshots = kit.snapshots();
    let index = kit.create("c", json!({}));
    write(&index, &[("new".to_owned(), json!({}))]);
    assert_eq!(scroll(&snapshots, &json!({ "size": 90 })).len(), 500);
}

#[test]
fn what_makes_no_sense_in_a_scroll_is_refused() {
    let kit = five_hundred();
    for (body, reason) in [
        (json!({ "from": 1 }), "[from] is not allowed"),
        (json!({ "size": 0 }), "[size] cannot be [0]"),
        (json!({ "track_total_hits": false }), "disabling [track_total_hits]"),
        (json!({ "sort": ["n"], "search_after": [1] }), "`search_after` cannot be used"),
        (json!({ "collapse": { "field": "n" } }), "cannot use `collapse`"),
    ] {
        let request = SearchRequest::from_json(&body).unwrap();
        let options = SearchOptions::default();
        let refused = search_page(&kit.snapshots(), &request, &options, None, now()).unwrap_err();
        assert!(refused.reason().contains(reason), "{body}: {refused}");
    }
}
