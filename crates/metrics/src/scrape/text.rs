//! Reads the text formats of metrics: Prometheus 0.0.4 and OpenMetrics 1.0, line by line.
//!
//! [`ScrapeText`] hands out one [`Entry`] after another and copies nothing. The text of a series is
//! only cut out, so that whoever saw it before need not look into it; [`parse_series`] does. Both
//! are strict: a line that is wrong is an error that names it.
//!
//! Source: Prometheus, exposition formats, text-based format 0.0.4; OpenMetrics 1.0, text format.

mod cursor;
mod number;
mod series;

use std::borrow::Cow;

use crate::metadata::MetricKind;
use cursor::Cursor;

pub(crate) use series::{SeriesText, parse_series};

/// Which of the two formats a text is in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ScrapeFormat {
    /// Prometheus text 0.0.4: timestamps in milliseconds, free with blanks.
    PrometheusText,
    /// OpenMetrics 1.0: timestamps in seconds, strict with blanks, ends with `# EOF`.
    OpenMetrics,
}

impl ScrapeFormat {
    /// Chooses by the `Content-Type` of an answer; what does not name OpenMetrics is Prometheus text.
    pub(crate) fn for_content_type(content_type: Option<&str>) -> Self {
        let media = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
        if media.eq_ignore_ascii_case("application/openmetrics-text") {
            Self::OpenMetrics
        } else {
            Self::PrometheusText
        }
    }
}

/// One line that says something.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Entry<'t> {
    /// The value of a series.
    Sample {
        /// Name and labels, as they were written.
        series: &'t str,
        /// The value; all NaN are the same one.
        value: f64,
        /// Milliseconds since the Unix epoch; `None` when the line does not say.
        timestamp_ms: Option<i64>,
    },
    /// The type of a metric.
    Kind {
        /// The name of the metric.
        metric: &'t str,
        /// Its type.
        kind: MetricKind,
    },
    /// The meaning of a metric.
    Help {
        /// The name of the metric.
        metric: &'t str,
        /// Its meaning, without escapes.
        help: Cow<'t, str>,
    },
    /// The unit of a metric.
    Unit {
        /// The name of the metric.
        metric: &'t str,
        /// Its unit.
        unit: &'t str,
    },
}

/// What is wrong with a text.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub(crate) struct TextError {
    /// The line, counted from 1.
    pub(crate) line: usize,
    /// What is wrong there.
    pub(crate) problem: TextProblem,
}

/// What is wrong with a line.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum TextProblem {
    /// A byte is not part of UTF-8.
    #[error("not valid UTF-8")]
    NotUtf8,
    /// There is no name where one belongs.
    #[error("a name was expected")]
    NoName,
    /// There is no `=` after the name of a label.
    #[error("'=' was expected after the name of a label")]
    NoEquals,
    /// The value of a label does not begin or end with a quote.
    #[error("the value of a label has to stand between double quotes")]
    NoQuote,
    /// Labels are not separated or not closed.
    #[error("',' or '}}' was expected after a label")]
    LabelsNotClosed,
    /// A label is there twice.
    #[error("a label is there twice")]
    LabelTwice,
    /// The value is no number.
    #[error("the value is no number")]
    NoValue,
    /// The timestamp is no number or out of range.
    #[error("the timestamp is no number, or out of range")]
    NoTimestamp,
    /// A blank is missing or one too many.
    #[error("exactly one blank was expected")]
    Blank,
    /// Something stands behind the sample.
    #[error("nothing was expected behind the sample")]
    Trailing,
    /// The type is unknown.
    #[error("the type of the metric is unknown")]
    UnknownKind,
    /// The unit is not the end of the name.
    #[error("the name of a metric has to end with its unit")]
    UnitNotInName,
    /// A comment of OpenMetrics is none of the four that there are.
    #[error("a comment has to be HELP, TYPE, UNIT or EOF")]
    UnknownComment,
    /// The exemplar is malformed.
    #[error("the exemplar is malformed")]
    Exemplar,
    /// A line of OpenMetrics is empty.
    #[error("empty lines are not allowed")]
    EmptyLine,
    /// Something stands behind `# EOF`.
    #[error("nothing was expected behind '# EOF'")]
    BehindEnd,
    /// The text is cut off.
    #[error("the text is cut off: '# EOF' is missing")]
    NoEnd,
}

/// A text that is read line by line.
#[derive(Debug)]
pub(crate) struct ScrapeText<'t> {
    rest: &'t str,
    line: usize,
    format: ScrapeFormat,
    ended: bool,
}

impl<'t> ScrapeText<'t> {
    /// Begins to read `body`.
    ///
    /// # Errors
    /// The body is not UTF-8.
    pub(crate) fn new(body: &'t [u8], format: ScrapeFormat) -> Result<Self, TextError> {
        let rest = std::str::from_utf8(body).map_err(|error| {
            let before = &body[..error.valid_up_to()];
            let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
            TextError { line, problem: TextProblem::NotUtf8 }
        })?;
        Ok(Self { rest, line: 0, format, ended: false })
    }

    /// Returns the line that was read last, counted from 1.
    pub(crate) fn line(&self) -> usize {
        self.line
    }

    /// Returns what the next line that says something says; `None` at the end.
    ///
    /// # Errors
    /// The line is malformed.
    pub(crate) fn next_entry(&mut self) -> Result<Option<Entry<'t>>, TextError> {
        loop {
            let Some(line) = self.next_line() else {
                let is_cut_off = self.format == ScrapeFormat::OpenMetrics && !self.ended;
                return if is_cut_off { Err(self.error(TextProblem::NoEnd)) } else { Ok(None) };
            };
            let entry = match self.format {
                ScrapeFormat::PrometheusText => prometheus_line(line),
                ScrapeFormat::OpenMetrics => self.open_metrics_line(line),
            };
            if let Some(entry) = entry.map_err(|problem| self.error(problem))? {
                return Ok(Some(entry));
            }
        }
    }

    fn next_line(&mut self) -> Option<&'t str> {
        if self.rest.is_empty() {
            return None;
        }
        self.line += 1;
        let (line, rest) = self.rest.split_once('\n').unwrap_or((self.rest, ""));
        self.rest = rest;
        Some(line)
    }

    fn open_metrics_line(&mut self, line: &'t str) -> Result<Option<Entry<'t>>, TextProblem> {
        if self.ended {
            return Err(TextProblem::BehindEnd);
        }
        match line {
            "" => Err(TextProblem::EmptyLine),
            "# EOF" => {
                self.ended = true;
                Ok(None)
            }
            _ => match line.strip_prefix('#') {
                Some(comment) => open_metrics_comment(comment).map(Some),
                None => open_metrics_sample(line).map(Some),
            },
        }
    }

    fn error(&self, problem: TextProblem) -> TextError {
        TextError { line: self.line, problem }
    }
}

fn prometheus_line(line: &str) -> Result<Option<Entry<'_>>, TextProblem> {
    let line = line.trim_start_matches(cursor::is_blank);
    let Some(comment) = line.strip_prefix('#') else {
        return if line.is_empty() { Ok(None) } else { prometheus_sample(line).map(Some) };
    };
    let mut words = Cursor::new(comment);
    let is_apart = words.skip_blanks();
    let keyword = words.take_until_blank();
    if !(is_apart && matches!(keyword, "HELP" | "TYPE") && words.skip_blanks()) {
        return Ok(None);
    }
    let metric = words.take_metric_name().ok_or(TextProblem::NoName)?;
    let has_blank = words.skip_blanks();
    let said = words.rest();
    if !said.is_empty() && !has_blank {
        return Err(TextProblem::NoName);
    }
    if keyword == "TYPE" {
        return prometheus_kind(said).map(|kind| Some(Entry::Kind { metric, kind }));
    }
    Ok(Some(Entry::Help { metric, help: series::unescape_help(said) }))
}

fn prometheus_kind(said: &str) -> Result<MetricKind, TextProblem> {
    match said {
        "counter" => Ok(MetricKind::Counter),
        "gauge" => Ok(MetricKind::Gauge),
        "histogram" => Ok(MetricKind::Histogram),
        "summary" => Ok(MetricKind::Summary),
        "untyped" | "unknown" => Ok(MetricKind::Unknown),
        _ => Err(TextProblem::UnknownKind),
    }
}

fn prometheus_sample(line: &str) -> Result<Entry<'_>, TextProblem> {
    let mut words = Cursor::new(line);
    let series = series::take_series(&mut words, ScrapeFormat::PrometheusText)?;
    words.skip_blanks();
    let value = number::parse_value(words.take_until_blank()).ok_or(TextProblem::NoValue)?;
    words.skip_blanks();
    let timestamp_ms = match words.take_until_blank() {
        "" => None,
        written => Some(written.parse().map_err(|_| TextProblem::NoTimestamp)?),
    };
    words.skip_blanks();
    if !words.rest().is_empty() {
        return Err(TextProblem::Trailing);
    }
    Ok(Entry::Sample { series, value, timestamp_ms })
}

fn open_metrics_comment(comment: &str) -> Result<Entry<'_>, TextProblem> {
    let mut words = Cursor::new(comment);
    words.take_one_blank()?;
    let keyword = words.take_until_blank();
    if !matches!(keyword, "HELP" | "TYPE" | "UNIT") {
        return Err(TextProblem::UnknownComment);
    }
    words.take_one_blank()?;
    let metric = words.take_metric_name().ok_or(TextProblem::NoName)?;
    words.take_one_blank()?;
    let said = words.rest();
    match keyword {
        "HELP" => Ok(Entry::Help { metric, help: series::unescape_help(said) }),
        "UNIT" if is_unit_of(said, metric) => Ok(Entry::Unit { metric, unit: said }),
        "UNIT" => Err(TextProblem::UnitNotInName),
        _ => open_metrics_kind(said).map(|kind| Entry::Kind { metric, kind }),
    }
}

fn is_unit_of(unit: &str, metric: &str) -> bool {
    unit.is_empty() || metric.strip_suffix(unit).is_some_and(|before| before.ends_with('_'))
}

fn open_metrics_kind(said: &str) -> Result<MetricKind, TextProblem> {
    match said {
        "info" => Ok(MetricKind::Info),
        "stateset" => Ok(MetricKind::StateSet),
        "gaugehistogram" => Ok(MetricKind::GaugeHistogram),
        "untyped" => Err(TextProblem::UnknownKind),
        other => prometheus_kind(other),
    }
}

fn open_metrics_sample(line: &str) -> Result<Entry<'_>, TextProblem> {
    let mut words = Cursor::new(line);
    let series = series::take_series(&mut words, ScrapeFormat::OpenMetrics)?;
    words.take_one_blank()?;
    let value = number::parse_value(words.take_until_blank()).ok_or(TextProblem::NoValue)?;
    let mut timestamp_ms = None;
    if !words.rest().is_empty() {
        words.take_one_blank()?;
        if !words.rest().starts_with('#') {
            let written = words.take_until_blank();
            timestamp_ms = Some(number::parse_seconds(written).ok_or(TextProblem::NoTimestamp)?);
            if !words.rest().is_empty() {
                words.take_one_blank()?;
            }
        }
    }
    match words.rest() {
        "" => {}
        exemplar if exemplar.starts_with('#') => skip_exemplar(exemplar)?,
        _ => return Err(TextProblem::Trailing),
    }
    Ok(Entry::Sample { series, value, timestamp_ms })
}

/// Checks an exemplar, of which nothing is kept.
fn skip_exemplar(exemplar: &str) -> Result<(), TextProblem> {
    let rest = exemplar.strip_prefix("# ").ok_or(TextProblem::Exemplar)?;
    let mut words = Cursor::new(rest);
    series::skip_labels(&mut words).map_err(|_| TextProblem::Exemplar)?;
    let written = words.rest().strip_prefix(' ').ok_or(TextProblem::Exemplar)?;
    let (value, timestamp) = written.split_once(' ').unwrap_or((written, "0"));
    let is_right =
        number::parse_value(value).is_some() && number::parse_seconds(timestamp).is_some();
    if is_right { Ok(()) } else { Err(TextProblem::Exemplar) }
}

#[cfg(test)]
mod tests;
