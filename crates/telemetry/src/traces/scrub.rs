//! Secrets taken out of a span before it leaves.

use std::borrow::Cow;

use opentelemetry::trace::Status;
use opentelemetry::{Array, KeyValue, StringValue, Value};
use opentelemetry_sdk::trace::SpanData;

use crate::redaction::Redactor;

/// Takes the secrets that `redactor` knows out of every text of a span.
pub(super) fn scrub(span: &mut SpanData, redactor: &Redactor) {
    scrub_name(&mut span.name, redactor);
    scrub_values(&mut span.attributes, redactor);
    for event in &mut span.events.events {
        scrub_name(&mut event.name, redactor);
        scrub_values(&mut event.attributes, redactor);
    }
    if let Status::Error { description } = &mut span.status {
        scrub_name(description, redactor);
    }
}

fn scrub_values(attributes: &mut [KeyValue], redactor: &Redactor) {
    for attribute in attributes {
        match &mut attribute.value {
            Value::String(text) => scrub_text(text, redactor),
            Value::Array(Array::String(texts)) => {
                texts.iter_mut().for_each(|text| scrub_text(text, redactor));
            }
            _ => {}
        }
    }
}

fn scrub_text(text: &mut StringValue, redactor: &Redactor) {
    if let Cow::Owned(clean) = redactor.redact(text.as_str()) {
        *text = clean.into();
    }
}

fn scrub_name(name: &mut Cow<'static, str>, redactor: &Redactor) {
    if let Cow::Owned(clean) = redactor.redact(name) {
        *name = Cow::Owned(clean);
    }
}
