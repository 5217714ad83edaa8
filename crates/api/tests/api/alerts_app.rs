//! Alerts for the tests of the API: in the folder of the app, over its logs, told to receivers on this machine.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use pampero_alerting::rest::{AlertingRest, AlertingRestOptions, AlertingRestParts};
use pampero_alerting::{
    ActionPolicy, Alerting, AlertingOptions, Channels, Definitions, DefinitionsOptions, Finding,
    LogSearch, NoDataRule, Observation, Outcome, Phase, Policy, Post, RunOptions, Runner, SourceId,
    SourceKind,
};
use pampero_api::{AlertParts, AlertRules, RuleFileProblem};
use pampero_logs::rest::RestState;
use pampero_metrics::{RuleAlertState, RuleEvaluation, RuleSource};
use pampero_notifications::{Courier, CourierOptions, FolderVault, Guard, SystemResolver};
use pampero_opensearch::Exception;
use pampero_resilience::Clock;
use serde_json::{Value, json};

use super::{TestApp, at};

/// A monitor that comes with the program.
const SHIPPED: (&str, &str) = ("error_logs", include_str!("../../../../monitors/error_logs.json"));

/// Opens the alerts.
pub(crate) fn open(folder: &Path, logs: &RestState, clock: &Arc<dyn Clock>) -> AlertParts {
    let folder = folder.join("alerts");
    let guard = Guard::new(["127.0.0.1/32".parse().unwrap()], Arc::new(SystemResolver));
    let channels = Channels::default();
    let courier = CourierOptions {
        guard: guard.clone(),
        channels: Arc::new(channels.clone()),
        ..CourierOptions::default()
    };
    let courier = Courier::new(courier, Arc::clone(clock)).unwrap();
    let post = Arc::new(Post::new(courier, channels.clone()));
    let kept = folder.join("kept");
    std::fs::create_dir_all(&kept).unwrap();
    let options = AlertingOptions::default();
    let alerting = Alerting::open(&kept, options, Arc::clone(clock), post.clone()).unwrap();
    let options = DefinitionsOptions {
        monitors: folder.join("monitors"),
        channels: folder.join("channels"),
        ledger: kept,
        poll: Duration::from_secs(2),
        monitors_max: 1_000,
        channels_max: 1_000,
    };
    let vault = Arc::new(FolderVault::new(folder.join("secrets"), Vec::new(), BTreeMap::new()));
    let definitions = Definitions::open(&options, &[SHIPPED], vault, guard, Arc::clone(clock));
    let definitions = Arc::new(definitions.unwrap());
    let search: Arc<dyn LogSearch> = Arc::new(Logs(logs.clone()));
    let observer = Arc::new(alerting.clone());
    let runner = Runner::new(
        Arc::clone(&definitions),
        Arc::clone(&search),
        observer,
        Arc::clone(clock),
        RunOptions::default(),
    );
    let runner = Arc::new(runner);
    let parts = AlertingRestParts {
        alerting: alerting.clone(),
        definitions: Arc::clone(&definitions),
        channels,
        runner: Arc::clone(&runner),
        deliver: post,
        search: Arc::clone(&search),
        clock: Arc::clone(clock),
    };
    let rest = AlertingRest::new(parts, AlertingRestOptions::default());
    AlertParts {
        alerting,
        definitions,
        rules: Arc::new(Rules),
        runner: Some(runner),
        search: Some(search),
        rest: Some(rest),
    }
}

#[derive(Debug)]
struct Logs(RestState);

impl LogSearch for Logs {
    fn search(&self, indices: &[String], body: &Value, now: Timestamp) -> Result<Value, Exception> {
        self.0.search_as_of(indices, body, now)
    }
}

/// Reads of annotations no more than the channels, and finds fault with one.
struct Rules;

impl AlertRules for Rules {
    fn source_id(&self, rule: &RuleSource) -> SourceId {
        let definition = format!("{};{}", rule.file, rule.group);
        SourceId { kind: SourceKind::Rule, definition, trigger: rule.rule.clone() }
    }

    fn policy(&self, rule: &RuleSource) -> (Policy, Vec<String>) {
        let channels = rule.annotation("pampero_channels").unwrap_or("default");
        let wrong =
            rule.annotation("pampero_wrong").map(|_| "pampero_wrong: it is unknown".to_owned());
        let policy = policy(&rule.group, &rule.alert, channels.split(','));
        (policy, wrong.into_iter().collect())
    }

    fn observation(&self, evaluation: &RuleEvaluation, _: &Policy) -> Observation {
        let instant = |ms: i64| Timestamp::from_millisecond(ms).unwrap();
        let outcome = match &evaluation.outcome {
            Err(error) => Outcome::Failed(error.clone()),
            Ok(alerts) => Outcome::Known(
                alerts
                    .iter()
                    .filter(|alert| alert.state != RuleAlertState::Inactive)
                    .map(|alert| Finding {
                        key: alert.labels.filtered(|name| name != "alertname"),
                        phase: match alert.state {
                            RuleAlertState::Pending => {
                                Phase::Pending { since: instant(alert.active_at_ms) }
                            }
                            _ => Phase::Firing { since: instant(alert.active_at_ms) },
                        },
                        value: Some(alert.value),
                        annotations: alert.annotations.to_vec(),
                    })
                    .collect(),
            ),
        };
        Observation { at: instant(evaluation.at_ms), outcome, answer: None }
    }

    fn problems(&self) -> Vec<RuleFileProblem> {
        vec![RuleFileProblem {
            file: "rules/broken.yml".to_owned(),
            line: Some(3),
            message: "there is no field forr".to_owned(),
        }]
    }
}

/// Returns what is told through some channels, without delay or repeats.
fn policy<'c>(group: &str, name: &str, channels: impl Iterator<Item = &'c str>) -> Policy {
    let action = |channel: &str| ActionPolicy {
        id: channel.to_owned(),
        name: channel.to_owned(),
        channel: channel.to_owned(),
        throttle: None,
    };
    Policy {
        definition_name: group.to_owned(),
        name: name.to_owned(),
        severity: 2,
        labels: [("severity", "high")].into_iter().collect(),
        hold: Duration::ZERO,
        keep_firing: Duration::ZERO,
        no_data: NoDataRule::Quiet,
        actions: channels.map(action).collect(),
        reminder: None,
        recovery: true,
        escalations: Vec::new(),
    }
}

impl TestApp {
    /// Enters what the rule `Frost` observed at an instant: the places where it freezes, with the values.
    pub(crate) fn freeze(&self, when: &str, places: &[(&str, f64)]) {
        let source = SourceId {
            kind: SourceKind::Rule,
            definition: "rules/weather.yml;weather".to_owned(),
            trigger: "Frost".to_owned(),
        };
        let findings = places.iter().map(|(place, value)| Finding {
            key: [("place", *place)].into_iter().collect(),
            phase: Phase::Firing { since: at(when) },
            value: Some(*value),
            annotations: vec![("summary".to_owned(), format!("frost at {place}"))],
        });
        self.clock.set(when);
        let observation = Observation {
            at: at(when),
            outcome: Outcome::Known(findings.collect()),
            answer: Some(Arc::new(json!({ "places": places.len() }))),
        };
        let policy = policy("weather", "Frost", ["slack-ops"].into_iter());
        self.alerting.observe(&source, &policy, &observation, &pampero_alerting::DefaultTeller);
    }
}
