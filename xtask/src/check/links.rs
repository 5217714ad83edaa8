//! Links between the Markdown pages of the tree lead somewhere.
//!
//! Links to the network are left alone, because no check here needs it.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use anyhow::Result;

use crate::check::no_findings;
use crate::workspace::Workspace;

/// Checks every relative link and every link to a heading.
pub(super) fn check(workspace: &Workspace) -> Result<()> {
    let mut findings = Vec::new();
    for page in workspace.files_with_extension("md")? {
        let text = workspace.text(&page)?;
        for link in links(&text) {
            if let Some(problem) = problem(workspace, &page, &text, &link)? {
                findings.push(format!("{}: {problem}", page.display()));
            }
        }
    }
    no_findings(&findings, "a page that moved takes its links along")
}

fn problem(workspace: &Workspace, page: &Path, text: &str, link: &str) -> Result<Option<String>> {
    let (path, heading) = link.split_once('#').unwrap_or((link, ""));
    let target = if path.is_empty() { page.to_path_buf() } else { resolve(page, path) };
    if !workspace.root.join(&target).exists() {
        return Ok(Some(format!("{link} leads nowhere")));
    }
    if heading.is_empty() || target.extension().is_none_or(|extension| extension != "md") {
        return Ok(None);
    }
    let known = if target == page { headings(text) } else { headings(&workspace.text(&target)?) };
    Ok((!known.contains(heading)).then(|| format!("{link} names no heading of its page")))
}

/// Returns the targets of inline links and images that stay in the tree.
fn links(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in prose(text) {
        let mut rest = line.as_str();
        while let Some(start) = rest.find("](") {
            rest = &rest[start + 2..];
            let Some(end) = rest.find(')') else { break };
            let target = rest[..end].split_whitespace().next().unwrap_or_default();
            let leaves = target.contains("://") || target.starts_with("mailto:");
            if !target.is_empty() && !leaves {
                found.push(target.trim_matches(['<', '>']).to_owned());
            }
        }
    }
    found
}

/// Returns the lines outside of code blocks, without their code spans.
fn prose(text: &str) -> impl Iterator<Item = String> {
    let mut in_code = false;
    text.lines().filter_map(move |line| {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
            return None;
        }
        let outside = line.split('`').step_by(2).collect::<Vec<_>>().join("");
        (!in_code).then_some(outside)
    })
}

/// Returns the names under which the headings of a page can be linked to.
fn headings(text: &str) -> BTreeSet<String> {
    let mut in_code = false;
    let mut names = BTreeSet::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        let title = line.trim_start_matches('#');
        if !in_code && title.len() < line.len() && title.starts_with(' ') {
            names.insert(heading_name(title.trim()));
        }
    }
    names
}

/// Spells a heading as Git forges do: lower case, hyphens for spaces, no other punctuation.
fn heading_name(title: &str) -> String {
    let kept = title.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect::<String>().to_lowercase()
}

fn resolve(page: &Path, path: &str) -> PathBuf {
    let base = if path.starts_with('/') { Path::new("") } else { page.parent().unwrap_or(page) };
    let mut resolved = PathBuf::new();
    for part in base.join(path.trim_start_matches('/')).components() {
        match part {
            Component::ParentDir => {
                resolved.pop();
            }
            Component::CurDir => {}
            other => resolved.push(other),
        }
    }
    resolved
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_of_prose_are_found_and_those_of_code_are_not() {
        let page = "See [the map](ARCHITECTURE.md#code-map \"map\") and ![x](a/b.png).\n\
                    Not `[code](span.md)`, not [far](https://example.org/a.md).\n\
                    ```text\n[code](block.md)\n```\n";
        assert_eq!(links(page), ["ARCHITECTURE.md#code-map", "a/b.png"]);
    }

    #[test]
    fn headings_are_named_as_forges_name_them() {
        let page = "# One poll, followed\n```sh\n# no heading\n```\n## `serve` & friends\n#tag\n";
        let names: Vec<String> = headings(page).into_iter().collect();
        assert_eq!(names, ["one-poll-followed", "serve--friends"]);
    }

    #[test]
    fn paths_are_taken_from_the_page() {
        check_path("README.md", "docs/adr/0001.md", "docs/adr/0001.md");
        check_path("docs/adr/0001.md", "../../README.md", "README.md");
        check_path("docs/adr/0001.md", "./0002.md", "docs/adr/0002.md");
        check_path("docs/adr/0001.md", "/README.md", "README.md");
    }

    #[track_caller]
    fn check_path(page: &str, link: &str, resolved: &str) {
        assert_eq!(resolve(Path::new(page), link), Path::new(resolved));
    }
}
