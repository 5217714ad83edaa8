//! Formats of dates: those with a name and Java's patterns, read and written.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use pampero_opensearch::date::{DateFormat, read_zone};

/// Friday, the 233rd day of the year, the fifth of week 34.
const INSTANT: &str = "2026-08-21T10:07:42.123Z";

/// Checks that the instant is written so, and that what is written is read as that instant or, where
/// the format keeps less, as `kept`.
#[track_caller]
fn check(format: &str, written: &str, kept: &str) {
    let instant: Timestamp = INSTANT.parse().unwrap();
    let format = DateFormat::new(format).unwrap();
    assert_eq!(format.write(instant, &TimeZone::UTC), written, "{}", format.as_str());
    let read = format.read(written).unwrap();
    assert_eq!(read, kept.parse::<Timestamp>().unwrap(), "{} reads {written}", format.as_str());
}

#[test]
fn formats_with_a_name_read_what_they_write() {
    for prefix in ["", "strict_"] {
        let both = |name, written, kept| check(&format!("{prefix}{name}"), written, kept);
        let second = "2026-08-21T10:07:42Z";
        let minute = "2026-08-21T10:07:00Z";
        let day = "2026-08-21T00:00:00Z";
        both("date_optional_time", "2026-08-21T10:07:42.123Z", INSTANT);
        both("date_optional_time_nanos", "2026-08-21T10:07:42.123Z", INSTANT);
        both("date", "2026-08-21", day);
        both("date_hour", "2026-08-21T10", "2026-08-21T10:00:00Z");
        both("date_hour_minute", "2026-08-21T10:07", minute);
        both("date_hour_minute_second", "2026-08-21T10:07:42", second);
        both("date_hour_minute_second_millis", "2026-08-21T10:07:42.123", INSTANT);
        both("date_hour_minute_second_fraction", "2026-08-21T10:07:42.123", INSTANT);
        both("date_time", "2026-08-21T10:07:42.123Z", INSTANT);
        both("date_time_no_millis", "2026-08-21T10:07:42Z", second);
        both("hour", "10", "1970-01-01T10:00:00Z");
        both("hour_minute", "10:07", "1970-01-01T10:07:00Z");
        both("hour_minute_second", "10:07:42", "1970-01-01T10:07:42Z");
        both("time", "10:07:42.123Z", "1970-01-01T10:07:42.123Z");
        both("time_no_millis", "10:07:42Z", "1970-01-01T10:07:42Z");
        both("t_time", "T10:07:42.123Z", "1970-01-01T10:07:42.123Z");
        both("ordinal_date", "2026-233", day);
        both("ordinal_date_time", "2026-233T10:07:42.123Z", INSTANT);
        both("week_date", "2026-W34-5", day);
        both("week_date_time_no_millis", "2026-W34-5T10:07:42Z", second);
        both("weekyear_week", "2026-W34", "2026-08-17T00:00:00Z");
        both("weekyear", "2026", "2025-12-29T00:00:00Z");
        both("year", "2026", "2026-01-01T00:00:00Z");
        both("year_month", "2026-08", "2026-08-01T00:00:00Z");
        both("year_month_day", "2026-08-21", day);
        both("basic_week_date", "2026W345", day);
    }
    check("iso8601", "2026-08-21T10:07:42.123Z", INSTANT);
    check("rfc3339_lenient", "2026-08-21T10:07:42.123Z", INSTANT);
    check("basic_date", "20260821", "2026-08-21T00:00:00Z");
    check("basic_date_time", "20260821T100742.123Z", INSTANT);
    check("basic_date_time_no_millis", "20260821T100742Z", "2026-08-21T10:07:42Z");
    check("basic_ordinal_date", "2026233", "2026-08-21T00:00:00Z");
    check("basic_time_no_millis", "100742Z", "1970-01-01T10:07:42Z");
    check("epoch_millis", "1787306862123", INSTANT);
    check("epoch_second", "1787306862.123", INSTANT);
    check("epoch_micros", "1787306862123000", INSTANT);
}

#[test]
fn patterns_read_what_they_write() {
    let second = "2026-08-21T10:07:42Z";
    let day = "2026-08-21T00:00:00Z";
    check("yyyy-MM-dd", "2026-08-21", day);
    check("uuuu/M/d", "2026/8/21", day);
    check("dd.MM.yy", "21.08.26", day);
    check("yyyyMMddHHmmss", "20260821100742", second);
    check("yyyyMMddHHmmssSSS", "20260821100742123", INSTANT);
    check("yyyy-MM-dd HH:mm:ss", "2026-08-21 10:07:42", second);
    check("yyyy-MM-dd HH:mm:ss.SSS", "2026-08-21 10:07:42.123", INSTANT);
    check("yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX", "2026-08-21T10:07:42.123000Z", INSTANT);
    check("dd/MMM/yyyy:HH:mm:ss Z", "21/Aug/2026:10:07:42 +0000", second);
    check("EEE MMM dd HH:mm:ss yyyy", "Fri Aug 21 10:07:42 2026", second);
    check("EEEE, d MMMM yyyy", "Friday, 21 August 2026", day);
    check("yyyy-MM-dd hh:mm:ss a", "2026-08-21 10:07:42 AM", second);
    check("yyyy-MM-dd h a", "2026-08-21 10 AM", "2026-08-21T10:00:00Z");
    check("yyyy-MM-dd HH 'o''clock'", "2026-08-21 10 o'clock", "2026-08-21T10:00:00Z");
    check("yyyy-DDD", "2026-233", day);
    check("yyyy-MM-dd[ HH:mm[:ss]]", "2026-08-21 10:07:42", second);
    check("yyyy-MM-dd HH:mm:ss VV", "2026-08-21 10:07:42 UTC", second);
    check("yyyy-MM-dd HH:mm:ss x", "2026-08-21 10:07:42 +00", second);
}

#[test]
fn dates_are_read_in_the_forms_that_people_write() {
    #[track_caller]
    fn reads(format: &str, text: &str, expected: &str) {
        let read = DateFormat::new(format).unwrap().with_nanos().read(text).unwrap();
        assert_eq!(read, expected.parse::<Timestamp>().unwrap(), "{format} reads {text}");
    }
    let default = "strict_date_optional_time||epoch_millis";
    reads(default, "2026-08-21", "2026-08-21T00:00:00Z");
    reads(default, "2026-08-21T10:07", "2026-08-21T10:07:00Z");
    reads(default, "2026-08-21T10:07Z", "2026-08-21T10:07:00Z");
    reads(default, "2026-08-21T10Z", "2026-08-21T10:00:00Z");
    reads(default, "2026-08-21T10:07:42,5Z", "2026-08-21T10:07:42.5Z");
    reads(default, "2026-08-21T10:07:42.123456789+02:00", "2026-08-21T08:07:42.123456789Z");
    reads(default, "2026-08-21T10:07:42+0200", "2026-08-21T08:07:42Z");
    reads(default, "2026-08-21T10:07:42-03", "2026-08-21T13:07:42Z");
    reads(default, "2026-08-21T10:07:42Europe/Paris", "2026-08-21T08:07:42Z");
    reads(default, "2024-02-29", "2024-02-29T00:00:00Z");
    reads(default, "1787306862123", "2026-08-21T10:07:42.123Z");
    reads(default, "1787306862123.5", "2026-08-21T10:07:42.1235Z");
    reads(default, "-1500", "1969-12-31T23:59:58.5Z");
    reads("epoch_second", "1787306862", "2026-08-21T10:07:42Z");
    reads("epoch_second", "-0.5", "1969-12-31T23:59:59.5Z");
    reads("date_optional_time", "2026-8-1T9:5", "2026-08-01T09:05:00Z");
    reads("yyyy-MM-dd||epoch_second", "60", "1970-01-01T00:01:00Z");
    reads("yyyy-MM-dd hh:mm a", "2026-08-21 12:30 AM", "2026-08-21T00:30:00Z");
    reads("yyyy-MM-dd hh:mm a", "2026-08-21 12:30 PM", "2026-08-21T12:30:00Z");
    reads("yyyy-MM-dd kk:mm", "2026-08-21 24:30", "2026-08-21T00:30:00Z");
    reads("YYYY-'W'ww-e", "2026-W53-5", "2027-01-01T00:00:00Z");
    reads("yyyy-MM-dd HH:mm:ss z", "2026-03-29 12:00:00 Europe/Paris", "2026-03-29T10:00:00Z");
}

#[test]
fn what_is_no_date_is_refused() {
    #[track_caller]
    fn refused(format: &str, text: &str) {
        let error = DateFormat::new(format).unwrap().read(text).unwrap_err();
        let reason = format!("failed to parse date field [{text}] with format [{format}]");
        assert_eq!(error.reason(), reason);
    }
    let default = "strict_date_optional_time||epoch_millis";
    for text in [
        "yesterday",
        "2026-8-21",
        "2026-08-32",
        "2026-02-29",
        "2026-13-01",
        "2026-08-21T24:00:00Z",
        "2026-08-21 10:00:00",
        "2026-02-29T10:00:00Z",
        "2026-08-21T10:00:60Z",
        "2026-08-21T10:0a:00Z",
        "2026-08-21T10:00:00.1a3Z",
        "2026-08-21T10:00:00.123ZZ",
        "2026-08-21T10:60",
        "2026-08-21T10:00:00.Z",
        "2026-08-21T10:00:00+25:00",
        "2026-08-21T10:00:00.1234567890Z",
        "1e12",
        "12345678901234567890",
        "2026-08-21TZ2",
        " 2026",
    ] {
        refused(default, text);
    }
    refused("epoch_millis", "2026-08-21");
    refused("epoch_second", "1.");
    refused("basic_date", "2026-08-21");
    refused("yyyy-MM-dd", "2026-08-21T10:00:00Z");
    refused("EEE yyyy-MM-dd", "Mon 2026-08-21");
    refused("hh:mm", "10:07");
}

#[test]
fn zones_show_in_what_is_written() {
    let instant: Timestamp = INSTANT.parse().unwrap();
    let write = |format: &str, zone: &str| {
        DateFormat::new(format).unwrap().write(instant, &read_zone(zone).unwrap())
    };
    let default = "strict_date_optional_time||epoch_millis";
    assert_eq!(write(default, "Europe/Paris"), "2026-08-21T12:07:42.123+02:00");
    assert_eq!(write(default, "-03:30"), "2026-08-21T06:37:42.123-03:30");
    assert_eq!(write("yyyy-MM-dd HH:mm VV", "Europe/Paris"), "2026-08-21 12:07 Europe/Paris");
    assert_eq!(write("HH:mm X", "+05:30"), "15:37 +0530");
    assert_eq!(write("HH:mm X", "+05:00"), "15:07 +05");
    assert_eq!(write("epoch_millis", "Europe/Paris"), "1787306862123");
    let nanos: Timestamp = "2026-08-21T10:00:00.123456Z".parse().unwrap();
    let default = DateFormat::default_date();
    assert_eq!(default.write(nanos, &TimeZone::UTC), "2026-08-21T10:00:00.123456Z");
    let whole: Timestamp = "2026-08-21T10:00:00Z".parse().unwrap();
    assert_eq!(default.write(whole, &TimeZone::UTC), "2026-08-21T10:00:00.000Z");
    let before: Timestamp = "1969-12-31T23:59:58.500Z".parse().unwrap();
    let seconds = DateFormat::new("epoch_second").unwrap();
    assert_eq!(seconds.write(before, &TimeZone::UTC), "-1.5");
}

#[test]
fn unknown_formats_are_refused() {
    #[track_caller]
    fn refused(format: &str, reason: &str) {
        assert_eq!(DateFormat::new(format).unwrap_err().reason(), reason);
    }
    refused("strict_datum", "Invalid format: [strict_datum]: Unknown pattern letter: t");
    refused("yyyy-ff", "Invalid format: [yyyy-ff]: Unknown pattern letter: f");
    refused("yyyy-MM-dd P", "Invalid format: [yyyy-MM-dd P]: Unknown pattern letter: P");
    refused("yyyy'T", "Invalid format: [yyyy'T]: Pattern ends with an incomplete string literal");
    refused(
        "yyyy]",
        "Invalid format: [yyyy]]: Pattern invalid as it contains ] without previous [",
    );
    refused("yyyy||", "No date pattern provided");
    refused("ddd", "Invalid format: [ddd]: Too many pattern letters: d");
    let deep = "[".repeat(40);
    let reason = "more than 16 optional sections inside one another";
    refused(&deep, &format!("Invalid format: [{deep}]: {reason}"));
    refused(&"y".repeat(2000), "a date format may have at most 1024 bytes");
}
