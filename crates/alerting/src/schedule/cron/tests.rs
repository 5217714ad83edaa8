//! Runs of cron over ordinary days and over days on which clocks are changed.

use jiff::Timestamp;
use proptest::prelude::*;

use super::Cron;

#[test]
fn fields_name_minutes_hours_and_days() {
    check("UTC", "0 6 * * *", "2026-05-18T06:00:00Z", &["2026-05-19T06:00:00Z"]);
    check("UTC", "0 6 * * *", "2026-05-18T05:59:59.999Z", &["2026-05-18T06:00:00Z"]);
    check(
        "UTC",
        "*/20 8-9 * * *",
        "2026-05-18T08:30:00Z",
        &[
            "2026-05-18T08:40:00Z",
            "2026-05-18T09:00:00Z",
            "2026-05-18T09:20:00Z",
            "2026-05-18T09:40:00Z",
            "2026-05-19T08:00:00Z",
        ],
    );
    check(
        "UTC",
        "5/25 0 * * *",
        "2026-05-18T00:06:00Z",
        &["2026-05-18T00:30:00Z", "2026-05-18T00:55:00Z"],
    );
    check(
        "UTC",
        "0 0 1 jan,JUL *",
        "2026-05-18T00:00:00Z",
        &["2026-07-01T00:00:00Z", "2027-01-01T00:00:00Z"],
    );
    check("UTC", "0 0 29 2 *", "2096-03-01T00:00:00Z", &["2104-02-29T00:00:00Z"]);
    check("UTC", "0 12 * * MON-FRI", "2026-05-22T12:00:00Z", &["2026-05-25T12:00:00Z"]);
    check(
        "UTC",
        "0 12 * * 7",
        "2026-05-18T00:00:00Z",
        &["2026-05-24T12:00:00Z", "2026-05-31T12:00:00Z"],
    );
    check(
        "UTC",
        "0 12 * * 5-7",
        "2026-05-18T00:00:00Z",
        &["2026-05-22T12:00:00Z", "2026-05-23T12:00:00Z", "2026-05-24T12:00:00Z"],
    );
}

#[test]
fn either_kind_of_day_suffices_when_both_are_named() {
    check(
        "UTC",
        "0 0 13 * FRI",
        "2026-11-05T12:00:00Z",
        &["2026-11-06T00:00:00Z", "2026-11-13T00:00:00Z", "2026-11-20T00:00:00Z"],
    );
    check("UTC", "0 0 */10 * MON", "2026-11-01T12:00:00Z", &["2026-12-21T00:00:00Z"]);
}

#[test]
fn local_time_is_that_of_the_zone() {
    check("America/Montevideo", "0 6 * * *", "2026-05-18T00:00:00Z", &["2026-05-18T09:00:00Z"]);
    check("Asia/Kathmandu", "0 0 * * *", "2026-05-18T00:00:00Z", &["2026-05-18T18:15:00Z"]);
    check("+02:30", "0 0 * * *", "2026-05-18T00:00:00Z", &["2026-05-18T21:30:00Z"]);
}

#[test]
fn a_time_that_the_clocks_leave_out_is_made_up_at_once() {
    // Berlin goes from 02:00 to 03:00 at 01:00 UTC.
    check(
        "Europe/Berlin",
        "30 2 * * *",
        "2026-03-28T00:00:00Z",
        &["2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"],
    );
    // Several of them are one run, and it is the same as that of 03:00.
    check(
        "Europe/Berlin",
        "0,30 2,3 * * *",
        "2026-03-29T00:00:00Z",
        &["2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z", "2026-03-30T00:00:00Z"],
    );
    // With every hour, elapsed time counts.
    check(
        "Europe/Berlin",
        "30 * * * *",
        "2026-03-29T00:00:00Z",
        &["2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z"],
    );
}

#[test]
fn a_time_that_comes_twice_counts_once() {
    // Berlin goes from 03:00 back to 02:00 at 01:00 UTC.
    check(
        "Europe/Berlin",
        "30 2 * * *",
        "2026-10-24T12:00:00Z",
        &["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"],
    );
    check(
        "Europe/Berlin",
        "0 2,3 * * *",
        "2026-10-24T12:00:00Z",
        &["2026-10-25T00:00:00Z", "2026-10-25T02:00:00Z", "2026-10-26T01:00:00Z"],
    );
    // With every hour, elapsed time counts.
    check(
        "Europe/Berlin",
        "30 * * * *",
        "2026-10-25T00:00:00Z",
        &["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "2026-10-25T02:30:00Z"],
    );
}

#[test]
fn odd_changes_of_the_clocks_lose_no_day() {
    // Lord Howe Island moves by half an hour: from 02:00 to 02:30, and from 02:00 to 01:30.
    check(
        "Australia/Lord_Howe",
        "15 2 * * *",
        "2026-10-02T16:00:00Z",
        &["2026-10-03T15:30:00Z", "2026-10-04T15:15:00Z"],
    );
    check(
        "Australia/Lord_Howe",
        "45 1 * * *",
        "2026-04-04T12:00:00Z",
        &["2026-04-04T14:45:00Z", "2026-04-05T15:15:00Z"],
    );
    // Samoa had no 30 December 2011.
    check(
        "Pacific/Apia",
        "0 12 * * *",
        "2011-12-29T00:00:00Z",
        &["2011-12-29T22:00:00Z", "2011-12-30T10:00:00Z", "2011-12-30T22:00:00Z"],
    );
}

#[test]
fn what_is_no_cron_is_refused_by_its_field() {
    refused("* * * *", "it needs five fields");
    refused("* * * * * *", "it needs five fields");
    refused("", "it needs five fields");
    refused("60 * * * *", "minute: 60 is not within 0-59");
    refused("* 24 * * *", "hour: 24 is not within 0-23");
    refused("* * 0 * *", "day of month: 0 is not within 1-31");
    refused("* * * 13 *", "month: 13 is not within 1-12");
    refused("* * * * 8", "day of week: 8 is not within 0-7");
    refused("* * L * *", "day of month: [L] is not understood");
    refused("* * ? * *", "day of month: [?] is not understood");
    refused("* * * * 5#2", "day of week: [5#2] is not understood");
    refused("*/0 * * * *", "a step must not be 0");
    refused("*/x * * * *", "[x] is no step");
    refused("30-10 * * * *", "[30-10] ends before it begins");
    refused(", * * * *", "[] is not understood");
    refused("-1 * * * *", "[] is not understood");
    refused("0 0 31 2 *", "no month that is named has such a day");
    refused("0 0 31 4,6,9,11 *", "no month that is named has such a day");
}

#[test]
fn the_last_run_is_found_however_long_ago() {
    last("* * * * *", "2026-05-18T10:00:00Z", Some("2026-05-18T09:59:00Z"));
    last("* * * * *", "2026-05-18T10:00:00.001Z", Some("2026-05-18T10:00:00Z"));
    last("0 6 * * *", "2026-05-18T06:00:00Z", Some("2026-05-17T06:00:00Z"));
    last("*/7 3 1 1 *", "2026-12-31T00:00:00Z", Some("2026-01-01T03:56:00Z"));
    last("0 0 29 2 *", "2104-02-29T00:00:00Z", Some("2096-02-29T00:00:00Z"));
}

proptest! {
    /// Against walking through all minutes, with zones and days that have changes.
    #[test]
    fn next_and_last_agree_with_a_walk(
        minute in 0_u32..60, hours in "(\\*|\\*/3|2|1-3|23)", zone in 0_usize..4, start in 0_i64..200_000,
    ) {
        let (zone, base) = [
            ("UTC", 1_774_656_000),
            ("Europe/Berlin", 1_774_656_000),
            ("Europe/Berlin", 1_792_800_000),
            ("Australia/Lord_Howe", 1_775_260_800),
        ][zone];
        let cron = parse(zone, &format!("{minute} {hours} * * *")).unwrap();
        let start = Timestamp::from_second(base + start).unwrap();
        let mut at = start;
        for _ in 0..5 {
            let next = cron.next_after(at).unwrap();
            prop_assert!(at < next);
            prop_assert_eq!(cron.last_before(Timestamp::from_nanosecond(next.as_nanosecond() + 1).unwrap()), Some(next));
            if start < at {
                prop_assert_eq!(cron.last_before(next), Some(at));
            }
            at = next;
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in "[-0-9*/, A-Za-z#?]{0,30}") {
        if let Ok(cron) = parse("Europe/Berlin", &text) {
            cron.next_after(Timestamp::UNIX_EPOCH);
        }
    }
}

#[track_caller]
fn check(zone: &str, expression: &str, after: &str, runs: &[&str]) {
    let cron = parse(zone, expression).unwrap();
    let mut at: Timestamp = after.parse().unwrap();
    for run in runs {
        let next = cron.next_after(at).unwrap();
        assert_eq!(next, run.parse().unwrap(), "{expression} in {zone} after {at}");
        at = next;
    }
}

#[track_caller]
fn refused(expression: &str, why: &str) {
    let error = parse("UTC", expression).unwrap_err();
    assert!(error.contains(why), "{expression}: {error}");
}

#[track_caller]
fn last(expression: &str, before: &str, run: Option<&str>) {
    let found = parse("UTC", expression).unwrap().last_before(before.parse().unwrap());
    assert_eq!(found, run.map(|run| run.parse().unwrap()), "{expression} before {before}");
}

fn parse(zone: &str, expression: &str) -> Result<Cron, String> {
    let parsed = pampero_opensearch::date::read_zone(zone).unwrap();
    Cron::parse(expression, zone, parsed)
}
