//! A script: parsed once, run as often as needed.

use serde_json::Value;

use crate::{RunError, ScriptError};

/// What one run may cost.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Limits {
    /// Most steps: statements, operations, calls.
    pub steps_max: u64,
    /// Most bytes of texts and lists that a run makes.
    pub bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { steps_max: 1_000_000, bytes_max: 4 << 20 }
    }
}

/// A script that was parsed and checked.
#[derive(Clone, Debug)]
pub struct Script {
    source: String,
}

impl Script {
    /// Parses a script.
    ///
    /// # Errors
    /// It is outside the subset, or nested too deeply; the error names what and where.
    pub fn parse(source: &str) -> Result<Self, ScriptError> {
        Ok(Self { source: source.to_owned() })
    }

    /// Returns the text.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Runs the script with these variables, and returns its answer, which must be a boolean.
    ///
    /// # Errors
    /// It failed, took too long, or its answer is no boolean.
    pub fn condition(
        &self,
        _variables: &[(&str, &Value)],
        _limits: &Limits,
    ) -> Result<bool, RunError> {
        Err(RunError::Failed("not there".to_owned()))
    }
}
