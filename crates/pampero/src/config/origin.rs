//! Where a setting was written, and what is wrong there.

use std::fmt::{self, Display, Write};

/// Where a setting was written.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Origin {
    /// In the file; both count from 1, the column in characters.
    File {
        /// The line.
        line: usize,
        /// The column.
        column: usize,
    },
    /// In the environment variable of that name.
    Variable(String),
    /// Nowhere: the default holds.
    Default,
}

/// A text with the beginnings of its lines, so that a place in a long file is found at once.
pub(super) struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    /// Looks the lines of `text` up.
    pub(super) fn of(text: &'t str) -> Self {
        let after_newlines = text.match_indices('\n').map(|(newline, _)| newline + 1);
        Self { text, starts: std::iter::once(0).chain(after_newlines).collect() }
    }

    /// Returns the place of the byte `offset`.
    pub(super) fn origin(&self, offset: usize) -> Origin {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        let line = self.starts.partition_point(|start| *start <= offset);
        let line_start = self.starts[line - 1];
        Origin::File { line, column: self.text[line_start..offset].chars().count() + 1 }
    }
}

/// Something that is wrong with the configuration, or at least worth a look.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Remark {
    /// Where it was written.
    pub(crate) origin: Origin,
    /// The dotted path of the key, as in `server.listen`; empty when the file as a whole is meant.
    pub(crate) key: String,
    /// What is wrong and what to do about it, in one sentence.
    pub(crate) what: String,
}

impl Remark {
    /// Writes the remark with the place it speaks of; `file` is the name of the configuration file.
    pub(crate) fn render(&self, file: Option<&str>) -> String {
        let mut text = match (&self.origin, file) {
            (Origin::File { line, column }, Some(file)) => format!("{file}:{line}:{column}: "),
            (Origin::Variable(name), _) => format!("{name}: "),
            (_, Some(file)) => format!("{file}: "),
            (_, None) => "configuration: ".to_owned(),
        };
        if !self.key.is_empty() {
            write!(text, "{}: ", self.key).expect("writing to a string cannot fail");
        }
        text + &self.what
    }
}

/// Everything that is wrong with the configuration.
#[derive(Debug)]
pub(crate) struct Problems {
    /// The name of the configuration file; `None` when there is none.
    pub(crate) file: Option<String>,
    /// At least one, in the order of the file, then those of the environment, then the rest.
    pub(crate) remarks: Vec<Remark>,
}

impl Display for Problems {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for remark in &self.remarks {
            writeln!(formatter, "{}", remark.render(self.file.as_deref()))?;
        }
        match self.remarks.len() {
            1 => write!(formatter, "1 problem in the configuration"),
            count => write!(formatter, "{count} problems in the configuration"),
        }
    }
}

impl std::error::Error for Problems {}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, offset: usize, line: usize, column: usize) {
        assert_eq!(Lines::of(text).origin(offset), Origin::File { line, column });
    }

    #[test]
    fn place_is_counted_in_lines_and_characters() {
        check("", 0, 1, 1);
        check("a = 1\nb = 2\n", 6, 2, 1);
        check("a = 1\nb = 2\n", 10, 2, 5);
        check("ñandú = 1", 9, 1, 8);
        check("ñ", 1, 1, 1); // In the middle of a letter.
        check("a\n", 99, 2, 1);
    }
}
