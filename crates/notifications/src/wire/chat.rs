//! Chats: one text.

use serde_json::{Value, json};

use super::text::{body, cut, one_line, with_subject};
use crate::message::Message;

/// Slack cuts at 40,000 characters and advises 4,000; escaping, which comes after the cut, makes five of one.
const SLACK_CHARS_MAX: usize = 4_000;
/// Source: Amazon Chime, webhooks: 4,096 characters.
const CHIME_CHARS_MAX: usize = 4_096;
/// Source: Mattermost, incoming webhooks: a post has at most 16,383 characters.
const MATTERMOST_CHARS_MAX: usize = 16_383;
/// Source: Microsoft Teams, limits: a message has at most about 28 KB.
const TEAMS_CHARS_MAX: usize = 7_000;

/// The subject in bold, the text below. All of it is data, lines of logs among it, so nothing in it is
/// taken for a mention or a link.
pub(super) fn slack(message: &Message) -> Value {
    let subject = cut(&message.subject, SLACK_CHARS_MAX / 4);
    let subject = one_line(&subject);
    let text = body(message, SLACK_CHARS_MAX - subject.chars().count());
    let text = escape(&text);
    let text = match subject.trim() {
        "" => text,
        subject => format!("*{}*\n{text}", escape(subject)),
    };
    json!({ "text": text })
}

pub(super) fn chime(message: &Message) -> Value {
    json!({ "Content": with_subject(message, CHIME_CHARS_MAX) })
}

pub(super) fn mattermost(message: &Message) -> Value {
    json!({ "text": with_subject(message, MATTERMOST_CHARS_MAX) })
}

pub(super) fn microsoft_teams(message: &Message) -> Value {
    json!({ "text": with_subject(message, TEAMS_CHARS_MAX) })
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
