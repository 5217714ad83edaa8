//! The year 2013 at three airports, played again as if it were now.
//!
//! An instant is moved back by whole years of 365 days, so the hour of the UTC day is always the
//! right one and nothing jumps on a leap day; the season drifts by one day for each leap day
//! between, three days by 2026. The readings end on 30 December at 23Z and begin on 1 January
//! at 6Z; across this seam, as across any two readings that are not too far apart, values are
//! joined by a line. Clouds are not in the readings and are invented to agree with them.

use super::readings::{Field, HOURS, Station, YEAR_BEGINS};
use super::{Sky, Weather, climate, station_hpa};

/// Hours without readings round the turn of the year.
const SEAM_HOURS: usize = 31;

/// Returns the weather at a station, `at` in seconds since the Unix epoch.
pub(super) fn weather(station: Station, at: i64, gap_bridged_hours: u32) -> Weather {
    let tape = Tape::at(station, at, gap_bridged_hours);
    let temperature_c = tape.line(Field::Temperature);
    let sea_level_hpa = tape.line(Field::SeaLevel);
    let (wind_ms, wind_from_degrees) = tape.wind();
    let hour_mm = tape.running_hour(Field::Precipitation);
    let visibility_m = tape.line(Field::Visibility);
    let humidity_percent = tape.line(Field::Humidity);
    let (rain, seen) = (hour_mm.unwrap_or(0.0), visibility_m.unwrap_or(16_000.0));
    let cloud_percent = cloud(station, at, rain, humidity_percent);
    let air_c = temperature_c.unwrap_or(10.0);
    Weather {
        temperature_c,
        dew_point_c: tape.line(Field::DewPoint),
        humidity_percent,
        sea_level_hpa,
        station_hpa: sea_level_hpa.map(|hpa| station_hpa(hpa, station.elevation_m(), air_c)),
        wind_ms,
        gust_ms: tape.line_between_neighbours(Field::Gust),
        wind_from_degrees,
        hour_mm,
        cloud_percent: temperature_c.map(|_| cloud_percent),
        visibility_m,
        sky: Sky::of(cloud_percent, rain, seen, air_c),
    }
}

/// Invents a cloud cover: that of the model, more when it rains or is very damp.
fn cloud(station: Station, at: i64, rain_mm: f64, humidity_percent: Option<f64>) -> f64 {
    let modelled = climate::cloud_percent(station.spot(), at as f64);
    let damp = humidity_percent.map_or(0.0, |humidity| ((humidity - 80.0) * 4.0).max(0.0));
    let floor = if rain_mm > 0.0 { 85.0 } else { damp };
    modelled.max(floor).clamp(0.0, 100.0)
}

/// The year of a station, stopped at an instant.
struct Tape {
    station: Station,
    /// The full hour at or before the instant, counted in the year.
    hour: usize,
    /// How much of the hour has passed, 0 to 1, 1 excluded.
    passed: f64,
    gap_bridged: usize,
}

impl Tape {
    fn at(station: Station, at: i64, gap_bridged_hours: u32) -> Self {
        let since = at - YEAR_BEGINS;
        let hour = since.div_euclid(3_600).rem_euclid(HOURS as i64) as usize;
        let passed = since.rem_euclid(3_600) as f64 / 3_600.0;
        let gap_bridged = usize::try_from(gap_bridged_hours).unwrap_or(HOURS).min(HOURS / 2);
        Self { station, hour, passed, gap_bridged }
    }

    fn value(&self, hour: usize, field: Field) -> Option<f64> {
        self.station.year()[hour % HOURS].value(field)
    }

    /// Finds the nearest values at or before, and after, the instant: hours from it and value.
    ///
    /// `None` when they are further apart than what is bridged. The seam is always bridged.
    fn neighbours(&self, field: Field) -> Option<[(usize, f64); 2]> {
        let reach = self.gap_bridged.max(1) + SEAM_HOURS;
        let before = (0..reach).find_map(|back| {
            let value = self.value(self.hour + HOURS - back, field)?;
            Some((back, value))
        })?;
        let after = (1..=reach).find_map(|on| Some((on, self.value(self.hour + on, field)?)))?;
        let over_seam = HOURS <= self.hour + after.0 || self.hour < before.0;
        let allowed = self.gap_bridged.max(1) + if over_seam { SEAM_HOURS } else { 0 };
        (before.0 + after.0 <= allowed).then_some([before, after])
    }

    /// Joins the neighbouring values by a line; a reading at the very instant stands for itself.
    fn line(&self, field: Field) -> Option<f64> {
        if self.passed == 0.0
            && let Some(value) = self.value(self.hour, field)
        {
            return Some(value);
        }
        let [(back, before), (on, after)] = self.neighbours(field)?;
        let share = (back as f64 + self.passed) / (back + on) as f64;
        Some(before + (after - before) * share)
    }

    /// Joins the readings of the hours around the instant; `None` when either has no value.
    ///
    /// This is for gusts, where no value means that there were none.
    fn line_between_neighbours(&self, field: Field) -> Option<f64> {
        let before = self.value(self.hour, field)?;
        if self.passed == 0.0 {
            return Some(before);
        }
        let after = self.value(self.hour + 1, field)?;
        Some(before + (after - before) * self.passed)
    }

    /// Returns the amount of the hour that is running, which is written at its end.
    fn running_hour(&self, field: Field) -> Option<f64> {
        let ends = if self.passed == 0.0 { self.hour } else { self.hour + 1 };
        let measured = self.value(ends, field);
        // In a bridged gap nothing is known to have fallen.
        measured.or_else(|| self.line(field).map(|_| 0.0))
    }

    /// Returns speed and direction: the speed by a line, the direction by vectors.
    fn wind(&self) -> (Option<f64>, Option<f64>) {
        let Some(speed) = self.line(Field::Wind) else { return (None, None) };
        let calm = speed < 0.1;
        let from = if calm { None } else { self.direction() };
        (Some(speed), from)
    }

    fn direction(&self) -> Option<f64> {
        if self.passed == 0.0
            && let Some(degrees) = self.value(self.hour, Field::WindFrom)
        {
            return Some(degrees);
        }
        let [(back, before), (on, after)] = self.neighbours(Field::WindFrom)?;
        let share = (back as f64 + self.passed) / (back + on) as f64;
        let (from, to) = (before.to_radians(), after.to_radians());
        let east = from.sin() * (1.0 - share) + to.sin() * share;
        let north = from.cos() * (1.0 - share) + to.cos() * share;
        // Two opposite winds leave no direction in the middle; the nearer one speaks then.
        if east.hypot(north) < 0.05 {
            return Some(if share < 0.5 { before } else { after });
        }
        Some(east.atan2(north).to_degrees().rem_euclid(360.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> i64 {
        text.parse::<jiff::Timestamp>().unwrap().as_second()
    }

    #[test]
    fn full_hours_are_the_readings() {
        // EWR 2013-07-15T16Z: 93.92 °F, dew point 71.06 °F, 12.658 58 mph, 19.563 26 mph.
        let seen = weather(Station::Ewr, at("2013-07-15T16:00:00Z"), 6);
        close(seen.temperature_c, 34.4);
        close(seen.dew_point_c, 21.7);
        close(seen.humidity_percent, 47.64);
        close(seen.wind_ms, 5.658_9);
        close(seen.gust_ms, 8.745_56);
        close(seen.wind_from_degrees, 320.0);
        close(seen.sea_level_hpa, 1022.2);
        close(seen.hour_mm, 0.0);
        close(seen.visibility_m, 16_093.44);
        // JFK 2013-05-08T16Z: 0.58 in of rain in the hour before.
        let rain = weather(Station::Jfk, at("2013-05-08T16:00:00Z"), 6);
        close(rain.hour_mm, 14.732);
        assert_eq!(rain.sky, Sky::Rain(crate::world::Strength::Heavy));
        close(weather(Station::Jfk, at("2013-05-08T15:01:00Z"), 6).hour_mm, 14.732);
        close(weather(Station::Jfk, at("2013-05-08T18:00:00Z"), 6).visibility_m, 402.336);
    }

    #[test]
    fn errors_in_the_readings_are_kept() {
        close(weather(Station::Ewr, at("2013-02-12T08:00:00Z"), 6).wind_ms, 468.659_1);
        close(weather(Station::Jfk, at("2013-05-09T02:00:00Z"), 6).temperature_c, -10.5);
    }

    #[track_caller]
    fn close(value: Option<f64>, expected: f64) {
        let value = value.expect("a value");
        assert!((value - expected).abs() < 0.01, "{value} instead of {expected}");
    }

    #[test]
    fn between_hours_values_follow_a_line() {
        // EWR 2013-07-15: 93.92 °F at 16Z, 91.94 °F at 17Z.
        close(weather(Station::Ewr, at("2013-07-15T16:30:00Z"), 6).temperature_c, 33.85);
        // 320° and 340°.
        close(weather(Station::Ewr, at("2013-07-15T16:30:00Z"), 6).wind_from_degrees, 330.0);
    }

    #[test]
    fn years_repeat_after_365_days_whatever_the_calendar_says() {
        let year_s = 365 * 86_400;
        for text in ["2013-03-01T05:17:00Z", "2013-12-31T12:00:00Z", "2013-01-01T00:30:00Z"] {
            let first = weather(Station::Lga, at(text), 6);
            let again = weather(Station::Lga, at(text) + 13 * year_s, 6);
            assert_eq!(first.temperature_c, again.temperature_c, "{text}");
            assert!(first.temperature_c.is_some(), "{text}");
        }
    }

    #[test]
    fn real_gaps_are_bridged_or_played() {
        // Five hours are missing between 23Z and 5Z.
        let in_gap = at("2013-10-26T02:00:00Z");
        // 50 °F before the gap and 39.02 °F after it; the instant is half the way.
        close(weather(Station::Ewr, in_gap, 6).temperature_c, 6.95);
        close(weather(Station::Ewr, in_gap + 5_400, 6).temperature_c, 5.425);
        let played = weather(Station::Ewr, in_gap, 1);
        assert_eq!(played.temperature_c, None);
        assert_eq!(played.hour_mm, None);
        assert!(weather(Station::Ewr, at("2013-10-25T23:00:00Z"), 1).temperature_c.is_some());
    }

    #[test]
    fn opposite_winds_have_a_direction_all_the_way() {
        for station in Station::ALL {
            for hour in 0..HOURS as i64 {
                let seen = weather(station, YEAR_BEGINS + hour * 3_600 + 1_800, 6);
                if let Some(degrees) = seen.wind_from_degrees {
                    assert!((0.0..=360.0).contains(&degrees), "{degrees}");
                }
                if let (Some(dew_point), Some(air)) = (seen.dew_point_c, seen.temperature_c) {
                    assert!(dew_point <= air + 0.01, "{dew_point} {air} at hour {hour}");
                }
                if let (Some(gust), Some(wind)) = (seen.gust_ms, seen.wind_ms) {
                    assert!(wind <= gust, "{gust} {wind} at hour {hour}");
                }
            }
        }
    }
}
