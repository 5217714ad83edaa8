//! When what was written can be searched and is committed.

use std::thread;

use pampero_index::Operation;
use serde_json::json;

use crate::scene::{NAME, Scene, at_ms, object, put, source, visible, write_one};

#[test]
fn an_index_that_is_searched_is_refreshed_a_second_after_a_write() {
    let scene = Scene::new();
    let index = scene.index();
    assert_eq!(visible(&index, at_ms(0)), 0);
    index.write(vec![put("7", "{}")], at_ms(100));
    scene.indices().tick(at_ms(1_099));
    assert_eq!(visible(&index, at_ms(1_099)), 0);
    scene.indices().tick(at_ms(1_100));
    assert_eq!(visible(&index, at_ms(1_100)), 1);
}

/// A writer has threads and, as soon as it is given a document, megabytes of memory.
#[test]
fn a_few_operations_need_no_writer_until_they_are_committed() {
    let scene = Scene::new();
    let index = scene.index();
    let tantivy = tantivy::Index::open_in_dir(scene.index_folder()).unwrap();
    let is_written_to =
        || tantivy.writer_with_num_threads::<tantivy::TantivyDocument>(1, 15_000_000).is_err();
    index.write((0..100).map(|n| put(&n.to_string(), r#"{"a":1}"#)).collect(), at_ms(0));
    assert!(!is_written_to());
    assert_eq!(source(&index, "7").as_deref(), Some(r#"{"a":1}"#));
    let long = format!(r#"{{"b":"{}"}}"#, "x".repeat(4_000));
    index.write((0..100).map(|n| put(&n.to_string(), &long)).collect(), at_ms(0));
    assert!(is_written_to());
    assert_eq!(visible(&index, at_ms(2_000)), 100);
}

#[test]
fn an_index_that_nobody_searches_is_refreshed_by_the_next_search() {
    let scene = Scene::new();
    let index = scene.index();
    index.write(vec![put("7", "{}")], at_ms(0));
    scene.indices().tick(at_ms(20_000));
    assert_eq!(index.statistics().documents, 0);
    assert_eq!(visible(&index, at_ms(20_000)), 1);
    index.write(vec![put("8", "{}")], at_ms(20_500));
    assert_eq!(visible(&index, at_ms(20_600)), 1);
    scene.indices().tick(at_ms(21_500));
    assert_eq!(visible(&index, at_ms(21_500)), 2);
}

#[test]
fn only_what_is_pending_is_refreshed() {
    let scene = Scene::new();
    let index = scene.index();
    let before = index.refresh_count();
    index.refresh_pending().unwrap();
    assert_eq!(index.refresh_count(), before);
    index.write(vec![put("7", "{}")], at_ms(0));
    index.refresh_pending().unwrap();
    assert_eq!((index.statistics().documents, index.refresh_count()), (1, before + 1));
    index.refresh_pending().unwrap();
    assert_eq!(index.refresh_count(), before + 1);
}

#[test]
fn a_set_interval_counts_though_nobody_searches() {
    let scene = Scene::with_settings(&[("index.refresh_interval", "5s")]);
    let index = scene.index();
    index.write(vec![put("7", "{}")], at_ms(0));
    scene.indices().tick(at_ms(4_999));
    assert_eq!(index.statistics().documents, 0);
    scene.indices().tick(at_ms(5_000));
    assert_eq!(index.statistics().documents, 1);
}

#[test]
fn an_index_without_refreshes_is_committed_and_not_shown() {
    let scene = Scene::with_settings(&[("index.refresh_interval", "-1")]);
    let index = scene.index();
    index.write(vec![put("7", r#"{"a":1}"#)], at_ms(0));
    scene.indices().tick(at_ms(60_000));
    assert_eq!(index.statistics().uncommitted, 0);
    assert_eq!(visible(&index, at_ms(61_000)), 0);
    assert!(index.get("7", false).unwrap().is_none());
    assert_eq!(source(&index, "7").as_deref(), Some(r#"{"a":1}"#));
    assert_eq!(write_one(&index, put("7", "{}")).unwrap().version, 2);
    index.refresh().unwrap();
    assert_eq!(visible(&index, at_ms(61_000)), 1);
}

#[test]
fn operations_are_committed_after_a_minute() {
    let scene = Scene::new();
    let index = scene.index();
    index.write(vec![put("7", "{}")], at_ms(0));
    scene.indices().tick(at_ms(29_000));
    assert_eq!(index.statistics().uncommitted, 1);
    scene.indices().tick(at_ms(60_000));
    assert_eq!(index.statistics().uncommitted, 0);
}

#[test]
fn relaxed_writes_can_be_read_at_once_and_survive_a_crash_of_the_program() {
    let mut scene = Scene::new();
    let index = scene.index();
    index.write_relaxed(vec![put("7", r#"{"a":1}"#)], at_ms(0));
    assert_eq!(source(&index, "7").as_deref(), Some(r#"{"a":1}"#));
    scene.indices().tick(at_ms(5_000));
    drop(index);
    scene.crash();
    assert_eq!(source(&scene.open(), "7").as_deref(), Some(r#"{"a":1}"#));
}

#[test]
fn waiters_are_woken_by_the_regular_refresh() {
    let scene = Scene::new();
    let index = scene.index();
    visible(&index, at_ms(0));
    index.write(vec![put("7", "{}")], at_ms(0));
    thread::scope(|threads| {
        let waiter = threads.spawn(|| index.wait_for_refresh());
        scene.indices().tick(at_ms(1_000));
        waiter.join().unwrap().unwrap();
    });
    assert_eq!(visible(&index, at_ms(1_000)), 1);
}

#[test]
fn waiters_refresh_themselves_where_nothing_else_does() {
    for settings in [&[][..], &[("index.refresh_interval", "-1")]] {
        let scene = Scene::with_settings(settings);
        let index = scene.index();
        index.wait_for_refresh().unwrap();
        index.write(vec![put("7", "{}")], at_ms(0));
        index.wait_for_refresh().unwrap();
        assert_eq!(index.statistics().documents, 1);
    }
}

#[test]
fn a_changed_interval_counts_from_the_next_tick_on() {
    let scene = Scene::new();
    let index = scene.index();
    index.write(vec![put("7", "{}")], at_ms(0));
    let settings = object(json!({"index.refresh_interval": "2s"})).unwrap();
    index.put_settings(&settings).unwrap();
    scene.indices().tick(at_ms(2_000));
    assert_eq!(index.statistics().documents, 1);
}

#[test]
fn a_snapshot_keeps_what_it_saw() {
    let scene = Scene::new();
    let index = scene.index();
    write_one(&index, put("7", "{}")).unwrap();
    index.refresh().unwrap();
    let snapshot = index.snapshot(at_ms(0)).unwrap();
    write_one(&index, put("8", "{}")).unwrap();
    index.refresh().unwrap();
    assert_eq!(snapshot.searcher.num_docs(), 1);
    scene.indices().delete(NAME).unwrap();
    let address = tantivy::DocAddress::new(0, 0);
    let document: pampero_index::StoredDocument = snapshot.searcher.doc(address).unwrap();
    assert_eq!((document.id.as_str(), &*document.source), ("7", &b"{}"[..]));
    let refusal = write_one(&index, put("9", "{}")).unwrap_err();
    assert_eq!(refusal.status(), 404);
}

#[test]
fn segments_are_merged_on_demand() {
    let scene = Scene::new();
    let index = scene.index();
    for id in ["1", "2", "3"] {
        write_one(&index, put(id, "{}")).unwrap();
        index.refresh().unwrap();
    }
    write_one(&index, put("1", "{}")).unwrap();
    assert_eq!(index.statistics().segments, 3);
    index.force_merge(1).unwrap();
    let statistics = index.statistics();
    assert_eq!((statistics.segments, statistics.documents, statistics.deleted), (1, 3, 0));
}

#[test]
fn writers_at_once_get_different_numbers_and_lose_nothing() {
    let scene = Scene::new();
    let index = scene.index();
    let write = |_| {
        let batch = || (0..20).map(|_| Operation { id: None, ..put("", "{}") }).collect();
        let batches = (0..10).flat_map(|_| index.write(batch(), at_ms(0)));
        batches.map(|written| written.unwrap().seq_no).collect::<Vec<u64>>()
    };
    let mut numbers: Vec<u64> = thread::scope(|threads| {
        let writers: Vec<_> = (0..4).map(|writer| threads.spawn(move || write(writer))).collect();
        writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect()
    });
    numbers.sort_unstable();
    assert_eq!(numbers, (0..800).collect::<Vec<u64>>());
    index.refresh().unwrap();
    assert_eq!(visible(&index, at_ms(0)), 800);
}

#[test]
fn a_commit_that_fails_is_tried_again_a_while_later() {
    let scene = Scene::new();
    let index = scene.index();
    index.write(vec![put("7", r#"{"a":1}"#)], at_ms(0));
    let meta = scene.index_folder().join("meta.json");
    let aside = scene.index_folder().join("aside.json");
    std::fs::rename(&meta, &aside).unwrap();
    std::fs::create_dir(&meta).unwrap();
    scene.indices().tick(at_ms(60_000));
    assert_eq!(index.statistics().uncommitted, 1);
    assert_eq!(source(&index, "7").as_deref(), Some(r#"{"a":1}"#));
    std::fs::remove_dir(&meta).unwrap();
    std::fs::rename(&aside, &meta).unwrap();
    scene.indices().tick(at_ms(64_999));
    assert_eq!(index.statistics().uncommitted, 1);
    scene.indices().tick(at_ms(65_000));
    assert_eq!(index.statistics().uncommitted, 0);
    assert_eq!(visible(&index, at_ms(65_000)), 1);
}
