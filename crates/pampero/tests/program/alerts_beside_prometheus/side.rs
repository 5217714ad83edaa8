//! One of those that are compared: what evaluates, asked by its HTTP API, and the Alertmanager that it tells.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use pampero_series::Labels;
use serde_json::Value;

use crate::harness::now;

/// Longest time until everything answers, and until everything is over.
const PATIENCE: Duration = Duration::from_secs(20);

/// From one step of a query by range to the next.
pub(super) const STEP_MS: i64 = 100;

/// Where a line of time is from: the series of alerts, or the Alertmanager; and the labels.
pub(super) type Line = (&'static str, Labels);

/// When alerts were there.
pub(super) type Timelines = BTreeMap<Line, Vec<Stretch>>;

/// For how long something was there. Times are in milliseconds since the Unix epoch.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Stretch {
    pub(super) begin_ms: i64,
    /// When it was seen last.
    pub(super) end_ms: i64,
    /// The annotations; `null` for a series.
    pub(super) said: Value,
}

/// What evaluates, with its Alertmanager.
pub(super) struct Side {
    api: String,
    manager: String,
    client: reqwest::Client,
    /// The alerts that were seen in the Alertmanager.
    seen: RefCell<Timelines>,
}

impl Side {
    pub(super) fn new(api: &str, manager: &str) -> Self {
        let client = pampero_providers::http_client_without_proxy("pampero-tests").unwrap();
        Self { api: api.to_owned(), manager: manager.to_owned(), client, seen: RefCell::default() }
    }

    /// Waits until it evaluates everything and told its Alertmanager the alert that fires in the beginning.
    pub(super) async fn wait_until_calm(&self) {
        self.wait_for("calm", |series, alerts| series == 1 && alerts == 1).await;
    }

    /// Waits until all alerts ended.
    pub(super) async fn wait_until_over(&self) {
        self.wait_for("over", |series, alerts| series == 0 && alerts == 0).await;
    }

    async fn wait_for(&self, what: &str, is_there: impl Fn(usize, usize) -> bool) {
        let begun = Instant::now();
        loop {
            let series =
                self.query("ALERTS").await.and_then(|data| data["result"].as_array().cloned());
            let alerts = self.alerts().await;
            if let (Some(series), Some(alerts)) = (&series, &alerts)
                && is_there(series.len(), alerts.len())
            {
                return;
            }
            let waited = begun.elapsed();
            assert!(waited < PATIENCE, "{} is not {what}: {series:?}, {alerts:?}", self.api);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Notes which alerts that began after `begun` are in the Alertmanager.
    pub(super) async fn watch(&self, begun: Timestamp) {
        let alerts = self.alerts().await.unwrap_or_default();
        let seen_ms = now().as_millisecond();
        let mut seen = self.seen.borrow_mut();
        for alert in alerts {
            let starts_at: Timestamp = alert["startsAt"].as_str().unwrap().parse().unwrap();
            let begin_ms = starts_at.as_millisecond();
            if begin_ms < begun.as_millisecond() {
                continue;
            }
            let stretch = Stretch { begin_ms, end_ms: seen_ms, said: annotations(&alert) };
            let line = ("Alertmanager", labels(&alert["labels"]));
            let stretches = seen.entry(line).or_default();
            stretches.retain(|known| known.begin_ms != begin_ms);
            stretches.push(stretch);
        }
    }

    /// Returns when which alert was in which state, and in the Alertmanager, since `begun`.
    pub(super) async fn timelines(&self, begun: Timestamp) -> Timelines {
        let seconds = |instant: Timestamp| (instant.as_millisecond() as f64 / 1000.0).to_string();
        let (start, end) = (seconds(begun), seconds(now()));
        let step = (STEP_MS as f64 / 1000.0).to_string();
        let form = [("query", "ALERTS"), ("start", &start), ("end", &end), ("step", &step)];
        let data = self.ask("query_range", &form).await.unwrap();
        let mut timelines = self.seen.borrow().clone();
        for (series, values) in series(&data) {
            timelines.insert(("ALERTS", series.without_metric_name()), stretches(&values));
        }
        timelines
    }

    /// Returns the samples of the last minute, each with the time that it is stamped with, of all series of a
    /// selector.
    pub(super) async fn samples(&self, selector: &str) -> Vec<(Labels, Vec<i64>)> {
        series(&self.query(&format!("{selector}[1m]")).await.unwrap())
    }

    /// Returns the rules and the alerts as they are listed, each by its name or its labels, without times and
    /// places on the machine.
    pub(super) async fn entries(&self) -> BTreeMap<String, Value> {
        let mut entries = BTreeMap::new();
        let groups = self.ask("rules", &[]).await.unwrap()["groups"].clone();
        for mut group in groups.as_array().unwrap().iter().map(lasting) {
            let name = group["name"].as_str().unwrap().to_owned();
            for rule in group["rules"].as_array_mut().unwrap() {
                let rule_name = rule["name"].clone();
                let whole = std::mem::replace(rule, rule_name.clone());
                entries.insert(format!("rules {name}: {rule_name}"), whole);
            }
            entries.insert(format!("rules {name}"), group);
        }
        let alerts = self.ask("alerts", &[]).await.unwrap()["alerts"].clone();
        for alert in alerts.as_array().unwrap().iter().map(lasting) {
            entries.insert(format!("alerts {}", labels(&alert["labels"])), alert);
        }
        entries
    }

    async fn query(&self, query: &str) -> Option<Value> {
        self.ask("query", &[("query", query)]).await
    }

    /// Returns the data of an answer; `None` while nobody answers, or not well.
    async fn ask(&self, what: &str, form: &[(&str, &str)]) -> Option<Value> {
        let answer = self.get(&format!("{}/api/v1/{what}", self.api), form).await?;
        (answer["status"] == "success").then(|| answer["data"].clone())
    }

    /// Returns the alerts that fire in the Alertmanager; `None` while it does not answer.
    async fn alerts(&self) -> Option<Vec<Value>> {
        let answer = self.get(&format!("{}/api/v2/alerts", self.manager), &[]).await?;
        answer.as_array().cloned()
    }

    async fn get(&self, url: &str, form: &[(&str, &str)]) -> Option<Value> {
        let answer = self.client.get(url).query(form).send().await.ok()?;
        answer.json().await.ok()
    }
}

fn labels(value: &Value) -> Labels {
    let members = value.as_object().unwrap().iter();
    members.map(|(name, value)| (name.as_str(), value.as_str().unwrap())).collect()
}

/// Returns the annotations of an alert without those that are meant for Pampero, which keeps them to itself.
fn annotations(alert: &Value) -> Value {
    let said = alert["annotations"].as_object().unwrap().iter();
    let said = said.filter(|(name, _)| !name.starts_with("pampero_"));
    Value::Object(said.map(|(name, text)| (name.clone(), text.clone())).collect())
}

/// Returns each series of an answer with the times of its samples, in milliseconds since the Unix epoch.
fn series(data: &Value) -> Vec<(Labels, Vec<i64>)> {
    let time = |sample: &Value| (sample[0].as_f64().unwrap() * 1000.0).round() as i64;
    let times = |series: &Value| series["values"].as_array().unwrap().iter().map(time).collect();
    let all = data["result"].as_array().unwrap().iter();
    all.map(|series| (labels(&series["metric"]), times(series))).collect()
}

/// Returns for how long a series was there, by the steps at which it was.
fn stretches(times: &[i64]) -> Vec<Stretch> {
    let runs = times.chunk_by(|before, after| after - before <= STEP_MS + STEP_MS / 2);
    let stretch =
        |run: &[i64]| Stretch { begin_ms: run[0], end_ms: run[run.len() - 1], said: Value::Null };
    runs.map(stretch).collect()
}

/// Returns a part of a list without times and places on the machine.
fn lasting(value: &Value) -> Value {
    match value {
        Value::Array(items) => {
            let mut items: Vec<Value> = items.iter().map(lasting).collect();
            // Alerts of one rule come in any order, and rules in theirs.
            if items.iter().all(|item| item["activeAt"].is_string()) {
                items.sort_by_key(Value::to_string);
            }
            Value::Array(items)
        }
        Value::Object(members) => {
            let lasting = |(name, member): (&String, &Value)| {
                let text = member.as_str().unwrap_or_default();
                let lasting = match name.as_str() {
                    "lastEvaluation" | "activeAt" | "keepFiringSince" => {
                        Value::from(if text.parse::<Timestamp>().is_ok() { "time" } else { text })
                    }
                    "evaluationTime" => Value::from(member.is_number()),
                    "file" => Value::from(text.rsplit('/').next()),
                    _ => lasting(member),
                };
                (name.clone(), lasting)
            };
            Value::Object(members.iter().map(lasting).collect())
        }
        other => other.clone(),
    }
}
