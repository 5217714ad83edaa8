//! Remembers which line of a target is which series.
//!
//! A steady target writes the same lines each time, so that nothing but the text of a series has to
//! be looked up. It also knows which series were there the last time, for the markers of those that
//! are gone.

use std::collections::HashMap;

use pampero_samples::{Sample, SeriesId};
use pampero_series::STALE_MARKER;

/// The series of one target.
#[derive(Debug, Default)]
pub(crate) struct SeriesCache {
    series: HashMap<Box<str>, CachedSeries>,
    scrape: u64,
}

#[derive(Clone, Copy, Debug)]
struct CachedSeries {
    /// `None` when relabelling drops the series.
    id: Option<SeriesId>,
    /// The scrape that had it last.
    seen_in: u64,
    /// The next sample may end: it was in the last scrape that was kept, without a time of its own.
    is_live: bool,
    /// Its last sample had the time of the scrape.
    is_tracked: bool,
}

/// What is known of a line.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Known {
    /// It is this series.
    Series(SeriesId),
    /// Its series is dropped.
    Dropped,
    /// It has not been seen.
    New,
}

impl SeriesCache {
    /// Begins a scrape.
    pub(crate) fn begin(&mut self) {
        self.scrape += 1;
    }

    /// Returns the series of a line, and notes that it is there.
    pub(crate) fn find(&mut self, text: &str, is_tracked: bool) -> Known {
        let Some(series) = self.series.get_mut(text) else { return Known::New };
        series.seen_in = self.scrape;
        series.is_tracked = is_tracked;
        series.id.map_or(Known::Dropped, Known::Series)
    }

    /// Notes the series of a line; `None` when it is dropped.
    pub(crate) fn insert(&mut self, text: &str, id: Option<SeriesId>, is_tracked: bool) {
        let series = CachedSeries { id, seen_in: self.scrape, is_live: false, is_tracked };
        self.series.insert(text.into(), series);
    }

    /// Appends a marker for each series that was there the last time and is not now; all of them
    /// when the scrape failed.
    pub(crate) fn mark_gone(&self, at_ms: i64, has_failed: bool, batch: &mut Vec<Sample>) {
        for series in self.series.values() {
            let is_gone = has_failed || series.seen_in != self.scrape;
            if let (true, true, Some(id)) = (series.is_live, is_gone, series.id) {
                batch.push(Sample { series: id, timestamp_ms: at_ms, value: STALE_MARKER });
            }
        }
    }

    /// Ends a scrape that is kept; series that were not in it are forgotten.
    pub(crate) fn keep(&mut self, has_failed: bool) {
        if has_failed {
            self.series.values_mut().for_each(|series| series.is_live = false);
            return;
        }
        self.series.retain(|_, series| series.seen_in == self.scrape);
        self.series.values_mut().for_each(|series| series.is_live = series.is_tracked);
    }

    /// Forgets every series, because the store has forgotten one of them.
    pub(crate) fn clear(&mut self) {
        self.series.clear();
    }
}
