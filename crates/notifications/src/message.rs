//! What is told.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What is told through a channel.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Message {
    /// Identifies the message for ever, over repeats and restarts: letters, digits and `-`.
    pub key: String,
    /// Why it is sent.
    pub kind: MessageKind,
    /// One line.
    pub subject: String,
    /// The text; lines end in `\n`.
    pub text: String,
    /// From 1, the highest, to 5.
    pub severity: u8,
    /// The name of the monitor or rule; for a test that of the channel.
    pub source: String,
    /// Identifies what the message is about over its whole life, from firing to recovery: receivers that
    /// can update an incident do so by it.
    pub incident: String,
    /// The page with the whole; `None` when the program knows no address of its own.
    pub link: Option<String>,
    /// When what it tells of happened.
    pub at: Timestamp,
    /// Whether an earlier try may have arrived already.
    pub is_repeat: bool,
    /// The alerts it tells of, for receivers that take them one by one; may be fewer than there are.
    pub alerts: Vec<MessageAlert>,
}

/// Why a message is sent.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageKind {
    /// Something began.
    Fired,
    /// It goes on.
    Reminder,
    /// It goes on, and nobody acknowledged it.
    Escalated,
    /// It is over.
    Recovered,
    /// It cannot be told whether it holds: no data, or an evaluation that failed.
    Trouble,
    /// Several older messages, put together because they came late.
    Digest,
    /// Somebody tried the channel.
    Test,
}

/// One alert, as the Alertmanager takes it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct MessageAlert {
    /// `alertname` and all others.
    pub labels: BTreeMap<String, String>,
    /// What it says.
    pub annotations: BTreeMap<String, String>,
    /// When it began to fire.
    pub starts_at: Timestamp,
    /// When it ended; `None` while it fires.
    pub ends_at: Option<Timestamp>,
}

impl Message {
    /// Returns messages that show whether a body can be made: with everything that needs care in JSON, with
    /// all there is, and with as little as there can be.
    pub(crate) fn samples() -> [Self; 2] {
        let at = Timestamp::UNIX_EPOCH;
        let full = Self {
            key: "sample-1".to_owned(),
            kind: MessageKind::Fired,
            subject: "A \"sample\" \\ with all that needs care".to_owned(),
            text: "14 errors\n\tin 5 minutes: <é> & \"more\" {\\}\n".to_owned(),
            severity: 1,
            source: "sample".to_owned(),
            incident: "sample-incident".to_owned(),
            link: Some("https://pampero.example/alerts/1?a=\"b\"".to_owned()),
            at,
            is_repeat: false,
            alerts: ["one", "two"]
                .map(|name| MessageAlert {
                    labels: BTreeMap::from([("alertname".to_owned(), name.to_owned())]),
                    annotations: BTreeMap::from([("summary".to_owned(), "a \"b\"\n".to_owned())]),
                    starts_at: at,
                    ends_at: None,
                })
                .into(),
        };
        let bare = Self {
            kind: MessageKind::Test,
            subject: String::new(),
            text: String::new(),
            link: None,
            alerts: Vec::new(),
            ..full.clone()
        };
        [full, bare]
    }
}
