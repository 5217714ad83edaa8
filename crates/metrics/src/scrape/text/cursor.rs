//! A place in a line.

use super::TextProblem;

/// What is left of a line.
#[derive(Debug)]
pub(super) struct Cursor<'t>(&'t str);

/// Returns whether it separates the words of a line.
pub(super) fn is_blank(character: char) -> bool {
    matches!(character, ' ' | '\t')
}

impl<'t> Cursor<'t> {
    pub(super) fn new(line: &'t str) -> Self {
        Self(line)
    }

    pub(super) fn rest(&self) -> &'t str {
        self.0
    }

    /// Takes the first `length` bytes, which end between two characters.
    pub(super) fn take(&mut self, length: usize) -> &'t str {
        let (taken, rest) = self.0.split_at(length);
        self.0 = rest;
        taken
    }

    /// Takes this byte if it comes next.
    pub(super) fn take_byte(&mut self, byte: u8) -> bool {
        let is_next = self.0.as_bytes().first() == Some(&byte);
        if is_next {
            self.take(1);
        }
        is_next
    }

    /// Skips blanks; returns whether there were any.
    pub(super) fn skip_blanks(&mut self) -> bool {
        let rest = self.0.trim_start_matches(is_blank);
        let skipped = rest.len() != self.0.len();
        self.0 = rest;
        skipped
    }

    /// Takes exactly one space, behind which something follows that is none.
    pub(super) fn take_one_blank(&mut self) -> Result<(), TextProblem> {
        let rest = self.0.strip_prefix(' ').ok_or(TextProblem::Blank)?;
        if rest.starts_with(' ') {
            return Err(TextProblem::Blank);
        }
        self.0 = rest;
        Ok(())
    }

    pub(super) fn take_until_blank(&mut self) -> &'t str {
        self.take(self.0.find(is_blank).unwrap_or(self.0.len()))
    }

    /// Takes the name of a metric, `[a-zA-Z_:][a-zA-Z0-9_:]*`.
    pub(super) fn take_metric_name(&mut self) -> Option<&'t str> {
        self.take_name(|byte| byte == b':')
    }

    /// Takes the name of a label, `[a-zA-Z_][a-zA-Z0-9_]*`.
    pub(super) fn take_label_name(&mut self) -> Option<&'t str> {
        self.take_name(|_| false)
    }

    fn take_name(&mut self, also: impl Fn(u8) -> bool) -> Option<&'t str> {
        let bytes = self.0.as_bytes();
        let belongs = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || also(byte);
        let length = bytes.iter().take_while(|byte| belongs(**byte)).count();
        let is_name = bytes.first().is_some_and(|first| belongs(*first) && !first.is_ascii_digit());
        is_name.then(|| self.take(length))
    }
}
