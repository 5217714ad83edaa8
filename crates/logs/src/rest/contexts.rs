//! Scrolls and points in time: what is kept for callers that come back.
//!
//! Each holds the indices as they were when it was opened, and lives for as long as its caller asked
//! since it was last used. Their number is bounded; what nobody came back for goes at the next tick.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use pampero_opensearch::{Exception, ExceptionKind};

use super::scope::Opened;
use super::scroll::Scroll;

/// Longest time that one is kept without being used (`search.max_keep_alive`).
const KEEP_ALIVE_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// Shortest time: what asks for less is kept for as long as this.
const KEEP_ALIVE_MIN: Duration = Duration::from_secs(1);

/// The open scrolls and points in time, by their ids.
#[derive(Debug)]
pub(crate) struct Contexts {
    count_max: usize,
    entries: Mutex<HashMap<String, Context>>,
}

#[derive(Debug)]
struct Context {
    opened: Timestamp,
    keep_alive: Duration,
    expires: Timestamp,
    held: Held,
}

#[derive(Clone, Debug)]
enum Held {
    PointInTime(Arc<Opened>),
    Scroll(Arc<Mutex<Scroll>>),
}

/// A point in time as it is listed.
#[derive(Debug)]
pub(super) struct Listed {
    pub(super) id: String,
    pub(super) opened: Timestamp,
    pub(super) keep_alive: Duration,
}

impl Contexts {
    pub(super) fn new(count_max: usize) -> Self {
        Self { count_max, entries: Mutex::default() }
    }

    /// Keeps a point in time and returns its id.
    ///
    /// # Errors
    /// Too many are open, or it would be kept too long.
    pub(super) fn keep_point_in_time(
        &self,
        opened: Opened,
        keep_alive: Duration,
        now: Timestamp,
    ) -> Result<String, Exception> {
        self.keep(Held::PointInTime(Arc::new(opened)), keep_alive, now)
    }

    /// Keeps a scroll and returns its id.
    ///
    /// # Errors
    /// As [`Contexts::keep_point_in_time`].
    pub(super) fn keep_scroll(
        &self,
        scroll: Scroll,
        keep_alive: Duration,
        now: Timestamp,
    ) -> Result<String, Exception> {
        self.keep(Held::Scroll(Arc::new(Mutex::new(scroll))), keep_alive, now)
    }

    /// Returns a point in time and keeps it from now on.
    ///
    /// # Errors
    /// `search_context_missing_exception`: it is not there, or no longer.
    pub(super) fn point_in_time(
        &self,
        id: &str,
        keep_alive: Option<Duration>,
        now: Timestamp,
    ) -> Result<Arc<Opened>, Exception> {
        match self.renew(id, keep_alive, now)? {
            Held::PointInTime(opened) => Ok(opened),
            Held::Scroll(_) => Err(missing(id)),
        }
    }

    /// Returns a scroll and keeps it from now on.
    ///
    /// # Errors
    /// As [`Contexts::point_in_time`].
    pub(super) fn scroll(
        &self,
        id: &str,
        keep_alive: Option<Duration>,
        now: Timestamp,
    ) -> Result<Arc<Mutex<Scroll>>, Exception> {
        match self.renew(id, keep_alive, now)? {
            Held::Scroll(scroll) => Ok(scroll),
            Held::PointInTime(_) => Err(missing(id)),
        }
    }

    /// Lets go of scrolls and returns how many there were; `None` means all of them.
    pub(super) fn free_scrolls(&self, ids: Option<&[String]>) -> usize {
        self.free(ids, |held| matches!(held, Held::Scroll(_))).len()
    }

    /// Lets go of points in time and returns the ids of those that were there; `None` means all.
    pub(super) fn free_points_in_time(&self, ids: Option<&[String]>) -> Vec<String> {
        self.free(ids, |held| matches!(held, Held::PointInTime(_)))
    }

    /// Lists the points in time that are open, the oldest first.
    pub(super) fn points_in_time(&self, now: Timestamp) -> Vec<Listed> {
        let entries = self.lock();
        let open = entries.iter().filter(|(_, context)| {
            context.expires > now && matches!(context.held, Held::PointInTime(_))
        });
        let mut listed: Vec<Listed> = open
            .map(|(id, Context { opened, keep_alive, .. })| Listed {
                id: id.clone(),
                opened: *opened,
                keep_alive: *keep_alive,
            })
            .collect();
        listed.sort_by(|one, other| (one.opened, &one.id).cmp(&(other.opened, &other.id)));
        listed
    }

    /// Lets go of what has expired.
    pub(super) fn tick(&self, now: Timestamp) {
        self.lock().retain(|_, context| context.expires > now);
    }

    fn keep(&self, held: Held, keep_alive: Duration, now: Timestamp) -> Result<String, Exception> {
        let keep_alive = checked(keep_alive)?;
        let mut entries = self.lock();
        entries.retain(|_, context| context.expires > now);
        if entries.len() >= self.count_max {
            let most = self.count_max;
            return Err(Exception::new(
                ExceptionKind::RejectedExecution,
                format!(
                    "Trying to create too many scroll contexts. Must be less than or equal to: [{most}]. This limit can be set by changing the [search.max_open_scroll_context] setting."
                ),
            ));
        }
        let id = format!("{:032x}", rand::random::<u128>());
        let context = Context { opened: now, keep_alive, expires: after(now, keep_alive), held };
        entries.insert(id.clone(), context);
        Ok(id)
    }

    fn renew(
        &self,
        id: &str,
        keep_alive: Option<Duration>,
        now: Timestamp,
    ) -> Result<Held, Exception> {
        let keep_alive = keep_alive.map(checked).transpose()?;
        let mut entries = self.lock();
        let context = entries.get_mut(id).filter(|context| context.expires > now);
        let context = context.ok_or_else(|| missing(id))?;
        if let Some(keep_alive) = keep_alive {
            context.keep_alive = keep_alive;
        }
        context.expires = after(now, context.keep_alive).max(context.expires);
        Ok(context.held.clone())
    }

    fn free(&self, ids: Option<&[String]>, is_kind: impl Fn(&Held) -> bool) -> Vec<String> {
        let mut entries = self.lock();
        let is_named = |id: &String| ids.is_none_or(|ids| ids.contains(id));
        let freed: Vec<String> = entries
            .iter()
            .filter(|(id, context)| is_named(id) && is_kind(&context.held))
            .map(|(id, _)| id.clone())
            .collect();
        entries.retain(|id, _| !freed.contains(id));
        freed
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Context>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn checked(keep_alive: Duration) -> Result<Duration, Exception> {
    if keep_alive <= KEEP_ALIVE_MAX {
        return Ok(keep_alive.max(KEEP_ALIVE_MIN));
    }
    let hours = keep_alive.as_secs() / 3600;
    Err(Exception::illegal_argument(format!(
        "Keep alive for request ({hours}h) is too large. It must be less than (24h). This limit can be set by changing the [search.max_keep_alive] cluster level setting."
    )))
}

fn after(now: Timestamp, wait: Duration) -> Timestamp {
    now.saturating_add(wait).unwrap_or(Timestamp::MAX)
}

/// Returns the error of an id that leads nowhere, as a search that failed everywhere.
fn missing(id: &str) -> Exception {
    let cause = Exception::new(
        ExceptionKind::SearchContextMissing,
        format!("No search context found for id [{id}]"),
    );
    Exception::new(ExceptionKind::SearchPhaseExecution, "all shards failed")
        .with("phase", "query")
        .with("grouped", true)
        .with("failed_shards", Vec::<serde_json::Value>::new())
        .caused_by(cause)
}
