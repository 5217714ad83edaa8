//! What survives a restart, a damaged file and a newer version.

use std::time::Duration;

use tempfile::TempDir;

use super::*;
use crate::alert::AlertState;
use crate::history::HistoryCause;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_795_500_000 + seconds).unwrap()
}

fn source(trigger: &str) -> SourceId {
    SourceId {
        kind: SourceKind::Monitor,
        definition: "error_logs".to_owned(),
        trigger: trigger.to_owned(),
    }
}

fn entry(seconds: i64, trigger: &str) -> HistoryEntry {
    HistoryEntry {
        id: 0,
        at: at(seconds),
        source: source(trigger),
        cause: HistoryCause::Evaluation,
        error: None,
        value: Some(3.0),
        changes: Vec::new(),
        change_count: 0,
        messages: Vec::new(),
        throttled: 0,
        remarks: Vec::new(),
        answer: Some("{}".to_owned()),
    }
}

fn finished(number: i64) -> Alert {
    Alert {
        id: format!("alert-{number}"),
        version: 2,
        source: source("count_error"),
        key: pampero_series::Labels::empty(),
        definition_name: "Error Weather Logs".to_owned(),
        name: "count_error".to_owned(),
        severity: 1,
        state: AlertState::Completed,
        since: at(number),
        started: Some(at(number)),
        ended: Some(at(number + 1)),
        acknowledged: None,
        seen: at(number),
        told: None,
        value: None,
        error: None,
        annotations: Vec::new(),
    }
}

#[test]
fn history_is_read_by_source_and_page() {
    let folder = TempDir::new().unwrap();
    let (mut store, _, word) = Store::open(folder.path(), at(0)).unwrap();
    assert_eq!(word, None);
    let entries = (0..10).map(|n| entry(n, if n % 2 == 0 { "even" } else { "odd" })).collect();
    store.apply(&Batch { history: entries, ..Batch::default() }).unwrap();
    let filter = HistoryFilter {
        definition: Some("error_logs".to_owned()),
        trigger: Some("odd".to_owned()),
        limit: 2,
        ..HistoryFilter::default()
    };
    let page = store.history(&filter).unwrap();
    assert_eq!(page.iter().map(|entry| entry.at).collect::<Vec<_>>(), [at(9), at(7)]);
    assert_eq!(page[0].answer.as_deref(), Some("{}"));
    let before = page.last().map(|entry| entry.id);
    let from = Some(at(4));
    let page = store.history(&HistoryFilter { before, from, ..filter.clone() }).unwrap();
    assert_eq!(page.iter().map(|entry| entry.at).collect::<Vec<_>>(), [at(5)]);
    let (from, to) = (Some(at(3)), Some(at(7)));
    let page = store.history(&HistoryFilter { from, to, ..filter }).unwrap();
    assert_eq!(page.iter().map(|entry| entry.at).collect::<Vec<_>>(), [at(5), at(3)]);
}

#[test]
fn old_and_surplus_entries_are_forgotten() {
    let folder = TempDir::new().unwrap();
    let (mut store, ..) = Store::open(folder.path(), at(0)).unwrap();
    let over = (0..10).map(finished).collect();
    let rows = vec![Rows { over, ..Rows::default() }];
    let history = (0..10).map(|n| entry(n * 100, "a")).collect();
    store.apply(&Batch { history, rows, ..Batch::default() }).unwrap();
    let keep = Retention {
        history_for: Duration::from_secs(500),
        history_max: 3,
        finished_max: 4,
        delivered_for: Duration::from_secs(500),
        delivered_max: 10,
        dead_max: 10,
    };
    store.tidy(at(400), &keep).unwrap();
    let everything = HistoryFilter { limit: 100, ..HistoryFilter::default() };
    assert_eq!(store.history(&everything).unwrap().len(), 3);
    let left = store.finished(&AlertFilter::default(), 100).unwrap();
    let ids: Vec<&str> = left.iter().map(|alert| alert.id.as_str()).collect();
    assert_eq!(ids, ["alert-9", "alert-8", "alert-7", "alert-6"]);
    store.tidy(at(1_350), &keep).unwrap();
    assert_eq!(store.history(&everything).unwrap().len(), 1);
    assert!(store.finished(&AlertFilter::default(), 100).unwrap().is_empty());
}

#[test]
fn a_folder_is_for_one_process_at_a_time() {
    let folder = TempDir::new().unwrap();
    let first = Store::open(folder.path(), at(0)).unwrap();
    let error = Store::open(folder.path(), at(0)).map(drop).unwrap_err();
    assert!(matches!(error, StoreError::InUse { .. }), "{error}");
    drop(first);
    Store::open(folder.path(), at(0)).unwrap();
}

#[test]
fn damaged_files_are_put_aside_and_a_new_one_begins() {
    let garbage = |file: &Path| std::fs::write(file, "this is no database, ".repeat(500)).unwrap();
    check_damage(garbage);
    // The first page is whole, and the rest is not.
    check_damage(|file| {
        let mut bytes = std::fs::read(file).unwrap();
        bytes[4_096..].fill(0xa5);
        std::fs::write(file, bytes).unwrap();
    });
    check_damage(|file| {
        let connection = Connection::open(file).unwrap();
        connection.execute("UPDATE alerts SET body = '{\"half\":', is_over = 0", []).unwrap();
    });
    check_damage(|file| {
        Connection::open(file).unwrap().execute_batch("DROP TABLE outbox").unwrap();
    });
    check_damage(|file| {
        Connection::open(file).unwrap().execute_batch("PRAGMA application_id = 7").unwrap();
    });
}

#[track_caller]
fn check_damage(damage: impl Fn(&Path)) {
    let folder = TempDir::new().unwrap();
    let (mut store, ..) = Store::open(folder.path(), at(0)).unwrap();
    let rows = vec![Rows { over: vec![finished(1)], ..Rows::default() }];
    store.apply(&Batch { rows, ..Batch::default() }).unwrap();
    drop(store);
    damage(&folder.path().join("alerts.db"));
    let (mut store, loaded, word) = Store::open(folder.path(), at(5)).unwrap();
    let word = word.expect("a word of the damage");
    assert!(word.contains("put aside as alerts.db.damaged-"), "{word}");
    assert!(loaded.live.is_empty());
    let aside = std::fs::read_dir(folder.path()).unwrap();
    let names: Vec<String> =
        aside.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    assert!(names.iter().any(|name| name.starts_with("alerts.db.damaged-")), "{names:?}");
    store.apply(&Batch { history: vec![entry(1, "a")], ..Batch::default() }).unwrap();
}

#[test]
fn a_file_of_a_newer_version_is_left_alone() {
    let folder = TempDir::new().unwrap();
    drop(Store::open(folder.path(), at(0)).unwrap());
    let file = folder.path().join("alerts.db");
    Connection::open(&file).unwrap().execute_batch("PRAGMA user_version = 2").unwrap();
    let error = Store::open(folder.path(), at(0)).map(drop).unwrap_err();
    assert!(matches!(error, StoreError::Newer { found: 2, known: 1, .. }), "{error}");
    assert!(file.exists());
}
