//! Every Rust file opens with `//!`, which says what is in the room.

use anyhow::Result;

use crate::check::no_findings;
use crate::workspace::Workspace;

/// Checks the first line of every Rust file.
pub(super) fn check(workspace: &Workspace) -> Result<()> {
    let mut findings = Vec::new();
    for file in workspace.files_with_extension("rs")? {
        if !says_what_it_is(&workspace.text(&file)?) {
            findings.push(format!("{} does not open with `//! ...`", file.display()));
        }
    }
    no_findings(&findings, "the first line says what is in the file, in one sentence")
}

fn says_what_it_is(text: &str) -> bool {
    let first = text.lines().next().unwrap_or_default();
    first.strip_prefix("//!").is_some_and(|sentence| !sentence.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_sentence_on_the_first_line_counts() {
        assert!(says_what_it_is("//! What is kept.\n\nuse std::fmt;\n"));
        assert!(!says_what_it_is("//!\n//! What is kept.\n"));
        assert!(!says_what_it_is("use std::fmt;\n//! What is kept.\n"));
        assert!(!says_what_it_is("// What is kept.\n"));
        assert!(!says_what_it_is(""));
    }
}
