//! When each monitor runs next.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use super::group::Due;
use super::last_runs::LastRuns;
use crate::definitions::{MonitorEntry, fingerprint};
use crate::schedule::Schedule;

/// The runs that lie ahead.
#[derive(Debug)]
pub(super) struct Plan {
    spread: Duration,
    monitors: HashMap<String, Planned>,
    /// Due times with the ids of monitors that are not at work.
    queue: BTreeSet<(Timestamp, String)>,
}

#[derive(Debug)]
struct Planned {
    entry: Arc<MonitorEntry>,
    asks: Arc<str>,
    anchor: Timestamp,
    /// When it is due; `None` while it is at work, or when it is never due again.
    due: Option<Timestamp>,
    is_at_work: bool,
}

impl Plan {
    pub(super) fn new(spread: Duration) -> Self {
        Self { spread, monitors: HashMap::new(), queue: BTreeSet::new() }
    }

    /// Plans these monitors and no others. One that is at work stays so, whatever became of it.
    pub(super) fn set(&mut self, entries: Vec<Arc<MonitorEntry>>, last: &LastRuns, now: Timestamp) {
        let mut monitors = HashMap::with_capacity(entries.len());
        for entry in entries {
            let old = self.monitors.remove(&entry.id);
            let old = old.filter(|old| old.entry.seq_no == entry.seq_no);
            let planned = match old {
                Some(old) => old,
                None => self.plan(entry, last, now),
            };
            monitors.insert(planned.entry.id.clone(), planned);
        }
        self.monitors = monitors;
        let due = |(id, planned): (&String, &Planned)| planned.due.map(|due| (due, id.clone()));
        self.queue = self.monitors.iter().filter_map(due).collect();
    }

    fn plan(&self, entry: Arc<MonitorEntry>, last: &LastRuns, now: Timestamp) -> Planned {
        let anchor = anchor(&entry, self.spread);
        let schedule = entry.item.schedule();
        let newest = schedule.newest_until(anchor, now);
        let is_missed = |newest: &Timestamp| last.get(&entry.id).is_none_or(|last| last < *newest);
        let due = newest.filter(is_missed).or_else(|| schedule.next_after(anchor, now));
        let asks = asks(&entry);
        Planned { entry, asks, anchor, due, is_at_work: false }
    }

    /// Takes the runs out that are due, in the order of their times.
    pub(super) fn take_due(&mut self, now: Timestamp, settle: Duration) -> Vec<Due> {
        let Ok(until) = now.checked_sub(settle) else { return Vec::new() };
        let mut due = Vec::new();
        while self.queue.first().is_some_and(|(at, _)| *at <= until) {
            let Some((at, id)) = self.queue.pop_first() else { break };
            let Some(planned) = self.monitors.get_mut(&id) else { continue };
            planned.due = None;
            planned.is_at_work = true;
            let (entry, asks) = (Arc::clone(&planned.entry), Arc::clone(&planned.asks));
            due.push(Due { entry, asks, at });
        }
        due
    }

    /// Plans the next run of a monitor after that of `at`, and returns how many were missed for good.
    pub(super) fn finish(&mut self, id: &str, at: Timestamp, now: Timestamp) -> u64 {
        let Some(planned) = self.monitors.get_mut(id) else { return 0 };
        if !planned.is_at_work {
            // It was changed meanwhile and planned anew.
            return 0;
        }
        planned.is_at_work = false;
        let schedule = planned.entry.item.schedule();
        let newest = schedule.newest_until(planned.anchor, now).filter(|newest| at < *newest);
        let missed = newest.map_or(0, |newest| missed_between(schedule, at, newest));
        planned.due = newest.or_else(|| schedule.next_after(planned.anchor, at));
        if let Some(due) = planned.due {
            self.queue.insert((due, id.to_owned()));
        }
        missed
    }

    /// Returns how long it is until something is due.
    pub(super) fn wait(&self, now: Timestamp, settle: Duration) -> Duration {
        let Some((due, _)) = self.queue.first() else { return Duration::MAX };
        let begin = due.saturating_add(settle).unwrap_or(Timestamp::MAX);
        Duration::try_from(begin.duration_since(now)).unwrap_or_default()
    }
}

/// Returns how many runs by interval lie between two; cron's are not counted.
fn missed_between(schedule: &Schedule, at: Timestamp, newest: Timestamp) -> u64 {
    let Schedule::Every(interval) = schedule else { return 0 };
    let past = newest.as_second().abs_diff(at.as_second());
    (past / interval.duration().as_secs().max(1)).saturating_sub(1)
}

/// Returns the first run of a monitor, of which those by interval are counted: when it was switched on, in
/// whole seconds, moved by an offset that monitors have in common that ask the same.
pub(super) fn anchor(entry: &MonitorEntry, spread: Duration) -> Timestamp {
    let since = entry.enabled.unwrap_or(entry.updated);
    let seconds = since.as_second();
    let offset = match entry.item.schedule() {
        Schedule::Every(interval) => {
            let room = interval.duration().min(spread).as_secs();
            if room == 0 { 0 } else { fingerprint(&asks(entry)) % room }
        }
        Schedule::Cron(_) => 0,
    };
    Timestamp::from_second(seconds.saturating_add_unsigned(offset)).unwrap_or(since)
}

/// Returns what tells the search of a monitor from others.
fn asks(entry: &MonitorEntry) -> Arc<str> {
    match entry.item.input() {
        Some(input) => {
            let what = json!([input.indices(), input.query(), entry.item.time_field()]);
            what.to_string().into()
        }
        None => "".into(),
    }
}
