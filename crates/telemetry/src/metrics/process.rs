//! `process_…`: what the system says of this process, under the names that all programs share.
//!
//! Read when somebody asks. A figure that cannot be read is left out, never zero.

use std::fmt;

use procfs::process::{LimitValue, Process};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;

/// Reads `/proc/self` whenever somebody asks.
#[derive(Debug)]
pub(super) struct ProcessCollector;

impl Collector for ProcessCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let Ok(process) = Process::myself() else { return Ok(()) };
        let mut writer = Writer(&mut encoder);
        write_stat(&process, &mut writer)?;
        if let Ok(count) = process.fd_count() {
            let help = "File descriptors that are open.";
            writer.gauge("process_open_fds", help, None, count as f64)?;
        }
        let Ok(limits) = process.limits() else { return Ok(()) };
        let help = "File descriptors that may be open.";
        let limit = as_number(limits.max_open_files.soft_limit);
        writer.gauge("process_max_fds", help, None, limit)?;
        let help = "Address space that may be used; infinite without a limit.";
        let limit = as_number(limits.max_address_space.soft_limit);
        writer.gauge("process_virtual_memory_max", help, Some(&Unit::Bytes), limit)
    }
}

fn write_stat(process: &Process, writer: &mut Writer<'_, '_>) -> fmt::Result {
    let Ok(stat) = process.stat() else { return Ok(()) };
    let ticks = stat.utime.saturating_add(stat.stime);
    let used_s = ticks as f64 / procfs::ticks_per_second() as f64;
    writer.cpu("Time that processors spent on the process.", used_s)?;
    let resident = stat.rss.saturating_mul(procfs::page_size()) as f64;
    let help = "Memory that the process holds.";
    writer.gauge("process_resident_memory", help, Some(&Unit::Bytes), resident)?;
    let help = "Address space that the process uses.";
    writer.gauge("process_virtual_memory", help, Some(&Unit::Bytes), stat.vsize as f64)?;
    writer.gauge("process_threads", "Threads of the process.", None, stat.num_threads as f64)
}

fn as_number(limit: LimitValue) -> f64 {
    match limit {
        LimitValue::Unlimited => f64::INFINITY,
        LimitValue::Value(value) => value as f64,
    }
}

struct Writer<'a, 'b>(&'a mut DescriptorEncoder<'b>);

impl Writer<'_, '_> {
    fn gauge(&mut self, name: &str, help: &str, unit: Option<&Unit>, value: f64) -> fmt::Result {
        let encoder = self.0.encode_descriptor(name, help, unit, MetricType::Gauge)?;
        ConstGauge::new(value).encode(encoder)
    }

    fn cpu(&mut self, help: &str, seconds: f64) -> fmt::Result {
        let (unit, kind) = (Some(&Unit::Seconds), MetricType::Counter);
        let encoder = self.0.encode_descriptor("process_cpu", help, unit, kind)?;
        ConstCounter::new(seconds).encode(encoder)
    }
}
