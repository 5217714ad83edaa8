//! When a mute holds.

use jiff::Timestamp;
use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::MuteError;

/// When a mute holds.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MuteWindow {
    /// From one instant until another, which is not part of it.
    Once {
        /// When it begins.
        from: Timestamp,
        /// When it ends.
        until: Timestamp,
    },
    /// On some days of every week, by the clock on the wall there.
    Weekly {
        /// The days on which it begins.
        days: Vec<Day>,
        /// When it begins.
        from: Time,
        /// When it ends: on the next day if that is not after `from`.
        until: Time,
        /// The name of the zone, as `America/Montevideo`.
        zone: String,
    },
}

/// A day of the week.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Day {
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}

impl From<Weekday> for Day {
    fn from(day: Weekday) -> Self {
        match day {
            Weekday::Monday => Self::Mon,
            Weekday::Tuesday => Self::Tue,
            Weekday::Wednesday => Self::Wed,
            Weekday::Thursday => Self::Thu,
            Weekday::Friday => Self::Fri,
            Weekday::Saturday => Self::Sat,
            Weekday::Sunday => Self::Sun,
        }
    }
}

impl MuteWindow {
    /// Says what is wrong with a window.
    ///
    /// # Errors
    /// It is empty, has no day, or names a zone that is not there.
    pub fn check(&self) -> Result<(), MuteError> {
        match self {
            Self::Once { from, until } if from >= until => Err(MuteError::EmptyWindow),
            Self::Once { .. } => Ok(()),
            Self::Weekly { days, .. } if days.is_empty() => Err(MuteError::NoDay),
            Self::Weekly { zone, .. } => match TimeZone::get(zone) {
                Ok(_) => Ok(()),
                Err(_) => Err(MuteError::Zone { zone: crate::text::one_line(zone, 100) }),
            },
        }
    }

    /// Returns whether it holds at an instant.
    pub fn holds(&self, now: Timestamp) -> bool {
        match self {
            Self::Once { from, until } => (*from..*until).contains(&now),
            Self::Weekly { days, from, until, zone } => {
                let Ok(zone) = TimeZone::get(zone) else { return false };
                let here = now.to_zoned_datetime(zone);
                let time = here.time();
                let today = days.contains(&here.weekday().into());
                if from < until {
                    return today && (*from..*until).contains(&time);
                }
                // It goes over midnight, so the day on which it began may be yesterday.
                let yesterday = days.contains(&here.weekday().previous().into());
                today && time >= *from || yesterday && time < *until
            }
        }
    }
}
