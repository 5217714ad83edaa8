//! The same alerting rules over the same samples, here and in Prometheus: at each evaluation the same
//! alerts are pending and firing, with the same labels and annotations.
//!
//! What is found here becomes the expectation of a unit test that a real promtool runs, which lets
//! Prometheus's own rules go through the same times.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod generate;
mod live;

use std::process::Command;

use serde_json::{Value, json};

use generate::Case;
use live::{EVALUATIONS, INTERVAL, Lived};

/// From one sample of a series to the next, in seconds.
const SAMPLE_SECONDS: i64 = 20;

/// Where the chance begins. Other seeds are as good; one keeps the test short.
const SEED: u64 = 1;

#[test]
fn alerts_come_and_go_as_in_prometheus() {
    let case = Case::new(SEED);
    let lived = Lived::through(&case);
    let firing = lived.firing.iter().flatten().count();
    assert!(firing > 500, "only {firing} alerts fired");
    let output = promtool(&case, &lived, EVALUATIONS, |_| {});
    assert!(output.is_empty(), "{output}");

    // That it says nothing means something only if it notices what is missing.
    for (list, name) in [("alert_rule_test", "exp_alerts"), ("promql_expr_test", "exp_samples")] {
        let output = promtool(&case, &lived, 5, |test| {
            let entries = test[list].as_array_mut().unwrap();
            let entry = entries.iter_mut().find(|it| it[name].as_array().unwrap().len() > 1);
            entry.unwrap()[name].as_array_mut().unwrap().pop();
        });
        assert!(output.contains("FAILED"), "{list}: {output}");
    }
}

/// Lets promtool go through the first evaluations of the case; returns what it has to complain of.
fn promtool(
    case: &Case,
    lived: &Lived,
    evaluations: usize,
    change: impl FnOnce(&mut Value),
) -> String {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("rules.yml"), &case.rules).unwrap();
    let seconds = INTERVAL.as_secs();
    let mut alert_tests = Vec::new();
    let mut series_tests = Vec::new();
    for index in 0..evaluations {
        let eval_time = format!("{}s", seconds * u64::try_from(index).unwrap());
        for alert in &case.alerts {
            let expected: Vec<_> =
                lived.firing[index].iter().filter(|it| it.name == *alert).collect();
            let expected: Vec<_> = expected
                .into_iter()
                .map(|it| json!({"exp_labels": it.labels, "exp_annotations": it.annotations}))
                .collect();
            alert_tests
                .push(json!({"eval_time": eval_time, "alertname": alert, "exp_alerts": expected}));
        }
        for metric in ["ALERTS", "ALERTS_FOR_STATE"] {
            let samples = lived.series.iter().filter(|it| it.metric == metric && it.index == index);
            let samples = samples.map(|it| json!({"labels": it.labels, "value": it.value}));
            series_tests.push(json!({
                "expr": metric, "eval_time": eval_time, "exp_samples": samples.collect::<Vec<_>>(),
            }));
        }
    }
    let series = case.series.iter().map(|(labels, values)| {
        let values: Vec<_> = values.iter().map(|value| value.written()).collect();
        json!({"series": labels.to_string(), "values": values.join(" ")})
    });
    let mut test = json!({
        "interval": format!("{SAMPLE_SECONDS}s"),
        "input_series": series.collect::<Vec<_>>(),
        "alert_rule_test": alert_tests,
        "promql_expr_test": series_tests,
    });
    change(&mut test);
    let file = json!({
        "rule_files": ["rules.yml"],
        "evaluation_interval": format!("{seconds}s"),
        "tests": [test],
    });
    let path = folder.path().join("test.yml");
    std::fs::write(&path, file.to_string()).unwrap();
    let output = Command::new("promtool")
        .args(["test", "rules"])
        .arg(&path)
        .output()
        .expect("promtool is missing; run `cargo xtask test` once, which installs it");
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    if output.status.success() { String::new() } else { text.chars().take(4000).collect() }
}
