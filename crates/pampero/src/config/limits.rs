//! `[resilience]`, and the same keys under each provider: deadlines, retries, breaker, pauses.

use std::num::NonZeroU32;
use std::time::Duration;

use pampero_resilience::{BreakerPolicy, FailureRate, PausePolicy, Policy, RetryPolicy};

use super::kind::{count, duration, number};
use super::reader::Section;

pub(super) const DOC: &str = "Limits round every provider. The same keys under `[providers.…]` \
    hold for that provider alone.";

const SHORTEST: Duration = Duration::from_millis(10);

/// Reads the limits; what is not written is as in `base`.
///
/// Rate and quota stay as in `base`: they are a matter of each provider.
pub(super) fn read(section: &mut Section<'_>, base: &Policy) -> Policy {
    let policy = Policy {
        deadline: section.read(
            "deadline",
            base.deadline,
            &duration(SHORTEST),
            "Longest time of a whole call: attempts, waits and queueing together.",
        ),
        attempt_timeout: section.read(
            "attempt_timeout",
            base.attempt_timeout,
            &duration(SHORTEST),
            "Longest time of one attempt.",
        ),
        retry: read_retry(section, &base.retry),
        breaker: read_breaker(section, &base.breaker),
        concurrency: at_least_one(
            section,
            "concurrency",
            base.concurrency,
            "Most attempts at the same time.",
        ),
        queue_max: section_count(
            section,
            "queue_max",
            base.queue_max,
            "Most calls that wait for their turn; a further one is refused.",
        ),
        pause: read_pause(section, &base.pause),
        rate: base.rate.clone(),
        quota: base.quota.clone(),
    };
    let written = ["deadline", "attempt_timeout"].into_iter().find(|name| section.is_written(name));
    if let (Some(name), true) = (written, policy.deadline <= policy.attempt_timeout) {
        let what = "the deadline of a call must be longer than attempt_timeout; otherwise a \
                    provider that hangs is never noticed";
        section.problem_at(section.origin_of(name), name, what);
    }
    policy
}

fn read_retry(section: &mut Section<'_>, base: &RetryPolicy) -> RetryPolicy {
    RetryPolicy {
        attempts_max: at_least_one(
            section,
            "attempts_max",
            base.attempts_max,
            "Attempts in all, the first one included.",
        ),
        backoff: section.read(
            "backoff",
            base.backoff,
            &duration(Duration::ZERO),
            "Upper bound of the wait before the first repeat; it doubles with each further one, and the wait is drawn between zero and it.",
        ),
        backoff_max: section.read(
            "backoff_max",
            base.backoff_max,
            &duration(Duration::ZERO),
            "The bound does not grow beyond this.",
        ),
    }
}

fn read_breaker(section: &mut Section<'_>, base: &BreakerPolicy) -> BreakerPolicy {
    let rate = base.failure_rate.clone();
    let share_of_base = rate.as_ref().map_or(0.0, |rate| rate.share);
    let rate = rate.unwrap_or_default();
    let consecutive_failures = at_least_one(
        section,
        "breaker_failures",
        base.consecutive_failures,
        "Failures without a success in between that open the breaker.",
    );
    let share = section.read(
        "breaker_failure_rate",
        share_of_base,
        &number(0.0..=1.0, "share"),
        "Share of failed calls that opens it too; 0 looks at consecutive failures only.",
    );
    let failure_rate = FailureRate {
        share,
        window: section.read(
            "breaker_rate_window",
            rate.window,
            &duration(SHORTEST),
            "How far back calls count for that share.",
        ),
        calls_min: section_count(
            section,
            "breaker_rate_calls_min",
            rate.calls_min,
            "With fewer calls in the window the share says nothing.",
        ),
    };
    let slow_call = section.read_optional(
        "slow_call",
        &duration(SHORTEST),
        "A success that took longer counts as a failure; unset counts every success as one.",
    );
    BreakerPolicy {
        consecutive_failures,
        failure_rate: (0.0 < share).then_some(failure_rate),
        slow_call: slow_call.or(base.slow_call),
        open_for: section.read(
            "breaker_open_for",
            base.open_for,
            &duration(SHORTEST),
            "How long the breaker stays open before a probe may pass.",
        ),
        probes_max: at_least_one(
            section,
            "breaker_probes",
            base.probes_max,
            "Most probes at the same time while it is half-open.",
        ),
        probes_to_close: at_least_one(
            section,
            "breaker_probes_to_close",
            base.probes_to_close,
            "Successful probes after which it closes.",
        ),
    }
}

fn read_pause(section: &mut Section<'_>, base: &PausePolicy) -> PausePolicy {
    PausePolicy {
        auth: section.read(
            "pause_auth",
            base.auth,
            &duration(Duration::ZERO),
            "How long a provider is left alone after it refused the key.",
        ),
        rate_limited: section.read(
            "pause_rate_limited",
            base.rate_limited,
            &duration(Duration::ZERO),
            "How long after too many calls, when it does not say; doubles while it repeats.",
        ),
        rate_limited_max: section.read(
            "pause_rate_limited_max",
            base.rate_limited_max,
            &duration(Duration::ZERO),
            "That doubling ends here.",
        ),
        asked_max: section.read(
            "pause_asked_max",
            base.asked_max,
            &duration(Duration::ZERO),
            "A provider that asks for a longer wait after too many calls gets this one.",
        ),
    }
}

fn at_least_one(
    section: &mut Section<'_>,
    name: &'static str,
    default: NonZeroU32,
    doc: &'static str,
) -> NonZeroU32 {
    let written = section.read(name, u64::from(default.get()), &count(1..=10_000), doc);
    u32::try_from(written).ok().and_then(NonZeroU32::new).unwrap_or(default)
}

fn section_count(
    section: &mut Section<'_>,
    name: &'static str,
    default: u32,
    doc: &'static str,
) -> u32 {
    let written = section.read(name, u64::from(default), &count(0..=1_000_000), doc);
    u32::try_from(written).unwrap_or(default)
}
