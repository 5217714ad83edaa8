//! What the history tells of itself as metrics, read from its statistics when somebody asks.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, MetricEncoder};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::{Registry, Unit};

use crate::history::History;
use crate::state::{RuleGroupState, TargetState};

impl History {
    /// Registers the metrics of the history with the prefix of `registry`, which is meant to be
    /// `pampero_history`.
    pub fn register(&self, registry: &mut Registry) {
        registry.register_collector(Box::new(HistoryCollector(self.clone())));
    }
}

/// Names and values of labels.
type SeriesLabels = Vec<(&'static str, String)>;

#[derive(Debug)]
struct HistoryCollector(History);

impl Collector for HistoryCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut out = Out(&mut encoder);
        self.samples(&mut out)?;
        self.store(&mut out)?;
        self.queries(&mut out)?;
        targets(&mut out, &self.0.targets())?;
        rule_groups(&mut out, &self.0.rule_groups())
    }
}

impl HistoryCollector {
    fn samples(&self, out: &mut Out<'_, '_>) -> fmt::Result {
        let statistics = self.0.store().statistics();
        let lost = self.0.writer().lost();
        let help = "Samples that were kept.";
        out.counter("samples_appended", help, &[(Vec::new(), statistics.appended_total)])?;
        let help = "Samples that were not kept.";
        let refused = [
            ("conflicting", statistics.conflicting_total),
            ("too_old", statistics.too_old_total),
            ("too_new", statistics.too_new_total),
            ("full", lost.full),
            ("failed", lost.failed),
            ("series_limit", lost.series_limit),
            ("malformed", lost.malformed),
        ];
        out.counter(
            "samples_refused",
            help,
            &refused.map(|(reason, n)| (label("reason", reason), n)),
        )
    }

    fn store(&self, out: &mut Out<'_, '_>) -> fmt::Result {
        let statistics = self.0.store().statistics();
        let gauge = |value: f64| [(Vec::new(), value)];
        out.gauge("series", "Series that are known.", None, &gauge(statistics.series as f64))?;
        let samples = [
            (label("part", "head"), statistics.samples_head as f64),
            (label("part", "blocks"), statistics.samples_blocks as f64),
        ];
        out.gauge("samples", "Samples that are kept.", None, &samples)?;
        let bytes = gauge(statistics.bytes_on_disk as f64);
        out.gauge("disk", "Size of the history on disk.", Some(Unit::Bytes), &bytes)?;
        let earliest = statistics.earliest_ms.map(|ms| (Vec::new(), ms as f64 / 1000.0));
        let help = "Time of the earliest sample, in seconds since the Unix epoch.";
        out.gauge("earliest_sample_timestamp", help, Some(Unit::Seconds), earliest.as_slice())?;
        let help = "Batches that were written to disk together or alone.";
        out.counter("commits", help, &[(Vec::new(), statistics.commits_total)])?;
        let help = "Time that writing to disk took.";
        let seconds = [(Vec::new(), statistics.commit_duration_total.as_secs_f64())];
        out.counter_of_seconds("commit_duration", help, &seconds)
    }
}

impl HistoryCollector {
    fn queries(&self, out: &mut Out<'_, '_>) -> fmt::Result {
        let counts = self.0.query_counts();
        let now = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let gauge = |value: u64| [(Vec::new(), value as f64)];
        let help = "Queries over HTTP that are evaluated.";
        out.gauge("queries_in_flight", help, None, &gauge(now(&counts.running)))?;
        let help = "Queries over HTTP that wait for their turn.";
        out.gauge("queries_waiting", help, None, &gauge(now(&counts.waiting)))?;
        let help = "Queries over HTTP that were evaluated or given up.";
        out.counter("queries", help, &[(Vec::new(), now(&counts.ended))])?;
        let help = "Queries over HTTP that were refused, or whose time was over.";
        let failed = [("refused", now(&counts.refused)), ("timed_out", now(&counts.timed_out))];
        out.counter("queries_failed", help, &failed.map(|(reason, n)| (label("reason", reason), n)))
    }
}

fn label(name: &'static str, value: &str) -> SeriesLabels {
    vec![(name, value.to_owned())]
}

fn targets(out: &mut Out<'_, '_>, targets: &[TargetState]) -> fmt::Result {
    let labelled = |value: fn(&TargetState) -> f64| -> Vec<_> {
        targets
            .iter()
            .map(|target| {
                let instance = target.labels.value("instance").to_owned();
                (vec![("job", target.job.clone()), ("instance", instance)], value(target))
            })
            .collect()
    };
    let help = "Time that the last scrape of a target took.";
    let durations = labelled(|target| target.last_duration.as_secs_f64());
    out.gauge("scrape_last_duration", help, Some(Unit::Seconds), &durations)
}

fn rule_groups(out: &mut Out<'_, '_>, groups: &[RuleGroupState]) -> fmt::Result {
    let labels =
        |group: &RuleGroupState| vec![("file", group.file.clone()), ("group", group.name.clone())];
    let help = "Time that the last evaluation of a group of rules took.";
    let durations: Vec<_> =
        groups.iter().map(|group| (labels(group), group.last_duration.as_secs_f64())).collect();
    out.gauge("rules_last_duration", help, Some(Unit::Seconds), &durations)?;
    let help = "Evaluations of a group of rules that did not take place, because it was busy.";
    let missed: Vec<_> = groups.iter().map(|group| (labels(group), group.missed_total)).collect();
    out.counter("rules_missed", help, &missed)?;
    let failing = |group: &RuleGroupState| {
        group.rules.iter().filter(|rule| rule.last_error.is_some()).count() as f64
    };
    let help = "Rules of a group whose last evaluation failed.";
    let failing: Vec<_> = groups.iter().map(|group| (labels(group), failing(group))).collect();
    out.gauge("rules_failing", help, None, &failing)
}

/// Writes metrics, each with all of its label sets; one without any is left out.
struct Out<'o, 'e>(&'o mut DescriptorEncoder<'e>);

impl Out<'_, '_> {
    fn counter(&mut self, name: &str, help: &str, values: &[(SeriesLabels, u64)]) -> fmt::Result {
        self.write(name, help, None, MetricType::Counter, values, |value, encoder| {
            ConstCounter::new(*value).encode(encoder)
        })
    }

    fn counter_of_seconds(
        &mut self,
        name: &str,
        help: &str,
        values: &[(SeriesLabels, f64)],
    ) -> fmt::Result {
        let unit = Some(Unit::Seconds);
        self.write(name, help, unit, MetricType::Counter, values, |value, encoder| {
            ConstCounter::new(*value).encode(encoder)
        })
    }

    fn gauge(
        &mut self,
        name: &str,
        help: &str,
        unit: Option<Unit>,
        values: &[(SeriesLabels, f64)],
    ) -> fmt::Result {
        self.write(name, help, unit, MetricType::Gauge, values, |value, encoder| {
            ConstGauge::new(*value).encode(encoder)
        })
    }

    fn write<V>(
        &mut self,
        name: &str,
        help: &str,
        unit: Option<Unit>,
        kind: MetricType,
        values: &[(SeriesLabels, V)],
        encode: impl Fn(&V, MetricEncoder<'_>) -> fmt::Result,
    ) -> fmt::Result {
        if values.is_empty() {
            return Ok(());
        }
        let mut metric = self.0.encode_descriptor(name, help, unit.as_ref(), kind)?;
        if let [(labels, value)] = values
            && labels.is_empty()
        {
            return encode(value, metric);
        }
        for (labels, value) in values {
            encode(value, metric.encode_family(labels)?)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use pampero_resilience::VirtualClock;
    use prometheus_client::encoding::text;

    use super::*;
    use crate::options::HistoryOptions;
    use crate::testkit;

    #[tokio::test(start_paused = true)]
    async fn statistics_are_shown() {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(VirtualClock::starting_at(testkit::noon()));
        let history = History::open(folder.path(), HistoryOptions::default(), clock).unwrap();
        history.writer().count_malformed(3);
        let mut registry = Registry::default();
        history.register(registry.sub_registry_with_prefix("pampero_history"));

        let mut shown = String::new();
        text::encode(&mut shown, &registry).unwrap();
        for line in [
            "pampero_history_samples_appended_total 0",
            "pampero_history_samples_refused_total{reason=\"malformed\"} 3",
            "pampero_history_series 0.0",
            "# UNIT pampero_history_disk_bytes bytes",
            "pampero_history_scrape_last_duration_seconds{job=\"pampero\",\
             instance=\"localhost:8000\"} 0.0",
        ] {
            assert!(shown.lines().any(|shown| shown == line), "no {line:?} in:\n{shown}");
        }
        // Without a sample there is no earliest one, and zero would be a lie.
        assert!(!shown.contains("earliest_sample"), "{shown}");
    }
}
