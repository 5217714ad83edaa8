//! What queries of dashboards cost over 500 series of 7 days at 15 seconds: prints milliseconds per
//! query, without the store and without HTTP.

use std::hint::black_box;
use std::ops::ControlFlow;
use std::time::Instant;

use pampero_promql::{Cancel, Engine, Options, Steps};
use pampero_series::{Columns, Labels, Matcher, SelectError, Selection, SeriesSource};

const SERIES: usize = 500;
const INTERVAL_MS: i64 = 15_000;
const WEEK_MS: i64 = 7 * 86_400_000;
const ROUNDS: usize = 3;

const QUERIES: [&str; 14] = [
    "requests_total",
    "sum(rate(requests_total[5m]))",
    "sum by (route) (rate(requests_total[5m]))",
    "sum by (route) (increase(requests_total[1h]))",
    "topk(5, rate(requests_total[5m]))",
    "sum by (code) (rate(requests_total{code=~\"5..\"}[5m])) / scalar(sum(rate(requests_total[5m])))",
    "rate(requests_total[5m]) / on(route, instance, code) requests_total",
    "avg_over_time(requests_total[1d])",
    "max_over_time(requests_total[1h])",
    "quantile_over_time(0.95, requests_total{route=\"r2\"}[1h])",
    "histogram_quantile(0.99, sum by (le) (rate(latency_bucket[5m])))",
    "max_over_time(sum(rate(requests_total[5m]))[1h:5m])",
    "avg by (route) (requests_total) > 1000",
    "predict_linear(requests_total{route=\"r2\"}[1h], 3600)",
];

/// Half counters of requests, half buckets.
struct Synthetic {
    timestamps_ms: Vec<i64>,
    series: Vec<(Labels, Vec<f64>)>,
}

impl Synthetic {
    fn new() -> Self {
        let steps = WEEK_MS / INTERVAL_MS;
        let timestamps_ms: Vec<i64> = (0..steps).map(|step| step * INTERVAL_MS).collect();
        let mut series: Vec<_> = (0..SERIES)
            .map(|number| {
                let by_number = |count: usize| (number % count).to_string();
                let (metric, key, value) = if number % 2 == 0 {
                    ("requests_total", "code", ["200", "404", "500"][number % 3].to_owned())
                } else {
                    ("latency_bucket", "le", ["0.1", "1", "10", "+Inf"][number / 2 % 4].to_owned())
                };
                let labels: Labels = [
                    ("__name__", metric),
                    (key, &value),
                    ("route", &format!("r{}", by_number(10))),
                    ("instance", &number.to_string()),
                ]
                .into_iter()
                .collect();
                #[expect(clippy::cast_precision_loss, reason = "the numbers are small")]
                let by = 1.0 + (number % 7) as f64;
                let values = (0..steps).map(|step| by * f64::from((step % 20_000) as i32));
                (labels, values.collect())
            })
            .collect();
        series.sort_by(|one: &(Labels, Vec<f64>), other| one.0.cmp(&other.0));
        Self { timestamps_ms, series }
    }
}

impl SeriesSource for Synthetic {
    fn select(
        &self,
        selection: Selection<'_>,
        visit: &mut dyn FnMut(&Labels, Columns<'_>) -> ControlFlow<()>,
    ) -> Result<(), SelectError> {
        let start = self.timestamps_ms.partition_point(|at| *at < selection.start_ms);
        let end = self.timestamps_ms.partition_point(|at| *at <= selection.end_ms);
        for (labels, values) in &self.series {
            let matches = |it: &Matcher| it.matches(labels.value(it.name()));
            if !selection.matchers.iter().all(matches) {
                continue;
            }
            let timestamps_ms = &self.timestamps_ms[start..end];
            if visit(labels, Columns { timestamps_ms, values: &values[start..end] }).is_break() {
                break;
            }
        }
        Ok(())
    }
}

#[expect(clippy::print_stdout, reason = "the figures are what this program is for")]
fn main() {
    let source = Synthetic::new();
    let engine = Engine::new(Options::default());
    let week = Steps { start_ms: 0, end_ms: WEEK_MS, step_ms: WEEK_MS / 1_000 };
    for text in QUERIES {
        let query = engine.parse(text).expect("the queries are well formed");
        let mut fastest = f64::INFINITY;
        let mut read = 0;
        for _ in 0..ROUNDS {
            let started = Instant::now();
            let answer = engine.range(&source, &query, week, &Cancel::new());
            fastest = fastest.min(started.elapsed().as_secs_f64() * 1000.0);
            read = black_box(answer).map_or(0, |answer| answer.statistics.samples_read);
        }
        println!("queries ms={fastest:.1} samples={read} {text}");
    }
}
