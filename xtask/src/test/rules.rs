//! The rule files: what promtool says of them, and their unit tests.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

use crate::subprocess;
use crate::test::{Counts, Options};
use crate::workspace::Workspace;

/// Where the rule files are, and below it their unit tests.
pub(super) const FOLDER: &str = "rules";
const TESTS_FOLDER: &str = "rules/tests";

/// Checks every rule file and runs every unit test; each file counts as one test.
pub(super) fn run(workspace: &Workspace, _options: &Options) -> Result<Counts> {
    let rules = files(workspace, FOLDER)?;
    let tests = files(workspace, TESTS_FOLDER)?;
    if rules.is_empty() || tests.is_empty() {
        bail!("{FOLDER} or {TESTS_FOLDER} has no file that ends in .yml");
    }
    let mut counts = Counts::default();
    for (subject, files) in [("check", rules), ("test", tests)] {
        for file in files {
            let mut promtool = Command::new("promtool");
            promtool.args([subject, "rules"]).arg(&file).current_dir(&workspace.root);
            match subprocess::watch(&mut promtool, |_| {})? {
                true => counts.passed += 1,
                false => counts.failed += 1,
            }
        }
    }
    Ok(counts)
}

/// Returns the YAML files right in a folder, relative to the root, sorted.
///
/// # Errors
/// Git cannot list the tree.
pub(super) fn files(workspace: &Workspace, folder: &str) -> Result<Vec<PathBuf>> {
    let mut files = workspace.files()?;
    files.retain(|file| {
        file.parent() == Some(Path::new(folder)) && file.extension().is_some_and(|it| it == "yml")
    });
    Ok(files)
}
