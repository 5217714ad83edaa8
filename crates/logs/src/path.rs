//! The way of the program's own events into the index.
//!
//! Documents come out of the queue of the log, and [`LogWriter`] brings them into the index of their
//! day and to where they are shipped. The indices of all days lie behind one alias. Old ones are
//! dropped whole, by age and by size. Start reading at [`LogPath`] for what is kept, and at
//! [`LogWriter::run`] for how it gets there.

mod mapping;
mod retention;
mod writer;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;
use pampero_index::cluster::{Alias, AliasAction};
use pampero_index::{Action, Cluster, Index, Operation, VersionCheck};
use pampero_opensearch::{Exception, ExceptionKind};
use pampero_resilience::Clock;
use pampero_telemetry::logging::documents::{LogDocument, unrecorded};
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

pub use writer::{LaneStats, LogWriter, WriterCounts, WriterOptions, WriterStats};

pub(crate) use mapping::{TEMPLATE_VERSION, index_template};
use retention::{Day, Reason, days_to_drop};

/// How often the indices are ticked, so that what is due to be searchable becomes so.
const TICK: Duration = Duration::from_millis(200);
/// How often old indices are looked for.
const TIDY: Duration = Duration::from_secs(600);

/// What of the log is kept.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PathOptions {
    /// Name of the alias, and first words of the names of the daily indices.
    pub alias: String,
    /// How long the index of a day is kept after the day has ended.
    pub retention: Duration,
    /// Most bytes of daily indices; beyond, the oldest are dropped, today's never.
    pub bytes_max: u64,
}

impl Default for PathOptions {
    fn default() -> Self {
        Self {
            alias: "weather_logs".to_owned(),
            retention: Duration::from_secs(14 * 24 * 60 * 60),
            bytes_max: 1 << 30,
        }
    }
}

/// The daily indices of the log; clones share everything.
///
/// Indices whose name is the alias and a day, as in `weather_logs-2026.11.24`, belong to it, whoever
/// made them.
#[derive(Clone, Debug)]
pub struct LogPath(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    cluster: Arc<Cluster>,
    clock: Arc<dyn Clock>,
    options: PathOptions,
    written: AtomicU64,
    reduced: AtomicU64,
    rejected: AtomicU64,
    dropped_by_age: AtomicU64,
    dropped_by_size: AtomicU64,
}

/// What became of documents and indices.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct PathStats {
    /// Documents that were written.
    pub written: u64,
    /// Of those, the ones whose fields did not fit the mapping and were written as one text.
    pub reduced: u64,
    /// Documents that did not fit even so, and are lost.
    pub rejected: u64,
    /// Indices that were dropped because they were old.
    pub indices_dropped_by_age: u64,
    /// Indices that were dropped to make room.
    pub indices_dropped_by_size: u64,
}

/// Documents that could not be written, and why.
#[derive(Debug)]
pub(crate) struct Unwritten {
    pub(crate) documents: Vec<LogDocument>,
    pub(crate) error: Exception,
}

/// Names the index of a day.
pub(crate) fn daily_index(prefix: &str, day: Date) -> String {
    format!("{prefix}-{}", day.strftime("%Y.%m.%d"))
}

/// Returns the day of an instant in UTC.
pub(crate) fn day_of(at: Timestamp) -> Date {
    Offset::UTC.to_datetime(at).date()
}

impl LogPath {
    /// Makes today's index and its alias where they are missing, and drops old ones; blocks.
    ///
    /// # Errors
    /// The index cannot be made, or the disk failed.
    pub fn open(
        cluster: Arc<Cluster>,
        clock: Arc<dyn Clock>,
        options: PathOptions,
    ) -> Result<Self, Exception> {
        cluster.adopt_alias(&options.alias);
        let path = Self(Arc::new(Shared {
            cluster,
            clock,
            options,
            written: AtomicU64::new(0),
            reduced: AtomicU64::new(0),
            rejected: AtomicU64::new(0),
            dropped_by_age: AtomicU64::new(0),
            dropped_by_size: AtomicU64::new(0),
        }));
        path.tidy()?;
        Ok(path)
    }

    /// Looks after the daily indices until `cancel`.
    pub async fn run(self, cancel: CancellationToken) {
        while cancel.run_until_cancelled(tokio::time::sleep(TIDY)).await.is_some() {
            let path = self.clone();
            let tidied = tokio::task::spawn_blocking(move || unrecorded(|| path.tidy())).await;
            if let Ok(Err(error)) = tidied {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "old log indices cannot be tidied up; it will be tried again"
                );
            }
        }
    }

    /// Returns what became of documents and indices so far.
    pub fn stats(&self) -> PathStats {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        PathStats {
            written: count(&self.0.written),
            reduced: count(&self.0.reduced),
            rejected: count(&self.0.rejected),
            indices_dropped_by_age: count(&self.0.dropped_by_age),
            indices_dropped_by_size: count(&self.0.dropped_by_size),
        }
    }

    /// Brings indices and alias to what they should be now; doing it twice changes nothing more. Blocks.
    ///
    /// # Errors
    /// The disk failed.
    pub fn tidy(&self) -> Result<(), Exception> {
        let now = self.0.clock.now();
        self.index_of(day_of(now), now)?;
        self.arrange_alias(now);
        self.drop_old(now)
    }

    /// Writes documents into the indices of their days; blocks.
    ///
    /// What fails for a reason of its own is written without its fields, or counted as rejected.
    /// Everything else comes back.
    pub(crate) fn append(&self, documents: Vec<LogDocument>) -> Result<(), Unwritten> {
        let mut by_day: BTreeMap<Date, Vec<LogDocument>> = BTreeMap::new();
        for document in documents {
            by_day.entry(day_of(document.at)).or_default().push(document);
        }
        let (mut left, mut failure) = (Vec::new(), None);
        for (day, documents) in by_day {
            if let Err(unwritten) = self.append_to(day, documents) {
                left.extend(unwritten.documents);
                failure = Some(unwritten.error);
            }
        }
        match failure {
            Some(error) => Err(Unwritten { documents: left, error }),
            None => Ok(()),
        }
    }

    fn append_to(&self, day: Date, documents: Vec<LogDocument>) -> Result<(), Unwritten> {
        let now = self.0.clock.now();
        let index = match self.index_of(day, now) {
            Ok(index) => index,
            Err(error) => return Err(Unwritten { documents, error }),
        };
        let bodies = documents.iter().map(|document| document.body.clone()).collect();
        let (mut left, mut unfit, mut failure) = (Vec::new(), Vec::new(), None);
        for (document, written) in documents.into_iter().zip(write(&index, bodies, now)) {
            match written {
                Ok(_) => add(&self.0.written, 1),
                Err(error) if is_of_document(&error) => unfit.push(document),
                Err(error) => {
                    left.push(document);
                    failure = Some(error);
                }
            }
        }
        let bodies = unfit.iter().map(|document| without_fields(&document.body)).collect();
        for (document, written) in unfit.into_iter().zip(write(&index, bodies, now)) {
            match written {
                Ok(_) => {
                    add(&self.0.written, 1);
                    add(&self.0.reduced, 1);
                }
                Err(error) if is_of_document(&error) => self.reject(&error),
                Err(error) => {
                    left.push(document);
                    failure = Some(error);
                }
            }
        }
        failure.map_or(Ok(()), |error| Err(Unwritten { documents: left, error }))
    }

    fn reject(&self, error: &Exception) {
        if self.0.rejected.fetch_add(1, Ordering::Relaxed) == 0 {
            tracing::warn!(
                error = error as &dyn std::error::Error,
                "a log document does not fit the index and is lost; further ones are counted only"
            );
        }
    }

    /// Returns the index of a day; makes it where it is missing.
    fn index_of(&self, day: Date, now: Timestamp) -> Result<Arc<Index>, Exception> {
        let Shared { cluster, options, .. } = &*self.0;
        let name = daily_index(&options.alias, day);
        if let Some(index) = cluster.indices().get(&name) {
            return Ok(index);
        }
        let made = match cluster.create_index(&name, &mapping::index_body(), now) {
            Err(error) if error.kind() == ExceptionKind::ResourceAlreadyExists => {
                // Somebody else was faster.
                cluster.indices().get(&name).ok_or(error)?
            }
            made => made?,
        };
        self.arrange_alias(now);
        Ok(made)
    }

    /// Puts every daily index behind the alias, the newest as the one that is written to.
    ///
    /// What cannot be arranged is told: documents are written to the index itself all the same.
    fn arrange_alias(&self, now: Timestamp) {
        let Shared { cluster, options, .. } = &*self.0;
        if cluster.indices().get(&options.alias).is_some() {
            tracing::warn!(
                index = options.alias,
                "an index has the name of the log's alias, so the days stay without the alias"
            );
            return;
        }
        let days = self.days();
        let newest = days.last().map(|day| day.name.as_str());
        let mut actions = Vec::new();
        for day in &days {
            let is_write_index = Some(Some(day.name.as_str()) == newest);
            let known = cluster.indices().get(&day.name).and_then(|index| {
                cluster.aliases_of(&index).get(&options.alias).map(|alias| alias.is_write_index)
            });
            if known != Some(is_write_index) {
                actions.push(AliasAction::Add {
                    indices: vec![day.name.clone()],
                    aliases: vec![options.alias.clone()],
                    alias: Alias { is_write_index, ..Alias::default() },
                });
            }
        }
        if !actions.is_empty()
            && let Err(error) = cluster.update_aliases(&actions, now)
        {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the alias of the log cannot be arranged"
            );
        }
    }

    fn drop_old(&self, now: Timestamp) -> Result<(), Exception> {
        let Shared { cluster, options, .. } = &*self.0;
        for (name, reason) in days_to_drop(&self.days(), now, options.retention, options.bytes_max)
        {
            cluster.delete_indices(&[name])?;
            add(
                match reason {
                    Reason::Age => &self.0.dropped_by_age,
                    Reason::Size => &self.0.dropped_by_size,
                },
                1,
            );
            tracing::info!(index = name, reason = reason.as_str(), "log index dropped");
        }
        Ok(())
    }

    /// Returns the daily indices that are there, from the oldest to the newest.
    fn days(&self) -> Vec<Day> {
        let Shared { cluster, options, .. } = &*self.0;
        let mut days: Vec<Day> = cluster
            .indices()
            .all()
            .iter()
            .filter_map(|index| {
                let rest = index.name().strip_prefix(&options.alias)?.strip_prefix('-')?;
                let date = Date::strptime("%Y.%m.%d", rest).ok()?;
                // Another spelling of the same day would be another index.
                let name = daily_index(&options.alias, date);
                (name == **index.name()).then(|| Day {
                    date,
                    name,
                    bytes: index.statistics().bytes,
                })
            })
            .collect();
        days.sort_by_key(|day| day.date);
        days
    }
}

/// Ticks the indices until `cancel`, so that what was written becomes searchable and durable in time.
pub async fn keep_indices(cluster: Arc<Cluster>, clock: Arc<dyn Clock>, cancel: CancellationToken) {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while cancel.run_until_cancelled(ticks.tick()).await.is_some() {
        let (cluster, clock) = (Arc::clone(&cluster), Arc::clone(&clock));
        let tick = move || unrecorded(|| cluster.indices().tick(clock.now()));
        if tokio::task::spawn_blocking(tick).await.is_err() {
            tracing::error!("the log indices could not be looked after for a moment");
        }
    }
}

fn write(
    index: &Index,
    bodies: Vec<Bytes>,
    now: Timestamp,
) -> Vec<Result<pampero_index::Written, Exception>> {
    if bodies.is_empty() {
        return Vec::new();
    }
    let operation = |body| Operation {
        id: None,
        action: Action::Index(body),
        routing: None,
        check: VersionCheck::None,
    };
    index.write_relaxed(bodies.into_iter().map(operation).collect(), now)
}

/// Tells whether a document was refused for what it says, so that it would be refused again.
fn is_of_document(error: &Exception) -> bool {
    matches!(
        error.kind(),
        ExceptionKind::MapperParsing
            | ExceptionKind::StrictDynamicMapping
            | ExceptionKind::IllegalArgument
            | ExceptionKind::Parsing
            | ExceptionKind::XContentParse
            | ExceptionKind::JsonParse
            | ExceptionKind::Parse
            | ExceptionKind::NumberFormat
            | ExceptionKind::InputCoercion
    )
}

/// Puts the fields of a document into one text, which fits any mapping.
fn without_fields(body: &Bytes) -> Bytes {
    let Ok(mut document) = serde_json::from_slice::<Map<String, Value>>(body) else {
        return body.clone();
    };
    if let Some(fields) = document.remove("fields") {
        document.insert("unmapped_fields".to_owned(), Value::String(fields.to_string()));
    }
    Value::Object(document).to_string().into()
}

fn add(counter: &AtomicU64, count: u64) {
    counter.fetch_add(count, Ordering::Relaxed);
}
