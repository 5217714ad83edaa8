//! What the store does when the world around it fails.

use std::error::Error;
use std::fs;
use std::io::{Seek, SeekFrom, Write};

use pampero_samples::{AppendError, OpenError, Sample, SampleOptions, SampleStore};
use pampero_series::{Selection, SeriesSource};

use crate::scene::{
    DAY_MS, HOUR_MS, SECOND_MS, START_MS, Scene, everything, labels, minutes, options, select,
};

fn chain(error: &dyn Error) -> String {
    let mut told = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        told = format!("{told}: {error}");
        cause = error.source();
    }
    told
}

#[test]
fn appending_to_a_full_store_fails_whole_and_goes_on_once_there_is_space() {
    let size_max_bytes = 1 << 20;
    let mut scene = Scene::with(SampleOptions { size_max_bytes, ..options() });
    let series: Vec<_> =
        (0..500).map(|n| scene.store().resolve(&labels(&format!("up n={n}"))).unwrap()).collect();
    let batch = |now: i64| -> Vec<Sample> {
        let value = |n: usize| (now as f64 / 7.0 + n as f64).sqrt();
        let sample = |(n, &series)| Sample { series, timestamp_ms: now, value: value(n) };
        series.iter().enumerate().map(sample).collect()
    };
    let mut now = START_MS;
    let error = loop {
        match scene.store().append(&batch(now), now) {
            Ok(appended) => assert_eq!(appended.stored, 500),
            Err(error) => break error,
        }
        now += SECOND_MS;
        assert!(now < START_MS + HOUR_MS, "it never fills up");
    };
    assert!(matches!(error, AppendError::Full { .. }), "{}", chain(&error));
    assert!(scene.store().append(&batch(now), now).is_err());
    let kept = scene.everything();
    assert!(kept.values().all(|samples| samples.last().unwrap().0 == now - SECOND_MS));
    let statistics = scene.store().statistics();
    assert_eq!(statistics.failed_batches_total, 2);
    assert_eq!(statistics.samples_head, statistics.appended_total);
    scene.maintain(now + 4 * HOUR_MS);
    scene.maintain(now + 4 * HOUR_MS);
    let later = now + 4 * HOUR_MS;
    assert_eq!(scene.append("up n=1", &[(later, 1.0)], later).stored, 1);
    let kept = scene.everything();
    scene.reopen();
    assert!(scene.everything() == kept, "reopening changed what is kept");
}

#[test]
fn a_folder_in_use_is_refused_until_it_is_free() {
    let scene = Scene::new();
    let again = SampleStore::open(scene.folder.path(), options());
    assert!(matches!(again, Err(OpenError::InUse { .. })));
    let folder = scene.into_folder();
    SampleStore::open(folder.path(), options()).unwrap();
}

#[test]
fn a_file_that_holds_no_samples_is_refused_and_left_alone() {
    for content in [&b"not a database, and long enough to be sure of it"[..], b"x"] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("samples.db");
        fs::write(&file, content).unwrap();
        let error = SampleStore::open(folder.path(), options()).unwrap_err();
        assert!(matches!(error, OpenError::Damaged { .. }), "{}", chain(&error));
        assert!(error.to_string().contains("move it away"), "{error}");
        assert_eq!(fs::read(&file).unwrap(), content);
    }
}

#[test]
fn a_newer_file_and_a_foreign_one_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let set = |name: &str, value: i64| {
        let connection = rusqlite::Connection::open(folder.path().join("samples.db")).unwrap();
        connection.pragma_update(None, name, value).unwrap();
    };
    drop(SampleStore::open(folder.path(), options()).unwrap());
    set("user_version", 99);
    let error = SampleStore::open(folder.path(), options()).unwrap_err();
    assert!(matches!(error, OpenError::Newer { found: 99, known: 1, .. }), "{}", chain(&error));
    set("application_id", 7);
    let error = SampleStore::open(folder.path(), options()).unwrap_err();
    assert!(matches!(error, OpenError::Damaged { .. }), "{}", chain(&error));
}

#[test]
fn damaged_columns_are_told_and_never_shown() {
    let mut scene = Scene::new();
    scene.fill("up", START_MS, START_MS + 2 * HOUR_MS, 15 * SECOND_MS);
    scene.maintain(START_MS + 4 * HOUR_MS);
    scene.store().close().unwrap();
    scene.reopen();
    let connection = rusqlite::Connection::open(scene.folder.path().join("samples.db")).unwrap();
    let changed =
        connection.execute("UPDATE columns SET data = zeroblob(length(data))", []).unwrap();
    assert_eq!(changed, 1);
    // Opening reads the journal and no column, however long the history is.
    scene.reopen();
    let selection = Selection { matchers: &[], start_ms: 0, end_ms: i64::MAX };
    let error = scene.store().select(selection, &mut |_, _| panic!("shown")).unwrap_err();
    assert!(chain(&error).contains("is damaged at series 1"), "{}", chain(&error));
    // Appending does not look at it.
    let now = START_MS + 4 * HOUR_MS;
    assert_eq!(scene.append("up", &[(now, 1.0)], now).stored, 1);
}

/// A block that cannot be read stays as it is, is told once, and holds up nothing else.
#[test]
fn damage_does_not_stop_maintenance() {
    let mut scene = Scene::new();
    scene.fill("up", START_MS, START_MS + 4 * HOUR_MS, 60 * SECOND_MS);
    scene.maintain(START_MS + 6 * HOUR_MS);
    let connection = rusqlite::Connection::open(scene.folder.path().join("samples.db")).unwrap();
    connection.execute("UPDATE columns SET data = zeroblob(length(data))", []).unwrap();
    drop(connection);
    scene.reopen();
    let next = START_MS + DAY_MS;
    scene.fill("up", next, next + 4 * HOUR_MS, 60 * SECOND_MS);
    let error = scene.store().maintain(next + 6 * HOUR_MS).unwrap_err();
    assert!(chain(&error).contains("is damaged"), "{}", chain(&error));
    scene.maintain(next + DAY_MS + 2 * HOUR_MS);
    assert_eq!(scene.store().statistics().blocks, 3);
    let matching = select(scene.store(), &[], next, i64::MAX);
    assert_eq!(matching[0].1.len(), 240);
}

#[test]
fn a_damaged_page_is_told_on_opening() {
    let scene = Scene::new();
    scene.append("up", &[(START_MS, 1.0)], START_MS);
    scene.store().close().unwrap();
    let folder = scene.into_folder();
    let path = folder.path().join("samples.db");
    let length = fs::metadata(&path).unwrap().len();
    let mut file = fs::File::options().write(true).open(&path).unwrap();
    file.seek(SeekFrom::Start(4096)).unwrap();
    file.write_all(&vec![0xa5; length as usize - 4096]).unwrap();
    drop(file);
    let error = SampleStore::open(folder.path(), options()).unwrap_err();
    assert!(matches!(error, OpenError::Damaged { .. }), "{}", chain(&error));
}

#[test]
fn options_out_of_range_are_refused() {
    check_option("block", &SampleOptions { block: minutes(0), ..options() });
    check_option("block", &SampleOptions { block: minutes(24 * 60 + 1), ..options() });
    check_option("size_max_bytes", &SampleOptions { size_max_bytes: 5, ..options() });
    check_option("late_window", &SampleOptions { late_window: minutes(8 * 24 * 60), ..options() });
    check_option("head_samples_max", &SampleOptions { head_samples_max: 0, ..options() });
    check_option("readers_max", &SampleOptions { readers_max: 0, ..options() });
}

#[track_caller]
fn check_option(name: &str, options: &SampleOptions) {
    let folder = tempfile::tempdir().unwrap();
    let refused = SampleStore::open(folder.path(), options.clone());
    assert!(matches!(refused, Err(OpenError::Option { option, .. }) if option == name));
}

#[test]
fn a_closed_store_takes_nothing_and_can_be_opened_again() {
    let mut scene = Scene::new();
    scene.append("up", &[(START_MS, 1.0)], START_MS);
    scene.store().close().unwrap();
    let series = scene.store().resolve(&labels("up")).unwrap();
    let sample = Sample { series, timestamp_ms: START_MS + 1, value: 1.0 };
    assert!(matches!(scene.store().append(&[sample], START_MS), Err(AppendError::Closed)));
    scene.store().maintain(START_MS).unwrap();
    assert_eq!(everything(scene.store()).len(), 1);
    scene.reopen();
    assert_eq!(scene.append("up", &[(START_MS + 1, 1.0)], START_MS).stored, 1);
}
