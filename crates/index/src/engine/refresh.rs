//! When what was written becomes searchable.
//!
//! Source: OpenSearch, `index.refresh_interval` and `index.search.idle.after`: a refresh each second,
//! but none while nobody has searched for 30 s, unless the interval is set.

use std::time::Duration;

use serde_json::{Map, Value};

/// The interval of an index that sets none.
const INTERVAL_DEFAULT: Duration = Duration::from_secs(1);
/// An index is idle when it was not searched for so long.
const IDLE_AFTER_MS: i64 = 30_000;

/// How an index is refreshed by itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct RefreshRule {
    /// `None` for never.
    pub(crate) interval: Option<Duration>,
    /// Whether the interval was set; then the index is refreshed though nobody searches.
    pub(crate) explicit: bool,
}

impl RefreshRule {
    /// Reads `index.refresh_interval`; one that cannot be read counts as not set.
    pub(crate) fn of(settings: &Map<String, Value>) -> Self {
        let spelling = settings.get("index.refresh_interval").and_then(Value::as_str);
        match spelling {
            Some(spelling) if spelling.trim_start().starts_with('-') => {
                Self { interval: None, explicit: true }
            }
            Some(spelling) => match read_duration(spelling) {
                Some(interval) => Self { interval: Some(interval), explicit: true },
                None => Self { interval: Some(INTERVAL_DEFAULT), explicit: false },
            },
            None => Self { interval: Some(INTERVAL_DEFAULT), explicit: false },
        }
    }

    /// Tells whether a refresh is due at `now_ms`. `pending_ms` is when the first operation came that
    /// cannot be searched yet, `searched_ms` when the index was searched last.
    pub(crate) fn is_due(self, now_ms: i64, pending_ms: i64, searched_ms: Option<i64>) -> bool {
        let wanted = self.explicit || !is_idle(now_ms, searched_ms);
        wanted && self.is_over(now_ms, pending_ms)
    }

    /// Tells whether a search at `now_ms` refreshes first, since nobody kept the index fresh for it.
    pub(crate) fn is_due_for_search(
        self,
        now_ms: i64,
        pending_ms: i64,
        searched_ms: Option<i64>,
    ) -> bool {
        !self.explicit && is_idle(now_ms, searched_ms) && self.is_over(now_ms, pending_ms)
    }

    fn is_over(self, now_ms: i64, pending_ms: i64) -> bool {
        self.interval.is_some_and(|interval| {
            let interval_ms = i64::try_from(interval.as_millis()).unwrap_or(i64::MAX);
            now_ms.saturating_sub(pending_ms) >= interval_ms
        })
    }
}

fn is_idle(now_ms: i64, searched_ms: Option<i64>) -> bool {
    searched_ms.is_none_or(|searched_ms| now_ms.saturating_sub(searched_ms) > IDLE_AFTER_MS)
}

/// Reads a span of time as in `1s`, `500ms`, `2m`; a bare number is of milliseconds.
fn read_duration(spelling: &str) -> Option<Duration> {
    let spelling = spelling.trim();
    let split = spelling.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(spelling.len());
    let (number, unit) = spelling.split_at(split);
    let number: u64 = number.parse().ok()?;
    let seconds = |unit_s: u64| number.checked_mul(unit_s).map(Duration::from_secs);
    match unit {
        "nanos" => Some(Duration::from_nanos(number)),
        "micros" => Some(Duration::from_micros(number)),
        "ms" | "" => Some(Duration::from_millis(number)),
        "s" => Some(Duration::from_secs(number)),
        "m" => seconds(60),
        "h" => seconds(3_600),
        "d" => seconds(86_400),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rule(interval: &str) -> RefreshRule {
        let settings = json!({ "index.refresh_interval": interval });
        RefreshRule::of(settings.as_object().unwrap())
    }

    #[test]
    fn intervals_are_read_with_their_units() {
        check_interval("1s", Some(1_000));
        check_interval("500ms", Some(500));
        check_interval("2m", Some(120_000));
        check_interval("0", Some(0));
        check_interval("-1", None);
        let unset = RefreshRule::of(&Map::new());
        assert_eq!(unset.interval, Some(INTERVAL_DEFAULT));
        assert!(!unset.explicit);
        assert_eq!(rule("soon"), unset);
    }

    #[track_caller]
    fn check_interval(spelling: &str, interval_ms: Option<u64>) {
        let rule = rule(spelling);
        assert!(rule.explicit);
        assert_eq!(rule.interval, interval_ms.map(Duration::from_millis));
    }

    #[test]
    fn an_index_that_is_searched_is_refreshed_each_second() {
        let unset = RefreshRule::of(&Map::new());
        check(unset, 1_000, Some(500), true);
        check(unset, 999, Some(500), false);
        check(unset, 30_500, Some(500), true);
        check(unset, 30_501, Some(500), false);
        check(unset, 5_000, None, false);
        check(rule("5s"), 5_000, None, true);
        check(rule("5s"), 4_999, Some(0), false);
        check(rule("-1"), 500_000, Some(499_999), false);
    }

    #[track_caller]
    fn check(rule: RefreshRule, now_ms: i64, searched_ms: Option<i64>, due: bool) {
        assert_eq!(rule.is_due(now_ms, 0, searched_ms), due);
    }

    #[test]
    fn the_first_search_after_a_while_refreshes() {
        let unset = RefreshRule::of(&Map::new());
        assert!(unset.is_due_for_search(1_000, 0, None));
        assert!(!unset.is_due_for_search(999, 0, None));
        assert!(!unset.is_due_for_search(2_000, 0, Some(1_000)));
        assert!(!rule("-1").is_due_for_search(2_000, 0, None));
    }
}
