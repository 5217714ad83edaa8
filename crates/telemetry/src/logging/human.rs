//! The log line for people: `03:41:02Z INFO  breaker opened  provider=open_meteo cause="slow call"`.

use std::error::Error;
use std::fmt::{self, Debug, Display};
use std::sync::Arc;

use pampero_resilience::Clock;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_log::NormalizeEvent;
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

use super::is_of_log_record;
use crate::traces;

/// Formats a whole line.
pub(super) struct HumanLine {
    clock: Arc<dyn Clock>,
}

impl HumanLine {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock }
    }
}

impl<S> FormatEvent<S, HumanFields> for HumanLine
where
    S: Subscriber + for<'s> LookupSpan<'s>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, HumanFields>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let of_log_record = event.normalized_metadata();
        let metadata = of_log_record.as_ref().unwrap_or_else(|| event.metadata());
        let level = *metadata.level();
        let time = self.clock.now().strftime("%H:%M:%SZ");
        let paint = Paint { on: writer.has_ansi_escapes() };
        write!(writer, "{}{time}{} ", paint.dim(), paint.plain())?;
        write!(writer, "{}{:<5}{} ", paint.of(level), level.as_str(), paint.plain())?;
        if Level::DEBUG <= level {
            write!(writer, "{}{}:{} ", paint.dim(), metadata.target(), paint.plain())?;
        }

        let mut words = Words { paint, ..Words::default() };
        event.record(&mut words);
        writer.write_str(words.message.trim_end())?;
        let mut gap = "  ";
        let spans = context.event_scope().into_iter().flat_map(|scope| scope.from_root());
        let mut span_fields = Vec::new();
        for span in spans {
            if let Some(fields) = span.extensions().get::<FormattedFields<HumanFields>>() {
                span_fields.push(fields.fields.clone());
            }
        }
        let trace =
            traces::current_ids().map(|(trace_id, _)| words.paint.pair("trace_id", trace_id));
        for fields in std::iter::once(words.fields).chain(span_fields).chain(trace) {
            if !fields.is_empty() {
                write!(writer, "{gap}{fields}")?;
                gap = " ";
            }
        }
        writeln!(writer)
    }
}

/// Formats the fields of a span, `key=value` with a space between.
pub(super) struct HumanFields;

impl<'w> FormatFields<'w> for HumanFields {
    fn format_fields<R: RecordFields>(&self, mut writer: Writer<'w>, fields: R) -> fmt::Result {
        let paint = Paint { on: writer.has_ansi_escapes() };
        let mut words = Words { paint, ..Words::default() };
        fields.record(&mut words);
        writer.write_str(&words.fields)
    }
}

/// The message and the fields of an event, as text.
#[derive(Default)]
struct Words {
    message: String,
    fields: String,
    paint: Paint,
}

impl Words {
    fn push(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            self.message = on_one_line(value);
            return;
        }
        if is_of_log_record(field) {
            return;
        }
        if !self.fields.is_empty() {
            self.fields.push(' ');
        }
        self.fields.push_str(&self.paint.pair(field.name(), quoted_if_needed(value)));
    }
}

impl Visit for Words {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.push(field, value);
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.push(field, &super::causes(value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.push(field, &format!("{value:?}"));
    }
}

/// Writes control characters as escapes, so that no value can forge a line or paint the terminal.
fn on_one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_control() {
            line.extend(letter.escape_default());
        } else {
            line.push(letter);
        }
    }
    line
}

/// Puts a value into quotation marks when it would not read as one word.
fn quoted_if_needed(value: &str) -> String {
    let line = on_one_line(value);
    let is_quoted = 2 <= value.len() && value.starts_with('"') && value.ends_with('"');
    let is_word = !value.is_empty() && !value.contains([' ', '"', '=']) && line == value;
    if is_word || is_quoted { line } else { format!("\"{}\"", line.replace('"', "\\\"")) }
}

/// The colours of a line, or none.
#[derive(Clone, Copy, Default)]
struct Paint {
    on: bool,
}

impl Paint {
    fn of(self, level: Level) -> &'static str {
        match level {
            _ if !self.on => "",
            Level::ERROR => "\x1b[31m",
            Level::WARN => "\x1b[33m",
            Level::INFO => "\x1b[32m",
            Level::DEBUG => "\x1b[34m",
            Level::TRACE => "\x1b[35m",
        }
    }

    fn pair(self, name: &str, value: impl Display) -> String {
        format!("{}{name}={}{value}", self.dim(), self.plain())
    }

    fn dim(self) -> &'static str {
        if self.on { "\x1b[2m" } else { "" }
    }

    fn plain(self) -> &'static str {
        if self.on { "\x1b[0m" } else { "" }
    }
}
