//! What the operator chooses about host metrics.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use regex::Regex;

use super::collector::Collector;

/// Mount points that are left out unless told otherwise, as Debian's node_exporter does.
pub const MOUNT_POINTS_EXCLUDE: &str =
    "^/(dev|proc|run|sys|mnt|media|var/lib/docker/.+|var/lib/containers/storage/.+)($|/)";

/// Types of file systems that are left out unless told otherwise: those that keep no files on a disk.
pub const FILE_SYSTEM_TYPES_EXCLUDE: &str = "^(autofs|binfmt_misc|bpf|cgroup2?|configfs|debugfs|devpts|devtmpfs|fusectl|hugetlbfs|iso9660|mqueue|nsfs|overlay|proc|procfs|pstore|rpc_pipefs|securityfs|selinuxfs|squashfs|sysfs|tracefs)$";

/// Block devices that are left out unless told otherwise: memory, loops, floppies, partitions.
pub const DISK_DEVICES_EXCLUDE: &str = r"^(ram|loop|fd|(h|s|v|xv)d[a-z]|nvme\d+n\d+p)\d+$";

/// Network devices whose traffic is left out unless told otherwise, as Debian's node_exporter does.
pub const NETWORK_DEVICES_EXCLUDE: &str = "^lo$";

/// What is sampled, and where it is looked for.
///
/// The patterns are regular expressions that match anywhere unless they are anchored; an empty one
/// leaves nothing out.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HostOptions {
    /// The collectors that run; those that the platform lacks are passed over.
    pub collectors: BTreeSet<Collector>,
    /// Where procfs is mounted. Linux only, as all paths here.
    pub proc_path: PathBuf,
    /// Where sysfs is mounted.
    pub sys_path: PathBuf,
    /// Where the root of the host is mounted, for a process in a container.
    pub root_path: PathBuf,
    /// Mount points without metrics.
    pub mount_points_exclude: String,
    /// Types of file systems without metrics.
    pub file_system_types_exclude: String,
    /// Block devices without metrics.
    pub disk_devices_exclude: String,
    /// Network devices without traffic metrics.
    pub network_devices_exclude: String,
    /// How old a look at the machine may be to be shown again; zero for a new look each time.
    ///
    /// Several readers then cost no more than one, and one that asks without end costs little.
    pub sample_age_max: Duration,
    /// How long a file system may take to tell its size before it counts as hanging.
    pub file_system_deadline: Duration,
}

impl Default for HostOptions {
    fn default() -> Self {
        Self {
            collectors: BTreeSet::from(Collector::ALL),
            proc_path: PathBuf::from("/proc"),
            sys_path: PathBuf::from("/sys"),
            root_path: PathBuf::from("/"),
            mount_points_exclude: MOUNT_POINTS_EXCLUDE.to_owned(),
            file_system_types_exclude: FILE_SYSTEM_TYPES_EXCLUDE.to_owned(),
            disk_devices_exclude: DISK_DEVICES_EXCLUDE.to_owned(),
            network_devices_exclude: NETWORK_DEVICES_EXCLUDE.to_owned(),
            sample_age_max: Duration::from_secs(1),
            file_system_deadline: Duration::from_millis(250),
        }
    }
}

/// Host metrics cannot be sampled as the options want.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// A pattern is no regular expression.
    #[error("{option} is no regular expression: {pattern:?}")]
    Pattern {
        /// The field of [`HostOptions`].
        option: &'static str,
        /// What stands there.
        pattern: String,
        /// Where it goes wrong.
        #[source]
        source: regex::Error,
    },
}

/// A pattern of names that are left out.
#[derive(Clone, Debug)]
pub(super) struct Exclude(Option<Regex>);

impl Exclude {
    pub(super) fn parse(option: &'static str, pattern: &str) -> Result<Self, HostError> {
        if pattern.is_empty() {
            return Ok(Self(None));
        }
        let parsed = Regex::new(pattern).map_err(|source| HostError::Pattern {
            option,
            pattern: pattern.to_owned(),
            source,
        })?;
        Ok(Self(Some(parsed)))
    }

    pub(super) fn covers(&self, name: &str) -> bool {
        self.0.as_ref().is_some_and(|pattern| pattern.is_match(name))
    }
}
