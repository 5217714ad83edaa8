//! Writes metrics that are worked out when somebody asks.

use std::fmt;

use pampero_resilience::DistributionSnapshot;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;

/// What is said of a metric once: its name without prefix, unit and suffix, and its meaning.
#[derive(Clone, Copy)]
pub(super) struct Metric<'a> {
    name: &'a str,
    help: &'a str,
    unit: Option<&'a Unit>,
}

/// A metric without a unit: a count or a state.
pub(super) const fn metric<'a>(name: &'a str, help: &'a str) -> Metric<'a> {
    Metric { name, help, unit: None }
}

impl<'a> Metric<'a> {
    /// Puts a unit behind the name.
    pub(super) const fn in_unit(self, unit: &'a Unit) -> Self {
        Self { unit: Some(unit), ..self }
    }

    pub(super) const fn in_seconds(self) -> Self {
        self.in_unit(&Unit::Seconds)
    }
}

/// Writes one metric after the other, each with all its series.
pub(super) struct Writer<'a, 'b>(&'a mut DescriptorEncoder<'b>);

impl<'a, 'b> Writer<'a, 'b> {
    pub(super) fn new(encoder: &'a mut DescriptorEncoder<'b>) -> Self {
        Self(encoder)
    }

    /// Writes a counter with one series; `_total` is put behind its name.
    pub(super) fn counter(&mut self, metric: Metric<'_>, value: u64) -> fmt::Result {
        let Metric { name, help, unit } = metric;
        let encoder = self.0.encode_descriptor(name, help, unit, MetricType::Counter)?;
        ConstCounter::new(value).encode(encoder)
    }

    /// Writes a counter; `_total` is put behind its name.
    pub(super) fn counters<L: EncodeLabelSet>(
        &mut self,
        metric: Metric<'_>,
        series: impl IntoIterator<Item = (L, u64)>,
    ) -> fmt::Result {
        let Metric { name, help, unit } = metric;
        let mut encoder = self.0.encode_descriptor(name, help, unit, MetricType::Counter)?;
        for (labels, value) in series {
            ConstCounter::new(value).encode(encoder.encode_family(&labels)?)?;
        }
        Ok(())
    }

    /// Writes a gauge with one series.
    pub(super) fn gauge(&mut self, metric: Metric<'_>, value: f64) -> fmt::Result {
        let Metric { name, help, unit } = metric;
        let encoder = self.0.encode_descriptor(name, help, unit, MetricType::Gauge)?;
        ConstGauge::new(value).encode(encoder)
    }

    /// Writes a gauge.
    pub(super) fn gauges<L: EncodeLabelSet>(
        &mut self,
        metric: Metric<'_>,
        series: impl IntoIterator<Item = (L, f64)>,
    ) -> fmt::Result {
        let Metric { name, help, unit } = metric;
        let mut encoder = self.0.encode_descriptor(name, help, unit, MetricType::Gauge)?;
        for (labels, value) in series {
            ConstGauge::new(value).encode(encoder.encode_family(&labels)?)?;
        }
        Ok(())
    }

    /// Writes a histogram with one series; nothing when nothing is measured.
    pub(super) fn histogram(
        &mut self,
        metric: Metric<'_>,
        it: &DistributionSnapshot,
    ) -> fmt::Result {
        if it.buckets.is_empty() {
            return Ok(());
        }
        let Metric { name, help, unit } = metric;
        let mut encoder = self.0.encode_descriptor(name, help, unit, MetricType::Histogram)?;
        encoder.encode_histogram::<NoLabelSet>(it.sum, it.count(), &it.buckets, None)
    }

    /// Writes a histogram.
    pub(super) fn histograms<L: EncodeLabelSet>(
        &mut self,
        metric: Metric<'_>,
        series: impl IntoIterator<Item = (L, DistributionSnapshot)>,
    ) -> fmt::Result {
        let Metric { name, help, unit } = metric;
        let mut encoder = self.0.encode_descriptor(name, help, unit, MetricType::Histogram)?;
        for (labels, it) in series {
            let mut encoder = encoder.encode_family(&labels)?;
            encoder.encode_histogram::<NoLabelSet>(it.sum, it.count(), &it.buckets, None)?;
        }
        Ok(())
    }
}

/// Returns 1 for what is so, 0 for what is not.
pub(super) fn flag(is_so: bool) -> f64 {
    f64::from(u8::from(is_so))
}
