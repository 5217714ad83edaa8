//! What is taken, what is refused, and what comes back.

use std::ops::ControlFlow;

use pampero_samples::{AppendError, Appended, SampleOptions};
use pampero_series::{MatchOperator, Matcher, STALE_MARKER, Selection, SeriesSource};

use crate::scene::{
    DAY_MS, HOUR_MS, SECOND_MS, START_MS, Scene, labels, minutes, options, select, value_at,
};

/// Appends to a series that has 1.0 at the start, and compares the counts: stored, duplicates,
/// conflicting, too old, too new.
#[track_caller]
fn check(samples: &[(i64, f64)], now_ms: i64, expected: [usize; 5]) {
    let scene = Scene::new();
    scene.append("up", &[(START_MS, 1.0), (START_MS + SECOND_MS, STALE_MARKER)], START_MS);
    let Appended { stored, duplicates, conflicting, too_old, too_new } =
        scene.append("up", samples, now_ms);
    assert_eq!([stored, duplicates, conflicting, too_old, too_new], expected);
}

#[test]
fn every_sample_is_counted_once() {
    let now = START_MS;
    let second = now + SECOND_MS;
    check(&[(now + 5, 1.0)], now, [1, 0, 0, 0, 0]);
    check(&[(now, 1.0)], now, [0, 1, 0, 0, 0]);
    check(&[(now, 2.0)], now, [0, 0, 1, 0, 0]);
    check(&[(second, STALE_MARKER), (second, f64::NAN)], now, [0, 1, 1, 0, 0]);
    check(&[(now + 5, 1.0), (now + 5, 1.0), (now + 5, 2.0)], now, [1, 1, 1, 0, 0]);
    check(&[(now + 10 * 60 * SECOND_MS, 1.0)], now, [1, 0, 0, 0, 0]);
    check(&[(now + 10 * 60 * SECOND_MS + 1, 1.0)], now, [0, 0, 0, 0, 1]);
    check(&[(second - HOUR_MS, 1.0)], now, [1, 0, 0, 0, 0]);
    check(&[(second - HOUR_MS - 1, 1.0)], now, [0, 0, 0, 1, 0]);
    check(&[(i64::MIN, 1.0), (i64::MAX, 1.0)], now, [0, 0, 0, 1, 1]);
    check(&[(0, 1.0), (now + 5, 1.0), (i64::MAX, 1.0), (now + 6, 1.0)], now, [2, 0, 0, 1, 1]);
}

#[test]
fn a_clock_that_is_set_back_does_no_harm() {
    let scene = Scene::new();
    scene.fill("up", START_MS, START_MS + 3 * HOUR_MS, 60 * SECOND_MS);
    scene.maintain(START_MS + 3 * HOUR_MS);
    let back = START_MS + HOUR_MS;
    let again = scene.append("up", &[(back, value_at(back))], back);
    assert_eq!(again, Appended { too_old: 1, ..Appended::default() });
    scene.maintain(back);
    let recent = START_MS + 2 * HOUR_MS + 30 * 60 * SECOND_MS;
    let again = scene.append("up", &[(recent, value_at(recent)), (recent + 1, 3.0)], recent);
    assert_eq!(again, Appended { duplicates: 1, stored: 1, ..Appended::default() });
    assert_eq!(scene.store().statistics().too_old_total, 1);
    // One that was ahead by more than a day was simply wrong.
    let right = START_MS - 30 * DAY_MS;
    assert_eq!(scene.append("up", &[(right, 1.0)], right).stored, 1);
}

#[test]
fn late_samples_come_back_in_order_from_head_and_blocks() {
    let mut scene = Scene::with(SampleOptions { late_window: minutes(60 * 6), ..options() });
    let step = 60 * SECOND_MS;
    let end = START_MS + 8 * HOUR_MS;
    scene.fill("up", START_MS, end, step);
    // Folds early, so that late samples meet blocks.
    scene.options.head_samples_max = 10;
    scene.reopen();
    scene.maintain(end);
    assert!(scene.store().statistics().blocks >= 4);
    let late = START_MS + 3 * HOUR_MS;
    let samples = [
        (late, value_at(late)),
        (late + 1, 7.0),
        (late + step, -1.0),
        (late + 3 * HOUR_MS + 2, 8.0),
        (late + 3, STALE_MARKER),
    ];
    let appended = scene.append("up", &samples, end);
    assert_eq!(
        appended,
        Appended { stored: 3, duplicates: 1, conflicting: 1, ..Appended::default() }
    );
    let again = scene.append("up", &samples, end);
    assert_eq!(again, Appended { duplicates: 4, conflicting: 1, ..Appended::default() });
    let read = |scene: &Scene| {
        let found = select(scene.store(), &[], late, late + step);
        found[0].1.iter().map(|(time, bits)| (time - late, *bits)).collect::<Vec<_>>()
    };
    let expected = [
        (0, value_at(late).to_bits()),
        (1, 7.0_f64.to_bits()),
        (3, STALE_MARKER.to_bits()),
        (step, value_at(late + step).to_bits()),
    ];
    assert_eq!(read(&scene), expected);
    scene.maintain(end + 10 * HOUR_MS);
    assert_eq!(read(&scene), expected);
    assert_eq!(scene.append("up", &samples, end).duplicates, 4);
    scene.maintain(end + 2 * DAY_MS);
    assert_eq!(read(&scene), expected);
    let whole = scene.everything();
    assert_eq!(whole[&labels("up")].len(), 8 * 60 + 3);
    scene.reopen();
    assert_eq!(scene.everything(), whole);
    let statistics = scene.store().statistics();
    assert_eq!((statistics.samples_head, statistics.blocks), (0, 1));
}

#[test]
fn days_are_merged_and_ranges_are_exact() {
    let scene = Scene::new();
    for day in 0..3 {
        let start = START_MS + day * DAY_MS;
        scene.fill("up", start, start + DAY_MS, 10 * 60 * SECOND_MS);
        scene.maintain(start + DAY_MS);
    }
    let now = START_MS + 3 * DAY_MS + 2 * HOUR_MS;
    scene.maintain(now);
    let statistics = scene.store().statistics();
    assert_eq!((statistics.blocks, statistics.samples_head), (3, 0));
    assert_eq!(statistics.samples_blocks, 3 * 144);
    assert_eq!(statistics.earliest_ms, Some(START_MS));
    assert_eq!(statistics.latest_ms, Some(START_MS + 3 * DAY_MS - 10 * 60 * SECOND_MS));
    let (start, end) = (START_MS + DAY_MS - HOUR_MS, START_MS + DAY_MS + HOUR_MS);
    let found = select(scene.store(), &[], start, end);
    let times: Vec<i64> = found[0].1.iter().map(|sample| sample.0).collect();
    let expected: Vec<i64> = (0..13).map(|step| start + step * 10 * 60 * SECOND_MS).collect();
    assert_eq!(times, expected);
    assert!(found[0].1.iter().all(|(time, bits)| *bits == value_at(*time).to_bits()));
    assert_eq!(select(scene.store(), &[], end + 1, end + 2), []);
    assert_eq!(select(scene.store(), &[], end, start), []);
}

#[test]
fn series_come_in_the_order_of_their_labels_until_the_visitor_breaks() {
    let scene = Scene::new();
    for selector in ["up job=c", "up job=a", "down", "up job=b place=jfk", "up job=b"] {
        scene.append(selector, &[(START_MS, 1.0)], START_MS);
    }
    let up = [Matcher::equal("__name__", "up")];
    let found = select(scene.store(), &up, START_MS, START_MS);
    let order: Vec<_> = found.into_iter().map(|(labels, _)| labels).collect();
    assert_eq!(order, ["up job=a", "up job=b", "up job=b place=jfk", "up job=c"].map(labels));
    let mut seen = 0;
    let selection = Selection { matchers: &up, start_ms: 0, end_ms: i64::MAX };
    for _ in 0..20 {
        let stop = &mut |_: &_, _: pampero_series::Columns<'_>| {
            seen += 1;
            if seen % 2 == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        scene.store().select(selection, stop).unwrap();
    }
    assert_eq!(seen, 40);
}

#[test]
fn names_and_values_are_those_of_series_in_the_range() {
    let scene = Scene::new();
    scene.append("up job=old place=jfk", &[(START_MS, 1.0)], START_MS);
    let now = START_MS + 5 * HOUR_MS;
    scene.maintain(now);
    scene.append("up job=new", &[(now, 1.0)], now);
    scene.append("temperature place=lga", &[(now, 1.0)], now);
    let store = scene.store();
    let all = usize::MAX;
    assert_eq!(store.label_names(&[], 0, i64::MAX, all).unwrap(), ["__name__", "job", "place"]);
    assert_eq!(store.label_names(&[], 0, i64::MAX, 2).unwrap(), ["__name__", "job"]);
    assert_eq!(store.label_values("job", &[], 0, i64::MAX, all).unwrap(), ["new", "old"]);
    assert_eq!(store.label_values("job", &[], now, now, all).unwrap(), ["new"]);
    assert_eq!(store.label_values("job", &[], 0, now - 1, all).unwrap(), ["old"]);
    assert!(store.label_values("job", &[], now + 1, i64::MAX, all).unwrap().is_empty());
    let places = [Matcher::new("place", MatchOperator::Regex, ".+").unwrap()];
    let new = [Matcher::equal("job", "new")];
    let sets: [&[Matcher]; 2] = [&places, &new];
    assert_eq!(
        store.series(&sets, 0, i64::MAX, all).unwrap(),
        ["temperature place=lga", "up job=new", "up job=old place=jfk"].map(labels)
    );
    assert_eq!(store.series(&sets, 0, i64::MAX, 1).unwrap(), [labels("temperature place=lga")]);
    assert_eq!(store.label_names(&[&new], 0, i64::MAX, all).unwrap(), ["__name__", "job"]);
}

#[test]
fn no_more_series_are_registered_than_may_be() {
    let scene = Scene::with(SampleOptions { series_max: 2, ..options() });
    let store = scene.store();
    let first = store.resolve(&labels("a")).unwrap();
    store.resolve(&labels("b")).unwrap();
    assert!(matches!(store.resolve(&labels("c")), Err(AppendError::SeriesLimit { max: 2 })));
    assert_eq!(store.resolve(&labels("a")).unwrap(), first);
    assert_eq!(store.labels(first), Some(labels("a")));
    assert_eq!(store.statistics().series, 2);
}

#[test]
fn a_full_head_is_folded_by_who_appends() {
    let scene = Scene::with(SampleOptions { head_samples_max: 1000, ..options() });
    for second in 0..300 {
        let now = START_MS + second * 15 * SECOND_MS;
        for series in 0..10 {
            scene.append(&format!("up job={series}"), &[(now, second as f64)], now);
        }
        assert!(scene.store().statistics().samples_head <= 1010);
    }
    let kept = scene.everything();
    assert_eq!(kept.len(), 10);
    assert!(kept.values().all(|samples| samples.len() == 300));
}

#[test]
fn another_length_of_the_window_reads_what_is_there() {
    let mut scene = Scene::new();
    let batch: Vec<(i64, f64)> =
        (0..110).map(|n| (START_MS + n * 60 * SECOND_MS, n as f64)).collect();
    scene.append("up", &batch, START_MS + HOUR_MS + 50 * 60 * SECOND_MS);
    let before = scene.everything();
    for window in [7, 60, 60 * 24, 120] {
        scene.options.block = minutes(window);
        scene.reopen();
        assert_eq!(scene.everything(), before, "{window} minutes");
    }
    scene.maintain(START_MS + 3 * DAY_MS);
    assert_eq!(scene.store().statistics().samples_head, 0);
    assert_eq!(scene.everything(), before);
    scene.reopen();
    assert_eq!(scene.everything(), before);
}
