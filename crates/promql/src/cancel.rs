//! A way to stop a query that nobody waits for any more.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Stops the evaluation that looks at it; clones stop together.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Returns one that has not been asked for yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks for the end of the evaluation, which comes with an error within milliseconds.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Returns whether the end was asked for.
    pub fn is_canceled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
