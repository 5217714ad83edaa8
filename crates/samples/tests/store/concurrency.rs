//! Appending, reading and maintenance at the same time.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use pampero_samples::{Sample, SampleOptions};
use pampero_series::{Matcher, Selection, SeriesSource};

use crate::scene::{SECOND_MS, START_MS, Scene, labels, minutes, options, select};

const SERIES: usize = 20;
const BATCHES: i64 = 2_000;

/// Every batch gives each series the same sample, so whoever reads must find them all alike, and
/// never fewer than the time before.
#[test]
fn a_read_sees_whole_batches_only() {
    let scene = Scene::with(SampleOptions {
        block: minutes(10),
        late_window: minutes(10),
        head_samples_max: 3_000,
        readers_max: 2,
        ..options()
    });
    let store = scene.store();
    let series: Vec<_> = (0..SERIES)
        .map(|number| store.resolve(&labels(&format!("up n={number}"))).unwrap())
        .collect();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let mut before = 0;
                while !done.load(Ordering::Acquire) {
                    let found = select(store, &[Matcher::equal("__name__", "up")], 0, i64::MAX);
                    let different: BTreeSet<_> = found.iter().map(|(_, samples)| samples).collect();
                    assert!(different.len() <= 1, "a batch was seen in part");
                    let count = found.first().map_or(0, |(_, samples)| samples.len());
                    assert!(count >= before, "{before} samples were seen, now {count}");
                    assert!(count == 0 || found.len() == SERIES);
                    before = count;
                }
            });
        }
        scope.spawn(|| {
            while !done.load(Ordering::Acquire) {
                let now = store.statistics().latest_ms.unwrap_or(START_MS);
                store.maintain(now).unwrap();
            }
        });
        for batch in 0..BATCHES {
            let timestamp_ms = START_MS + batch * 5 * SECOND_MS;
            let sample = |&series| Sample { series, timestamp_ms, value: batch as f64 };
            let batch: Vec<Sample> = series.iter().map(sample).collect();
            assert_eq!(store.append(&batch, timestamp_ms).unwrap().stored, SERIES);
        }
        done.store(true, Ordering::Release);
    });
    let kept = scene.everything();
    assert_eq!(kept.len(), SERIES);
    assert!(kept.values().all(|samples| samples.len() == BATCHES as usize));
}

#[test]
fn batches_of_many_threads_share_commits_and_are_all_kept() {
    let scene = Scene::with(SampleOptions { series_max: 100, ..options() });
    let store = scene.store();
    thread::scope(|scope| {
        for thread in 0..8 {
            scope.spawn(move || {
                let series = store.resolve(&labels(&format!("up n={thread}"))).unwrap();
                for n in 0..200 {
                    let timestamp_ms = START_MS + n;
                    let sample = Sample { series, timestamp_ms, value: n as f64 };
                    assert_eq!(store.append(&[sample], START_MS).unwrap().stored, 1);
                }
            });
        }
    });
    let statistics = store.statistics();
    assert_eq!(statistics.appended_total, 1600);
    assert!(statistics.commits_total <= 1600);
    assert_eq!(statistics.batches_pending, 0);
    assert!(scene.everything().values().all(|samples| samples.len() == 200));
}

/// A visitor that takes its time sees the past, and holds nobody up.
#[test]
fn a_slow_reader_starves_nobody() {
    let scene = Scene::new();
    let now = START_MS + 7 * 24 * 60 * 60 * SECOND_MS;
    scene.append("up", &[(START_MS, 1.0)], START_MS);
    scene.append("up n=1", &[(START_MS, 1.0)], START_MS);
    let mut seen = Vec::new();
    let selection = Selection { matchers: &[], start_ms: 0, end_ms: i64::MAX };
    let visit = &mut |_: &_, columns: pampero_series::Columns<'_>| {
        seen.push(columns.timestamps_ms.len());
        scene.append("up n=1", &[(now, 2.0)], now);
        scene.maintain(now);
        ControlFlow::Continue(())
    };
    scene.store().select(selection, visit).unwrap();
    assert_eq!(seen, [1, 1]);
    assert_eq!(scene.everything()[&labels("up n=1")].len(), 2);
}
