//! What the alerts tell of themselves, read from their statistics when somebody asks.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::{Registry, Unit};

use crate::engine::{AlertStatistics, Alerting};
use crate::outbox::age;

/// The metrics of the alerts.
#[derive(Clone, Debug)]
pub struct AlertMetrics {
    /// The alerts.
    pub alerting: Alerting,
}

impl AlertMetrics {
    /// Registers the metrics with the prefix of `registry`, which is meant to be `pampero_alerts`.
    pub fn register(self, registry: &mut Registry) {
        registry.register_collector(Box::new(AlertCollector(self.alerting)));
    }
}

#[derive(Debug)]
struct AlertCollector(Alerting);

/// A label with its value, and what is measured.
type Series<'s, V> = (&'static str, &'s str, V);

impl Collector for AlertCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let statistics = self.0.statistics();
        let mut out = Out(&mut encoder);
        states(&mut out, &statistics)?;
        evaluations(&mut out, &statistics)?;
        self.waiting(&mut out, &statistics)?;
        channels(&mut out, &statistics)
    }
}

impl AlertCollector {
    fn waiting(&self, out: &mut Out<'_, '_>, statistics: &AlertStatistics) -> fmt::Result {
        let now = self.0.now();
        let of = |value: fn(&crate::Waiting, jiff::Timestamp) -> f64| -> Vec<Series<'_, f64>> {
            let waiting = statistics.waiting.iter();
            waiting.map(|one| ("channel", one.channel.as_str(), value(one, now))).collect()
        };
        let help = "Messages of alerts that wait for their channel.";
        out.gauges("messages_waiting", help, None, &of(|one, _| one.messages as f64))?;
        let help = "Age of the oldest message that waits for its channel.";
        let ages = of(|one, now| age(one.oldest, now).as_secs_f64());
        out.gauges("message_oldest_age", help, Some(Unit::Seconds), &ages)
    }
}

fn states(out: &mut Out<'_, '_>, statistics: &AlertStatistics) -> fmt::Result {
    let counts = &statistics.alerts;
    let states = [
        ("pending", counts.pending),
        ("active", counts.active),
        ("acknowledged", counts.acknowledged),
        ("error", counts.error),
        ("no_data", counts.no_data),
    ];
    let help = "Alerts by their state; error and no_data count monitors and rules.";
    out.gauges("live", help, None, &states.map(|(state, n)| ("state", state, n as f64)))?;
    let help = "Alerts that are active or acknowledged and under a mute.";
    out.gauge("muted", help, counts.muted as f64)
}

fn evaluations(out: &mut Out<'_, '_>, statistics: &AlertStatistics) -> fmt::Result {
    let outcomes = [
        ("known", statistics.evaluations),
        ("no_data", statistics.evaluations_without_data),
        ("failed", statistics.evaluations_failed),
    ];
    let help = "Evaluations of triggers and alerting rules by what came of them.";
    let outcomes = outcomes.map(|(outcome, count)| ("outcome", outcome, count));
    out.counters("evaluations", help, &outcomes)?;
    let help = "Messages of alerts that a throttle held back.";
    out.counter("messages_throttled", help, statistics.throttled)?;
    let help = "Messages of alerts that came late and were put together with others.";
    out.counter("messages_folded", help, statistics.folded)?;
    let help = "Times that alerts could not be kept on disk.";
    out.counter("store_failures", help, statistics.store_failures)?;
    let help = "Whether everything that is known of alerts is on disk: 1, or 0.";
    out.gauge("store_current", help, f64::from(u8::from(statistics.is_kept)))
}

fn channels(out: &mut Out<'_, '_>, statistics: &AlertStatistics) -> fmt::Result {
    let of = |value: fn(&crate::ChannelStatistics) -> u64| -> Vec<Series<'_, u64>> {
        let channels = statistics.channels.iter();
        channels.map(|(id, one)| ("channel", id.as_str(), value(one))).collect()
    };
    let help = "Messages of alerts that arrived.";
    out.counters("messages_delivered", help, &of(|one| one.delivered))?;
    let help = "Deliveries that failed, most of which are tried again.";
    out.counters("deliveries_failed", help, &of(|one| one.failed))?;
    let help = "Messages of alerts that were given up and are dead letters.";
    out.counters("messages_dead", help, &of(|one| one.dead))
}

/// Writes metrics, each with all of its label sets; one without any is left out.
struct Out<'o, 'e>(&'o mut DescriptorEncoder<'e>);

impl Out<'_, '_> {
    fn counter(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        let metric = self.0.encode_descriptor(name, help, None, MetricType::Counter)?;
        ConstCounter::new(value).encode(metric)
    }

    fn counters(&mut self, name: &str, help: &str, values: &[Series<'_, u64>]) -> fmt::Result {
        if values.is_empty() {
            return Ok(());
        }
        let mut metric = self.0.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (label, value, count) in values {
            ConstCounter::new(*count).encode(metric.encode_family(&[(*label, *value)])?)?;
        }
        Ok(())
    }

    fn gauge(&mut self, name: &str, help: &str, value: f64) -> fmt::Result {
        let metric = self.0.encode_descriptor(name, help, None, MetricType::Gauge)?;
        ConstGauge::new(value).encode(metric)
    }

    fn gauges(
        &mut self,
        name: &str,
        help: &str,
        unit: Option<Unit>,
        values: &[Series<'_, f64>],
    ) -> fmt::Result {
        if values.is_empty() {
            return Ok(());
        }
        let mut metric = self.0.encode_descriptor(name, help, unit.as_ref(), MetricType::Gauge)?;
        for (label, name, value) in values {
            ConstGauge::new(*value).encode(metric.encode_family(&[(*label, *name)])?)?;
        }
        Ok(())
    }
}
