//! Providers as they are written in answers.

use std::collections::BTreeMap;

use pampero_loader::{LastFailure, Source};
use pampero_resilience::{BreakerSnapshot, FailureClass, PauseState, QuotaState, StackStats};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::weather::summary::AttributionBody;

/// What a breaker is to do.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BreakerRequest {
    pub(crate) state: WantedBreaker,
}

/// What a breaker is to do.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum WantedBreaker {
    /// Refuse every call until told otherwise.
    Open,
    /// Let every call pass until told otherwise.
    Closed,
    /// Follow its own rules again.
    Auto,
}

/// The providers of the chain.
#[derive(Serialize, ToSchema)]
pub(crate) struct ProviderList {
    /// In the order in which they are asked.
    pub(crate) providers: Vec<ProviderBody>,
}

/// A provider, how it has been, and what stands between us and it.
#[derive(Serialize, ToSchema)]
#[schema(as = Provider)]
pub(crate) struct ProviderBody {
    #[schema(example = "open_meteo")]
    id: &'static str,
    /// The name for people.
    #[schema(example = "Open-Meteo")]
    name: &'static str,
    /// Its place in the chain; 1 is asked first.
    #[schema(example = 1)]
    rank: usize,
    /// How it comes by its values: `station`, `model` or `blend`.
    #[schema(example = "model")]
    source_kind: &'static str,
    attribution: AttributionBody,
    /// Older observations of it are stale, in seconds.
    #[schema(example = 5400)]
    stale_after_seconds: u64,
    /// When the last good answer came; `null` before the first since the start.
    #[schema(value_type = Option<String>, required, format = DateTime)]
    last_success_at: Option<String>,
    /// The last failed call; `null` before the first since the start.
    #[schema(required)]
    last_failure: Option<FailureBody>,
    breaker: BreakerBody,
    /// Why it is left alone at present; `null` when it is not.
    #[schema(required)]
    pause: Option<PauseBody>,
    /// Its allowances; empty when it has none.
    quota: Vec<QuotaBody>,
    calls: CallsBody,
}

/// A failed call.
#[derive(Serialize, ToSchema)]
#[schema(as = Failure)]
struct FailureBody {
    /// When it ended.
    #[schema(value_type = String, format = DateTime)]
    at: String,
    /// What it means: `auth`, `quota`, `rate_limited`, `not_covered`, `bad_request`, `transient`,
    /// `malformed`, `stale`.
    #[schema(example = "transient")]
    class: &'static str,
    /// The whole chain of causes in words.
    message: String,
}

/// The switch round a provider.
#[derive(Serialize, ToSchema)]
#[schema(as = Breaker)]
struct BreakerBody {
    /// `closed`, `open` or `half_open`.
    #[schema(example = "closed")]
    state: &'static str,
    /// When that state began.
    #[schema(value_type = String, format = DateTime)]
    since: String,
    /// When a probe may pass; `null` unless it is open by its own rules.
    #[schema(value_type = Option<String>, required, format = DateTime)]
    until: Option<String>,
    /// Whether the time is over and the next call will be a probe.
    probe_due: bool,
    /// Whether an operator holds it in its state.
    forced: bool,
    /// Failures since the last success.
    consecutive_failures: u32,
    /// Counted calls in the window of the failure rate.
    window_calls: u64,
    /// Failures among them.
    window_failures: u64,
    /// Probes under way.
    probes_in_flight: u32,
    /// The last failure that counted; `null` before the first.
    #[schema(required)]
    last_failure: Option<CountedFailureBody>,
}

/// A failure that the breaker counted.
#[derive(Serialize, ToSchema)]
#[schema(as = CountedFailure)]
struct CountedFailureBody {
    #[schema(value_type = String, format = DateTime)]
    at: String,
    /// What it was, in words.
    cause: String,
}

/// Why a provider is left alone.
#[derive(Serialize, ToSchema)]
#[schema(as = Pause)]
struct PauseBody {
    /// The class of the failure that caused it.
    #[schema(example = "auth")]
    class: &'static str,
    #[schema(value_type = String, format = DateTime)]
    since: String,
    #[schema(value_type = String, format = DateTime)]
    until: String,
    /// Why, in words.
    cause: String,
}

/// An allowance.
#[derive(Serialize, ToSchema)]
#[schema(as = Quota)]
struct QuotaBody {
    /// `day` or `month`, in UTC.
    #[schema(example = "day")]
    window: &'static str,
    /// Units used in it so far.
    used: u64,
    /// Units that may be used in it.
    limit: u64,
    /// When the next window begins.
    #[schema(value_type = String, format = DateTime)]
    resets_at: String,
}

/// What was done since the start.
#[derive(Serialize, ToSchema)]
#[schema(as = Calls)]
struct CallsBody {
    /// Calls that were begun.
    begun: u64,
    /// Attempts that succeeded.
    attempts_succeeded: u64,
    /// Attempts that failed, by class.
    #[schema(value_type = std::collections::BTreeMap<String, u64>)]
    attempts_failed: BTreeMap<&'static str, u64>,
    /// Attempts after the first of a call.
    retries: u64,
    /// Calls that were not made, by what refused them.
    #[schema(value_type = std::collections::BTreeMap<String, u64>)]
    refused: BTreeMap<&'static str, u64>,
    /// Attempts under way.
    in_flight: u32,
    /// Calls that wait for their turn.
    waiting: u32,
}

impl ProviderBody {
    pub(crate) fn of(source: &Source, rank: usize) -> Self {
        let profile = source.profile();
        let status = source.status();
        let attribution = profile.attribution;
        Self {
            id: profile.id.as_str(),
            name: profile.name,
            rank,
            source_kind: profile.source_kind.as_str(),
            attribution: AttributionBody { text: attribution.text, url: attribution.url },
            stale_after_seconds: source.stale_after.as_secs(),
            last_success_at: status.last_success_at.map(|at| at.to_string()),
            last_failure: status.last_failure.map(FailureBody::of),
            breaker: BreakerBody::of(source.stack.breaker().snapshot()),
            pause: source.stack.pause().map(PauseBody::of),
            quota: source.stack.quota().into_iter().map(QuotaBody::of).collect(),
            calls: CallsBody::of(&source.stack.stats()),
        }
    }
}

impl FailureBody {
    fn of(failure: LastFailure) -> Self {
        let LastFailure { at, class, message } = failure;
        Self { at: at.to_string(), class: class.as_str(), message }
    }
}

impl BreakerBody {
    fn of(snapshot: BreakerSnapshot) -> Self {
        let last_failure = snapshot
            .last_failure
            .map(|failure| CountedFailureBody { at: failure.at.to_string(), cause: failure.cause });
        Self {
            state: snapshot.state.as_str(),
            since: snapshot.since.to_string(),
            until: snapshot.until.map(|until| until.to_string()),
            probe_due: snapshot.probe_due,
            forced: snapshot.forced,
            consecutive_failures: snapshot.consecutive_failures,
            window_calls: snapshot.window_calls,
            window_failures: snapshot.window_failures,
            probes_in_flight: snapshot.probes_in_flight,
            last_failure,
        }
    }
}

impl PauseBody {
    fn of(pause: PauseState) -> Self {
        Self {
            class: pause.class.as_str(),
            since: pause.since.to_string(),
            until: pause.until.to_string(),
            cause: pause.cause,
        }
    }
}

impl QuotaBody {
    fn of(quota: QuotaState) -> Self {
        Self {
            window: quota.window.as_str(),
            used: quota.used,
            limit: quota.limit,
            resets_at: quota.resets_at.to_string(),
        }
    }
}

impl CallsBody {
    fn of(stats: &StackStats) -> Self {
        let failed = |class: &FailureClass| (class.as_str(), stats.failed(*class));
        Self {
            begun: stats.calls,
            attempts_succeeded: stats.attempts_succeeded,
            attempts_failed: FailureClass::ALL.iter().map(failed).collect(),
            retries: stats.retries,
            refused: refusals(stats).into(),
            in_flight: stats.in_flight,
            waiting: stats.waiting,
        }
    }
}

/// Returns how many calls were refused, by what refused them.
pub(crate) fn refusals(stats: &StackStats) -> [(&'static str, u64); 4] {
    [
        ("breaker", stats.refused_by_breaker),
        ("pause", stats.refused_by_pause),
        ("quota", stats.refused_by_quota),
        ("queue", stats.refused_by_queue),
    ]
}
