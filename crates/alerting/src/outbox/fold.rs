//! Makes one message of several that come late.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;
use pampero_notifications::{Message, MessageAlert, MessageKind};
use serde::{Deserialize, Serialize};

use super::{MessageState, OutboxRow, Writes};
use crate::book::id;
use crate::text::{Words, cut, one_line};

/// Most sources that one message names.
const SOURCES_MAX: usize = 20;
/// Most alerts that one message carries.
const ALERTS_MAX: usize = 1_000;

/// What a message stands for.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Tally {
    /// How many messages.
    pub count: u64,
    /// By source, in the order of their first messages; twenty at most.
    pub sources: Vec<SourceTally>,
    /// How many messages of further sources.
    pub other_count: u64,
}

/// The messages of one source.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct SourceTally {
    /// The source, as `monitor/error_logs/count_error`.
    pub source: String,
    /// The name of its monitor or rule.
    pub name: String,
    /// How many messages.
    pub count: u64,
    /// When what the first one tells happened.
    pub since: Timestamp,
    /// When what the last one tells happened.
    pub until: Timestamp,
    /// Why the last one was made.
    pub last: MessageKind,
    /// The subject of the last one.
    pub subject: String,
}

/// Makes one message of all that wait and for which `is_wanted` holds, in the place of the first; leaves
/// a single one as it is.
pub(super) fn fold_where(
    queue: &mut VecDeque<OutboxRow>,
    is_wanted: impl Fn(&OutboxRow) -> bool,
    words: &Words,
    writes: &mut Writes,
) {
    let is_waiting = |row: &OutboxRow| row.state == MessageState::Waiting && is_wanted(row);
    if queue.iter().filter(|row| is_waiting(row)).count() < 2 {
        return;
    }
    let Some(place) = queue.iter().position(is_waiting) else { return };
    let (folded, rest): (Vec<OutboxRow>, Vec<OutboxRow>) =
        std::mem::take(queue).into_iter().partition(is_waiting);
    queue.extend(rest);
    writes.folded += folded.len() as u64 - 1;
    let first_id = folded.first().map(|row| row.id);
    writes.removed.extend(folded.iter().map(|row| row.id).filter(|id| Some(*id) != first_id));
    writes.put.retain(|row| !folded.iter().any(|gone| gone.id == row.id));
    if let Some(digest) = digest(folded, words) {
        writes.put.push(digest.clone());
        queue.insert(place, digest);
    }
}

fn digest(rows: Vec<OutboxRow>, words: &Words) -> Option<OutboxRow> {
    let mut tally = Tally { count: 0, sources: Vec::new(), other_count: 0 };
    for row in &rows {
        add(&mut tally, row);
    }
    let is_one_source = rows.windows(2).all(|pair| pair[0].source == pair[1].source);
    let (subject, text) = said(&tally, is_one_source, words);
    let is_repeat = rows.iter().any(|row| row.message.is_repeat);
    let severity = rows.iter().map(|row| row.message.severity).min()?;
    let newest = rows.iter().map(|row| row.newest).max()?;
    let tries = rows.iter().map(|row| row.tries).max()?;
    let key = id::of(&rows.iter().map(|row| &row.message.key).collect::<Vec<_>>());
    let alerts = merged(&rows);
    let last = rows.last()?.message.clone();
    let reason = rows.iter().find_map(|row| row.reason.clone());
    let mut row = rows.into_iter().next()?;
    row.message = Message {
        kind: MessageKind::Digest,
        subject,
        text,
        severity,
        source: if is_one_source { last.source } else { String::new() },
        // What an incident hears of several sources must not end it.
        incident: if is_one_source { last.incident } else { key.clone() },
        link: if is_one_source { last.link } else { words.page.clone() },
        at: last.at,
        is_repeat,
        alerts,
        key,
    };
    if !is_one_source {
        row.source.clear();
    }
    row.action.clear();
    (row.newest, row.tries, row.reason, row.tally) = (newest, tries, reason, Some(tally));
    Some(row)
}

fn add(tally: &mut Tally, row: &OutboxRow) {
    if let Some(more) = &row.tally {
        tally.count += more.count;
        tally.other_count += more.other_count;
        for source in &more.sources {
            add_source(tally, source.clone());
        }
        return;
    }
    tally.count += 1;
    let message = &row.message;
    add_source(
        tally,
        SourceTally {
            source: row.source.clone(),
            name: message.source.clone(),
            count: 1,
            since: message.at,
            until: message.at,
            last: message.kind,
            subject: message.subject.clone(),
        },
    );
}

fn add_source(tally: &mut Tally, more: SourceTally) {
    let has_room = tally.sources.len() < SOURCES_MAX;
    match tally.sources.iter_mut().find(|known| known.source == more.source) {
        Some(known) => {
            known.count += more.count;
            known.since = known.since.min(more.since);
            if more.until >= known.until {
                (known.until, known.last, known.subject) = (more.until, more.last, more.subject);
            }
        }
        None if has_room => tally.sources.push(more),
        None => tally.other_count += more.count,
    }
}

/// Returns subject and text: how many, since when, and how it is now.
fn said(tally: &Tally, is_one_source: bool, words: &Words) -> (String, String) {
    let since = tally.sources.iter().map(|source| source.since).min();
    let since = since.map(|since| words.shown_at(since)).unwrap_or_default();
    let subject = match tally.sources.first() {
        Some(source) if is_one_source => {
            let now = state_after(source.last);
            format!("{}: {} messages since {since}, now {now}", source.name, tally.count)
        }
        _ => format!("{} messages of several alerts since {since}", tally.count),
    };
    let count = tally.count;
    let mut text =
        format!("{count} messages could not be delivered in time and are told together.\n");
    for source in &tally.sources {
        let (from, until) = (words.shown_at(source.since), words.shown_at(source.until));
        let now = state_after(source.last);
        let plural = if source.count == 1 { "" } else { "s" };
        text.push_str(&format!(
            "- {}: {} message{plural}, from {from} to {until}, now {now}. Last: {}\n",
            one_line(&source.name, 200),
            source.count,
            one_line(&source.subject, 200),
        ));
    }
    if tally.other_count > 0 {
        text.push_str(&format!("- and {} messages of further alerts\n", tally.other_count));
    }
    (one_line(&subject, 200), cut(text, crate::text::TEXT_BYTES_MAX))
}

/// Returns how it is after a message.
fn state_after(kind: MessageKind) -> &'static str {
    match kind {
        MessageKind::Fired | MessageKind::Reminder | MessageKind::Escalated => "active",
        MessageKind::Recovered => "over",
        MessageKind::Trouble => "it cannot be told",
        MessageKind::Digest | MessageKind::Test => "not known",
    }
}

/// Returns the alerts of all messages, each as the last message has it.
fn merged(rows: &[OutboxRow]) -> Vec<MessageAlert> {
    let mut by_labels: BTreeMap<BTreeMap<String, String>, MessageAlert> = BTreeMap::new();
    for alert in rows.iter().flat_map(|row| &row.message.alerts) {
        if by_labels.len() < ALERTS_MAX || by_labels.contains_key(&alert.labels) {
            by_labels.insert(alert.labels.clone(), alert.clone());
        }
    }
    by_labels.into_values().collect()
}
