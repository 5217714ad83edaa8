//! What an evaluation has cost so far, held against its limits.

use std::cell::Cell;
use std::time::Instant;

use crate::answer::Statistics;
use crate::cancel::Cancel;
use crate::error::QueryError;
use crate::options::Limits;

/// How many samples are worked on between two looks at the time.
const WORK_PER_CHECK: usize = 1 << 16;

/// Counts what one evaluation costs and ends it at a limit.
pub(super) struct Budget<'q> {
    limits: &'q Limits,
    cancel: &'q Cancel,
    started: Instant,
    work: Cell<usize>,
    samples_read: Cell<usize>,
    series_read: Cell<usize>,
    held: Cell<usize>,
    held_most: Cell<usize>,
}

impl<'q> Budget<'q> {
    pub(super) fn new(limits: &'q Limits, cancel: &'q Cancel) -> Self {
        Self {
            limits,
            cancel,
            started: Instant::now(),
            work: Cell::new(0),
            samples_read: Cell::new(0),
            series_read: Cell::new(0),
            held: Cell::new(0),
            held_most: Cell::new(0),
        }
    }

    /// Ends the evaluation when nobody waits for it or its time is over.
    pub(super) fn check(&self) -> Result<(), QueryError> {
        if self.cancel.is_canceled() {
            return Err(QueryError::Canceled);
        }
        if self.started.elapsed() >= self.limits.time {
            return Err(QueryError::Timeout { limit: self.limits.time });
        }
        Ok(())
    }

    /// Counts so many samples or points worked on, and looks at the time every now and then.
    pub(super) fn spend(&self, work: usize) -> Result<(), QueryError> {
        let total = self.work.get().saturating_add(work);
        if total < WORK_PER_CHECK {
            self.work.set(total);
            return Ok(());
        }
        self.work.set(0);
        self.check()
    }

    /// Counts a series that was read with so many samples.
    pub(super) fn read(&self, samples: usize) -> Result<(), QueryError> {
        self.series_read.set(self.series_read.get() + 1);
        self.samples_read.set(self.samples_read.get().saturating_add(samples));
        if self.series_read.get() > self.limits.series_max {
            return Err(QueryError::TooManySeries { max: self.limits.series_max });
        }
        if self.samples_read.get() > self.limits.samples_max {
            return Err(QueryError::TooManySamples { max: self.limits.samples_max });
        }
        self.spend(samples)
    }

    /// Counts points that are about to be held; to be called before memory is asked for.
    pub(super) fn hold(&self, points: usize) -> Result<(), QueryError> {
        let held = self.held.get().saturating_add(points);
        if held > self.limits.held_max {
            return Err(QueryError::TooManyHeld { max: self.limits.held_max });
        }
        self.set_held(held);
        self.spend(points)
    }

    /// Counts points that are held no more.
    pub(super) fn release(&self, points: usize) {
        self.held.set(self.held.get().saturating_sub(points));
    }

    pub(super) fn held(&self) -> usize {
        self.held.get()
    }

    pub(super) fn set_held(&self, points: usize) {
        self.held.set(points);
        self.held_most.set(self.held_most.get().max(points));
    }

    /// Refuses more pairs of series than an operator may match.
    pub(super) fn check_matches(&self, pairs: usize) -> Result<(), QueryError> {
        if pairs > self.limits.matches_max {
            return Err(QueryError::TooManyMatches { max: self.limits.matches_max });
        }
        Ok(())
    }

    /// Refuses more series than a result may have.
    pub(super) fn check_series(&self, count: usize) -> Result<(), QueryError> {
        if count > self.limits.series_max {
            return Err(QueryError::TooManySeries { max: self.limits.series_max });
        }
        Ok(())
    }

    pub(super) fn statistics(&self) -> Statistics {
        Statistics {
            samples_read: self.samples_read.get(),
            series_read: self.series_read.get(),
            points_held_max: self.held_most.get(),
        }
    }
}
