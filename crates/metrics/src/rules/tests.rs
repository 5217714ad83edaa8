//! What is made of rule files, and of rules.

use pampero_series::STALE_MARKER;

use super::testbed::{Bench, group, parse};
use super::*;
use crate::state::Health;

const FILE: &str = r#"
groups:
  - name: weather
    interval: 1m
    limit: 10
    query_offset: 10s
    labels: {team: sky, tier: a}
    rules:
      - record: place:temperature:max
        expr: max by (place) (temperature)
        labels:
          tier: b
      - alert: Cold
        expr: |
          temperature
            < 0
        for: 5m
        keep_firing_for: 1m
        labels: {severity: page}
        annotations: {summary: "{{ $labels.place }} is cold"}
  - name: other
    rules: []
"#;

#[test]
fn rule_file_is_read() {
    let groups = parse(FILE).unwrap();
    let [weather, other] = &groups[..] else { panic!("{groups:?}") };
    assert_eq!((weather.name.as_str(), weather.file.as_str()), ("weather", "weather.yml"));
    assert_eq!(weather.interval, Some(Duration::from_secs(60)));
    assert_eq!((weather.limit, weather.query_offset), (10, Duration::from_secs(10)));
    let [Rule::Recording(max), Rule::Alerting(cold)] = &weather.rules[..] else {
        panic!("{weather:?}")
    };
    assert_eq!(max.record, "place:temperature:max");
    assert_eq!(max.query.to_string(), "max by (place) (temperature)");
    assert_eq!(max.labels.to_string(), r#"{team="sky", tier="b"}"#);
    assert_eq!((cold.hold, cold.keep_firing), (Duration::from_secs(300), Duration::from_secs(60)));
    assert_eq!(cold.query.format(), "temperature < 0");
    assert_eq!(cold.annotations[0].1, "{{ $labels.place }} is cold");
    assert_eq!((other.interval, other.rules.len()), (None, 0));
    for empty in ["", "# nothing\n", "groups:\n", "groups: []\n", "---\n"] {
        assert_eq!(parse(empty).unwrap().len(), 0, "{empty:?}");
    }
}

#[test]
fn rule_files_that_come_with_the_program_are_good() {
    for text in [
        include_str!("../../../../rules/recording.yml"),
        include_str!("../../../../rules/alerts.yml"),
    ] {
        let groups = parse(text).unwrap_or_else(|error| panic!("{error}"));
        for source in groups.iter().flat_map(|group| group.sources(Duration::from_secs(15))) {
            let severity = source.labels.value("severity");
            assert!(["critical", "high", "warning", "info"].contains(&severity), "{source:?}");
            let is_said = |name| source.annotation(name).is_some_and(|text| !text.is_empty());
            assert!(is_said("summary") && is_said("description"), "{source:?}");
        }
    }
}

#[test]
fn wrong_rule_files_are_refused_with_line_and_rule() {
    check_wrong("groups: [}", &["weather.yml:1: "]);
    check_wrong("group: []", &["weather.yml:1: ", "group"]);
    check_wrong("groups:\n - name: a\n   every: 1m\n", &["weather.yml:3: ", "every"]);
    check_wrong("groups:\n - rules: []\n", &["weather.yml:2: a group needs a name"]);
    check_wrong(
        "groups:\n - name: a\n - name: a\n",
        &["weather.yml:3: the group \"a\" is there twice"],
    );
    check_wrong(
        "groups:\n - name: a\n   interval: soon\n",
        &["weather.yml:3: group \"a\": interval: "],
    );
    check_rule("record: b\nexpr: sum(\n", &["6: group \"a\": rule \"b\": expr: "]);
    check_rule("record: b\nexpr: up[5m]\n", &["6: ", "instant vector or a scalar"]);
    check_rule("record: b\n", &["5: group \"a\": rule \"b\": expr is missing"]);
    check_rule("record: b c\nexpr: up\n", &["5: ", "\"b c\" is no name of a metric"]);
    check_rule("expr: up\n", &["5: group \"a\": rule 1: record or alert is missing"]);
    check_rule("record: b\nalert: B\nexpr: up\n", &["exclude one another"]);
    check_rule("record: b\nexpr: up\nfor: 1m\n", &["for belongs to alerts"]);
    check_rule("record: b\nexpr: up\nannotations: {a: b}\n", &["annotations belongs to alerts"]);
    check_rule("record: b\nexpr: up\nlabels:\n  c-d: e\n", &["8: ", "\"c-d\" is no name"]);
    check_rule("record: b\nexpr: up\nlabels: {__name__: e}\n", &["7: ", "is no name of a label"]);
    check_rule("alert: B\nexpr: up\nfor: 1x\n", &["7: group \"a\": rule \"B\": for: "]);
    check_rule("alert: B\nexpr: up\nannotations: {1a: b}\n", &["7: ", "of an annotation"]);
    check_rule(
        "alert: B\nexpr: up\nannotations:\n  a: \"{{ $lables.b }}\"\n",
        &["8: group \"a\": rule \"B\": the template of the annotation \"a\": ", "$lables"],
    );
    check_rule(
        "alert: B\nexpr: up\nlabels:\n  c: \"{{ .Labels\"\n",
        &["8: group \"a\": rule \"B\": the template of the label \"c\": "],
    );
    check_rule("record: b\nexpr: 1 +\n  for: 3\n", &["weather.yml"]);
    // Everything that is wrong is told at once.
    check_rule("record: 1\nexpr: sum(\nfor: x\n", &["no name of a metric", "expr: ", "for: "]);
}

/// Checks a file of one group with one rule, which begins in line 5.
#[track_caller]
fn check_rule(rule: &str, expected: &[&str]) {
    let lines: Vec<_> = rule.lines().map(|line| format!("       {line}\n")).collect();
    let text = format!("groups:\n - name: a\n   rules:\n\n     - {}", lines.concat().trim_start());
    check_wrong(&text, expected);
}

#[track_caller]
fn check_wrong(text: &str, expected: &[&str]) {
    let error = parse(text).unwrap_err().to_string();
    for part in expected {
        assert!(error.contains(part), "{error:?} does not say {part:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn results_are_kept_and_end_when_they_are_gone() {
    let bench = Bench::new();
    let group = group(
        "  rules:\n  - {record: 'warm', expr: 'temperature > 20', labels: {kind: air}}\n  \
         - {record: 'warm:count', expr: 'count(warm)'}\n  - {record: 'two', expr: '1 + 1'}\n",
    );
    bench.put("a", -60_000, 25.0);
    bench.put("b", -60_000, 30.0);
    bench.evaluate(&group, 0);
    bench.put("b", 10_000, STALE_MARKER);
    bench.evaluate(&group, 15_000);
    bench.put("a", 20_000, STALE_MARKER);
    bench.evaluate(&group, 30_000);
    bench.evaluate(&group, 45_000);
    assert_eq!(
        bench.kept("warm"),
        [
            r#"warm{kind="air", place="a"}: 0=25 15000=25 30000=stale"#,
            r#"warm{kind="air", place="b"}: 0=30 15000=stale"#,
        ]
    );
    // A later rule of the group sees what an earlier one has just given.
    assert_eq!(bench.kept("warm:count"), ["warm:count: 0=2 15000=1 30000=stale"]);
    assert_eq!(bench.kept("two"), ["two: 0=2 15000=2 30000=2 45000=2"]);
    let state = group.state();
    assert_eq!(state.last_evaluation_ms, Some(bench.zero_ms + 45_000));
    assert!(state.rules.iter().all(|rule| rule.health == Health::Good));
}

#[tokio::test(start_paused = true)]
async fn a_rule_that_fails_says_so_and_the_others_go_on() {
    let bench = Bench::new();
    let group = group(
        "  limit: 1\n  rules:\n  - {record: 'many', expr: 'temperature'}\n  \
         - {record: 'same', expr: 'temperature', labels: {place: x}}\n  \
         - {record: 'wrong', expr: 'temperature + on () temperature'}\n  \
         - {record: 'right', expr: 'count(temperature)'}\n",
    );
    bench.put("a", 0, 1.0);
    bench.put("b", 0, 2.0);
    bench.evaluate(&group, 0);
    let state = group.state();
    let errors: Vec<_> =
        state.rules.iter().map(|rule| rule.last_error.clone().unwrap_or_default()).collect();
    assert_eq!(errors[0], "the rule gives 2 series, and 1 are the most");
    assert!(errors[1].contains("two series of the result are the same"), "{errors:?}");
    assert!(errors[2].contains("the expression cannot be evaluated: "), "{errors:?}");
    assert_eq!(errors[3], "");
    assert_eq!(state.rules[2].health, Health::Bad);
    assert_eq!(bench.kept("right"), ["right: 0=2"]);
    assert_eq!(bench.kept("many"), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn rules_look_back_by_their_offset() {
    let bench = Bench::new();
    let group =
        group("  query_offset: 30s\n  rules:\n  - {record: 'late', expr: 'sum(temperature)'}\n");
    bench.put("a", -30_000, 1.0);
    bench.put("a", -10_000, 2.0);
    bench.evaluate(&group, 0);
    assert_eq!(bench.kept("late"), ["late: -30000=1"]);
}
