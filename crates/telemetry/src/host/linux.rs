//! Linux: procfs and sysfs, read when the metrics are asked for.
//!
//! Where the crate procfs understands a file in full (`diskstats`, `mounts`), it does. The others are
//! read here, because the crate keeps a fixed choice of fields where node_exporter shows what the
//! kernel writes (`meminfo`, `vmstat`, `netstat`), lacks fields (interrupts in `stat`), rounds
//! (`loadavg` to 32 bits), or does not know sysfs.

mod cpu;
mod disk;
mod file_system;
mod files;
mod kernel;
mod memory;
mod network;
mod power;
mod protocols;
mod sensors;
mod system;

use std::sync::Arc;

use pampero_resilience::Clock;

use super::collector::Collector;
use super::families::{Families, Kind};
use super::options::{Exclude, HostError, HostOptions};
use super::sampler::SampleError;
use cpu::CpuTimes;
use file_system::FileSystems;
use files::Files;

/// The machine, with what has to be remembered between two looks at it.
#[derive(Debug)]
pub(super) struct Host {
    files: Files,
    clock: Arc<dyn Clock>,
    cpu_times: CpuTimes,
    file_systems: FileSystems,
    disk_devices_exclude: Exclude,
    network_devices_exclude: Exclude,
}

impl Host {
    pub(super) fn new(options: &HostOptions, clock: Arc<dyn Clock>) -> Result<Self, HostError> {
        Ok(Self {
            files: Files::new(options),
            clock,
            cpu_times: CpuTimes::default(),
            file_systems: FileSystems::new(options)?,
            disk_devices_exclude: Exclude::parse(
                "disk_devices_exclude",
                &options.disk_devices_exclude,
            )?,
            network_devices_exclude: Exclude::parse(
                "network_devices_exclude",
                &options.network_devices_exclude,
            )?,
        })
    }

    /// Tells whether the platform has the collector.
    pub(super) const fn knows(_: Collector) -> bool {
        true
    }

    pub(super) fn sample(
        &mut self,
        collector: Collector,
        out: &mut Families,
    ) -> Result<(), SampleError> {
        let files = &self.files;
        match collector {
            Collector::Arp => protocols::arp(files, out),
            Collector::Bonding => network::bonding(files, out),
            Collector::Conntrack => protocols::conntrack(files, out),
            Collector::Cpu => self.cpu_times.sample(files, out),
            Collector::Cpufreq => cpu::cpufreq(files, out),
            Collector::Diskstats => disk::diskstats(files, &self.disk_devices_exclude, out),
            Collector::Dmi => system::dmi(files, out),
            Collector::Edac => memory::edac(files, out),
            Collector::Entropy => kernel::entropy(files, out),
            Collector::Filefd => kernel::filefd(files, out),
            Collector::Filesystem => self.file_systems.sample(files, out),
            Collector::Hwmon => sensors::hwmon(files, out),
            Collector::Loadavg => kernel::loadavg(files, out),
            Collector::Meminfo => memory::meminfo(files, out),
            Collector::Netclass => network::netclass(files, out),
            Collector::Netdev => network::netdev(files, &self.network_devices_exclude, out),
            Collector::Netstat => protocols::netstat(files, out),
            Collector::Nvme => disk::nvme(files, out),
            Collector::Os => system::os(files, out),
            Collector::Powersupplyclass => power::powersupplyclass(files, out),
            Collector::Pressure => kernel::pressure(files, out),
            Collector::Schedstat => cpu::schedstat(files, out),
            Collector::Sockstat => protocols::sockstat(files, out),
            Collector::Softnet => protocols::softnet(files, out),
            Collector::Stat => kernel::stat(files, out),
            Collector::ThermalZone => sensors::thermal_zone(files, out),
            Collector::Time => system::time(files, self.clock.as_ref(), out),
            Collector::UdpQueues => protocols::udp_queues(files, out),
            Collector::Uname => system::uname(out),
            Collector::Vmstat => memory::vmstat(files, out),
        }
    }
}
