//! `[host]`: which metrics of the machine there are, and where they are looked for.

use std::collections::BTreeSet;
use std::time::Duration;

use pampero_telemetry::host::{Collector, HostOptions};
use regex::Regex;

use super::kind::{Kind, boolean, duration, list, parsed, path, quoted, text_of};
use super::reader::Section;
use super::tree::Node;

pub(super) const DOC: &str = "Metrics of the machine, under the names that node_exporter gives \
    them. The patterns are regular expressions; an empty one leaves nothing out.";

/// Reads the section; `None` when the machine is not to be measured.
pub(super) fn read(section: &mut Section<'_>) -> Option<HostOptions> {
    let default = HostOptions::default();
    let enabled =
        section.read("enabled", true, &boolean(), "Whether the machine is measured at all.");
    let collectors = section.read(
        "collectors",
        default.collectors.into_iter().collect(),
        &list(parsed::<Collector>("collector")),
        "What is measured, by node_exporter's names.",
    );
    let options = HostOptions {
        collectors: BTreeSet::from_iter(collectors),
        proc_path: section.read(
            "proc_path",
            default.proc_path,
            &path(),
            "Where procfs is mounted.",
        ),
        sys_path: section.read("sys_path", default.sys_path, &path(), "Where sysfs is mounted."),
        root_path: section.read(
            "root_path",
            default.root_path,
            &path(),
            "Where the root of the machine is mounted, for a program in a container.",
        ),
        mount_points_exclude: section.read(
            "mount_points_exclude",
            default.mount_points_exclude,
            &pattern(),
            "Mount points that are left out.",
        ),
        file_system_types_exclude: section.read(
            "file_system_types_exclude",
            default.file_system_types_exclude,
            &pattern(),
            "Types of file systems that are left out.",
        ),
        disk_devices_exclude: section.read(
            "disk_devices_exclude",
            default.disk_devices_exclude,
            &pattern(),
            "Block devices that are left out.",
        ),
        network_devices_exclude: section.read(
            "network_devices_exclude",
            default.network_devices_exclude,
            &pattern(),
            "Network devices whose traffic is left out.",
        ),
        sample_age_max: section.read(
            "sample_age_max",
            default.sample_age_max,
            &duration(Duration::ZERO),
            "How old a look at the machine may be to be shown again.",
        ),
        file_system_deadline: section.read(
            "file_system_deadline",
            default.file_system_deadline,
            &duration(Duration::from_millis(1)),
            "How long a file system may take to tell its size before it counts as hanging.",
        ),
    };
    enabled.then_some(options)
}

fn pattern() -> Kind<String> {
    let read = |node: &Node| {
        let text = text_of(node).unwrap_or_default();
        match Regex::new(text) {
            Ok(_) => Ok(text.to_owned()),
            Err(_) => Err(format!("{text:?} is no regular expression")),
        }
    };
    Kind::new("regular expression", read, |text: &String| quoted(text))
}
