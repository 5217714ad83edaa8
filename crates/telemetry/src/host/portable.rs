//! macOS, Windows and the rest: the part that sysinfo gives, under the names that Linux has.
//!
//! sysinfo tells how busy a core is since the last look, not how long it worked, so there is no
//! `node_cpu_seconds_total`: a sum made up from shares would not be one that the system counted.

use std::sync::Arc;
use std::time::{Duration, Instant};

use pampero_resilience::Clock;
use sysinfo::{Components, Disks, Networks, System};

use super::background::Background;
use super::collector::Collector;
use super::families::{Families, Kind};
use super::options::{Exclude, HostError, HostOptions};
use super::sampler::SampleError;
use super::wall_time;

/// Stack of the thread that lists the disks, in bytes.
const STACK_BYTES: usize = 1024 * 1024;

/// The machine, as sysinfo sees it.
pub(super) struct Host {
    clock: Arc<dyn Clock>,
    file_system_deadline: Duration,
    mount_points_exclude: Exclude,
    types_exclude: Exclude,
    disk_devices_exclude: Exclude,
    network_devices_exclude: Exclude,
    /// Started by the first question.
    disks: Option<Background<Vec<Disk>>>,
}

/// A mounted disk.
#[derive(Clone, Debug)]
struct Disk {
    device: String,
    file_system: String,
    mount_point: String,
    size_bytes: f64,
    available_bytes: f64,
    is_read_only: bool,
    read_bytes: f64,
    written_bytes: f64,
}

impl Host {
    pub(super) fn new(options: &HostOptions, clock: Arc<dyn Clock>) -> Result<Self, HostError> {
        let types = &options.file_system_types_exclude;
        Ok(Self {
            clock,
            file_system_deadline: options.file_system_deadline,
            mount_points_exclude: Exclude::parse(
                "mount_points_exclude",
                &options.mount_points_exclude,
            )?,
            types_exclude: Exclude::parse("file_system_types_exclude", types)?,
            disk_devices_exclude: Exclude::parse(
                "disk_devices_exclude",
                &options.disk_devices_exclude,
            )?,
            network_devices_exclude: Exclude::parse(
                "network_devices_exclude",
                &options.network_devices_exclude,
            )?,
            disks: None,
        })
    }

    /// Tells whether the platform has the collector.
    pub(super) const fn knows(collector: Collector) -> bool {
        matches!(
            collector,
            Collector::Diskstats
                | Collector::Filesystem
                | Collector::Hwmon
                | Collector::Loadavg
                | Collector::Meminfo
                | Collector::Netdev
                | Collector::Os
                | Collector::Stat
                | Collector::Time
                | Collector::Uname
        )
    }

    pub(super) fn sample(
        &mut self,
        collector: Collector,
        out: &mut Families,
    ) -> Result<(), SampleError> {
        match collector {
            Collector::Diskstats => self.diskstats(out),
            Collector::Filesystem => self.filesystem(out),
            Collector::Hwmon => hwmon(out),
            Collector::Loadavg => loadavg(out),
            Collector::Meminfo => meminfo(out),
            Collector::Netdev => netdev(&self.network_devices_exclude, out),
            Collector::Os => os(out),
            Collector::Stat => stat(out),
            Collector::Time => {
                wall_time::write(self.clock.as_ref(), out);
                Ok(())
            }
            Collector::Uname => uname(out),
            _ => Err(SampleError::Absent("such collector on this platform")),
        }
    }

    fn disks(&mut self) -> Result<Vec<Disk>, SampleError> {
        let thread = match &mut self.disks {
            Some(thread) => thread,
            none => none
                .insert(Background::start(STACK_BYTES, list_disks).map_err(SampleError::Thread)?),
        };
        let until = Instant::now() + self.file_system_deadline;
        let answer = if thread.order() { thread.answer(until) } else { None };
        answer.ok_or(SampleError::Hanging)
    }

    fn diskstats(&mut self, out: &mut Families) -> Result<(), SampleError> {
        let mut disks = self.disks()?;
        disks.retain(|disk| !self.disk_devices_exclude.covers(&disk.device));
        // One device can be mounted in several places, and its traffic is counted once.
        disks.sort_by(|a, b| a.device.cmp(&b.device));
        disks.dedup_by(|a, b| a.device == b.device);
        type Column = (&'static str, &'static str, fn(&Disk) -> f64);
        let columns: [Column; 2] = [
            (
                "node_disk_read_bytes_total",
                "The total number of bytes read successfully.",
                |disk| disk.read_bytes,
            ),
            (
                "node_disk_written_bytes_total",
                "The total number of bytes written successfully.",
                |disk| disk.written_bytes,
            ),
        ];
        for (name, help, value_of) in columns {
            out.family(Kind::Counter, name, help);
            for disk in &disks {
                out.sample(&[("device", &disk.device)], value_of(disk));
            }
        }
        Ok(())
    }

    fn filesystem(&mut self, out: &mut Families) -> Result<(), SampleError> {
        let mut disks = self.disks()?;
        disks.retain(|disk| {
            !self.mount_points_exclude.covers(&disk.mount_point)
                && !self.types_exclude.covers(&disk.file_system)
        });
        type Column = (&'static str, &'static str, fn(&Disk) -> f64);
        let columns: [Column; 3] = [
            (
                "node_filesystem_avail_bytes",
                "Filesystem space available to non-root users in bytes.",
                |disk| disk.available_bytes,
            ),
            ("node_filesystem_readonly", "Filesystem read-only status.", |disk| {
                f64::from(u8::from(disk.is_read_only))
            }),
            ("node_filesystem_size_bytes", "Filesystem size in bytes.", |disk| disk.size_bytes),
        ];
        for (name, help, value_of) in columns {
            out.family(Kind::Gauge, name, help);
            for disk in &disks {
                let labels = [
                    ("device", disk.device.as_str()),
                    ("fstype", &disk.file_system),
                    ("mountpoint", &disk.mount_point),
                ];
                out.sample(&labels, value_of(disk));
            }
        }
        Ok(())
    }
}

fn list_disks() -> Vec<Disk> {
    let Ok(disks) = Disks::new_with_refreshed_list() else { return Vec::new() };
    let disks = disks.iter().map(|disk| Disk {
        device: disk.name().to_string_lossy().into_owned(),
        file_system: disk.file_system().to_string_lossy().into_owned(),
        mount_point: disk.mount_point().to_string_lossy().into_owned(),
        size_bytes: disk.total_space() as f64,
        available_bytes: disk.available_space() as f64,
        is_read_only: disk.is_read_only(),
        read_bytes: disk.usage().total_read_bytes as f64,
        written_bytes: disk.usage().total_written_bytes as f64,
    });
    disks.collect()
}

fn hwmon(out: &mut Families) -> Result<(), SampleError> {
    const FACILITY: &str = "hardware monitor";
    let components =
        Components::new_with_refreshed_list().map_err(|_| SampleError::Absent(FACILITY))?;
    out.family(Kind::Gauge, "node_hwmon_temp_celsius", "Hardware monitor for temperature (input)");
    for component in &components {
        if let Some(celsius) = component.temperature() {
            let sensor = component.id().unwrap_or_default();
            let labels = [("chip", component.label()), ("sensor", sensor)];
            out.sample(&labels, f64::from(celsius));
        }
    }
    Ok(())
}

fn loadavg(out: &mut Families) -> Result<(), SampleError> {
    let load = System::load_average().map_err(|_| SampleError::Absent("load average"))?;
    out.single(Kind::Gauge, "node_load1", "1m load average.", load.one);
    out.single(Kind::Gauge, "node_load5", "5m load average.", load.five);
    out.single(Kind::Gauge, "node_load15", "15m load average.", load.fifteen);
    Ok(())
}

fn meminfo(out: &mut Families) -> Result<(), SampleError> {
    let mut system = System::new().map_err(|_| SampleError::Absent("figures of its memory"))?;
    system.refresh_memory();
    for (field, bytes) in [
        ("MemAvailable", system.available_memory()),
        ("MemFree", system.free_memory()),
        ("MemTotal", system.total_memory()),
        ("SwapFree", system.free_swap()),
        ("SwapTotal", system.total_swap()),
    ] {
        out.single(
            Kind::Gauge,
            format_args!("node_memory_{field}_bytes"),
            format_args!("Memory information field {field}_bytes."),
            bytes as f64,
        );
    }
    Ok(())
}

fn netdev(exclude: &Exclude, out: &mut Families) -> Result<(), SampleError> {
    let networks =
        Networks::new_with_refreshed_list().map_err(|_| SampleError::Absent("network devices"))?;
    let named = networks.iter().map(|(name, data)| (name.to_string_lossy(), data));
    let mut devices: Vec<_> = named.collect();
    devices.retain(|(device, _)| !exclude.covers(device));
    devices.sort_by(|(one, _), (other, _)| one.cmp(other));
    type Column = (&'static str, fn(&sysinfo::NetworkData) -> u64);
    let columns: [Column; 6] = [
        ("receive_bytes", sysinfo::NetworkData::total_received),
        ("receive_errs", sysinfo::NetworkData::total_errors_on_received),
        ("receive_packets", sysinfo::NetworkData::total_packets_received),
        ("transmit_bytes", sysinfo::NetworkData::total_transmitted),
        ("transmit_errs", sysinfo::NetworkData::total_errors_on_transmitted),
        ("transmit_packets", sysinfo::NetworkData::total_packets_transmitted),
    ];
    for (column, count_of) in columns {
        out.family(
            Kind::Counter,
            format_args!("node_network_{column}_total"),
            format_args!("Network device statistic {column}."),
        );
        for (device, data) in &devices {
            out.sample(&[("device", device)], count_of(data) as f64);
        }
    }
    Ok(())
}

fn os(out: &mut Families) -> Result<(), SampleError> {
    let id = System::distribution_id();
    let name = System::name().unwrap_or_default();
    let version = System::os_version().unwrap_or_default();
    let pretty_name = System::long_os_version().unwrap_or_default();
    out.family(
        Kind::Info,
        "node_os_info",
        "A metric with a constant '1' value labeled by id, name, pretty_name, version_id.",
    );
    let labels = [
        ("id", id.as_str()),
        ("name", &name),
        ("pretty_name", &pretty_name),
        ("version_id", &version),
    ];
    out.sample(&labels, 1.0);
    Ok(())
}

fn stat(out: &mut Families) -> Result<(), SampleError> {
    let booted = System::boot_time().map_err(|_| SampleError::Absent("boot time"))?;
    let help = "Node boot time, in unixtime.";
    out.single(Kind::Gauge, "node_boot_time_seconds", help, booted as f64);
    Ok(())
}

fn uname(out: &mut Families) -> Result<(), SampleError> {
    let machine = System::cpu_arch();
    let nodename = System::host_name().unwrap_or_default();
    let release = System::kernel_version().unwrap_or_default();
    let sysname = System::name().unwrap_or_default();
    let version = System::kernel_long_version().unwrap_or_default();
    out.family(Kind::Info, "node_uname_info", "Labeled system information as provided by sysinfo.");
    let labels = [
        ("machine", machine.as_str()),
        ("nodename", &nodename),
        ("release", &release),
        ("sysname", &sysname),
        ("version", &version),
    ];
    out.sample(&labels, 1.0);
    Ok(())
}

impl std::fmt::Debug for Host {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Host").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use pampero_resilience::SystemClock;

    use super::*;

    #[test]
    fn every_known_collector_gives_the_families_it_promises() {
        let mut host = Host::new(&HostOptions::default(), Arc::new(SystemClock)).unwrap();
        for collector in Collector::ALL.into_iter().filter(|known| Host::knows(*known)) {
            let mut out = Families::default();
            match host.sample(collector, &mut out) {
                // A machine may lack sensors.
                Err(SampleError::Absent(_)) => {}
                outcome => assert!(outcome.is_ok(), "{collector}: {outcome:?}"),
            }
        }
        let mut out = Families::default();
        host.sample(Collector::Meminfo, &mut out).unwrap();
        host.sample(Collector::Stat, &mut out).unwrap();
        let mut text = String::new();
        let mut registry = prometheus_client::registry::Registry::default();
        registry.register_collector(Box::new(Shown(out)));
        prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
        for name in ["node_memory_MemTotal_bytes", "node_boot_time_seconds"] {
            let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
            let value: f64 = value.unwrap().parse().unwrap();
            assert!(value > 1e6, "{name} {value}");
        }
    }

    #[derive(Debug)]
    struct Shown(Families);

    impl prometheus_client::collector::Collector for Shown {
        fn encode(
            &self,
            mut encoder: prometheus_client::encoding::DescriptorEncoder<'_>,
        ) -> std::fmt::Result {
            self.0.encode(&mut encoder)
        }
    }
}
