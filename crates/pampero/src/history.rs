//! The history of metrics as the program opens it: with the rules that come with it and those of the
//! operator.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use pampero_metrics::{History, RuleFileError, RuleGroup};
use pampero_promql::Engine;
use pampero_resilience::Clock;

use crate::config::MetricsConfig;

mod watch;

pub(crate) use watch::RuleWatch;

/// The rules that come with the program, under the names by which they are listed.
const SHIPPED: [(&str, &str); 2] = [
    ("rules/recording.yml", include_str!("../../../rules/recording.yml")),
    ("rules/alerts.yml", include_str!("../../../rules/alerts.yml")),
];

/// Largest rule file that is read, in bytes.
const RULE_FILE_MAX: u64 = 4 << 20;

/// Why rules cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RulesError {
    /// A file or a folder of `metrics.rules` cannot be read.
    #[error("the rules {} cannot be read; mend the path in metrics.rules", path.display())]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A file is no rule file.
    #[error(transparent)]
    Wrong(RuleFileError),
}

/// Opens the history with its rules; `None` when none is kept.
///
/// # Errors
/// The samples cannot be opened, or a target is wrong.
pub(crate) async fn open(
    config: &MetricsConfig,
    rules: Vec<RuleGroup>,
    folder: PathBuf,
    clock: Arc<dyn Clock>,
) -> anyhow::Result<Option<History>> {
    if !config.enabled {
        return Ok(None);
    }
    let mut options = config.history.clone();
    options.rule_groups = rules;
    let opening = tokio::task::spawn_blocking(move || History::open(&folder, options, clock));
    Ok(Some(opening.await.context("the history of metrics cannot be opened")??))
}

/// Reads the rules that come with the program and those of the operator.
///
/// # Errors
/// A file cannot be read, or is no rule file.
pub(crate) fn rules(config: &MetricsConfig) -> Result<Vec<RuleGroup>, RulesError> {
    let engine = Engine::new(config.history.query.clone());
    let mut groups = shipped(config, &engine)?;
    for path in &config.rules {
        for file in files(path)? {
            groups.extend(read_groups(&file, &engine)?);
        }
    }
    Ok(groups)
}

fn shipped(config: &MetricsConfig, engine: &Engine) -> Result<Vec<RuleGroup>, RulesError> {
    let mut groups = Vec::new();
    for (file, text) in SHIPPED.iter().filter(|_| config.shipped_rules) {
        groups.extend(RuleGroup::parse_file(file, text, engine).map_err(RulesError::Wrong)?);
    }
    Ok(groups)
}

fn read_groups(file: &Path, engine: &Engine) -> Result<Vec<RuleGroup>, RulesError> {
    let text = read(file)?;
    RuleGroup::parse_file(&file.display().to_string(), &text, engine).map_err(RulesError::Wrong)
}

/// Returns a file as it is, and of a folder the rule files in it, in the order of their names.
fn files(path: &Path) -> Result<Vec<PathBuf>, RulesError> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let entries = fs::read_dir(path).and_then(|entries| entries.collect::<io::Result<Vec<_>>>());
    let mut files: Vec<PathBuf> = entries
        .map_err(|source| RulesError::Unreadable { path: path.to_owned(), source })?
        .into_iter()
        .map(|entry| entry.path())
        .filter(|file| file.extension().is_some_and(|it| it == "yml" || it == "yaml"))
        .filter(|file| file.is_file())
        .collect();
    files.sort();
    Ok(files)
}

fn read(file: &Path) -> Result<String, RulesError> {
    let unreadable = |source| RulesError::Unreadable { path: file.to_owned(), source };
    if RULE_FILE_MAX < fs::metadata(file).map_err(unreadable)?.len() {
        let source = io::Error::new(io::ErrorKind::FileTooLarge, "the file is larger than 4 MiB");
        return Err(unreadable(source));
    }
    fs::read_to_string(file).map_err(unreadable)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::config::{Config, Sources};

    fn config(text: &str) -> MetricsConfig {
        let read_file = |_: &Path| Err(io::Error::from(io::ErrorKind::NotFound));
        let sources = Sources {
            file: Some(("pampero.toml", text)),
            variables: BTreeMap::new(),
            read_file: &read_file,
        };
        Config::read(&sources).unwrap().config.metrics
    }

    #[test]
    fn shipped_rules_are_good_and_can_be_left_out() {
        assert!(!rules(&config("")).unwrap().is_empty());
        assert!(rules(&config("[metrics]\nshipped_rules = false\n")).unwrap().is_empty());
    }

    #[test]
    fn rule_files_come_from_files_and_folders() {
        let folder = tempfile::tempdir().unwrap();
        let rule = |name: &str| {
            format!("groups: [{{name: {name}, rules: [{{record: 'a:{name}', expr: up}}]}}]")
        };
        for name in ["b.yml", "a.yaml", "ignored.txt"] {
            let group = name.split('.').next().unwrap();
            fs::write(folder.path().join(name), rule(group)).unwrap();
        }
        let text = format!(
            "[metrics]\nshipped_rules = false\nrules = [{:?}, {:?}]\n",
            folder.path(),
            folder.path().join("b.yml"),
        );
        let names: Vec<String> =
            rules(&config(&text)).unwrap().into_iter().map(|group| group.name).collect();
        assert_eq!(names, ["a", "b", "b"]);
    }

    #[test]
    fn rules_that_cannot_be_used_are_told_with_their_file() {
        let error = rules(&config("[metrics]\nrules = [\"missing.yml\"]\n")).unwrap_err();
        let message = "the rules missing.yml cannot be read; mend the path in metrics.rules";
        assert_eq!(error.to_string(), message);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("wrong.yml");
        fs::write(&file, "groups: [{name: a, rules: [{record: 'a:b', expr: 'up('}]}]").unwrap();
        let error = rules(&config(&format!("[metrics]\nrules = [{file:?}]\n"))).unwrap_err();
        assert!(error.to_string().contains("wrong.yml"), "{error}");
    }
}
