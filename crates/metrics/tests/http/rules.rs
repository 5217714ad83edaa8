//! The same rules at work here and in a real Prometheus: the same lists of rules and of alerts.

use std::sync::Arc;
use std::time::Duration;

use http::Request;
use pampero_metrics::http::{HttpOptions, router};
use pampero_metrics::{History, HistoryOptions, Jobs, RuleGroup};
use pampero_promql::Engine;
use pampero_resilience::SystemClock;
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::prometheus::Prometheus;
use crate::served::Served;

const RULES: &str = r#"
groups:
- name: b
  interval: 1s
  limit: 3
  rules:
  - {record: 'a:one', expr: 'vector(1)', labels: {k: v}}
  - alert: Fires
    expr: a:one > 0
    keep_firing_for: 1m
    labels: {severity: '{{ if gt $value 0.5 }}high{{ end }}'}
    annotations: {summary: '{{ $labels.k }} has <{{ $value }}>', a: 'b'}
  - {alert: Waits, expr: 'vector(-0.00025)', for: 1h}
  - {alert: Quiet, expr: 'vector(1) > 2', for: 5m}
- name: a
  interval: 1s
  rules:
  - {alert: Two, expr: 'label_replace(a:one, "x", "y", "", "") or a:one'}
"#;

/// Prometheus 2.42 does not know the filters by name yet.
const ASKED: [&str; 6] = [
    "/api/v1/alerts",
    "/api/v1/rules",
    "/api/v1/rules?type=alert",
    "/api/v1/rules?type=record",
    "/api/v1/rules?type=alerts",
    "/api/v1/query?query=ALERTS",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rules_and_alerts_are_listed_as_prometheus_lists_them() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let options = HistoryOptions { self_scrape: None, ..HistoryOptions::default() };
    let groups = RuleGroup::parse_file("r.yml", RULES, &Engine::new(options.query.clone()));
    let history = History::open(folder.path(), options, Arc::new(SystemClock)).unwrap();
    let jobs = Jobs {
        exposition: Arc::new(String::new),
        alerts: None,
        client: client.clone(),
        tracker: TaskTracker::new(),
        cancel: CancellationToken::new(),
    };
    history.start(&jobs);
    history.replace_rules(groups.unwrap());
    let served = Served::of(router(history, HttpOptions::default()));
    let prometheus = Prometheus::start_with(client, RULES).await;

    let mut different = Vec::new();
    let mut ticks = tokio::time::interval(Duration::from_millis(250));
    // Until both have evaluated every rule, and Prometheus keeps the series of its alerts.
    for _ in 0..80 {
        ticks.tick().await;
        different.clear();
        for uri in ASKED {
            let request = || Request::get(uri).body(Vec::new()).unwrap();
            let own = lasting(served.ask(request()).await.text());
            let theirs = lasting(prometheus.ask(request()).await.text());
            if own != theirs {
                different.push(format!("{uri}:\n  {own}\nand not\n  {theirs}"));
            }
        }
        if different.is_empty() {
            break;
        }
    }
    jobs.cancel.cancel();
    jobs.tracker.close();
    jobs.tracker.wait().await;
    assert!(different.is_empty(), "{}", different.join("\n"));
}

/// Returns an answer without times and places on the machine.
fn lasting(text: String) -> Value {
    let mut answer: Value = serde_json::from_str(&text).unwrap();
    let is_query = answer["data"]["resultType"].is_string();
    clean(&mut answer, is_query);
    answer
}

fn clean(value: &mut Value, is_query: bool) {
    match value {
        Value::Array(items) => {
            items.iter_mut().for_each(|item| clean(item, is_query));
            // Alerts of one rule, and series, come in any order.
            items.sort_by_key(|item| {
                if item["rules"].is_array() { String::new() } else { item.to_string() }
            });
        }
        Value::Object(members) => {
            for (name, member) in members {
                match name.as_str() {
                    "lastEvaluation" | "activeAt" => {
                        let is_time = member.as_str().is_some_and(|it| it.ends_with('Z'));
                        let is_never = member.as_str().is_some_and(|it| it.starts_with("0001"));
                        *member = Value::from(format!("time {is_time}, never {is_never}"));
                    }
                    "evaluationTime" => *member = Value::from(member.is_number()),
                    "file" => *member = Value::from(member.as_str().unwrap().ends_with("r.yml")),
                    "value" if is_query => member[0] = Value::from(0),
                    _ => clean(member, is_query),
                }
            }
        }
        _ => {}
    }
}
