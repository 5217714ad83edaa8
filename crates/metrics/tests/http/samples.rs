//! What both servers are given: ten minutes of a few series, with all that is hard to write.

use pampero_series::{Labels, STALE_MARKER};

/// From one sample to the next.
const STEP_MS: i64 = 15_000;

/// Samples of each series.
const STEPS: i64 = 40;

/// One series with its samples, the older ones first.
pub(crate) struct Recorded {
    pub(crate) labels: Labels,
    pub(crate) samples: Vec<(i64, f64)>,
}

/// Returns the series, whose last sample is at `end_ms`.
pub(crate) fn record(end_ms: i64) -> Vec<Recorded> {
    let mut recorded = Vec::new();
    let mut add = |labels: &[(&str, &str)], value: &dyn Fn(i64) -> f64| {
        let samples = (0..STEPS).map(|step| (end_ms - (STEPS - 1 - step) * STEP_MS, value(step)));
        let labels = labels.iter().copied().collect();
        recorded.push(Recorded { labels, samples: samples.collect() });
    };
    for (index, instance) in ["a:1", "b:1", "c<&>\u{2028}ñ\"\\\n"].into_iter().enumerate() {
        let labels = [("__name__", "up"), ("instance", instance), ("job", "node")];
        add(&labels, &|step| f64::from(u8::from(step % (index as i64 + 2) != 0)));
    }
    for (mode, rate) in [("idle", 0.93), ("user", 0.0625), ("iowait", 1e-9)] {
        let labels = [
            ("__name__", "cpu_seconds_total"),
            ("instance", "a:1"),
            ("job", "node"),
            ("mode", mode),
        ];
        add(&labels, &|step| rate * (step * 15) as f64);
    }
    for (le, share) in [("0.1", 1.0), ("1", 3.0), ("+Inf", 4.0)] {
        let labels = [("__name__", "latency_seconds_bucket"), ("job", "api"), ("le", le)];
        add(&labels, &|step| share * step as f64);
    }
    add(&[("__name__", "huge"), ("job", "odd")], &|step| 1.7e300 * step as f64);
    add(&[("__name__", "odd"), ("kind", "nan")], &|_| f64::NAN);
    add(&[("__name__", "odd"), ("kind", "inf")], &|step| {
        if step % 2 == 0 { f64::INFINITY } else { f64::NEG_INFINITY }
    });
    add(&[("__name__", "odd"), ("kind", "negative_zero")], &|_| -0.0);
    add(&[("__name__", "gone"), ("job", "node")], &|step| {
        if step == STEPS - 3 { STALE_MARKER } else { 21.5 }
    });
    // What comes after the marker would bring the series back.
    recorded.last_mut().unwrap().samples.truncate(STEPS as usize - 2);
    recorded
}
