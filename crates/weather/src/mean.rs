//! Time-weighted means over a window, with the part of the window for which data speak.

use jiff::Timestamp;

/// One value of a series, valid from its instant on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// The instant the value was observed.
    pub at: Timestamp,
    /// The value in the unit of its quantity.
    pub value: f64,
}
