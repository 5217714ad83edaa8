//! The formats with a name, as patterns.
//!
//! Source: OpenSearch, `DateFormatters`; documentation of the mapping parameter `format`.

/// How the items of a format are read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Leniency {
    /// Numbers have all their digits.
    Strict,
    /// Numbers may lack leading zeros.
    Lenient,
}

/// A format with a name: a pattern to read and one to write.
///
/// Beside Java's letters, `f` is a fraction with its point (one to nine digits read, three to nine
/// written) and `P` is any zone.
pub(super) struct Named {
    pub(super) read: &'static str,
    pub(super) write: &'static str,
}

/// Finds a format by its name, with or without `strict_`.
pub(super) fn find(name: &str) -> Option<(Named, Leniency)> {
    let (bare, leniency) = match name.strip_prefix("strict_") {
        Some(bare) => (bare, Leniency::Strict),
        None => (name, Leniency::Lenient),
    };
    let (_, read, write) = TABLE.iter().find(|(listed, ..)| *listed == bare)?;
    // Compact dates have no separators, so their numbers have all their digits in any case.
    let compact = bare.starts_with("basic_") || matches!(bare, "iso8601" | "rfc3339_lenient");
    let leniency = if compact { Leniency::Strict } else { leniency };
    Some((Named { read, write: if write.is_empty() { read } else { write } }, leniency))
}

const OPTIONAL_READ: &str = "uuuu[-MM[-dd['T'[HH[:mm[:ss[f]]][P]]]]]";
const OPTIONAL_WRITE: &str = "uuuu-MM-dd'T'HH:mm:ssfXXX";

/// Name without `strict_`, pattern to read, pattern to write where it is another.
const TABLE: &[(&str, &str, &str)] = &[
    ("date_optional_time", OPTIONAL_READ, OPTIONAL_WRITE),
    ("date_optional_time_nanos", OPTIONAL_READ, OPTIONAL_WRITE),
    ("iso8601", OPTIONAL_READ, OPTIONAL_WRITE),
    ("rfc3339_lenient", "uuuu[-MM[-dd['T'HH:mm[:ss[f]]P]]]", OPTIONAL_WRITE),
    ("date", "uuuu-MM-dd", ""),
    ("date_hour", "uuuu-MM-dd'T'HH", ""),
    ("date_hour_minute", "uuuu-MM-dd'T'HH:mm", ""),
    ("date_hour_minute_second", "uuuu-MM-dd'T'HH:mm:ss", ""),
    ("date_hour_minute_second_fraction", "uuuu-MM-dd'T'HH:mm:ssf", ""),
    ("date_hour_minute_second_millis", "uuuu-MM-dd'T'HH:mm:ssf", ""),
    ("date_time", "uuuu-MM-dd'T'HH:mm:ssfP", "uuuu-MM-dd'T'HH:mm:ssfXXX"),
    ("date_time_no_millis", "uuuu-MM-dd'T'HH:mm:ssP", "uuuu-MM-dd'T'HH:mm:ssXXX"),
    ("hour", "HH", ""),
    ("hour_minute", "HH:mm", ""),
    ("hour_minute_second", "HH:mm:ss", ""),
    ("hour_minute_second_fraction", "HH:mm:ssf", ""),
    ("hour_minute_second_millis", "HH:mm:ssf", ""),
    ("time", "HH:mm:ssfP", "HH:mm:ssfXXX"),
    ("time_no_millis", "HH:mm:ssP", "HH:mm:ssXXX"),
    ("t_time", "'T'HH:mm:ssfP", "'T'HH:mm:ssfXXX"),
    ("t_time_no_millis", "'T'HH:mm:ssP", "'T'HH:mm:ssXXX"),
    ("ordinal_date", "uuuu-DDD", ""),
    ("ordinal_date_time", "uuuu-DDD'T'HH:mm:ssfP", "uuuu-DDD'T'HH:mm:ssfXXX"),
    ("ordinal_date_time_no_millis", "uuuu-DDD'T'HH:mm:ssP", "uuuu-DDD'T'HH:mm:ssXXX"),
    ("week_date", "YYYY-'W'ww-e", ""),
    ("week_date_time", "YYYY-'W'ww-e'T'HH:mm:ssfP", "YYYY-'W'ww-e'T'HH:mm:ssfXXX"),
    ("week_date_time_no_millis", "YYYY-'W'ww-e'T'HH:mm:ssP", "YYYY-'W'ww-e'T'HH:mm:ssXXX"),
    ("weekyear", "YYYY", ""),
    ("weekyear_week", "YYYY-'W'ww", ""),
    ("weekyear_week_day", "YYYY-'W'ww-e", ""),
    ("year", "uuuu", ""),
    ("year_month", "uuuu-MM", ""),
    ("year_month_day", "uuuu-MM-dd", ""),
    ("basic_date", "uuuuMMdd", ""),
    ("basic_date_time", "uuuuMMdd'T'HHmmssfP", "uuuuMMdd'T'HHmmssfX"),
    ("basic_date_time_no_millis", "uuuuMMdd'T'HHmmssP", "uuuuMMdd'T'HHmmssX"),
    ("basic_ordinal_date", "uuuuDDD", ""),
    ("basic_ordinal_date_time", "uuuuDDD'T'HHmmssfP", "uuuuDDD'T'HHmmssfX"),
    ("basic_ordinal_date_time_no_millis", "uuuuDDD'T'HHmmssP", "uuuuDDD'T'HHmmssX"),
    ("basic_time", "HHmmssfP", "HHmmssfX"),
    ("basic_time_no_millis", "HHmmssP", "HHmmssX"),
    ("basic_t_time", "'T'HHmmssfP", "'T'HHmmssfX"),
    ("basic_t_time_no_millis", "'T'HHmmssP", "'T'HHmmssX"),
    ("basic_week_date", "YYYY'W'wwe", ""),
    ("basic_week_date_time", "YYYY'W'wwe'T'HHmmssfP", "YYYY'W'wwe'T'HHmmssfX"),
    ("basic_week_date_time_no_millis", "YYYY'W'wwe'T'HHmmssP", "YYYY'W'wwe'T'HHmmssX"),
];
