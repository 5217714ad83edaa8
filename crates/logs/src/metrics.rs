//! What the logs tell of themselves, read from their statistics when somebody asks.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use pampero_index::{Cluster, IndexStatistics};
use pampero_resilience::Clock;
use pampero_telemetry::logging::documents::Documents;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, MetricEncoder};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::{Registry, Unit};

use crate::path::{LogPath, WriterCounts};
use crate::shipping::Shipping;

/// The parts of the logs that tell of themselves; those that there are not stay silent.
#[derive(Clone, Debug)]
pub struct LogMetrics {
    /// Tells how old is what waits.
    pub clock: Arc<dyn Clock>,
    /// The queue of the log.
    pub documents: Option<Documents>,
    /// The job that empties the queue.
    pub writer: Option<WriterCounts>,
    /// The daily indices.
    pub path: Option<LogPath>,
    /// All indices.
    pub cluster: Option<Arc<Cluster>>,
    /// The way to another cluster.
    pub shipping: Option<Shipping>,
}

impl LogMetrics {
    /// Registers the metrics of the logs with the prefix of `registry`, which is meant to be
    /// `pampero_logs`.
    pub fn register(self, registry: &mut Registry) {
        let totals = Mutex::default();
        registry.register_collector(Box::new(LogCollector { parts: self, totals }));
    }
}

#[derive(Debug)]
struct LogCollector {
    parts: LogMetrics,
    totals: Mutex<Totals>,
}

/// Counts over all indices that ever were, so that none falls when an index is dropped.
#[derive(Debug, Default)]
struct Totals {
    indexed: u64,
    searches: u64,
    seen: HashMap<Arc<str>, IndexStatistics>,
}

/// All indices together.
#[derive(Debug, Default)]
struct Sums {
    indices: u64,
    damaged: u64,
    documents: u64,
    bytes: u64,
    segments: u64,
    uncommitted: u64,
    indexed_total: u64,
    searches_total: u64,
}

impl Collector for LogCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut out = Out(&mut encoder);
        self.events(&mut out)?;
        self.written(&mut out)?;
        self.indices(&mut out)?;
        self.shipping(&mut out)
    }
}

impl LogCollector {
    fn events(&self, out: &mut Out<'_, '_>) -> fmt::Result {
        let Some(documents) = &self.parts.documents else { return Ok(()) };
        let stats = documents.stats();
        let help = "Events of the log by what became of them: a document of their own, a part of one \
                    that tells of repeats, or nothing, because the queue was full.";
        let outcomes =
            [("queued", stats.queued), ("folded", stats.folded), ("dropped", stats.dropped)];
        out.counter("events", help, &outcomes.map(|(outcome, n)| (label("outcome", outcome), n)))?;
        let help = "Documents of the log that wait to be written.";
        out.gauge("queue_documents", help, None, stats.waiting as f64)?;
        let help = "Size of the documents of the log that wait to be written.";
        out.gauge("queue", help, Some(Unit::Bytes), stats.waiting_bytes as f64)
    }

    fn written(&self, out: &mut Out<'_, '_>) -> fmt::Result {
        if let Some(writer) = &self.parts.writer {
            let stats = writer.stats();
            let lanes = [("index", stats.index), ("buffer", stats.buffer)];
            let there = lanes.into_iter().filter_map(|(name, lane)| Some((name, lane?)));
            let lanes: Vec<_> =
                there.map(|(name, lane)| (label("destination", name), lane)).collect();
            let of = |value: fn(&crate::path::LaneStats) -> u64| -> Vec<_> {
                lanes.iter().map(|(labels, lane)| (labels.clone(), value(lane))).collect()
            };
            let help = "Times that documents of the log could not be written.";
            out.counter("write_failures", help, &of(|lane| lane.failures))?;
            let help =
                "Documents of the log that were dropped, because a disk failed for too long.";
            out.counter("documents_dropped", help, &of(|lane| lane.dropped))?;
        }
        let Some(path) = &self.parts.path else { return Ok(()) };
        let stats = path.stats();
        let help = "Documents of the log that were written into the index of their day.";
        out.counter("documents_written", help, &[(Vec::new(), stats.written)])?;
        let help = "Documents of the log whose fields did not fit the index and became one text.";
        out.counter("documents_reduced", help, &[(Vec::new(), stats.reduced)])?;
        let help = "Documents of the log that did not fit the index and are lost.";
        out.counter("documents_rejected", help, &[(Vec::new(), stats.rejected)])?;
        let help = "Daily indices of the log that were dropped.";
        let reasons =
            [("age", stats.indices_dropped_by_age), ("size", stats.indices_dropped_by_size)];
        out.counter(
            "indices_dropped",
            help,
            &reasons.map(|(reason, n)| (label("reason", reason), n)),
        )
    }

    fn indices(&self, out: &mut Out<'_, '_>) -> fmt::Result {
        let Some(cluster) = &self.parts.cluster else { return Ok(()) };
        let sums = self.sums(cluster);
        out.gauge("indices", "Indices that there are.", None, sums.indices as f64)?;
        let help = "Indices of which a part is damaged.";
        out.gauge("indices_damaged", help, None, sums.damaged as f64)?;
        let help = "Documents in all indices that can be searched.";
        out.gauge("documents", help, None, sums.documents as f64)?;
        let help = "Size of all indices on disk.";
        out.gauge("disk", help, Some(Unit::Bytes), sums.bytes as f64)?;
        out.gauge("segments", "Segments of all indices.", None, sums.segments as f64)?;
        let help = "Operations that are in the write-ahead logs and not committed.";
        out.gauge("operations_uncommitted", help, None, sums.uncommitted as f64)?;
        let help = "Operations on documents, deletions included.";
        out.counter("operations", help, &[(Vec::new(), sums.indexed_total)])?;
        let help = "Searches, counted once for each index.";
        out.counter("searches", help, &[(Vec::new(), sums.searches_total)])
    }

    fn sums(&self, cluster: &Cluster) -> Sums {
        let mut totals = self.totals.lock().unwrap_or_else(PoisonError::into_inner);
        let mut sums = Sums::default();
        let mut seen = HashMap::new();
        for index in cluster.indices().all() {
            let now = index.statistics();
            let before = totals.seen.get(index.uuid()).copied().unwrap_or_default();
            totals.indexed += now.indexed_total.saturating_sub(before.indexed_total);
            totals.searches += now.searches_total.saturating_sub(before.searches_total);
            sums.indices += 1;
            sums.damaged += u64::from(index.damage().is_some());
            sums.documents += now.documents;
            sums.bytes += now.bytes;
            sums.segments += now.segments as u64;
            sums.uncommitted += now.uncommitted;
            seen.insert(Arc::clone(index.uuid()), now);
        }
        totals.seen = seen;
        sums.indexed_total = totals.indexed;
        sums.searches_total = totals.searches;
        sums
    }

    fn shipping(&self, out: &mut Out<'_, '_>) -> fmt::Result {
        let Some(shipping) = &self.parts.shipping else { return Ok(()) };
        let stats = shipping.stats();
        let help = "Size of the documents on disk that wait to be shipped.";
        out.gauge("shipping_buffer", help, Some(Unit::Bytes), stats.buffer_bytes as f64)?;
        let help = "Documents on disk that wait to be shipped.";
        out.gauge("shipping_buffer_documents", help, None, stats.buffer_documents as f64)?;
        let now = self.parts.clock.now();
        let age = stats.oldest_at.map(|at| now.duration_since(at).as_secs_f64().max(0.0));
        let is_known = age.is_some() || stats.buffer_documents == 0;
        if is_known {
            let help = "Age of the oldest document that waits to be shipped; 0 when none does.";
            out.gauge("shipping_oldest_age", help, Some(Unit::Seconds), age.unwrap_or_default())?;
        }
        let help = "Bytes of the buffer that could not be read and are lost.";
        let values = [(Vec::new(), stats.damaged_bytes)];
        out.counter_in("shipping_damaged", help, Some(Unit::Bytes), &values)?;
        let help = "Documents by what became of them on their way to another cluster.";
        let outcomes =
            [("shipped", stats.shipped), ("dropped", stats.dropped), ("rejected", stats.rejected)];
        let outcomes = outcomes.map(|(outcome, n)| (label("outcome", outcome), n));
        out.counter("shipping_documents", help, &outcomes)?;
        let help = "Documents that another cluster was too busy for and that were sent again.";
        out.counter("shipping_retries", help, &[(Vec::new(), stats.retried)])?;
        let help = "Bulk requests to another cluster.";
        out.counter("shipping_requests", help, &[(Vec::new(), stats.requests)])?;
        let help = "Bulk requests to another cluster that failed as a whole.";
        out.counter("shipping_requests_failed", help, &[(Vec::new(), stats.requests_failed)])?;
        let Some(last_success_at) = stats.last_success_at else { return Ok(()) };
        let help = "Time of the last bulk request that was taken, in seconds since the Unix epoch.";
        let seconds = last_success_at.as_millisecond() as f64 / 1000.0;
        out.gauge("shipping_last_success_timestamp", help, Some(Unit::Seconds), seconds)
    }
}

/// Names and values of labels.
type SeriesLabels = Vec<(&'static str, &'static str)>;

fn label(name: &'static str, value: &'static str) -> SeriesLabels {
    vec![(name, value)]
}

/// Writes metrics, each with all of its label sets; one without any is left out.
struct Out<'o, 'e>(&'o mut DescriptorEncoder<'e>);

impl Out<'_, '_> {
    fn counter(&mut self, name: &str, help: &str, values: &[(SeriesLabels, u64)]) -> fmt::Result {
        self.counter_in(name, help, None, values)
    }

    fn counter_in(
        &mut self,
        name: &str,
        help: &str,
        unit: Option<Unit>,
        values: &[(SeriesLabels, u64)],
    ) -> fmt::Result {
        if values.is_empty() {
            return Ok(());
        }
        let mut metric =
            self.0.encode_descriptor(name, help, unit.as_ref(), MetricType::Counter)?;
        let encode =
            |value: &u64, encoder: MetricEncoder<'_>| ConstCounter::new(*value).encode(encoder);
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

    fn gauge(&mut self, name: &str, help: &str, unit: Option<Unit>, value: f64) -> fmt::Result {
        let metric = self.0.encode_descriptor(name, help, unit.as_ref(), MetricType::Gauge)?;
        ConstGauge::new(value).encode(metric)
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use pampero_index::IndexOptions;
    use pampero_resilience::VirtualClock;
    use pampero_telemetry::logging::documents::{self, DocumentConfig, LogDocument};
    use pampero_telemetry::redaction::Redactor;
    use prometheus_client::encoding::text;

    use super::*;
    use crate::path::{LogWriter, PathOptions, WriterOptions};
    use crate::shipping::ShippingConfig;

    #[tokio::test(start_paused = true)]
    async fn statistics_are_shown() {
        let folder = tempfile::tempdir().unwrap();
        let start: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
        let clock: Arc<dyn Clock> = Arc::new(VirtualClock::starting_at(start));
        let (documents, queue) =
            documents::open(&DocumentConfig::default(), Redactor::default(), Arc::clone(&clock));
        let config = ShippingConfig::new("http://search.example:9200".parse().unwrap());
        let buffer = folder.path().join("buffer");
        let shipping = Shipping::open(&buffer, config, Arc::clone(&clock), 1).unwrap();
        let body = bytes::Bytes::from_static(b"{}");
        shipping.append(&[LogDocument { at: start, body }]).unwrap();
        let cluster =
            Arc::new(Cluster::open(&folder.path().join("index"), IndexOptions::default()).unwrap());
        let path = LogPath::open(Arc::clone(&cluster), Arc::clone(&clock), PathOptions::default())
            .unwrap();
        let writer = LogWriter::new(
            queue,
            WriterOptions::default(),
            Some(path.clone()),
            Some(shipping.clone()),
        );
        let mut registry = Registry::default();
        LogMetrics {
            clock,
            documents: Some(documents),
            writer: Some(writer.counts()),
            path: Some(path),
            cluster: Some(cluster),
            shipping: Some(shipping),
        }
        .register(registry.sub_registry_with_prefix("pampero_logs"));
        tokio::time::advance(std::time::Duration::from_secs(90)).await;

        let mut shown = String::new();
        text::encode(&mut shown, &registry).unwrap();
        for line in [
            "pampero_logs_events_total{outcome=\"dropped\"} 0",
            "pampero_logs_queue_bytes 0.0",
            "pampero_logs_write_failures_total{destination=\"buffer\"} 0",
            "pampero_logs_documents_dropped_total{destination=\"index\"} 0",
            "pampero_logs_indices 1.0",
            "pampero_logs_indices_dropped_total{reason=\"age\"} 0",
            "pampero_logs_shipping_oldest_age_seconds 90.0",
            "pampero_logs_shipping_buffer_bytes 42.0",
            "pampero_logs_shipping_damaged_bytes_total 0",
            "pampero_logs_shipping_documents_total{outcome=\"shipped\"} 0",
        ] {
            assert!(shown.lines().any(|shown| shown == line), "no {line:?} in:\n{shown}");
        }
        // Nothing was taken yet, and zero would be a lie.
        assert!(!shown.contains("last_success"), "{shown}");
    }
}
