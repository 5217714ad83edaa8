//! The numbers of one route and method.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::counter::ConstCounter;

/// Upper bounds of the buckets, in nanoseconds: from an answer out of memory, which takes a few
/// microseconds, past every time limit; close enough for p50 to p99.9.
const BOUNDS_NS: [u64; 22] = [
    2_500,
    5_000,
    10_000,
    25_000,
    50_000,
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    25_000_000,
    50_000_000,
    100_000_000,
    250_000_000,
    500_000_000,
    1_000_000_000,
    2_500_000_000,
    5_000_000_000,
    10_000_000_000,
    30_000_000_000,
];

/// The statuses that HTTP allows; a number outside counts as the nearer edge.
const STATUS_MIN: u16 = 100;
const STATUS_MAX: u16 = 599;

#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, EncodeLabelSet)]
pub(super) struct SeriesLabels {
    pub(super) route: &'static str,
    pub(super) method: &'static str,
}

#[derive(Clone, Debug, Eq, Hash, PartialEq, EncodeLabelSet)]
struct RequestLabels {
    route: &'static str,
    method: &'static str,
    status_class: &'static str,
    status: u16,
}

/// Counters in arrays, so that recording needs no lock and no look-up. About 4 KiB.
#[derive(Debug)]
pub(super) struct Series {
    /// Requests by status, beginning at [`STATUS_MIN`].
    by_status: Box<[AtomicU64]>,
    /// Requests by duration, each in the first bucket whose bound it does not exceed.
    by_duration: [AtomicU64; BOUNDS_NS.len() + 1],
    /// All durations together.
    sum_ns: AtomicU64,
    /// Bytes of request bodies.
    pub(super) received: AtomicU64,
    /// Bytes of answer bodies.
    pub(super) sent: AtomicU64,
}

impl Default for Series {
    fn default() -> Self {
        Self {
            by_status: (STATUS_MIN..=STATUS_MAX).map(|_| AtomicU64::new(0)).collect(),
            by_duration: std::array::from_fn(|_| AtomicU64::new(0)),
            sum_ns: AtomicU64::new(0),
            received: AtomicU64::new(0),
            sent: AtomicU64::new(0),
        }
    }
}

impl Series {
    pub(super) fn count_status(&self, status: u16) {
        let status = status.clamp(STATUS_MIN, STATUS_MAX) - STATUS_MIN;
        self.by_status[usize::from(status)].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_duration(&self, elapsed: Duration) {
        let elapsed_ns = u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX);
        let bucket = BOUNDS_NS.iter().take_while(|bound| **bound < elapsed_ns).count();
        self.by_duration[bucket].fetch_add(1, Ordering::Relaxed);
        self.sum_ns.fetch_add(elapsed_ns, Ordering::Relaxed);
    }

    pub(super) fn encode_requests(
        &self,
        labels: &SeriesLabels,
        encoder: &mut MetricEncoder<'_>,
    ) -> fmt::Result {
        for (status, count) in (STATUS_MIN..).zip(&self.by_status) {
            let count = count.load(Ordering::Relaxed);
            if count == 0 {
                continue;
            }
            let SeriesLabels { route, method } = *labels;
            let labels = RequestLabels { route, method, status_class: class_of(status), status };
            ConstCounter::new(count).encode(encoder.encode_family(&labels)?)?;
        }
        Ok(())
    }

    pub(super) fn encode_durations(
        &self,
        labels: &SeriesLabels,
        encoder: &mut MetricEncoder<'_>,
    ) -> fmt::Result {
        let bounds = BOUNDS_NS.map(|bound| Duration::from_nanos(bound).as_secs_f64());
        let buckets: Vec<(f64, u64)> = bounds
            .into_iter()
            .chain([f64::INFINITY])
            .zip(self.by_duration.iter().map(|count| count.load(Ordering::Relaxed)))
            .collect();
        let count = buckets.iter().map(|(_, count)| count).sum();
        let sum = Duration::from_nanos(self.sum_ns.load(Ordering::Relaxed)).as_secs_f64();
        encoder.encode_family(labels)?.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)
    }

    pub(super) fn encode_received(
        &self,
        labels: &SeriesLabels,
        encoder: &mut MetricEncoder<'_>,
    ) -> fmt::Result {
        let count = ConstCounter::new(self.received.load(Ordering::Relaxed));
        count.encode(encoder.encode_family(labels)?)
    }

    pub(super) fn encode_sent(
        &self,
        labels: &SeriesLabels,
        encoder: &mut MetricEncoder<'_>,
    ) -> fmt::Result {
        let count = ConstCounter::new(self.sent.load(Ordering::Relaxed));
        count.encode(encoder.encode_family(labels)?)
    }
}

/// Returns the class of a status, as in `2xx`.
const fn class_of(status: u16) -> &'static str {
    match status / 100 {
        1 => "1xx",
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(elapsed: Duration, bucket: usize) {
        let series = Series::default();
        series.count_duration(elapsed);
        let counts = series.by_duration.map(AtomicU64::into_inner);
        let expected = std::array::from_fn(|index| u64::from(index == bucket));
        assert_eq!(counts, expected, "{elapsed:?}");
    }

    #[test]
    fn duration_falls_into_the_first_bucket_that_holds_it() {
        check(Duration::ZERO, 0);
        check(Duration::from_nanos(2_500), 0);
        check(Duration::from_nanos(2_501), 1);
        check(Duration::from_millis(1), 8);
        check(Duration::from_secs(10), 20);
        check(Duration::from_secs(30), 21);
        check(Duration::from_secs(31), 22);
        check(Duration::MAX, 22);
    }

    #[test]
    fn bounds_grow() {
        assert!(BOUNDS_NS.is_sorted_by(|one, next| one < next));
    }

    #[track_caller]
    fn check_status(status: u16, counted_as: u16) {
        let series = Series::default();
        series.count_status(status);
        let count = series.by_status[usize::from(counted_as - STATUS_MIN)].load(Ordering::Relaxed);
        assert_eq!(count, 1, "{status}");
    }

    #[test]
    fn status_outside_http_is_counted_at_the_edge() {
        check_status(100, 100);
        check_status(404, 404);
        check_status(599, 599);
        check_status(0, 100);
        check_status(u16::MAX, 599);
    }
}
