//! How results of rules become samples, and how series end.

use std::collections::HashSet;

use pampero_samples::{AppendError, Sample, SeriesId};
use pampero_series::{Labels, STALE_MARKER};

use crate::writer::{Writer, chain};

/// Keeps a result, with a marker for each series of the one before that is not in it.
pub(super) fn keep(
    writer: &Writer,
    found: &[(Labels, f64)],
    timestamp_ms: i64,
    live: &mut HashSet<SeriesId>,
) -> Result<(), AppendError> {
    match try_keep(writer, found, timestamp_ms, live) {
        Err(AppendError::UnknownSeries) => {
            // One that is gone has been forgotten, and needs no marker any more.
            live.clear();
            try_keep(writer, found, timestamp_ms, live)
        }
        result => result,
    }
}

fn try_keep(
    writer: &Writer,
    found: &[(Labels, f64)],
    timestamp_ms: i64,
    live: &mut HashSet<SeriesId>,
) -> Result<(), AppendError> {
    let mut batch = Vec::with_capacity(found.len() + live.len());
    let mut now_live = HashSet::with_capacity(found.len());
    for (labels, value) in found {
        let series = match writer.resolve(labels) {
            Ok(series) => series,
            Err(error @ AppendError::SeriesLimit { .. }) => {
                writer.count_over_series_limit(1);
                return Err(error);
            }
            Err(error) => return Err(error),
        };
        now_live.insert(series);
        batch.push(Sample { series, timestamp_ms, value: *value });
    }
    let gone = live.difference(&now_live);
    batch.extend(gone.map(|series| ended(*series, timestamp_ms)));
    if !batch.is_empty() {
        writer.append(&batch)?;
    }
    *live = now_live;
    Ok(())
}

/// Puts a marker behind each of the series, as far as that can be kept.
pub(super) fn mark_ended(writer: &Writer, gone: &[SeriesId], timestamp_ms: i64) {
    let batch: Vec<Sample> = gone.iter().map(|series| ended(*series, timestamp_ms)).collect();
    if batch.is_empty() {
        return;
    }
    match writer.append(&batch) {
        // A series that has been forgotten needs no marker; the others get theirs one by one.
        Err(AppendError::UnknownSeries) if batch.len() > 1 => {
            gone.iter().for_each(|series| mark_ended(writer, &[*series], timestamp_ms));
        }
        Ok(_) | Err(AppendError::UnknownSeries) => {}
        Err(error) => {
            let error = chain(&error);
            tracing::warn!(error, "series of rules that are gone end with the look-back only");
        }
    }
}

fn ended(series: SeriesId, timestamp_ms: i64) -> Sample {
    Sample { series, timestamp_ms, value: STALE_MARKER }
}
