//! Repeats of the same event, told once a window instead of each time.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

/// When repeats of an event are folded into one document.
///
/// Events are the same when level, origin, message, place and provider are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct FoldPolicy {
    /// Most documents of the same event in one window; further ones are folded.
    pub repeats_max: u32,
    /// How long a window is, from its first event on.
    pub window: Duration,
    /// Most windows at once; events beyond them are not folded.
    pub windows_max: usize,
}

impl Default for FoldPolicy {
    fn default() -> Self {
        Self { repeats_max: 10, window: Duration::from_secs(10), windows_max: 1_024 }
    }
}

/// Most bytes of the documents that windows hold; events beyond them are not folded.
const HELD_BYTES_MAX: usize = 1 << 20;

/// How often windows that are over are looked for, at most.
pub(super) const SWEEP: Duration = Duration::from_secs(1);

/// The windows that are open.
#[derive(Debug)]
pub(super) struct Folding {
    policy: FoldPolicy,
    windows: HashMap<u64, Window>,
    /// Bytes of the members that the windows hold.
    held_bytes: usize,
    swept_at: Option<Instant>,
}

#[derive(Debug)]
struct Window {
    ends_at: Instant,
    seen: u32,
    repeats: Option<Repeats>,
}

/// What a window has folded.
#[derive(Debug)]
pub(super) struct Repeats {
    /// How many events.
    pub(super) count: u64,
    /// When the first of them was.
    pub(super) first: Timestamp,
    /// When the last of them was.
    pub(super) last: Timestamp,
    /// Members of the document of the first of them.
    pub(super) members: Vec<u8>,
}

/// What becomes of an event.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Verdict {
    /// It has a document of its own.
    Alone,
    /// It was folded.
    Folded,
}

impl Folding {
    pub(super) fn new(policy: FoldPolicy) -> Self {
        Self { policy, windows: HashMap::new(), held_bytes: 0, swept_at: None }
    }

    /// Decides about the event `key` at `now`, which is `at` on the wall; `members` are its document's.
    ///
    /// Windows that are found to be over are put into `ended`.
    pub(super) fn decide(
        &mut self,
        key: u64,
        now: Instant,
        at: Timestamp,
        members: impl FnOnce() -> Vec<u8>,
        ended: &mut Vec<Repeats>,
    ) -> Verdict {
        if self.windows.get(&key).is_some_and(|window| window.ends_at <= now) {
            let repeats = self.windows.remove(&key).and_then(|window| window.repeats);
            self.let_go(repeats, ended);
        }
        if !self.windows.contains_key(&key) && self.windows.len() >= self.policy.windows_max {
            self.sweep(now, ended);
            if self.windows.len() >= self.policy.windows_max {
                return Verdict::Alone;
            }
        }
        let ends_at = now + self.policy.window;
        let window = self.windows.entry(key).or_insert(Window { ends_at, seen: 0, repeats: None });
        if window.seen < self.policy.repeats_max {
            window.seen += 1;
            return Verdict::Alone;
        }
        match &mut window.repeats {
            Some(repeats) => {
                repeats.count += 1;
                repeats.last = at;
            }
            none => {
                let members = members();
                if HELD_BYTES_MAX < self.held_bytes + members.len() {
                    return Verdict::Alone;
                }
                self.held_bytes += members.len();
                *none = Some(Repeats { count: 1, first: at, last: at, members });
            }
        }
        Verdict::Folded
    }

    /// Ends the windows that are over; does nothing when it was done within [`SWEEP`].
    pub(super) fn sweep(&mut self, now: Instant, ended: &mut Vec<Repeats>) {
        if self.swept_at.is_some_and(|swept_at| now < swept_at + SWEEP) {
            return;
        }
        self.swept_at = Some(now);
        let over = self.windows.extract_if(|_, window| window.ends_at <= now);
        let repeats: Vec<_> = over.filter_map(|(_, window)| window.repeats).collect();
        self.let_go(repeats, ended);
    }

    /// Ends all windows.
    pub(super) fn end(&mut self, ended: &mut Vec<Repeats>) {
        let repeats: Vec<_> =
            self.windows.drain().filter_map(|(_, window)| window.repeats).collect();
        self.let_go(repeats, ended);
    }

    fn let_go(&mut self, repeats: impl IntoIterator<Item = Repeats>, ended: &mut Vec<Repeats>) {
        let before = ended.len();
        ended.extend(repeats);
        let bytes: usize = ended[before..].iter().map(|repeats| repeats.members.len()).sum();
        self.held_bytes -= bytes;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: FoldPolicy =
        FoldPolicy { repeats_max: 2, window: Duration::from_secs(10), windows_max: 2 };

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// Plays events, each a key and its second; returns those that stay alone, and the ended windows
    /// as count, first and last second.
    #[track_caller]
    fn check(events: &[(u64, u64)], alone: &[usize], ended_windows: &[(u64, i64, i64)]) {
        let start = Instant::now();
        let mut folding = Folding::new(POLICY);
        let mut ended = Vec::new();
        let stays_alone = |&(_, &(key, second)): &(usize, &(u64, u64))| {
            let now = start + Duration::from_secs(second);
            let verdict = folding.decide(key, now, at(second as i64), Vec::new, &mut ended);
            verdict == Verdict::Alone
        };
        let stayed: Vec<usize> =
            events.iter().enumerate().filter(stays_alone).map(|(index, _)| index).collect();
        let ended: Vec<_> =
            ended.iter().map(|it| (it.count, it.first.as_second(), it.last.as_second())).collect();
        assert_eq!((stayed.as_slice(), ended.as_slice()), (alone, ended_windows));
    }

    #[test]
    fn repeats_past_the_rate_are_folded_until_the_window_ends() {
        check(&[(1, 0), (1, 1)], &[0, 1], &[]);
        check(&[(1, 0), (1, 1), (1, 2), (1, 9)], &[0, 1], &[]);
        check(&[(1, 0), (1, 1), (1, 2), (1, 9), (1, 10)], &[0, 1, 4], &[(2, 2, 9)]);
        check(&[(1, 0), (1, 10), (1, 11), (1, 12), (1, 20)], &[0, 1, 2, 4], &[(1, 12, 12)]);
    }

    #[test]
    fn other_keys_have_windows_of_their_own() {
        check(&[(1, 0), (2, 0), (1, 0), (2, 0), (1, 0), (2, 0)], &[0, 1, 2, 3], &[]);
    }

    #[test]
    fn key_without_room_is_not_folded_until_a_window_ends() {
        check(&[(1, 0), (2, 0), (3, 1), (3, 1), (3, 1)], &[0, 1, 2, 3, 4], &[]);
        let full = [(1, 0), (1, 0), (1, 3), (2, 5), (3, 11), (3, 11), (3, 11)];
        check(&full, &[0, 1, 3, 4, 5], &[(1, 3, 3)]);
    }

    #[test]
    fn held_documents_are_bounded_in_bytes() {
        let mut folding = Folding::new(FoldPolicy { repeats_max: 0, windows_max: 10, ..POLICY });
        let (now, mut ended) = (Instant::now(), Vec::new());
        let mut decide = |key, now, ended: &mut Vec<Repeats>| {
            folding.decide(key, now, at(0), || vec![b' '; HELD_BYTES_MAX / 2], ended)
        };
        assert_eq!(decide(1, now, &mut ended), Verdict::Folded);
        assert_eq!(decide(2, now, &mut ended), Verdict::Folded);
        assert_eq!(decide(3, now, &mut ended), Verdict::Alone);
        assert_eq!(decide(1, now, &mut ended), Verdict::Folded);
        let later = now + POLICY.window;
        assert_eq!(decide(2, later, &mut ended), Verdict::Folded);
        assert_eq!((ended.len(), decide(4, later, &mut ended)), (1, Verdict::Alone));
    }

    #[test]
    fn sweep_ends_what_is_over_and_end_the_rest() {
        let start = Instant::now();
        let mut folding = Folding::new(FoldPolicy { repeats_max: 0, ..POLICY });
        let mut ended = Vec::new();
        folding.decide(1, start, at(0), Vec::new, &mut ended);
        folding.decide(2, start + Duration::from_secs(5), at(5), Vec::new, &mut ended);
        folding.sweep(start + Duration::from_secs(9), &mut ended);
        assert_eq!(ended.len(), 0);
        folding.sweep(start + Duration::from_secs(10), &mut ended);
        assert_eq!(ended.len(), 1);
        folding.end(&mut ended);
        assert_eq!(ended.len(), 2);
    }
}
