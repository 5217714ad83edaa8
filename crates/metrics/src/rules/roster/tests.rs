//! What becomes of alerts and series when groups are replaced.

use super::super::testbed::{Bench, INTERVAL, parse};
use super::*;
use crate::rules::Desk;

const COLD: &str = "{alert: Cold, expr: 'temperature < 0', for: 1m}";
const HOT: &str = "{alert: Hot, expr: 'temperature > 30'}";

fn groups(of: &[(&str, &[&str])]) -> Vec<RuleGroup> {
    let mut text = String::from("groups:\n");
    for (name, rules) in of {
        text += &format!("- name: {name}\n  rules: [{}]\n", rules.join(", "));
    }
    parse(&text).unwrap()
}

fn evaluate(bench: &Bench, roster: &Roster, after_ms: i64) {
    let Bench { engine, store, writer, heard, .. } = bench;
    let at_ms = bench.zero_ms + after_ms;
    let desk = Desk { engine, store, writer, sink: Some(heard), now_ms: at_ms };
    roster.groups().iter().for_each(|group| group.evaluate(desk, at_ms));
}

/// A roster whose alerts are restored already, after two evaluations.
fn begun(bench: &Bench, of: &[(&str, &[&str])]) -> Roster {
    let roster = Roster::new(groups(of), INTERVAL);
    evaluate(bench, &roster, -30_000);
    evaluate(bench, &roster, -15_000);
    bench.heard();
    roster
}

#[test]
fn groups_that_did_not_change_stay_as_they_are() {
    let bench = Bench::new();
    let roster = begun(&bench, &[("a", &[COLD]), ("b", &[HOT])]);
    let before = roster.groups();
    let replaced = roster.replace(groups(&[("b", &[HOT, COLD]), ("a", &[COLD])]), 0, true);
    let after = roster.groups();
    assert!(Arc::ptr_eq(&before[0], &after[0]), "the group a is the same");
    assert!(!Arc::ptr_eq(&before[1], &after[1]), "the group b is another");
    assert!(before[1].stop.is_cancelled() && !before[0].stop.is_cancelled());
    assert_eq!(replaced.begun.len(), 1);
    assert!(Arc::ptr_eq(&replaced.begun[0], &after[1]));
    // How an expression is written makes no difference.
    let spaced = "{alert: Cold, expr: 'temperature   <  0', for: 60s}";
    let replaced = roster.replace(groups(&[("a", &[spaced]), ("b", &[HOT, COLD])]), 0, true);
    assert_eq!((replaced.begun.len(), replaced.ended.len()), (0, 0));
    for changed in [
        "{alert: Cold, expr: 'temperature < 1', for: 1m}",
        "{alert: Cold, expr: 'temperature < 0', for: 2m}",
        "{alert: Cold, expr: 'temperature < 0', for: 1m, keep_firing_for: 1m}",
        "{alert: Cold, expr: 'temperature < 0', for: 1m, annotations: {a: b}}",
        "{alert: Cold, expr: 'temperature < 0', for: 1m, labels: {a: b}}",
        "{record: Cold, expr: 'temperature < 0'}",
    ] {
        let replaced = roster.replace(groups(&[("a", &[changed]), ("b", &[HOT])]), 0, true);
        assert!(!replaced.begun.is_empty(), "{changed}");
    }
}

#[test]
fn alerts_of_a_changed_group_go_on() {
    let bench = Bench::new();
    let roster = begun(&bench, &[("a", &[COLD])]);
    bench.put("a", 0, -1.0);
    evaluate(&bench, &roster, 0);
    assert_eq!(bench.heard(), ["0 a pending -1 since 0"]);
    // The rule has moved and another expression, and waits on.
    let colder = "{alert: Cold, expr: 'temperature < 0.5', for: 1m}";
    roster.replace(groups(&[("a", &[HOT, colder])]), bench.zero_ms, true);
    assert_eq!(roster.groups()[0].state().rules[1].active_alerts().count(), 1);
    evaluate(&bench, &roster, 60_000);
    assert_eq!(bench.heard(), ["60 a firing -1 since 0"]);
    // With another label it is another rule: the old series ends, the new alert begins.
    let labelled = "{alert: Cold, expr: 'temperature < 0', for: 1m, labels: {team: sky}}";
    roster.replace(groups(&[("a", &[labelled])]), bench.zero_ms + 60_000, true);
    evaluate(&bench, &roster, 75_000);
    assert_eq!(bench.heard(), ["75 a pending -1 since 75"]);
    let firing = r#"ALERTS{alertname="Cold", alertstate="firing", place="a"}: 60000=1 75000=stale"#;
    assert_eq!(bench.kept("ALERTS")[0], firing);
}

#[test]
fn series_of_rules_that_are_gone_end_however_often_groups_are_replaced() {
    let bench = Bench::new();
    let roster = begun(&bench, &[("a", &["{record: hot, expr: 'temperature > 30'}"])]);
    bench.put("a", 0, 40.0);
    evaluate(&bench, &roster, 0);
    roster.replace(groups(&[("a", &[HOT])]), bench.zero_ms + 1_000, true);
    roster.replace(groups(&[("a", &[COLD])]), bench.zero_ms + 2_000, true);
    evaluate(&bench, &roster, 15_000);
    assert_eq!(bench.kept("hot"), [r#"hot{place="a"}: 0=40 15000=stale"#]);
    evaluate(&bench, &roster, 30_000);
    assert_eq!(bench.kept("hot"), [r#"hot{place="a"}: 0=40 15000=stale"#], "once is enough");
}

#[test]
fn rules_of_the_same_name_go_on_in_their_order() {
    let bench = Bench::new();
    let rain = "{alert: Cold, expr: 'rain > 0', for: 1m}";
    let roster = begun(&bench, &[("a", &[COLD, rain])]);
    bench.put("a", 0, -1.0);
    bench.put_into("rain", "b", 0, 1.0);
    evaluate(&bench, &roster, 0);
    roster.replace(groups(&[("a", &[COLD, HOT, rain])]), bench.zero_ms, true);
    bench.heard();
    evaluate(&bench, &roster, 60_000);
    assert_eq!(bench.heard(), ["60 a firing -1 since 0", "60 b firing 1 since 0"]);
}

#[test]
fn series_of_a_group_that_is_gone_end_unless_others_go_on_with_them() {
    let bench = Bench::new();
    let rules: &[&str] = &[HOT, "{record: hot, expr: 'temperature > 30'}"];
    let roster = begun(&bench, &[("a", rules)]);
    bench.put("a", 0, 40.0);
    evaluate(&bench, &roster, 0);
    let replaced = roster.replace(groups(&[("b", &rules[1..])]), bench.zero_ms + 1_000, true);
    assert_eq!(replaced.ended[0].wait, 2 * INTERVAL);
    evaluate(&bench, &roster, 15_000);
    for ended in replaced.ended {
        roster.end_series(&bench.writer, ended);
    }
    let firing = r#"ALERTS{alertname="Hot", alertstate="firing", place="a"}: 0=1 1000=stale"#;
    assert_eq!(bench.kept("ALERTS"), [firing]);
    assert_eq!(bench.kept("hot"), [r#"hot{place="a"}: 0=40 15000=40"#]);
}

#[test]
fn a_group_that_is_gone_is_not_evaluated_any_more() {
    let bench = Bench::new();
    let roster = begun(&bench, &[("a", &[HOT])]);
    let gone = Arc::clone(&roster.groups()[0]);
    roster.replace(Vec::new(), 0, true);
    assert!(roster.groups().is_empty());
    bench.put("a", 0, 40.0);
    bench.evaluate(&gone, 0);
    assert_eq!(bench.heard(), [""; 0]);
}

#[test]
fn of_two_groups_with_the_same_name_the_last_one_holds() {
    let twice = groups(&[("a", &[HOT])]).into_iter().chain(groups(&[("a", &[COLD])])).collect();
    let roster = Roster::new(twice, INTERVAL);
    let names: Vec<_> =
        roster.groups().iter().map(|group| group.state().rules[0].name.clone()).collect();
    assert_eq!(names, ["Cold"]);
}
