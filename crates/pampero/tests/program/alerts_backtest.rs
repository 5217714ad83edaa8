//! What a backtest says of the past is what happened: the same alerts, beginning and ending at the same
//! instants, with the same messages.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use pampero_simulator::{Fault, ScheduledFault, SimulatorConfig};
use pampero_weather::provider::ProviderId;
use serde_json::{Value, json};

use crate::alerts_kit::{
    ALERTING, ENVIRONMENT, NOTIFICATIONS, done, hurried_monitor, slack_channel, wait_for,
    wait_for_evaluations,
};
use crate::harness::{Program, folder, hurried, now, path_of, simulator_with};
use crate::logs::create_as_in_the_original;

/// A round of the schedule of faults.
const PERIOD: Duration = Duration::from_secs(13);
/// Every event is told, however often it repeats.
const UNFOLDED: &str = "[logs]\nfold_after = 1000000\n";
/// The samples of a moment are there half a second later, as the documents of the log are.
const RULES: &str = "groups:
  - name: outage
    interval: 1s
    query_offset: 500ms
    rules:
      - alert: NobodyAnswers
        expr: max by (place) (pampero_weather_trouble) == 1
        for: 1s
        labels: {severity: high}
        annotations: {summary: 'nobody answers for {{ $labels.place }}', pampero_channels: slack-ops}
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backtest_finds_what_the_live_run_found() {
    let mut config = SimulatorConfig::new(Arc::new(now));
    let (offset, lasting) = (Duration::from_secs(6), Duration::from_secs(4));
    let (provider, fault) = (ProviderId::OpenMeteo, Fault::Status { code: 503 });
    config.faults.push(ScheduledFault::every(PERIOD, provider, fault, offset, lasting));
    let simulator = simulator_with(config).await;
    let folder = folder();
    let rules = path_of(&folder, "rules.yml");
    std::fs::write(&rules, RULES).unwrap();
    let more = format!(
        "{UNFOLDED}[metrics]\nshipped_rules = false\nscrape_interval = \"1s\"\nrules = [{rules:?}]\n"
    );
    let config = hurried(&simulator, &["open_meteo"], &more);
    let program = Program::serve(folder.path(), &config, ENVIRONMENT).await;
    create_as_in_the_original(&program).await;
    let channel = slack_channel("slack-ops", simulator.slack_url().as_str());
    done(&program, &format!("POST {NOTIFICATIONS}/configs"), &channel).await;
    let from = now();
    let made = done(&program, &format!("POST {ALERTING}/monitors"), &hurried_monitor(2, 3)).await;
    let monitor = made["_id"].as_str().unwrap();

    wait_for("the end of two outages", &program, async || {
        let of_monitor = live(&program, "monitor").await;
        let of_rule = live(&program, "rule").await;
        let is_whole =
            |alerts: &[Firing]| 2 <= alerts.len() && alerts.iter().all(|alert| alert.end.is_some());
        (is_whole(&of_monitor) && is_whole(&of_rule)).then_some(())
    })
    .await;
    wait_for_evaluations(&program, "NobodyAnswers", 1).await;
    let to = now();

    let by_monitor = json!({ "monitor_id": monitor });
    check_played(&program, "monitor", by_monitor, (from, to)).await;
    let by_document = json!({ "monitor": hurried_monitor(2, 3) });
    let played = play(&program, by_document, (from, to)).await;
    assert!(2 <= played["count"].as_u64().unwrap(), "{played}");
    check_played(&program, "rule", json!({ "rules": RULES }), (from, to)).await;
    let (status, log) = program.terminate();
    assert!(status.success() && !log.contains("panicked"), "{log}");
}

/// A time during which something was active, or would have been.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Firing {
    key: Value,
    start: String,
    end: Option<String>,
}

/// Returns the alerts of a kind that were active, in the order of their beginnings.
async fn live(program: &Program, kind: &str) -> Vec<Firing> {
    let states = "active,acknowledged,completed";
    let path = format!("GET /api/alerts?source={kind}&state={states}&sort=start&order=asc");
    let listed = done(program, &path, &Value::Null).await;
    let alerts = listed["alerts"].as_array().unwrap().iter();
    let firing = |alert: &Value| Firing {
        key: match alert["labels"]["place"].as_str() {
            Some(place) => json!({ "place": place }),
            None => json!({}),
        },
        start: alert["started"].as_str().unwrap().to_owned(),
        end: alert["ended"].as_str().map(str::to_owned),
    };
    alerts.map(firing).collect()
}

async fn play(program: &Program, what: Value, (from, to): (Timestamp, Timestamp)) -> Value {
    let mut request = what;
    request["from"] = json!(from.to_string());
    request["to"] = json!(to.to_string());
    let played = done(program, "POST /api/alerts/backtest", &request).await;
    assert_eq!((&played["stopped"], &played["errors"]), (&Value::Null, &json!([])), "{played}");
    played
}

/// Checks that a backtest finds the alerts of a kind that there were, and the messages.
async fn check_played(program: &Program, kind: &str, what: Value, stretch: (Timestamp, Timestamp)) {
    let played = play(program, what, stretch).await;
    let mut live = live(program, kind).await;
    let end = stretch.1.to_string();
    live.retain(|alert| alert.start <= end);
    let firings = played["firings"].as_array().unwrap().iter();
    let firing = |firing: &Value| Firing {
        key: firing["key"].clone(),
        start: firing["start"].as_str().unwrap().to_owned(),
        end: firing["end"].as_str().map(str::to_owned),
    };
    let firings: Vec<Firing> = firings.map(firing).collect();
    assert_eq!(firings, live, "{kind}: the first is the backtest, the second what there was");
    assert_eq!(played["count"], live.len(), "{played}");

    let told = told(program, &played["firings"][0]["source"]).await;
    let messages = played["messages"].as_array().unwrap().iter();
    let messages: Vec<(Value, Value, Value)> = messages.map(message).collect();
    assert_eq!(messages, told, "{kind}: the first would have been sent, the second was");
}

/// Returns what was told of a source, in the order of the times.
async fn told(program: &Program, source: &Value) -> Vec<(Value, Value, Value)> {
    let escaped = |name: &str| {
        let bytes = source[name].as_str().unwrap().bytes();
        bytes.map(|byte| format!("%{byte:02X}")).collect::<String>()
    };
    let kind = source["kind"].as_str().unwrap();
    let (definition, trigger) = (escaped("definition"), escaped("trigger"));
    let path = format!("GET /api/alerts/sources/{kind}/{definition}/{trigger}/history?limit=1000");
    let history = done(program, &path, &Value::Null).await;
    let entries = history["entries"].as_array().unwrap().iter().rev();
    let of_entry = |entry: &Value| entry["messages"].as_array().unwrap().clone();
    entries.flat_map(of_entry).map(|it| message(&it)).collect()
}

/// Returns what matters of a message. The text tells where the program listens, and has values of the moment.
fn message(message: &Value) -> (Value, Value, Value) {
    (message["kind"].clone(), message["channel"].clone(), message["subject"].clone())
}
