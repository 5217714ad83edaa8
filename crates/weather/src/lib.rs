//! The words of Pampero: places, quantities and their units, observations, events, means.
//!
//! Pure: no I/O, no runtime, no clock of its own, and no wire format but the spelling of identifiers.
//! Start reading at [`observation::Observation`]; everything else explains one of its fields.

pub mod condition;
pub mod event;
pub mod formula;
pub mod mean;
pub mod observation;
pub mod place;
pub mod provider;
pub mod quality;
pub mod unit;
