//! Random series: gauges, counters, histograms, with everything that goes wrong in real ones.

use std::ops::ControlFlow;

use pampero_series::{Columns, Labels, STALE_MARKER, SelectError, Selection, SeriesSource};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// The first instant that may have a sample: 2026-11-24T00:00:00Z.
pub(crate) const START_MS: i64 = 1_795_478_400_000;

/// The instant after the last sample: two and a half hours later.
pub(crate) const END_MS: i64 = START_MS + 150 * 60_000;

/// How often a well-behaved series has a sample.
const INTERVAL_MS: i64 = 15_000;

/// The upper bounds of the histogram, without the last one.
const BOUNDS: [f64; 6] = [0.005, 0.05, 0.25, 1.0, 2.5, 10.0];

/// One series with all its samples.
#[derive(Clone, Debug)]
pub(crate) struct Recorded {
    pub(crate) labels: Labels,
    timestamps_ms: Vec<i64>,
    values: Vec<f64>,
}

impl Recorded {
    fn new(labels: Labels) -> Self {
        Self { labels, timestamps_ms: Vec::new(), values: Vec::new() }
    }

    fn push(&mut self, timestamp_ms: i64, value: f64) {
        if self.timestamps_ms.last().is_none_or(|last| *last < timestamp_ms) {
            self.timestamps_ms.push(timestamp_ms);
            // The message of remote write has no negative zero.
            self.values.push(if value == 0.0 { 0.0 } else { value });
        }
    }

    pub(crate) fn samples(&self) -> impl Iterator<Item = (i64, f64)> {
        self.timestamps_ms.iter().copied().zip(self.values.iter().copied())
    }
}

/// All series, in ascending order of their labels.
pub(crate) struct Recording(pub(crate) Vec<Recorded>);

impl Recording {
    /// Makes up a recording; the same seed gives the same one.
    pub(crate) fn random(seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let mut all = Vec::new();
        gauges(&mut rng, &mut all);
        counters(&mut rng, &mut all);
        histograms(&mut rng, &mut all);
        oddities(&mut rng, &mut all);
        all.sort_by(|left, right| left.labels.cmp(&right.labels));
        Self(all)
    }
}

impl SeriesSource for Recording {
    fn select(
        &self,
        selection: Selection<'_>,
        visit: &mut dyn FnMut(&Labels, Columns<'_>) -> ControlFlow<()>,
    ) -> Result<(), SelectError> {
        for series in &self.0 {
            let fits = |matcher: &pampero_series::Matcher| {
                matcher.matches(series.labels.value(matcher.name()))
            };
            if !selection.matchers.iter().all(fits) {
                continue;
            }
            let from = series.timestamps_ms.partition_point(|at| *at < selection.start_ms);
            let to = series.timestamps_ms.partition_point(|at| *at <= selection.end_ms);
            if from < to {
                let columns = Columns {
                    timestamps_ms: &series.timestamps_ms[from..to],
                    values: &series.values[from..to],
                };
                if visit(&series.labels, columns).is_break() {
                    break;
                }
            }
        }
        Ok(())
    }
}

fn labels(pairs: &[(&str, &str)]) -> Labels {
    pairs.iter().copied().collect()
}

/// Instants at which a series is sampled: regular, jittered, sparse or with gaps.
fn instants(rng: &mut StdRng) -> Vec<i64> {
    let manner = rng.random_range(0..5);
    let offset = rng.random_range(0..INTERVAL_MS);
    let step = if manner == 4 { 7 * 60_000 } else { INTERVAL_MS };
    let mut at = START_MS + offset;
    let mut instants = Vec::new();
    while at < END_MS {
        let jitter = if manner == 1 { rng.random_range(-900..900) } else { 0 };
        instants.push(at + jitter);
        at += step;
        if manner == 2 && rng.random_bool(0.03) {
            at += rng.random_range(1..40) * INTERVAL_MS;
        }
    }
    instants
}

/// A walk in steps of a tenth, so that sums are rounded alike whatever their order.
fn gauges(rng: &mut StdRng, all: &mut Vec<Recorded>) {
    let places = ["jfk", "lga", "Ñandú", "東京", "a\"b\\c"];
    for (index, place) in places.into_iter().enumerate() {
        for provider in ["open_meteo", "met_norway", "weatherstack"] {
            for name in ["temperature", "pressure"] {
                if rng.random_bool(0.15) {
                    continue;
                }
                let rank = ["low", "high"][index % 2];
                let mut series = Recorded::new(labels(&[
                    ("__name__", name),
                    ("place", place),
                    ("provider", provider),
                    ("rank", rank),
                ]));
                let mut value = f64::from(rng.random_range(-300..300)) / 10.0;
                for at in instants(rng) {
                    value += f64::from(rng.random_range(-12..=12)) / 10.0;
                    let odd = match rng.random_range(0..400) {
                        0 => f64::NAN,
                        1 => f64::INFINITY,
                        2 => f64::NEG_INFINITY,
                        3 => 0.0,
                        4 => -0.0,
                        5 | 6 => STALE_MARKER,
                        _ => (value * 10.0).round() / 10.0,
                    };
                    series.push(at, odd);
                }
                all.push(series);
            }
        }
    }
}

fn counters(rng: &mut StdRng, all: &mut Vec<Recorded>) {
    for instance in ["a:9100", "b:9100", "c:9100"] {
        for code in ["200", "404", "500"] {
            let mut series = Recorded::new(labels(&[
                ("__name__", "requests_total"),
                ("job", "api"),
                ("instance", instance),
                ("code", code),
            ]));
            let mut value = f64::from(rng.random_range(0..1_000));
            for at in instants(rng) {
                value += f64::from(rng.random_range(0..20));
                if rng.random_bool(0.01) {
                    value = f64::from(rng.random_range(0..5));
                }
                let stale = rng.random_bool(0.004);
                series.push(at, if stale { STALE_MARKER } else { value });
            }
            all.push(series);
        }
        let mut limit =
            Recorded::new(labels(&[("__name__", "limit"), ("job", "api"), ("instance", instance)]));
        for at in instants(rng) {
            limit.push(at, f64::from(rng.random_range(1..4)));
        }
        all.push(limit);
        let mut info = Recorded::new(labels(&[
            ("__name__", "info"),
            ("job", "api"),
            ("instance", instance),
            ("version", if instance == "a:9100" { "1.0" } else { "2.0" }),
        ]));
        for at in instants(rng) {
            info.push(at, 1.0);
        }
        all.push(info);
    }
}

fn histograms(rng: &mut StdRng, all: &mut Vec<Recorded>) {
    for instance in ["a:9100", "b:9100"] {
        let pairs = |name: &str, le: &str| {
            labels(&[("__name__", name), ("job", "api"), ("instance", instance), ("le", le)])
        };
        let mut buckets: Vec<Recorded> = BOUNDS
            .iter()
            .map(|bound| Recorded::new(pairs("latency_seconds_bucket", &bound.to_string())))
            .chain([Recorded::new(pairs("latency_seconds_bucket", "+Inf"))])
            .collect();
        let mut count = Recorded::new(pairs("latency_seconds_count", ""));
        let mut sum = Recorded::new(pairs("latency_seconds_sum", ""));
        let mut counts = [0_u32; BOUNDS.len() + 1];
        let mut total = 0.0;
        for at in instants(rng) {
            if rng.random_bool(0.005) {
                counts = [0; BOUNDS.len() + 1];
                total = 0.0;
            }
            for _ in 0..rng.random_range(0..8) {
                let bucket = rng.random_range(0..counts.len());
                counts[bucket..].iter_mut().for_each(|count| *count += 1);
                total += f64::from(rng.random_range(1_u32..400)) / 100.0;
            }
            for (series, count) in buckets.iter_mut().zip(counts) {
                series.push(at, f64::from(count));
            }
            count.push(at, f64::from(counts[BOUNDS.len()]));
            sum.push(at, (total * 100.0_f64).round() / 100.0);
        }
        all.extend(buckets);
        all.extend([count, sum]);
    }
}

/// Series that are hardly there: one sample, all stale, all NaN, beginning late, ending early.
fn oddities(rng: &mut StdRng, all: &mut Vec<Recorded>) {
    let odd = |kind| Recorded::new(labels(&[("__name__", "odd"), ("kind", kind)]));
    let mut single = odd("single");
    single.push(START_MS + 70 * 60_000, 42.0);
    let mut nothing = odd("nan");
    let mut stale = odd("stale");
    let mut early = odd("early");
    let mut late = odd("late");
    let mut constant = odd("constant");
    for at in instants(rng) {
        nothing.push(at, f64::NAN);
        stale.push(at, STALE_MARKER);
        if at < START_MS + 40 * 60_000 {
            early.push(at, f64::from(rng.random_range(0..10)));
        }
        if START_MS + 90 * 60_000 < at {
            late.push(at, f64::from(rng.random_range(-10..10)));
        }
        constant.push(at, 3.0);
    }
    early.push(START_MS + 41 * 60_000, STALE_MARKER);
    all.extend([single, nothing, stale, early, late, constant]);
}
