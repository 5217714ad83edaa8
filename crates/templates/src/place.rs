//! Where in a text something stands.

use crate::{SOURCE_BYTES_MAX, TemplateError};

/// Returns the line and the column in characters of the byte `at`, both counted from 1.
pub(crate) fn place(source: &str, at: usize) -> (usize, usize) {
    let before = source.get(..at).unwrap_or(source);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line = 1 + before.bytes().filter(|&byte| byte == b'\n').count();
    (line, 1 + before[line_start..].chars().count())
}

/// Makes the error of what is wrong at the byte `at`.
pub(crate) fn error_at(source: &str, at: usize, message: impl Into<String>) -> TemplateError {
    let (line, column) = place(source, at);
    TemplateError { line, column, message: message.into() }
}

/// Refuses a text that is too long to be a template.
pub(crate) fn check_length(source: &str) -> Result<(), TemplateError> {
    if source.len() <= SOURCE_BYTES_MAX {
        return Ok(());
    }
    let message = format!("the template has {} bytes, at most {SOURCE_BYTES_MAX}", source.len());
    Err(error_at(source, 0, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters() {
        check(0, (1, 1));
        check(2, (1, 2)); // `é` has two bytes.
        check(4, (2, 1));
        check(6, (2, 3));
        check(99, (2, 3)); // Past the end is the end.
    }

    #[track_caller]
    fn check(at: usize, expected: (usize, usize)) {
        assert_eq!(place("éa\nbc", at), expected, "at byte {at}");
    }
}
