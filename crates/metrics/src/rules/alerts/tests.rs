//! How alerts come and go over the evaluations of a group.

use pampero_series::STALE_MARKER;

use super::super::GroupAtWork;
use super::super::testbed::{Bench, INTERVAL, group, rule_group};
use super::*;

/// One stretch of time under a rule: the temperature at each evaluation, 15 s apart, with `None` for
/// an evaluation without a sample; and what is heard at each.
#[track_caller]
fn check(rule: &str, temperatures: &[Option<f64>], expected: &[&str]) {
    let bench = Bench::new();
    let group = group(&format!("  rules:\n  - {{alert: Cold, expr: 'temperature < 0', {rule}}}\n"));
    let mut heard = Vec::new();
    for (index, temperature) in temperatures.iter().enumerate() {
        let after_ms = 15_000 * i64::try_from(index).unwrap();
        bench.put("a", after_ms, temperature.unwrap_or(STALE_MARKER));
        bench.evaluate(&group, after_ms);
        let lines = bench.heard();
        heard.push(lines.join(", "));
    }
    assert_eq!(heard, expected, "{rule}");
}

#[test]
fn an_alert_fires_after_its_wait_and_ends() {
    let cold = Some(-1.0);
    let warm = Some(1.0);
    check(
        "for: 0s",
        &[warm, cold, Some(-2.0), warm, cold],
        &[
            "",
            "15 a firing -1 since 15",
            "30 a firing -2 since 15",
            "45 a inactive -2 since 15",
            "60 a firing -1 since 60",
        ],
    );
    check(
        "for: 30s",
        &[cold, cold, cold, warm, cold, None, cold],
        &[
            "0 a pending -1 since 0",
            "15 a pending -1 since 0",
            "30 a firing -1 since 0",
            "45 a inactive -1 since 0",
            "60 a pending -1 since 60",
            "", // What is pending ends without a trace.
            "90 a pending -1 since 90",
        ],
    );
}

#[test]
fn an_alert_is_kept_firing() {
    let (cold, warm) = (Some(-1.0), Some(1.0));
    check(
        "for: 15s, keep_firing_for: 30s",
        &[cold, warm, cold, cold, warm, warm, Some(-3.0), warm, warm, warm, warm],
        &[
            "0 a pending -1 since 0",
            "", // Only what fires is kept.
            "30 a pending -1 since 30",
            "45 a firing -1 since 30",
            "60 a firing -1 since 30 kept since 60",
            "75 a firing -1 since 30 kept since 60",
            "90 a firing -3 since 30", // It holds again, so the next end counts anew.
            "105 a firing -3 since 30 kept since 105",
            "120 a firing -3 since 30 kept since 105",
            "135 a inactive -3 since 30",
            "150 a inactive -3 since 30",
        ],
    );
}

#[test]
fn an_alert_that_is_over_is_remembered_for_a_quarter_of_an_hour() {
    let bench = Bench::new();
    let group = group("  interval: 5m\n  rules:\n  - {alert: Cold, expr: 'temperature < 0'}\n");
    let mut heard = Vec::new();
    for (minute, temperature) in [(0, -1.0), (5, 1.0), (10, 1.0), (20, 1.0), (21, 1.0)] {
        bench.put("a", minute * 60_000, temperature);
        bench.evaluate(&group, minute * 60_000);
        heard.push(bench.heard().join(""));
    }
    // At exactly 15 minutes it is still there.
    let inactive = |second: i64| format!("{second} a inactive -1 since 0");
    let expected =
        ["0 a firing -1 since 0".into(), inactive(300), inactive(600), inactive(1200), "".into()];
    assert_eq!(heard, expected);
    assert_eq!(group.state().rules[0].active_alerts().count(), 0);
}

#[test]
fn alerts_leave_series_that_end_with_them() {
    let bench = Bench::new();
    let group = group(
        "  query_offset: 1s\n  labels: {team: sky}\n  rules:\n  \
         - {alert: Cold, expr: 'temperature < 0', for: 15s, labels: {severity: page, place: x}}\n  \
         - {record: 'alerts', expr: 'count(ALERTS)'}\n",
    );
    for (after_ms, temperature) in [(0, -1.0), (15_000, -2.0), (30_000, 1.0), (45_000, 1.0)] {
        bench.put("a", after_ms - 2_000, temperature);
        bench.evaluate(&group, after_ms);
    }
    let labels = |state: &str| {
        format!("ALERTS{{alertname=\"Cold\", alertstate=\"{state}\", place=\"x\", ")
            + "severity=\"page\", team=\"sky\"}"
    };
    assert_eq!(
        bench.kept(ALERTS),
        [
            format!("{}: 14000=1 29000=stale", labels("firing")),
            format!("{}: -1000=1 14000=stale", labels("pending")),
        ]
    );
    let since = bench.zero_ms / 1000;
    let for_state = format!(
        "ALERTS_FOR_STATE{{alertname=\"Cold\", place=\"x\", severity=\"page\", team=\"sky\"}}: \
         -1000={since} 14000={since} 29000=stale"
    );
    assert_eq!(bench.kept(ALERTS_FOR_STATE), [for_state]);
    // A later rule of the group sees the alerts of the same evaluation.
    assert_eq!(bench.kept("alerts"), [r#"alerts{team="sky"}: -1000=1 14000=1 29000=stale"#]);
}

#[test]
fn a_rule_that_fails_leaves_its_alerts_as_they_were() {
    let bench = Bench::new();
    let group = group(
        "  rules:\n  - alert: Cold\n    expr: temperature < 0 and on (place) rain\n    for: 30s\n    \
         labels: {place: x}\n",
    );
    bench.put("a", 0, -1.0);
    bench.put_into("rain", "a", 0, 1.0);
    bench.evaluate(&group, 0);
    assert_eq!(bench.heard(), ["0 x pending -1 since 0"]);
    // The second series would be the same alert.
    bench.put("b", 10_000, -2.0);
    bench.put_into("rain", "b", 10_000, 1.0);
    bench.evaluate(&group, 15_000);
    let error = "15 failed: with the labels of the rule, two series of the result are the same: \
                 {alertname=\"Cold\", place=\"x\"}";
    assert_eq!(bench.heard(), [error]);
    let state = group.state().rules.remove(0);
    assert_eq!(state.active_alerts().count(), 1);
    assert!(state.last_error.is_some_and(|error| error.contains("are the same")));
    bench.put("b", 20_000, 2.0);
    bench.evaluate(&group, 30_000);
    assert_eq!(bench.heard(), ["30 x firing -1 since 0"]);
}

#[test]
fn too_many_alerts_are_forgotten_and_told_as_a_failure() {
    let bench = Bench::new();
    let group = group("  limit: 1\n  rules:\n  - {alert: Cold, expr: 'temperature < 0'}\n");
    bench.put("a", 0, -1.0);
    bench.evaluate(&group, 0);
    assert_eq!(bench.heard(), ["0 a firing -1 since 0"]);
    bench.put("b", 10_000, -1.0);
    bench.evaluate(&group, 15_000);
    assert_eq!(bench.heard(), ["15 failed: the rule gives 2 alerts, and 1 are the most"]);
    assert_eq!(group.state().rules[0].active_alerts().count(), 0);
    bench.put("a", 20_000, 1.0);
    bench.evaluate(&group, 30_000);
    assert_eq!(bench.heard(), ["30 b firing -1 since 30"]);
}

#[test]
fn labels_and_annotations_are_expanded() {
    let bench = Bench::new();
    let group = group(
        "  rules:\n  - alert: Cold\n    expr: temperature < 0\n    labels: {at: 'in {{ $labels.place \
         }}', empty: '{{ $labels.nothing }}'}\n    annotations: {summary: '{{ $value }} °C in {{ \
         $labels.place }}', b: '{{ $labels.__name__ }}'}\n",
    );
    bench.put("a", 0, -1.5);
    bench.evaluate(&group, 0);
    let heard = bench.heard.take_all().remove(0);
    let alert = &heard.outcome.unwrap()[0];
    assert_eq!(alert.labels.to_string(), r#"{alertname="Cold", at="in a", place="a"}"#);
    let pair = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    assert_eq!(*alert.annotations, [pair("b", "temperature"), pair("summary", "-1.5 °C in a")]);
    assert_eq!((alert.fired_at_ms, alert.resolved_at_ms), (Some(bench.zero_ms), None));
    // As in Prometheus, the template stands in the series where it expands to nothing.
    let kept = bench.kept(ALERTS).remove(0);
    assert!(kept.contains(r#"empty="{{ $labels.nothing }}""#), "{kept}");
    let source = &heard.source;
    assert_eq!(source.annotation("b"), Some("{{ $labels.__name__ }}"));
    assert_eq!((source.file.as_str(), source.group.as_str()), ("weather.yml", "a"));
    assert_eq!((source.rule.as_str(), source.interval), ("Cold", INTERVAL));
}

#[test]
fn rules_of_the_same_name_are_told_apart() {
    let rule = "  - {alert: Cold, expr: 'temperature < 0'}\n";
    let other = "  - {alert: Hot, expr: 'temperature > 30'}\n";
    let group = rule_group(&format!("  rules:\n{rule}{other}{rule}{rule}"));
    let names: Vec<_> = group.sources(INTERVAL).iter().map(|source| source.rule.clone()).collect();
    assert_eq!(names, ["Cold", "Hot", "Cold#2", "Cold#3"]);
}

#[test]
fn the_absence_of_data_is_told_where_it_is_asked_for() {
    let check = |expr: &str, annotation: &str, expected: [&str; 3]| {
        let bench = Bench::new();
        let group = group(&format!(
            "  rules:\n  - {{alert: A, expr: '{expr}', annotations: {{{annotation}: tell}}}}\n"
        ));
        bench.evaluate(&group, 0);
        bench.put("a", 10_000, 5.0);
        bench.evaluate(&group, 15_000);
        bench.put("a", 20_000, STALE_MARKER);
        bench.evaluate(&group, 30_000);
        let heard: Vec<_> = bench.heard.take_all().iter().map(|heard| heard.has_no_data).collect();
        let expected = expected.map(|expected| expected == "none");
        assert_eq!(heard, expected, "{expr} with {annotation}");
    };
    check("temperature < 0", "pampero_no_data", ["none", "", "none"]);
    check("temperature < 0", "summary", ["", "", ""]);
    check("temperature < 0 or rain", "pampero_no_data", ["none", "none", "none"]);
    // That there is no alert is no lack of data.
    check("temperature < 0 and ALERTS{alertname=\"A\"}", "pampero_no_data", ["none", "", "none"]);
    // What gives a result has data.
    check("temperature < 9 or rain", "pampero_no_data", ["none", "", "none"]);
    check("absent(temperature)", "pampero_no_data", ["", "", ""]);
}

/// Lets an alert be pending for `before` minutes, at the last of which it may end, and the program be
/// down for `down`; returns the minute at which the alert fires afterwards.
fn fires_at(hold: &str, before: i64, down: i64, ends_before: bool) -> i64 {
    let bench = Bench::new();
    let rule = format!(
        "  interval: 1m\n  rules:\n  - {{alert: Cold, expr: 'temperature < 0', for: {hold}}}\n"
    );
    let evaluate = |group: &GroupAtWork, minute: i64| {
        let is_over = ends_before && minute == before;
        bench.put("a", minute * 60_000, if is_over { 1.0 } else { -1.0 });
        bench.evaluate(group, minute * 60_000);
        bench.heard().iter().any(|line| line.contains("firing"))
    };
    let first = group(&rule);
    for minute in 0..=before {
        evaluate(&first, minute);
    }
    let second = GroupAtWork::new(rule_group(&rule), INTERVAL).restored_later();
    let starts = before + down;
    (starts..starts + 200).find(|minute| evaluate(&second, *minute)).unwrap()
}

#[test]
fn waits_go_on_after_a_restart() {
    // The state is restored after the second evaluation, a minute after the start.
    assert_eq!(fires_at("1h", 20, 30, false), 91);
    // What would fire within ten minutes waits for ten.
    assert_eq!(fires_at("1h", 55, 5, false), 71);
    // What was firing fires with the third evaluation.
    assert_eq!(fires_at("30m", 35, 10, false), 47);
    // After more than an hour, and with waits below ten minutes, it begins anew.
    assert_eq!(fires_at("1h", 20, 80, false), 160);
    assert_eq!(fires_at("5m", 3, 2, false), 10);
    // What was over does so too.
    assert_eq!(fires_at("1h", 20, 30, true), 110);
}
