//! How alerting rules of the metrics become alerts: what each evaluation found, and what its annotations ask
//! for.
//!
//! Prometheus passes over annotations that it does not know, so the same file runs unchanged there.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use pampero_alerting::{
    ActionPolicy, Alerting, DefaultTeller, Escalation, Finding, NoDataRule, Observation, Outcome,
    Phase, Policy, SourceId, SourceKind,
};
use pampero_api::{AlertRules, RuleFileProblem};
use pampero_metrics::{AlertSink, RuleAlert, RuleAlertState, RuleEvaluation, RuleSource};
use pampero_promql::parse_duration;
use pampero_series::{Labels, LabelsBuilder};

use crate::history::RuleWatch;

/// What a rule is done by when it does not say.
#[derive(Clone, Debug)]
pub(crate) struct RuleDefaults {
    /// The channels that are told.
    pub(crate) channels: Vec<String>,
    /// From one message to the next; `None` for one only.
    pub(crate) reminder: Option<Duration>,
}

/// Takes what alerting rules find and enters it among the alerts.
pub(crate) struct RuleSink {
    alerting: Alerting,
    defaults: RuleDefaults,
    watch: OnceLock<Arc<RuleWatch>>,
    /// What is done about each rule, worked out once for each text of it.
    known: Mutex<HashMap<SourceId, KnownRule>>,
}

/// A rule as it is written, with what is done about it.
type KnownRule = (Arc<RuleSource>, Arc<Policy>);

/// Annotations that ask for something, and what is wrong with them.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct AnnotationProblem {
    /// The name of the annotation.
    pub(crate) name: String,
    /// What is wrong, and what to write.
    pub(crate) message: String,
}

impl fmt::Display for AnnotationProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.name, self.message)
    }
}

impl RuleSink {
    pub(crate) fn new(alerting: Alerting, defaults: RuleDefaults) -> Self {
        Self { alerting, defaults, watch: OnceLock::new(), known: Mutex::default() }
    }

    /// Sets who looks at the rule files.
    pub(crate) fn set_watch(&self, watch: Arc<RuleWatch>) {
        // There is one in the life of a program.
        let _ = self.watch.set(watch);
    }

    fn known_policy(&self, id: &SourceId, source: &Arc<RuleSource>) -> Arc<Policy> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((written, policy)) = known.get(id)
            && written == source
        {
            return Arc::clone(policy);
        }
        let (policy, problems) = policy(source, &self.defaults);
        for problem in problems {
            let (file, rule, problem) = (&source.file, &source.rule, problem.to_string());
            tracing::warn!(
                file,
                rule.name = rule,
                problem,
                "an annotation of a rule is passed over"
            );
        }
        let policy = Arc::new(policy);
        known.insert(id.clone(), (Arc::clone(source), Arc::clone(&policy)));
        policy
    }
}

impl AlertRules for RuleSink {
    fn source_id(&self, rule: &RuleSource) -> SourceId {
        source_id(rule)
    }

    fn policy(&self, rule: &RuleSource) -> (Policy, Vec<String>) {
        let (policy, problems) = policy(rule, &self.defaults);
        (policy, problems.iter().map(ToString::to_string).collect())
    }

    fn observation(&self, evaluation: &RuleEvaluation, policy: &Policy) -> Observation {
        observation(evaluation, policy)
    }

    fn problems(&self) -> Vec<RuleFileProblem> {
        self.watch.get().map(|watch| watch.problems()).unwrap_or_default()
    }
}

impl AlertSink for RuleSink {
    fn take(&self, evaluation: RuleEvaluation) {
        let id = source_id(&evaluation.source);
        let policy = self.known_policy(&id, &evaluation.source);
        let observation = observation(&evaluation, &policy);
        self.alerting.observe(&id, &policy, &observation, &DefaultTeller);
    }
}

/// Returns the id of a rule among all sources of alerts.
pub(crate) fn source_id(source: &RuleSource) -> SourceId {
    SourceId {
        kind: SourceKind::Rule,
        definition: format!("{};{}", source.file, source.group),
        trigger: source.rule.clone(),
    }
}

/// Returns what an evaluation found.
pub(crate) fn observation(evaluation: &RuleEvaluation, policy: &Policy) -> Observation {
    let outcome = match &evaluation.outcome {
        Err(error) => Outcome::Failed(error.clone()),
        Ok(_) if evaluation.has_no_data => Outcome::NoData,
        Ok(alerts) => {
            Outcome::Known(alerts.iter().filter_map(|alert| finding(alert, policy)).collect())
        }
    };
    Observation { at: instant(evaluation.at_ms), outcome, answer: None }
}

fn finding(alert: &RuleAlert, policy: &Policy) -> Option<Finding> {
    let since = instant(alert.active_at_ms);
    let phase = match alert.state {
        RuleAlertState::Inactive => return None,
        RuleAlertState::Pending => Phase::Pending { since },
        RuleAlertState::Firing => Phase::Firing { since },
    };
    let mut key = LabelsBuilder::from(&alert.labels);
    for (name, value) in policy.labels.iter() {
        if alert.labels.value(name) == value {
            key.set(name, "");
        }
    }
    let said = alert.annotations.iter().filter(|(name, _)| !name.starts_with(PREFIX));
    Some(Finding {
        key: key.build(),
        phase,
        value: Some(alert.value),
        annotations: said.cloned().collect(),
    })
}

fn instant(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or(Timestamp::MIN)
}

/// What annotations begin with that ask for something.
const PREFIX: &str = "pampero_";

/// Returns what is done about a rule, and which annotations are passed over because they are wrong.
pub(crate) fn policy(
    source: &RuleSource,
    defaults: &RuleDefaults,
) -> (Policy, Vec<AnnotationProblem>) {
    let mut problems = Vec::new();
    let mut policy = Policy {
        definition_name: source.group.clone(),
        name: source.alert.clone(),
        severity: severity(source.labels.value("severity")),
        labels: common_labels(source),
        hold: Duration::ZERO,
        keep_firing: Duration::ZERO,
        no_data: NoDataRule::default(),
        actions: actions(&defaults.channels),
        reminder: defaults.reminder,
        recovery: true,
        escalations: Vec::new(),
    };
    for (name, text) in &source.annotations {
        if !name.starts_with(PREFIX) {
            continue;
        }
        if let Err(message) = apply(&mut policy, name, text.trim()) {
            problems.push(AnnotationProblem { name: name.clone(), message });
        }
    }
    (policy, problems)
}

fn apply(policy: &mut Policy, name: &str, text: &str) -> Result<(), String> {
    match name {
        "pampero_channels" => policy.actions = actions(&names(text)),
        "pampero_reminder" => policy.reminder = Some(length(text)?),
        "pampero_recovery" => {
            policy.recovery = text
                .parse()
                .map_err(|_| format!("{text:?} is neither; write \"true\" or \"false\""))?;
        }
        "pampero_no_data" => {
            policy.no_data = match text {
                "quiet" => NoDataRule::Quiet,
                "tell" => NoDataRule::Tell,
                "keep" => NoDataRule::Keep,
                _ => return Err(format!("{text:?} is unknown; write quiet, tell or keep")),
            };
        }
        "pampero_escalate" => {
            policy.escalations = text.split(',').map(escalation).collect::<Result<_, _>>()?;
            policy.escalations.sort_by_key(|escalation| escalation.after);
        }
        _ => {
            return Err(
                "it is unknown; there are pampero_channels, pampero_reminder, pampero_recovery, \
                        pampero_no_data and pampero_escalate"
                    .to_owned(),
            );
        }
    }
    Ok(())
}

/// Reads `30m pager`.
fn escalation(text: &str) -> Result<Escalation, String> {
    let mut words = text.split_whitespace();
    match (words.next(), words.next(), words.next()) {
        (Some(after), Some(channel), None) => {
            Ok(Escalation { after: length(after)?, channel: channel.to_owned() })
        }
        _ => Err(format!("{text:?} is no escalation; write a wait and a channel, as in 30m pager")),
    }
}

fn length(text: &str) -> Result<Duration, String> {
    parse_duration(text)
        .ok()
        .filter(|length| !length.is_zero())
        .ok_or_else(|| format!("{text:?} is no length of time; write it as 90s, 30m or 1h"))
}

fn names(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

fn actions(channels: &[String]) -> Vec<ActionPolicy> {
    let action = |channel: &String| ActionPolicy {
        id: channel.clone(),
        name: channel.clone(),
        channel: channel.clone(),
        throttle: None,
    };
    channels.iter().map(action).collect()
}

/// From 1, the highest, to 5, by the label that rules have by custom.
fn severity(label: &str) -> u8 {
    match label {
        "critical" | "page" => 1,
        "error" | "high" => 2,
        "info" | "low" => 4,
        "none" => 5,
        _ => 3,
    }
}

/// The labels that all alerts of a rule have: its name, and those of its own that are no templates.
fn common_labels(source: &RuleSource) -> Labels {
    let mut labels = LabelsBuilder::from(&Labels::empty());
    for (name, text) in source.labels.iter().filter(|(_, text)| !text.contains("{{")) {
        labels.set(name, text);
    }
    labels.set("alertname", &source.alert);
    labels.build()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(annotations: &[(&str, &str)], labels: &[(&str, &str)]) -> RuleSource {
        let texts = annotations.iter().map(|(name, text)| ((*name).into(), (*text).into()));
        RuleSource {
            file: "rules/weather.yml".to_owned(),
            group: "weather".to_owned(),
            rule: "Frost".to_owned(),
            alert: "Frost".to_owned(),
            query: "t < 0".to_owned(),
            hold: Duration::from_secs(600),
            keep_firing: Duration::ZERO,
            interval: Duration::from_secs(60),
            labels: labels.iter().copied().collect(),
            annotations: texts.collect(),
        }
    }

    fn defaults() -> RuleDefaults {
        RuleDefaults { channels: vec!["default".to_owned()], reminder: None }
    }

    #[test]
    fn annotations_ask_for_channels_reminders_and_escalations() {
        let annotations = [
            ("summary", "cold"),
            ("pampero_channels", "slack-ops, mail"),
            ("pampero_reminder", "1h"),
            ("pampero_no_data", "tell"),
            ("pampero_recovery", "false"),
            ("pampero_escalate", "1h boss, 30m pager"),
        ];
        let labels = [("severity", "critical"), ("team", "{{ $labels.place }}")];
        let (policy, problems) = policy(&source(&annotations, &labels), &defaults());
        assert_eq!(problems, []);
        let channels: Vec<&str> = policy.actions.iter().map(|it| it.channel.as_str()).collect();
        assert_eq!(channels, ["slack-ops", "mail"]);
        assert_eq!(policy.reminder, Some(Duration::from_secs(3_600)));
        assert_eq!(
            (policy.no_data, policy.recovery, policy.severity),
            (NoDataRule::Tell, false, 1)
        );
        let waits: Vec<(u64, &str)> =
            policy.escalations.iter().map(|it| (it.after.as_secs(), it.channel.as_str())).collect();
        assert_eq!(waits, [(1_800, "pager"), (3_600, "boss")]);
        let common: Labels =
            [("alertname", "Frost"), ("severity", "critical")].into_iter().collect();
        assert_eq!(policy.labels, common);
    }

    #[track_caller]
    fn check_problem(name: &str, text: &str, expected: &str) {
        let (found, problems) = policy(&source(&[(name, text)], &[]), &defaults());
        let (plain, _) = policy(&source(&[], &[]), &defaults());
        assert_eq!(found, plain, "{name}: {text}");
        let message = problems.first().map(ToString::to_string).unwrap_or_default();
        assert!(message.contains(expected), "{message}");
    }

    #[test]
    fn annotations_that_are_wrong_are_told_and_passed_over() {
        check_problem("pampero_reminder", "hourly", "write it as 90s, 30m or 1h");
        check_problem("pampero_reminder", "0s", "write it as 90s, 30m or 1h");
        check_problem("pampero_no_data", "alert", "write quiet, tell or keep");
        check_problem("pampero_recovery", "no", "write \"true\" or \"false\"");
        check_problem("pampero_escalate", "pager", "as in 30m pager");
        check_problem("pampero_remind", "1h", "there are pampero_channels");
    }

    #[test]
    fn findings_are_told_apart_by_what_their_rule_does_not_set_itself() {
        let (policy, _) = policy(&source(&[], &[("severity", "critical")]), &defaults());
        let alert = |state, place: &str| RuleAlert {
            labels: [("alertname", "Frost"), ("severity", "critical"), ("place", place)]
                .into_iter()
                .collect(),
            annotations: Arc::new([
                ("summary".to_owned(), "cold".to_owned()),
                ("pampero_reminder".to_owned(), "1h".to_owned()),
            ]),
            state,
            value: -1.5,
            active_at_ms: 1_000,
            fired_at_ms: None,
            resolved_at_ms: None,
            keep_firing_since_ms: None,
        };
        let alerts = [
            alert(RuleAlertState::Firing, "jfk"),
            alert(RuleAlertState::Pending, "ewr"),
            alert(RuleAlertState::Inactive, "lga"),
        ];
        let evaluation = RuleEvaluation {
            source: Arc::new(source(&[], &[])),
            at_ms: 2_000,
            outcome: Ok(Arc::new(alerts)),
            has_no_data: false,
        };
        let since = instant(1_000);
        let finding = |place, phase| Finding {
            key: [("place", place)].into_iter().collect(),
            phase,
            value: Some(-1.5),
            annotations: vec![("summary".to_owned(), "cold".to_owned())],
        };
        let expected =
            [finding("jfk", Phase::Firing { since }), finding("ewr", Phase::Pending { since })];
        match observation(&evaluation, &policy).outcome {
            Outcome::Known(found) => assert_eq!(found, expected),
            other => panic!("{other:?}"),
        }
        let failed = RuleEvaluation { outcome: Err("no".to_owned()), ..evaluation.clone() };
        assert!(matches!(observation(&failed, &policy).outcome, Outcome::Failed(_)));
        let empty = RuleEvaluation { has_no_data: true, ..evaluation };
        assert!(matches!(observation(&empty, &policy).outcome, Outcome::NoData));
    }
}
