//! Runs by interval, and what is refused.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Schedule;
use crate::monitor::place::Place;

#[test]
fn runs_are_counted_from_the_anchor() {
    let every = json!({ "period": { "interval": 10, "unit": "MINUTES" } });
    check(&every, "2026-05-18T10:03:20Z", "2026-05-18T10:03:19Z", "2026-05-18T10:03:20Z");
    check(&every, "2026-05-18T10:03:20Z", "2026-05-18T10:03:20Z", "2026-05-18T10:13:20Z");
    check(&every, "2026-05-18T10:03:20Z", "2026-05-18T11:00:00Z", "2026-05-18T11:03:20Z");
    let daily = json!({ "period": { "interval": 1, "unit": "DAYS" } });
    check(&daily, "2026-03-28T10:00:00Z", "2026-03-28T12:00:00Z", "2026-03-29T10:00:00Z");
}

#[test]
fn the_newest_run_stands_for_all_that_were_missed() {
    let every = read(&json!({ "period": { "interval": 10, "unit": "MINUTES" } })).unwrap();
    let anchor = at("2026-05-18T10:03:20Z");
    let newest = |until: &str| every.newest_until(anchor, at(until));
    assert_eq!(newest("2026-05-18T10:03:19Z"), None);
    assert_eq!(newest("2026-05-18T10:03:20Z"), Some(anchor));
    assert_eq!(newest("2026-05-18T12:34:56Z"), Some(at("2026-05-18T12:33:20Z")));
    let cron = json!({ "cron": { "expression": "0 6 * * *", "timezone": "Europe/Berlin" } });
    let cron = read(&cron).unwrap();
    let newest = |until: &str| cron.newest_until(anchor, at(until));
    assert_eq!(newest("2026-05-18T12:00:00Z"), None);
    assert_eq!(newest("2026-05-19T04:00:00Z"), Some(at("2026-05-19T04:00:00Z")));
    assert_eq!(newest("2026-05-22T00:00:00Z"), Some(at("2026-05-21T04:00:00Z")));
}

#[test]
fn the_period_is_one_interval_or_since_the_run_before() {
    let every = read(&json!({ "period": { "interval": 90, "unit": "SECONDS" } })).unwrap();
    let end = at("2026-05-18T10:00:00Z");
    assert_eq!(every.period_ending(end), (at("2026-05-18T09:58:30Z"), end));
    let cron = json!({ "cron": { "expression": "0 6 * * *", "timezone": "UTC" } });
    let cron = read(&cron).unwrap();
    assert_eq!(cron.period_ending(end), (at("2026-05-18T06:00:00Z"), end));
    let end = at("2026-05-18T06:00:00Z");
    assert_eq!(cron.period_ending(end), (at("2026-05-17T06:00:00Z"), end));
}

#[test]
fn it_is_written_as_it_was_read() {
    for schedule in [
        json!({ "period": { "interval": 3, "unit": "HOURS" } }),
        json!({ "cron": { "expression": "0 6 * * *", "timezone": "America/Montevideo" } }),
    ] {
        assert_eq!(read(&schedule).unwrap().to_json(), schedule);
    }
}

#[track_caller]
fn check(schedule: &Value, anchor: &str, after: &str, next: &str) {
    let found = read(schedule).unwrap().next_after(at(anchor), at(after));
    assert_eq!(found, Some(at(next)), "{schedule} from {anchor} after {after}");
}

fn read(schedule: &Value) -> Result<Schedule, String> {
    Schedule::read(&Place::whole(schedule)).map_err(|error| error.reason)
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}
