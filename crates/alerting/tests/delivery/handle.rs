//! What the handle answers, and what messages say.

use std::sync::Arc;
use std::time::Duration;

use pampero_alerting::{
    AckRefusal, AlertFilter, AlertMetrics, AlertSort, AlertState, DefaultTeller, HistoryFilter,
    Mute, MuteError, MuteWindow, Notice, Observation, Outcome, Teller, matcher,
};
use prometheus_client::registry::Registry;
use serde_json::json;
use tempfile::TempDir;

use crate::kit::{Bed, pass, policy, source};

#[derive(Debug)]
struct Broken;

impl Teller for Broken {
    fn message(&self, _: &Notice, _: &Observation) -> Result<Option<(String, String)>, String> {
        Err("{{unclosed".to_owned())
    }
}

#[derive(Debug)]
struct Own;

impl Teller for Own {
    fn message(&self, n: &Notice, _: &Observation) -> Result<Option<(String, String)>, String> {
        Ok(Some(("two\nlines".to_owned(), format!("{} alerts\n", n.count))))
    }
}

fn answer() -> serde_json::Value {
    let hit = |minute: u32, message: &str| {
        json!({ "_source": {
            "@timestamp": format!("2026-11-24T11:{minute:02}:00Z"),
            "level": "ERROR",
            "log_message": message,
        } })
    };
    let hits = [hit(1, "oldest"), hit(9, "newest"), hit(3, "third"), hit(5, "second")];
    json!({ "hits": { "total": { "value": 4, "relation": "eq" }, "hits": hits } })
}

fn observe(bed: &Bed, teller: &dyn Teller, value: f64) -> pampero_alerting::Observed {
    let finding = pampero_alerting::Finding {
        key: pampero_series::Labels::empty(),
        phase: pampero_alerting::Phase::Firing { since: bed.now() },
        value: Some(value),
        annotations: Vec::new(),
    };
    let observation = Observation {
        at: bed.now(),
        outcome: Outcome::Known(vec![finding]),
        answer: Some(Arc::new(answer())),
    };
    let policy = policy("count_error", "slack");
    bed.alerting.observe(&source("count_error"), &policy, &observation, teller)
}

#[tokio::test(start_paused = true)]
async fn the_default_text_says_what_how_many_since_when_and_the_newest_lines() {
    let folder = TempDir::new().unwrap();
    let page = Some("https://weather.example/".to_owned());
    let bed = Bed::open_with(
        folder.path(),
        pampero_alerting::AlertingOptions { page, ..Default::default() },
    );
    let told = &observe(&bed, &DefaultTeller, 4.0).messages[0];
    assert_eq!(told.subject, "count_error (Error Weather Logs): active");
    assert_eq!(
        told.text,
        "count_error (Error Weather Logs) is active since 2026-11-24 12:00:00 UTC.\n\
         Severity 1.\n\
         - value 4\n\
         The query found 4 documents.\n\
         > 2026-11-24 11:09:00 UTC ERROR newest\n\
         > 2026-11-24 11:05:00 UTC ERROR second\n\
         > 2026-11-24 11:03:00 UTC ERROR third\n\
         https://weather.example/alerts?source=monitor/error_logs/count_error\n"
    );
    pass(754).await;
    let policy = policy("count_error", "slack");
    let told = bed.observe(&source("count_error"), &policy, &[]).messages.remove(0);
    assert_eq!(told.subject, "count_error (Error Weather Logs): over after 12 min 34 s");
    assert!(told.text.contains(
        "It lasted 12 min 34 s, from 2026-11-24 12:00:00 UTC to 2026-11-24 12:12:34 UTC."
    ));
}

#[tokio::test(start_paused = true)]
async fn the_history_has_the_value_the_answer_and_the_message() {
    let folder = TempDir::new().unwrap();
    let bed = Bed::open(folder.path());
    observe(&bed, &Own, 4.0);
    for _ in 0..10 {
        pass(60).await;
        observe(&bed, &Own, 5.0);
    }
    let history = bed.alerting.history(&HistoryFilter { limit: 10, ..Default::default() }).unwrap();
    assert_eq!(history.len(), 1, "only what changed");
    let entry = &history[0];
    assert_eq!((entry.value, entry.change_count), (Some(4.0), 1));
    assert_eq!((entry.changes[0].before, entry.changes[0].after), (None, AlertState::Active));
    assert_eq!(entry.messages[0].subject, "two lines");
    assert_eq!(entry.messages[0].text, "1 alerts\n");
    let kept: serde_json::Value = serde_json::from_str(entry.answer.as_deref().unwrap()).unwrap();
    assert_eq!(kept, answer());
    let alerts = bed.alerting.alerts(&AlertFilter { limit: 10, ..Default::default() }).unwrap();
    assert_eq!(alerts.alerts[0].value, Some(5.0));
}

#[tokio::test(start_paused = true)]
async fn a_template_that_fails_is_told_in_the_default_words_with_the_error() {
    let folder = TempDir::new().unwrap();
    let bed = Bed::open(folder.path());
    let observed = observe(&bed, &Broken, 4.0);
    let text = &observed.messages[0].text;
    assert!(text.contains("is active since") && text.contains("{{unclosed"), "{text}");
    assert!(observed.remarks[0].contains("tell-slack"), "{:?}", observed.remarks);
    let history = bed.alerting.history(&HistoryFilter { limit: 1, ..Default::default() }).unwrap();
    assert_eq!(history[0].remarks, observed.remarks);
}

#[tokio::test(start_paused = true)]
async fn alerts_are_filtered_sorted_and_paged_over_live_and_finished_ones() {
    let folder = TempDir::new().unwrap();
    let bed = Bed::open(folder.path());
    for (name, severity) in [("c", 3), ("a", 1), ("b", 2)] {
        let mut policy = policy(name, "slack");
        policy.severity = severity;
        bed.observe(&source(name), &policy, &["x"]);
        pass(60).await;
    }
    bed.observe(&source("c"), &policy("c", "slack"), &[]);
    let names = |filter: AlertFilter| {
        let page = bed.alerting.alerts(&filter).unwrap();
        let names: Vec<String> = page.alerts.into_iter().map(|alert| alert.name).collect();
        (names.join(""), page.total)
    };
    let all = AlertFilter { sort: AlertSort::Name, limit: 20, ..Default::default() };
    assert_eq!(names(all.clone()), ("abc".to_owned(), 3));
    assert_eq!(names(AlertFilter { is_descending: true, ..all.clone() }).0, "cba");
    assert_eq!(names(AlertFilter { sort: AlertSort::Start, ..all.clone() }).0, "cab");
    assert_eq!(
        names(AlertFilter { sort: AlertSort::End, ..all.clone() }).0.chars().next(),
        Some('c')
    );
    assert_eq!(names(AlertFilter { offset: 1, limit: 1, ..all.clone() }), ("b".to_owned(), 3));
    assert_eq!(names(AlertFilter { severity: Some(2), ..all.clone() }).0, "b");
    assert_eq!(names(AlertFilter { text: "WEATHER".to_owned(), ..all.clone() }).0, "abc");
    assert_eq!(names(AlertFilter { text: "X".to_owned(), ..all.clone() }).0, "abc", "by the key");
    assert_eq!(names(AlertFilter { text: "xx".to_owned(), ..all.clone() }).0, "");
    let trigger = Some(source("b").trigger);
    assert_eq!(names(AlertFilter { trigger, ..all.clone() }).0, "b");
    let states = vec![AlertState::Completed];
    assert_eq!(names(AlertFilter { states, ..all.clone() }).0, "c");
    let states = vec![AlertState::Active];
    assert_eq!(names(AlertFilter { states, ..all }).0, "ab");
}

#[tokio::test(start_paused = true)]
async fn acknowledging_says_for_each_id_why_not() {
    let folder = TempDir::new().unwrap();
    let bed = Bed::open(folder.path());
    let id = |observed: pampero_alerting::Observed| observed.changes[0].alert.id.clone();
    let there = id(bed.observe(&source("a"), &policy("a", "slack"), &["x"]));
    let over = id(bed.observe(&source("b"), &policy("b", "slack"), &["x"]));
    bed.observe(&source("b"), &policy("b", "slack"), &[]);
    let ids = [there.clone(), over, "nobody".to_owned()];
    let outcomes: Vec<_> = bed.alerting.acknowledge(&ids).into_iter().map(|one| one.1).collect();
    let unknown = AckRefusal::Unknown { id: "nobody".to_owned() };
    assert_eq!(outcomes, [Ok(()), Err(AckRefusal::Completed), Err(unknown)]);
    let again = bed.alerting.acknowledge(std::slice::from_ref(&there));
    assert_eq!(again[0].1, Err(AckRefusal::Acknowledged));
    let bed = bed.restart(folder.path());
    assert_eq!(bed.alerting.alerts_of(&source("a"))[0].state, AlertState::Acknowledged);
}

#[tokio::test(start_paused = true)]
async fn mutes_are_kept_and_what_they_held_back_is_told_when_they_go() {
    let folder = TempDir::new().unwrap();
    let bed = Bed::open(folder.path());
    let mute = |matchers: &[&str]| Mute {
        id: String::new(),
        matchers: matchers.iter().map(|text| matcher(text).unwrap()).collect(),
        window: MuteWindow::Once { from: bed.now(), until: bed.now() + Duration::from_secs(7_200) },
        comment: "repair".to_owned(),
        author: "me".to_owned(),
        created: bed.now(),
    };
    assert_eq!(bed.alerting.add_mute(mute(&[])), Err(MuteError::NoMatcher));
    let id = bed.alerting.add_mute(mute(&["alertname=a"])).unwrap();
    let bed = bed.restart(folder.path());
    assert_eq!(bed.alerting.mutes()[0].id, id);
    bed.run(async {
        bed.observe(&source("a"), &policy("a", "slack"), &["x"]);
        bed.observe(&source("b"), &policy("b", "slack"), &["x"]);
        pass(60).await;
        assert_eq!(bed.receivers.take().len(), 1);
        assert_eq!(bed.alerting.statistics().alerts.muted, 1);
        let alert = bed.alerting.alerts_of(&source("a")).remove(0);
        let (labels, mutes) = bed.alerting.labels_and_mutes(std::slice::from_ref(&alert)).remove(0);
        assert_eq!((labels.value("alertname"), mutes), ("a", vec![id.clone()]));
        assert_eq!(bed.alerting.alert(&alert.id).unwrap(), Some(alert));
        assert_eq!(bed.alerting.alert("nobody").unwrap(), None);
        assert_eq!(bed.alerting.live_states()[&source("a")], [AlertState::Active]);
        assert!(bed.alerting.remove_mute(&id));
        assert!(!bed.alerting.remove_mute(&id));
        pass(10).await;
        assert_eq!(bed.receivers.take()[0].message.source, "Error Weather Logs: a");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn sources_that_are_gone_end_their_alerts() {
    let folder = TempDir::new().unwrap();
    let bed = Bed::open(folder.path());
    bed.observe(&source("a"), &policy("a", "slack"), &["x"]);
    bed.observe(&source("b"), &policy("b", "slack"), &["x"]);
    let bed = bed.restart(folder.path());
    bed.alerting.retain_sources(|wanted| *wanted == source("a"));
    assert_eq!(bed.alerting.sources(), [source("a")]);
    bed.run(pass(10)).await;
    let got = bed.receivers.take();
    assert!(got[2].message.text.contains("is over"), "{}", got[2].message.text);
    assert!(got[2].message.subject.ends_with("removed while it was active"));
    let states = vec![AlertState::Deleted];
    let deleted = AlertFilter { states, limit: 10, ..Default::default() };
    assert_eq!(bed.alerting.alerts(&deleted).unwrap().total, 1);
}

#[tokio::test(start_paused = true)]
async fn an_incident_ends_with_its_last_alert() {
    let folder = TempDir::new().unwrap();
    let bed = Bed::open(folder.path());
    let (source, policy) = (source("a"), policy("a", "slack"));
    bed.run(async {
        for groups in [&["x"][..], &["x", "y"], &["y"], &[]] {
            bed.observe(&source, &policy, groups);
            pass(60).await;
        }
    })
    .await;
    let incidents: Vec<String> =
        bed.receivers.take().into_iter().map(|got| got.message.incident).collect();
    assert_eq!(incidents[0], incidents[1]);
    assert_ne!(incidents[0], incidents[2]);
    assert_eq!(incidents[0], incidents[3]);
}

#[tokio::test(start_paused = true)]
async fn metrics_show_states_and_what_waits() {
    let folder = TempDir::new().unwrap();
    let bed = Bed::open(folder.path());
    bed.observe(&source("a"), &policy("a", "slack"), &["x", "y"]);
    pass(90).await;
    let mut registry = Registry::default();
    let metrics = AlertMetrics { alerting: bed.alerting.clone() };
    metrics.register(registry.sub_registry_with_prefix("pampero_alerts"));
    let mut shown = String::new();
    prometheus_client::encoding::text::encode(&mut shown, &registry).unwrap();
    for line in [
        "pampero_alerts_live{state=\"active\"} 2.0",
        "pampero_alerts_muted 0.0",
        "pampero_alerts_evaluations_total{outcome=\"known\"} 1",
        "pampero_alerts_messages_waiting{channel=\"slack\"} 1.0",
        "pampero_alerts_message_oldest_age_seconds{channel=\"slack\"} 90.0",
        "pampero_alerts_messages_throttled_total 0",
        "pampero_alerts_store_current 1.0",
    ] {
        assert!(shown.lines().any(|shown| shown == line), "no {line:?} in:\n{shown}");
    }
}

/// Asks for the statistics from another thread while the alerts are locked.
struct Curious(pampero_alerting::Alerting);

impl Teller for Curious {
    fn message(&self, _: &Notice, _: &Observation) -> Result<Option<(String, String)>, String> {
        let (answer, answered) = std::sync::mpsc::channel();
        let alerting = self.0.clone();
        std::thread::spawn(move || answer.send(alerting.statistics().evaluations));
        match answered.recv_timeout(Duration::from_secs(10)) {
            Ok(seen) => Ok(Some((seen.to_string(), "seen".to_owned()))),
            Err(error) => Err(error.to_string()),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn metrics_do_not_wait_until_alerts_are_written() {
    let folder = TempDir::new().unwrap();
    let bed = Bed::open(folder.path());
    assert_eq!(bed.alerting.statistics().evaluations, 0);
    observe(&bed, &Curious(bed.alerting.clone()), 3.0);
    assert_eq!(bed.alerting.statistics().evaluations, 1);
    let message = &bed.alerting.outbox()[0].message;
    assert_eq!(message.subject, "0", "{}", message.text);
}
