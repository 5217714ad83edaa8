//! `[alerting]`: what watches the logs and the metrics, and who is told.

use std::path::PathBuf;
use std::time::Duration;

use pampero_notifications::Network;
use url::Url;

use super::kind::{boolean, count, duration, list, parsed, path, url};
use super::metrics::word;
use super::reader::Section;
use super::server::as_usize;

pub(super) const DOC: &str = "What watches the logs and the metrics, and who is told. Monitors and \
    channels are files in a folder, in the form of OpenSearch; alerting rules are among those of \
    `[metrics]`.";

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(60 * 60);

/// What watches, and who is told.
#[derive(Clone, Debug)]
pub(crate) struct AlertingConfig {
    /// Whether anything is watched.
    pub(crate) enabled: bool,
    /// The folder with `monitors`, `channels` and `secrets`; `None` is the one in the data folder.
    pub(crate) folder: Option<PathBuf>,
    /// Further folders from which channels may read secrets.
    pub(crate) secret_folders: Vec<PathBuf>,
    /// Whether the monitors that come with the program are run.
    pub(crate) shipped_monitors: bool,
    /// Who is told of rules that name no channel of their own.
    pub(crate) channels: Vec<String>,
    /// Networks of private addresses that channels may reach.
    pub(crate) allow: Vec<Network>,
    /// Where people find the program, for links in messages; `None` is the address of the listener.
    pub(crate) url: Option<Url>,
    /// From one message to the next while the alert of a rule goes on that does not say; `None` for one
    /// message only.
    pub(crate) reminder: Option<Duration>,
    /// How long the history of alerts is kept.
    pub(crate) retention: Duration,
    /// Most messages that wait for one channel.
    pub(crate) waiting_max: usize,
    /// How old messages are put together when they can be delivered at last.
    pub(crate) fold_after: Duration,
    /// How long a message is tried.
    pub(crate) give_up_after: Duration,
}

/// Reads the section.
pub(super) fn read(section: &mut Section<'_>) -> AlertingConfig {
    AlertingConfig {
        enabled: section.read(
            "enabled",
            true,
            &boolean(),
            "Whether monitors are run, alerts are kept and people are told. Rules are evaluated in any \
             case.",
        ),
        folder: section.read_optional(
            "folder",
            &path(),
            "Folder with the files of monitors and channels, made when it is missing; `alerting` in \
             the data folder if unset.",
        ),
        secret_folders: section.read(
            "secret_folders",
            Vec::new(),
            &list(path()),
            "Further folders from whose files channels may take secrets, as `$file:/run/secrets/slack`.",
        ),
        shipped_monitors: section.read(
            "shipped_monitors",
            true,
            &boolean(),
            "Whether the monitors that come with Pampero are run. A file of the same name replaces one.",
        ),
        channels: section.read(
            "channels",
            vec!["default".to_owned()],
            &list(word()),
            "Ids of the channels that are told of alerting rules, unless a rule names its own in the \
             annotation `pampero_channels`. What is meant for one that is not there becomes a dead letter.",
        ),
        allow: section.read(
            "allow",
            Vec::new(),
            &list(parsed("network")),
            "Private networks that channels may reach, as in `192.168.1.0/24` or `127.0.0.1`; without \
             them only public addresses. Link-local addresses are refused in any case.",
        ),
        url: section.read_optional(
            "url",
            &url(),
            "Where people find this Pampero, for links in messages; the address of the listener if unset.",
        ),
        reminder: section.read_optional(
            "reminder",
            &duration(SECOND),
            "From one message to the next while the alert of a rule goes on, unless the rule says \
             otherwise in the annotation `pampero_reminder`; one message only if unset.",
        ),
        retention: section.read(
            "retention",
            60 * 24 * HOUR,
            &duration(HOUR),
            "How long alerts that are over, and the history of all, are kept.",
        ),
        waiting_max: as_usize(section.read(
            "waiting_max",
            1_000,
            &count(1..=100_000),
            "Most messages that wait for one channel; beyond, the oldest are put together.",
        )),
        fold_after: section.read(
            "fold_after",
            Duration::from_secs(600),
            &duration(SECOND),
            "Messages that waited longer are put together when they can be delivered at last.",
        ),
        give_up_after: section.read(
            "give_up_after",
            24 * HOUR,
            &duration(SECOND),
            "How long a message is tried before it is set aside.",
        ),
    }
}
