//! `[polling]`: how often places are asked.

use std::time::Duration;

use pampero_loader::PollingPolicy;

use super::kind::{count, duration};
use super::reader::Section;
use super::server::as_usize;

pub(super) const DOC: &str = "How often the providers are asked.";

/// How often places are asked, and how many there may be.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PollingConfig {
    /// The rhythm; its seed is the default one, to be replaced by chance.
    pub(crate) policy: PollingPolicy,
    /// Most places, those of the configuration and of the API together.
    pub(crate) places_max: usize,
    /// Older observations are stale, whatever the provider; `None` leaves it to the providers.
    pub(crate) stale_after: Option<Duration>,
}

pub(super) fn read(section: &mut Section<'_>) -> PollingConfig {
    let default = PollingPolicy::default();
    let policy = PollingPolicy {
        interval: section.read(
            "interval",
            default.interval,
            &duration(Duration::from_millis(100)),
            "Time between two rounds; they fall just after the provider renews its values.",
        ),
        jitter: section.read(
            "jitter",
            default.jitter,
            &duration(Duration::ZERO),
            "A round starts up to this much later, by chance, so that installations spread.",
        ),
        recheck: section.read(
            "recheck",
            default.recheck,
            &duration(Duration::from_millis(100)),
            "First wait before better providers are tried again for a place on a fallback; it doubles up to the interval.",
        ),
        batches_max: as_usize(section.read(
            "batches_max",
            default.batches_max as u64,
            &count(1..=1024),
            "Most batches asked at the same time, over all providers.",
        )),
        seed: default.seed,
    };
    let places_max = section.read(
        "places_max",
        10_000,
        &count(1..=1_000_000),
        "Most places, those of this file and those added over the API together.",
    );
    let stale_after = section.read_optional(
        "stale_after",
        &duration(Duration::from_secs(1)),
        "Observations older than this are stale, whatever the provider; unset leaves it to each provider.",
    );
    PollingConfig { policy, places_max: as_usize(places_max), stale_after }
}
