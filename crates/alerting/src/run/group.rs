//! Monitors that are due at the same instant and ask the same: one search for all of them.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;

use super::{Answer, Run, Runner, ask, enter, has_documents, source};
use crate::LogSearch;
use crate::definitions::MonitorEntry;
use crate::monitor::Monitor;

/// A run that is due.
#[derive(Clone, Debug)]
pub(super) struct Due {
    pub(super) entry: Arc<MonitorEntry>,
    /// What tells its search from others.
    pub(super) asks: Arc<str>,
    pub(super) at: Timestamp,
}

/// Runs that share a search.
#[derive(Clone, Debug)]
pub(super) struct Group {
    at: Timestamp,
    entries: Vec<Arc<MonitorEntry>>,
}

/// A run that was made.
#[derive(Clone, Debug)]
pub(super) struct Ran {
    pub(super) monitor: String,
    pub(super) at: Timestamp,
    pub(super) late_ms: u64,
    pub(super) took_ms: u64,
    pub(super) error: Option<String>,
}

impl Group {
    /// Puts runs together that ask the same, in the order in which they are due.
    pub(super) fn gather(due: Vec<Due>) -> Vec<Self> {
        let mut places: HashMap<(Timestamp, Timestamp, Arc<str>), usize> = HashMap::new();
        let mut groups: Vec<Self> = Vec::new();
        for Due { entry, asks, at } in due {
            // The period stands in the search, and may differ though the end is the same.
            let (start, _) = entry.item.schedule().period_ending(at);
            let place = *places.entry((at, start, asks)).or_insert_with(|| {
                groups.push(Self { at, entries: Vec::new() });
                groups.len() - 1
            });
            groups[place].entries.push(entry);
        }
        groups
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = (String, Timestamp)> {
        self.entries.iter().map(|entry| (entry.id.clone(), self.at))
    }

    /// Searches once, and enters what each monitor makes of it.
    pub(super) fn run(self, runner: &Runner) -> Vec<Ran> {
        let late = runner.clock.now().duration_since(self.at).as_millis();
        let late_ms = u64::try_from(late).unwrap_or_default();
        let begun = Instant::now();
        let Some(first) = self.entries.first() else { return Vec::new() };
        let answer = search_for(&*runner.search, &first.item, self.at);
        let indices = first.item.input().map(|input| input.indices().to_vec()).unwrap_or_default();
        let holds = OnceCell::new();
        let field = first.item.time_field();
        let has_any = || has_documents(&*runner.search, &indices, field, self.at);
        let mut ran = Vec::with_capacity(self.entries.len());
        for entry in &self.entries {
            let facts = entry.facts();
            let run = Run {
                monitor: &entry.item,
                facts: &facts,
                at: self.at,
                alert: &|trigger| runner.observer.live_alert(&source(&entry.id, trigger)),
                has_documents: &|| holds.get_or_init(has_any).clone(),
                renders: false,
            };
            let execution = run.evaluate(answer.clone());
            enter(&*runner.observer, entry, &execution);
            let took_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
            let failed = execution.triggers.iter().find_map(|trigger| trigger.error.clone());
            let error = execution.input_error.or(failed);
            let done = Ran { monitor: entry.id.clone(), at: self.at, late_ms, took_ms, error };
            runner.note(&done);
            ran.push(done);
        }
        ran
    }
}

/// Makes the search of a monitor as of an instant; `None` for a monitor without one.
///
/// Documents of that instant and later are left out where the query tells by which field: a range that ends
/// with the minute would find some of them now and all of them with the next run, and whoever plays the past
/// could not know which.
pub(super) fn search_for(
    search: &dyn LogSearch,
    monitor: &Monitor,
    at: Timestamp,
) -> Option<Answer> {
    let input = monitor.input()?;
    let (start, end) = monitor.schedule().period_ending(at);
    let rendered = match input.render(start, end) {
        Ok(rendered) => rendered,
        Err(reason) => return Some(Err(reason)),
    };
    let rendered = match monitor.time_field() {
        Some(field) => rendered.before(field, at),
        None => rendered,
    };
    Some(ask(search, &rendered, at))
}
