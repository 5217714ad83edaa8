//! When each monitor ran last, kept so that a restart neither loses a run nor repeats one needlessly.

use std::collections::{BTreeMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

use crate::definitions::write_file;

/// The stem of the file.
const STEM: &str = "runs";

/// When each monitor ran last.
#[derive(Debug)]
pub(super) struct LastRuns {
    folder: Option<PathBuf>,
    runs: Mutex<(BTreeMap<String, Timestamp>, bool)>,
}

impl LastRuns {
    /// Reads what was kept; without it, or when it is damaged, every monitor is caught up once.
    pub(super) fn open(folder: Option<&Path>) -> Self {
        let text = folder
            .and_then(|folder| std::fs::read_to_string(folder.join(format!("{STEM}.json"))).ok());
        let runs = text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
        Self { folder: folder.map(Path::to_owned), runs: Mutex::new((runs, false)) }
    }

    pub(super) fn get(&self, monitor: &str) -> Option<Timestamp> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner).0.get(monitor).copied()
    }

    pub(super) fn set(&self, monitor: &str, at: Timestamp) {
        let mut runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        runs.0.insert(monitor.to_owned(), at);
        runs.1 = true;
    }

    pub(super) fn keep_only(&self, monitors: &HashSet<&str>) {
        let mut runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        runs.0.retain(|monitor, _| monitors.contains(monitor.as_str()));
    }

    /// Writes down what changed since the last time. Blocks.
    pub(super) fn keep(&self) -> io::Result<()> {
        let Some(folder) = &self.folder else { return Ok(()) };
        let mut runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        if !runs.1 {
            return Ok(());
        }
        let text = serde_json::to_string(&runs.0)?;
        runs.1 = false;
        drop(runs);
        write_file(folder, STEM, &text)
    }
}
