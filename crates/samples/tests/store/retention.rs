//! What is dropped, and what that gives back.

use pampero_samples::{AppendError, Sample, SampleOptions};

use crate::scene::{DAY_MS, HOUR_MS, SECOND_MS, START_MS, Scene, labels, minutes, options, select};

#[test]
fn blocks_go_once_all_of_their_samples_are_too_old() {
    let mut scene = Scene::with(SampleOptions { retention: minutes(3 * 24 * 60), ..options() });
    for day in 0..6 {
        let start = START_MS + day * DAY_MS;
        for hour in (start..start + DAY_MS).step_by(HOUR_MS as usize) {
            scene.fill(&format!("up day={day}"), hour, hour + 1, HOUR_MS);
            scene.fill("up", hour, hour + 1, HOUR_MS);
        }
        scene.maintain(start + DAY_MS);
    }
    let now = START_MS + 6 * DAY_MS + 2 * HOUR_MS;
    scene.maintain(now);
    scene.maintain(now + 3 * HOUR_MS);
    scene.maintain(now + 6 * HOUR_MS);
    let kept = scene.everything();
    // The newest sample of the third day is an hour older than its end.
    assert_eq!(kept[&labels("up")][0].0, START_MS + 3 * DAY_MS);
    let days: Vec<String> =
        scene.store().label_values("day", &[], 0, i64::MAX, usize::MAX).unwrap();
    assert_eq!(days, ["3", "4", "5"]);
    assert_eq!(scene.store().statistics().series, 4);
    scene.reopen();
    assert_eq!(scene.store().statistics().series, 4);
    assert!(scene.everything() == kept, "reopening changed what is kept");
}

#[test]
fn a_series_without_samples_is_forgotten_unless_somebody_holds_it() {
    let scene = Scene::with(SampleOptions { retention: minutes(60), ..options() });
    let gone = scene.store().resolve(&labels("gone")).unwrap();
    scene.append("gone", &[(START_MS, 1.0)], START_MS);
    for hour in 0..12 {
        let now = START_MS + hour * HOUR_MS;
        let held = scene.store().resolve(&labels("held")).unwrap();
        scene.maintain(now);
        assert_eq!(scene.store().resolve(&labels("held")).unwrap(), held);
    }
    let now = START_MS + 12 * HOUR_MS;
    assert_eq!(scene.store().labels(gone), None);
    let sample = Sample { series: gone, timestamp_ms: now, value: 1.0 };
    let refused = scene.store().append(&[sample], now);
    assert!(matches!(refused, Err(AppendError::UnknownSeries)));
    assert_eq!(scene.append("gone", &[(now, 2.0)], now).stored, 1);
    let found = select(scene.store(), &[], 0, i64::MAX);
    assert_eq!(found, [(labels("gone"), vec![(now, 2.0_f64.to_bits())])]);
}

#[test]
fn the_oldest_blocks_go_when_there_is_too_much_and_the_file_shrinks() {
    let size_max_bytes = 1 << 20;
    let scene = Scene::with(SampleOptions { size_max_bytes, ..options() });
    let series: Vec<_> =
        (0..60).map(|n| scene.store().resolve(&labels(&format!("noise n={n}"))).unwrap()).collect();
    let mut noise = 1_u64;
    let mut now = START_MS;
    let mut largest = 0;
    while now < START_MS + 6 * DAY_MS {
        let mut batch = Vec::new();
        for &series in &series {
            // Bits that no packing makes smaller.
            noise = noise
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let value = f64::from_bits(noise >> 2);
            batch.push(Sample { series, timestamp_ms: now, value });
        }
        assert_eq!(scene.store().append(&batch, now).unwrap().stored, 60);
        now += 120 * SECOND_MS;
        if now % HOUR_MS == 0 {
            scene.maintain(now);
            largest = largest
                .max(std::fs::metadata(scene.folder.path().join("samples.db")).unwrap().len());
        }
    }
    let kept = scene.everything();
    let earliest = kept.values().next().unwrap()[0].0;
    assert!(earliest > START_MS + DAY_MS, "nothing was dropped");
    assert!(earliest < now - DAY_MS, "too much was dropped");
    assert!(largest <= size_max_bytes * 3 / 2, "{largest} bytes");
}
