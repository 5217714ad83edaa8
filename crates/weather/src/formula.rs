//! Formulas and unit conversions, each with its source.
