//! What the tests of this crate share: an instant to begin at, and a look into the store.

use std::ops::ControlFlow;

use jiff::Timestamp;
use pampero_samples::SampleStore;
use pampero_series::{METRIC_NAME, Matcher, Selection, SeriesSource, is_stale};

/// Returns the instant at which tests begin.
pub(crate) fn noon() -> Timestamp {
    "2026-11-24T12:00:00Z".parse().expect("a valid instant")
}

/// Returns the series of a metric, one line each: its samples as `<ms after zero_ms>=<value>`.
pub(crate) fn kept(store: &SampleStore, metric: &str, zero_ms: i64) -> Vec<String> {
    let matchers = [Matcher::equal(METRIC_NAME, metric)];
    let selection = Selection { matchers: &matchers, start_ms: 0, end_ms: i64::MAX / 2 };
    let mut lines = Vec::new();
    store
        .select(selection, &mut |labels, columns| {
            let samples = columns.timestamps_ms.iter().zip(columns.values);
            let line = samples.fold(format!("{labels}:"), |line, (at_ms, value)| {
                let value = if is_stale(*value) { "stale".to_owned() } else { value.to_string() };
                format!("{line} {}={value}", at_ms - zero_ms)
            });
            lines.push(line);
            ControlFlow::Continue(())
        })
        .expect("the store can be read");
    lines
}
