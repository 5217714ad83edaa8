//! `pampero_provider_…`: what stands between us and each provider, and what it has done.

use std::fmt;
use std::sync::Arc;

use pampero_loader::Source;
use pampero_resilience::{BreakerState, FailureClass, QuotaState, StackStats};

use super::Shown;
use super::writer::{Writer, flag, metric};
use crate::providers::wire::refusals;

/// The label values of the breaker's states.
const STATES: [BreakerState; 3] =
    [BreakerState::Closed, BreakerState::Open, BreakerState::HalfOpen];

/// The classes of failure that make us leave a provider alone.
const PAUSING: [FailureClass; 3] =
    [FailureClass::Auth, FailureClass::Quota, FailureClass::RateLimited];

type Label = (&'static str, &'static str);

pub(super) fn write(shown: &Shown, writer: &mut Writer<'_, '_>) -> fmt::Result {
    let chain = shown.sources.chain();
    write_breakers(chain, writer)?;
    write_pauses(chain, writer)?;
    write_quota(chain, writer)?;
    write_calls(chain, writer)?;
    let success = chain.iter().filter_map(|source| {
        let at = source.status().last_success_at?;
        Some(([provider(source)], at.as_duration().as_secs_f64()))
    });
    let help = "When the last good answer came, in seconds since the Unix epoch.";
    writer.gauges(metric("last_success_timestamp", help).in_seconds(), success)
}

fn write_breakers(chain: &[Arc<Source>], writer: &mut Writer<'_, '_>) -> fmt::Result {
    let snapshots: Vec<_> =
        chain.iter().map(|source| (provider(source), source.stack.breaker().snapshot())).collect();
    let states = snapshots.iter().flat_map(|(provider, now)| {
        STATES.map(|state| ([*provider, ("state", state.as_str())], flag(state == now.state)))
    });
    writer.gauges(metric("breaker_state", "1 for the state the breaker is in."), states)?;
    let since = snapshots
        .iter()
        .map(|(provider, now)| ([*provider], now.since.as_duration().as_secs_f64()));
    let help = "When the breaker came into its state, in seconds since the Unix epoch.";
    writer.gauges(metric("breaker_state_timestamp", help).in_seconds(), since)?;
    let forced = snapshots.iter().map(|(provider, now)| ([*provider], flag(now.forced)));
    let help = "1 while an operator holds the breaker in its state.";
    writer.gauges(metric("breaker_forced", help), forced)?;
    let transitions = chain.iter().flat_map(|source| {
        source.stack.breaker().transitions().map(|(transition, count)| {
            let from: Label = ("from", transition.from.as_str());
            let to: Label = ("to", transition.to.as_str());
            let cause: Label = ("cause", transition.cause.as_str());
            ([provider(source), from, to, cause], count)
        })
    });
    let help = "Times that the breaker changed its state, and why.";
    writer.counters(metric("breaker_transitions", help), transitions)
}

fn write_pauses(chain: &[Arc<Source>], writer: &mut Writer<'_, '_>) -> fmt::Result {
    let paused =
        chain.iter().map(|source| ([provider(source)], flag(source.stack.pause().is_some())));
    writer.gauges(metric("paused", "1 while the provider is left alone."), paused)?;
    let pauses = chain.iter().flat_map(|source| {
        let stats = source.stack.stats();
        PAUSING.map(|class| ([provider(source), ("cause", class.as_str())], stats.paused_by(class)))
    });
    let help = "Times that we began to leave the provider alone, by the failure that led to it.";
    writer.counters(metric("pauses", help), pauses)
}

fn write_quota(chain: &[Arc<Source>], writer: &mut Writer<'_, '_>) -> fmt::Result {
    let windows: Vec<([Label; 2], QuotaState)> = chain
        .iter()
        .flat_map(|source| {
            let windows = source.stack.quota().into_iter();
            windows.map(|quota| ([provider(source), ("window", quota.window.as_str())], quota))
        })
        .collect();
    let of_each =
        |value: fn(&QuotaState) -> f64| windows.iter().map(move |(it, quota)| (*it, value(quota)));
    let used = of_each(|quota| quota.used as f64);
    writer.gauges(metric("quota_used", "Units of the allowance that are used."), used)?;
    let left = of_each(|quota| quota.limit.saturating_sub(quota.used) as f64);
    writer.gauges(metric("quota_left", "Units of the allowance that are left."), left)?;
    let limit = of_each(|quota| quota.limit as f64);
    writer.gauges(metric("quota_limit", "Units of the allowance."), limit)?;
    let reset = of_each(|quota| quota.resets_at.as_duration().as_secs_f64());
    let help = "When the allowance begins anew, in seconds since the Unix epoch.";
    writer.gauges(metric("quota_reset_timestamp", help).in_seconds(), reset)
}

fn write_calls(chain: &[Arc<Source>], writer: &mut Writer<'_, '_>) -> fmt::Result {
    let stats: Vec<(Label, StackStats)> =
        chain.iter().map(|source| (provider(source), source.stack.stats())).collect();
    let of_each =
        |value: fn(&StackStats) -> u64| stats.iter().map(move |(it, stats)| ([*it], value(stats)));
    writer.counters(metric("calls", "Calls that were begun."), of_each(|it| it.calls))?;
    let attempts = stats.iter().flat_map(|(provider, stats)| {
        let ok = ([*provider, ("outcome", "ok")], stats.attempts_succeeded);
        let failed = FailureClass::ALL
            .map(|class| ([*provider, ("outcome", class.as_str())], stats.failed(class)));
        std::iter::once(ok).chain(failed)
    });
    let help = "Attempts by outcome: ok, or the class of failure.";
    writer.counters(metric("attempts", help), attempts)?;
    let help = "Time that attempts took, those that failed or took too long included.";
    let durations =
        chain.iter().map(|source| ([provider(source)], source.stack.attempt_durations()));
    writer.histograms(metric("attempt_duration", help).in_seconds(), durations)?;
    let help = "Attempts that took too long; the transient ones contain them.";
    writer.counters(metric("attempt_timeouts", help), of_each(|it| it.attempts_timed_out))?;
    let help = "Attempts after the first of a call.";
    writer.counters(metric("retries", help), of_each(|it| it.retries))?;
    let help = "Calls that their deadline cut off.";
    writer.counters(metric("deadlines_exceeded", help), of_each(|it| it.deadlines_exceeded))?;
    let refused = stats.iter().flat_map(|(provider, stats)| {
        refusals(stats).map(|(by, count)| ([*provider, ("by", by)], count))
    });
    let help = "Calls that were not made, by what refused them.";
    writer.counters(metric("calls_refused", help), refused)?;
    let help = "Quota counts that could not be put on record at once.";
    writer.counters(metric("ledger_failures", help), of_each(|it| it.ledger_failures))?;
    let in_flight = stats.iter().map(|(it, stats)| ([*it], f64::from(stats.in_flight)));
    writer.gauges(metric("attempts_in_flight", "Attempts under way."), in_flight)?;
    let waiting = stats.iter().map(|(it, stats)| ([*it], f64::from(stats.waiting)));
    writer.gauges(metric("calls_waiting", "Calls that wait for their turn."), waiting)
}

fn provider(source: &Arc<Source>) -> Label {
    ("provider", source.id().as_str())
}
