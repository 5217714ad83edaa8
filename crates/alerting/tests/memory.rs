//! How much memory ten thousand alerts of one source take, the store and its first message included.
#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use pampero_alerting::{
    ActionPolicy, Alerting, AlertingOptions, DefaultTeller, Deliver, Finding, NoDataRule,
    Observation, Outcome, Phase, Policy, Receiver, SourceId, SourceKind,
};
use pampero_notifications::{Delivered, DeliveryError, Message};
use pampero_resilience::{Clock, SystemClock};
use pampero_series::Labels;

const KEYS: usize = 10_000;
const BYTES_MAX: u64 = 100 << 20;

#[derive(Debug)]
struct Nobody;

#[async_trait]
impl Deliver for Nobody {
    fn receiver(&self, _: &str) -> Option<Receiver> {
        None
    }

    fn forgetful(&self) -> HashSet<String> {
        HashSet::new()
    }

    async fn deliver(&self, _: &str, _: &Message) -> Result<Delivered, DeliveryError> {
        std::future::pending().await
    }
}

/// Returns the most memory that this process ever had, in bytes.
fn peak_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1_024
}

#[test]
fn ten_thousand_alerts_of_one_source_stay_under_a_hundred_mebibytes() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(SystemClock);
    let options = AlertingOptions::default();
    let alerting = Alerting::open(folder.path(), options, clock.clone(), Arc::new(Nobody)).unwrap();
    let source = SourceId {
        kind: SourceKind::Rule,
        definition: "rules/weather.yml;weather".to_owned(),
        trigger: "Frost".to_owned(),
    };
    let policy = Policy {
        definition_name: "weather".to_owned(),
        name: "Frost".to_owned(),
        severity: 3,
        labels: [("severity", "warning")].into_iter().collect(),
        hold: Duration::ZERO,
        keep_firing: Duration::ZERO,
        no_data: NoDataRule::Quiet,
        actions: vec![ActionPolicy {
            id: "slack".to_owned(),
            name: "slack".to_owned(),
            channel: "slack".to_owned(),
            throttle: None,
        }],
        reminder: None,
        recovery: true,
        escalations: Vec::new(),
    };
    let before = peak_bytes();
    for _ in 0..3 {
        let at = clock.now();
        let finding = |number: usize| Finding {
            key: labels(number),
            phase: Phase::Firing { since: at },
            value: Some(-3.5),
            annotations: vec![("summary".to_owned(), format!("Frost at station {number}"))],
        };
        let outcome = Outcome::Known((0..KEYS).map(finding).collect());
        let observation = Observation { at, outcome, answer: None };
        alerting.observe(&source, &policy, &observation, &DefaultTeller);
    }
    assert_eq!(alerting.statistics().alerts.active, KEYS);
    let taken = peak_bytes() - before;
    assert!(taken < BYTES_MAX, "{} MiB", taken >> 20);
    println!("{KEYS} alerts took {} MiB at most", taken >> 20);
}

fn labels(number: usize) -> Labels {
    let place = format!("place-{number:05}");
    [("place", place.as_str()), ("provider", "open_meteo"), ("job", "pampero")]
        .into_iter()
        .collect()
}
