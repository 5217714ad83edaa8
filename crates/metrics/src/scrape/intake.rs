//! Turns the answer of one target into samples, with what is reported of the scrape itself.
//!
//! A scrape is kept as a whole: its samples, the markers of the series that are gone, and the five
//! series that Prometheus adds, in one batch with one time.

use std::collections::BTreeMap;
use std::time::Duration;

use pampero_samples::{AppendError, Sample, SeriesId};
use pampero_series::{Labels, LabelsBuilder, METRIC_NAME};

use super::relabel::{Relabel, relabel};
use super::series_cache::{Known, SeriesCache};
use super::target::ScrapeLimits;
use super::text::{
    Entry, ScrapeFormat, ScrapeText, SeriesText, TextError, TextProblem, parse_series,
};
use crate::metadata::MetadataBook;
use crate::writer::Writer;

/// Names of the series that are reported of each scrape, in the order of [`Report::values`].
const REPORTED: [&str; 5] = [
    "up",
    "scrape_duration_seconds",
    "scrape_samples_scraped",
    "scrape_samples_post_metric_relabeling",
    "scrape_series_added",
];

/// What a target answered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answer<'a> {
    pub(crate) body: &'a [u8],
    pub(crate) format: ScrapeFormat,
}

/// When a scrape was, and how long it took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timing {
    /// The time of all samples without one of their own, in milliseconds since the Unix epoch.
    pub(crate) at_ms: i64,
    pub(crate) duration: Duration,
}

/// Why nothing of an answer is kept.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IntakeError {
    #[error("the answer is malformed")]
    Malformed(#[source] TextError),
    #[error("the answer has more than {max} samples; raise the limit, or drop some by relabelling")]
    TooManySamples { max: usize },
    #[error("the series {series:?} has {found} labels, and {max} are the most")]
    TooManyLabels { series: String, found: usize, max: usize },
    #[error("a label of the series {series:?} is too long")]
    LabelTooLong { series: String },
    #[error("the answer cannot be kept")]
    Append(#[source] AppendError),
}

/// The series of one target, and how they are made from its answers.
#[derive(Debug)]
pub(crate) struct Intake {
    pub(crate) labels: Labels,
    pub(crate) honor_labels: bool,
    pub(crate) honor_timestamps: bool,
    pub(crate) relabel: Vec<Relabel>,
    pub(crate) limits: ScrapeLimits,
    cache: SeriesCache,
    reported: Option<[SeriesId; 5]>,
    batch: Vec<Sample>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Report {
    is_up: bool,
    scraped: usize,
    kept: usize,
    added: usize,
}

impl Intake {
    /// Begins without any series.
    pub(crate) fn new(labels: Labels, limits: ScrapeLimits) -> Self {
        Self {
            labels,
            honor_labels: false,
            honor_timestamps: true,
            relabel: Vec::new(),
            limits,
            cache: SeriesCache::default(),
            reported: None,
            batch: Vec::new(),
        }
    }

    /// Keeps one scrape. Without an answer all series of the target end.
    ///
    /// # Errors
    /// The answer is malformed or too large, and only that is kept; or nothing can be kept.
    pub(crate) fn record(
        &mut self,
        writer: &Writer,
        metadata: &mut MetadataBook,
        answer: Option<Answer<'_>>,
        timing: Timing,
    ) -> Result<(), IntakeError> {
        let result = self.record_once(writer, metadata, answer, timing);
        if !matches!(result, Err(IntakeError::Append(AppendError::UnknownSeries))) {
            return result;
        }
        // The store has forgotten a series that had no samples left; every line is looked up anew.
        self.cache.clear();
        self.reported = None;
        self.record_once(writer, metadata, answer, timing)
    }

    fn record_once(
        &mut self,
        writer: &Writer,
        metadata: &mut MetadataBook,
        answer: Option<Answer<'_>>,
        timing: Timing,
    ) -> Result<(), IntakeError> {
        let mut batch = std::mem::take(&mut self.batch);
        batch.clear();
        self.cache.begin();
        let mut report = Report::default();
        let result = match answer {
            Some(answer) => {
                self.collect(writer, metadata, answer, timing.at_ms, &mut batch, &mut report)
            }
            None => Ok(()),
        };
        report.is_up = answer.is_some() && result.is_ok();
        if !report.is_up {
            batch.clear();
        }
        self.cache.mark_gone(timing.at_ms, !report.is_up, &mut batch);
        let appended = self
            .report(writer, report, timing, &mut batch)
            .and_then(|()| writer.append(&batch))
            .map_err(IntakeError::Append);
        self.batch = batch;
        appended?;
        self.cache.keep(!report.is_up);
        result
    }

    fn collect(
        &mut self,
        writer: &Writer,
        metadata: &mut MetadataBook,
        answer: Answer<'_>,
        at_ms: i64,
        batch: &mut Vec<Sample>,
        report: &mut Report,
    ) -> Result<(), IntakeError> {
        let mut text =
            ScrapeText::new(answer.body, answer.format).map_err(IntakeError::Malformed)?;
        metadata.begin();
        while let Some(entry) = text.next_entry().map_err(IntakeError::Malformed)? {
            let Entry::Sample { series, value, timestamp_ms } = entry else {
                metadata.note(&entry);
                continue;
            };
            let own_ms = timestamp_ms.filter(|_| self.honor_timestamps);
            let known = self.cache.find(series, own_ms.is_none());
            report.scraped += usize::from(known != Known::New);
            let is_over = self.limits.samples_max <= report.kept;
            let id = match known {
                Known::Series(id) => Some(id),
                Known::Dropped => continue,
                Known::New => {
                    let malformed =
                        |problem| IntakeError::Malformed(TextError { line: text.line(), problem });
                    let parsed = parse_series(series, answer.format).map_err(malformed)?;
                    report.scraped += 1;
                    if parsed.has_label_twice() {
                        return Err(malformed(TextProblem::LabelTwice));
                    }
                    report.added += 1;
                    let labels = with_target_labels(&parsed, &self.labels, self.honor_labels);
                    let Some(labels) = relabel(&self.relabel, labels) else {
                        self.cache.insert(series, None, own_ms.is_none());
                        continue;
                    };
                    self.check_labels(series, &labels)?;
                    // Beyond the limit lines are counted only, and no series is registered.
                    if is_over { None } else { self.register(writer, series, &labels, own_ms)? }
                }
            };
            report.kept += 1;
            if let Some(id) = id.filter(|_| !is_over) {
                batch.push(Sample { series: id, timestamp_ms: own_ms.unwrap_or(at_ms), value });
            }
        }
        metadata.end();
        let max = self.limits.samples_max;
        if max < report.kept { Err(IntakeError::TooManySamples { max }) } else { Ok(()) }
    }

    /// Registers the series of a line that was not seen before; `None` when it is one too many.
    fn register(
        &mut self,
        writer: &Writer,
        text: &str,
        labels: &Labels,
        own_ms: Option<i64>,
    ) -> Result<Option<SeriesId>, IntakeError> {
        match writer.resolve(labels) {
            Ok(id) => {
                self.cache.insert(text, Some(id), own_ms.is_none());
                Ok(Some(id))
            }
            Err(AppendError::SeriesLimit { .. }) => {
                // The other series of the target are as good as before.
                writer.count_over_series_limit(1);
                Ok(None)
            }
            Err(error) => Err(IntakeError::Append(error)),
        }
    }

    fn check_labels(&self, text: &str, labels: &Labels) -> Result<(), IntakeError> {
        let series = || text.chars().take(200).collect::<String>();
        let limits = &self.limits;
        if limits.labels_max < labels.len() {
            let (found, max) = (labels.len(), limits.labels_max);
            return Err(IntakeError::TooManyLabels { series: series(), found, max });
        }
        let is_too_long = labels.iter().any(|(name, value)| {
            limits.label_name_bytes_max < name.len() || limits.label_value_bytes_max < value.len()
        });
        if is_too_long { Err(IntakeError::LabelTooLong { series: series() }) } else { Ok(()) }
    }

    fn report(
        &mut self,
        writer: &Writer,
        report: Report,
        timing: Timing,
        batch: &mut Vec<Sample>,
    ) -> Result<(), AppendError> {
        let ids = match self.reported {
            Some(ids) => ids,
            None => {
                let mut ids = Vec::with_capacity(REPORTED.len());
                for name in REPORTED {
                    ids.push(writer.resolve(&self.labels.with(METRIC_NAME, name))?);
                }
                *self.reported.insert(ids.try_into().expect("as many as there are names"))
            }
        };
        let values = report.values(timing.duration);
        batch.extend(ids.into_iter().zip(values).map(|(series, value)| Sample {
            series,
            timestamp_ms: timing.at_ms,
            value,
        }));
        Ok(())
    }
}

impl Report {
    fn values(self, duration: Duration) -> [f64; 5] {
        let up = if self.is_up { 1.0 } else { 0.0 };
        let counts = [self.scraped as f64, self.kept as f64, self.added as f64];
        [up, duration.as_secs_f64(), counts[0], counts[1], counts[2]]
    }
}

/// Puts the labels of the target on a series.
///
/// Where both have a label, the target's wins and the series' is renamed to `exported_…`; or, when
/// labels are honoured, the series' wins, even if it is empty.
fn with_target_labels(parsed: &SeriesText<'_>, target: &Labels, honor_labels: bool) -> Labels {
    let own: BTreeMap<&str, &str> =
        parsed.labels.iter().map(|(name, value)| (*name, &**value)).collect();
    let mut labels = LabelsBuilder::default();
    labels.set(METRIC_NAME, parsed.metric);
    for (name, value) in target.iter() {
        if !(honor_labels && own.contains_key(name)) {
            labels.set(name, value);
        }
    }
    for (name, value) in &own {
        if honor_labels || target.get(name).is_none() {
            labels.set(name, value);
        } else if !value.is_empty() {
            let mut renamed = format!("exported_{name}");
            while own.contains_key(renamed.as_str()) || target.get(&renamed).is_some() {
                renamed.insert_str(0, "exported_");
            }
            labels.set(&renamed, value);
        }
    }
    labels.build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, honor_labels: bool, expected: &str) {
        let target = [("job", "node"), ("instance", "a:1")].into_iter().collect();
        let parsed = parse_series(text, ScrapeFormat::PrometheusText).unwrap();
        let labels = with_target_labels(&parsed, &target, honor_labels);
        assert_eq!(labels.to_string(), expected);
    }

    #[test]
    fn labels_of_series_and_target_are_put_together() {
        check("m", false, r#"m{instance="a:1", job="node"}"#);
        check("m{x=\"1\",y=\"\"}", false, r#"m{instance="a:1", job="node", x="1"}"#);
        check("m{job=\"j\"}", false, r#"m{exported_job="j", instance="a:1", job="node"}"#);
        check("m{job=\"\"}", false, r#"m{instance="a:1", job="node"}"#);
        check(
            "m{job=\"j\",exported_job=\"k\"}",
            false,
            r#"m{exported_exported_job="j", exported_job="k", instance="a:1", job="node"}"#,
        );
        check("m{job=\"j\"}", true, r#"m{instance="a:1", job="j"}"#);
        check("m{job=\"\"}", true, r#"m{instance="a:1"}"#);
    }
}
