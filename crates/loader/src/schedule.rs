//! When a place is asked next: pure arithmetic on instants.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use pampero_providers::Refresh;

/// How often places are asked.
#[derive(Clone, Debug, PartialEq)]
pub struct PollingPolicy {
    /// Distance between two regular rounds; they fall on whole multiples of it since the Unix epoch,
    /// moved to just after the provider renews its values.
    pub interval: Duration,
    /// Each round starts up to this much later, by chance, so that installations spread.
    pub jitter: Duration,
    /// First distance at which the better providers are tried again while a place is on a fallback or
    /// without an answer; it doubles up to `interval`.
    pub recheck: Duration,
    /// Most batches that are asked at the same time.
    pub batches_max: usize,
    /// Decides the jitter; the same seed gives the same rounds.
    pub seed: u64,
}

impl Default for PollingPolicy {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(15 * 60),
            jitter: Duration::from_secs(30),
            recheck: Duration::from_secs(60),
            batches_max: 16,
            seed: 0,
        }
    }
}

impl PollingPolicy {
    /// Returns the start of the first regular round after `now`.
    ///
    /// All places with the same first provider share it, so that they can be asked in one batch.
    pub(crate) fn next_round(&self, now: Timestamp, refresh: Refresh) -> Timestamp {
        let interval_ms = milliseconds(self.interval).max(1);
        let lag_ms = milliseconds(refresh.lag);
        let slot = (now.as_millisecond() - lag_ms).div_euclid(interval_ms) + 1;
        let start_ms = slot * interval_ms + lag_ms + self.jitter_ms(slot);
        Timestamp::from_millisecond(start_ms).unwrap_or(Timestamp::MAX)
    }

    /// Returns the wait after `wait` while the better providers give no answer.
    pub(crate) fn next_recheck(&self, wait: Option<Duration>) -> Duration {
        wait.map_or(self.recheck, |wait| wait * 2).min(self.interval)
    }

    /// Draws the jitter of one round; it never reaches into the next one.
    fn jitter_ms(&self, slot: i64) -> i64 {
        let limit_ms = milliseconds(self.jitter.min(self.interval / 2));
        let mut hasher = DefaultHasher::new();
        (self.seed, slot).hash(&mut hasher);
        i64::try_from(hasher.finish() % limit_ms.max(1).unsigned_abs()).unwrap_or(0)
    }
}

/// When one place is asked next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Due {
    /// The next regular round.
    pub(crate) regular_at: Timestamp,
    /// The next try of the better providers; `None` while the first one serves.
    pub(crate) recheck: Option<Recheck>,
}

/// A try of the better providers between two regular rounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Recheck {
    pub(crate) at: Timestamp,
    pub(crate) wait: Duration,
}

/// What is due for a place.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Task {
    /// The whole chain.
    Regular,
    /// Only providers that stand before the one that serves now.
    Recheck,
}

impl Task {
    /// Returns the spelling: `regular` or `recheck`.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Regular => "regular",
            Self::Recheck => "recheck",
        }
    }
}

impl Due {
    /// A place that is asked at once.
    pub(crate) fn at_once(now: Timestamp) -> Self {
        Self { regular_at: now, recheck: None }
    }

    /// Returns what is due at `now`; `None` when nothing is.
    pub(crate) fn task(&self, now: Timestamp) -> Option<Task> {
        if self.regular_at <= now {
            return Some(Task::Regular);
        }
        self.recheck.filter(|recheck| recheck.at <= now).map(|_| Task::Recheck)
    }

    /// Returns the next instant at which something is due.
    pub(crate) fn next_at(&self) -> Timestamp {
        self.recheck.map_or(self.regular_at, |recheck| recheck.at.min(self.regular_at))
    }

    /// Returns what is due after a task has ended at `now`, the first provider answering or not.
    ///
    /// Rounds that were missed, because the machine slept or the round took long, are not made up for.
    pub(crate) fn after(
        self,
        task: Task,
        first_answered: bool,
        now: Timestamp,
        refresh: Refresh,
        policy: &PollingPolicy,
    ) -> Self {
        let next_round = policy.next_round(now, refresh);
        let regular_at = match task {
            Task::Regular => next_round,
            Task::Recheck => self.regular_at,
        };
        let recheck = (!first_answered).then(|| {
            let wait = policy.next_recheck(self.recheck.map(|recheck| recheck.wait));
            let at = now.saturating_add(signed(wait)).unwrap_or(Timestamp::MAX);
            Recheck { at, wait }
        });
        Self { regular_at, recheck }
    }

    /// Returns the schedule with nothing further away than it can be, should the clock have gone back.
    pub(crate) fn bounded(self, now: Timestamp, refresh: Refresh, policy: &PollingPolicy) -> Self {
        let furthest = policy.next_round(now, refresh).saturating_add(signed(policy.interval));
        let furthest = furthest.unwrap_or(Timestamp::MAX);
        let recheck =
            self.recheck.map(|recheck| Recheck { at: recheck.at.min(furthest), ..recheck });
        Self { regular_at: self.regular_at.min(furthest), recheck }
    }
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 4)
}

fn signed(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const REFRESH: Refresh =
        Refresh { every: Duration::from_secs(900), lag: Duration::from_secs(90) };

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn without_jitter() -> PollingPolicy {
        PollingPolicy { jitter: Duration::ZERO, ..PollingPolicy::default() }
    }

    #[test]
    fn rounds_follow_the_renewal_of_the_provider() {
        check_round("2026-11-24T03:41:00Z", "2026-11-24T03:46:30Z");
        check_round("2026-11-24T03:46:29.999Z", "2026-11-24T03:46:30Z");
        check_round("2026-11-24T03:46:30Z", "2026-11-24T04:01:30Z");
        check_round("2026-12-31T23:59:59Z", "2027-01-01T00:01:30Z");
    }

    #[track_caller]
    fn check_round(now: &str, next: &str) {
        assert_eq!(without_jitter().next_round(at(now), REFRESH), at(next), "after {now}");
    }

    #[test]
    fn jitter_stays_below_its_limit_and_differs_between_rounds() {
        let policy = PollingPolicy { seed: 7, ..PollingPolicy::default() };
        let mut starts = std::collections::BTreeSet::new();
        for round in 0..50 {
            let now = at("2026-11-24T00:02:00Z") + SignedDuration::from_mins(15 * round);
            let late = policy.next_round(now, REFRESH) - without_jitter().next_round(now, REFRESH);
            let late_ms = late.as_millis();
            assert!((0..30_000).contains(&late_ms), "{late_ms} ms");
            starts.insert(late_ms);
        }
        assert!(starts.len() > 40, "{starts:?}");
    }

    #[test]
    fn places_of_one_round_share_its_start() {
        let policy = PollingPolicy::default();
        let one = policy.next_round(at("2026-11-24T03:47:00Z"), REFRESH);
        let other = policy.next_round(at("2026-11-24T03:59:00Z"), REFRESH);
        assert_eq!(one, other);
    }

    #[test]
    fn rechecks_double_up_to_the_interval_and_end_with_an_answer() {
        let policy = without_jitter();
        let now = at("2026-11-24T03:47:00Z");
        let mut due = Due::at_once(now).after(Task::Regular, false, now, REFRESH, &policy);
        let mut waits = vec![];
        for _ in 0..6 {
            let recheck = due.recheck.unwrap();
            waits.push(recheck.wait.as_secs());
            due = due.after(Task::Recheck, false, now, REFRESH, &policy);
        }
        assert_eq!(waits, [60, 120, 240, 480, 900, 900]);
        let due = due.after(Task::Recheck, true, now, REFRESH, &policy);
        assert_eq!(due.recheck, None);
        assert_eq!(due.regular_at, at("2026-11-24T04:01:30Z"), "a recheck moves no regular round");
    }

    #[test]
    fn missed_rounds_are_caught_up_with_one() {
        let policy = without_jitter();
        let due = Due { regular_at: at("2026-11-24T03:46:30Z"), recheck: None };
        let woken = at("2026-11-24T09:00:00Z");
        assert_eq!(due.task(woken), Some(Task::Regular));
        let due = due.after(Task::Regular, true, woken, REFRESH, &policy);
        assert_eq!(due.task(woken), None);
        assert_eq!(due.regular_at, at("2026-11-24T09:01:30Z"));
    }

    #[test]
    fn a_clock_set_back_does_not_silence_a_place() {
        let policy = without_jitter();
        let due = Due { regular_at: at("2026-11-25T00:00:00Z"), recheck: None };
        let now = at("2026-11-24T03:47:00Z");
        let due = due.bounded(now, REFRESH, &policy);
        assert_eq!(due.regular_at, at("2026-11-24T04:16:30Z"));
    }
}
