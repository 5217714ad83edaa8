//! `pampero_runtime_…`: what the asynchronous runtime says of itself.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;
use tokio::runtime::{Handle, RuntimeMetrics};

/// Asks the runtime whenever somebody asks.
#[derive(Debug)]
pub(super) struct RuntimeCollector(RuntimeMetrics);

impl RuntimeCollector {
    pub(super) fn of(runtime: &Handle) -> Self {
        Self(runtime.metrics())
    }
}

impl Collector for RuntimeCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let runtime = &self.0;
        let gauges = [
            ("workers", "Threads that run tasks.", runtime.num_workers()),
            ("alive_tasks", "Tasks that have not ended.", runtime.num_alive_tasks()),
            (
                "global_queue_depth",
                "Tasks that wait in the queue which all threads share.",
                runtime.global_queue_depth(),
            ),
        ];
        for (name, help, value) in gauges {
            let encoder = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            ConstGauge::new(value).encode(encoder)?;
        }
        let help = "Time that a thread spent on tasks.";
        let (unit, kind) = (Some(&Unit::Seconds), MetricType::Counter);
        let mut busy = encoder.encode_descriptor("worker_busy", help, unit, kind)?;
        for worker in 0..runtime.num_workers() {
            let seconds = runtime.worker_total_busy_duration(worker).as_secs_f64();
            ConstCounter::new(seconds).encode(busy.encode_family(&[("worker", worker)])?)?;
        }
        let help = "Times that a thread had nothing to do and slept.";
        let mut parks = encoder.encode_descriptor("worker_parks", help, None, kind)?;
        for worker in 0..runtime.num_workers() {
            let count = runtime.worker_park_count(worker);
            ConstCounter::new(count).encode(parks.encode_family(&[("worker", worker)])?)?;
        }
        Ok(())
    }
}
