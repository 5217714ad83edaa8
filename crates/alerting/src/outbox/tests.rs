//! The order, the limits and the folding of messages that wait.

use super::*;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_795_500_000 + seconds).unwrap()
}

fn outbox(messages_max: usize) -> Outbox {
    let limits = OutboxLimits {
        messages_max,
        fold_after: Duration::from_secs(600),
        give_up_after: Duration::from_secs(86_400),
    };
    Outbox::new(limits, Vec::new(), 0)
}

fn posted(source: &str, kind: MessageKind, seconds: i64) -> Posted {
    let labels = [("alertname".to_owned(), source.to_owned())].into_iter().collect();
    let message = Message {
        key: format!("{source}-{kind:?}-{seconds}"),
        kind,
        subject: format!("{source} {kind:?}"),
        text: "text\n".to_owned(),
        severity: 2,
        source: source.to_owned(),
        incident: format!("incident-{source}"),
        link: None,
        at: at(seconds),
        is_repeat: false,
        alerts: vec![pampero_notifications::MessageAlert {
            labels,
            annotations: Default::default(),
            starts_at: at(0),
            ends_at: (kind == MessageKind::Recovered).then(|| at(seconds)),
        }],
    };
    Posted {
        channel: "slack".to_owned(),
        action: "tell".to_owned(),
        source: source.to_owned(),
        message,
        made: at(seconds),
    }
}

use MessageKind::{Digest, Fired, Recovered, Reminder};

fn next(outbox: &mut Outbox, seconds: i64) -> Option<(OutboxRow, Writes)> {
    match outbox.next("slack", at(seconds), &Words::default()) {
        (Next::Send(row), writes) => Some((*row, writes)),
        (Next::Nothing, _) => None,
        (Next::GivenUp(rows), _) => panic!("given up: {rows:?}"),
    }
}

/// Takes everything at one time, and returns what was sent in its order.
fn drain(outbox: &mut Outbox, seconds: i64) -> Vec<OutboxRow> {
    let mut sent = Vec::new();
    while let Some((row, _)) = next(outbox, seconds) {
        outbox.settle("slack", row.id, Ok(()), at(seconds)).unwrap();
        sent.push(row);
    }
    sent
}

#[test]
fn messages_go_in_order_one_at_a_time_and_a_failed_one_keeps_its_place() {
    let mut outbox = outbox(100);
    for second in 0..3 {
        outbox.push(posted("a", Fired, second), &Words::default());
    }
    let (first, writes) = next(&mut outbox, 5).unwrap();
    assert_eq!((first.state, first.tries), (MessageState::Sending, 1));
    assert_eq!(writes.put, std::slice::from_ref(&first));
    assert!(next(&mut outbox, 5).is_none(), "one is on its way");
    let back = outbox.put_back("slack", first.id, "it broke".to_owned(), true).unwrap();
    assert_eq!((back.state, back.message.is_repeat), (MessageState::Waiting, true));
    let (again, _) = next(&mut outbox, 6).unwrap();
    assert_eq!((again.id, again.tries), (first.id, 2));
    outbox.settle("slack", again.id, Ok(()), at(6)).unwrap();
    let rest: Vec<i64> = drain(&mut outbox, 7).iter().map(|row| row.id).collect();
    assert_eq!(rest, [first.id + 1, first.id + 2]);
    assert!(outbox.channels().is_empty());
}

#[test]
fn late_messages_of_one_source_become_one_in_the_place_of_the_first() {
    let mut outbox = outbox(100);
    outbox.push(posted("a", Fired, 0), &Words::default());
    outbox.push(posted("b", Fired, 10), &Words::default());
    outbox.push(posted("a", Recovered, 300), &Words::default());
    outbox.push(posted("a", Fired, 400), &Words::default());
    outbox.push(posted("a", Recovered, 500), &Words::default());
    let (row, writes) = next(&mut outbox, 601).unwrap();
    assert_eq!((row.id, row.message.kind), (1, Digest));
    assert_eq!(writes.removed, [3, 4, 5]);
    assert_eq!(writes.folded, 3);
    let text = &row.message.text;
    assert!(text.contains("a: 4 messages") && text.contains("now over"), "{text}");
    assert!(row.message.subject.contains("4 messages since"), "{}", row.message.subject);
    assert_eq!(row.message.incident, "incident-a");
    assert_eq!(row.message.alerts.len(), 1);
    assert_eq!(row.message.alerts[0].ends_at, Some(at(500)));
    outbox.settle("slack", row.id, Ok(()), at(601)).unwrap();
    // The one of b is not late yet.
    let rest = drain(&mut outbox, 605);
    assert_eq!((rest[0].id, rest[0].message.kind), (2, Fired));
}

#[test]
fn a_late_message_that_is_alone_stays_as_it_is() {
    let mut outbox = outbox(100);
    outbox.push(posted("a", Fired, 0), &Words::default());
    assert_eq!(next(&mut outbox, 5_000).unwrap().0.message.kind, Fired);
}

#[test]
fn a_full_queue_becomes_one_message_and_counts_everything() {
    let mut outbox = outbox(10);
    let mut kept: HashMap<i64, OutboxRow> = HashMap::new();
    for second in 0..100 {
        let source = format!("s{:02}", second % 30);
        let kind = if second < 70 { Fired } else { Recovered };
        let writes = outbox.push(posted(&source, kind, second), &Words::default());
        writes.removed.iter().for_each(|id| drop(kept.remove(id)));
        kept.extend(writes.put.into_iter().map(|row| (row.id, row)));
        assert!(outbox.waiting()[0].messages <= 10);
        let mut ids: Vec<i64> = kept.keys().copied().collect();
        ids.sort_unstable();
        let expected: Vec<i64> = outbox.rows().iter().map(|row| row.id).collect();
        assert_eq!(ids, expected, "the store holds what the memory does");
    }
    let sent = drain(&mut outbox, 101);
    let tally = sent[0].tally.as_ref().unwrap();
    let told: u64 = sent.iter().map(|row| row.tally.as_ref().map_or(1, |tally| tally.count)).sum();
    assert_eq!(told, 100);
    assert_eq!(tally.sources.len(), 20);
    let named: u64 = tally.sources.iter().map(|source| source.count).sum();
    assert_eq!(named + tally.other_count, tally.count);
    assert_eq!((sent[0].source.as_str(), sent[0].message.at), ("", at(99 - sent.len() as i64 + 1)));
}

#[test]
fn of_reminders_only_the_newest_waits() {
    let mut outbox = outbox(100);
    outbox.push(posted("a", Fired, 0), &Words::default());
    outbox.push(posted("a", Reminder, 60), &Words::default());
    outbox.push(posted("b", Reminder, 60), &Words::default());
    let writes = outbox.push(posted("a", Reminder, 120), &Words::default());
    assert_eq!(writes.removed, [2]);
    let sent: Vec<String> =
        drain(&mut outbox, 130).into_iter().map(|row| row.message.key).collect();
    assert_eq!(sent, ["a-Fired-0", "b-Reminder-60", "a-Reminder-120"]);
}

#[test]
fn what_is_too_old_is_given_up_with_its_reason() {
    let mut outbox = outbox(100);
    outbox.push(posted("a", Fired, 0), &Words::default());
    outbox.push(posted("b", Fired, 50_000), &Words::default());
    let (row, _) = next(&mut outbox, 10).unwrap();
    outbox.put_back("slack", row.id, "connection refused".to_owned(), false);
    let (given_up, writes) = outbox.next("slack", at(86_401), &Words::default());
    let Next::GivenUp(rows) = given_up else { panic!("{given_up:?}") };
    assert_eq!(rows, writes.put);
    assert_eq!((rows.len(), rows[0].state), (1, MessageState::Dead));
    let reason = rows[0].reason.as_deref().unwrap();
    assert_eq!(reason, "not delivered within 24 hours: connection refused");
    assert_eq!(next(&mut outbox, 86_401).unwrap().0.source, "b");
}

#[test]
fn a_clock_that_was_put_back_makes_nothing_old() {
    let mut outbox = outbox(100);
    outbox.push(posted("a", Fired, 90_000), &Words::default());
    outbox.push(posted("a", Recovered, 90_001), &Words::default());
    assert_eq!(next(&mut outbox, 0).unwrap().0.message.kind, Fired);
}

#[test]
fn what_was_being_sent_before_a_restart_is_a_repeat() {
    let mut before = outbox(100);
    before.push(posted("a", Fired, 0), &Words::default());
    before.push(posted("b", Fired, 1), &Words::default());
    next(&mut before, 2).unwrap();
    let mut after = Outbox::new(before.limits.clone(), before.rows(), 2);
    let sent = drain(&mut after, 3);
    let repeats: Vec<bool> = sent.iter().map(|row| row.message.is_repeat).collect();
    assert_eq!(repeats, [true, false]);
    after.push(posted("c", Fired, 4), &Words::default());
    assert_eq!(after.rows()[0].id, 3);
}

#[test]
fn a_message_that_was_given_up_can_be_sent_again() {
    let mut outbox = outbox(100);
    outbox.push(posted("a", Fired, 0), &Words::default());
    let (row, _) = next(&mut outbox, 1).unwrap();
    let dead = outbox.settle("slack", row.id, Err("410".to_owned()), at(2)).unwrap();
    assert_eq!((dead.state, dead.reason.as_deref()), (MessageState::Dead, Some("410")));
    let writes = outbox.push_again(dead, at(90_000), &Words::default());
    assert_eq!(writes.removed, [row.id]);
    let again = next(&mut outbox, 90_001).unwrap().0;
    assert_eq!((again.id, again.message.key, again.reason), (2, row.message.key, None));
}
