//! The metrics of the machine: of a made-up one in full, and of this one beside node_exporter.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test says what is wrong by failing")]

#[path = "host/beside_node_exporter.rs"]
mod beside_node_exporter;
#[path = "host/machine.rs"]
mod machine;
#[path = "host/reading.rs"]
mod reading;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use pampero_resilience::SystemClock;
use pampero_telemetry::host::{Collector, HostError, HostMetrics, HostOptions};

use machine::Machine;
use reading::Reading;

#[test]
fn made_up_machine_is_shown_in_full() {
    let machine = Machine::new();
    let mut options = machine.options();
    // These tell of the machine that runs the test, whatever the files say.
    options.collectors.remove(&Collector::Uname);
    let host = HostMetrics::new(&options, Arc::new(SystemClock)).unwrap();
    let shown = reading::encode(&host);
    let lines = shown.lines().filter(|line| {
        let of_this_moment = [
            "node_scrape_collector_duration_seconds{",
            "node_time_seconds ",
            "node_time_zone_offset_seconds{",
        ];
        !of_this_moment.iter().any(|start| line.starts_with(start))
    });
    let mut golden = String::new();
    for line in lines {
        let (name, value) = line.rsplit_once(' ').unwrap();
        let of_this_disk =
            ["_avail_bytes{", "_free_bytes{", "_size_bytes{", "_files{", "_files_free{"];
        let hidden = name.starts_with("node_filesystem")
            && of_this_disk.iter().any(|part| name.contains(part));
        golden.push_str(&format!("{name} {}\n", if hidden { "*" } else { value }));
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/host/metrics.golden.txt");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, &golden).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(golden, expected, "run with UPDATE_GOLDEN=1 and read the difference");
}

#[test]
fn a_look_is_shown_again_while_it_is_young() {
    let mut machine = Machine::new();
    for (sample_age_max, expected) in [(Duration::ZERO, "0.99"), (Duration::MAX, "0.12")] {
        machine.write("proc/loadavg", "0.12 0.34 1.50 2/345 6789");
        let options = HostOptions { sample_age_max, ..machine.options() };
        let host = HostMetrics::new(&options, Arc::new(SystemClock)).unwrap();
        reading::encode(&host);
        machine.write("proc/loadavg", "0.99 0.34 1.50 2/345 6789");
        let shown = reading::encode(&host);
        assert!(shown.contains(&format!("\nnode_load1 {expected}\n")), "{sample_age_max:?}");
    }
}

/// Replaces one file of the machine and expects that `collector`, and no other, fails for it.
#[track_caller]
fn check_failure(collector: Collector, file: &str, content: &str) {
    let mut machine = Machine::new();
    let options = machine.options();
    let host = HostMetrics::new(&options, Arc::new(SystemClock)).unwrap();
    let good = Reading::of(&host);
    machine.write(file, content);
    let bad = Reading::of(&host);
    let failed: Vec<Collector> = Collector::ALL
        .into_iter()
        .filter(|one| good.worked(one.as_str()) && !bad.worked(one.as_str()))
        .collect();
    assert_eq!(failed, [collector], "{file:?} holds {content:?}");

    let mut alone = machine.options();
    alone.collectors = BTreeSet::from([collector]);
    let alone = Reading::of(&HostMetrics::new(&alone, Arc::new(SystemClock)).unwrap());
    let families: Vec<&str> = alone.families().collect();
    assert_eq!(
        families,
        ["node_scrape_collector_duration_seconds", "node_scrape_collector_success"],
        "a collector that failed leaves nothing"
    );
}

#[test]
fn collector_fails_alone_and_whole_for_a_broken_file() {
    check_failure(Collector::Loadavg, "proc/loadavg", "0.1 0.2");
    check_failure(Collector::Loadavg, "proc/loadavg", "one two three");
    check_failure(Collector::Meminfo, "proc/meminfo", "MemTotal: 1 kB\nMemFree: some kB\n");
    check_failure(Collector::Meminfo, "proc/meminfo", "MemTotal: 1 kB\nBad name: 1 kB\n");
    check_failure(Collector::Meminfo, "proc/meminfo", "MemTotal: 1 furlong\n");
    check_failure(Collector::Vmstat, "proc/vmstat", "pgpgin 1\npgpgout\n");
    check_failure(Collector::Diskstats, "proc/diskstats", "8 0 sda 1 2\n");
    check_failure(Collector::Netdev, "proc/net/dev", "a\nb\neth0: 1 2 3\n");
    check_failure(Collector::Netstat, "proc/net/snmp", "Ip: Forwarding\nTcp: 1\n");
    check_failure(Collector::Netstat, "proc/net/snmp", "Ip: Forwarding A B\nIp: 1\n");
    check_failure(Collector::Netstat, "proc/net/snmp6", "Ip6InOctets many\n");
    check_failure(Collector::Sockstat, "proc/net/sockstat", "TCP: inuse\n");
    check_failure(Collector::Softnet, "proc/net/softnet_stat", "1 2\n");
    check_failure(Collector::UdpQueues, "proc/net/udp", "head\n 0: A B 07 no\n");
    check_failure(Collector::Arp, "proc/net/arp", "head\n10.0.0.1 0x1\n");
    check_failure(Collector::Conntrack, "proc/net/stat/nf_conntrack", "found\nzz\n");
    check_failure(Collector::Pressure, "proc/pressure/io", "some avg10=0.00\n");
    check_failure(Collector::Schedstat, "proc/schedstat", "cpu0 1 2 3\n");
    check_failure(Collector::Filefd, "proc/sys/fs/file-nr", "12\n");
    check_failure(Collector::Entropy, "proc/sys/kernel/random/poolsize", "\n");
    check_failure(Collector::Filesystem, "proc/1/mounts", "/dev/sda1\n");
}

#[test]
fn collectors_that_share_a_file_fail_together() {
    let mut machine = Machine::new();
    machine.write("proc/stat", "cpu0 1 2\n");
    let reading = Reading::of(&machine.host());
    assert!(!reading.worked("cpu") && !reading.worked("stat"));
    assert!(reading.worked("loadavg"));
    assert!(reading.families().all(|name| !name.starts_with("node_cpu_seconds")));
}

#[test]
fn collector_fails_for_a_file_that_cannot_be_read() {
    let mut machine = Machine::new();
    let host = machine.host();
    assert!(Reading::of(&host).worked("loadavg"));
    machine.replace_by_folder("proc/loadavg");
    assert!(!Reading::of(&host).worked("loadavg"));
    machine.remove("proc/loadavg");
    assert!(!Reading::of(&host).worked("loadavg"));
    machine.write("proc/loadavg", "0.1 0.2 0.3 1/100 4242\n");
    assert!(Reading::of(&host).worked("loadavg"));
}

#[test]
fn only_chosen_collectors_run() {
    let machine = Machine::new();
    let mut options = machine.options();
    options.collectors = ["loadavg", "filefd"].map(|name| name.parse().unwrap()).into();
    let reading = Reading::of(&HostMetrics::new(&options, Arc::new(SystemClock)).unwrap());
    let families: Vec<&str> = reading.families().collect();
    let expected = [
        "node_filefd_allocated",
        "node_filefd_maximum",
        "node_load1",
        "node_load15",
        "node_load5",
        "node_scrape_collector_duration_seconds",
        "node_scrape_collector_success",
    ];
    assert_eq!(families, expected);
}

#[test]
fn patterns_leave_out_what_they_match() {
    let machine = Machine::new();
    let mut options = machine.options();
    options.disk_devices_exclude = "^sd".into();
    options.network_devices_exclude = String::new();
    options.mount_points_exclude = "gone".into();
    options.file_system_types_exclude = String::new();
    let reading = Reading::of(&HostMetrics::new(&options, Arc::new(SystemClock)).unwrap());
    let values = |name, label| reading.label_values(name, label);
    assert_eq!(values("node_disk_io_now", "device"), ["loop0", "nvme0n1", "nvme0n1p1"]);
    assert_eq!(values("node_network_receive_bytes_total", "device"), ["eth0", "lo"]);
    let mounts = values("node_filesystem_device_error", "mountpoint");
    assert_eq!(mounts, ["/", "/proc", "/run"]);
}

#[test]
fn pattern_that_is_none_is_refused_by_name() {
    let options = HostOptions { disk_devices_exclude: "sd(".into(), ..HostOptions::default() };
    let refused = HostMetrics::new(&options, Arc::new(SystemClock)).unwrap_err();
    let HostError::Pattern { option, .. } = &refused;
    assert_eq!(*option, "disk_devices_exclude");
    assert_eq!(refused.to_string(), r#"disk_devices_exclude is no regular expression: "sd(""#);
}
