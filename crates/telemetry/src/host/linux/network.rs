//! Network devices: properties, traffic, bonds.

use std::sync::Arc;

use super::files::{Files, Folder, attribute, integer_attribute};
use super::{Exclude, Families, Kind, SampleError};

/// Properties that are whole numbers: file, family without prefix, kind, factor.
const PROPERTIES: [(&str, &str, Kind, f64); 17] = [
    ("addr_assign_type", "address_assign_type", Kind::Gauge, 1.0),
    ("carrier", "carrier", Kind::Gauge, 1.0),
    ("carrier_changes", "carrier_changes_total", Kind::Counter, 1.0),
    ("carrier_down_count", "carrier_down_changes_total", Kind::Counter, 1.0),
    ("carrier_up_count", "carrier_up_changes_total", Kind::Counter, 1.0),
    ("dev_id", "device_id", Kind::Gauge, 1.0),
    ("dormant", "dormant", Kind::Gauge, 1.0),
    ("flags", "flags", Kind::Gauge, 1.0),
    ("ifindex", "iface_id", Kind::Gauge, 1.0),
    ("iflink", "iface_link", Kind::Gauge, 1.0),
    ("link_mode", "iface_link_mode", Kind::Gauge, 1.0),
    ("mtu", "mtu_bytes", Kind::Gauge, 1.0),
    ("name_assign_type", "name_assign_type", Kind::Gauge, 1.0),
    ("netdev_group", "net_dev_group", Kind::Gauge, 1.0),
    ("type", "protocol_type", Kind::Gauge, 1.0),
    // The kernel says Mbit/s, and -1 for unknown, which node_exporter converts like any other.
    ("speed", "speed_bytes", Kind::Gauge, 125_000.0),
    ("tx_queue_len", "transmit_queue_length", Kind::Gauge, 1.0),
];

/// What sysfs says of each network device.
pub(super) fn netclass(files: &Files, out: &mut Families) -> Result<(), SampleError> {
    let root = files.sys.join("class/net");
    let names = files.optional_sys_entries("class/net", "network devices")?;
    // `bonding_masters` is a file among the devices.
    let open = |name: String| files.folder(&root.join(&name)).map(|folder| (name, folder));
    let devices: Vec<(String, Arc<Folder>)> = names.into_iter().filter_map(open).collect();
    out.family(
        Kind::Info,
        "node_network_info",
        "Non-numeric data from /sys/class/net/<iface>, value is always 1.",
    );
    let mut are_up = Vec::with_capacity(devices.len());
    for (device, folder) in &devices {
        let text = |file: &'static str| folder.attribute(file).unwrap_or_default();
        let state = text("operstate");
        let labels = [
            ("address", text("address")),
            ("broadcast", text("broadcast")),
            ("device", device.clone()),
            ("duplex", text("duplex")),
            ("ifalias", text("ifalias")),
            ("operstate", state.clone()),
        ];
        out.sample(&labels.each_ref().map(|(name, text)| (*name, text.as_str())), 1.0);
        are_up.push(state == "up");
    }
    for (file, property, kind, factor) in PROPERTIES {
        out.family(
            kind,
            format_args!("node_network_{property}"),
            format_args!("Network device property: {property}"),
        );
        for (device, folder) in &devices {
            if let Some(value) = folder.integer(file) {
                out.sample(&[("device", device)], value as f64 * factor);
            }
        }
    }
    out.family(Kind::Gauge, "node_network_up", "Value is 1 if operstate is 'up', 0 otherwise.");
    for ((device, _), is_up) in devices.iter().zip(are_up) {
        out.sample(&[("device", device)], f64::from(u8::from(is_up)));
    }
    Ok(())
}

/// The columns of `/proc/net/dev`.
const TRAFFIC: [&str; 16] = [
    "receive_bytes",
    "receive_packets",
    "receive_errs",
    "receive_drop",
    "receive_fifo",
    "receive_frame",
    "receive_compressed",
    "receive_multicast",
    "transmit_bytes",
    "transmit_packets",
    "transmit_errs",
    "transmit_drop",
    "transmit_fifo",
    "transmit_colls",
    "transmit_carrier",
    "transmit_compressed",
];

/// Traffic of each network device that is not left out.
pub(super) fn netdev(
    files: &Files,
    exclude: &Exclude,
    out: &mut Families,
) -> Result<(), SampleError> {
    let text = files.proc("net/dev")?;
    let mut devices = Vec::new();
    // Two lines of headings come first.
    for line in text.content.lines().skip(2) {
        let (device, rest) = line.rsplit_once(':').ok_or_else(|| text.malformed(line))?;
        let device = device.trim();
        if exclude.covers(device) {
            continue;
        }
        let mut counts = [0_u64; TRAFFIC.len()];
        let mut words = rest.split_ascii_whitespace();
        for count in &mut counts {
            *count = text.next_number(line, &mut words)?;
        }
        devices.push((device, counts));
    }
    for (at, column) in TRAFFIC.into_iter().enumerate() {
        traffic_family(column, out);
        for (device, counts) in &devices {
            out.sample(&[("device", device)], counts[at] as f64);
        }
    }
    // node_exporter asks over netlink, which counts one thing more than procfs shows.
    traffic_family("receive_nohandler", out);
    for (device, _) in &devices {
        let path = files.sys.join("class/net").join(device).join("statistics/rx_nohandler");
        if let Some(count) = integer_attribute(&path) {
            out.sample(&[("device", device)], count as f64);
        }
    }
    Ok(())
}

fn traffic_family(column: &str, out: &mut Families) {
    out.family(
        Kind::Counter,
        format_args!("node_network_{column}_total"),
        format_args!("Network device statistic {column}."),
    );
}

/// How many devices each bond has, and how many of them carry traffic.
pub(super) fn bonding(files: &Files, out: &mut Families) -> Result<(), SampleError> {
    let root = files.sys.join("class/net");
    let masters =
        attribute(&root.join("bonding_masters")).ok_or(SampleError::Absent("bonded devices"))?;
    let mut bonds = Vec::new();
    for master in masters.split_ascii_whitespace() {
        let folder = root.join(master).join("bonding");
        let members = attribute(&folder.join("slaves")).unwrap_or_default();
        let members: Vec<&str> = members.split_ascii_whitespace().collect();
        let is_active = |member: &&&str| {
            let state = folder.join("..").join(format!("lower_{member}/bonding_slave/mii_status"));
            attribute(&state).is_some_and(|state| state == "up")
        };
        bonds.push((master, members.len(), members.iter().filter(is_active).count()));
    }
    out.family(
        Kind::Gauge,
        "node_bonding_slaves",
        "Number of configured slaves per bonding interface.",
    );
    for (master, members, _) in &bonds {
        out.sample(&[("master", master)], *members as f64);
    }
    out.family(
        Kind::Gauge,
        "node_bonding_active",
        "Number of active slaves per bonding interface.",
    );
    for (master, _, active) in &bonds {
        out.sample(&[("master", master)], *active as f64);
    }
    Ok(())
}
