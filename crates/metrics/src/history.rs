//! The heart: the store of samples, the engine of queries, what is known of metrics, and a clock.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use pampero_promql::Engine;
use pampero_resilience::Clock;
use pampero_samples::{MaintainError, OpenError, SampleStore};
use pampero_series::Matcher;

use crate::http::GateCounts;
use crate::jobs::Starter;
use crate::metadata::{Metadata, MetadataBook, TargetMetadata};
use crate::options::HistoryOptions;
use crate::remote_write::{self, RemoteWriteError, RemoteWriteRequest};
use crate::rules::{Roster, RuleGroup};
use crate::scrape::target::{TargetError, check_targets};
use crate::state::{RuleGroupState, TargetState};
use crate::target::Target;
use crate::writer::Writer;

/// The history of metrics; clones share it.
#[derive(Clone, Debug)]
pub struct History(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: SampleStore,
    engine: Engine,
    writer: Writer,
    clock: Arc<dyn Clock>,
    options: HistoryOptions,
    targets: Vec<Arc<Target>>,
    rules: Roster,
    /// How groups of rules are put to work; `None` before the jobs are started, and once they end.
    starter: Mutex<Option<Starter>>,
    /// What the senders of remote write say of their metrics.
    sent_metadata: Mutex<MetadataBook>,
    /// What has become of the queries over HTTP.
    query_counts: Arc<GateCounts>,
}

/// Why there is no history.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// The samples cannot be opened.
    #[error("the history of metrics cannot be opened")]
    Open(#[source] OpenError),
    /// A target cannot be scraped.
    #[error("the targets of the metric history are wrong")]
    Target(#[source] TargetError),
}

impl History {
    /// Opens the history in `folder`, which is made if it is not there. Blocks.
    ///
    /// # Errors
    /// A target is wrong, or the samples cannot be opened.
    pub fn open(
        folder: &Path,
        options: HistoryOptions,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, HistoryError> {
        check_targets(&options.targets).map_err(HistoryError::Target)?;
        let own = options.self_scrape.iter().map(|own| Target::own(own, &options));
        let others = options.targets.iter().map(|target| Target::over_http(target, &options));
        let mut targets: Vec<_> = own.chain(others).map(Arc::new).collect();
        targets.sort_by_key(|target| target.state().job);
        let rules = Roster::new(options.rule_groups.clone(), options.evaluation_interval);
        let store =
            SampleStore::open(folder, options.samples.clone()).map_err(HistoryError::Open)?;
        Ok(Self(Arc::new(Inner {
            engine: Engine::new(options.query.clone()),
            writer: Writer::new(store.clone(), clock.clone()),
            query_counts: Arc::default(),
            sent_metadata: Mutex::new(MetadataBook::new(options.metadata_max)),
            store,
            clock,
            options,
            targets,
            rules,
            starter: Mutex::default(),
        })))
    }

    /// Returns the store of samples, from which queries read.
    pub fn store(&self) -> &SampleStore {
        &self.0.store
    }

    /// Returns the engine that evaluates queries.
    pub fn engine(&self) -> &Engine {
        &self.0.engine
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
        self.0.targets.iter().map(|target| target.state()).collect()
    }

    /// Returns the groups of rules as they are now, in the order of their files and names.
    pub fn rule_groups(&self) -> Vec<RuleGroupState> {
        self.0.rules.groups().iter().map(|group| group.state()).collect()
    }

    /// Replaces the groups of rules while they are at work; of two with the same file and name the
    /// last one holds. Blocks until evaluations of changed groups have ended.
    ///
    /// A group that does the same as before keeps its state and its schedule. In a changed one each
    /// rule goes on from the one that had its name and labels, and series of rules that are no more
    /// end with the next evaluation. Series of groups that are no more end two intervals later,
    /// unless others go on with them.
    pub fn replace_rules(&self, groups: Vec<RuleGroup>) {
        let starter = self.starter();
        let replaced = self.0.rules.replace(groups, self.now_ms(), starter.is_some());
        if let Some(starter) = starter {
            starter.carry_on(self, replaced);
        }
    }

    /// Returns what all targets and senders say of their metrics, each statement once, in the order
    /// of the names; of one metric only, if it is named.
    pub fn metadata(&self, metric: Option<&str>) -> Vec<(String, Vec<Metadata>)> {
        let mut said: BTreeMap<String, BTreeSet<Metadata>> = BTreeMap::new();
        let mut note = |book: &MetadataBook| {
            for (name, metadata) in book.iter(metric) {
                said.entry(name.to_owned()).or_default().insert(metadata.clone());
            }
        };
        self.0.targets.iter().for_each(|target| target.with_metadata(&mut note));
        note(&self.0.sent_metadata.lock().unwrap_or_else(PoisonError::into_inner));
        said.into_iter().map(|(name, said)| (name, said.into_iter().collect())).collect()
    }

    /// Returns what those targets say of their metrics whose labels match all matchers; of one
    /// metric only, if it is named.
    pub fn target_metadata(
        &self,
        matchers: &[Matcher],
        metric: Option<&str>,
    ) -> Vec<TargetMetadata> {
        let mut found = Vec::new();
        for target in &self.0.targets {
            let labels = target.state().labels;
            if matchers.iter().all(|matcher| matcher.matches(labels.value(matcher.name()))) {
                target.with_metadata(|book| {
                    found.extend(book.iter(metric).map(|(name, metadata)| TargetMetadata {
                        target: labels.clone(),
                        metric: name.to_owned(),
                        metadata: metadata.clone(),
                    }));
                });
            }
        }
        found
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
        let inner = &*self.0;
        let limits = &inner.options.remote_write;
        remote_write::receive(&inner.writer, &inner.sent_metadata, limits, request)
    }

    /// Ends the history once its jobs have ended: refuses further samples and brings the file up to
    /// date. Blocks.
    ///
    /// # Errors
    /// The file cannot be written; nothing that was acknowledged is lost.
    pub fn close(&self) -> Result<(), MaintainError> {
        self.0.store.close()
    }

    pub(crate) fn query_counts(&self) -> Arc<GateCounts> {
        Arc::clone(&self.0.query_counts)
    }

    pub(crate) fn writer(&self) -> &Writer {
        &self.0.writer
    }

    pub(crate) fn scraped(&self) -> &[Arc<Target>] {
        &self.0.targets
    }

    pub(crate) fn roster(&self) -> &Roster {
        &self.0.rules
    }

    pub(crate) fn starter(&self) -> Option<Starter> {
        self.0.starter.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_starter(&self, starter: Option<Starter>) {
        *self.0.starter.lock().unwrap_or_else(PoisonError::into_inner) = starter;
    }
}
