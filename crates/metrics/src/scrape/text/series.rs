//! The name and the labels of a series, as they are written before a value.

use std::borrow::Cow;

use pampero_series::METRIC_NAME;

use super::cursor::Cursor;
use super::{ScrapeFormat, TextProblem};

/// A series as it was written: its name, and its labels in their order.
///
/// A label that is there without a value has an empty one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct SeriesText<'t> {
    /// The name of the metric.
    pub(crate) metric: &'t str,
    /// The labels.
    pub(crate) labels: Vec<(&'t str, Cow<'t, str>)>,
}

impl SeriesText<'_> {
    /// Returns whether a label is there twice, the name of the metric among them.
    pub(crate) fn has_label_twice(&self) -> bool {
        let mut names: Vec<_> = self.labels.iter().map(|(name, _)| *name).collect();
        names.sort_unstable();
        names.windows(2).any(|pair| pair[0] == pair[1]) || names.contains(&METRIC_NAME)
    }
}

/// Reads the name and the labels of a series.
///
/// # Errors
/// Something is malformed.
pub(crate) fn parse_series(
    text: &str,
    format: ScrapeFormat,
) -> Result<SeriesText<'_>, TextProblem> {
    let mut words = Cursor::new(text);
    let metric = words.take_metric_name().ok_or(TextProblem::NoName)?;
    let mut labels = Vec::new();
    skip_blanks(&mut words, format);
    if !words.rest().is_empty() {
        read_labels(&mut words, format, |name, value| labels.push((name, unescape(value))))?;
    }
    Ok(SeriesText { metric, labels })
}

/// Cuts out the text of a series, whose labels are checked for where they end only.
pub(super) fn take_series<'t>(
    words: &mut Cursor<'t>,
    format: ScrapeFormat,
) -> Result<&'t str, TextProblem> {
    let line = words.rest();
    words.take_metric_name().ok_or(TextProblem::NoName)?;
    let name_end = line.len() - words.rest().len();
    skip_blanks(words, format);
    if !words.rest().starts_with('{') {
        // Blanks belong to whatever follows, so that two spellings are one series.
        *words = Cursor::new(&line[name_end..]);
        if !words.rest().starts_with([' ', '\t']) && !words.rest().is_empty() {
            return Err(TextProblem::NoName);
        }
        return Ok(&line[..name_end]);
    }
    let end = end_of_labels(words.rest())?;
    words.take(end);
    Ok(&line[..line.len() - words.rest().len()])
}

/// Returns where the labels end that `text` begins with, the closing brace included.
fn end_of_labels(text: &str) -> Result<usize, TextProblem> {
    let mut in_quotes = false;
    let mut bytes = text.bytes().enumerate();
    while let Some((index, byte)) = bytes.next() {
        match byte {
            b'"' => in_quotes = !in_quotes,
            b'\\' if in_quotes => {
                bytes.next();
            }
            b'}' if !in_quotes => return Ok(index + 1),
            _ => {}
        }
    }
    Err(if in_quotes { TextProblem::NoQuote } else { TextProblem::LabelsNotClosed })
}

/// Reads labels of OpenMetrics between braces, and forgets them.
pub(super) fn skip_labels(words: &mut Cursor<'_>) -> Result<(), TextProblem> {
    read_labels(words, ScrapeFormat::OpenMetrics, |_, _| {})
}

/// Skips blanks where the format allows them between the parts of a series.
fn skip_blanks(words: &mut Cursor<'_>, format: ScrapeFormat) {
    if format == ScrapeFormat::PrometheusText {
        words.skip_blanks();
    }
}

fn read_labels<'t>(
    words: &mut Cursor<'t>,
    format: ScrapeFormat,
    mut found: impl FnMut(&'t str, &'t str),
) -> Result<(), TextProblem> {
    if !words.take_byte(b'{') {
        return Err(TextProblem::LabelsNotClosed);
    }
    // OpenMetrics has no comma behind the last label.
    let mut may_end = true;
    loop {
        skip_blanks(words, format);
        if may_end && words.take_byte(b'}') {
            return Ok(());
        }
        let name = words.take_label_name().ok_or(TextProblem::NoName)?;
        skip_blanks(words, format);
        if !words.take_byte(b'=') {
            return Err(TextProblem::NoEquals);
        }
        skip_blanks(words, format);
        found(name, take_quoted(words)?);
        skip_blanks(words, format);
        let has_comma = words.take_byte(b',');
        if !has_comma && !words.rest().starts_with('}') {
            return Err(TextProblem::LabelsNotClosed);
        }
        may_end = !has_comma || format == ScrapeFormat::PrometheusText;
    }
}

/// Takes a value between quotes; returns it with its escapes.
fn take_quoted<'t>(words: &mut Cursor<'t>) -> Result<&'t str, TextProblem> {
    if !words.take_byte(b'"') {
        return Err(TextProblem::NoQuote);
    }
    let mut bytes = words.rest().bytes().enumerate();
    while let Some((index, byte)) = bytes.next() {
        match byte {
            b'"' => {
                let value = words.take(index);
                words.take(1);
                return Ok(value);
            }
            b'\\' => {
                bytes.next();
            }
            _ => {}
        }
    }
    Err(TextProblem::NoQuote)
}

/// Replaces `\\`, `\"` and `\n` by what they mean; a backslash before anything else is one.
fn unescape(written: &str) -> Cow<'_, str> {
    replace_escapes(written, |escaped| match escaped {
        'n' => Some('\n'),
        '\\' | '"' => Some(escaped),
        _ => None,
    })
}

/// Replaces `\\` and `\n` by what they mean, and leaves what has no meaning in a help.
pub(super) fn unescape_help(written: &str) -> Cow<'_, str> {
    replace_escapes(written, |escaped| match escaped {
        'n' => Some('\n'),
        '\\' => Some('\\'),
        _ => None,
    })
}

fn replace_escapes(written: &str, meaning: impl Fn(char) -> Option<char>) -> Cow<'_, str> {
    if !written.contains('\\') {
        return Cow::Borrowed(written);
    }
    let mut plain = String::with_capacity(written.len());
    let mut characters = written.chars().peekable();
    while let Some(character) = characters.next() {
        let meant = characters.peek().copied().filter(|_| character == '\\').and_then(&meaning);
        plain.push(meant.unwrap_or(character));
        if meant.is_some() {
            characters.next();
        }
    }
    Cow::Owned(plain)
}
