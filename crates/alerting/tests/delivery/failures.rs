//! Receivers that fail: what is repeated, what is marked as a repeat, what becomes a dead letter.

use std::time::Duration;

use pampero_alerting::{AlertingOptions, Manner, TestError};
use pampero_notifications::MessageKind;
use tempfile::TempDir;

use crate::kit::{Answer, Bed, pass, policy, source};

/// Sends one message to a receiver with these answers, and says for each that arrived whether it was marked.
async fn repeats_of(answers: &[Answer]) -> Vec<bool> {
    let folder = TempDir::new().unwrap();
    let bed = Bed::open(folder.path());
    bed.receivers.answer("slack", answers);
    bed.run(async {
        bed.observe(&source("a"), &policy("a", "slack"), &["x"]);
        pass(600).await;
    })
    .await;
    assert!(bed.alerting.outbox().is_empty());
    let got = bed.receivers.take();
    assert!(got.iter().all(|one| one.message.key == got[0].message.key), "one key for ever");
    got.iter().map(|got| got.message.is_repeat).collect()
}

#[tokio::test(start_paused = true)]
async fn only_what_may_have_arrived_is_marked_as_a_repeat() {
    use Answer::{Hang, Take, TakeAndFail, TooMany, Unreachable};
    assert_eq!(repeats_of(&[Take]).await, [false]);
    assert_eq!(repeats_of(&[Unreachable, TooMany(5), Take]).await, [false]);
    assert_eq!(repeats_of(&[TakeAndFail, Take]).await, [false, true]);
    assert_eq!(repeats_of(&[Unreachable, Hang, Take]).await, [true]);
    // The doubt outlives a try that certainly failed, and a whole call.
    assert_eq!(repeats_of(&[TakeAndFail, Unreachable, Unreachable, Take]).await, [false, true]);
}

#[tokio::test(start_paused = true)]
async fn what_was_cut_off_by_a_kill_is_sent_again_as_a_repeat() {
    let folder = TempDir::new().unwrap();
    let bed = Bed::open(folder.path());
    bed.receivers.answer("slack", &[Answer::Hang]);
    bed.observe(&source("a"), &policy("a", "slack"), &["x"]);
    bed.observe(&source("b"), &policy("b", "slack"), &["x"]);
    bed.run_and_kill(3).await;
    let bed = bed.restart(folder.path());
    bed.run(pass(60)).await;
    let repeats: Vec<bool> = bed.receivers.take().iter().map(|got| got.message.is_repeat).collect();
    assert_eq!(repeats, [true, false]);
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_for_good_is_a_dead_letter_that_can_be_sent_again_or_removed() {
    let folder = TempDir::new().unwrap();
    let bed = Bed::open(folder.path());
    bed.receivers.set("off", false, Manner::Plain);
    bed.receivers.answer("slack", &[Answer::Refuse]);
    bed.run(async {
        bed.observe(&source("a"), &policy("a", "slack"), &["x"]);
        bed.observe(&source("b"), &policy("b", "off"), &["x"]);
        bed.observe(&source("c"), &policy("c", "nowhere"), &["x"]);
        bed.observe(&source("d"), &policy("d", "slack"), &["x"]);
        pass(10).await;
        let dead = bed.alerting.dead_letters(10).unwrap();
        let mut reasons: Vec<&str> = dead.iter().filter_map(|row| row.reason.as_deref()).collect();
        reasons.sort_unstable();
        let expected = [
            "channel off is not enabled",
            "the receiver misbehaves",
            "there is no channel nowhere",
        ];
        assert_eq!(reasons, expected);
        assert_eq!(bed.receivers.tried("slack").len(), 2, "no repeat could help");
        let of = |channel: &str| dead.iter().find(|row| row.channel == channel).unwrap().id;
        assert!(bed.alerting.resend(of("slack")).unwrap());
        assert!(bed.alerting.remove_dead_letter(of("off")).unwrap());
        assert!(!bed.alerting.remove_dead_letter(of("off")).unwrap());
        assert!(!bed.alerting.resend(999).unwrap());
        pass(10).await;
    })
    .await;
    let told: Vec<String> =
        bed.receivers.take().into_iter().map(|got| got.message.source).collect();
    assert_eq!(told, ["Error Weather Logs: d", "Error Weather Logs: a"]);
    let dead = bed.alerting.dead_letters(10).unwrap();
    assert_eq!(dead.iter().map(|row| row.channel.as_str()).collect::<Vec<_>>(), ["nowhere"]);
    let slack = bed.alerting.statistics().channels["slack"];
    assert_eq!((slack.delivered, slack.failed, slack.dead), (2, 1, 1));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_delivered_for_a_day_is_given_up() {
    let folder = TempDir::new().unwrap();
    let tick = Duration::from_secs(600);
    let options = AlertingOptions { tick, ..AlertingOptions::default() };
    let bed = Bed::open_with(folder.path(), options);
    bed.receivers.always("slack", Answer::Unreachable);
    bed.run(async {
        bed.observe(&source("a"), &policy("a", "slack"), &["x"]);
        pass(86_000).await;
        assert_eq!(bed.alerting.outbox().len(), 1);
        pass(1_000).await;
    })
    .await;
    let dead = bed.alerting.dead_letters(10).unwrap();
    let reason = dead[0].reason.as_deref().unwrap();
    assert!(reason.starts_with("not delivered within 24 hours: "), "{reason}");
}

#[tokio::test(start_paused = true)]
async fn a_channel_that_was_mended_is_tried_at_once() {
    let folder = TempDir::new().unwrap();
    let bed = Bed::open(folder.path());
    bed.receivers.always("slack", Answer::TooMany(3_000));
    bed.run(async {
        bed.observe(&source("a"), &policy("a", "slack"), &["x"]);
        pass(100).await;
        bed.receivers.always("slack", Answer::Take);
        bed.receivers.set("slack", true, Manner::Plain);
        bed.alerting.note_channels();
        pass(1).await;
        assert_eq!(bed.receivers.take().len(), 1);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn channels_are_tested_past_the_outbox() {
    let folder = TempDir::new().unwrap();
    let bed = Bed::open(folder.path());
    bed.receivers.set("off", false, Manner::Plain);
    assert_eq!(bed.alerting.test_channel("slack").await.unwrap().status, 200);
    let got = bed.receivers.take();
    assert_eq!(got[0].message.kind, MessageKind::Test);
    bed.receivers.answer("slack", &[Answer::Refuse]);
    let error = bed.alerting.test_channel("slack").await.unwrap_err();
    assert!(matches!(error, TestError::Failed(error) if error.status == Some(410)));
    assert!(matches!(bed.alerting.test_channel("off").await, Err(TestError::Disabled(_))));
    assert!(matches!(bed.alerting.test_channel("x").await, Err(TestError::Unknown(_))));
}
