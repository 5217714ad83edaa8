//! Reading: head and blocks put together, one series at a time.

use std::collections::{BTreeSet, HashSet};
use std::ops::ControlFlow;

use pampero_series::{Columns, Labels, Matcher, SelectError, Selection, SeriesSource};

use super::{SampleStore, Shared};
use crate::block::{self, Block, ColumnReader};
use crate::database::{LIVE, Reader};
use crate::error::StorageError;
use crate::head::View;
use crate::locks;
use crate::parts::Parts;
use crate::sample::SeriesId;

impl SeriesSource for SampleStore {
    /// A visitor must not select again while as many reads go on as may: it would wait for itself.
    fn select(
        &self,
        selection: Selection<'_>,
        visit: &mut dyn FnMut(&Labels, Columns<'_>) -> ControlFlow<()>,
    ) -> Result<(), SelectError> {
        self.shared.select(selection, visit).map_err(unreadable)
    }
}

impl SampleStore {
    /// Returns the labels of the series that match one of the sets of matchers and have samples
    /// about the range, in ascending order, at most `limit`; without any set, of all series.
    ///
    /// Both ends of the range are in milliseconds since the Unix epoch and belong to it. Of samples
    /// on disk it is only known in which block they are, so a series may come up that has samples
    /// on the same day only.
    ///
    /// # Errors
    /// They cannot be read.
    pub fn series(
        &self,
        sets: &[&[Matcher]],
        start_ms: i64,
        end_ms: i64,
        limit: usize,
    ) -> Result<Vec<Labels>, SelectError> {
        let present = self.shared.present(sets, (start_ms, end_ms)).map_err(unreadable)?;
        let index = locks::read(&self.shared.index);
        Ok(present.into_iter().filter_map(|series| index.labels(series)).take(limit).collect())
    }

    /// Returns the names of the labels of such series, in ascending order, at most `limit`.
    ///
    /// # Errors
    /// They cannot be read.
    pub fn label_names(
        &self,
        sets: &[&[Matcher]],
        start_ms: i64,
        end_ms: i64,
        limit: usize,
    ) -> Result<Vec<String>, SelectError> {
        let present = self.shared.present(sets, (start_ms, end_ms)).map_err(unreadable)?;
        let index = locks::read(&self.shared.index);
        Ok(first(present.iter().flat_map(|series| index.names(*series)), limit))
    }

    /// Returns the values of a label of such series, in ascending order, at most `limit`.
    ///
    /// # Errors
    /// They cannot be read.
    pub fn label_values(
        &self,
        name: &str,
        sets: &[&[Matcher]],
        start_ms: i64,
        end_ms: i64,
        limit: usize,
    ) -> Result<Vec<String>, SelectError> {
        let present = self.shared.present(sets, (start_ms, end_ms)).map_err(unreadable)?;
        let index = locks::read(&self.shared.index);
        Ok(first(present.iter().filter_map(|series| index.value(*series, name)), limit))
    }
}

/// What there was at one moment: the view of the head is taken first, so that what is folded
/// meanwhile is in both, where doubles are left out, and never in neither.
struct Snapshot<'s> {
    view: View,
    /// Its transaction goes on, so that blocks neither come nor go.
    reader: Reader<'s>,
    /// The blocks that overlap the range, the earliest first.
    blocks: Vec<Block>,
    range_ms: (i64, i64),
}

impl Shared {
    fn snapshot(&self, range_ms: (i64, i64)) -> Result<Snapshot<'_>, StorageError> {
        // Before the view, because it may wait.
        let reader = self.readers.take()?;
        let view = locks::read(&self.head).view();
        reader.connection().execute_batch("BEGIN")?;
        let mut blocks = block::load(reader.connection(), LIVE)?;
        blocks.retain(|block| block.overlaps(range_ms));
        Ok(Snapshot { view, reader, blocks, range_ms })
    }

    fn select(
        &self,
        selection: Selection<'_>,
        visit: &mut dyn FnMut(&Labels, Columns<'_>) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        let snapshot = self.snapshot((selection.start_ms, selection.end_ms))?;
        let matching = locks::read(&self.index).matching(&[selection.matchers]);
        let mut columns = ColumnReader::default();
        let mut parts = Parts::default();
        for series in matching {
            snapshot.read(&mut columns, series, &mut parts)?;
            if parts.values.is_empty() {
                continue;
            }
            // Without labels it was forgotten since it was found, so its samples had been dropped.
            let Some(labels) = locks::read(&self.index).labels(series) else { continue };
            let shown = Columns { timestamps_ms: &parts.times_ms, values: &parts.values };
            if visit(&labels, shown).is_break() {
                break;
            }
        }
        snapshot.end()
    }

    /// Returns the series that match and have samples about the range, in the order of their labels.
    fn present(
        &self,
        sets: &[&[Matcher]],
        range_ms: (i64, i64),
    ) -> Result<Vec<SeriesId>, StorageError> {
        let snapshot = self.snapshot(range_ms)?;
        let mut series = locks::read(&self.index).matching(sets);
        snapshot.keep_present(&mut series)?;
        snapshot.end()?;
        Ok(series)
    }
}

impl Snapshot<'_> {
    /// Puts the samples of a series into `parts`.
    fn read(
        &self,
        columns: &mut ColumnReader,
        series: SeriesId,
        parts: &mut Parts,
    ) -> Result<(), StorageError> {
        parts.clear();
        let connection = self.reader.connection();
        for block in &self.blocks {
            columns.read_into(connection, block, series.number, self.range_ms, parts)?;
        }
        for (generation, cut) in &self.view {
            generation.read_into(series.slot, *cut, self.range_ms, parts);
        }
        parts.finish();
        Ok(())
    }

    /// Keeps the series that have samples in the head in the range, or in one of the blocks.
    fn keep_present(&self, series: &mut Vec<SeriesId>) -> Result<(), StorageError> {
        let mut numbers = HashSet::new();
        for block in &self.blocks {
            numbers.extend(block::members(self.reader.connection(), block.id)?);
        }
        let in_head = |series: &SeriesId| {
            let has = |(generation, cut): &(std::sync::Arc<crate::head::Generation>, u32)| {
                generation.has(series.slot, *cut, self.range_ms)
            };
            self.view.iter().any(has)
        };
        series.retain(|series| numbers.contains(&series.number) || in_head(series));
        Ok(())
    }

    /// Ends the transaction, so that the connection can be used again.
    fn end(self) -> Result<(), StorageError> {
        Ok(self.reader.connection().execute_batch("COMMIT")?)
    }
}

/// Returns the first of the different texts.
fn first<'t>(texts: impl Iterator<Item = &'t str>, limit: usize) -> Vec<String> {
    let different: BTreeSet<&str> = texts.collect();
    different.into_iter().take(limit).map(str::to_owned).collect()
}

fn unreadable(error: StorageError) -> SelectError {
    SelectError::Unreadable(error.into())
}
