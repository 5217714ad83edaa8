//! `pampero_provider_…`: what stands between us and each provider, and what it has done.

use std::fmt;

use pampero_loader::Source;
use pampero_resilience::{BreakerState, FailureClass, QuotaState, StackStats};
use prometheus_client::registry::Unit;

use super::{Labels, Shown, Writer};
use crate::providers::wire::refusals;

/// The label values of the breaker's states.
const STATES: [BreakerState; 3] =
    [BreakerState::Closed, BreakerState::Open, BreakerState::HalfOpen];

pub(super) fn write(shown: &Shown, writer: &mut Writer<'_, '_>) -> fmt::Result {
    let chain = shown.sources.chain();
    let of_each = |value: &dyn Fn(&Source) -> Option<f64>| {
        let series = chain.iter().filter_map(|it| Some((labels(it, None), value(it)?)));
        series.collect::<Vec<_>>()
    };
    let breaker = chain.iter().flat_map(|source| {
        let now = source.stack.breaker().snapshot().state;
        STATES.map(|state| (labels(source, Some(("state", state.as_str()))), flag(state == now)))
    });
    writer.gauge("breaker_state", "1 for the state the breaker is in.", None, breaker)?;
    let forced = of_each(&|source| Some(flag(source.stack.breaker().snapshot().forced)));
    writer.gauge("breaker_forced", "1 while an operator holds the breaker.", None, forced)?;
    let paused = of_each(&|source| Some(flag(source.stack.pause().is_some())));
    writer.gauge("paused", "1 while the provider is left alone.", None, paused)?;
    let success =
        of_each(&|source| source.status().last_success_at.map(|at| at.as_duration().as_secs_f64()));
    let help = "Last good answer, in seconds since the Unix epoch.";
    writer.gauge("last_success_timestamp", help, Some(&Unit::Seconds), success)?;
    write_quota(chain, writer)?;
    write_calls(chain, writer)
}

fn write_quota(chain: &[impl AsRef<Source>], writer: &mut Writer<'_, '_>) -> fmt::Result {
    let of_windows = |value: fn(&QuotaState) -> u64| {
        chain.iter().map(AsRef::as_ref).flat_map(move |source| {
            let windows = source.stack.quota().into_iter();
            windows.map(move |quota| {
                let labels = labels(source, Some(("window", quota.window.as_str())));
                (labels, value(&quota) as f64)
            })
        })
    };
    let used = of_windows(|quota| quota.used);
    writer.gauge("quota_used", "Units of the allowance that are used.", None, used)?;
    let limit = of_windows(|quota| quota.limit);
    writer.gauge("quota_limit", "Units of the allowance.", None, limit)
}

fn write_calls(chain: &[impl AsRef<Source>], writer: &mut Writer<'_, '_>) -> fmt::Result {
    let stats: Vec<(&Source, StackStats)> =
        chain.iter().map(AsRef::as_ref).map(|source| (source, source.stack.stats())).collect();
    let of_each = |value: fn(&StackStats) -> u64| {
        stats.iter().map(move |(source, stats)| (labels(source, None), value(stats)))
    };
    writer.counter("calls", "Calls that were begun.", of_each(|stats| stats.calls))?;
    let attempts = stats.iter().flat_map(|(source, stats)| {
        let ok = (labels(source, Some(("outcome", "ok"))), stats.attempts_succeeded);
        let failed = FailureClass::ALL
            .map(|class| (labels(source, Some(("outcome", class.as_str()))), stats.failed(class)));
        std::iter::once(ok).chain(failed)
    });
    writer.counter("attempts", "Attempts by outcome: ok, or the class of failure.", attempts)?;
    let timeouts = of_each(|stats| stats.attempts_timed_out);
    writer.counter("attempt_timeouts", "Attempts that took too long.", timeouts)?;
    writer.counter("retries", "Attempts after the first of a call.", of_each(|it| it.retries))?;
    let refused = stats.iter().flat_map(|(source, stats)| {
        refusals(stats).map(|(by, count)| (labels(source, Some(("by", by))), count))
    });
    writer.counter("calls_refused", "Calls that were not made, by what refused them.", refused)?;
    let in_flight = stats.iter().map(|(it, stats)| (labels(it, None), f64::from(stats.in_flight)));
    writer.gauge("attempts_in_flight", "Attempts under way.", None, in_flight)?;
    let waiting = stats.iter().map(|(it, stats)| (labels(it, None), f64::from(stats.waiting)));
    writer.gauge("calls_waiting", "Calls that wait for their turn.", None, waiting)
}

fn labels(source: &Source, more: Option<(&'static str, &'static str)>) -> Labels {
    let provider = ("provider", source.id().as_str().to_owned());
    let more = more.map(|(name, value)| (name, value.to_owned()));
    std::iter::once(provider).chain(more).collect()
}

fn flag(is_so: bool) -> f64 {
    f64::from(u8::from(is_so))
}
