//! The Painless that conditions of alerts are written in: parsed, checked, and run within bounds.
//!
//! A subset of OpenSearch's scripting language, chosen by what people write in triggers. What is outside
//! of it is refused when a script is parsed, by its name. Knows no alerts: a script sees the JSON values
//! that it is given by name. Start reading at [`Script`].

mod error;
mod script;

pub use error::{RunError, ScriptError};
pub use script::{Limits, Script};
