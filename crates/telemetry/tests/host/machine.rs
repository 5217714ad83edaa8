//! A machine made of files in a temporary folder.

use std::fs;
use std::os::unix::fs::symlink;
use std::sync::Arc;
use std::time::Duration;

use pampero_resilience::SystemClock;
use pampero_telemetry::host::{HostMetrics, HostOptions};
use tempfile::TempDir;

/// What the files hold: a path, and its content without the last end of line.
const FILES: &[(&str, &str)] = &[
    ("proc/loadavg", "0.12 0.34 1.50 2/345 6789"),
    (
        "proc/stat",
        "cpu  30 3 15 1700 9 0 5 2 4 1\n\
         cpu0 10 1 5 800 4 0 2 1 3 0\n\
         cpu1 20 2 10 900 5 0 3 1 1 1\n\
         intr 4321 7 0 9\n\
         ctxt 98765\n\
         btime 1795491566\n\
         processes 777\n\
         procs_running 2\n\
         procs_blocked 1\n\
         softirq 1 2 3",
    ),
    (
        "proc/meminfo",
        "MemTotal:       16000000 kB\n\
         MemFree:         2000000 kB\n\
         MemAvailable:    9000000 kB\n\
         Active(anon):        100 kB\n\
         Committed_AS:        500 kB\n\
         HugePages_Total:       3\n\
         SwapTotal:             0 kB",
    ),
    (
        "proc/vmstat",
        "nr_free_pages 500000\npgpgin 11\npgpgout 12\npswpin 0\npswpout 1\n\
         pgfault 300\npgmajfault 4\nthp_fault_alloc 9\noom_kill 1\npgalloc_normal 8",
    ),
    ("proc/sys/fs/file-nr", "1024\t0\t9223372036854775807"),
    ("proc/sys/kernel/random/entropy_avail", "256"),
    ("proc/sys/kernel/random/poolsize", "256"),
    (
        "proc/pressure/cpu",
        "some avg10=0.00 avg60=0.10 avg300=0.20 total=1500000\n\
         full avg10=0.00 avg60=0.00 avg300=0.00 total=0",
    ),
    (
        "proc/pressure/io",
        "some avg10=0.00 avg60=0.10 avg300=0.20 total=2500000\n\
         full avg10=0.00 avg60=0.00 avg300=0.00 total=250000",
    ),
    (
        "proc/pressure/memory",
        "some avg10=0.00 avg60=0.10 avg300=0.20 total=7\n\
         full avg10=0.00 avg60=0.00 avg300=0.00 total=3",
    ),
    (
        "proc/schedstat",
        "version 15\ntimestamp 1\n\
         cpu0 0 0 0 0 0 0 2000000000 500000000 42\n\
         domain0 3 0\n\
         cpu1 0 0 0 0 0 0 3000000000 250000000 43",
    ),
    (
        "proc/diskstats",
        "   7       0 loop0 1 0 2 0 0 0 0 0 0 0 0\n   \
            8       0 sda 100 5 2000 300 50 6 4000 700 1 900 1000 3 0 24 5 7 8\n   \
            8       1 sda1 90 5 1900 290 50 6 4000 700 0 890 990 3 0 24 5 7 8\n \
          259       0 nvme0n1 10 0 80 4 20 1 160 9 0 12 13\n \
          259       1 nvme0n1p1 10 0 80 4 20 1 160 9 0 12 13",
    ),
    (
        "root/run/udev/data/b8:0",
        "S:disk/by-id/x\nE:ID_MODEL=Fast_Disk\nE:ID_SERIAL=Fast_Disk_123\nE:ID_SERIAL_SHORT=123\n\
         E:ID_REVISION=1.0\nE:ID_WWN=0x5000\nE:ID_PATH=pci-0000:00:1f.2-ata-1\n\
         E:ID_FS_TYPE=ext4\nE:ID_FS_USAGE=filesystem\nE:ID_FS_UUID=abc\nE:ID_FS_VERSION=1.0",
    ),
    (
        "proc/1/mounts",
        "/dev/sda1 / ext4 rw,relatime 0 0\n\
         proc /proc proc rw,nosuid 0 0\n\
         tmpfs /run tmpfs rw,size=100k 0 0\n\
         /dev/sdb1 /gone\\040away xfs ro,relatime 0 0",
    ),
    (
        "proc/net/dev",
        "Inter-|   Receive                                                |  Transmit\n \
         face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets\n    \
         lo:  100       2    0    0    0     0          0         0  100       2    0    0    0     0       0          0\n  \
         eth0: 5000      40    1    2    3     4          5         6 7000      80    9   10   11    12      13         14",
    ),
    ("sys/class/net/eth0/statistics/rx_nohandler", "15"),
    ("sys/class/net/eth0/operstate", "up"),
    ("sys/class/net/eth0/address", "02:00:00:00:00:01"),
    ("sys/class/net/eth0/broadcast", "ff:ff:ff:ff:ff:ff"),
    ("sys/class/net/eth0/duplex", "full"),
    ("sys/class/net/eth0/ifalias", "to the \"lab\""),
    ("sys/class/net/eth0/mtu", "1500"),
    ("sys/class/net/eth0/speed", "1000"),
    ("sys/class/net/eth0/flags", "0x1003"),
    ("sys/class/net/eth0/carrier_changes", "2"),
    ("sys/class/net/lo/operstate", "unknown"),
    ("sys/class/net/lo/mtu", "65536"),
    ("sys/class/net/bonding_masters", "bond0"),
    ("sys/class/net/bond0/bonding/slaves", "eth0 eth1"),
    ("sys/class/net/bond0/lower_eth0/bonding_slave/mii_status", "up"),
    ("sys/class/net/bond0/lower_eth1/bonding_slave/mii_status", "down"),
    (
        "proc/net/netstat",
        "TcpExt: SyncookiesSent ListenDrops TCPLoss\nTcpExt: 1 2 3\n\
         IpExt: InNoRoutes InOctets OutOctets\nIpExt: 4 5 6",
    ),
    (
        "proc/net/snmp",
        "Ip: Forwarding DefaultTTL\nIp: 1 64\n\
         Tcp: RtoMax MaxConn CurrEstab InErrs\nTcp: 120000 -1 7 8\n\
         Udp: InDatagrams InErrors\nUdp: 9 10",
    ),
    (
        "proc/net/snmp6",
        "Ip6InOctets                     \t11\nIp6InDiscards 12\nUdpLite6InErrors 13",
    ),
    (
        "proc/net/sockstat",
        "sockets: used 30\nTCP: inuse 4 orphan 0 tw 1 alloc 5 mem 2\nFRAG: inuse 0 memory 0",
    ),
    ("proc/net/sockstat6", "TCP6: inuse 3"),
    (
        "proc/net/softnet_stat",
        "0000000a 00000001 00000002 0 0 0 0 0 0 0 0 0 00000000\n\
         0000000b 00000000 00000003 0 0 0 0 0 0 0 0 0 00000002",
    ),
    (
        "proc/net/udp",
        "  sl  local_address rem_address   st tx_queue rx_queue tr\n   \
            0: 00000000:0044 00000000:0000 07 00000010:00000020 00:00000000\n   \
            1: 00000000:0045 00000000:0000 07 00000001:00000002 00:00000000",
    ),
    (
        "proc/net/arp",
        "IP address       HW type     Flags       HW address            Mask     Device\n\
         10.0.0.1         0x1         0x2         02:00:00:00:00:02     *        eth0\n\
         10.0.0.2         0x1         0x0         00:00:00:00:00:00     *        eth0",
    ),
    ("proc/sys/net/netfilter/nf_conntrack_count", "12"),
    ("proc/sys/net/netfilter/nf_conntrack_max", "262144"),
    (
        "proc/net/stat/nf_conntrack",
        "entries  clashres found new invalid ignore delete chainlength insert insert_failed drop early_drop icmp_error  expect_new expect_create expect_delete search_restart\n\
         0000000c  0 00000001 0 00000002 00000003 0 0 00000004 00000005 00000006 00000007 0 0 0 0 00000008\n\
         0000000c  0 00000010 0 00000000 00000000 0 0 00000000 00000000 00000000 00000000 0 0 0 0 00000000",
    ),
    ("sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq", "2400000"),
    ("sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq", "3600000"),
    ("sys/devices/system/cpu/cpu0/topology/physical_package_id", "0"),
    ("sys/devices/system/cpu/cpu0/topology/core_id", "4"),
    ("sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count", "5"),
    ("sys/devices/system/cpu/cpu0/thermal_throttle/package_throttle_count", "6"),
    ("sys/devices/system/cpu/cpufreq/boost", "1"),
    ("sys/devices/system/clocksource/clocksource0/available_clocksource", "tsc hpet"),
    ("sys/devices/system/clocksource/clocksource0/current_clocksource", "tsc"),
    ("sys/devices/system/edac/mc/mc0/ce_count", "1"),
    ("sys/devices/system/edac/mc/mc0/ue_count", "2"),
    ("sys/devices/system/edac/mc/mc0/ce_noinfo_count", "3"),
    ("sys/devices/system/edac/mc/mc0/csrow0/ce_count", "4"),
    ("sys/devices/platform/coretemp.0/hwmon/hwmon0/name", "coretemp"),
    ("sys/devices/platform/coretemp.0/hwmon/hwmon0/temp1_input", "45500"),
    ("sys/devices/platform/coretemp.0/hwmon/hwmon0/temp1_max", "80000"),
    ("sys/devices/platform/coretemp.0/hwmon/hwmon0/temp1_label", "Package id 0"),
    ("sys/devices/platform/coretemp.0/hwmon/hwmon0/temp1_crit_alarm", "0"),
    ("sys/devices/platform/coretemp.0/hwmon/hwmon0/fan2_input", "1200"),
    ("sys/devices/platform/coretemp.0/hwmon/hwmon0/in0_input", "not ready"),
    ("sys/class/thermal/thermal_zone0/type", "acpitz"),
    ("sys/class/thermal/thermal_zone0/temp", "41000"),
    ("sys/class/thermal/cooling_device0/type", "Processor"),
    ("sys/class/thermal/cooling_device0/cur_state", "1"),
    ("sys/class/thermal/cooling_device0/max_state", "10"),
    ("sys/class/power_supply/BAT0/type", "Battery"),
    ("sys/class/power_supply/BAT0/status", "Discharging"),
    ("sys/class/power_supply/BAT0/capacity", "81"),
    ("sys/class/power_supply/BAT0/voltage_now", "12229000"),
    ("sys/class/power_supply/BAT0/temp", "305"),
    ("sys/class/nvme/nvme0/model", "Very Fast SSD       "),
    ("sys/class/nvme/nvme0/firmware_rev", "2.1"),
    ("sys/class/nvme/nvme0/serial", "S1"),
    ("sys/class/nvme/nvme0/state", "live"),
    ("sys/class/dmi/id/product_name", "Model 9"),
    ("sys/class/dmi/id/sys_vendor", "Maker"),
    (
        "root/etc/os-release",
        "PRETTY_NAME=\"Some Linux 12.4 (name)\"\nNAME=\"Some Linux\"\nID=some\nID_LIKE='debian'\nVERSION_ID=\"12.4\"",
    ),
];

/// The folder that stands for a machine; it goes when this is dropped.
#[derive(Debug)]
pub(crate) struct Machine {
    folder: TempDir,
}

impl Machine {
    pub(crate) fn new() -> Self {
        let mut machine = Self { folder: TempDir::new().unwrap() };
        for (path, content) in FILES {
            machine.write(path, &format!("{content}\n"));
        }
        let device = "sys/devices/platform/coretemp.0";
        let path = |name: &str| machine.folder.path().join(name);
        symlink(path(device), path(device).join("hwmon/hwmon0/device")).unwrap();
        fs::create_dir_all(path("sys/class/hwmon")).unwrap();
        symlink(path(device).join("hwmon/hwmon0"), path("sys/class/hwmon/hwmon0")).unwrap();
        machine
    }

    pub(crate) fn options(&self) -> HostOptions {
        let path = |name: &str| self.folder.path().join(name);
        HostOptions {
            proc_path: path("proc"),
            sys_path: path("sys"),
            root_path: path("root"),
            sample_age_max: Duration::ZERO,
            ..HostOptions::default()
        }
    }

    pub(crate) fn host(&self) -> HostMetrics {
        HostMetrics::new(&self.options(), Arc::new(SystemClock)).unwrap()
    }

    pub(crate) fn write(&mut self, path: &str, content: &str) {
        let path = self.folder.path().join(path);
        if path.is_dir() {
            fs::remove_dir(&path).unwrap();
        }
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub(crate) fn remove(&mut self, path: &str) {
        let path = self.folder.path().join(path);
        if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }.unwrap();
    }

    /// Makes a file unreadable, for root as well.
    pub(crate) fn replace_by_folder(&mut self, path: &str) {
        self.remove(path);
        fs::create_dir(self.folder.path().join(path)).unwrap();
    }
}
