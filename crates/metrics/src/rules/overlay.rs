//! Samples in memory over those of a store, as if they had been kept there.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use pampero_series::{Columns, Labels, METRIC_NAME, Matcher, SelectError, Selection, SeriesSource};

use super::alerts::{ALERTS, ALERTS_FOR_STATE};
use super::texts::ALERT_NAME;

/// A store with some series hidden and others in their place.
#[derive(Debug)]
pub(super) struct Overlay<'b, B> {
    base: &'b B,
    /// The names of the alerts whose series in the store are not shown.
    hidden: BTreeSet<String>,
    series: BTreeMap<Labels, (Vec<i64>, Vec<f64>)>,
    samples: usize,
}

impl<'b, B: SeriesSource> Overlay<'b, B> {
    /// Begins without samples of its own.
    pub(super) fn new(base: &'b B) -> Self {
        Self { base, hidden: BTreeSet::new(), series: BTreeMap::new(), samples: 0 }
    }

    /// Hides the series that the store has of the alerts of this name.
    pub(super) fn hide(&mut self, alert: &str) {
        self.hidden.insert(alert.to_owned());
    }

    /// Puts a sample over the store; the times of one series ascend.
    pub(super) fn put(&mut self, labels: Labels, at_ms: i64, value: f64) {
        let (timestamps_ms, values) = self.series.entry(labels).or_default();
        timestamps_ms.push(at_ms);
        values.push(value);
        self.samples += 1;
    }

    /// Returns how many samples lie over the store.
    pub(super) fn samples(&self) -> usize {
        self.samples
    }

    fn is_hidden(&self, labels: &Labels) -> bool {
        [ALERTS, ALERTS_FOR_STATE].contains(&labels.value(METRIC_NAME))
            && self.hidden.contains(labels.value(ALERT_NAME))
    }
}

impl<B: SeriesSource> SeriesSource for Overlay<'_, B> {
    fn select(
        &self,
        selection: Selection<'_>,
        visit: &mut dyn FnMut(&Labels, Columns<'_>) -> ControlFlow<()>,
    ) -> Result<(), SelectError> {
        let Selection { matchers, start_ms, end_ms } = selection;
        let matches = |labels: &Labels| {
            matchers.iter().all(|matcher: &Matcher| matcher.matches(labels.value(matcher.name())))
        };
        let own = self.series.iter().filter(|(labels, _)| matches(labels));
        let own = own.filter_map(|(labels, (timestamps_ms, values))| {
            let start = timestamps_ms.partition_point(|at_ms| *at_ms < start_ms);
            let end = timestamps_ms.partition_point(|at_ms| *at_ms <= end_ms);
            (start < end).then(|| {
                let timestamps_ms = &timestamps_ms[start..end];
                (labels, Columns { timestamps_ms, values: &values[start..end] })
            })
        });
        let mut own = own.peekable();
        let mut is_over = false;
        self.base.select(selection, &mut |labels, columns| {
            if self.is_hidden(labels) {
                return ControlFlow::Continue(());
            }
            while let Some((before, columns)) = own.next_if(|(before, _)| *before < labels) {
                if visit(before, columns).is_break() {
                    is_over = true;
                    return ControlFlow::Break(());
                }
            }
            let next = visit(labels, columns);
            is_over = next.is_break();
            next
        })?;
        if !is_over {
            for (labels, columns) in own {
                if visit(labels, columns).is_break() {
                    break;
                }
            }
        }
        Ok(())
    }
}
