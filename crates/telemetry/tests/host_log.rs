//! What a host collector that fails says in the log. Alone in its program, because a log of one thread
//! misses lines whose first use was on another.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test says what is wrong by failing")]

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pampero_resilience::SystemClock;
use pampero_telemetry::host::{Collector, HostMetrics, HostOptions};
use pampero_telemetry::prometheus_client::encoding::text;
use pampero_telemetry::prometheus_client::registry::Registry;

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn each_change_is_logged_once() {
    let folder = tempfile::tempdir().unwrap();
    let options = HostOptions {
        collectors: BTreeSet::from([Collector::Loadavg, Collector::Hwmon]),
        proc_path: folder.path().to_owned(),
        sys_path: folder.path().to_owned(),
        sample_age_max: Duration::ZERO,
        ..HostOptions::default()
    };
    let host = HostMetrics::new(&options, Arc::new(SystemClock)).unwrap();
    let mut registry = Registry::default();
    host.register(&mut registry);
    let scrape = |expected: &str| {
        let mut shown = String::new();
        text::encode(&mut shown, &registry).unwrap();
        let line = format!("node_scrape_collector_success{{collector=\"loadavg\"}} {expected}\n");
        assert!(shown.contains(&line), "{shown}");
    };

    let lines = Lines::default();
    let destination = lines.clone();
    let log = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(move || destination.clone())
        .finish();
    tracing::subscriber::with_default(log, || {
        fs::write(folder.path().join("loadavg"), "0.1 0.2 0.3 1/100 4242\n").unwrap();
        scrape("1.0");
        fs::remove_file(folder.path().join("loadavg")).unwrap();
        for _ in 0..3 {
            scrape("0.0");
        }
        fs::write(folder.path().join("loadavg"), "0.1 0.2 0.3 1/100 4242\n").unwrap();
        for _ in 0..3 {
            scrape("1.0");
        }
        fs::write(folder.path().join("loadavg"), "no numbers here\n").unwrap();
        for _ in 0..3 {
            scrape("0.0");
        }
    });

    let log = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    let messages: Vec<&str> = log
        .lines()
        .map(|line| if line.contains("host collector works again") { "works" } else { line })
        .collect();
    // What a machine lacks, here the hardware monitor, is no news.
    let [first, "works", last] = messages[..] else { panic!("{log}") };
    assert!(first.contains("WARN") && first.contains("cannot read"), "{log}");
    assert!(last.contains("WARN") && last.contains(r#"cannot understand "no" in"#), "{log}");
}
