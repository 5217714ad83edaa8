//! The Painless that conditions of alerts are written in: parsed, checked, and run within bounds.
//!
//! A subset of OpenSearch's scripting language, chosen by what people write in triggers. What is outside
//! of it is refused when a script is parsed, by its name; what is inside gives the answer that OpenSearch
//! gives. Knows no alerts: a script sees the JSON values that it is given by name, and can change none.
//! Start reading at [`Script`], then `syntax` for what there is, `parse` and `run`.

mod catalog;
mod error;
mod number;
mod parse;
mod run;
mod scan;
mod script;
mod syntax;
mod value;

pub use error::{RunError, ScriptError};
pub use script::{Limits, Script};
