//! The name and the labels of a series, as they are written before a value.

use std::borrow::Cow;

use super::TextProblem;
use super::cursor::Cursor;

/// A series as it was written: its name, and its labels in their order.
///
/// A label that is there without a value has an empty one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct SeriesText<'t> {
    /// The name of the metric.
    pub(crate) metric: &'t str,
    /// The labels, each name once.
    pub(crate) labels: Vec<(&'t str, Cow<'t, str>)>,
}

/// Reads the name and the labels of a series.
///
/// # Errors
/// Something is malformed, or a label is there twice.
pub(crate) fn parse_series(text: &str) -> Result<SeriesText<'_>, TextProblem> {
    let mut words = Cursor::new(text);
    let metric = words.take_metric_name().ok_or(TextProblem::NoName)?;
    let mut labels = Vec::new();
    words.skip_blanks();
    if !words.rest().is_empty() {
        read_labels(&mut words, |name, value| labels.push((name, unescape(value))))?;
    }
    let mut names: Vec<_> = labels.iter().map(|(name, _)| *name).collect();
    names.sort_unstable();
    let has_twice = names.windows(2).any(|pair| pair[0] == pair[1]);
    if has_twice || names.contains(&"__name__") {
        return Err(TextProblem::LabelTwice);
    }
    Ok(SeriesText { metric, labels })
}

/// Cuts out the text of a series, whose labels are checked for where they end only.
pub(super) fn take_series<'t>(words: &mut Cursor<'t>) -> Result<&'t str, TextProblem> {
    let line = words.rest();
    words.take_metric_name().ok_or(TextProblem::NoName)?;
    let name_end = line.len() - words.rest().len();
    words.skip_blanks();
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

/// Reads labels between braces, and forgets them.
pub(super) fn take_labels(words: &mut Cursor<'_>) -> Result<(), TextProblem> {
    read_labels(words, |_, _| {})
}

fn read_labels<'t>(
    words: &mut Cursor<'t>,
    mut found: impl FnMut(&'t str, &'t str),
) -> Result<(), TextProblem> {
    if !words.take_byte(b'{') {
        return Err(TextProblem::LabelsNotClosed);
    }
    loop {
        words.skip_blanks();
        if words.take_byte(b'}') {
            return Ok(());
        }
        let name = words.take_label_name().ok_or(TextProblem::NoName)?;
        words.skip_blanks();
        if !words.take_byte(b'=') {
            return Err(TextProblem::NoEquals);
        }
        words.skip_blanks();
        found(name, take_quoted(words)?);
        words.skip_blanks();
        if !words.take_byte(b',') && !words.rest().starts_with('}') {
            return Err(TextProblem::LabelsNotClosed);
        }
    }
}

/// Takes a value between quotes; returns it with its escapes, which all have a meaning.
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
            b'\\' => match bytes.next() {
                Some((_, b'\\' | b'"' | b'n')) => {}
                _ => return Err(TextProblem::UnknownEscape),
            },
            _ => {}
        }
    }
    Err(TextProblem::NoQuote)
}

/// Replaces `\\`, `\"` and `\n` by what they mean.
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
