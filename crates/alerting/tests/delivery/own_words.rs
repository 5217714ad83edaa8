//! What a monitor says between two of its runs.

use std::sync::Arc;
use std::time::Duration;

use pampero_alerting::{
    Definitions, DefinitionsOptions, Finding, MonitorTeller, MonitorTellers, Observation, Outcome,
    Phase, SourceId, SourceKind,
};
use pampero_notifications::{FolderVault, Guard};
use pampero_resilience::VirtualClock;
use pampero_series::Labels;
use serde_json::json;
use tempfile::TempDir;

use crate::kit::{Bed, pass, start};

#[tokio::test(start_paused = true)]
async fn reminders_between_two_runs_are_in_the_words_of_the_monitor() {
    let folder = TempDir::new().unwrap();
    let place = |name: &str| folder.path().join(name);
    let options = DefinitionsOptions {
        monitors: place("monitors"),
        channels: place("channels"),
        ledger: place("ledger"),
        poll: Duration::from_secs(2),
        monitors_max: 10,
        channels_max: 10,
    };
    let vault = Arc::new(FolderVault::new(place("secrets"), Vec::new(), []));
    let clock = Arc::new(VirtualClock::starting_at(start()));
    let definitions = Definitions::open(&options, &[], vault, Guard::public_only(), clock).unwrap();
    let definitions = Arc::new(definitions);
    let entry = definitions.create_monitor(Some("logs"), &monitor()).unwrap();

    let bed = Bed::open(&place("alerts"));
    bed.alerting.set_tellers(Box::new(MonitorTellers { definitions }));
    let (kind, trigger) = (SourceKind::Monitor, "count_error".to_owned());
    let source = SourceId { kind, definition: "logs".to_owned(), trigger: trigger.clone() };
    let policy = entry.item.policy(entry.item.trigger(&trigger).unwrap());
    let (monitor, facts) = (Arc::clone(&entry.item), entry.facts());
    let teller = MonitorTeller { monitor, facts, trigger };
    let phase = Phase::Firing { since: bed.now() };
    let key = Labels::empty();
    let finding = Finding { key, phase, value: Some(7.0), annotations: Vec::new() };
    let observation = Observation {
        at: bed.now(),
        outcome: Outcome::Known(vec![finding]),
        answer: Some(Arc::new(json!({ "hits": { "total": { "value": 7 }, "hits": [] } }))),
    };
    bed.alerting.observe(&source, &policy, &observation, &teller);
    bed.run(pass(130)).await;
    let told = bed.receivers.take();
    let texts: Vec<&str> = told.iter().map(|got| got.message.text.as_str()).collect();
    assert_eq!(texts, ["7 errors", "7 errors", "7 errors"]);
}

fn monitor() -> serde_json::Value {
    json!({
        "name": "Error Weather Logs",
        "schedule": { "period": { "interval": 10, "unit": "MINUTES" } },
        "inputs": [{ "search": { "indices": ["weather_logs"], "query": { "size": 0 } } }],
        "triggers": [{
            "id": "count_error",
            "name": "count_error",
            "severity": "1",
            "condition": { "script": { "source": "return true", "lang": "painless" } },
            "actions": [{
                "id": "tell",
                "name": "ERROR Log",
                "destination_id": "slack",
                "message_template": { "source": "{{ctx.results.0.hits.total.value}} errors" },
            }],
        }],
        "pampero": { "triggers": { "count_error": { "reminder": "1m" } } },
    })
}
