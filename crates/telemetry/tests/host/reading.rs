//! Metrics read back from their text.

use std::collections::BTreeMap;

use pampero_telemetry::host::HostMetrics;
use pampero_telemetry::prometheus_client::encoding::text;
use pampero_telemetry::prometheus_client::registry::Registry;

/// Returns the metrics in the names and types of Prometheus text.
pub(crate) fn encode(host: &HostMetrics) -> String {
    let mut registry = Registry::default();
    host.register(&mut registry);
    let mut open_metrics = String::new();
    text::encode(&mut open_metrics, &registry).unwrap();
    as_prometheus_text(&open_metrics)
}

fn as_prometheus_text(open_metrics: &str) -> String {
    let mut text = String::new();
    let mut help = "";
    for line in open_metrics.lines().filter(|line| *line != "# EOF") {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            help = rest.split_once(' ').unwrap().1;
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            let (suffix, kind) = match kind {
                "counter" => ("_total", "counter"),
                "info" => ("_info", "gauge"),
                "unknown" => ("", "untyped"),
                other => ("", other),
            };
            text.push_str(&format!("# HELP {name}{suffix} {help}\n"));
            text.push_str(&format!("# TYPE {name}{suffix} {kind}\n"));
        } else {
            text.push_str(&format!("{line}\n"));
        }
    }
    text
}

/// Samples by family and then by their labels as they are written, the order of names aside.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    families: BTreeMap<String, BTreeMap<String, f64>>,
    pub(crate) types: BTreeMap<String, String>,
    pub(crate) helps: BTreeMap<String, String>,
}

impl Reading {
    pub(crate) fn of(host: &HostMetrics) -> Self {
        Self::parse(&encode(host))
    }

    pub(crate) fn parse(text: &str) -> Self {
        let mut reading = Self::default();
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# HELP ") {
                let (name, help) = rest.split_once(' ').unwrap_or((rest, ""));
                reading.helps.insert(name.to_owned(), help.to_owned());
            } else if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (name, kind) = rest.split_once(' ').unwrap();
                reading.types.insert(name.to_owned(), kind.to_owned());
            } else if !line.is_empty() {
                reading.take(line);
            }
        }
        reading
    }

    fn take(&mut self, line: &str) {
        let (series, value) = line.rsplit_once(' ').unwrap();
        let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
        let labels = labels.strip_suffix('}').unwrap();
        let series = self.families.entry(name.to_owned()).or_default();
        let twin = series.insert(in_order(labels), value.parse().unwrap());
        assert_eq!(twin, None, "twice the same series: {line}");
    }

    pub(crate) fn families(&self) -> impl Iterator<Item = &str> {
        self.families.keys().map(String::as_str)
    }

    pub(crate) fn series(&self, family: &str) -> Option<&BTreeMap<String, f64>> {
        self.families.get(family)
    }

    /// Tells whether a collector says that it worked.
    pub(crate) fn worked(&self, collector: &str) -> bool {
        let runs = &self.families["node_scrape_collector_success"];
        runs.get(&format!("collector=\"{collector}\"")) == Some(&1.0)
    }

    /// Returns what a label says in the series of a family, each once, in order.
    pub(crate) fn label_values(&self, family: &str, label: &str) -> Vec<&str> {
        let start = format!("{label}=\"");
        let labels = self.families[family]
            .keys()
            .filter_map(|labels| labels.split("\",").find_map(|pair| pair.strip_prefix(&start)));
        let mut values: Vec<&str> = labels.map(|text| text.trim_end_matches('"')).collect();
        values.sort_unstable();
        values.dedup();
        values
    }
}

/// Sorts labels by name, so that two programs can be compared. No value here holds `",`.
fn in_order(labels: &str) -> String {
    let mut pairs: Vec<&str> = labels.split_inclusive("\",").collect();
    for pair in &mut pairs {
        *pair = pair.trim_end_matches(',');
    }
    pairs.sort_unstable();
    pairs.join(",")
}
