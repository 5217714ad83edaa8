//! Segments and files that are damaged, and disks that refuse.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use pampero_index::{IndexOptions, Indices};
use pampero_opensearch::Mapping;
use serde_json::Map;

use crate::scene::{NAME, Scene, at_ms, put, source, visible, write_one};

/// Two segments, with two documents and with one, in a folder that is closed.
fn two_segments() -> Scene {
    let mut scene = Scene::new();
    let index = scene.index();
    write_one(&index, put("1", "{}")).unwrap();
    write_one(&index, put("2", "{}")).unwrap();
    index.refresh().unwrap();
    write_one(&index, put("3", "{}")).unwrap();
    index.refresh().unwrap();
    drop(index);
    scene.close();
    scene
}

/// Returns the files of the smaller segment.
fn files_of_smaller(scene: &Scene) -> Vec<PathBuf> {
    let folder = scene.index_folder();
    let meta: serde_json::Value =
        serde_json::from_slice(&fs::read(folder.join("meta.json")).unwrap()).unwrap();
    let segments = meta["segments"].as_array().unwrap();
    let smaller = segments.iter().find(|segment| segment["max_doc"] == 1).unwrap();
    let id = smaller["segment_id"].as_str().unwrap().replace('-', "");
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        paths.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with(&id)).collect();
    files.sort_unstable();
    assert!(files.len() > 3, "{files:?}");
    files
}

#[test]
fn a_damaged_segment_is_put_aside_and_named_and_the_rest_is_served() {
    let count = files_of_smaller(&two_segments()).len();
    for at in 0..count {
        check_damaged_file(at, |bytes| {
            let middle = bytes.len() / 2;
            bytes[middle] ^= 0xff;
        });
    }
    check_damaged_file(0, |bytes| bytes.truncate(bytes.len() / 2));
    check_damaged_file(1, Vec::clear);
}

#[track_caller]
fn check_damaged_file(at: usize, damage: impl Fn(&mut Vec<u8>)) {
    let mut scene = two_segments();
    let file = files_of_smaller(&scene).swap_remove(at);
    let mut bytes = fs::read(&file).unwrap();
    damage(&mut bytes);
    fs::write(&file, bytes).unwrap();
    for _ in 0..2 {
        let index = scene.open();
        let told = index.damage().unwrap();
        assert!(told.starts_with("1 documents of the damaged segment "), "{told}");
        assert_eq!(visible(&index, at_ms(0)), 2, "{file:?}");
        assert_eq!(source(&index, "3"), None);
        drop(index);
        scene.close();
    }
    let index = scene.open();
    write_one(&index, put("3", "{}")).unwrap();
    index.refresh().unwrap();
    assert_eq!(visible(&index, at_ms(0)), 3);
}

#[test]
fn an_index_that_cannot_be_opened_says_so_and_leaves_the_others() {
    let mut scene = two_segments();
    scene.open();
    scene.indices().create("other", Map::new(), Mapping::default(), at_ms(0)).unwrap();
    let folder = scene.index_folder();
    scene.close();
    fs::write(folder.join("meta.json"), "no JSON").unwrap();

    let index = scene.open();
    let told = index.damage().unwrap();
    assert!(told.starts_with("its segments cannot be opened"), "{told}");
    check_corrupt(index.snapshot(at_ms(0)).map(drop));
    check_corrupt(index.get("1", true).map(drop));
    check_corrupt(write_one(&index, put("1", "{}")).map(drop));
    check_corrupt(index.refresh());
    scene.indices().tick(at_ms(60_000));
    let other = scene.indices().get("other").unwrap();
    write_one(&other, put("1", "{}")).unwrap();
    scene.indices().delete(NAME).unwrap();
}

#[track_caller]
fn check_corrupt(result: Result<(), pampero_opensearch::Exception>) {
    let refusal = result.unwrap_err();
    assert_eq!((refusal.kind().as_str(), refusal.status()), ("corrupt_index_exception", 500));
    assert!(refusal.reason().starts_with("index [weather_logs]"), "{refusal}");
}

#[test]
fn an_index_without_a_readable_name_is_told_of() {
    let mut scene = two_segments();
    fs::write(scene.index_folder().join("index.json"), "{").unwrap();
    scene.crash();
    let indices = Indices::open(scene.folder.path(), IndexOptions::default()).unwrap();
    assert!(indices.all().is_empty());
    assert_eq!(indices.unreadable().len(), 1);
}

#[test]
fn an_index_whose_log_cannot_be_written_refuses_and_goes_on_when_it_can() {
    let mut scene = Scene::new();
    let index = scene.index();
    write_one(&index, put("1", "{}")).unwrap();
    index.refresh().unwrap();
    let log = scene.index_folder().join("wal");
    let aside = scene.index_folder().join("aside");
    fs::rename(&log, &aside).unwrap();
    let refusal = write_one(&index, put("2", "{}")).unwrap_err();
    assert_eq!((refusal.kind().as_str(), refusal.status()), ("i_o_exception", 500));
    assert_eq!(source(&index, "2"), None);
    assert_eq!(visible(&index, at_ms(0)), 1);

    fs::rename(&aside, &log).unwrap();
    assert_eq!(write_one(&index, put("2", "{}")).unwrap().seq_no, 1);
    drop(index);
    scene.crash();
    assert_eq!(visible(&scene.open(), at_ms(0)), 2);
}

/// Tells the child which folder to write; without it the test is the parent.
const FOLDER_VARIABLE: &str = "PAMPERO_FULL_TEST_FOLDER";

/// The child may write no file beyond 256 KiB, so that a write to the log ends in its middle, as on a
/// disk that is full; a file that is begun anew has room again.
#[test]
#[expect(clippy::disallowed_methods, reason = "the child is told its folder by the environment")]
fn a_log_that_is_full_in_the_middle_of_a_record_refuses_whole_batches() {
    if let Ok(folder) = std::env::var(FOLDER_VARIABLE) {
        return write_past_the_limit(Path::new(&folder));
    }
    let mut scene = Scene::new();
    scene.close();
    let limited = Command::new("sh")
        .args(["-c", r#"trap '' XFSZ; ulimit -f 512; exec "$0" "$@""#])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture"])
        .arg("damage::a_log_that_is_full_in_the_middle_of_a_record_refuses_whole_batches")
        .env(FOLDER_VARIABLE, scene.folder.path())
        .output()
        .unwrap();
    let told = String::from_utf8(limited.stdout).unwrap();
    assert!(limited.status.success(), "{told}");
    let batches = |word: &str| -> Vec<usize> {
        let numbers = told.lines().filter_map(|line| line.rsplit_once(word)?.1.parse().ok());
        numbers.collect()
    };
    let (acknowledged, refused) = (batches("done "), batches("refused "));
    assert!((2..5).contains(&refused.len()), "{told}");
    let index = scene.open();
    assert_eq!(index.damage(), None);
    assert_eq!(visible(&index, at_ms(0)), 10 * acknowledged.len() as u64);
    for (batches, there) in [(acknowledged, true), (refused, false)] {
        for id in batches.iter().flat_map(|batch| (0..10).map(move |at| format!("{batch}-{at}"))) {
            assert_eq!(source(&index, &id).is_some(), there, "{id}");
        }
    }
}

fn write_past_the_limit(folder: &Path) {
    let indices = Indices::open(folder, IndexOptions::default()).unwrap();
    let index = indices.get(NAME).unwrap();
    let text = format!(r#"{{"text":"{}"}}"#, "wind ".repeat(200));
    for batch in 0..70 {
        let operations = (0..10).map(|at| put(&format!("{batch}-{at}"), &text)).collect();
        let written = index.write(operations, at_ms(0));
        let done = written.iter().all(Result::is_ok);
        assert!(done || written.iter().all(Result::is_err));
        let word = if done { "done" } else { "refused" };
        std::io::stdout().write_all(format!("{word} {batch}\n").as_bytes()).unwrap();
    }
    // Without a commit: what is left is the log.
    std::process::exit(0);
}
