//! When a monitor runs: every so often, or by five fields of cron in a zone.
//!
//! Knows no clock: an instant is passed in, and the runs before and after it are told.

mod cron;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

pub use cron::Cron;

use crate::monitor::MonitorError;
use crate::monitor::place::Place;

/// Longest interval, which keeps every calculation within the years that instants can have.
const INTERVAL_DAYS_MAX: i64 = 3660;

/// When a monitor runs.
#[derive(Clone, Debug, PartialEq)]
pub enum Schedule {
    /// Every so often, counted from an anchor.
    Every(Interval),
    /// At the times that cron names.
    Cron(Cron),
}

/// A length of time as it was written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Interval {
    /// How many, at least one.
    pub count: i64,
    /// Of what.
    pub unit: Unit,
}

/// The units that an interval may have.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Unit {
    /// Seconds.
    Seconds,
    /// Minutes.
    Minutes,
    /// Hours.
    Hours,
    /// Days of 24 hours.
    Days,
}

impl Unit {
    const ALL: [Self; 4] = [Self::Seconds, Self::Minutes, Self::Hours, Self::Days];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Seconds => "SECONDS",
            Self::Minutes => "MINUTES",
            Self::Hours => "HOURS",
            Self::Days => "DAYS",
        }
    }

    const fn seconds(self) -> i64 {
        match self {
            Self::Seconds => 1,
            Self::Minutes => 60,
            Self::Hours => 3_600,
            Self::Days => 86_400,
        }
    }
}

impl Interval {
    /// Returns how long it is.
    pub fn duration(self) -> Duration {
        Duration::from_secs((self.count * self.unit.seconds()).unsigned_abs())
    }
}

impl Schedule {
    /// Reads `{"period":{…}}` or `{"cron":{…}}`.
    pub(crate) fn read(place: &Place<'_>) -> Result<Self, MonitorError> {
        for (key, member) in place.members()? {
            if !["period", "cron"].contains(&key) {
                return Err(member.refuse(format!("Invalid field: [{key}] found in schedule.")));
            }
        }
        match (place.get("period"), place.get("cron")) {
            (Some(_), Some(_)) => Err(place.refuse("You can only specify one type of schedule.")),
            (Some(period), None) => read_period(&period),
            (None, Some(cron)) => read_cron(&cron),
            (None, None) => {
                let reason = "Schedule is empty: it needs [period] or [cron]";
                Err(place.refuse(reason))
            }
        }
    }

    /// Returns it in OpenSearch's form.
    pub fn to_json(&self) -> Value {
        match self {
            Self::Every(Interval { count, unit }) => {
                json!({ "period": { "interval": count, "unit": unit.as_str() } })
            }
            Self::Cron(cron) => {
                json!({ "cron": { "expression": cron.expression(), "timezone": cron.zone_name() } })
            }
        }
    }

    /// Returns the first run after `after`. Runs by interval are counted from `anchor`, which is the
    /// first of them; before it there is none. `None` when cron has none within nine years.
    pub fn next_after(&self, anchor: Timestamp, after: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Every(interval) => {
                if after < anchor {
                    return Some(anchor);
                }
                let step_ms = step_ms(*interval);
                let past_ms = (after.as_millisecond() - anchor.as_millisecond()) / step_ms;
                run_ms(anchor, past_ms + 1, step_ms)
            }
            Self::Cron(cron) => cron.next_after(after.max(just_before(anchor))),
        }
    }

    /// Returns an anchor at or before `from` that gives the same runs as `anchor` does.
    pub(crate) fn anchor_before(&self, anchor: Timestamp, from: Timestamp) -> Timestamp {
        match self {
            Self::Every(interval) => {
                let step_ms = step_ms(*interval);
                let ahead_ms = anchor.as_millisecond() - from.as_millisecond();
                let back = if ahead_ms <= 0 { 0 } else { ahead_ms.div_euclid(step_ms) + 1 };
                run_ms(anchor, -back, step_ms).unwrap_or(from)
            }
            Self::Cron(_) => from,
        }
    }

    /// Returns the last run at or before `at`, if there is one at or after `anchor`.
    pub fn newest_until(&self, anchor: Timestamp, at: Timestamp) -> Option<Timestamp> {
        if at < anchor {
            return None;
        }
        match self {
            Self::Every(interval) => {
                let step_ms = step_ms(*interval);
                let past_ms = (at.as_millisecond() - anchor.as_millisecond()) / step_ms;
                run_ms(anchor, past_ms, step_ms)
            }
            Self::Cron(cron) => {
                let after = at.checked_add(SignedDuration::from_nanos(1)).unwrap_or(at);
                cron.last_before(after).filter(|newest| anchor <= *newest)
            }
        }
    }

    /// Returns the period that a run at `at` looks back on: `period_start` and `period_end`. One interval,
    /// or the time since the run of cron before.
    ///
    /// Source: OpenSearch Alerting, `Schedule.getPeriodEndingAt`.
    pub fn period_ending(&self, at: Timestamp) -> (Timestamp, Timestamp) {
        let start = match self {
            Self::Every(interval) => at.checked_sub(interval.duration()).unwrap_or(Timestamp::MIN),
            Self::Cron(cron) => cron.last_before(at).unwrap_or(at),
        };
        (start, at)
    }
}

fn just_before(at: Timestamp) -> Timestamp {
    at.checked_sub(SignedDuration::from_nanos(1)).unwrap_or(at)
}

fn step_ms(interval: Interval) -> i64 {
    interval.count * interval.unit.seconds() * 1_000
}

fn run_ms(anchor: Timestamp, number: i64, step_ms: i64) -> Option<Timestamp> {
    let ms = anchor.as_millisecond().checked_add(number.checked_mul(step_ms)?)?;
    Timestamp::from_millisecond(ms).ok()
}

fn read_period(place: &Place<'_>) -> Result<Schedule, MonitorError> {
    place.only(&["interval", "unit"], "period of schedule")?;
    let interval = place.need("interval", "Interval in period schedule is null.")?;
    let count = interval.whole_number()?;
    if count <= 0 {
        return Err(interval.refuse("Interval is not allowed to be 0 or negative"));
    }
    let unit = place.need("unit", "Unit in period schedule is null.")?;
    let name = unit.text()?;
    let known = Unit::ALL.into_iter().find(|known| known.as_str().eq_ignore_ascii_case(name));
    let Some(known) = known else {
        let reason = format!("Unit [{name}] is none of [SECONDS, MINUTES, HOURS, DAYS]");
        return Err(unit.refuse(reason));
    };
    if INTERVAL_DAYS_MAX * Unit::Days.seconds() / known.seconds() < count {
        let reason = format!("Interval must not be longer than {INTERVAL_DAYS_MAX} days");
        return Err(interval.refuse(reason));
    }
    Ok(Schedule::Every(Interval { count, unit: known }))
}

fn read_cron(place: &Place<'_>) -> Result<Schedule, MonitorError> {
    place.only(&["expression", "timezone"], "cron of schedule")?;
    let expression = place.need("expression", "Expression in cron schedule is null.")?;
    let zone = place.need("timezone", "Timezone in cron schedule is null.")?;
    let text = zone.filled_text(100)?;
    let parsed_zone = pampero_opensearch::date::read_zone(text)
        .map_err(|_| zone.refuse(format!("Timezone [{text}] is not known")))?;
    let text = expression.filled_text(200)?;
    let cron = Cron::parse(text, zone.text()?, parsed_zone)
        .map_err(|why| expression.refuse(format!("Invalid cron expression [{text}]: {why}")))?;
    Ok(Schedule::Cron(cron))
}

#[cfg(test)]
mod tests;
