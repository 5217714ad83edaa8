//! How old an answer is, and whether that is too old.

use std::time::Duration;

use jiff::Timestamp;
use pampero_loader::{Sources, Trouble};
use pampero_weather::provider::ProviderId;

/// The limit for observations of a provider that is no longer in the chain.
const LIMIT_WITHOUT_SOURCE: Duration = Duration::from_secs(60 * 60);

/// The age of an observation against the limit of its provider.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Freshness {
    /// Whole seconds since the observation; 0 for one that is ahead of our clock.
    pub(crate) age_seconds: u64,
    limit: Duration,
}

impl Freshness {
    /// Compares an observation of `provider` with the time now.
    pub(crate) fn of(
        sources: &Sources,
        provider: ProviderId,
        observed_at: Timestamp,
        now: Timestamp,
    ) -> Self {
        let limit = stale_after(sources, provider);
        Self { age_seconds: age_seconds(observed_at, now), limit }
    }

    /// Compares the newest observation of several providers with the time now; the longest limit holds.
    pub(crate) fn of_many(
        sources: &Sources,
        providers: &[ProviderId],
        newest_observed_at: Timestamp,
        now: Timestamp,
    ) -> Self {
        let limits = providers.iter().map(|provider| stale_after(sources, *provider));
        let limit = limits.max().unwrap_or(LIMIT_WITHOUT_SOURCE);
        Self { age_seconds: age_seconds(newest_observed_at, now), limit }
    }

    /// Tells whether the answer is older than its limit.
    pub(crate) fn is_stale(&self) -> bool {
        self.age_seconds > self.limit.as_secs()
    }

    /// Says why the answer is stale; `None` when it is not.
    pub(crate) fn stale_reason(&self, trouble: Option<&Trouble>) -> Option<String> {
        if !self.is_stale() {
            return None;
        }
        let (age, limit) = (in_words(self.age_seconds), in_words(self.limit.as_secs()));
        let reason = format!("observed {age} ago, which is more than the limit of {limit}");
        let Some(Trouble { since, cause }) = trouble else { return Some(reason) };
        Some(format!("{reason}; since {since} no provider has answered: {cause}"))
    }
}

/// Returns the whole seconds from an observation to now; 0 for one that is ahead of our clock.
pub(crate) fn age_seconds(observed_at: Timestamp, now: Timestamp) -> u64 {
    u64::try_from(now.duration_since(observed_at).as_secs()).unwrap_or(0)
}

fn stale_after(sources: &Sources, provider: ProviderId) -> Duration {
    sources.get(provider).map_or(LIMIT_WITHOUT_SOURCE, |source| source.stale_after)
}

/// Writes a stretch of time with the two largest units that tell something.
fn in_words(seconds: u64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{minutes} min"),
        7_200..172_800 => format!("{hours} h {} min", minutes % 60),
        _ => format!("{days} d {} h", hours % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_told_in_words() {
        check(0, "0 s");
        check(119, "119 s");
        check(120, "2 min");
        check(7_199, "119 min");
        check(7_200, "2 h 0 min");
        check(172_799, "47 h 59 min");
        check(172_800, "2 d 0 h");
        check(1_000_000, "11 d 13 h");
    }

    #[track_caller]
    fn check(seconds: u64, words: &str) {
        assert_eq!(in_words(seconds), words);
    }

    #[test]
    fn an_answer_turns_stale_only_past_its_limit() {
        let limit = Duration::from_secs(3_600);
        assert!(!Freshness { age_seconds: 3_600, limit }.is_stale());
        assert!(Freshness { age_seconds: 3_601, limit }.is_stale());
    }
}
