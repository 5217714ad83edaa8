//! Groups of rules on their schedules: when they are evaluated, what is told, and what happens when
//! they are replaced meanwhile.

use pampero_promql::{Engine, Options};

use super::*;
use crate::rules::{AlertSink, RuleAlertState, RuleEvaluation};

/// Collects when which rule was evaluated, and which alerts fired then.
#[derive(Default)]
struct Heard(Mutex<Vec<(String, i64, usize)>>);

impl AlertSink for Heard {
    fn take(&self, evaluation: RuleEvaluation) {
        let alerts = evaluation.outcome.unwrap();
        let firing = alerts.iter().filter(|it| it.state == RuleAlertState::Firing).count();
        let rule = evaluation.source.rule.clone();
        self.0.lock().unwrap().push((rule, evaluation.at_ms, firing));
    }
}

impl Heard {
    fn of(&self, rule: &str) -> Vec<(i64, usize)> {
        let heard = self.0.lock().unwrap();
        heard.iter().filter(|it| it.0 == rule).map(|(_, at_ms, firing)| (*at_ms, *firing)).collect()
    }
}

fn groups(text: &str) -> Vec<RuleGroup> {
    RuleGroup::parse_file("r.yml", text, &Engine::new(Options::default())).unwrap()
}

/// A history that evaluates these groups every 10 s and tells what they find.
fn start(text: &str) -> (tempfile::TempDir, History, Jobs, Arc<Heard>) {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(VirtualClock::starting_at(testkit::noon()));
    let options = HistoryOptions {
        self_scrape: None,
        rule_groups: groups(text),
        evaluation_interval: Duration::from_secs(10),
        ..HistoryOptions::default()
    };
    let history = History::open(folder.path(), options, clock).unwrap();
    let heard = Arc::new(Heard::default());
    let jobs = Jobs { alerts: Some(heard.clone()), ..jobs(String::new) };
    history.start(&jobs);
    (folder, history, jobs, heard)
}

const ALWAYS: &str = "{name: always, rules: [{alert: Always, expr: 'vector(1)'}]}";
const NEVER: &str = "{name: never, rules: [{alert: Never, expr: 'vector(1) > 1'}]}";

#[tokio::test(start_paused = true)]
async fn alerting_rules_are_evaluated_at_the_times_they_are_due() {
    let (_folder, history, jobs, heard) = start(&format!("groups: [{ALWAYS}, {NEVER}]"));
    tokio::time::sleep(Duration::from_secs(60)).await;
    stop(&jobs).await;

    let always = heard.of("Always");
    assert_eq!(always.len(), 6, "{always:?}");
    assert!(always.windows(2).all(|pair| pair[1].0 - pair[0].0 == 10_000), "{always:?}");
    assert!(always.iter().all(|(_, firing)| *firing == 1));
    assert!(heard.of("Never").iter().all(|(_, firing)| *firing == 0));
    // Series of alerts are kept once their state is restored, after the second evaluation.
    let kept = testkit::kept(history.store(), "ALERTS", always[0].0);
    assert_eq!(
        kept,
        [r#"ALERTS{alertname="Always", alertstate="firing"}: 20000=1 30000=1 40000=1 50000=1"#]
    );
    let state = history.rule_groups().remove(0);
    assert_eq!((state.name.as_str(), state.last_evaluation_ms), ("always", Some(always[5].0)));
    assert_eq!(state.rules[0].active_alerts().count(), 1);
    // What takes the alerts may know the history, and must not be held by it for ever.
    drop(jobs);
    assert_eq!(Arc::strong_count(&heard), 1);
}

#[tokio::test(start_paused = true)]
async fn groups_are_replaced_while_they_are_at_work() {
    let (_folder, history, jobs, heard) = start(&format!("groups: [{ALWAYS}, {NEVER}]"));
    tokio::time::sleep(Duration::from_secs(35)).await;
    let replace = async |text: String| {
        let (history, groups) = (history.clone(), groups(&text));
        tokio::task::spawn_blocking(move || history.replace_rules(groups)).await.unwrap();
    };
    let changed = "{name: never, rules: [{alert: Never, expr: 'vector(2) > 1'}]}";
    let new = "{name: new, interval: 5s, rules: [{alert: New, expr: 'vector(3)'}]}";
    replace(format!("groups: [{ALWAYS}, {changed}, {new}]")).await;
    tokio::time::sleep(Duration::from_secs(30)).await;
    // Neither the group that stayed nor the one that changed has lost a turn.
    for rule in ["Always", "Never"] {
        let turns = heard.of(rule);
        assert!((6..=7).contains(&turns.len()), "{rule}: {turns:?}");
        assert!(turns.windows(2).all(|pair| pair[1].0 - pair[0].0 == 10_000), "{rule}: {turns:?}");
    }
    assert_eq!(heard.of("Never").iter().filter(|(_, firing)| *firing == 1).count(), 3);
    let new = heard.of("New");
    assert_eq!(new.len(), 6);
    // A group that comes while the program runs has nothing to restore.
    let kept = testkit::kept(history.store(), "ALERTS", new[0].0);
    let series = kept.iter().find(|series| series.contains("New")).unwrap();
    assert!(series.ends_with(": 0=1 5000=1 10000=1 15000=1 20000=1 25000=1"), "{series}");

    let removed_ms = history.now_ms();
    replace("groups: []".to_owned()).await;
    let before = heard.0.lock().unwrap().len();
    tokio::time::sleep(Duration::from_secs(19)).await;
    let ended = |history: &History| {
        let kept = testkit::kept(history.store(), "ALERTS", removed_ms);
        kept.iter().filter(|series| series.ends_with(" 0=stale")).count()
    };
    // Those of the group with the shorter interval end sooner.
    assert_eq!(ended(&history), 1);
    tokio::time::sleep(Duration::from_secs(2)).await;
    stop(&jobs).await;
    assert_eq!(ended(&history), 3);
    assert_eq!(heard.0.lock().unwrap().len(), before);
    assert!(history.rule_groups().is_empty());
}

#[tokio::test(start_paused = true)]
async fn rules_that_come_before_the_start_are_those_that_are_started() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(VirtualClock::starting_at(testkit::noon()));
    let options = HistoryOptions { self_scrape: None, ..HistoryOptions::default() };
    let history = History::open(folder.path(), options, clock).unwrap();
    history.replace_rules(groups(&format!("groups: [{ALWAYS}]")));
    let heard = Arc::new(Heard::default());
    let jobs = Jobs { alerts: Some(heard.clone()), ..jobs(String::new) };
    history.start(&jobs);
    tokio::time::sleep(Duration::from_secs(30)).await;
    stop(&jobs).await;
    assert_eq!(heard.of("Always").len(), 2);
}
