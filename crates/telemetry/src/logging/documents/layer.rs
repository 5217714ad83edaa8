//! The layer of the log that makes the documents.

use std::sync::Arc;

use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Subscriber};
use tracing_log::NormalizeEvent;
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::members::Members;
use super::queue::{Origin, Shared};
use super::{Documents, PATH_TARGETS, is_unrecorded};
use crate::logging::request;
use crate::traces;

impl Documents {
    /// Returns the layer, behind its own filter.
    pub(in crate::logging) fn layer<S>(&self) -> impl Layer<S> + Send + Sync + use<S>
    where
        S: Subscriber + for<'s> LookupSpan<'s>,
    {
        DocumentLayer(Arc::clone(&self.shared)).with_filter(self.filter.to_env_filter())
    }
}

struct DocumentLayer(Arc<Shared>);

impl<S> Layer<S> for DocumentLayer
where
    S: Subscriber + for<'s> LookupSpan<'s>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut members = Members::default();
        attributes.record(&mut members.visitor(self.0.redactor()));
        span.extensions_mut().insert(members);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if let Some(members) = span.extensions_mut().get_mut::<Members>() {
            values.record(&mut members.visitor(self.0.redactor()));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let of_log_record = event.normalized_metadata();
        let metadata = of_log_record.as_ref().unwrap_or_else(|| event.metadata());
        let (target, level) = (metadata.target(), *metadata.level());
        if is_unrecorded() || (Level::WARN < level && is_of_path(target)) {
            return;
        }
        let mut members = Members::default();
        event.record(&mut members.visitor(self.0.redactor()));
        for span in context.event_scope(event).into_iter().flatten() {
            if let Some(inherited) = span.extensions().get::<Members>() {
                members.inherit(inherited);
            }
        }
        members.within_request(self.0.redactor(), request::current_request_id);
        members.within_trace(|| {
            let ids = traces::current_ids().map(|(trace_id, _)| trace_id.to_string());
            ids.or_else(request::current_callers_trace_id)
        });
        let origin = Origin { callsite: event.metadata().callsite(), target, level };
        self.0.take(&origin, &members);
    }
}

fn is_of_path(target: &str) -> bool {
    let crate_name = target.split("::").next().unwrap_or(target);
    PATH_TARGETS.contains(&crate_name)
}
