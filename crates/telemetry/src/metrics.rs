//! The metrics of the process: one registry, two text formats.
//!
//! A crate registers its metrics on the registry that [`Metrics::area`] hands out; nothing is looked
//! up by name afterwards. Requests are counted by [`http::HttpMetrics`].

mod exposition;
pub mod http;

use jiff::Timestamp;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

pub use exposition::Exposition;

/// Every name begins with this, but for those that all programs share (`process_…`).
pub const PREFIX: &str = "pampero";

/// The registry of the process.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
}

impl Metrics {
    /// Begins with `pampero_build_info` and `process_start_time_seconds`.
    ///
    /// `version` is the version of the program, `started_at` the instant it was started.
    pub fn new(version: &'static str, started_at: Timestamp) -> Self {
        let mut registry = Registry::default();
        registry.register_with_unit(
            "process_start_time",
            "Start of the process, in seconds since the Unix epoch",
            Unit::Seconds,
            ConstGauge::new(started_at.as_duration().as_secs_f64()),
        );
        let mut metrics = Self { registry };
        let pampero = metrics.registry.sub_registry_with_prefix(PREFIX);
        let info = Info::new([("version", version)]);
        pampero.register("build", "The program that runs, always 1", info);
        metrics
    }

    /// Returns a registry whose names begin with `pampero_<area>_`, as in `pampero_http_`.
    pub fn area(&mut self, area: &str) -> &mut Registry {
        self.registry.sub_registry_with_prefix(format!("{PREFIX}_{area}"))
    }

    /// Writes every metric as it is now.
    pub fn encode(&self, exposition: Exposition) -> String {
        exposition.encode(&self.registry)
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::metrics::counter::Counter;

    use super::*;

    fn metrics() -> Metrics {
        let started_at: Timestamp = "2026-11-24T03:41:02.5Z".parse().unwrap();
        let mut metrics = Metrics::new("0.1.0", started_at);
        let polls = Counter::<u64>::default();
        metrics.area("loader").register("polls", "Rounds of polling", polls.clone());
        polls.inc_by(3);
        metrics
    }

    #[test]
    fn open_metrics_text_is_written() {
        let text = "\
# HELP process_start_time_seconds Start of the process, in seconds since the Unix epoch.
# TYPE process_start_time_seconds gauge
# UNIT process_start_time_seconds seconds
process_start_time_seconds 1795491662.5
# HELP pampero_build The program that runs, always 1.
# TYPE pampero_build info
pampero_build_info{version=\"0.1.0\"} 1
# HELP pampero_loader_polls Rounds of polling.
# TYPE pampero_loader_polls counter
pampero_loader_polls_total 3
# EOF
";
        assert_eq!(metrics().encode(Exposition::OpenMetrics), text);
    }

    #[test]
    fn prometheus_text_is_written() {
        let text = "\
# HELP process_start_time_seconds Start of the process, in seconds since the Unix epoch.
# TYPE process_start_time_seconds gauge
process_start_time_seconds 1795491662.5
# HELP pampero_build_info The program that runs, always 1.
# TYPE pampero_build_info gauge
pampero_build_info{version=\"0.1.0\"} 1
# HELP pampero_loader_polls_total Rounds of polling.
# TYPE pampero_loader_polls_total counter
pampero_loader_polls_total 3
";
        assert_eq!(metrics().encode(Exposition::PrometheusText), text);
    }
}
