//! Opening again, after a clean end and after others.

use std::fs;

use pampero_index::{Action, IndexOptions, Indices};
use pampero_opensearch::Mapping;
use serde_json::{Map, json};

use crate::scene::{
    NAME, Scene, at_ms, delete, object, operation, put, source, visible, write_one,
};

#[test]
fn everything_is_there_again_after_a_clean_end_and_after_a_crash() {
    for clean in [true, false] {
        let mut scene = Scene::new();
        let index = scene.index();
        write_one(&index, put("1", r#"{"a":1}"#)).unwrap();
        write_one(&index, put("2", r#"{"a":2}"#)).unwrap();
        index.refresh().unwrap();
        write_one(&index, put("1", r#"{"a":3}"#)).unwrap();
        write_one(&index, delete("2")).unwrap();
        write_one(&index, put("3", r#"{"a":4}"#)).unwrap();
        index.put_settings(&object(json!({"index.refresh_interval": "9s"})).unwrap()).unwrap();
        let uuid = index.uuid().clone();
        drop(index);
        if clean {
            scene.close()
        } else {
            scene.crash()
        }

        let index = scene.open();
        assert_eq!((index.uuid(), index.damage()), (&uuid, None));
        assert_eq!(index.settings()["index.refresh_interval"], "9s");
        assert_eq!(source(&index, "1").as_deref(), Some(r#"{"a":3}"#));
        assert_eq!(source(&index, "2"), None);
        assert_eq!(source(&index, "3").as_deref(), Some(r#"{"a":4}"#));
        assert_eq!(visible(&index, at_ms(0)), 2);
        let written = write_one(&index, put("1", "{}")).unwrap();
        assert_eq!((written.version, written.seq_no), (3, 5), "clean: {clean}");
    }
}

#[test]
fn an_operation_is_done_once_however_often_it_is_opened() {
    let mut scene = Scene::new();
    for life in 0..5 {
        let index = scene.index();
        write_one(&index, put("same", &format!(r#"{{"life":{life}}}"#))).unwrap();
        write_one(&index, put(&format!("{life}"), "{}")).unwrap();
        drop(index);
        scene.crash();
        let index = scene.open();
        assert_eq!(visible(&index, at_ms(0)), life + 2);
        assert_eq!(source(&index, "same"), Some(format!(r#"{{"life":{life}}}"#)));
    }
}

#[test]
fn a_log_that_is_cut_in_its_last_record_loses_only_that() {
    let mut scene = Scene::new();
    let index = scene.index();
    write_one(&index, put("1", r#"{"a":1}"#)).unwrap();
    write_one(&index, put("2", r#"{"a":2}"#)).unwrap();
    let log = scene.index_folder().join("wal/0000000001.log");
    let whole = fs::metadata(&log).unwrap().len();
    write_one(&index, put("last", r#"{"a":3}"#)).unwrap();
    drop(index);
    scene.crash();
    let bytes = fs::read(&log).unwrap();
    let length = bytes.len() as u64;
    for length in [whole, whole + 1, whole.midpoint(length), length - 1] {
        let mut copy = copy_of(&scene);
        let log = copy.index_folder().join("wal/0000000001.log");
        fs::OpenOptions::new().write(true).open(log).unwrap().set_len(length).unwrap();
        let index = copy.open();
        assert_eq!(index.damage(), None, "cut at {length}");
        assert_eq!(visible(&index, at_ms(0)), 2, "cut at {length}");
        assert_eq!(write_one(&index, put("next", "{}")).unwrap().seq_no, 2);
    }
}

/// Copies the folder of a scene that is not open.
fn copy_of(scene: &Scene) -> Scene {
    let mut copy = Scene::new();
    copy.crash();
    fs::remove_dir_all(copy.index_folder()).unwrap();
    copy_folder(scene.folder.path(), copy.folder.path());
    copy
}

fn copy_folder(from: &std::path::Path, to: &std::path::Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn damage_of_a_log_that_is_in_use_is_told_by_the_commit() {
    let scene = Scene::new();
    let index = scene.index();
    let log = scene.index_folder().join("wal/0000000001.log");
    write_one(&index, put("1", r#"{"a":1}"#)).unwrap();
    let start = fs::metadata(&log).unwrap().len();
    write_one(&index, put("2", r#"{"a":2}"#)).unwrap();
    fs::File::options().write(true).open(&log).unwrap().set_len(start + 30).unwrap();
    index.refresh().unwrap();
    let lost = "1 operations with the sequence numbers 1 to 1 are lost from the write-ahead log";
    assert_eq!(index.damage().as_deref(), Some(lost));
    assert_eq!(source(&index, "1").as_deref(), Some(r#"{"a":1}"#));
    assert_eq!(source(&index, "2"), None);
}

#[test]
fn damage_in_the_middle_of_a_log_is_told_and_the_rest_is_there() {
    let mut scene = Scene::new();
    let index = scene.index();
    let log = scene.index_folder().join("wal/0000000001.log");
    write_one(&index, put("1", r#"{"a":1}"#)).unwrap();
    let start = fs::metadata(&log).unwrap().len();
    write_one(&index, put("2", r#"{"a":2}"#)).unwrap();
    write_one(&index, put("3", r#"{"a":3}"#)).unwrap();
    drop(index);
    scene.crash();
    let mut bytes = fs::read(&log).unwrap();
    bytes[usize::try_from(start).unwrap() + 30] ^= 1;
    fs::write(&log, bytes).unwrap();

    let lost = "1 operations with the sequence numbers 1 to 1 are lost from the write-ahead log";
    for _ in 0..2 {
        let index = scene.open();
        assert_eq!(index.damage().as_deref(), Some(lost));
        assert_eq!(source(&index, "1").as_deref(), Some(r#"{"a":1}"#));
        assert_eq!(source(&index, "2"), None);
        assert_eq!(source(&index, "3").as_deref(), Some(r#"{"a":3}"#));
        drop(index);
        scene.crash();
    }
    assert!(scene.index_folder().join("quarantine/0000000001.log").is_file());
}

#[test]
fn a_log_that_a_commit_holds_already_is_not_done_again() {
    let mut scene = Scene::new();
    let index = scene.index();
    write_one(&index, put("1", "{}")).unwrap();
    let log = scene.index_folder().join("wal/0000000001.log");
    let bytes = fs::read(&log).unwrap();
    index.refresh().unwrap();
    assert!(!log.exists());
    drop(index);
    scene.crash();
    fs::write(&log, bytes).unwrap();
    assert_eq!(visible(&scene.open(), at_ms(0)), 1);
}

#[test]
fn a_folder_is_used_by_one_at_a_time() {
    let mut scene = Scene::new();
    let error = Indices::open(scene.folder.path(), IndexOptions::default()).unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(cause, "another program uses them");
    scene.crash();
    scene.open();
}

#[test]
fn indices_come_and_go() {
    let mut scene = Scene::new();
    let create = |scene: &Scene, name: &str| {
        scene.indices().create(name, Map::new(), Mapping::default(), at_ms(0))
    };
    let refusal = create(&scene, NAME).unwrap_err();
    assert_eq!(refusal.kind().as_str(), "resource_already_exists_exception");
    create(&scene, "a").unwrap();
    create(&scene, "z").unwrap();
    scene.indices().delete("a").unwrap();
    assert_eq!(scene.indices().delete("a").unwrap_err().status(), 404);
    fs::create_dir(scene.folder.path().join("half.new")).unwrap();
    fs::create_dir(scene.folder.path().join("half.deleted")).unwrap();
    scene.close();
    scene.open();
    let names: Vec<String> = scene.indices().all().iter().map(|it| it.name().to_string()).collect();
    assert_eq!(names, [NAME, "z"]);
    assert!(!scene.folder.path().join("half.new").exists());
    assert!(!scene.folder.path().join("half.deleted").exists());
}

#[test]
fn of_two_folders_with_one_name_the_later_one_counts_and_the_other_is_told() {
    let mut scene = Scene::new();
    write_one(&scene.index(), put("1", "{}")).unwrap();
    let uuid = scene.index().uuid().to_string();
    let folder = scene.index_folder();
    scene.close();
    // One before and one after it in the order of folders.
    for copy in ["0-older", "z-older"] {
        let path = scene.folder.path().join(copy);
        copy_folder(&folder, &path);
        let text = fs::read_to_string(path.join("index.json")).unwrap();
        let mut metadata: serde_json::Value = serde_json::from_str(&text).unwrap();
        metadata["created_ms"] = 1.into();
        metadata["uuid"] = copy.into();
        fs::write(path.join("index.json"), metadata.to_string()).unwrap();
    }
    let index = scene.open();
    assert_eq!(**index.uuid(), *uuid);
    assert_eq!(source(&index, "1").as_deref(), Some("{}"));
    let told = scene.indices().unreadable();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told.iter().all(|it| it.contains("a later one is named weather_logs too")), "{told:?}");
}

#[test]
fn few_writers_serve_many_indices() {
    let folder = tempfile::TempDir::new().unwrap();
    let options = IndexOptions { writers_max: 2, ..IndexOptions::default() };
    let indices = Indices::open(folder.path(), options).unwrap();
    let names: Vec<String> = (0..6).map(|number| format!("logs-{number}")).collect();
    for name in &names {
        indices.create(name, Map::new(), Mapping::default(), at_ms(0)).unwrap();
    }
    for round in 0..3 {
        for name in &names {
            let id = format!("{round}");
            let written = indices.get(name).unwrap().write(vec![put(&id, "{}")], at_ms(0));
            assert!(written[0].is_ok());
        }
    }
    indices.tick(at_ms(40_000));
    for name in &names {
        assert_eq!(visible(&indices.get(name).unwrap(), at_ms(40_000)), 3);
    }
    indices.close();
}

#[test]
fn a_large_log_is_committed_by_itself() {
    let folder = tempfile::TempDir::new().unwrap();
    let options = IndexOptions { log_bytes_max: 1 << 20, ..IndexOptions::default() };
    let indices = Indices::open(folder.path(), options).unwrap();
    let index = indices.create(NAME, Map::new(), Mapping::default(), at_ms(0)).unwrap();
    let source = format!(r#"{{"text":"{}"}}"#, "x".repeat(100 << 10));
    for id in 0..25 {
        let operation = operation(&id.to_string(), Action::Index(source.clone().into()));
        write_one(&index, operation).unwrap();
    }
    let statistics = index.statistics();
    assert!((1..12).contains(&statistics.uncommitted), "{statistics:?}");
    assert!(statistics.documents > 12, "{statistics:?}");
    assert!(statistics.bytes < 2 << 20, "{statistics:?}");
}
