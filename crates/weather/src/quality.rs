//! How readings were checked, and what the checks found.
//!
//! [`check`] looks at one observation alone; what needs history or neighbours is not here.

mod check;
mod consistency;
mod limits;

use jiff::{SignedDuration, Timestamp};

pub use check::{Checked, Finding, check};

use crate::observation::Quantity;

/// How far the instant of an observation may lie ahead of the clock here.
pub const AHEAD_MAX: SignedDuration = SignedDuration::from_mins(5);

/// Tells whether an observation is of the past, or ahead by no more than clocks differ: [`AHEAD_MAX`].
pub fn is_not_ahead(observed_at: Timestamp, now: Timestamp) -> bool {
    observed_at.duration_since(now) <= AHEAD_MAX
}

/// What is to be known of one reading.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[repr(u8)]
pub enum Flag {
    /// Computed here from other readings; the provider did not say it.
    Derived,
    /// Outside what the quantity can be; the value was removed.
    Rejected,
    /// Possible, but unlikely or at odds with another reading; the value was kept.
    Suspect,
    /// Moved to the edge of its range, as a relative humidity of 101 %.
    Clamped,
    /// The provider's upper limit: the true value may be larger.
    Capped,
    /// The stretch of time a sum belongs to is unknown or slides; not to be added up.
    IntervalUnknown,
}

impl Flag {
    /// Every flag, in the order of declaration.
    pub const ALL: [Self; 6] = [
        Self::Derived,
        Self::Rejected,
        Self::Suspect,
        Self::Clamped,
        Self::Capped,
        Self::IntervalUnknown,
    ];

    /// Returns the spelling, as in `suspect`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Derived => "derived",
            Self::Rejected => "rejected",
            Self::Suspect => "suspect",
            Self::Clamped => "clamped",
            Self::Capped => "capped",
            Self::IntervalUnknown => "interval_unknown",
        }
    }
}

impl std::str::FromStr for Flag {
    type Err = UnknownFlag;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|flag| flag.as_str() == text);
        known.ok_or_else(|| UnknownFlag(text.to_owned()))
    }
}

/// The text names no flag.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("unknown quality flag {0:?}")]
pub struct UnknownFlag(pub String);

/// The flags of every reading of an observation.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct QualityFlags([u8; Quantity::ALL.len()]);

impl QualityFlags {
    /// Sets `flag` on `quantity`.
    pub fn set(&mut self, quantity: Quantity, flag: Flag) {
        self.0[quantity as usize] |= 1 << flag as u8;
    }

    /// Tells whether `flag` is set on `quantity`.
    pub fn has(&self, quantity: Quantity, flag: Flag) -> bool {
        self.0[quantity as usize] & (1 << flag as u8) != 0
    }

    /// Returns every set flag with its quantity, in the order of [`Quantity::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = (Quantity, Flag)> + '_ {
        Quantity::ALL
            .into_iter()
            .flat_map(move |quantity| Flag::ALL.into_iter().map(move |flag| (quantity, flag)))
            .filter(|(quantity, flag)| self.has(*quantity, *flag))
    }

    /// Tells whether no flag is set at all.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|bits| *bits == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_of_one_quantity_leave_the_others_alone() {
        let mut flags = QualityFlags::default();
        assert!(flags.is_empty());
        flags.set(Quantity::Visibility, Flag::Capped);
        flags.set(Quantity::DewPoint, Flag::Derived);
        flags.set(Quantity::DewPoint, Flag::Suspect);
        flags.set(Quantity::DewPoint, Flag::Suspect);
        let listed: Vec<_> = flags.iter().collect();
        let expected = [
            (Quantity::DewPoint, Flag::Derived),
            (Quantity::DewPoint, Flag::Suspect),
            (Quantity::Visibility, Flag::Capped),
        ];
        assert_eq!(listed, expected);
        assert!(!flags.has(Quantity::Temperature, Flag::Derived));
    }

    #[test]
    fn every_flag_is_found_by_its_spelling() {
        for flag in Flag::ALL {
            assert_eq!(flag.as_str().parse(), Ok(flag));
        }
        assert_eq!("bad".parse::<Flag>(), Err(UnknownFlag("bad".to_owned())));
    }

    #[test]
    fn observation_may_be_five_minutes_ahead() {
        let now = Timestamp::UNIX_EPOCH;
        let after = |seconds| now + SignedDuration::from_secs(seconds);
        assert!(is_not_ahead(after(-86_400), now));
        assert!(is_not_ahead(after(0), now));
        assert!(is_not_ahead(after(300), now));
        assert!(!is_not_ahead(after(301), now));
        assert!(!is_not_ahead(Timestamp::MAX, Timestamp::MIN));
    }
}
