//! Debian's node_exporter and Pampero on the same machine at the same moment.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use pampero_resilience::SystemClock;
use pampero_telemetry::host::{Collector, HostMetrics, HostOptions};

use crate::reading::Reading;

/// Gauges move between two readings; a series has to agree in one of so many rounds.
const ROUNDS: usize = 10;

/// Looks at the machine each time it is asked, as node_exporter does.
fn always_anew() -> HostOptions {
    HostOptions { sample_age_max: Duration::ZERO, ..HostOptions::default() }
}

#[test]
fn every_shared_name_has_the_same_series_and_values() {
    let node_exporter = NodeExporter::start();
    let host = HostMetrics::new(&always_anew(), Arc::new(SystemClock)).unwrap();
    let mut wrong = BTreeMap::new();
    for round in 0..ROUNDS {
        let before = Reading::of(&host);
        let theirs = node_exporter.scrape();
        let after = Reading::of(&host);
        let now_wrong = differences(&before, &theirs, &after);
        if round == 0 {
            wrong = now_wrong;
        } else {
            wrong.retain(|series, _| now_wrong.contains_key(series));
        }
        if wrong.is_empty() {
            break;
        }
    }
    assert!(wrong.is_empty(), "differs from node_exporter in every round:\n{wrong:#?}");
}

/// Returns each series that differs, with how.
fn differences(before: &Reading, theirs: &Reading, after: &Reading) -> BTreeMap<String, String> {
    let mut wrong = BTreeMap::new();
    let shared: Vec<&str> = theirs.families().filter(|name| after.series(name).is_some()).collect();
    assert!(shared.len() > 150, "too few names are shared: {shared:?}");
    for name in shared {
        if name.starts_with("node_scrape_collector") {
            continue;
        }
        for (what, ours, their) in [
            ("type", after.types.get(name), theirs.types.get(name)),
            ("help", after.helps.get(name), theirs.helps.get(name)),
        ] {
            if ours != their {
                wrong.insert(format!("{what} of {name}"), format!("{ours:?}, not {their:?}"));
            }
        }
        let kind = theirs.types[name].as_str();
        let [before, theirs, after] = [before, theirs, after].map(|one| one.series(name));
        let (before, theirs) = (before.cloned().unwrap_or_default(), theirs.unwrap());
        let after = after.unwrap();
        for labels in after.keys().filter(|labels| !theirs.contains_key(*labels)) {
            wrong.insert(format!("{name}{{{labels}}}"), "only Pampero has it".into());
        }
        for (labels, value) in theirs {
            let (Some(low), Some(high)) = (before.get(labels), after.get(labels)) else {
                wrong.insert(format!("{name}{{{labels}}}"), "only node_exporter has it".into());
                continue;
            };
            let tolerance = tolerance(name, kind, *value);
            if !(low.min(*high) - tolerance..=low.max(*high) + tolerance).contains(value) {
                let how = format!("{value} is not between {low} and {high}");
                wrong.insert(format!("{name}{{{labels}}}"), how);
            }
        }
    }
    wrong
}

/// A counter lies between the readings before and after; a gauge may have wandered a little further.
fn tolerance(name: &str, kind: &str, value: f64) -> f64 {
    // The other program's own connections, and those of tests that run beside this one, are counted.
    let counts_what_runs = ["node_sockstat_", "node_netstat_Tcp_CurrEstab", "node_procs_"];
    if counts_what_runs.iter().any(|start| name.starts_with(start)) {
        return 32.0 + 0.5 * value.abs();
    }
    match kind {
        // Seconds come as sums of ticks and milliseconds, which round.
        "counter" => 1e-6 * value.abs() + 1e-6,
        _ => 0.01 * value.abs() + 0.01,
    }
}

#[test]
fn collectors_work_where_those_of_node_exporter_work() {
    let theirs = NodeExporter::start().scrape();
    let host = HostMetrics::new(&always_anew(), Arc::new(SystemClock)).unwrap();
    let ours = Reading::of(&host);
    for collector in Collector::ALL {
        let name = collector.as_str();
        assert_eq!(ours.worked(name), theirs.worked(name), "{name}");
    }
}

#[test]
fn page_tells_what_is_covered_and_what_is_not() {
    let theirs = NodeExporter::start().scrape();
    let host = HostMetrics::new(&always_anew(), Arc::new(SystemClock)).unwrap();
    let ours = Reading::of(&host);
    let rows = rows();
    let listed: BTreeSet<&str> = rows.iter().map(|row| row.collector.as_str()).collect();
    for collector in theirs.label_values("node_scrape_collector_success", "collector") {
        assert!(listed.contains(collector), "the page does not speak of {collector}");
    }
    let covered: BTreeSet<&str> =
        rows.iter().filter(|row| row.is_covered).map(|row| row.collector.as_str()).collect();
    let known: BTreeSet<&str> = Collector::ALL.iter().map(|one| one.as_str()).collect();
    let covered_by_switch: BTreeSet<&str> =
        covered.iter().copied().filter(|name| *name != "(all)").collect();
    assert_eq!(covered_by_switch, known);

    for name in theirs.families().filter(|name| name.starts_with("node_")) {
        let matching: Vec<bool> =
            rows.iter().filter(|row| row.fits(name)).map(|row| row.is_covered).collect();
        let [is_covered] = matching[..] else {
            panic!("{name} stands in {} rows of the page, not in one", matching.len())
        };
        assert_eq!(ours.series(name).is_some(), is_covered, "{name}");
    }
    for name in ours.families() {
        let is_listed = rows.iter().any(|row| row.is_covered && row.fits(name));
        assert!(is_listed, "the page does not list {name}");
    }
}

/// A row of the table in the page.
#[derive(Debug)]
struct Row {
    collector: String,
    /// Names; one that ends with `*` stands for all that begin so.
    metrics: Vec<String>,
    is_covered: bool,
}

impl Row {
    fn fits(&self, name: &str) -> bool {
        self.metrics.iter().any(|metric| match metric.strip_suffix('*') {
            Some(start) => name.starts_with(start),
            None => name == metric,
        })
    }
}

fn rows() -> Vec<Row> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/host-metrics.md");
    let page = fs::read_to_string(path).unwrap();
    let table = page.lines().filter(|line| line.starts_with("| `"));
    let in_code = |cell: &str| -> Vec<String> {
        cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    };
    let rows = table.map(|line| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [_, collector, metrics, covered, ..] = cells[..] else { panic!("{line}") };
        assert!(matches!(covered, "yes" | "no"), "{line}");
        Row {
            collector: in_code(collector).remove(0),
            metrics: in_code(metrics),
            is_covered: covered == "yes",
        }
    });
    rows.collect()
}

/// A node_exporter that runs until this is dropped.
struct NodeExporter {
    process: Child,
    port: u16,
    /// Kept open, because a program that cannot write its log may end.
    _log: BufReader<ChildStderr>,
}

impl NodeExporter {
    fn start() -> Self {
        // A port that was free a moment ago; whoever takes it in between makes the start fail.
        let port =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let process = Command::new("prometheus-node-exporter")
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn();
        let mut process = process.unwrap_or_else(|error| {
            panic!("{error}: run `cargo xtask test` once, which installs prometheus-node-exporter")
        });
        let mut log = BufReader::new(process.stderr.take().unwrap());
        let mut line = String::new();
        // It writes this once the port is open.
        while !line.contains("Listening on") {
            line.clear();
            assert_ne!(log.read_line(&mut line).unwrap(), 0, "node_exporter ended");
        }
        Self { process, port, _log: log }
    }

    fn scrape(&self) -> Reading {
        let mut connection = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).unwrap();
        connection.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        // The old version of HTTP answers in one piece and closes.
        connection.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(" 200 "), "{head}");
        Reading::parse(body)
    }
}

impl Drop for NodeExporter {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}
