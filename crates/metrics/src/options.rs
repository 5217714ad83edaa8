//! What the operator of the history may choose.

use std::time::Duration;

use pampero_samples::SampleOptions;

use crate::rules::RuleGroup;
use crate::scrape::target::ScrapeTarget;

/// How metrics are collected, kept and asked for.
#[derive(Clone, Debug)]
pub struct HistoryOptions {
    /// How much and how long is kept.
    pub samples: SampleOptions,
    /// How queries are evaluated, and within which bounds.
    pub query: pampero_promql::Options,
    /// How the program scrapes itself; `None` when it does not.
    pub self_scrape: Option<SelfScrape>,
    /// What is scraped over HTTP.
    pub targets: Vec<ScrapeTarget>,
    /// Rules that are evaluated, in groups.
    pub rule_groups: Vec<RuleGroup>,
    /// From one evaluation to the next, for groups of rules that do not say.
    pub evaluation_interval: Duration,
    /// Most scrapes that go on at once; further ones wait.
    pub scrapes_max: usize,
    /// Most groups of rules that are evaluated at once; further ones wait.
    pub rule_groups_max: usize,
    /// Most metrics of one target whose type and help are kept.
    pub metadata_max: usize,
    /// What a remote-write request may hold.
    pub remote_write: RemoteWriteLimits,
}

impl Default for HistoryOptions {
    fn default() -> Self {
        Self {
            samples: SampleOptions::default(),
            query: pampero_promql::Options::default(),
            self_scrape: Some(SelfScrape::default()),
            targets: Vec::new(),
            rule_groups: Vec::new(),
            evaluation_interval: Duration::from_secs(15),
            scrapes_max: 16,
            rule_groups_max: 4,
            metadata_max: 10_000,
            remote_write: RemoteWriteLimits::default(),
        }
    }
}

/// How the program scrapes itself, without a detour over HTTP.
#[derive(Clone, Debug)]
pub struct SelfScrape {
    /// From one scrape to the next.
    pub interval: Duration,
    /// The label `job`.
    pub job: String,
    /// The label `instance`.
    pub instance: String,
    /// Most samples of one scrape; beyond, nothing of it is kept.
    pub sample_limit: usize,
}

impl Default for SelfScrape {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(15),
            job: "pampero".to_owned(),
            instance: "localhost:8000".to_owned(),
            sample_limit: 50_000,
        }
    }
}

/// What a remote-write request may hold.
#[derive(Clone, Copy, Debug)]
pub struct RemoteWriteLimits {
    /// Most bytes as they come over the wire.
    pub body_bytes_max: usize,
    /// Most bytes once they are decompressed.
    pub decoded_bytes_max: usize,
    /// Most bytes of one series with its samples.
    pub series_bytes_max: usize,
    /// Most labels of one series.
    pub labels_max: usize,
    /// Most bytes of the name of a label.
    pub label_name_bytes_max: usize,
    /// Most bytes of the value of a label.
    pub label_value_bytes_max: usize,
}

impl Default for RemoteWriteLimits {
    fn default() -> Self {
        Self {
            body_bytes_max: 4 << 20,
            decoded_bytes_max: 32 << 20,
            series_bytes_max: 1 << 20,
            labels_max: 64,
            label_name_bytes_max: 512,
            label_value_bytes_max: 4096,
        }
    }
}
