//! The members of a document, as an event and its spans give them.

use std::borrow::Cow;
use std::error::Error;
use std::fmt::Debug;
use std::io::Write;
use std::ops::Range;

use tracing::field::{Field, Visit};

use crate::logging::is_of_log_record;
use crate::redaction::Redactor;

/// Longest text of one value in bytes; longer ones are cut.
const TEXT_BYTES_MAX: usize = 16 << 10;
/// Most bytes of the fields of an event; what comes later is cut ever shorter.
const FIELDS_BYTES_MAX: usize = 64 << 10;

/// What an event or a span says, without secrets, as JSON.
#[derive(Debug, Default)]
pub(super) struct Members {
    /// The message, as JSON.
    pub(super) message: Vec<u8>,
    /// The place, as JSON.
    pub(super) place: Option<Vec<u8>>,
    /// The provider, as JSON.
    pub(super) provider: Option<Vec<u8>>,
    request_id: Option<Vec<u8>>,
    trace_id: Option<Vec<u8>>,
    duration_ms: Option<Vec<u8>>,
    /// The causes of all errors, outermost first, as JSON with commas between.
    errors: Vec<u8>,
    fields: Vec<u8>,
    spans: Vec<(&'static str, Range<usize>)>,
}

impl Members {
    /// Reads what records its fields into the visitor, over what is there already.
    pub(super) fn visitor<'m>(&'m mut self, redactor: &'m Redactor) -> MembersVisitor<'m> {
        MembersVisitor { members: self, redactor }
    }

    /// Takes over from a span what the event does not say itself.
    pub(super) fn inherit(&mut self, span: &Self) {
        let slots = [
            (&mut self.place, &span.place),
            (&mut self.provider, &span.provider),
            (&mut self.request_id, &span.request_id),
            (&mut self.trace_id, &span.trace_id),
        ];
        for (slot, inherited) in slots {
            if slot.is_none() {
                slot.clone_from(inherited);
            }
        }
        for (name, range) in &span.spans {
            if !self.spans.iter().any(|(known, _)| known == name) {
                self.put(name, &span.fields[range.clone()]);
            }
        }
    }

    /// Names the request, unless the event does so itself. A caller may have chosen its id.
    pub(super) fn within_request(
        &mut self,
        redactor: &Redactor,
        request_id: impl FnOnce() -> Option<String>,
    ) {
        if self.request_id.is_none() {
            self.request_id = request_id().map(|id| json_text(&redactor.redact(&id)));
        }
    }

    /// Names the trace, unless the event does so itself.
    pub(super) fn within_trace(&mut self, trace_id: impl FnOnce() -> Option<String>) {
        if self.trace_id.is_none() {
            self.trace_id = trace_id().map(|id| json_text(&id));
        }
    }

    /// Writes all members but the first ones of the document, each with a comma before it.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let members = [
            (&b"place"[..], &self.place),
            (b"provider", &self.provider),
            (b"request_id", &self.request_id),
            (b"trace_id", &self.trace_id),
            (b"duration_ms", &self.duration_ms),
        ];
        for (name, value) in members {
            if let Some(value) = value {
                out.extend_from_slice(b",\"");
                out.extend_from_slice(name);
                out.extend_from_slice(b"\":");
                out.extend_from_slice(value);
            }
        }
        if !self.errors.is_empty() {
            out.extend_from_slice(b",\"error\":{\"chain\":[");
            out.extend_from_slice(&self.errors);
            out.extend_from_slice(b"]}");
        }
        let mut before: &[u8] = b",\"fields\":{";
        for (name, range) in &self.spans {
            out.extend_from_slice(before);
            write_text(out, name);
            out.push(b':');
            out.extend_from_slice(&self.fields[range.clone()]);
            before = b",";
        }
        if !self.spans.is_empty() {
            out.push(b'}');
        }
    }

    /// Puts a value in, in the place of what has the same name: a name twice would be no document.
    fn put(&mut self, name: &'static str, value: &[u8]) {
        let start = self.fields.len();
        self.fields.extend_from_slice(value);
        let range = start..self.fields.len();
        match self.spans.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = range,
            None => self.spans.push((name, range)),
        }
    }

    fn add_error(&mut self, text: &[u8]) {
        if !self.errors.is_empty() {
            self.errors.push(b',');
        }
        self.errors.extend_from_slice(text);
    }
}

/// Puts the fields of an event or a span into [`Members`].
pub(super) struct MembersVisitor<'m> {
    members: &'m mut Members,
    redactor: &'m Redactor,
}

impl MembersVisitor<'_> {
    fn text(&mut self, field: &Field, value: &str) {
        if is_of_log_record(field) {
            return;
        }
        let value = self.clean(value);
        let members = &mut *self.members;
        match field.name() {
            "message" => members.message = value,
            "place" => members.place = Some(value),
            "provider" | "provider.id" => members.provider = Some(value),
            "request_id" => members.request_id = Some(value),
            "trace_id" => members.trace_id = Some(value),
            "error" => members.add_error(&value),
            name => members.put(name, &value),
        }
    }

    fn number(&mut self, field: &Field, value: impl ToString) {
        let text = value.to_string();
        if is_of_log_record(field) {
            return;
        }
        // A secret of digits only leaves as a text that says so.
        if matches!(self.redactor.redact(&text), Cow::Owned(_)) {
            return self.text(field, &text);
        }
        match field.name() {
            "duration_ms" | "elapsed_ms" => self.members.duration_ms = Some(text.into_bytes()),
            "message" | "place" | "provider" | "provider.id" | "request_id" | "trace_id"
            | "error" => self.text(field, &text),
            name => self.members.put(name, text.as_bytes()),
        }
    }

    /// Takes secrets out, before anything is cut that would leave half of one.
    fn clean(&self, text: &str) -> Vec<u8> {
        let room = FIELDS_BYTES_MAX.saturating_sub(self.members.fields.len());
        json_text(&cut(&self.redactor.redact(text), room.min(TEXT_BYTES_MAX)))
    }
}

impl Visit for MembersVisitor<'_> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        if value.is_finite() {
            self.number(field, serde_json::Value::from(value));
        } else {
            self.members.put(field.name(), b"null");
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.number(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.number(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.members.put(field.name(), if value { b"true" } else { b"false" });
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field, value);
    }

    /// Each cause is an entry of its own, so that the innermost one can be counted by.
    fn record_error(&mut self, _field: &Field, value: &(dyn Error + 'static)) {
        let mut next = Some(value);
        while let Some(error) = next {
            let text = self.clean(&error.to_string());
            self.members.add_error(&text);
            next = error.source();
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.text(field, &format!("{value:?}"));
    }
}

/// Shortens a text to at most `bytes_max` bytes and says how long it was.
fn cut(text: &str, bytes_max: usize) -> Cow<'_, str> {
    if text.len() <= bytes_max {
        return Cow::Borrowed(text);
    }
    let kept = &text[..text.floor_char_boundary(bytes_max)];
    Cow::Owned(format!("{kept}… [cut from {} bytes]", text.len()))
}

pub(super) fn json_text(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 2);
    write_text(&mut out, text);
    out
}

fn write_text(out: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(out.by_ref(), text).expect("a text in memory can always be written");
}
