//! Samples in memory.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use pampero_series::{Columns, Labels, SelectError, Selection, SeriesSource};

/// Times in milliseconds since the Unix epoch, and values.
type Samples = (Vec<i64>, Vec<f64>);

/// Keeps samples in memory.
#[derive(Debug, Default)]
pub(crate) struct Memory(BTreeMap<Labels, Samples>);

impl Memory {
    pub(crate) fn insert(&mut self, labels: Labels, samples: Vec<(i64, f64)>) {
        self.0.insert(labels, samples.into_iter().unzip());
    }
}

impl SeriesSource for Memory {
    fn select(
        &self,
        selection: Selection<'_>,
        visit: &mut dyn FnMut(&Labels, Columns<'_>) -> ControlFlow<()>,
    ) -> Result<(), SelectError> {
        for (labels, (timestamps_ms, values)) in &self.0 {
            let matches = |it: &pampero_series::Matcher| it.matches(labels.value(it.name()));
            if !selection.matchers.iter().all(matches) {
                continue;
            }
            let start = timestamps_ms.partition_point(|at| *at < selection.start_ms);
            let end = timestamps_ms.partition_point(|at| *at <= selection.end_ms);
            if start >= end {
                continue;
            }
            let samples =
                Columns { timestamps_ms: &timestamps_ms[start..end], values: &values[start..end] };
            if visit(labels, samples).is_break() {
                break;
            }
        }
        Ok(())
    }
}
