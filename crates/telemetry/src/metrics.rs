//! The metrics of the process: one registry, two text formats.
//!
//! A crate registers its metrics on the registry that [`Metrics::area`] hands out; nothing is looked
//! up by name afterwards. Requests are counted by [`http::HttpMetrics`].

mod exposition;
pub mod http;
#[cfg(target_os = "linux")]
mod process;
mod reference;
mod runtime;

use jiff::Timestamp;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

pub use exposition::Exposition;
pub use reference::Family;

use runtime::RuntimeCollector;
use tokio::runtime::Handle;

/// Every name begins with this, but for those that all programs share (`process_…`).
pub const PREFIX: &str = "pampero";

/// The registry of the process.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
}

impl Metrics {
    /// Begins with `pampero_build_info` and the metrics of the process, of which
    /// `process_start_time_seconds` is everywhere and all others are on Linux.
    ///
    /// `version` is the version of the program, `started_at` the instant it was started. The revision
    /// is what `PAMPERO_REVISION` said while the program was compiled.
    pub fn new(version: &'static str, started_at: Timestamp) -> Self {
        let mut registry = Registry::default();
        registry.register_with_unit(
            "process_start_time",
            "Start of the process, in seconds since the Unix epoch",
            Unit::Seconds,
            ConstGauge::new(started_at.as_duration().as_secs_f64()),
        );
        #[cfg(target_os = "linux")]
        registry.register_collector(Box::new(process::ProcessCollector));
        let mut metrics = Self { registry };
        let pampero = metrics.registry.sub_registry_with_prefix(PREFIX);
        let info = Info::new([
            ("version", version),
            ("revision", option_env!("PAMPERO_REVISION").unwrap_or("unknown")),
            ("os", std::env::consts::OS),
            ("arch", std::env::consts::ARCH),
        ]);
        pampero.register("build", "The program that runs, always 1", info);
        metrics
    }

    /// Shows the threads, tasks and queues of the runtime.
    pub fn watch_runtime(&mut self, runtime: &Handle) {
        let collector = Box::new(RuntimeCollector::of(runtime));
        self.area("runtime").register_collector(collector);
    }

    /// Returns the registry for names that all programs share, as `node_…`; nothing is put in front.
    pub fn shared(&mut self) -> &mut Registry {
        &mut self.registry
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

    /// Returns the text without what differs from run to run.
    fn told(exposition: Exposition) -> String {
        let text = metrics().encode(exposition);
        let is_fixed = |line: &&str| !line.contains("process_") || line.contains("start_time");
        let machine =
            format!("os=\"{}\",arch=\"{}\"", std::env::consts::OS, std::env::consts::ARCH);
        let lines = text.lines().filter(is_fixed).map(|line| line.replace(&machine, "MACHINE"));
        lines.map(|line| line + "\n").collect()
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
pampero_build_info{version=\"0.1.0\",revision=\"unknown\",MACHINE} 1
# HELP pampero_loader_polls Rounds of polling.
# TYPE pampero_loader_polls counter
pampero_loader_polls_total 3
# EOF
";
        assert_eq!(told(Exposition::OpenMetrics), text);
    }

    #[test]
    fn prometheus_text_is_written() {
        let text = "\
# HELP process_start_time_seconds Start of the process, in seconds since the Unix epoch.
# TYPE process_start_time_seconds gauge
process_start_time_seconds 1795491662.5
# HELP pampero_build_info The program that runs, always 1.
# TYPE pampero_build_info gauge
pampero_build_info{version=\"0.1.0\",revision=\"unknown\",MACHINE} 1
# HELP pampero_loader_polls_total Rounds of polling.
# TYPE pampero_loader_polls_total counter
pampero_loader_polls_total 3
";
        assert_eq!(told(Exposition::PrometheusText), text);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_process_tells_of_itself_in_plausible_numbers() {
        let text = metrics().encode(Exposition::PrometheusText);
        let value = |name: &str| -> f64 {
            let line = text.lines().find(|line| line.split(' ').next() == Some(name)).unwrap();
            line.rsplit(' ').next().unwrap().parse().unwrap()
        };
        assert!((0.0..3_600.0).contains(&value("process_cpu_seconds_total")));
        let resident = value("process_resident_memory_bytes");
        assert!((1e6..1e10).contains(&resident), "{resident}");
        assert!(resident <= value("process_virtual_memory_bytes"));
        assert!(1.0 <= value("process_threads"));
        assert!((3.0..=value("process_max_fds")).contains(&value("process_open_fds")));
        assert!(0.0 < value("process_virtual_memory_max_bytes"));
    }

    #[tokio::test]
    async fn the_runtime_tells_of_its_tasks() {
        let mut metrics = metrics();
        metrics.watch_runtime(&Handle::current());
        let text = metrics.encode(Exposition::PrometheusText);
        assert!(text.contains("pampero_runtime_workers 1\n"), "{text}");
        assert!(
            text.contains("pampero_runtime_worker_busy_seconds_total{worker=\"0\"} "),
            "{text}"
        );
        assert!(text.contains("pampero_runtime_worker_parks_total{worker=\"0\"} "), "{text}");
    }
}
