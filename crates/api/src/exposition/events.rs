//! `pampero_event_…`: what became of the events.

use std::fmt;

use super::{Shown, Writer};

pub(super) fn write(shown: &Shown, writer: &mut Writer<'_, '_>) -> fmt::Result {
    let stats = shown.timeline.stats();
    let alone = |value| [(vec![], value)];
    writer.counter("published", "Events that were published.", alone(stats.published))?;
    writer.counter("dropped", "Events that never reached the store.", alone(stats.dropped))?;
    let waiting = [(vec![], stats.waiting as f64)];
    writer.gauge("waiting", "Events that wait for the store.", None, waiting)
}
