//! How alerts are kept and told.

use std::time::Duration;

use jiff::tz::TimeZone;

/// How alerts are kept and told.
#[derive(Clone, Debug)]
pub struct AlertingOptions {
    /// The zone in which messages show times.
    pub zone: TimeZone,
    /// The address of the program, for links in messages; `None` for none.
    pub page: Option<String>,
    /// How long the history and alerts that are over are kept.
    pub history_for: Duration,
    /// Most entries of the history.
    pub history_max: usize,
    /// Most alerts that are over.
    pub finished_max: usize,
    /// Most alerts of one source at the same time.
    pub keys_max: usize,
    /// Most bytes of a query's answer in the history; a longer one is reduced.
    pub answer_bytes_max: usize,
    /// Most messages that wait for one channel; further ones are folded.
    pub messages_max: usize,
    /// Messages that are older when their turn comes are folded.
    pub fold_after: Duration,
    /// Messages that are older become dead letters.
    pub give_up_after: Duration,
    /// Most dead letters.
    pub dead_max: usize,
    /// How long messages that arrived are kept.
    pub delivered_for: Duration,
    /// Most messages that arrived.
    pub delivered_max: usize,
    /// Longest time of one try of a delivery.
    pub attempt_timeout: Duration,
    /// How often it is looked whether time alone makes something due.
    pub tick: Duration,
    /// How often a forgetful receiver, as an Alertmanager, is told what goes on.
    pub repeat_every: Duration,
    /// How long messages that are being sent may take when the program ends.
    pub grace: Duration,
    /// Decides the jitter of waits.
    pub seed: u64,
}

impl Default for AlertingOptions {
    fn default() -> Self {
        const HOUR: Duration = Duration::from_secs(3_600);
        Self {
            zone: TimeZone::UTC,
            page: None,
            history_for: HOUR * 24 * 60,
            history_max: 100_000,
            finished_max: 10_000,
            keys_max: 50_000,
            answer_bytes_max: 64 * 1024,
            messages_max: 1_000,
            fold_after: Duration::from_secs(600),
            give_up_after: HOUR * 24,
            dead_max: 1_000,
            delivered_for: HOUR * 24 * 7,
            delivered_max: 10_000,
            attempt_timeout: Duration::from_secs(15),
            tick: Duration::from_secs(5),
            repeat_every: Duration::from_secs(60),
            grace: Duration::from_secs(5),
            seed: 0,
        }
    }
}
