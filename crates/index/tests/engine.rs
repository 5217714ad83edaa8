//! Indices on disk: versions, refreshes, recovery.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use jiff::Timestamp;
use pampero_index::{Action, IndexOptions, Indices, Operation, Outcome, VersionCheck};
use pampero_opensearch::Mapping;
use serde_json::Map;
use tempfile::TempDir;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_780_000_000 + second).unwrap()
}

#[test]
fn smoke() {
    let folder = TempDir::new().unwrap();
    let indices = Indices::open(folder.path(), IndexOptions::default()).unwrap();
    let index = indices.create("logs", Map::new(), Mapping::default(), at(0)).unwrap();
    let operation = Operation {
        id: Some("7".to_owned()),
        action: Action::Index(r#"{"a":1}"#.into()),
        routing: None,
        check: VersionCheck::None,
    };
    let written = index.write(vec![operation.clone(), operation], at(0));
    assert_eq!(written[0].as_ref().unwrap().outcome, Outcome::Created);
    assert_eq!(written[1].as_ref().unwrap().outcome, Outcome::Updated);
    assert_eq!(index.get("7", true).unwrap().unwrap().version, 2);
    assert!(index.get("7", false).unwrap().is_none());
    index.refresh().unwrap();
    assert_eq!(index.get("7", false).unwrap().unwrap().version, 2);
    assert_eq!(index.snapshot(at(1)).unwrap().searcher.num_docs(), 1);
    indices.close();
}
