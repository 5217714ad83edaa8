//! What must not be in the tree: paths of one machine, hosts of package registries, secrets.

use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::check::no_findings;
use crate::workspace::Workspace;

/// What is looked for, and the extended regular expressions that find it.
///
/// None of the expressions matches its own text, so that this file needs no exception.
const UNWANTED: [(&str, &[&str]); 3] = [
    (
        "a path of one machine",
        &[r#"(^|[^A-Za-z0-9_.:/}-])/(work|root|tmp|home/[a-z]+)([/"'`, )]|$)"#],
    ),
    (
        "a host of a package registry",
        &[
            "(^|[^a-z])crates[.]io",
            "pypi[.]org|pythonhosted[.]org|npmjs[.](org|com)",
            "static[.]rust-lang[.]org|deb[.]debian[.]org|proxy[.]golang[.]org",
        ],
    ),
    (
        "a secret",
        &[
            "AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{36}",
            "-----BEGIN [A-Z ]*PRIVATE KEY",
            r#"(appid|access_key|api_?key|token|secret|password)["' ]*[:=]["' ]*[0-9a-f]{32}"#,
        ],
    ),
];

/// Checks every text file of the tree but the lock file, whose format names the registry.
pub(super) fn check(workspace: &Workspace) -> Result<()> {
    let mut findings = Vec::new();
    for (what, expressions) in UNWANTED {
        for found in search(workspace, expressions)? {
            findings.push(format!("{what}: {found}"));
        }
    }
    no_findings(&findings, "none of these belongs into a tree that others read and build")
}

/// Returns the lines that match, as `file:line:text`.
fn search(workspace: &Workspace, expressions: &[&str]) -> Result<Vec<String>> {
    let mut git = Command::new("git");
    git.args(["grep", "--untracked", "--no-color", "-nIE"]).current_dir(&workspace.root);
    git.args(expressions.iter().flat_map(|expression| ["-e", expression]));
    git.args(["--", ".", ":!Cargo.lock"]);
    let output = git.stdin(Stdio::null()).output().context("cannot start git")?;
    // 1 says that nothing was found.
    if !matches!(output.status.code(), Some(0 | 1)) {
        bail!("git grep failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn unwanted_text_is_found_and_ordinary_text_is_not() {
        // The samples are put together here, so that the check does not find them in this file.
        check_sample(0, &["/", "work/main/data"].concat(), true);
        check_sample(0, &["open(\"/", "tmp\")"].concat(), true);
        check_sample(0, concat!("https://example.org/", "work/plan"), false);
        check_sample(0, "target/tmp/file", false);
        check_sample(1, &["from crates", ".io"].concat(), true);
        check_sample(1, "crates/iota", false);
        check_sample(2, &["appid=", &"0f".repeat(16)].concat(), true);
        check_sample(2, "appid=example", false);
    }

    #[track_caller]
    fn check_sample(row: usize, sample: &str, found: bool) {
        let mut grep = Command::new("grep");
        grep.arg("-qE").args(UNWANTED[row].1.iter().flat_map(|expression| ["-e", expression]));
        let mut grep = grep.stdin(Stdio::piped()).spawn().unwrap();
        grep.stdin.take().unwrap().write_all(sample.as_bytes()).unwrap();
        assert_eq!(grep.wait().unwrap().success(), found, "{sample}");
    }
}
