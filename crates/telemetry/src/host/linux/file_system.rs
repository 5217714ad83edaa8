//! Space of mounted file systems.

mod probe;

use std::path::{Path, PathBuf};

use procfs::{FromBufRead, MountEntry};

use super::files::Files;
use super::{Exclude, Families, HostError, HostOptions, Kind, SampleError};
use probe::{Probes, Space};

/// A family of `node_filesystem_…` and its value.
type Column = (&'static str, &'static str, fn(&Space) -> f64);

const COLUMNS: [Column; 5] = [
    (
        "node_filesystem_avail_bytes",
        "Filesystem space available to non-root users in bytes.",
        |space| space.available_bytes,
    ),
    ("node_filesystem_files", "Filesystem total file nodes.", |space| space.files),
    ("node_filesystem_files_free", "Filesystem total free file nodes.", |space| space.files_free),
    ("node_filesystem_free_bytes", "Filesystem free space in bytes.", |space| space.free_bytes),
    ("node_filesystem_size_bytes", "Filesystem size in bytes.", |space| space.size_bytes),
];

/// The mounted file systems, with those that still owe an answer.
#[derive(Debug)]
pub(super) struct FileSystems {
    mount_points_exclude: Exclude,
    types_exclude: Exclude,
    probes: Probes,
}

impl FileSystems {
    pub(super) fn new(options: &HostOptions) -> Result<Self, HostError> {
        let deadline = options.file_system_deadline;
        Self::with_probes(options, Probes::new(deadline, probe::space_of))
    }

    fn with_probes(options: &HostOptions, probes: Probes) -> Result<Self, HostError> {
        let types = &options.file_system_types_exclude;
        Ok(Self {
            mount_points_exclude: Exclude::parse(
                "mount_points_exclude",
                &options.mount_points_exclude,
            )?,
            types_exclude: Exclude::parse("file_system_types_exclude", types)?,
            probes,
        })
    }

    pub(super) fn sample(&mut self, files: &Files, out: &mut Families) -> Result<(), SampleError> {
        let mounts = self.mounts(files)?;
        let paths: Vec<PathBuf> = mounts.iter().map(|mount| mount.path(&files.root)).collect();
        let spaces = self.probes.ask(&paths)?;
        out.family(
            Kind::Gauge,
            "node_filesystem_device_error",
            "Whether an error occurred while getting statistics for the given device.",
        );
        for (mount, space) in mounts.iter().zip(&spaces) {
            out.sample(&mount.labels(), f64::from(u8::from(space.is_none())));
        }
        for (name, help, value_of) in COLUMNS {
            out.family(Kind::Gauge, name, help);
            for (mount, space) in mounts.iter().zip(&spaces) {
                if let Some(space) = space {
                    out.sample(&mount.labels(), value_of(space));
                }
            }
        }
        out.family(Kind::Gauge, "node_filesystem_readonly", "Filesystem read-only status.");
        for (mount, space) in mounts.iter().zip(&spaces) {
            if space.is_some() {
                out.sample(&mount.labels(), f64::from(u8::from(mount.is_read_only)));
            }
        }
        Ok(())
    }

    fn mounts(&self, files: &Files) -> Result<Vec<Mount>, SampleError> {
        // The first process sees the mounts of the host; in a container only one's own may be seen.
        let text = files.proc("1/mounts").or_else(|_| files.proc("self/mounts"))?;
        let parsed = Vec::<MountEntry>::from_buf_read(text.content.as_bytes());
        let entries = parsed.map_err(|error| text.malformed(&error.to_string()))?;
        let mut mounts: Vec<Mount> = Vec::new();
        for entry in entries {
            let mount = Mount::seen_from(&files.root, entry);
            let is_excluded = self.mount_points_exclude.covers(&mount.point)
                || self.types_exclude.covers(&mount.file_system);
            // The kernel tells the size of what was mounted last at a place, and so do its labels.
            if is_excluded {
                continue;
            }
            match mounts.iter_mut().find(|other| other.point == mount.point) {
                Some(covered) => *covered = mount,
                None => mounts.push(mount),
            }
        }
        Ok(mounts)
    }
}

#[derive(Debug)]
struct Mount {
    device: String,
    /// As the host sees it.
    point: String,
    file_system: String,
    is_read_only: bool,
}

impl Mount {
    fn seen_from(root: &Path, entry: MountEntry) -> Self {
        let is_read_only = entry.fs_mntops.contains_key("ro");
        let inside = Path::new(&entry.fs_file).strip_prefix(root);
        let point = match inside.ok().and_then(Path::to_str) {
            Some(inside) => format!("/{inside}"),
            None => entry.fs_file,
        };
        Self { device: entry.fs_spec, point, file_system: entry.fs_vfstype, is_read_only }
    }

    fn path(&self, root: &Path) -> PathBuf {
        root.join(self.point.trim_start_matches('/'))
    }

    fn labels(&self) -> [(&'static str, &str); 3] {
        [("device", &self.device), ("fstype", &self.file_system), ("mountpoint", &self.point)]
    }
}
