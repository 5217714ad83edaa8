//! What a run has cost so far, held against its limits.

use crate::RunError;
use crate::script::Limits;

/// Most made values that lie in one another, so that walking them and letting them go is not deep.
const DEPTH_MAX: usize = 100;

/// Bytes that one value in a list or a map counts for.
const VALUE_BYTES: usize = 32;

/// Bytes of text that are looked through for one step.
const BYTES_PER_STEP: usize = 32;

/// What is left of the limits of a run.
#[derive(Debug)]
pub(super) struct Budget {
    steps_max: u64,
    steps: u64,
    bytes_max: usize,
    bytes: usize,
}

impl Budget {
    pub(super) fn new(limits: &Limits) -> Self {
        let Limits { steps_max, bytes_max } = *limits;
        Self { steps_max, steps: steps_max, bytes_max, bytes: bytes_max }
    }

    /// Counts steps.
    pub(super) fn spend(&mut self, steps: usize) -> Result<(), RunError> {
        let steps = u64::try_from(steps).unwrap_or(u64::MAX);
        self.steps =
            self.steps.checked_sub(steps).ok_or(RunError::TooLong { steps: self.steps_max })?;
        Ok(())
    }

    /// Counts the steps of looking through a text.
    pub(super) fn look_through(&mut self, text: &str) -> Result<(), RunError> {
        self.spend(1 + text.len() / BYTES_PER_STEP)
    }

    /// Counts bytes of a text that is about to be made.
    pub(super) fn make(&mut self, bytes: usize) -> Result<(), RunError> {
        self.bytes = self.bytes.checked_sub(bytes).ok_or_else(|| {
            RunError::Failed(format!("the script made more than {} bytes", self.bytes_max))
        })?;
        Ok(())
    }

    /// Counts the values of a list or map that is about to be made.
    pub(super) fn make_values(&mut self, count: usize) -> Result<(), RunError> {
        self.spend(count)?;
        self.make(count.saturating_mul(VALUE_BYTES))
    }

    /// Refuses a value that lies too deep.
    pub(super) fn check_depth(&self, depth: usize) -> Result<(), RunError> {
        if depth > DEPTH_MAX {
            let message = format!("lists and maps lie more than {DEPTH_MAX} deep in one another");
            return Err(RunError::Failed(message));
        }
        Ok(())
    }
}
