//! Since when alerts were pending before the program was started anew.
//!
//! Source: Prometheus, `rules/group.go`, `RestoreForState`, with its defaults.

use std::collections::HashMap;
use std::ops::ControlFlow;

use pampero_series::{
    Labels, METRIC_NAME, Matcher, SelectError, Selection, SeriesSource, is_stale,
};

use super::AlertingRule;
use super::alerts::{ALERTS_FOR_STATE, Alerts, milliseconds, series_labels};
use super::texts::ALERT_NAME;

/// How long the program may have been down for a state to be restored, in milliseconds.
const OUTAGE_TOLERANCE_MS: i64 = 60 * 60 * 1000;

/// The least time from a start until a restored alert fires, in milliseconds; rules whose alerts
/// wait for less than that wait anew.
const GRACE_MS: i64 = 10 * 60 * 1000;

/// Moves the beginning of alerts to where it would be if the time of the outage had not been.
///
/// # Errors
/// The kept samples cannot be read; nothing is moved then.
pub(super) fn restore(
    source: &dyn SeriesSource,
    rule: &AlertingRule,
    alerts: &mut Alerts,
    now_ms: i64,
) -> Result<(), SelectError> {
    let hold_ms = milliseconds(rule.hold);
    if hold_ms < GRACE_MS || alerts.is_empty() {
        return Ok(());
    }
    let kept = newest(source, rule, now_ms)?;
    for alert in alerts.iter_mut() {
        let found = kept.get(&series_labels(rule, alert, ALERTS_FOR_STATE));
        if let Some((down_at_ms, active_s)) = found {
            alert.active_at_ms = restored_ms(*down_at_ms, *active_s, hold_ms, now_ms);
        }
    }
    Ok(())
}

/// Returns the newest sample of each alert of the rule that had not ended.
fn newest(
    source: &dyn SeriesSource,
    rule: &AlertingRule,
    now_ms: i64,
) -> Result<HashMap<Labels, (i64, f64)>, SelectError> {
    let matchers =
        [Matcher::equal(METRIC_NAME, ALERTS_FOR_STATE), Matcher::equal(ALERT_NAME, &rule.alert)];
    let start_ms = now_ms.saturating_sub(OUTAGE_TOLERANCE_MS);
    let selection = Selection { matchers: &matchers, start_ms, end_ms: now_ms };
    let mut kept = HashMap::new();
    source.select(selection, &mut |labels, columns| {
        if let (Some(at_ms), Some(value)) = (columns.timestamps_ms.last(), columns.values.last())
            && !is_stale(*value)
        {
            kept.insert(labels.clone(), (*at_ms, *value));
        }
        ControlFlow::Continue(())
    })?;
    Ok(kept)
}

/// Returns the beginning of an alert that was noted at `down_at_ms` as having begun at `active_s`,
/// in seconds.
fn restored_ms(down_at_ms: i64, active_s: f64, hold_ms: i64, now_ms: i64) -> i64 {
    let down_at_ms = down_at_ms.div_euclid(1000).saturating_mul(1000);
    let active_at_ms = (active_s as i64).saturating_mul(1000);
    let left_ms = hold_ms.saturating_sub(down_at_ms.saturating_sub(active_at_ms));
    if left_ms <= 0 {
        // It was firing, and does so again with the next evaluation.
        active_at_ms
    } else if left_ms < GRACE_MS {
        now_ms.saturating_add(GRACE_MS).saturating_sub(hold_ms)
    } else {
        active_at_ms.saturating_add(now_ms.saturating_sub(down_at_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE_MS: i64 = 60_000;

    /// Checks an alert with a wait of an hour that began at minute 0, all in minutes.
    #[track_caller]
    fn check(down_at: i64, now: i64, fires_at: i64) {
        let hold_ms = 60 * MINUTE_MS;
        let restored = restored_ms(down_at * MINUTE_MS + 999, 0.0, hold_ms, now * MINUTE_MS);
        assert_eq!((restored + hold_ms) / MINUTE_MS, fires_at, "down at {down_at}, up at {now}");
    }

    #[test]
    fn an_outage_is_not_counted_as_waiting() {
        check(20, 40, 80);
        check(20, 21, 61);
        // Little was left, so that what scrapes find first does not fire at once.
        check(55, 70, 80);
        check(51, 52, 62);
        check(50, 52, 62);
        check(60, 90, 60);
        check(75, 90, 60);
    }
}
