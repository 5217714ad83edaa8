//! `pampero_loader_…`: what polling did, and what each provider was good for.

use std::fmt;

use super::Shown;
use super::writer::{Writer, metric};

pub(super) fn write(shown: &Shown, writer: &mut Writer<'_, '_>) -> fmt::Result {
    write_sources(shown, writer)?;
    // A process that only serves does not poll.
    let Some(poller) = &shown.poller else { return Ok(()) };
    let stats = poller.stats();
    let rounds = [("regular", stats.regular_rounds), ("recheck", stats.rechecks)];
    let rounds = rounds.map(|(kind, count)| ([("kind", kind)], count));
    let help = "Rounds of polling: regular ones, and tries of better providers in between.";
    writer.counters(metric("rounds", help), rounds)?;
    let help = "Places that were asked for, in all rounds together.";
    writer.counter(metric("polls", help), stats.places)?;
    let help = "Places that a round ended for without an answer of any provider.";
    writer.counter(metric("polls_unanswered", help), stats.unanswered)?;
    let help = "Places that are being asked for.";
    writer.gauge(metric("polls_in_flight", help), stats.in_flight as f64)?;
    let help = "Time from when a round was due until it started.";
    writer.histogram(metric("lateness", help).in_seconds(), &stats.lateness)?;
    let help = "Time from the start of a round until its last place is served.";
    writer.histogram(metric("round_duration", help).in_seconds(), &stats.round_durations)?;
    let help = "When the next place is due, in seconds since the Unix epoch.";
    let due = stats.next_due_at.map(|at| at.as_duration().as_secs_f64());
    due.map_or(Ok(()), |at| writer.gauge(metric("next_due_timestamp", help).in_seconds(), at))
}

fn write_sources(shown: &Shown, writer: &mut Writer<'_, '_>) -> fmt::Result {
    let stats: Vec<_> = shown
        .sources
        .chain()
        .iter()
        .map(|source| (("provider", source.id().as_str()), source.stats()))
        .collect();
    let served = stats.iter().flat_map(|(provider, stats)| {
        let roles = [("primary", stats.served_as_primary), ("fallback", stats.served_as_fallback)];
        roles.map(|(role, count)| ([*provider, ("role", role)], count))
    });
    let help = "Answers that a place was served from, by the part their provider played.";
    writer.counters(metric("served", help), served)?;
    let batches = stats.iter().map(|(provider, stats)| ([*provider], stats.batch_sizes.clone()));
    writer.histograms(metric("batch_places", "Places that one call asks for."), batches)?;
    let ages = stats.iter().map(|(provider, stats)| ([*provider], stats.answer_ages.clone()));
    let help = "Age of observations when they are first served.";
    writer.histograms(metric("served_age", help).in_seconds(), ages)
}
