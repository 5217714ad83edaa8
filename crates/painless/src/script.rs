//! A script: parsed once, run as often as needed.

use serde_json::Value;

use crate::parse;
use crate::run;
use crate::syntax::Program;
use crate::{RunError, ScriptError};

/// What one run may cost.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Limits {
    /// Most steps: statements, operations, calls, and what is looked through within them.
    pub steps_max: u64,
    /// Most bytes of texts and lists that a run makes; what it lets go of counts as well.
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
    program: Program,
}

impl Script {
    /// The variables that a script may use without declaring them.
    pub const ROOTS: [&'static str; 2] = ["ctx", "params"];

    /// Longest script, in bytes.
    pub const SOURCE_BYTES_MAX: usize = 64 << 10;

    /// How deep blocks and expressions may lie in one another.
    pub const NESTING_MAX: usize = 100;

    /// Parses a script.
    ///
    /// # Errors
    /// It is outside the subset, too long, or nested too deeply; the error names what and where.
    pub fn parse(source: &str) -> Result<Self, ScriptError> {
        let program = parse::parse(source)?;
        Ok(Self { source: source.to_owned(), program })
    }

    /// Returns the text.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Runs the script with these variables, and returns its answer, which must be a boolean.
    ///
    /// A script that ends without `return` answers false, as it does in OpenSearch.
    ///
    /// # Errors
    /// It failed, took too long, or its answer is no boolean.
    pub fn condition(
        &self,
        variables: &[(&str, &Value)],
        limits: &Limits,
    ) -> Result<bool, RunError> {
        run::condition(&self.source, &self.program, variables, limits)
    }

    /// Runs the script with these variables, and returns its answer, whatever it is.
    ///
    /// `null` when it ends without `return`, and for a number that JSON does not have: NaN and the infinite
    /// ones.
    ///
    /// # Errors
    /// It failed or took too long.
    pub fn value(&self, variables: &[(&str, &Value)], limits: &Limits) -> Result<Value, RunError> {
        run::value(&self.source, &self.program, variables, limits)
    }
}
