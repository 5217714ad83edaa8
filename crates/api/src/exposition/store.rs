//! `pampero_store_…`: what the store did, and how long that took.

use std::fmt;

use super::Shown;
use super::writer::{Writer, metric};

pub(super) fn write(shown: &Shown, writer: &mut Writer<'_, '_>) -> fmt::Result {
    let stats = shown.store.stats();
    let observations = [
        ("inserted", stats.rows_inserted),
        ("revised", stats.rows_revised),
        ("unchanged", stats.rows_unchanged),
    ];
    let observations = observations.map(|(result, count)| ([("result", result)], count));
    let help = "Observations that were handed over: new ones, corrections, and repetitions.";
    writer.counters(metric("observations", help), observations)?;
    let writes = [("ok", stats.writes), ("failed", stats.writes_failed)];
    let writes = writes.map(|(outcome, count)| ([("outcome", outcome)], count));
    writer.counters(metric("writes", "Writes by what became of them."), writes)?;
    let help = "Transactions that were committed; writes that wait together share one.";
    writer.counter(metric("transactions", help), stats.transactions)?;
    let help = "Time from the begin of a transaction until it is on disk.";
    let durations = metric("transaction_duration", help).in_seconds();
    writer.histogram(durations, &stats.transaction_durations)?;
    let help = "Time that the store took to answer a question.";
    writer.histogram(metric("read_duration", help).in_seconds(), &stats.read_durations)?;
    let help = "Questions that the store did not answer.";
    writer.counter(metric("reads_failed", help), stats.reads_failed)?;
    let help = "Writes that wait for the writer.";
    writer.gauge(metric("queue_depth", help), stats.queue_depth as f64)
}
