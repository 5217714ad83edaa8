//! Parts of a date in UTC, in the proleptic Gregorian calendar.

use crate::functions::Function;

const SECONDS_PER_DAY: u64 = 86_400;

/// From the year that Go counts from, 292277022400 years before the year 1, to the Unix epoch.
///
/// Go counts seconds from there in 64 bits that wrap round, which decides what becomes of numbers
/// that are no time, like NaN.
///
/// Source: Go, `time`, `unixToInternal` and `internalToAbsolute`.
const EPOCH_SECONDS: u64 = 9_223_372_028_715_321_600;

const DAYS_PER_400_YEARS: u64 = 146_097;

/// Returns whether the function answers a part of a date.
pub(super) fn is_part(function: Function) -> bool {
    matches!(
        function,
        Function::DayOfMonth
            | Function::DayOfWeek
            | Function::DayOfYear
            | Function::DaysInMonth
            | Function::Hour
            | Function::Minute
            | Function::Month
            | Function::Year
    )
}

/// Returns a part of the date that lies so many seconds after the Unix epoch.
pub(super) fn part(function: Function, seconds: f64) -> f64 {
    let seconds = truncated(seconds).cast_unsigned().wrapping_add(EPOCH_SECONDS);
    let days = seconds / SECONDS_PER_DAY;
    let date = Date::of(days);
    let part = match function {
        Function::DayOfMonth => date.day,
        // The day that is counted from is a Monday, and Sunday is 0.
        Function::DayOfWeek => (days + 1) % 7,
        Function::DayOfYear => date.day_of_year,
        Function::DaysInMonth => days_in_month(date.year_of_cycle, date.month),
        Function::Hour => seconds % SECONDS_PER_DAY / 3600,
        Function::Minute => seconds % 3600 / 60,
        Function::Month => date.month,
        _ => return date.year(),
    };
    #[expect(clippy::cast_precision_loss, reason = "no part but the year is larger than 366")]
    let part = part as f64;
    part
}

/// Returns the whole seconds as an amd64 processor does: the least integer when there is none.
fn truncated(seconds: f64) -> i64 {
    let limit = 9_223_372_036_854_775_808.0;
    #[expect(clippy::cast_possible_truncation, reason = "the range was checked")]
    if (-limit..limit).contains(&seconds) { seconds as i64 } else { i64::MIN }
}

struct Date {
    /// Whole cycles of 400 years since the year that is counted from.
    cycles: u64,
    /// 0 is the first year of the cycle, which like the year 1 comes after a leap year.
    year_of_cycle: u64,
    /// 1 to 12.
    month: u64,
    /// 1 to 31.
    day: u64,
    /// 1 to 366.
    day_of_year: u64,
}

impl Date {
    fn of(days: u64) -> Self {
        let (cycles, mut rest) = (days / DAYS_PER_400_YEARS, days % DAYS_PER_400_YEARS);
        let centuries = (rest / 36_524).min(3);
        rest -= centuries * 36_524;
        let fours = rest / 1461;
        rest -= fours * 1461;
        let years = (rest / 365).min(3);
        rest -= years * 365;
        let year_of_cycle = 100 * centuries + 4 * fours + years;
        let day_of_year = rest + 1;
        let mut month = 1;
        while rest >= days_in_month(year_of_cycle, month) {
            rest -= days_in_month(year_of_cycle, month);
            month += 1;
        }
        Self { cycles, year_of_cycle, month, day: rest + 1, day_of_year }
    }

    fn year(&self) -> f64 {
        let years = i128::from(400 * self.cycles + self.year_of_cycle) - 292_277_022_399;
        #[expect(clippy::cast_precision_loss, reason = "a year fits into 39 bits")]
        let year = years as f64;
        year
    }
}

fn days_in_month(year_of_cycle: u64, month: u64) -> u64 {
    let year = year_of_cycle + 1;
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(seconds: f64, date: [f64; 3], time: [f64; 2], of_week_year_month: [f64; 3]) {
        let of = |function| part(function, seconds);
        assert_eq!([of(Function::Year), of(Function::Month), of(Function::DayOfMonth)], date);
        assert_eq!([of(Function::Hour), of(Function::Minute)], time);
        let found = [Function::DayOfWeek, Function::DayOfYear, Function::DaysInMonth].map(of);
        assert_eq!(found, of_week_year_month);
    }

    #[test]
    fn dates_have_parts() {
        check(0.0, [1970.0, 1.0, 1.0], [0.0, 0.0], [4.0, 1.0, 31.0]);
        check(-1.0, [1969.0, 12.0, 31.0], [23.0, 59.0], [3.0, 365.0, 31.0]);
        check(951_782_400.0, [2000.0, 2.0, 29.0], [0.0, 0.0], [2.0, 60.0, 29.0]);
        check(978_220_800.0, [2000.0, 12.0, 31.0], [0.0, 0.0], [0.0, 366.0, 31.0]);
        check(4_107_585_960.5, [2100.0, 3.0, 1.0], [12.0, 6.0], [1.0, 60.0, 31.0]);
        // What Prometheus answers for NaN on amd64.
        check(f64::NAN, [292_277_026_596.0, 12.0, 4.0], [15.0, 30.0], [0.0, 339.0, 31.0]);
    }
}
