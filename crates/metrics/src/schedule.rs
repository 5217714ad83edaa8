//! When a job that comes back has its turn.

use std::time::Duration;

/// How late a turn may be and still count as on time, in milliseconds: timers are not exact, and
/// samples at even distances take less room.
const LATE_MAX_MS: i64 = 5;

/// The turns of one job: the instants that lie `offset` behind a multiple of `interval`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Schedule {
    interval_ms: i64,
    offset_ms: i64,
    /// The turn that was due last, in milliseconds since the Unix epoch.
    due_ms: Option<i64>,
}

/// One turn.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Turn {
    /// When it is due, in milliseconds since the Unix epoch.
    pub(crate) due_ms: i64,
    /// How long until then.
    pub(crate) wait: Duration,
    /// Turns between the one before and this one that were let go, because they are past.
    pub(crate) missed: u64,
}

impl Schedule {
    pub(crate) fn new(interval: Duration, offset: Duration) -> Self {
        let ms = |duration: Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        let interval_ms = ms(interval).clamp(1, i64::MAX / 4);
        Self { interval_ms, offset_ms: ms(offset) % interval_ms, due_ms: None }
    }

    /// Returns the next turn after `now_ms`, never the same twice.
    ///
    /// When the clock has been set back, turns begin anew.
    pub(crate) fn next(&mut self, now_ms: i64) -> Turn {
        let is_set_back = |due_ms: &i64| self.interval_ms < due_ms.saturating_sub(now_ms);
        let last_ms = self.due_ms.filter(|due_ms| !is_set_back(due_ms));
        let after_ms = last_ms.map_or(now_ms, |due_ms| due_ms.max(now_ms));
        let since_ms = after_ms.saturating_sub(self.offset_ms).rem_euclid(self.interval_ms);
        let due_ms = after_ms.saturating_sub(since_ms).saturating_add(self.interval_ms);
        self.due_ms = Some(due_ms);
        let missed = last_ms.map_or(0, |last_ms| (due_ms - last_ms) / self.interval_ms - 1);
        Turn {
            due_ms,
            wait: Duration::from_millis(due_ms.abs_diff(now_ms)),
            missed: missed.unsigned_abs(),
        }
    }
}

impl Schedule {
    /// Returns the turn that follows the last one, which may be past already: then it is not waited
    /// for.
    ///
    /// When the clock has been set back, turns begin anew.
    pub(crate) fn following(&mut self, now_ms: i64) -> Turn {
        let is_past = |due_ms: &i64| *due_ms <= now_ms;
        let following = self.due_ms.and_then(|due_ms| due_ms.checked_add(self.interval_ms));
        match following.filter(is_past) {
            Some(due_ms) => {
                self.due_ms = Some(due_ms);
                Turn { due_ms, wait: Duration::ZERO, missed: 0 }
            }
            None => self.next(now_ms),
        }
    }

    /// Returns the turn that takes place at `now_ms`: the last one, or when further ones are past by
    /// now, the latest of them, in which case those before it are missed.
    ///
    /// Source: Prometheus, `rules/group.go`, `run`.
    pub(crate) fn settle(&mut self, now_ms: i64) -> Turn {
        let due_ms = self.due_ms.unwrap_or(now_ms);
        let missed = (now_ms.saturating_sub(due_ms) / self.interval_ms).max(0);
        let due_ms = due_ms.saturating_add(missed.saturating_mul(self.interval_ms));
        self.due_ms = Some(due_ms);
        Turn { due_ms, wait: Duration::ZERO, missed: missed.unsigned_abs() }
    }
}

impl Turn {
    /// Returns the time that the turn is stamped with: when it was due, or `now_ms` if it is late.
    pub(crate) fn stamp_ms(&self, now_ms: i64) -> i64 {
        let is_on_time = now_ms.abs_diff(self.due_ms) <= LATE_MAX_MS.unsigned_abs();
        if is_on_time { self.due_ms } else { now_ms }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(schedule: &mut Schedule, now_ms: i64, due_ms: i64, missed: u64) {
        let wait = Duration::from_millis(due_ms.abs_diff(now_ms));
        assert_eq!(schedule.next(now_ms), Turn { due_ms, wait, missed });
    }

    #[test]
    fn turns_are_even_and_never_pile_up() {
        let mut schedule = Schedule::new(Duration::from_millis(1000), Duration::from_millis(300));
        check(&mut schedule, 5_000, 5_300, 0);
        check(&mut schedule, 5_299, 6_300, 0); // The timer went off a little early.
        check(&mut schedule, 6_301, 7_300, 0);
        check(&mut schedule, 10_299, 10_300, 2);
        check(&mut schedule, 10_300, 11_300, 0);
        check(&mut schedule, 2_000, 2_300, 0); // The clock was set back.
        check(&mut schedule, 2_301, 3_300, 0);
    }

    #[test]
    fn late_turns_are_caught_up_once() {
        let mut schedule = Schedule::new(Duration::from_millis(1000), Duration::from_millis(300));
        // Waits for the turn, wakes up a little late, and is busy until `ended_ms`.
        let mut check = |now_ms, woken_ms, due_ms, missed| {
            let wait = schedule.following(now_ms).wait;
            let turn = schedule.settle(woken_ms);
            assert_eq!((turn.due_ms, turn.missed), (due_ms, missed), "from {now_ms}");
            wait
        };
        assert_eq!(check(5_000, 5_301, 5_300, 0).as_millis(), 300);
        assert_eq!(check(5_500, 6_299, 6_300, 0).as_millis(), 800); // The timer was early.
        assert_eq!(check(6_310, 7_300, 7_300, 0).as_millis(), 990);
        // Busy for 2.6 intervals: the latest turn that is past is caught up, the other is missed.
        assert_eq!(check(9_900, 9_900, 9_300, 1).as_millis(), 0);
        assert_eq!(check(9_950, 10_301, 10_300, 0).as_millis(), 350);
        // The machine slept while the turn was waited for.
        assert_eq!(check(10_400, 60_400, 60_300, 49).as_millis(), 900);
        // The clock was set back.
        assert_eq!(check(2_000, 2_300, 2_300, 0).as_millis(), 300);
    }

    #[test]
    fn a_turn_is_stamped_as_due_unless_it_is_late() {
        let turn = Turn { due_ms: 1000, wait: Duration::ZERO, missed: 0 };
        assert_eq!(turn.stamp_ms(1005), 1000);
        assert_eq!(turn.stamp_ms(998), 1000);
        assert_eq!(turn.stamp_ms(1006), 1006);
    }
}
