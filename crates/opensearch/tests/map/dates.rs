//! Date math at every unit and rounding, around changes of the clock, and its refusals.
//!
//! The instants were worked out by hand from calendars and the rules of the zones.

use jiff::Timestamp;
use pampero_opensearch::ExceptionKind;
use pampero_opensearch::date::{DateContext, DateFormat, Rounding, millis, read_zone};

/// Friday.
const NOW: &str = "2026-08-21T10:07:42.500Z";

/// Checks what an expression means rounded down (`gte`, `lt`) and up (`gt`, `lte`).
#[track_caller]
fn check(zone: &str, now: &str, text: &str, down: &str, up: &str) {
    let format = DateFormat::default_date();
    let context = DateContext { now: now.parse().unwrap(), zone: read_zone(zone).unwrap() };
    for (rounding, expected) in [(Rounding::Down, down), (Rounding::Up, up)] {
        let instant = format.evaluate(text, rounding, &context).unwrap();
        let expected: Timestamp = expected.parse().unwrap();
        assert_eq!(instant, expected, "{text} {rounding:?} in {zone} at {now}");
    }
}

#[test]
fn steps_move_by_every_unit() {
    let same = |text, moved| check("UTC", NOW, text, moved, moved);
    same("now", NOW);
    same("now+1y", "2027-08-21T10:07:42.500Z");
    same("now-2y", "2024-08-21T10:07:42.500Z");
    same("now+1M", "2026-09-21T10:07:42.500Z");
    same("now-M", "2026-07-21T10:07:42.500Z");
    same("now-6M", "2026-02-21T10:07:42.500Z");
    same("now+1w", "2026-08-28T10:07:42.500Z");
    same("now-3w", "2026-07-31T10:07:42.500Z");
    same("now+11d", "2026-09-01T10:07:42.500Z");
    same("now-1d", "2026-08-20T10:07:42.500Z");
    same("now+14h", "2026-08-22T00:07:42.500Z");
    same("now-11H", "2026-08-20T23:07:42.500Z");
    same("now-8m", "2026-08-21T09:59:42.500Z");
    same("now+18s", "2026-08-21T10:08:00.500Z");
    same("now+1d-1h+1m-1s", "2026-08-22T09:08:41.500Z");
    same("2026-01-31T12:00:00Z||+1M", "2026-02-28T12:00:00Z");
    same("2024-02-29||+1y", "2025-02-28T00:00:00Z");
    same("2026-01-31T12:00:00Z||+1M+1M", "2026-03-28T12:00:00Z");
}

#[test]
fn rounding_ends_on_the_edges_of_every_unit() {
    let round = |text, down, up| check("UTC", NOW, text, down, up);
    round("now/y", "2026-01-01T00:00:00Z", "2026-12-31T23:59:59.999Z");
    round("now/M", "2026-08-01T00:00:00Z", "2026-08-31T23:59:59.999Z");
    round("now/w", "2026-08-17T00:00:00Z", "2026-08-23T23:59:59.999Z");
    round("now/d", "2026-08-21T00:00:00Z", "2026-08-21T23:59:59.999Z");
    round("now/h", "2026-08-21T10:00:00Z", "2026-08-21T10:59:59.999Z");
    round("now/H", "2026-08-21T10:00:00Z", "2026-08-21T10:59:59.999Z");
    round("now/m", "2026-08-21T10:07:00Z", "2026-08-21T10:07:59.999Z");
    round("now/s", "2026-08-21T10:07:42Z", "2026-08-21T10:07:42.999Z");
    round("now-5m/m", "2026-08-21T10:02:00Z", "2026-08-21T10:02:59.999Z");
    round("2026-05-18||/M", "2026-05-01T00:00:00Z", "2026-05-31T23:59:59.999Z");
    round("now/1d", "2026-08-21T00:00:00Z", "2026-08-21T23:59:59.999Z");
    round("2026-08-17||/w", "2026-08-17T00:00:00Z", "2026-08-23T23:59:59.999Z");
    round("2026-08-16T23:59:59.999Z||/w", "2026-08-10T00:00:00Z", "2026-08-16T23:59:59.999Z");
    round("2028-02-29||/M", "2028-02-01T00:00:00Z", "2028-02-29T23:59:59.999Z");
    round("1969-12-31T23:59:59.999Z||/s", "1969-12-31T23:59:59Z", "1969-12-31T23:59:59.999Z");
    round("1960-06-15||/y", "1960-01-01T00:00:00Z", "1960-12-31T23:59:59.999Z");
}

#[test]
fn steps_are_taken_from_left_to_right() {
    let round = |text, down, up| check("UTC", NOW, text, down, up);
    round("now/d-1d", "2026-08-20T00:00:00Z", "2026-08-20T23:59:59.999Z");
    round("now/d+1h", "2026-08-21T01:00:00Z", "2026-08-22T00:59:59.999Z");
    round("now-1d/d", "2026-08-20T00:00:00Z", "2026-08-20T23:59:59.999Z");
    round("now+1M/M-1d", "2026-08-31T00:00:00Z", "2026-09-29T23:59:59.999Z");
    round("now/d/w", "2026-08-17T00:00:00Z", "2026-08-23T23:59:59.999Z");
    round("now-1y/y+1M", "2025-02-01T00:00:00Z", "2026-01-31T23:59:59.999Z");
    // The date before the bars is filled downwards, whatever the bound.
    round("2026-08-21T10||+1h", "2026-08-21T11:00:00Z", "2026-08-21T11:00:00Z");
    round("2026||+1d", "2026-01-02T00:00:00Z", "2026-01-02T00:00:00Z");
}

#[test]
fn missing_parts_of_the_time_are_filled() {
    let fill = |text, down, up| check("UTC", NOW, text, down, up);
    fill("2026", "2026-01-01T00:00:00Z", "2026-01-01T23:59:59.999Z");
    fill("2026-08", "2026-08-01T00:00:00Z", "2026-08-01T23:59:59.999Z");
    fill("2026-08-21", "2026-08-21T00:00:00Z", "2026-08-21T23:59:59.999Z");
    fill("2026-08-21T", "2026-08-21T00:00:00Z", "2026-08-21T23:59:59.999Z");
    fill("2026-08-21T10", "2026-08-21T10:00:00Z", "2026-08-21T10:59:59.999Z");
    fill("2026-08-21T10:07", "2026-08-21T10:07:00Z", "2026-08-21T10:07:59.999Z");
    fill("2026-08-21T10:07:42", "2026-08-21T10:07:42Z", "2026-08-21T10:07:42.999Z");
    fill("2026-08-21T10:07:42.5", "2026-08-21T10:07:42.500Z", "2026-08-21T10:07:42.500Z");
    fill("1787306862500", "2026-08-21T10:07:42.500Z", "2026-08-21T10:07:42.500Z");
    fill("-1", "1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z");
}

#[test]
fn days_are_as_long_as_their_zone_says() {
    let spring = |text, down, up| check("Europe/Paris", "2026-03-29T12:00:00Z", text, down, up);
    spring("now/d", "2026-03-28T23:00:00Z", "2026-03-29T21:59:59.999Z");
    spring("now/w", "2026-03-22T23:00:00Z", "2026-03-29T21:59:59.999Z");
    spring("now/M", "2026-02-28T23:00:00Z", "2026-03-31T21:59:59.999Z");
    spring("now/y", "2025-12-31T23:00:00Z", "2026-12-31T22:59:59.999Z");
    spring("now-1d", "2026-03-28T13:00:00Z", "2026-03-28T13:00:00Z");
    spring("now-24h", "2026-03-28T12:00:00Z", "2026-03-28T12:00:00Z");
    // Half past two does not exist on that day, so it is half past three.
    spring("2026-03-28T01:30:00Z||+1d", "2026-03-29T01:30:00Z", "2026-03-29T01:30:00Z");
    spring("2026-03-29", "2026-03-28T23:00:00Z", "2026-03-29T21:59:59.999Z");
    spring("2026-03-29T02:30:00.0", "2026-03-29T01:30:00Z", "2026-03-29T01:30:00Z");
    spring("2026-03-29T10:00:00.0Z", "2026-03-29T10:00:00Z", "2026-03-29T10:00:00Z");

    let autumn = |text, down, up| check("Europe/Paris", "2026-10-25T12:00:00Z", text, down, up);
    autumn("now/d", "2026-10-24T22:00:00Z", "2026-10-25T22:59:59.999Z");
    autumn("now/w", "2026-10-18T22:00:00Z", "2026-10-25T22:59:59.999Z");
    autumn("2026-10-24T12:00:00Z||+1d", "2026-10-25T13:00:00Z", "2026-10-25T13:00:00Z");
    autumn("2026-10-24T12:00:00Z||+24h", "2026-10-25T12:00:00Z", "2026-10-25T12:00:00Z");
    // Half past two comes twice; each belongs to its own hour, and the first is meant without more.
    autumn("2026-10-25T00:30:00Z||/h", "2026-10-25T00:00:00Z", "2026-10-25T00:59:59.999Z");
    autumn("2026-10-25T01:30:00Z||/h", "2026-10-25T01:00:00Z", "2026-10-25T01:59:59.999Z");
    autumn("2026-10-25T02:30:00.0", "2026-10-25T00:30:00Z", "2026-10-25T00:30:00Z");
    autumn("2026-10-25T01:30:00Z||/m", "2026-10-25T01:30:00Z", "2026-10-25T01:30:59.999Z");
}

#[test]
fn a_zone_moves_the_edges_and_not_the_present() {
    check("Europe/Paris", NOW, "now", NOW, NOW);
    check("Europe/Paris", NOW, "now-5m/m", "2026-08-21T10:02:00Z", "2026-08-21T10:02:59.999Z");
    check("+02:00", NOW, "now/d", "2026-08-20T22:00:00Z", "2026-08-21T21:59:59.999Z");
    let kolkata = "2026-08-21T20:07:00Z";
    check("+05:30", kolkata, "now/d", "2026-08-21T18:30:00Z", "2026-08-22T18:29:59.999Z");
    check("Asia/Kolkata", kolkata, "now/h", "2026-08-21T19:30:00Z", "2026-08-21T20:29:59.999Z");
    // The clock skipped midnight: the day began at one.
    let sao_paulo = "2018-11-04T12:00:00Z";
    let (first, last) = ("2018-11-04T03:00:00Z", "2018-11-05T01:59:59.999Z");
    check("America/Sao_Paulo", sao_paulo, "now/d", first, last);
}

#[test]
fn nanoseconds_are_rounded_to_where_they_are_kept() {
    let format = DateFormat::default_date().with_nanos();
    let context = DateContext { now: NOW.parse().unwrap(), zone: read_zone("Z").unwrap() };
    let up = |text| format.evaluate(text, Rounding::Up, &context).unwrap().to_string();
    assert_eq!(up("now/d"), "2026-08-21T23:59:59.999999999Z");
    assert_eq!(up("2026-08-21T10:07"), "2026-08-21T10:07:59.999999999Z");
    assert_eq!(up("2026-08-21T10:07:42.123456789Z"), "2026-08-21T10:07:42.123456789Z");
    let cut = DateFormat::default_date().read("1969-12-31T23:59:59.9999Z").unwrap();
    assert_eq!((cut.to_string().as_str(), millis(cut)), ("1969-12-31T23:59:59.999Z", -1));
}

#[test]
fn seconds_since_1970_stand_for_the_whole_second() {
    let format = DateFormat::new("epoch_second").unwrap();
    let context = DateContext { now: NOW.parse().unwrap(), zone: read_zone("Z").unwrap() };
    let at = |rounding| format.evaluate("60", rounding, &context).unwrap().to_string();
    assert_eq!(at(Rounding::Down), "1970-01-01T00:01:00Z");
    assert_eq!(at(Rounding::Up), "1970-01-01T00:01:00.999Z");
}

#[test]
fn bad_expressions_are_refused_in_the_words_of_opensearch() {
    #[track_caller]
    fn refused(text: &str, reason: &str) {
        let format = DateFormat::default_date();
        let context = DateContext { now: NOW.parse().unwrap(), zone: read_zone("Z").unwrap() };
        let error = format.evaluate(text, Rounding::Down, &context).unwrap_err();
        assert_eq!((error.kind(), error.reason()), (ExceptionKind::Parse, reason), "{text}");
    }
    refused("now*1d", "operator not supported for date math [*1d]");
    refused("now 1d", "operator not supported for date math [ 1d]");
    refused("now+", "truncated date math [+]");
    refused("now-1d/", "truncated date math [-1d/]");
    refused("now+12", "truncated date math [+12]");
    refused("now/2d", "rounding `/` can only be used on single unit types [/2d]");
    refused("now+1x", "unit [x] not supported for date math [+1x]");
    refused("now+1é", "unit [é] not supported for date math [+1é]");
    refused("", "cannot parse empty datetime");
    refused("||+1d", "cannot parse empty datetime");
    refused("now+99999y", "date math leaves the years -9999 to 9999 [+99999y]");
    refused("now+99999999999d", "date math leaves the years -9999 to 9999 [+99999999999d]");
    let format = "strict_date_optional_time||epoch_millis";
    let detail = format!("failed to parse date field [yesterday] with format [{format}]");
    refused("yesterday", &format!("{detail}: [{detail}]"));
    let detail = format!("failed to parse date field [2026-8-1] with format [{format}]");
    refused("2026-8-1||/d", &format!("{detail}: [{detail}]"));
}

#[test]
fn zones_are_read_in_every_form() {
    let instant: Timestamp = NOW.parse().unwrap();
    let offset = |text| read_zone(text).unwrap().to_offset(instant).seconds();
    assert_eq!(offset("Z"), 0);
    assert_eq!(offset("UTC"), 0);
    assert_eq!(offset("+02:00"), 7_200);
    assert_eq!(offset("-0330"), -12_600);
    assert_eq!(offset("+05"), 18_000);
    assert_eq!(offset("UTC+1"), 3_600);
    assert_eq!(offset("GMT+01:00"), 3_600);
    assert_eq!(offset("Europe/Paris"), 7_200);
    assert_eq!(offset("America/Argentina/Buenos_Aires"), -10_800);
    for text in ["", "+", "+25:00", "Europe/Rosario", "+02:00x", "noon"] {
        let reason = read_zone(text).unwrap_err().reason().to_owned();
        assert_eq!(reason, format!("unknown time-zone ID: {text}"));
    }
}
