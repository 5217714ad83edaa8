//! Which groups are at work, and how they are replaced while they are.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use pampero_samples::SeriesId;

use super::keep::mark_ended;
use super::{GroupAtWork, RuleGroup};
use crate::writer::Writer;

/// Longest wait before the series of a group that is no more are ended.
const ENDING_WAIT_MAX: Duration = Duration::from_secs(10 * 60);

/// The groups at work, in the order of their files and names.
#[derive(Debug)]
pub(crate) struct Roster {
    /// From one evaluation to the next, for groups that do not say.
    interval: Duration,
    groups: RwLock<Arc<[Arc<GroupAtWork>]>>,
    /// Held while groups are replaced, so that two who do it come one after the other.
    replacing: Mutex<()>,
}

/// What is to be done after groups were replaced.
#[derive(Debug)]
pub(crate) struct Replaced {
    /// Groups that are to be evaluated on their schedule from now on.
    pub(crate) begun: Vec<Arc<GroupAtWork>>,
    /// The series of groups that are no more.
    pub(crate) ended: Vec<EndedSeries>,
}

/// The series of a group that is no more.
#[derive(Debug)]
pub(crate) struct EndedSeries {
    series: HashSet<SeriesId>,
    at_ms: i64,
    /// How long others have time to go on with them, as when a group was renamed.
    pub(crate) wait: Duration,
}

impl Roster {
    /// Puts groups to work whose alerts may have been pending before the program was started; of two
    /// with the same file and name the last one holds.
    pub(crate) fn new(groups: Vec<RuleGroup>, interval: Duration) -> Self {
        let groups = by_key(groups).into_values();
        let groups = groups.map(|group| GroupAtWork::new(group, interval).restored_later());
        let groups: Vec<_> = groups.map(Arc::new).collect();
        Self { interval, groups: RwLock::new(groups.into()), replacing: Mutex::default() }
    }

    /// Returns the groups.
    pub(crate) fn groups(&self) -> Arc<[Arc<GroupAtWork>]> {
        Arc::clone(&self.groups.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Replaces the groups: what did not change stays as it is, what changed goes on from where it
    /// was. Blocks until evaluations of changed groups have ended.
    ///
    /// Source: Prometheus, `rules/manager.go`, `Update`.
    pub(crate) fn replace(
        &self,
        groups: Vec<RuleGroup>,
        now_ms: i64,
        is_started: bool,
    ) -> Replaced {
        let _alone = self.replacing.lock().unwrap_or_else(PoisonError::into_inner);
        let old_groups = self.groups();
        let mut old: BTreeMap<_, _> =
            old_groups.iter().map(|group| (key(&group.group), group)).collect();
        let mut begun = Vec::new();
        let mut replaced = Vec::new();
        for (_, group) in by_key(groups) {
            let group = match old.remove(&key(&group)) {
                Some(same) if same.group.does_the_same(&group, self.interval) => Arc::clone(same),
                Some(changed) => {
                    let group = GroupAtWork::new(group, self.interval).going_on_from(changed);
                    begun.push(Arc::new(group));
                    Arc::clone(&begun[begun.len() - 1])
                }
                None => {
                    let group = GroupAtWork::new(group, self.interval);
                    begun.push(Arc::new(if is_started { group } else { group.restored_later() }));
                    Arc::clone(&begun[begun.len() - 1])
                }
            };
            replaced.push(group);
        }
        *self.groups.write().unwrap_or_else(PoisonError::into_inner) = replaced.into();
        let ended = old.into_values().map(|group| EndedSeries {
            series: group.end(),
            at_ms: group.query_ms(now_ms),
            wait: group.interval.saturating_mul(2).min(ENDING_WAIT_MAX),
        });
        Replaced { begun, ended: ended.filter(|ended| !ended.series.is_empty()).collect() }
    }

    /// Ends the series of a group that is no more, unless a group gives them by now. Blocks.
    pub(crate) fn end_series(&self, writer: &Writer, ended: EndedSeries) {
        let live: HashSet<SeriesId> = self.groups().iter().flat_map(|group| group.live()).collect();
        let gone: Vec<SeriesId> = ended.series.difference(&live).copied().collect();
        mark_ended(writer, &gone, ended.at_ms);
    }
}

fn key(group: &RuleGroup) -> (String, String) {
    (group.file.clone(), group.name.clone())
}

fn by_key(groups: Vec<RuleGroup>) -> BTreeMap<(String, String), RuleGroup> {
    groups.into_iter().map(|group| (key(&group), group)).collect()
}

#[cfg(test)]
mod tests;
