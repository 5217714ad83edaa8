//! `pampero_timeline_…`: what was decided, and what became of the events that tell of it.

use std::fmt;

use pampero_loader::Timeline;

use super::Shown;
use super::writer::{Writer, metric};

pub(super) fn write(shown: &Shown, writer: &mut Writer<'_, '_>) -> fmt::Result {
    let by_kind = shown.timeline.published_by_kind();
    let by_kind = by_kind.map(|(kind, count)| ([("kind", kind.as_str())], count));
    let help = "Events that were published, by what was decided.";
    writer.counters(metric("events", help), by_kind)?;
    let stats = shown.timeline.stats();
    let help = "Events that never reached the store, because too many waited for it.";
    writer.counter(metric("events_dropped", help), stats.dropped)?;
    let help = "Events that wait for the store.";
    writer.gauge(metric("queue_depth", help), stats.waiting as f64)?;
    let help = "Events that may wait for the store.";
    writer.gauge(metric("queue_limit", help), Timeline::QUEUE_MAX as f64)
}
