//! The log line for programs: one JSON object with timestamp, level, target, message, fields, spans.

use std::error::Error;
use std::fmt::{self, Debug, Write};
use std::sync::Arc;

use pampero_resilience::Clock;
use serde_json::Value;
use tracing::field::{Field, Visit};
use tracing::span::Record;
use tracing::{Event, Subscriber};
use tracing_log::NormalizeEvent;
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

use super::is_of_log_record;
use crate::traces;

/// Formats a whole line.
pub(super) struct JsonLine {
    clock: Arc<dyn Clock>,
}

impl JsonLine {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock }
    }
}

impl<S> FormatEvent<S, JsonFields> for JsonLine
where
    S: Subscriber + for<'s> LookupSpan<'s>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, JsonFields>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let of_log_record = event.normalized_metadata();
        let metadata = of_log_record.as_ref().unwrap_or_else(|| event.metadata());
        let mut members = Members::default();
        event.record(&mut members);
        let time = self.clock.now();
        write!(writer, "{{\"timestamp\":\"{time:.3}\",\"level\":\"{}\"", metadata.level())?;
        write!(writer, ",\"target\":{}", Value::from(metadata.target()))?;
        write!(writer, ",\"message\":{}", Value::from(members.message))?;
        if let Some((trace_id, span_id)) = traces::current_ids() {
            write!(writer, ",\"trace_id\":\"{trace_id}\",\"span_id\":\"{span_id}\"")?;
        }
        write!(writer, ",\"fields\":{{{}}},\"spans\":[", members.text)?;
        let mut comma = "";
        for span in context.event_scope().into_iter().flat_map(|scope| scope.from_root()) {
            let extensions = span.extensions();
            let fields = extensions.get::<FormattedFields<JsonFields>>();
            let fields = fields.map_or("", |fields| fields.fields.as_str());
            let name = Value::from(span.name());
            write!(writer, "{comma}{{\"name\":{name},\"fields\":{{{fields}}}}}")?;
            comma = ",";
        }
        writeln!(writer, "]}}")
    }
}

/// Formats the fields of a span as the members of an object, without its braces.
pub(super) struct JsonFields;

impl<'w> FormatFields<'w> for JsonFields {
    fn format_fields<R: RecordFields>(&self, mut writer: Writer<'w>, fields: R) -> fmt::Result {
        let mut members = Members::default();
        fields.record(&mut members);
        writer.write_str(&members.text)
    }

    fn add_fields(
        &self,
        current: &'w mut FormattedFields<Self>,
        fields: &Record<'_>,
    ) -> fmt::Result {
        let mut members =
            Members { text: std::mem::take(&mut current.fields), ..Members::default() };
        fields.record(&mut members);
        current.fields = members.text;
        Ok(())
    }
}

/// The message of an event, and its other fields as the members of an object.
#[derive(Default)]
struct Members {
    message: String,
    text: String,
}

impl Members {
    fn push(&mut self, field: &Field, value: Value) {
        if field.name() == "message" {
            self.message = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            return;
        }
        if is_of_log_record(field) {
            return;
        }
        let comma = if self.text.is_empty() { "" } else { "," };
        write!(self.text, "{comma}{}:{value}", Value::from(field.name()))
            .expect("writing to a string cannot fail");
    }
}

impl Visit for Members {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.push(field, Value::from(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.push(field, Value::from(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.push(field, Value::from(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.push(field, Value::from(value));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.push(field, Value::from(value));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.push(field, Value::from(super::causes(value)));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.push(field, Value::from(format!("{value:?}")));
    }
}
