//! Block devices: their traffic and what they are.

use std::collections::BTreeMap;
use std::io::BufReader;

use procfs::{DiskStat, DiskStats, FromBufRead};

use super::files::{Files, attribute};
use super::{Exclude, Families, Kind, SampleError};

/// A sector in the kernel's figures, whatever the device has, in bytes.
const SECTOR_BYTES: f64 = 512.0;

const MILLISECONDS: f64 = 0.001;

/// A family of `node_disk_…` and where its value comes from; `None` on kernels that do not count it.
type Column = (Kind, &'static str, &'static str, fn(&DiskStat) -> Option<f64>);

const COLUMNS: [Column; 17] = [
    (
        Kind::Counter,
        "node_disk_reads_completed_total",
        "The total number of reads completed successfully.",
        |disk| Some(disk.reads as f64),
    ),
    (Kind::Counter, "node_disk_reads_merged_total", "The total number of reads merged.", |disk| {
        Some(disk.merged as f64)
    }),
    (
        Kind::Counter,
        "node_disk_read_bytes_total",
        "The total number of bytes read successfully.",
        |disk| Some(disk.sectors_read as f64 * SECTOR_BYTES),
    ),
    (
        Kind::Counter,
        "node_disk_read_time_seconds_total",
        "The total number of seconds spent by all reads.",
        |disk| Some(disk.time_reading as f64 * MILLISECONDS),
    ),
    (
        Kind::Counter,
        "node_disk_writes_completed_total",
        "The total number of writes completed successfully.",
        |disk| Some(disk.writes as f64),
    ),
    (Kind::Counter, "node_disk_writes_merged_total", "The number of writes merged.", |disk| {
        Some(disk.writes_merged as f64)
    }),
    (
        Kind::Counter,
        "node_disk_written_bytes_total",
        "The total number of bytes written successfully.",
        |disk| Some(disk.sectors_written as f64 * SECTOR_BYTES),
    ),
    (
        Kind::Counter,
        "node_disk_write_time_seconds_total",
        "This is the total number of seconds spent by all writes.",
        |disk| Some(disk.time_writing as f64 * MILLISECONDS),
    ),
    (Kind::Gauge, "node_disk_io_now", "The number of I/Os currently in progress.", |disk| {
        Some(disk.in_progress as f64)
    }),
    (Kind::Counter, "node_disk_io_time_seconds_total", "Total seconds spent doing I/Os.", |disk| {
        Some(disk.time_in_progress as f64 * MILLISECONDS)
    }),
    (
        Kind::Counter,
        "node_disk_io_time_weighted_seconds_total",
        "The weighted # of seconds spent doing I/Os.",
        |disk| Some(disk.weighted_time_in_progress as f64 * MILLISECONDS),
    ),
    (
        Kind::Counter,
        "node_disk_discards_completed_total",
        "The total number of discards completed successfully.",
        |disk| disk.discards.map(|count| count as f64),
    ),
    (
        Kind::Counter,
        "node_disk_discards_merged_total",
        "The total number of discards merged.",
        |disk| disk.discards_merged.map(|count| count as f64),
    ),
    (
        Kind::Counter,
        "node_disk_discarded_sectors_total",
        "The total number of sectors discarded successfully.",
        |disk| disk.sectors_discarded.map(|count| count as f64),
    ),
    (
        Kind::Counter,
        "node_disk_discard_time_seconds_total",
        "This is the total number of seconds spent by all discards.",
        |disk| disk.time_discarding.map(|milliseconds| milliseconds as f64 * MILLISECONDS),
    ),
    (
        Kind::Counter,
        "node_disk_flush_requests_total",
        "The total number of flush requests completed successfully",
        |disk| disk.flushes.map(|count| count as f64),
    ),
    (
        Kind::Counter,
        "node_disk_flush_requests_time_seconds_total",
        "This is the total number of seconds spent by all flush requests.",
        |disk| disk.time_flushing.map(|milliseconds| milliseconds as f64 * MILLISECONDS),
    ),
];

/// Reads, writes, discards and flushes of each device that is not left out.
pub(super) fn diskstats(
    files: &Files,
    exclude: &Exclude,
    out: &mut Families,
) -> Result<(), SampleError> {
    let text = files.proc("diskstats")?;
    let parsed = DiskStats::from_buf_read(BufReader::new(text.content.as_bytes()));
    let DiskStats(mut disks) = parsed.map_err(|error| text.malformed(&error.to_string()))?;
    disks.retain(|disk| !exclude.covers(&disk.name));
    for (kind, name, help, value_of) in COLUMNS {
        out.family(kind, name, help);
        for disk in &disks {
            if let Some(value) = value_of(disk) {
                out.sample(&[("device", &disk.name)], value);
            }
        }
    }
    let described: Vec<_> = disks.iter().map(|disk| (disk, Udev::read(files, disk))).collect();
    write_infos(&described, out);
    Ok(())
}

/// What udev knows of a device; empty where udev does not run.
#[derive(Debug, Default)]
struct Udev(BTreeMap<String, String>);

impl Udev {
    fn read(files: &Files, disk: &DiskStat) -> Self {
        let name = format!("run/udev/data/b{}:{}", disk.major, disk.minor);
        let Ok(text) = files.text(files.root.join(name)) else { return Self::default() };
        let properties = text.content.lines().filter_map(|line| line.strip_prefix("E:"));
        let pairs = properties.filter_map(|property| property.split_once('='));
        Self(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// The serial number that most tools show comes first.
    fn serial(&self) -> &str {
        let names = ["SCSI_IDENT_SERIAL", "ID_SERIAL_SHORT", "ID_SERIAL"];
        names.map(|name| self.get(name)).into_iter().find(|text| !text.is_empty()).unwrap_or("")
    }
}

fn write_infos(disks: &[(&DiskStat, Udev)], out: &mut Families) {
    out.family(Kind::Info, "node_disk_info", "Info of /sys/block/<block_device>.");
    for (disk, udev) in disks {
        let labels = [
            ("device", disk.name.as_str()),
            ("major", &disk.major.to_string()),
            ("minor", &disk.minor.to_string()),
            ("model", udev.get("ID_MODEL")),
            ("path", udev.get("ID_PATH")),
            ("revision", udev.get("ID_REVISION")),
            ("serial", udev.serial()),
            ("wwn", udev.get("ID_WWN")),
        ];
        out.sample(&labels, 1.0);
    }
    out.family(Kind::Info, "node_disk_filesystem_info", "Info about disk filesystem.");
    for (disk, udev) in disks {
        if !udev.get("ID_FS_TYPE").is_empty() {
            let labels = [
                ("device", disk.name.as_str()),
                ("type", udev.get("ID_FS_TYPE")),
                ("usage", udev.get("ID_FS_USAGE")),
                ("uuid", udev.get("ID_FS_UUID")),
                ("version", udev.get("ID_FS_VERSION")),
            ];
            out.sample(&labels, 1.0);
        }
    }
    out.family(Kind::Info, "node_disk_device_mapper_info", "Info about disk device mapper.");
    for (disk, udev) in disks {
        if !udev.get("DM_NAME").is_empty() {
            let labels = [
                ("device", disk.name.as_str()),
                ("lv_layer", udev.get("DM_LV_LAYER")),
                ("lv_name", udev.get("DM_LV_NAME")),
                ("name", udev.get("DM_NAME")),
                ("uuid", udev.get("DM_UUID")),
                ("vg_name", udev.get("DM_VG_NAME")),
            ];
            out.sample(&labels, 1.0);
        }
    }
}

/// Model, firmware and state of each NVMe disk.
pub(super) fn nvme(files: &Files, out: &mut Families) -> Result<(), SampleError> {
    let devices = files.optional_sys_entries("class/nvme", "NVMe disk")?;
    out.family(
        Kind::Info,
        "node_nvme_info",
        "Non-numeric data from /sys/class/nvme/<device>, value is always 1.",
    );
    for device in devices {
        let folder = files.sys.join("class/nvme").join(&device);
        let text = |file: &str| attribute(&folder.join(file)).unwrap_or_default();
        let labels = [
            ("device", device.as_str()),
            ("firmware_revision", &text("firmware_rev")),
            ("model", &text("model")),
            ("serial", &text("serial")),
            ("state", &text("state")),
        ];
        out.sample(&labels, 1.0);
    }
    Ok(())
}
