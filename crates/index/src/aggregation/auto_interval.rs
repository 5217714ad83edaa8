//! The width of the buckets of an automatic date histogram.
//!
//! Source: OpenSearch, `AutoDateHistogramAggregationBuilder`: units from the second to the year, each
//! in a few multiples; the narrowest with which no more buckets are needed than are wanted. Multiples
//! count from the first bucket.

use jiff::tz::TimeZone;
use pampero_opensearch::aggregation::{AutoDateHistogram, CalendarUnit, Interval};

use super::rounding::Rounding;

/// Units with their approximate length in ms, their multiples, and their spelling.
const UNITS: [(CalendarUnit, i64, &[usize], &str); 6] = [
    (CalendarUnit::Second, 1_000, &[1, 5, 10, 30], "s"),
    (CalendarUnit::Minute, 60_000, &[1, 5, 10, 30], "m"),
    (CalendarUnit::Hour, 3_600_000, &[1, 3, 12], "h"),
    (CalendarUnit::Day, 86_400_000, &[1, 7], "d"),
    (CalendarUnit::Month, 2_592_000_000, &[1, 3], "M"),
    (CalendarUnit::Year, 31_536_000_000, &[1, 5, 10, 20, 50, 100], "y"),
];

/// Returns the beginnings of the buckets between the least and the greatest value, and the width as it
/// is written; no beginnings without values.
pub(super) fn choose(
    extent: Option<(i64, i64)>,
    request: &AutoDateHistogram,
    zone: &TimeZone,
) -> (Vec<i64>, String) {
    let first_unit = request
        .minimum
        .and_then(|minimum| UNITS.iter().position(|(unit, ..)| *unit == minimum))
        .unwrap_or(0);
    let Some((least, greatest)) = extent else {
        return (Vec::new(), format!("1{}", UNITS[first_unit].3));
    };
    let mut last = (Vec::new(), String::new());
    for (unit, length_ms, multiples, letter) in &UNITS[first_unit..] {
        let widest = multiples.last().copied().unwrap_or(1);
        let rounding = Rounding::new(Interval::Calendar(*unit), zone.clone(), 0);
        let span = i128::from(greatest) - i128::from(least);
        // Far too narrow a unit is passed over before its beginnings are listed.
        let too_narrow = span / i128::from(*length_ms) / 2 > (request.buckets * widest) as i128;
        if too_narrow && *unit != CalendarUnit::Year {
            continue;
        }
        let starts = beginnings(&rounding, least, greatest);
        for multiple in *multiples {
            let chosen: Vec<i64> = starts.iter().copied().step_by(*multiple).collect();
            let fits = chosen.len() <= request.buckets;
            last = (chosen, format!("{multiple}{letter}"));
            if fits {
                return last;
            }
        }
    }
    last
}

fn beginnings(rounding: &Rounding, least: i64, greatest: i64) -> Vec<i64> {
    let mut starts = vec![rounding.round(least)];
    while let Some(start) = starts.last() {
        let next = rounding.next(*start);
        if next > greatest {
            break;
        }
        starts.push(next);
    }
    starts
}

#[cfg(test)]
mod tests {
    use pampero_opensearch::aggregation::{AggregationKind, Aggregations};
    use serde_json::json;

    use super::*;

    #[test]
    fn width_follows_the_stretch_and_the_wanted_number() {
        check(0, 9_000, 10, "1s", 10);
        check(0, 10_000, 10, "5s", 3);
        check(0, 3_600_000, 10, "10m", 7);
        check(0, 86_400_000 * 20, 10, "7d", 3);
        check(0, 86_400_000 * 365 * 40, 10, "5y", 8);
        check(0, 86_400_000 * 365 * 400, 10, "50y", 8);
    }

    #[track_caller]
    fn check(least: i64, greatest: i64, buckets: usize, width: &str, count: usize) {
        let body = json!({ "a": { "auto_date_histogram": { "field": "t", "buckets": buckets } } });
        let aggregations = Aggregations::from_json(&body).unwrap();
        let Some(AggregationKind::AutoDateHistogram(request)) =
            aggregations.get("a").map(|it| &it.kind)
        else {
            panic!("an automatic date histogram was asked for");
        };
        let (starts, spelled) = choose(Some((least, greatest)), request, &TimeZone::UTC);
        assert_eq!((spelled.as_str(), starts.len()), (width, count));
    }
}
