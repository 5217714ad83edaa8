//! Groups of rules, and alerts.

use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;

use pampero_series::Matcher;

use crate::{Health, RuleAlert, RuleDetail, RuleGroupState, RuleState};

use super::answer::{Accepts, Success};
use super::failure::Failure;
use super::form::Form;
use super::number;
use super::selector::parse_selector;
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
        let keeps_empty = wanted.names.is_empty() && wanted.matchers.is_empty();
        let groups = groups.filter(|group| keeps_empty || !group.rules.is_empty());
        Ok(Success::of(&GroupsBody { groups: groups.collect() }))
    };
    state.answer(accepts, list())
}

/// Returns the alerts that are pending or firing, rule by rule.
pub(super) async fn get_alerts(State(state): State<ApiState>, accepts: Accepts) -> Response {
    let groups = state.history.rule_groups();
    let rules = groups.iter().flat_map(|group| &group.rules);
    let alerts = rules.flat_map(RuleState::active_alerts).map(AlertBody::from).collect();
    state.answer(accepts, Ok(Success::of(&AlertsBody { alerts })))
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
    /// Conditions on the labels of the rules as they are written; one of the lists has to hold.
    matchers: Vec<Vec<Matcher>>,
    excludes_alerts: bool,
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
            matchers: form
                .all("match[]")
                .map(|text| {
                    parse_selector(text).map_err(|message| Failure::parameter("match[]", message))
                })
                .collect::<Result<_, _>>()?,
            excludes_alerts: read_boolean(form, "exclude_alerts")?,
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
        let holds = |matchers: &Vec<Matcher>| {
            matchers.iter().all(|it| it.matches(rule.labels.value(it.name())))
        };
        has_kind
            && (self.names.is_empty() || self.names.contains(&rule.name.as_str()))
            && (self.matchers.is_empty() || self.matchers.iter().any(holds))
    }

    fn group<'g>(&self, group: &'g RuleGroupState) -> GroupBody<'g> {
        let rules = group.rules.iter().filter(|rule| self.has_rule(rule));
        GroupBody {
            name: &group.name,
            file: &group.file,
            rules: rules.map(|rule| RuleBody::of(rule, self.excludes_alerts)).collect(),
            interval: group.interval.as_secs_f64(),
            limit: group.limit,
            evaluation_time: group.last_duration.as_secs_f64(),
            last_evaluation: written_time(group.last_evaluation_ms),
        }
    }
}

/// Reads a boolean as Go's `strconv.ParseBool` does, in lower case; false when it is not there.
fn read_boolean(form: &Form, name: &str) -> Result<bool, Failure> {
    match form.first(name).to_lowercase().as_str() {
        "" | "0" | "f" | "false" => Ok(false),
        "1" | "t" | "true" => Ok(true),
        other => {
            let message = format!(
                "error converting {name}: strconv.ParseBool: parsing {other:?}: invalid syntax"
            );
            Err(Failure::parameter(name, message))
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
        /// `null` when they are excluded.
        alerts: Option<Vec<AlertBody<'r>>>,
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

impl<'r> RuleBody<'r> {
    fn of(rule: &'r RuleState, excludes_alerts: bool) -> Self {
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
            RuleDetail::Alerting { hold, keep_firing, annotations, .. } => Self::Alerting {
                state: rule
                    .active_alerts()
                    .map(|alert| alert.state)
                    .max()
                    .map_or("inactive", |state| state.as_str()),
                name,
                query,
                duration: Duration::as_secs_f64(hold),
                keep_firing_for: Duration::as_secs_f64(keep_firing),
                labels,
                annotations: in_order(annotations),
                alerts: (!excludes_alerts)
                    .then(|| rule.active_alerts().map(AlertBody::from).collect()),
                health,
                last_error,
                evaluation_time,
                last_evaluation,
                r#type: "alerting",
            },
        }
    }
}

fn in_order(annotations: &[(String, String)]) -> InOrder<'_, &str> {
    InOrder(annotations.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect())
}

#[derive(Serialize)]
struct AlertsBody<'a> {
    alerts: Vec<AlertBody<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AlertBody<'a> {
    labels: LabelsBody<'a>,
    annotations: InOrder<'a, &'a str>,
    state: &'static str,
    active_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    keep_firing_since: Option<String>,
    value: String,
}

impl<'a> From<&'a RuleAlert> for AlertBody<'a> {
    fn from(alert: &'a RuleAlert) -> Self {
        Self {
            labels: LabelsBody(&alert.labels),
            annotations: in_order(&alert.annotations),
            state: alert.state.as_str(),
            active_at: written_time(Some(alert.active_at_ms)),
            keep_firing_since: alert.keep_firing_since_ms.map(|ms| written_time(Some(ms))),
            value: number::exponential(alert.value),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AlertmanagersBody {
    active_alertmanagers: [(); 0],
    dropped_alertmanagers: [(); 0],
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use pampero_series::Labels;

    use super::*;
    use crate::RuleAlertState;
    use crate::http::text::push_value;

    fn alert(place: &str, state: RuleAlertState) -> RuleAlert {
        RuleAlert {
            labels: [("alertname", "Down"), ("place", place)].into_iter().collect(),
            annotations: Arc::new([("summary".to_owned(), "1".to_owned())]),
            state,
            value: 1.0,
            active_at_ms: 1_500,
            fired_at_ms: None,
            resolved_at_ms: None,
            keep_firing_since_ms: None,
        }
    }

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
            annotations: vec![("summary".to_owned(), "{{ $value }}".to_owned())],
            alerts: Arc::new([
                alert("a", RuleAlertState::Pending),
                alert("b", RuleAlertState::Inactive),
            ]),
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
    const ALERT: &str = r#"{"labels":{"alertname":"Down","place":"a"},"annotations":{"summary":"1"},"state":"pending","activeAt":"1970-01-01T00:00:01.5Z","value":"1e+00"}"#;
    const ALERTING: &str = r#"{"state":"pending","name":"Down","query":"up \u003e 0","duration":60,"keepFiringFor":0,"labels":{},"annotations":{"summary":"{{ $value }}"},"alerts":ALERTS,"health":"unknown","evaluationTime":0,"lastEvaluation":"0001-01-01T00:00:00Z","type":"alerting"}"#;

    #[track_caller]
    fn check(query: &str, expected: &[&str]) {
        let form = Form::parse("", query);
        let mut out = Vec::new();
        push_value(&mut out, &Wanted::read(&form).unwrap().group(&group()));
        let excluded = query.contains("exclude_alerts=true");
        let alerts = if excluded { "null".to_owned() } else { format!("[{ALERT}]") };
        let expected = format!(
            "{{\"name\":\"g\",\"file\":\"rules.yml\",\"rules\":[{}],\"interval\":15,\"limit\":0,\
             \"evaluationTime\":0,\"lastEvaluation\":\"0001-01-01T00:00:00Z\"}}",
            expected.join(",").replace("ALERTS", &alerts)
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
        check("exclude_alerts=true&type=alert", &[ALERTING]);
        check("exclude_alerts=False&type=alert", &[ALERTING]);
        check("match[]={k=\"v\"}&match[]={k=\"w\"}", &[FAILED]);
    }

    #[test]
    fn wrong_parameters_are_refused() {
        let refused =
            |query: &str| Wanted::read(&Form::parse("", query)).err().map(|it| it.message);
        assert!(refused("exclude_alerts=maybe").is_some_and(|it| it.contains("ParseBool")));
        assert!(refused("match[]={").is_some_and(|it| it.contains("match[]")));
        assert!(refused("type=alerts").is_some_and(|it| it.contains("not supported value")));
    }

    #[test]
    fn a_rule_has_the_state_of_its_furthest_alert() {
        let check = |states: &[RuleAlertState], expected: &str| {
            let detail = RuleDetail::Alerting {
                hold: Duration::ZERO,
                keep_firing: Duration::ZERO,
                annotations: Vec::new(),
                alerts: states.iter().map(|state| alert("a", *state)).collect(),
            };
            let rule = rule("Down", detail);
            let RuleBody::Alerting { state, .. } = RuleBody::of(&rule, true) else {
                panic!("the rule is an alert")
            };
            assert_eq!(state, expected, "{states:?}");
        };
        use RuleAlertState::{Firing, Inactive, Pending};
        check(&[], "inactive");
        check(&[Inactive, Inactive], "inactive");
        check(&[Inactive, Pending], "pending");
        check(&[Pending, Firing, Inactive], "firing");
    }

    #[test]
    fn an_alert_that_is_kept_firing_says_since_when() {
        let kept = RuleAlert {
            state: RuleAlertState::Firing,
            value: -0.00125,
            keep_firing_since_ms: Some(2_000),
            ..alert("a", RuleAlertState::Firing)
        };
        let mut out = Vec::new();
        push_value(&mut out, &AlertBody::from(&kept));
        let text = String::from_utf8(out).unwrap();
        let end = r#""state":"firing","activeAt":"1970-01-01T00:00:01.5Z","keepFiringSince":"1970-01-01T00:00:02Z","value":"-1.25e-03"}"#;
        assert!(text.ends_with(end), "{text}");
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
