//! Groups of rules, and alerts.

use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;

use crate::{Health, RuleDetail, RuleGroupState, RuleState};

use super::answer::{Accepts, Success};
use super::failure::Failure;
use super::form::Form;
use super::state::ApiState;
use super::targets::{InOrder, LabelsBody, written_time};

/// Returns the groups of rules with those rules that are asked for.
pub(super) async fn get_rules(
    State(state): State<ApiState>,
    accepts: Accepts,
    form: Form,
) -> Response {
    let list = || -> Result<Success, Failure> {
        let wanted = Wanted::read(&form)?;
        let groups = state.history.rule_groups();
        let groups = groups.iter().filter(|group| wanted.has_group(group));
        let groups = groups.map(|group| wanted.group(group));
        // A group of which nothing was asked for is left out only when rules were named.
        let groups = groups.filter(|group| wanted.names.is_empty() || !group.rules.is_empty());
        Ok(Success::of(&GroupsBody { groups: groups.collect() }))
    };
    state.answer(accepts, list())
}

/// Returns no alerts: rules are listed here, and evaluated by whoever raises alerts.
pub(super) async fn get_alerts(State(state): State<ApiState>, accepts: Accepts) -> Response {
    state.answer(accepts, Ok(Success::of(&AlertsBody { alerts: [] })))
}

/// Returns no Alertmanagers, since none is ever told.
pub(super) async fn get_alertmanagers(State(state): State<ApiState>, accepts: Accepts) -> Response {
    let body = AlertmanagersBody { active_alertmanagers: [], dropped_alertmanagers: [] };
    state.answer(accepts, Ok(Success::of(&body)))
}

/// Which rules are asked for; an empty list asks for all.
struct Wanted<'f> {
    recording: bool,
    alerting: bool,
    names: Vec<&'f str>,
    groups: Vec<&'f str>,
    files: Vec<&'f str>,
}

impl<'f> Wanted<'f> {
    fn read(form: &'f Form) -> Result<Self, Failure> {
        let (recording, alerting) = match form.first("type").to_lowercase().as_str() {
            "" => (true, true),
            "record" => (true, false),
            "alert" => (false, true),
            other => {
                let message = format!("not supported value {other:?}");
                return Err(Failure::parameter("type", message));
            }
        };
        Ok(Self {
            recording,
            alerting,
            names: form.all("rule_name[]").collect(),
            groups: form.all("rule_group[]").collect(),
            files: form.all("file[]").collect(),
        })
    }

    fn has_group(&self, group: &RuleGroupState) -> bool {
        let has = |asked: &[&str], found: &str| asked.is_empty() || asked.contains(&found);
        has(&self.groups, &group.name) && has(&self.files, &group.file)
    }

    fn has_rule(&self, rule: &RuleState) -> bool {
        let has_kind = match rule.detail {
            RuleDetail::Recording => self.recording,
            RuleDetail::Alerting { .. } => self.alerting,
        };
        has_kind && (self.names.is_empty() || self.names.contains(&rule.name.as_str()))
    }

    fn group<'g>(&self, group: &'g RuleGroupState) -> GroupBody<'g> {
        let rules = group.rules.iter().filter(|rule| self.has_rule(rule));
        GroupBody {
            name: &group.name,
            file: &group.file,
            rules: rules.map(RuleBody::from).collect(),
            interval: group.interval.as_secs_f64(),
            limit: group.limit,
            evaluation_time: group.last_duration.as_secs_f64(),
            last_evaluation: written_time(group.last_evaluation_ms),
        }
    }
}

#[derive(Serialize)]
struct GroupsBody<'g> {
    groups: Vec<GroupBody<'g>>,
}

/// Durations are in seconds.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GroupBody<'g> {
    name: &'g str,
    file: &'g str,
    rules: Vec<RuleBody<'g>>,
    interval: f64,
    limit: usize,
    evaluation_time: f64,
    last_evaluation: String,
}

/// Durations are in seconds.
#[derive(Serialize)]
#[serde(rename_all = "camelCase", untagged)]
enum RuleBody<'r> {
    #[serde(rename_all = "camelCase")]
    Alerting {
        state: &'static str,
        name: &'r str,
        query: &'r str,
        duration: f64,
        keep_firing_for: f64,
        labels: LabelsBody<'r>,
        annotations: InOrder<'r, &'r str>,
        alerts: [(); 0],
        health: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        last_error: Option<&'r str>,
        evaluation_time: f64,
        last_evaluation: String,
        r#type: &'static str,
    },
    #[serde(rename_all = "camelCase")]
    Recording {
        name: &'r str,
        query: &'r str,
        #[serde(skip_serializing_if = "is_unlabelled")]
        labels: LabelsBody<'r>,
        health: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        last_error: Option<&'r str>,
        evaluation_time: f64,
        last_evaluation: String,
        r#type: &'static str,
    },
}

fn is_unlabelled(labels: &LabelsBody<'_>) -> bool {
    labels.0.is_empty()
}

impl<'r> From<&'r RuleState> for RuleBody<'r> {
    fn from(rule: &'r RuleState) -> Self {
        let (name, query) = (rule.name.as_str(), rule.query.as_str());
        let labels = LabelsBody(&rule.labels);
        let health = match rule.health {
            Health::Unknown => "unknown",
            Health::Good => "ok",
            Health::Bad => "err",
        };
        let last_error = rule.last_error.as_deref();
        let evaluation_time = rule.last_duration.as_secs_f64();
        let last_evaluation = written_time(rule.last_evaluation_ms);
        match &rule.detail {
            RuleDetail::Recording => Self::Recording {
                name,
                query,
                labels,
                health,
                last_error,
                evaluation_time,
                last_evaluation,
                r#type: "recording",
            },
            RuleDetail::Alerting { hold, keep_firing, annotations } => Self::Alerting {
                state: "inactive",
                name,
                query,
                duration: Duration::as_secs_f64(hold),
                keep_firing_for: Duration::as_secs_f64(keep_firing),
                labels,
                annotations: InOrder(
                    annotations.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect(),
                ),
                alerts: [],
                health,
                last_error,
                evaluation_time,
                last_evaluation,
                r#type: "alerting",
            },
        }
    }
}

#[derive(Serialize)]
struct AlertsBody {
    alerts: [(); 0],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AlertmanagersBody {
    active_alertmanagers: [(); 0],
    dropped_alertmanagers: [(); 0],
}

#[cfg(test)]
mod tests {
    use pampero_series::Labels;

    use super::*;
    use crate::http::text::push_value;

    fn rule(name: &str, detail: RuleDetail) -> RuleState {
        RuleState {
            name: name.to_owned(),
            query: "up > 0".to_owned(),
            labels: Labels::empty(),
            health: Health::Unknown,
            last_error: None,
            last_evaluation_ms: None,
            last_duration: Duration::ZERO,
            detail,
        }
    }

    fn group() -> RuleGroupState {
        let alerting = RuleDetail::Alerting {
            hold: Duration::from_secs(60),
            keep_firing: Duration::ZERO,
            annotations: vec![("summary".to_owned(), "down".to_owned())],
        };
        let failed = RuleState {
            labels: [("k", "v")].into_iter().collect(),
            health: Health::Bad,
            last_error: Some("no".to_owned()),
            last_evaluation_ms: Some(1_500),
            last_duration: Duration::from_micros(356),
            ..rule("a:b", RuleDetail::Recording)
        };
        RuleGroupState {
            name: "g".to_owned(),
            file: "rules.yml".to_owned(),
            interval: Duration::from_secs(15),
            limit: 0,
            last_evaluation_ms: None,
            last_duration: Duration::ZERO,
            missed_total: 0,
            rules: vec![rule("c:d", RuleDetail::Recording), failed, rule("Down", alerting)],
        }
    }

    const PLAIN: &str = r#"{"name":"c:d","query":"up \u003e 0","health":"unknown","evaluationTime":0,"lastEvaluation":"0001-01-01T00:00:00Z","type":"recording"}"#;
    const FAILED: &str = r#"{"name":"a:b","query":"up \u003e 0","labels":{"k":"v"},"health":"err","lastError":"no","evaluationTime":0.000356,"lastEvaluation":"1970-01-01T00:00:01.5Z","type":"recording"}"#;
    const ALERTING: &str = r#"{"state":"inactive","name":"Down","query":"up \u003e 0","duration":60,"keepFiringFor":0,"labels":{},"annotations":{"summary":"down"},"alerts":[],"health":"unknown","evaluationTime":0,"lastEvaluation":"0001-01-01T00:00:00Z","type":"alerting"}"#;

    #[track_caller]
    fn check(query: &str, expected: &[&str]) {
        let form = Form::parse("", query);
        let mut out = Vec::new();
        push_value(&mut out, &Wanted::read(&form).unwrap().group(&group()));
        let expected = format!(
            "{{\"name\":\"g\",\"file\":\"rules.yml\",\"rules\":[{}],\"interval\":15,\"limit\":0,\
             \"evaluationTime\":0,\"lastEvaluation\":\"0001-01-01T00:00:00Z\"}}",
            expected.join(",")
        );
        assert_eq!(String::from_utf8(out).unwrap(), expected, "{query}");
    }

    #[test]
    fn groups_are_written_as_prometheus_writes_them() {
        check("", &[PLAIN, FAILED, ALERTING]);
        check("type=alert", &[ALERTING]);
        check("type=record", &[PLAIN, FAILED]);
        check("rule_name[]=Down&rule_name[]=a:b", &[FAILED, ALERTING]);
        check("rule_name[]=Down&type=record", &[]);
    }

    #[test]
    fn groups_are_chosen_by_name_and_file() {
        let has = |query| Wanted::read(&Form::parse("", query)).unwrap().has_group(&group());
        assert!(has(""));
        assert!(has("rule_group[]=x&rule_group[]=g&file[]=rules.yml"));
        assert!(!has("rule_group[]=x"));
        assert!(!has("file[]=x"));
    }
}
