//! Rule files that change while the program runs: taken over without a restart, each as soon as it is good.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use pampero_api::RuleFileProblem;
use pampero_metrics::{History, RuleGroup};
use pampero_promql::Engine;
use tokio_util::sync::CancellationToken;

use super::{RulesError, files, read_groups, shipped};
use crate::config::MetricsConfig;

/// From one look at the files to the next.
const EVERY: Duration = Duration::from_secs(2);

/// Told of the rules that are in force after a change.
type RulesChanged = Arc<dyn Fn(&[RuleGroup]) + Send + Sync>;

/// Looks at the rule files and takes over what changes.
#[derive(Debug)]
pub(crate) struct RuleWatch {
    config: MetricsConfig,
    engine: Engine,
    history: History,
    /// What was seen of each file, and the groups of its last good text.
    seen: Mutex<BTreeMap<PathBuf, Seen>>,
    problems: Mutex<Vec<RuleFileProblem>>,
}

#[derive(Clone, Debug)]
struct Seen {
    /// Time of change and length; `None` when the file could not be looked at.
    stamp: Option<(SystemTime, u64)>,
    groups: Vec<RuleGroup>,
    problems: Vec<RuleFileProblem>,
}

impl RuleWatch {
    /// Begins with the files as they are; `history` has their rules already.
    pub(crate) fn new(config: MetricsConfig, history: History) -> Arc<Self> {
        let engine = Engine::new(config.history.query.clone());
        let watch =
            Self { config, engine, history, seen: Mutex::default(), problems: Mutex::default() };
        watch.look();
        Arc::new(watch)
    }

    /// Returns the files that are not taken.
    pub(crate) fn problems(&self) -> Vec<RuleFileProblem> {
        self.problems.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Looks at the files; returns whether anything changed. Blocks.
    fn look(&self) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let mut problems = Vec::new();
        let mut now = BTreeMap::new();
        for path in &self.config.rules {
            match files(path) {
                Ok(files) => {
                    for file in files {
                        let known = seen.get(&file);
                        let read = self.read(&file, known);
                        now.insert(file, read);
                    }
                }
                Err(error) => {
                    problems.extend(told(path, error));
                    // A folder that is away for a moment keeps its rules.
                    let below = seen.iter().filter(|(file, _)| file.starts_with(path));
                    now.extend(below.map(|(file, seen)| (file.clone(), seen.clone())));
                }
            }
        }
        problems.extend(now.values().flat_map(|seen| seen.problems.iter().cloned()));
        let is_changed = now.len() != seen.len()
            || now.iter().any(|(file, now)| seen.get(file).is_none_or(|it| it.stamp != now.stamp));
        *seen = now;
        let mut known = self.problems.lock().unwrap_or_else(PoisonError::into_inner);
        for problem in problems.iter().filter(|problem| !known.contains(problem)) {
            let RuleFileProblem { file, line, message } = problem;
            tracing::warn!(
                file,
                line,
                problem = message,
                "rules stay what they were before a file changed"
            );
        }
        *known = problems;
        is_changed
    }

    fn read(&self, file: &Path, known: Option<&Seen>) -> Seen {
        let metadata = std::fs::metadata(file).ok();
        let stamp = metadata.and_then(|it| Some((it.modified().ok()?, it.len())));
        if let Some(known) = known.filter(|known| known.stamp == stamp && stamp.is_some()) {
            return known.clone();
        }
        match read_groups(file, &self.engine) {
            Ok(groups) => Seen { stamp, groups, problems: Vec::new() },
            Err(error) => Seen {
                stamp,
                groups: known.map(|known| known.groups.clone()).unwrap_or_default(),
                problems: told(file, error),
            },
        }
    }

    /// Returns all groups, those that come with the program first.
    fn groups(&self) -> Vec<RuleGroup> {
        // The texts in the program are good, or it would not have started.
        let mut groups = shipped(&self.config, &self.engine).unwrap_or_default();
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        groups.extend(seen.values().flat_map(|seen| seen.groups.iter().cloned()));
        groups
    }

    /// Looks again and again until it is cancelled; `changed` is called with the new rules when they are in
    /// force.
    pub(crate) async fn run(self: Arc<Self>, changed: RulesChanged, cancel: CancellationToken) {
        if self.config.rules.is_empty() {
            return;
        }
        while cancel.run_until_cancelled(tokio::time::sleep(EVERY)).await.is_some() {
            let (watch, changed) = (Arc::clone(&self), Arc::clone(&changed));
            let looking = move || {
                if watch.look() {
                    let groups = watch.groups();
                    watch.history.replace_rules(groups.clone());
                    changed(&groups);
                }
            };
            if let Err(error) = tokio::task::spawn_blocking(looking).await {
                tracing::error!(%error, "the rule files cannot be looked at");
            }
        }
    }
}

/// Returns what is wrong with a file or a folder, line by line.
fn told(path: &Path, error: RulesError) -> Vec<RuleFileProblem> {
    let file = path.display().to_string();
    match error {
        RulesError::Wrong(error) => error
            .problems
            .into_iter()
            .map(|problem| RuleFileProblem {
                file: file.clone(),
                line: problem.line,
                message: problem.place + &problem.message,
            })
            .collect(),
        error @ RulesError::Unreadable { .. } => {
            let message = format!("{:#}", anyhow::Error::new(error));
            vec![RuleFileProblem { file, line: None, message }]
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use pampero_resilience::{Clock, VirtualClock};

    use super::*;
    use crate::config::{Config, Sources};

    fn rule(name: &str) -> String {
        format!("groups: [{{name: {name}, rules: [{{record: 'a:{name}', expr: up}}]}}]")
    }

    fn names(watch: &RuleWatch) -> Vec<String> {
        watch.history.rule_groups().into_iter().map(|group| group.name).collect()
    }

    fn take_over(watch: &RuleWatch) -> bool {
        let is_changed = watch.look();
        if is_changed {
            watch.history.replace_rules(watch.groups());
        }
        is_changed
    }

    #[tokio::test]
    async fn good_files_are_taken_over_and_broken_ones_stay_as_they_were() {
        let folder = tempfile::tempdir().unwrap();
        let rules = folder.path().join("rules");
        fs::create_dir(&rules).unwrap();
        fs::write(rules.join("a.yml"), rule("first")).unwrap();
        let text = format!("[metrics]\nshipped_rules = false\nrules = [{rules:?}]\n");
        let read_file = |_: &Path| Err(std::io::ErrorKind::NotFound.into());
        let sources = Sources {
            file: Some(("pampero.toml", &text)),
            variables: BTreeMap::new(),
            read_file: &read_file,
        };
        let config = Config::read(&sources).unwrap().config.metrics;
        let clock: Arc<dyn Clock> =
            Arc::new(VirtualClock::starting_at("2026-05-18T12:00:00Z".parse().unwrap()));
        let groups = super::super::rules(&config).unwrap();
        let kept = folder.path().join("kept");
        let history = super::super::open(&config, groups, kept, clock).await.unwrap().unwrap();
        let watch = RuleWatch::new(config, history);
        assert!(!take_over(&watch));
        assert_eq!(names(&watch), ["first"]);

        fs::write(rules.join("b.yml"), rule("second")).unwrap();
        fs::write(rules.join("a.yml"), "groups: [{name: third, rules: [{expr: up}]}]").unwrap();
        assert!(take_over(&watch));
        assert_eq!(names(&watch), ["first", "second"]);
        let problems = watch.problems();
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert_eq!(problems[0].line, Some(1), "{problems:?}");
        assert!(problems[0].file.ends_with("a.yml"), "{problems:?}");
        assert!(problems[0].message.contains("record or alert is missing"), "{problems:?}");

        fs::write(rules.join("a.yml"), rule("mended")).unwrap();
        fs::remove_file(rules.join("b.yml")).unwrap();
        assert!(take_over(&watch));
        assert_eq!(names(&watch), ["mended"]);
        assert_eq!(watch.problems(), []);
        watch.history.close().unwrap();
    }
}
