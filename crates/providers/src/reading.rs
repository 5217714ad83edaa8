//! What all mappings ask of readings.

use pampero_weather::observation::{Quantity, Readings};

/// Tells whether not a single quantity has a value.
///
/// Such an answer counts as unreadable, so that the next provider of the chain is asked.
pub(crate) fn says_nothing(readings: &Readings) -> bool {
    Quantity::ALL.into_iter().all(|quantity| readings.get(quantity).is_none())
}
