//! Segments that are scanned by stretches give the same first hits as whole ones.

use std::time::Duration;

use pampero_opensearch::Mapping;
use pampero_opensearch::search::SearchRequest;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Map, json};
use tantivy::TantivyDocument;
use tantivy::schema::OwnedValue;

use super::*;
use crate::layout::Layout;
use crate::search::plan::Plan;

const DOCUMENTS: u32 = 3_000;

/// One segment whose `at` grows but for some noise, is the same for neighbours, and is missing at times.
fn snapshot() -> Snapshot {
    let layout = std::sync::Arc::new(Layout::new());
    let index = tantivy::Index::create_in_ram(layout.schema.clone());
    crate::analysis::register(&index);
    let mut writer = index.writer_with_num_threads(1, 15_000_000).unwrap();
    let mut chance = StdRng::seed_from_u64(3);
    for document in 0..DOCUMENTS {
        let mut stored = TantivyDocument::new();
        stored.add_text(layout.id, document.to_string());
        if chance.random_bool(0.95) {
            let at = i64::from(document / 30) + chance.random_range(0..4);
            let numbers = [("at".to_owned(), OwnedValue::I64(at))];
            stored.add_object(layout.numbers, numbers.into_iter().collect());
        }
        writer.add_document(stored).unwrap();
    }
    writer.commit().unwrap();
    let mapping = json!({ "properties": { "at": { "type": "date" } } });
    Snapshot {
        name: "i".into(),
        uuid: "u".into(),
        mapping: Mapping::from_json(&mapping).unwrap().into(),
        settings: Map::new().into(),
        layout,
        searcher: index.reader().unwrap().searcher(),
    }
}

#[test]
fn stretches_give_the_same_first_hits_as_the_whole() {
    let snapshots = [snapshot()];
    for order in ["asc", "desc"] {
        for missing in ["_last", "_first"] {
            let sort = json!([{ "at": { "order": order, "missing": missing } }]);
            let request = SearchRequest::from_json(&json!({ "sort": sort })).unwrap();
            let plan =
                Plan::new(&snapshots, &request, "2026-05-18T10:00:00Z".parse().unwrap()).unwrap();
            for total_max in [None, Some(10), Some(1_000), Some(u64::MAX)] {
                let first = |stretch| {
                    let wanted = Wanted {
                        order: &plan.order,
                        count: 25,
                        total_max,
                        after: None,
                        group: None,
                        terminate_after: None,
                        scores: false,
                        constant_scores: false,
                        stretch,
                        deadline: Instant::now() + Duration::from_secs(60),
                    };
                    scan(&plan.shards, &wanted)
                };
                let (whole, cut) = (first(DOCUMENTS), first(64));
                let documents = |found: &Found| -> Vec<u32> {
                    found.positions.iter().map(|position| position.address.document).collect()
                };
                assert_eq!(documents(&cut), documents(&whole), "{order} {missing} {total_max:?}");
                assert_eq!(cut.positions.len(), 25);
                let reached =
                    |found: &Found| total_max.is_none_or(|most| found.total > most.min(2_999));
                assert!(reached(&whole) && reached(&cut), "{} {}", whole.total, cut.total);
            }
        }
    }
}
