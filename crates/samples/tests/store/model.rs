//! Random use, compared with a plain map.

use std::collections::BTreeMap;

use pampero_samples::{Appended, Sample, SampleOptions};
use pampero_series::STALE_MARKER;
use proptest::prelude::*;

use crate::scene::{Kept, SECOND_MS, START_MS, Scene, labels, minutes, options};

const LATE_MS: i64 = 600 * SECOND_MS;
const AHEAD_MS: i64 = 60 * SECOND_MS;

#[derive(Clone, Debug)]
enum Step {
    /// Samples of a series: how many seconds before the present, and the value.
    Append(Vec<(u8, i64, u8)>),
    /// So many seconds pass.
    Pass(i64),
    Maintain,
    Reopen,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let sample = (0..5_u8, prop_oneof![8 => Just(0), 4 => -70..700_i64], 0..4_u8);
    let step = prop_oneof![
        8 => prop::collection::vec(sample, 1..8).prop_map(Step::Append),
        4 => (1..400_i64).prop_map(Step::Pass),
        1 => (3_600..100_000_i64).prop_map(Step::Pass),
        3 => Just(Step::Maintain),
        1 => Just(Step::Reopen),
    ];
    prop::collection::vec(step, 1..60)
}

/// A store beside the map of what it has to keep.
struct Twins {
    scene: Scene,
    model: BTreeMap<u8, BTreeMap<i64, u64>>,
    now_ms: i64,
    newest_ms: i64,
}

impl Twins {
    fn append(&mut self, samples: &[(u8, i64, u8)]) {
        let mut batch = Vec::new();
        let mut expected = Appended::default();
        let oldest_ms = self.newest_ms.max(self.now_ms) - LATE_MS;
        for &(number, ago, value) in samples {
            let timestamp_ms = self.now_ms - ago * SECOND_MS;
            let value = if value == 3 { STALE_MARKER } else { f64::from(value) / 10.0 };
            let series = self.scene.store().resolve(&labels(&format!("up n={number}"))).unwrap();
            batch.push(Sample { series, timestamp_ms, value });
            let kept = self.model.entry(number).or_default();
            match kept.get(&timestamp_ms) {
                _ if timestamp_ms < oldest_ms => expected.too_old += 1,
                _ if timestamp_ms > self.now_ms + AHEAD_MS => expected.too_new += 1,
                Some(bits) if *bits == value.to_bits() => expected.duplicates += 1,
                Some(_) => expected.conflicting += 1,
                None => {
                    expected.stored += 1;
                    kept.insert(timestamp_ms, value.to_bits());
                    self.newest_ms = self.newest_ms.max(timestamp_ms);
                }
            }
        }
        assert_eq!(self.scene.store().append(&batch, self.now_ms).unwrap(), expected);
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Append(samples) => self.append(samples),
            Step::Pass(seconds) => self.now_ms += seconds * SECOND_MS,
            Step::Maintain => {
                self.scene.store().maintain(self.now_ms).unwrap();
            }
            Step::Reopen => self.scene.reopen(),
        }
    }

    fn compare(&self) {
        let series = |(number, samples): (&u8, &BTreeMap<i64, u64>)| {
            let samples: Vec<(i64, u64)> =
                samples.iter().map(|(time, bits)| (*time, *bits)).collect();
            (labels(&format!("up n={number}")), samples)
        };
        let expected: Kept =
            self.model.iter().filter(|(_, samples)| !samples.is_empty()).map(series).collect();
        assert_eq!(self.scene.everything(), expected);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_store_keeps_what_a_plain_map_keeps(steps in steps(), head_samples_max in 5..60_usize) {
        let options = SampleOptions {
            block: minutes(5),
            late_window: minutes(10),
            future_window: minutes(1),
            head_samples_max,
            ..options()
        };
        let scene = Scene::with(options);
        let mut twins =
            Twins { scene, model: BTreeMap::new(), now_ms: START_MS, newest_ms: i64::MIN };
        for step in &steps {
            twins.step(step);
            if matches!(step, Step::Maintain | Step::Reopen) {
                twins.compare();
            }
        }
        twins.compare();
    }
}
