//! In order, one at a time, and folded when late.

use std::time::Duration;

use pampero_alerting::{AlertingOptions, Manner, MessageState};
use pampero_notifications::MessageKind::{Digest, Fired, Recovered, Reminder};
use tempfile::TempDir;

use crate::kit::{Answer, Bed, pass, policy, source};

#[tokio::test(start_paused = true)]
async fn one_message_when_it_begins_silence_while_it_lasts_and_one_when_it_ends() {
    let folder = TempDir::new().unwrap();
    let bed = Bed::open(folder.path());
    let (source, policy) = (source("count_error"), policy("count_error", "slack"));
    bed.run(async {
        for minute in 0..30 {
            let groups: &[&str] = if (5..20).contains(&minute) { &["a"] } else { &[] };
            bed.observe(&source, &policy, groups);
            pass(60).await;
        }
    })
    .await;
    let got = bed.receivers.take();
    let told: Vec<_> = got.iter().map(|got| (got.at, got.message.kind)).collect();
    assert_eq!(told, [(300, Fired), (1_200, Recovered)]);
    assert_eq!(got[0].message.incident, got[1].message.incident);
    assert!(got[1].message.text.contains("It lasted 15 min, from"), "{}", got[1].message.text);
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_wants_one_message_per_second_gets_no_more() {
    let folder = TempDir::new().unwrap();
    let bed = Bed::open(folder.path());
    bed.receivers.set("slack", true, Manner::OnePerSecond);
    bed.run(async {
        for number in 0..6 {
            let name = format!("t{number}");
            bed.observe(&source(&name), &policy(&name, "slack"), &["a"]);
        }
        pass(30).await;
    })
    .await;
    let times: Vec<i64> = bed.receivers.take().iter().map(|got| got.at).collect();
    assert_eq!(times, [0, 1, 2, 3, 4, 5]);
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_asks_for_time_gets_it_and_others_do_not_wait() {
    let folder = TempDir::new().unwrap();
    let bed = Bed::open(folder.path());
    bed.receivers.answer("slack", &[Answer::TooMany(300)]);
    bed.run(async {
        bed.observe(&source("a"), &policy("a", "slack"), &["a"]);
        bed.observe(&source("b"), &policy("b", "slack"), &["a"]);
        bed.observe(&source("c"), &policy("c", "mail"), &["a"]);
        pass(400).await;
    })
    .await;
    let got = bed.receivers.take();
    let told: Vec<_> = got.iter().map(|got| (got.at, got.message.source.as_str())).collect();
    let sources = ["c", "a", "b"].map(|name| format!("Error Weather Logs: {name}"));
    assert_eq!(told, [(0, &*sources[0]), (300, &*sources[1]), (300, &*sources[2])]);
    assert!(got.iter().all(|got| !got.message.is_repeat), "a refused message did not arrive");
}

#[tokio::test(start_paused = true)]
async fn a_channel_that_is_down_for_an_hour_gets_everything_in_order_and_folded() {
    let folder = TempDir::new().unwrap();
    let options = AlertingOptions { messages_max: 100, ..AlertingOptions::default() };
    let bed = Bed::open_with(folder.path(), options);
    bed.receivers.always("slack", Answer::Unreachable);
    let names = ["a", "b", "c"];
    bed.run(async {
        for minute in 0..60_usize {
            for (number, name) in names.iter().enumerate() {
                // Each is there for a few minutes and away for a few, with a rhythm of its own.
                let is_there = (minute / (3 + number)) % 2 == 0;
                let groups: &[&str] = if is_there { &["x"] } else { &[] };
                bed.observe(&source(name), &policy(name, "slack"), groups);
            }
            assert!(bed.alerting.outbox().len() <= 100);
            pass(60).await;
        }
        assert!(bed.receivers.take().is_empty());
        bed.observe(&source("late"), &policy("late", "slack"), &["x"]);
        bed.receivers.always("slack", Answer::Take);
        pass(400).await;
    })
    .await;
    let got = bed.receivers.take();
    assert!(bed.alerting.outbox().is_empty());
    let of = |name: &str| -> Vec<_> {
        let source = format!("Error Weather Logs: {name}");
        got.iter().filter(|got| got.message.source == source).collect()
    };
    for name in names {
        let told = of(name);
        assert_eq!(told.len(), 1, "{name}: {told:#?}");
        assert_eq!(told[0].message.kind, Digest);
        let count = told[0].message.text.split(" messages").next();
        assert!(count.unwrap().parse::<u32>().unwrap() > 10, "{}", told[0].message.text);
    }
    // 59 / 3 and 59 / 4 are odd and even, so one is over at the end and one is not.
    assert!(of("a")[0].message.subject.ends_with("now over"), "{}", of("a")[0].message.subject);
    assert!(of("b")[0].message.subject.ends_with("now over") == (14 % 2 == 1));
    assert_eq!(of("late")[0].message.kind, Fired);
    assert_eq!(got.len(), 4);
    assert!(got.is_sorted_by_key(|got| got.at));
    let tries = bed.receivers.tried("slack").len();
    assert!(tries < 150, "the breaker spares the receiver: {tries} tries");
    assert!(bed.alerting.statistics().folded > 30);
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_is_full_becomes_one_message() {
    let folder = TempDir::new().unwrap();
    let options = AlertingOptions { messages_max: 20, ..AlertingOptions::default() };
    let bed = Bed::open_with(folder.path(), options);
    bed.receivers.always("slack", Answer::Unreachable);
    bed.run(async {
        for number in 0..200 {
            let name = format!("t{number}");
            bed.observe(&source(&name), &policy(&name, "slack"), &["x"]);
            assert!(bed.alerting.outbox().len() <= 20);
        }
        bed.receivers.always("slack", Answer::Take);
        pass(300).await;
    })
    .await;
    let got = bed.receivers.take();
    let rows = bed.alerting.messages(&pampero_alerting::MessageFilter {
        state: Some(MessageState::Delivered),
        limit: 1_000,
        ..Default::default()
    });
    let rows = rows.unwrap();
    assert_eq!(rows.len(), got.len());
    let told: u64 = rows.iter().map(|row| row.tally.as_ref().map_or(1, |tally| tally.count)).sum();
    assert_eq!(told, 200);
    assert!(got.iter().any(|got| got.message.kind == Digest));
}

#[tokio::test(start_paused = true)]
async fn a_forgetful_receiver_is_told_each_minute_and_has_one_reminder_waiting() {
    let folder = TempDir::new().unwrap();
    let bed = Bed::open(folder.path());
    bed.receivers.set("am", true, Manner::Forgetful);
    let (source, policy) = (source("a"), policy("a", "am"));
    bed.run(async {
        bed.observe(&source, &policy, &["x"]);
        pass(301).await;
        let told: Vec<_> = bed.receivers.take().iter().map(|g| (g.at, g.message.kind)).collect();
        assert_eq!(told[0], (0, Fired));
        assert_eq!(told.len(), 6, "{told:?}");
        assert!(told[1..].iter().all(|(_, kind)| *kind == Reminder));
        bed.receivers.always("am", Answer::Unreachable);
        pass(540).await;
        assert_eq!(bed.alerting.outbox().len(), 1);
        bed.observe(&source, &policy, &[]);
        bed.receivers.always("am", Answer::Take);
        pass(120).await;
        let told: Vec<_> = bed.receivers.take().iter().map(|got| got.message.kind).collect();
        assert_eq!(told, [Reminder, Recovered]);
    })
    .await;
    // What only keeps such a receiver from forgetting is no event.
    let filter = pampero_alerting::HistoryFilter { limit: 100, ..Default::default() };
    assert_eq!(bed.alerting.history(&filter).unwrap().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn reminders_and_escalations_come_between_evaluations_too() {
    let folder = TempDir::new().unwrap();
    let bed = Bed::open(folder.path());
    let mut policy = policy("a", "slack");
    policy.reminder = Some(Duration::from_secs(600));
    let channel = "mail".to_owned();
    let after = Duration::from_secs(900);
    policy.escalations.push(pampero_alerting::Escalation { after, channel });
    bed.run(async {
        bed.observe(&source("a"), &policy, &["x"]);
        pass(1_300).await;
    })
    .await;
    let got = bed.receivers.take();
    let told: Vec<_> = got.iter().map(|got| (got.at, got.channel.as_str())).collect();
    assert_eq!(told, [(0, "slack"), (600, "slack"), (900, "mail"), (1_200, "slack")]);
}
