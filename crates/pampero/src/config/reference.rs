//! Pages made of the declarations: the reference, the example file, the configuration that holds.

use std::collections::{HashMap, HashSet};
use std::fmt::Write;

use super::origin::Origin;
use super::reader::Setting;
use super::secret::{SECRET, VARIABLE_NAME};

/// Writes the configuration that holds, with the origin of each value that is not a default.
///
/// Of a secret it says no more than whether it is set.
pub(super) fn effective(settings: &[Setting], file: Option<&str>) -> String {
    let mut page = String::new();
    let mut by_section: HashMap<&str, Vec<&Setting>> = HashMap::new();
    for setting in settings {
        by_section.entry(&setting.section).or_default().push(setting);
    }
    for section in sections(settings) {
        writeln!(page, "{}", heading(section)).expect("writing to a string cannot fail");
        for setting in &by_section[section] {
            let Setting { name, value, kind, .. } = setting;
            let origin = match (&setting.origin, file) {
                (Origin::File { line, .. }, Some(file)) => format!("  # {file}:{line}"),
                (Origin::Variable(variable), _) => format!("  # {variable}"),
                _ => String::new(),
            };
            let line = match (value, kind == SECRET) {
                (Some(value), false) if kind == VARIABLE_NAME && origin.is_empty() => {
                    format!("# {name} = {value}")
                }
                (_, true) => format!("# {name}: {}", value.as_deref().unwrap_or("not set")),
                (Some(value), false) => format!("{name} = {value}{origin}"),
                (None, false) => format!("# {name} is not set"),
            };
            writeln!(page, "{line}").expect("writing to a string cannot fail");
        }
        page.push('\n');
    }
    page.truncate(page.trim_end().len());
    page + "\n"
}

/// Writes the heading of a table, as in `[server]`; of a member of a list as in `[[places]]`.
fn heading(section: &str) -> String {
    match section.split_once('[') {
        Some((list, _)) => format!("[[{list}]]"),
        None => format!("[{section}]"),
    }
}

/// Returns the sections in the order in which they were read, each once.
fn sections(settings: &[Setting]) -> Vec<&str> {
    let mut seen = HashSet::new();
    let names = settings.iter().map(|setting| setting.section.as_str());
    names.filter(|name| seen.insert(*name)).collect()
}

#[cfg(test)]
pub(super) mod pages {
    //! The two pages that are kept in the tree.

    use super::*;

    const INTRODUCTION: &str = "\
# Configuration

One TOML file, `pampero.toml` in the folder where the program is started or the one named by
`--config`. Every key has a default, so the file may be empty or missing.

- A variable goes over the file: `PAMPERO_`, then the path of the key in capital letters with two
  underscores between levels, as in `PAMPERO_SERVER__LISTEN=127.0.0.1:9000` or
  `PAMPERO_CHAIN__ORDER='[\"open_meteo\", \"met_norway\"]'`. Its value is read as TOML, or as a plain text
  when it is none. `PAMPERO_PLACES` takes the whole list of places.
- Secrets never stand in the file. They come from a variable or from a file of their own.
- A duration is written as `500ms`, `10s`, `15m` or `1h 30m`, a size as `512B`, `64KiB` or `1MiB`.
- Paths are absolute, or begin in the folder where the program is started.
- `pampero check` says everything that is wrong, each with its line.

This page is made from the declarations in `crates/pampero/src/config`.
";

    /// Writes the reference page.
    pub(in crate::config) fn reference(settings: &[Setting], docs: &[(String, &str)]) -> String {
        let mut page = INTRODUCTION.to_owned();
        for section in sections(settings) {
            page += &format!("\n## `{}`\n\n{}\n\n", heading(section), doc_of(section, docs));
            page += "| key | written as | default | what it decides |\n| --- | --- | --- | --- |\n";
            for setting in own(section, settings) {
                let default = match &setting.default {
                    Some(default) => format!("`{default}`"),
                    None => "unset".to_owned(),
                };
                page += &format!(
                    "| `{}` | {} | {default} | {} |\n",
                    setting.name, setting.kind, setting.doc
                );
            }
            if section.starts_with("providers.") {
                page += "\nAnd every key of `[resilience]`, for this provider alone.\n";
            }
        }
        page
    }

    /// Writes the example file: every key, commented out, with its default.
    pub(in crate::config) fn example(settings: &[Setting], docs: &[(String, &str)]) -> String {
        let mut page = "\
# Every key of Pampero's configuration, with its default. Copy what you change into pampero.toml.
# docs/configuration.md explains how values are written and how variables go over the file.
"
        .to_owned();
        for section in sections(settings) {
            page += &format!("\n{}", wrapped(doc_of(section, docs)));
            page += &format!("# {}\n", heading(section));
            for setting in own(section, settings) {
                page += &wrapped(setting.doc);
                let value = setting.default.as_deref().unwrap_or("");
                page += format!("# {} = {value}", setting.name).trim_end();
                page += "\n";
            }
        }
        page
    }

    fn doc_of<'d>(section: &str, docs: &[(String, &'d str)]) -> &'d str {
        docs.iter().find(|(path, _)| path == section).map_or("", |(_, doc)| doc)
    }

    /// Returns the settings of a section, for a provider without those that are as in `[resilience]`.
    fn own<'s>(section: &'s str, settings: &'s [Setting]) -> impl Iterator<Item = &'s Setting> {
        let is_general = move |setting: &Setting| {
            section.starts_with("providers.")
                && settings.iter().any(|general| {
                    general.section == "resilience"
                        && general.name == setting.name
                        && general.default == setting.default
                })
        };
        let here = settings.iter().filter(move |setting| setting.section == section);
        here.filter(move |setting| setting.kind != SECRET && !is_general(setting))
    }

    fn wrapped(text: &str) -> String {
        const WIDTH: usize = 98;
        let mut lines = String::new();
        let mut line = "##".to_owned();
        for word in text.split_whitespace() {
            if WIDTH < line.chars().count() + 1 + word.chars().count() {
                lines += &format!("{line}\n");
                line = "##".to_owned();
            }
            line += &format!(" {word}");
        }
        lines + &line + "\n"
    }
}
