//! What a template, and one run of it, may cost.

use std::io;

use crate::RenderError;

/// Most bytes of the text of a template.
pub const SOURCE_BYTES_MAX: usize = 64 << 10;

/// Deepest nesting of sections, control structures and parentheses.
pub const NESTING_MAX: usize = 100;

/// Most steps of one run: pieces of the template, looks at the data, functions.
pub const STEPS_MAX: usize = 500_000;

/// So many bytes of a text that is made on the way cost one step.
const BYTES_PER_STEP: usize = 64;

/// What is left for one run, and the text that it has made.
#[derive(Debug)]
pub(crate) struct Budget {
    steps_left: usize,
    bytes_max: usize,
}

impl Budget {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self { steps_left: STEPS_MAX, bytes_max }
    }

    /// Returns the most bytes of any text.
    pub(crate) fn bytes_max(&self) -> usize {
        self.bytes_max
    }

    /// Takes so many steps.
    pub(crate) fn step(&mut self, steps: usize) -> Result<(), RenderError> {
        self.steps_left = self
            .steps_left
            .checked_sub(steps)
            .ok_or(RenderError::TooManySteps { steps_max: STEPS_MAX })?;
        Ok(())
    }

    /// Pays for a text of so many bytes that is made, copied or searched.
    pub(crate) fn text(&mut self, bytes: usize) -> Result<(), RenderError> {
        self.fits(bytes)?;
        self.step(1 + bytes / BYTES_PER_STEP)
    }

    /// Refuses a text that is longer than any may be.
    pub(crate) fn fits(&self, bytes: usize) -> Result<(), RenderError> {
        let bytes_max = self.bytes_max;
        if bytes <= bytes_max { Ok(()) } else { Err(RenderError::TooLong { bytes_max }) }
    }

    /// Appends `piece` to `out`, paying for it.
    pub(crate) fn push(&mut self, out: &mut String, piece: &str) -> Result<(), RenderError> {
        self.fits(out.len().saturating_add(piece.len()))?;
        self.step(1 + piece.len() / BYTES_PER_STEP)?;
        out.push_str(piece);
        Ok(())
    }
}

/// Takes bytes until there are too many.
#[derive(Debug)]
pub(crate) struct Bounded {
    bytes: Vec<u8>,
    bytes_max: usize,
}

impl Bounded {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self { bytes: Vec::new(), bytes_max }
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes_max - self.bytes.len() < bytes.len() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
