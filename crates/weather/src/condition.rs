//! The state of the sky: one enum for all providers, and the maps from their codes.

/// A condition as reported: what, how strong, and the provider's own code.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ReportedCondition {
    /// What it is.
    pub condition: Condition,
    /// How strong it is.
    pub intensity: Intensity,
    /// The code exactly as the provider wrote it.
    pub raw_code: String,
}

/// How strong a condition is.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Intensity {
    /// Light or slight.
    Light,
    /// Moderate, and whatever has no strength.
    #[default]
    Moderate,
    /// Heavy, dense or violent.
    Heavy,
}

/// What the sky does.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Condition {
    /// A code that is in no map.
    Unknown,
}
