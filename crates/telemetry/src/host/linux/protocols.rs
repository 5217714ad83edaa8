//! Network protocols: counters of the stack, sockets, queues, tables.

use std::collections::BTreeMap;

use super::files::{Files, Text};
use super::{Families, Kind, SampleError};

/// The counters of IP, TCP, UDP and ICMP that node_exporter shows.
pub(super) fn netstat(files: &Files, out: &mut Families) -> Result<(), SampleError> {
    let mut found = Vec::new();
    for name in ["net/netstat", "net/snmp"] {
        let text = files.proc(name)?;
        let mut lines = text.content.lines();
        // The names of a protocol stand on one line, the values on the next.
        while let Some(names) = lines.next() {
            let values = lines.next().ok_or_else(|| text.malformed(names))?;
            let (protocol, names) = names.split_once(": ").ok_or_else(|| text.malformed(names))?;
            let (same, values) = values.split_once(": ").ok_or_else(|| text.malformed(values))?;
            if same != protocol {
                return Err(text.malformed(same));
            }
            let mut values = values.split_ascii_whitespace();
            for field in names.split_ascii_whitespace() {
                let value = values.next().ok_or_else(|| text.malformed(names))?;
                keep(&text, protocol, field, value, &mut found)?;
            }
        }
    }
    // A kernel without IPv6 has no such file.
    if let Ok(text) = files.proc("net/snmp6") {
        for line in text.content.lines() {
            let mut words = line.split_ascii_whitespace();
            let (Some(name), Some(value)) = (words.next(), words.next()) else {
                return Err(text.malformed(line));
            };
            if let Some(six) = name.find('6') {
                let (protocol, field) = name.split_at(six + 1);
                keep(&text, protocol, field, value, &mut found)?;
            }
        }
    }
    for (protocol, field, value) in found {
        out.single(
            Kind::Unknown,
            format_args!("node_netstat_{protocol}_{field}"),
            format_args!("Statistic {protocol}{field}."),
            value,
        );
    }
    Ok(())
}

fn keep(
    text: &Text,
    protocol: &str,
    field: &str,
    value: &str,
    found: &mut Vec<(String, String, f64)>,
) -> Result<(), SampleError> {
    if is_shown(protocol, field) {
        let protocol = text.field(protocol)?;
        let field = text.field(field)?;
        found.push((protocol.to_owned(), field.to_owned(), text.number(value)?));
    }
    Ok(())
}

/// Source: node_exporter 1.5, default of `--collector.netstat.fields`.
fn is_shown(protocol: &str, field: &str) -> bool {
    match field {
        "InErrors" | "InErrs" => return true,
        _ => {}
    }
    match protocol {
        "Ip" => field == "Forwarding",
        "Ip6" | "IpExt" => matches!(field, "InOctets" | "OutOctets"),
        "Icmp" | "Icmp6" => matches!(field, "InMsgs" | "OutMsgs"),
        "TcpExt" => {
            field.starts_with("Listen")
                || field.starts_with("Syncookies")
                || matches!(field, "TCPSynRetrans" | "TCPTimeouts")
        }
        "Tcp" => matches!(
            field,
            "ActiveOpens"
                | "CurrEstab"
                | "InSegs"
                | "OutRsts"
                | "OutSegs"
                | "PassiveOpens"
                | "RetransSegs"
        ),
        "Udp" | "Udp6" => matches!(
            field,
            "InDatagrams" | "NoPorts" | "OutDatagrams" | "RcvbufErrors" | "SndbufErrors"
        ),
        _ => false,
    }
}

/// Sockets in use by protocol, and the memory that they take.
pub(super) fn sockstat(files: &Files, out: &mut Families) -> Result<(), SampleError> {
    let page_bytes = rustix::param::page_size() as f64;
    let text = files.proc("net/sockstat")?;
    sockets(&text, page_bytes, out)?;
    // A kernel without IPv6 has no such file.
    match files.proc("net/sockstat6") {
        Ok(text) => sockets(&text, page_bytes, out),
        Err(_) => Ok(()),
    }
}

fn sockets(text: &Text, page_bytes: f64, out: &mut Families) -> Result<(), SampleError> {
    for line in text.content.lines() {
        let (protocol, rest) = line.split_once(':').ok_or_else(|| text.malformed(line))?;
        let protocol = text.field(protocol)?;
        let mut words = rest.split_ascii_whitespace();
        while let Some(state) = words.next() {
            let state = text.field(state)?;
            let value: f64 = text.next_number(line, &mut words)?;
            if protocol == "sockets" {
                let help = "Number of IPv4 sockets in use.";
                out.single(Kind::Gauge, format_args!("node_sockstat_sockets_{state}"), help, value);
                continue;
            }
            sockets_in_state(protocol, state, value, out);
            if state == "mem" {
                sockets_in_state(protocol, "mem_bytes", value * page_bytes, out);
            }
        }
    }
    Ok(())
}

fn sockets_in_state(protocol: &str, state: &str, value: f64, out: &mut Families) {
    out.single(
        Kind::Gauge,
        format_args!("node_sockstat_{protocol}_{state}"),
        format_args!("Number of {protocol} sockets in state {state}."),
        value,
    );
}

/// Packets that each core took from the network devices.
pub(super) fn softnet(files: &Files, out: &mut Families) -> Result<(), SampleError> {
    /// The column that holds the number of the core, on kernels that write it.
    const CORE: usize = 12;
    const FAMILIES: [(&str, &str); 3] = [
        ("node_softnet_processed_total", "Number of processed packets"),
        ("node_softnet_dropped_total", "Number of dropped packets"),
        (
            "node_softnet_times_squeezed_total",
            "Number of times processing packets ran out of quota",
        ),
    ];
    let text = files.proc("net/softnet_stat")?;
    let mut cores = Vec::new();
    for (row, line) in text.content.lines().enumerate() {
        let columns: Vec<&str> = line.split_ascii_whitespace().collect();
        let [processed, dropped, squeezed, ..] = columns[..] else {
            return Err(text.malformed(line));
        };
        let core = match columns.get(CORE) {
            Some(core) => text.hexadecimal(core)?,
            None => row as u64,
        };
        let counts =
            [text.hexadecimal(processed)?, text.hexadecimal(dropped)?, text.hexadecimal(squeezed)?];
        cores.push((core.to_string(), counts));
    }
    for (at, (name, help)) in FAMILIES.into_iter().enumerate() {
        out.family(Kind::Counter, name, help);
        for (core, counts) in &cores {
            out.sample(&[("cpu", core)], counts[at] as f64);
        }
    }
    Ok(())
}

/// What waits in the queues of all UDP sockets.
pub(super) fn udp_queues(files: &Files, out: &mut Families) -> Result<(), SampleError> {
    out.family(
        Kind::Gauge,
        "node_udp_queues",
        "Number of allocated memory in the kernel for UDP datagrams in bytes.",
    );
    for (name, version) in [("net/udp", "v4"), ("net/udp6", "v6")] {
        let text = match files.optional_proc(name, "UDP") {
            Ok(text) => text,
            Err(SampleError::Absent(_)) => continue,
            Err(error) => return Err(error),
        };
        let (mut received, mut sent) = (0, 0);
        for line in text.content.lines().skip(1) {
            // Number, own address, other address, state, then `tx_queue:rx_queue`.
            let queues = line.split_ascii_whitespace().nth(4);
            let queues = queues.and_then(|queues| queues.split_once(':'));
            let (tx, rx) = queues.ok_or_else(|| text.malformed(line))?;
            sent += text.hexadecimal(tx)?;
            received += text.hexadecimal(rx)?;
        }
        out.sample(&[("ip", version), ("queue", "rx")], received as f64);
        out.sample(&[("ip", version), ("queue", "tx")], sent as f64);
    }
    Ok(())
}

/// Entries of the ARP table by device.
pub(super) fn arp(files: &Files, out: &mut Families) -> Result<(), SampleError> {
    let text = files.proc("net/arp")?;
    let mut devices: BTreeMap<&str, u32> = BTreeMap::new();
    for line in text.content.lines().skip(1) {
        let device = line.split_ascii_whitespace().nth(5).ok_or_else(|| text.malformed(line))?;
        *devices.entry(device).or_default() += 1;
    }
    out.family(Kind::Gauge, "node_arp_entries", "ARP entries by device");
    for (device, count) in devices {
        out.sample(&[("device", device)], f64::from(count));
    }
    Ok(())
}

/// Connections that the firewall tracks.
pub(super) fn conntrack(files: &Files, out: &mut Families) -> Result<(), SampleError> {
    const SIZES: [(&str, &str, &str); 2] = [
        (
            "nf_conntrack_count",
            "node_nf_conntrack_entries",
            "Number of currently allocated flow entries for connection tracking.",
        ),
        (
            "nf_conntrack_max",
            "node_nf_conntrack_entries_limit",
            "Maximum size of connection tracking table.",
        ),
    ];
    const STATISTICS: [(&str, &str); 8] = [
        ("drop", "Number of packets dropped due to conntrack failure."),
        (
            "early_drop",
            "Number of dropped conntrack entries to make room for new ones, if maximum table size was reached.",
        ),
        ("found", "Number of searched entries which were successful."),
        ("ignore", "Number of packets seen which are already connected to a conntrack entry."),
        ("insert", "Number of entries inserted into the list."),
        ("insert_failed", "Number of entries for which list insertion was attempted but failed."),
        ("invalid", "Number of packets seen which can not be tracked."),
        (
            "search_restart",
            "Number of conntrack table lookups which had to be restarted due to hashtable resizes.",
        ),
    ];
    const FACILITY: &str = "connection tracking";
    for (file, name, help) in SIZES {
        let text = files.optional_proc(&format!("sys/net/netfilter/{file}"), FACILITY)?;
        out.single(Kind::Gauge, name, help, text.number(&text.content)?);
    }
    let text = files.optional_proc("net/stat/nf_conntrack", FACILITY)?;
    let mut lines = text.content.lines();
    let names: Vec<&str> = lines.next().unwrap_or_default().split_ascii_whitespace().collect();
    // One line for each core follows.
    let mut sums = vec![0_u64; names.len()];
    for line in lines {
        for (sum, word) in sums.iter_mut().zip(line.split_ascii_whitespace()) {
            *sum += text.hexadecimal(word)?;
        }
    }
    for (field, help) in STATISTICS {
        if let Some(at) = names.iter().position(|name| *name == field) {
            let name = format_args!("node_nf_conntrack_stat_{field}");
            out.single(Kind::Gauge, name, help, sums[at] as f64);
        }
    }
    Ok(())
}
