//! What is counted.

use std::collections::BTreeMap;

use crate::book::AlertCounts;
use crate::observation::Outcome;
use crate::outbox::Waiting;

/// Most channels that are counted by themselves; further ones are counted together as `other`.
const CHANNELS_MAX: usize = 500;

/// What is counted since the start, and what is there now.
#[derive(Clone, Debug, Default)]
pub struct AlertStatistics {
    /// The alerts that there are.
    pub alerts: AlertCounts,
    /// Evaluations with an outcome.
    pub evaluations: u64,
    /// Evaluations that found no data.
    pub evaluations_without_data: u64,
    /// Evaluations that failed.
    pub evaluations_failed: u64,
    /// Messages that the throttle held back.
    pub throttled: u64,
    /// Messages that were put together with others.
    pub folded: u64,
    /// Times that the disk could not be written.
    pub store_failures: u64,
    /// Whether everything is on disk.
    pub is_kept: bool,
    /// Messages by their channels.
    pub channels: BTreeMap<String, ChannelStatistics>,
    /// What waits, by channel.
    pub waiting: Vec<Waiting>,
}

/// What is counted of one channel.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct ChannelStatistics {
    /// Messages that arrived.
    pub delivered: u64,
    /// Calls that failed.
    pub failed: u64,
    /// Messages that were given up.
    pub dead: u64,
}

impl AlertStatistics {
    pub(super) fn count(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Known(_) => self.evaluations += 1,
            Outcome::NoData => self.evaluations_without_data += 1,
            Outcome::Failed(_) => self.evaluations_failed += 1,
        }
    }

    pub(super) fn channel(&mut self, channel: &str) -> &mut ChannelStatistics {
        let is_own = self.channels.len() < CHANNELS_MAX || self.channels.contains_key(channel);
        let name = if is_own { channel } else { "other" };
        self.channels.entry(name.to_owned()).or_default()
    }
}
