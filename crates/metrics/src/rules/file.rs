//! Reads a rule file, and says everything that is wrong with it.
//!
//! Source: Prometheus, configuration, recording rules and alerting rules.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use pampero_promql::{Engine, Query, ValueType, parse_duration};
use pampero_series::{Labels, METRIC_NAME};
use serde::Deserialize;
use serde_saphyr::Spanned;

use super::texts::Texts;
use super::{AlertingRule, RecordingRule, Rule, RuleGroup};
use crate::remote_write::{is_label_name, is_metric_name};
use crate::writer::chain;

/// A file as it was written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    groups: Option<Vec<Spanned<RawGroup>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawGroup {
    name: Option<String>,
    interval: Option<Spanned<String>>,
    query_offset: Option<Spanned<String>>,
    #[serde(default)]
    limit: usize,
    labels: Option<BTreeMap<String, Spanned<String>>>,
    rules: Option<Vec<Spanned<RawRule>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRule {
    record: Option<Spanned<String>>,
    alert: Option<Spanned<String>>,
    expr: Option<Spanned<String>>,
    #[serde(rename = "for")]
    hold: Option<Spanned<String>>,
    keep_firing_for: Option<Spanned<String>>,
    labels: Option<BTreeMap<String, Spanned<String>>>,
    annotations: Option<BTreeMap<String, Spanned<String>>>,
}

/// What is wrong with a rule file: all of it.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub struct RuleFileError {
    /// The name of the file.
    pub file: String,
    /// What is wrong, in the order of the file; at least one.
    pub problems: Vec<RuleProblem>,
}

/// One thing that is wrong with a rule file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RuleProblem {
    /// The line, counted from 1; `None` when it cannot be told.
    pub line: Option<u64>,
    /// The group and the rule, as far as it is inside of them.
    pub place: String,
    /// What is wrong there.
    pub message: String,
}

impl fmt::Display for RuleFileError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            let line = problem.line.map(|line| format!(":{line}")).unwrap_or_default();
            let RuleProblem { place, message, .. } = problem;
            write!(formatter, "{separator}{}{line}: {place}{message}", self.file)?;
        }
        Ok(())
    }
}

impl RuleGroup {
    /// Reads the groups of a file. `file` is its name, for messages and lists; `engine` reads the
    /// expressions.
    ///
    /// # Errors
    /// The text is no YAML, has fields that rule files do not have, or says what cannot be; all
    /// problems are told, but of those of the YAML only the first.
    pub fn parse_file(file: &str, text: &str, engine: &Engine) -> Result<Vec<Self>, RuleFileError> {
        let fail = |problems| RuleFileError { file: file.to_owned(), problems };
        let raw: RawFile = read_yaml(text).map_err(|problem| fail(vec![problem]))?;
        let mut reader = Reader { engine, problems: Vec::new(), place: String::new() };
        let mut names = BTreeSet::new();
        let mut groups = Vec::new();
        for raw in raw.groups.unwrap_or_default() {
            let line = raw.referenced.line();
            let name = raw.value.name.clone().unwrap_or_default();
            reader.place.clear();
            if name.is_empty() {
                reader.say(line, "a group needs a name");
            } else if !names.insert(name.clone()) {
                reader.say(line, &format!("the group {name:?} is there twice"));
            }
            groups.push(reader.group(file, name, raw.value));
        }
        if reader.problems.is_empty() { Ok(groups) } else { Err(fail(reader.problems)) }
    }
}

fn read_yaml(text: &str) -> Result<RawFile, RuleProblem> {
    // An empty file, or one of comments, has no groups.
    let is_empty = text.lines().all(|line| {
        let line = line.trim();
        line.is_empty() || line.starts_with('#') || line == "---"
    });
    if is_empty {
        return Ok(RawFile { groups: None });
    }
    serde_saphyr::from_str(text).map_err(|error| RuleProblem {
        line: error.location().map(|location| location.line()),
        place: String::new(),
        message: error.without_snippet().to_string(),
    })
}

/// Collects what is wrong while it reads.
struct Reader<'r> {
    engine: &'r Engine,
    problems: Vec<RuleProblem>,
    /// Where it is, as it is put before a message.
    place: String,
}

impl Reader<'_> {
    fn group(&mut self, file: &str, name: String, raw: RawGroup) -> RuleGroup {
        let in_group = format!("group {name:?}: ");
        self.place.clone_from(&in_group);
        // As in Prometheus, an interval of nothing is the general one.
        let interval = raw.interval.and_then(|interval| self.duration("interval", &interval));
        let interval = interval.filter(|interval| !interval.is_zero());
        let query_offset =
            raw.query_offset.and_then(|offset| self.duration("query_offset", &offset));
        let labels = self.labels(raw.labels.unwrap_or_default());
        let mut rules = Vec::new();
        for (index, rule) in raw.rules.unwrap_or_default().into_iter().enumerate() {
            let name = rule.value.record.as_ref().or(rule.value.alert.as_ref());
            let name =
                name.map_or_else(|| (index + 1).to_string(), |name| format!("{:?}", name.value));
            self.place = format!("{in_group}rule {name}: ");
            rules.extend(self.rule(rule, &labels));
        }
        RuleGroup {
            name,
            file: file.to_owned(),
            interval,
            limit: raw.limit,
            query_offset: query_offset.unwrap_or_default(),
            rules,
        }
    }

    /// Reads a rule; `None` when so much is wrong that there is none.
    fn rule(&mut self, raw: Spanned<RawRule>, group_labels: &Labels) -> Option<Rule> {
        let line = raw.referenced.line();
        let raw = raw.value;
        let written_labels = raw.labels.unwrap_or_default();
        let lines: BTreeMap<String, u64> =
            written_labels.iter().map(|(name, it)| (name.clone(), it.referenced.line())).collect();
        let labels = self.labels(written_labels);
        let labels: Labels = group_labels.iter().chain(labels.iter()).collect();
        let query = match &raw.expr {
            Some(expr) => self.query(expr),
            None => {
                self.say(line, "expr is missing");
                None
            }
        };
        let hold = raw.hold.as_ref().and_then(|hold| self.duration("for", hold));
        let keep_firing =
            raw.keep_firing_for.as_ref().and_then(|keep| self.duration("keep_firing_for", keep));
        match (raw.record, raw.alert) {
            (Some(record), None) => {
                for (name, is_there) in [
                    ("for", raw.hold.is_some()),
                    ("keep_firing_for", raw.keep_firing_for.is_some()),
                    ("annotations", raw.annotations.is_some()),
                ] {
                    if is_there {
                        self.say(
                            line,
                            &format!("{name} belongs to alerts, not to recording rules"),
                        );
                    }
                }
                if !is_metric_name(&record.value) {
                    let message = format!("{:?} is no name of a metric", record.value);
                    self.say(record.referenced.line(), &message);
                }
                Some(Rule::Recording(RecordingRule { record: record.value, query: query?, labels }))
            }
            (None, Some(alert)) => {
                if alert.value.is_empty() {
                    self.say(alert.referenced.line(), "an alert needs a name");
                }
                let raw_annotations = raw.annotations.unwrap_or_default();
                let annotation_lines: BTreeMap<String, u64> = raw_annotations
                    .iter()
                    .map(|(name, it)| (name.clone(), it.referenced.line()))
                    .collect();
                let annotations = self.annotations(raw_annotations);
                let (texts, wrong) = Texts::parse(&labels, &annotations);
                for (kind, name, error) in wrong {
                    let lines = if kind == "label" { &lines } else { &annotation_lines };
                    let at = lines.get(&name).copied().unwrap_or(line);
                    self.say(at, &format!("the template of the {kind} {name:?}: {error}"));
                }
                Some(Rule::Alerting(AlertingRule {
                    texts: Arc::new(texts),
                    alert: alert.value,
                    query: query?,
                    hold: hold.unwrap_or_default(),
                    keep_firing: keep_firing.unwrap_or_default(),
                    labels,
                    annotations,
                }))
            }
            (Some(_), Some(_)) => {
                self.say(line, "record and alert exclude one another");
                None
            }
            (None, None) => {
                self.say(line, "record or alert is missing");
                None
            }
        }
    }

    fn query(&mut self, expr: &Spanned<String>) -> Option<Query> {
        let line = expr.referenced.line();
        match self.engine.parse(&expr.value) {
            Ok(query) if matches!(query.value_type(), ValueType::Vector | ValueType::Scalar) => {
                Some(query)
            }
            Ok(_) => {
                self.say(line, "the result of expr has to be an instant vector or a scalar");
                None
            }
            Err(error) => {
                self.say(line, &format!("expr: {}", chain(&error)));
                None
            }
        }
    }

    fn labels(&mut self, raw: BTreeMap<String, Spanned<String>>) -> Labels {
        for (name, value) in &raw {
            if !is_label_name(name) || name == METRIC_NAME {
                self.say(value.referenced.line(), &format!("{name:?} is no name of a label"));
            }
        }
        raw.iter().map(|(name, value)| (name, &value.value)).collect()
    }

    fn annotations(&mut self, raw: BTreeMap<String, Spanned<String>>) -> Vec<(String, String)> {
        for (name, value) in &raw {
            if !is_label_name(name) {
                self.say(value.referenced.line(), &format!("{name:?} is no name of an annotation"));
            }
        }
        raw.into_iter().map(|(name, value)| (name, value.value)).collect()
    }

    fn duration(&mut self, field: &str, written: &Spanned<String>) -> Option<Duration> {
        match parse_duration(&written.value) {
            Ok(duration) => Some(duration),
            Err(error) => {
                self.say(written.referenced.line(), &format!("{field}: {}", chain(&error)));
                None
            }
        }
    }

    fn say(&mut self, line: u64, message: &str) {
        self.problems.push(RuleProblem {
            line: Some(line),
            place: self.place.clone(),
            message: message.to_owned(),
        });
    }
}
