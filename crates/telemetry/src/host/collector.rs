//! The names by which parts of the host metrics are switched on and off.

use std::fmt;
use std::str::FromStr;

/// A part of the host metrics, under the name that node_exporter gives it.
///
/// The order is that of the names.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Collector {
    /// Entries of the ARP table by device.
    Arp,
    /// Members of bonded network devices.
    Bonding,
    /// Tracked connections of the firewall.
    Conntrack,
    /// Time of each core by mode.
    Cpu,
    /// Clock rate of each core.
    Cpufreq,
    /// Reads and writes of block devices.
    Diskstats,
    /// Maker and model of the machine.
    Dmi,
    /// Corrected and uncorrected errors of memory.
    Edac,
    /// Bits in the kernel's pool of randomness.
    Entropy,
    /// Open files of the whole system.
    Filefd,
    /// Space of mounted file systems.
    Filesystem,
    /// Temperatures, fans, voltages.
    Hwmon,
    /// Load averages.
    Loadavg,
    /// Memory and swap.
    Meminfo,
    /// Properties of network devices.
    Netclass,
    /// Traffic of network devices.
    Netdev,
    /// Counters of IP, TCP, UDP, ICMP.
    Netstat,
    /// Solid-state disks on NVMe.
    Nvme,
    /// Name and version of the operating system.
    Os,
    /// Batteries and mains.
    Powersupplyclass,
    /// Time lost to the want of a resource.
    Pressure,
    /// Time that tasks ran and waited for a core.
    Schedstat,
    /// Sockets in use.
    Sockstat,
    /// Packets that each core handled.
    Softnet,
    /// Interrupts, context switches, forks, boot time.
    Stat,
    /// Temperatures of thermal zones.
    ThermalZone,
    /// Wall time, its zone and its source.
    Time,
    /// Queues of UDP sockets.
    UdpQueues,
    /// Name and release of the kernel.
    Uname,
    /// Paging.
    Vmstat,
}

impl Collector {
    /// Every collector, in the order of the names.
    pub const ALL: [Self; 30] = [
        Self::Arp,
        Self::Bonding,
        Self::Conntrack,
        Self::Cpu,
        Self::Cpufreq,
        Self::Diskstats,
        Self::Dmi,
        Self::Edac,
        Self::Entropy,
        Self::Filefd,
        Self::Filesystem,
        Self::Hwmon,
        Self::Loadavg,
        Self::Meminfo,
        Self::Netclass,
        Self::Netdev,
        Self::Netstat,
        Self::Nvme,
        Self::Os,
        Self::Powersupplyclass,
        Self::Pressure,
        Self::Schedstat,
        Self::Sockstat,
        Self::Softnet,
        Self::Stat,
        Self::ThermalZone,
        Self::Time,
        Self::UdpQueues,
        Self::Uname,
        Self::Vmstat,
    ];

    /// Returns the spelling, as in `thermal_zone`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Arp => "arp",
            Self::Bonding => "bonding",
            Self::Conntrack => "conntrack",
            Self::Cpu => "cpu",
            Self::Cpufreq => "cpufreq",
            Self::Diskstats => "diskstats",
            Self::Dmi => "dmi",
            Self::Edac => "edac",
            Self::Entropy => "entropy",
            Self::Filefd => "filefd",
            Self::Filesystem => "filesystem",
            Self::Hwmon => "hwmon",
            Self::Loadavg => "loadavg",
            Self::Meminfo => "meminfo",
            Self::Netclass => "netclass",
            Self::Netdev => "netdev",
            Self::Netstat => "netstat",
            Self::Nvme => "nvme",
            Self::Os => "os",
            Self::Powersupplyclass => "powersupplyclass",
            Self::Pressure => "pressure",
            Self::Schedstat => "schedstat",
            Self::Sockstat => "sockstat",
            Self::Softnet => "softnet",
            Self::Stat => "stat",
            Self::ThermalZone => "thermal_zone",
            Self::Time => "time",
            Self::UdpQueues => "udp_queues",
            Self::Uname => "uname",
            Self::Vmstat => "vmstat",
        }
    }
}

impl fmt::Display for Collector {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// The text names no collector.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{text:?} is no host collector; use one of {}", names())]
pub struct UnknownCollector {
    text: String,
}

fn names() -> String {
    Collector::ALL.map(Collector::as_str).join(", ")
}

impl FromStr for Collector {
    type Err = UnknownCollector;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|collector| collector.as_str() == text);
        known.ok_or_else(|| UnknownCollector { text: text.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back_and_stands_in_order() {
        for collector in Collector::ALL {
            assert_eq!(collector.as_str().parse(), Ok(collector));
        }
        assert!(Collector::ALL.map(Collector::as_str).is_sorted());
        assert!(Collector::ALL.is_sorted());
    }

    #[test]
    fn unknown_name_is_refused_with_the_known_ones() {
        let refused = "systemd".parse::<Collector>().unwrap_err().to_string();
        assert!(
            refused.starts_with(r#""systemd" is no host collector; use one of arp, bonding,"#),
            "{refused}"
        );
        assert!("CPU".parse::<Collector>().is_err());
    }
}
