//! What messages say: the text of a definition, or the default one.
//!
//! The default says what, how many, since when, with which values, the newest matching lines, a link to
//! the page, and at the end how long it lasted. Start reading at [`Words::message`].

mod lines;
mod moment;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use self::moment::{shown_at, shown_duration};
use crate::alert::{Alert, AlertState, Notice, NoticeKind};
use crate::observation::{Observation, SourceId};

/// Most alerts that the default text lists one by one.
const LISTED_MAX: usize = 10;
/// Most bytes of a subject.
const SUBJECT_BYTES_MAX: usize = 200;
/// Most bytes of a text, whoever wrote it.
pub(crate) const TEXT_BYTES_MAX: usize = 32 * 1024;

/// Renders the messages of a source in its own words.
pub trait Teller {
    /// Returns subject and text of a notice; `None` asks for the default ones.
    ///
    /// # Errors
    /// Says why the template cannot be rendered; the default text is sent, and says so too.
    fn message(
        &self,
        notice: &Notice,
        observation: &Observation,
    ) -> Result<Option<(String, String)>, String>;
}

/// Tells everything in the default words.
#[derive(Clone, Copy, Debug, Default)]
pub struct DefaultTeller;

impl Teller for DefaultTeller {
    fn message(&self, _: &Notice, _: &Observation) -> Result<Option<(String, String)>, String> {
        Ok(None)
    }
}

/// Finds who renders the messages of a source when nothing was evaluated, as for a reminder between two
/// evaluations that lie far apart.
pub trait Tellers: std::fmt::Debug + Send + Sync {
    /// Returns the teller of a source; `None` for the default words.
    fn teller(&self, source: &SourceId) -> Option<Box<dyn Teller>>;
}

/// Says things in the default words.
#[derive(Clone, Debug)]
pub struct Words {
    /// The zone in which times are shown.
    pub zone: TimeZone,
    /// The address of the program, as `https://weather.example`; `None` when it knows none, and then
    /// messages have no link.
    pub page: Option<String>,
}

impl Default for Words {
    fn default() -> Self {
        Self { zone: TimeZone::UTC, page: None }
    }
}

impl Words {
    /// Returns an instant with its zone, as in `2026-11-24 09:00:00 -03`.
    pub fn shown_at(&self, at: Timestamp) -> String {
        shown_at(at, &self.zone)
    }

    /// Returns the address of the page of a source; `None` when the program knows no address of its own.
    pub fn link(&self, source: &SourceId) -> Option<String> {
        let page = self.page.as_deref()?.trim_end_matches('/');
        let kind = match source.kind {
            crate::SourceKind::Monitor => "monitor",
            crate::SourceKind::Rule => "rule",
        };
        let (definition, trigger) = (escaped(&source.definition), escaped(&source.trigger));
        Some(format!("{page}/alerts?source={kind}/{definition}/{trigger}"))
    }

    /// Returns the default subject, one line, and the default text, whose lines end in `\n`.
    pub fn message(&self, notice: &Notice, observation: &Observation) -> (String, String) {
        let Some(first) = notice.alerts.first() else { return (String::new(), String::new()) };
        let what = described(first);
        let subject = format!("{what}: {}", self.headline(notice));
        let mut text = String::new();
        self.write_state(&mut text, notice, &what, first);
        self.write_alerts(&mut text, notice);
        if !matches!(notice.kind, NoticeKind::Recovered)
            && let Some(answer) = observation.answer.as_deref()
        {
            lines::write(&mut text, answer, &self.zone);
        }
        if let Some(link) = self.link(&first.source) {
            text.push_str(&link);
            text.push('\n');
        }
        (one_line(&subject, SUBJECT_BYTES_MAX), cut(text, TEXT_BYTES_MAX))
    }

    /// Returns what happened in a few words.
    fn headline(&self, notice: &Notice) -> String {
        let is_gone = notice.alerts.iter().all(|alert| alert.state == AlertState::Deleted);
        let lasted = shown_duration(notice.lasted);
        let verb = match notice.kind {
            NoticeKind::Fired => "active".to_owned(),
            NoticeKind::Reminder => format!("still active after {lasted}"),
            NoticeKind::Escalated => format!("nobody acknowledged it for {lasted}"),
            NoticeKind::Recovered if is_gone => "removed while it was active".to_owned(),
            NoticeKind::Recovered if notice.alerts.iter().all(|alert| alert.started.is_none()) => {
                format!("can be evaluated again after {lasted}")
            }
            NoticeKind::Recovered => format!("over after {lasted}"),
            NoticeKind::NoData => "no data".to_owned(),
            NoticeKind::Failed => "cannot be evaluated".to_owned(),
        };
        if notice.count > 1 { format!("{verb} ({} alerts)", notice.count) } else { verb }
    }

    fn write_state(&self, text: &mut String, notice: &Notice, what: &str, first: &Alert) {
        let since = shown_at(notice.since, &self.zone);
        let lasted = shown_duration(notice.lasted);
        let error = first.error.as_deref().unwrap_or("the reason is not known");
        let sentence = match notice.kind {
            NoticeKind::Fired => format!("{what} is active since {since}."),
            NoticeKind::Reminder | NoticeKind::Escalated => {
                format!("{what} is still active, since {since}, for {lasted}.")
            }
            NoticeKind::Recovered if first.started.is_none() => {
                format!("{what} can be evaluated again. It could not for {lasted}, since {since}.")
            }
            NoticeKind::Recovered => {
                let ended = notice.alerts.iter().filter_map(|alert| alert.ended).max();
                let until = shown_at(ended.unwrap_or(notice.at), &self.zone);
                format!("{what} is over. It lasted {lasted}, from {since} to {until}.")
            }
            NoticeKind::NoData => format!("{what} has no data since {since}."),
            NoticeKind::Failed => {
                format!("{what} cannot be evaluated since {since}: {error}")
            }
        };
        text.push_str(&sentence);
        text.push('\n');
        text.push_str(&format!("Severity {}.", first.severity));
        if notice.count > 1 || notice.active_count > notice.count {
            text.push_str(&format!(
                " {} in this message, {} active now.",
                alerts(notice.count),
                notice.active_count
            ));
        }
        if notice.throttled > 0 {
            let more = notice.throttled;
            text.push_str(&format!(" And {more} more since the last message were held back."));
        }
        text.push('\n');
    }

    fn write_alerts(&self, text: &mut String, notice: &Notice) {
        for alert in notice.alerts.iter().take(LISTED_MAX) {
            let mut parts = Vec::new();
            if !alert.key.is_empty() {
                parts.push(alert.key.to_string());
            }
            if let Some(value) = alert.value {
                parts.push(format!("value {value}"));
            }
            if notice.count > 1 {
                let since = alert.started.unwrap_or(alert.since);
                parts.push(format!("since {}", shown_at(since, &self.zone)));
            }
            let said = alert.annotations.iter().find(|(name, _)| name == "summary");
            let said = said.or_else(|| alert.annotations.iter().find(|(n, _)| n == "description"));
            parts.extend(said.map(|(_, said)| one_line(said, 500)));
            if !parts.is_empty() {
                text.push_str(&format!("- {}\n", parts.join(", ")));
            }
        }
        if notice.count > LISTED_MAX {
            text.push_str(&format!("- and {} more\n", notice.count - LISTED_MAX));
        }
    }
}

/// Returns what an alert is called by people.
fn described(alert: &Alert) -> String {
    match (alert.name.as_str(), alert.definition_name.as_str()) {
        (name, "") => name.to_owned(),
        (name, definition) => format!("{name} ({definition})"),
    }
}

fn alerts(count: usize) -> String {
    if count == 1 { "1 alert".to_owned() } else { format!("{count} alerts") }
}

/// Returns a text on one line, without control characters, cut at so many bytes.
pub(crate) fn one_line(text: &str, bytes_max: usize) -> String {
    let line: String =
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(bytes_max).collect();
    cut(line.trim().to_owned(), bytes_max)
}

/// Cuts a text at so many bytes, and shows that it was cut.
pub(crate) fn cut(mut text: String, bytes_max: usize) -> String {
    if text.len() > bytes_max {
        let end = text.floor_char_boundary(bytes_max.saturating_sub('…'.len_utf8()));
        text.truncate(end);
        text.push('…');
    }
    text
}

/// Escapes what must not stand in a value of a query.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// Returns an observation that says nothing, for messages that time alone brings about.
pub(crate) fn nothing_seen(at: Timestamp) -> Observation {
    Observation { at, outcome: crate::Outcome::Known(Vec::new()), answer: None }
}
