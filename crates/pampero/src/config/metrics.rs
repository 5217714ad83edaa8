//! `[metrics]`: how metrics are collected, kept and asked for.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use pampero_metrics::http::HttpOptions;
use pampero_metrics::{HistoryOptions, SelfScrape};
use pampero_promql::WindowRule;
use pampero_samples::Synchronous;

use super::kind::{Kind, boolean, count, duration, list, one_of, path, quoted, size, text_of};
use super::reader::Section;
use super::server::as_usize;
use super::tree::Node;

pub(super) const DOC: &str = "How metrics are collected and kept, and how much may be asked of \
    them. The history is asked under `/prometheus`, as a Prometheus is.";

/// How metrics are collected, kept and asked for.
#[derive(Clone, Debug)]
pub(crate) struct MetricsConfig {
    /// Whether there is a history at all; `/metrics` does not depend on it.
    pub(crate) enabled: bool,
    /// What is collected and kept.
    pub(crate) history: HistoryOptions,
    /// What may be asked.
    pub(crate) http: HttpOptions,
    /// Whether the rules that come with the program are evaluated.
    pub(crate) shipped_rules: bool,
    /// Files of rules, or folders of them.
    pub(crate) rules: Vec<PathBuf>,
}

/// Reads the section but for its targets; `listen` is where the API listens.
pub(super) fn read(section: &mut Section<'_>, listen: SocketAddr) -> MetricsConfig {
    let enabled = section.read(
        "enabled",
        true,
        &boolean(),
        "Whether metrics are kept and can be asked for under `/prometheus`. `/metrics` is there in \
         any case.",
    );
    let mut history = HistoryOptions {
        self_scrape: Some(read_self_scrape(section, listen)),
        ..HistoryOptions::default()
    };
    read_samples(section, &mut history);
    read_query(section, &mut history.query);
    history.evaluation_interval = section.read(
        "evaluation_interval",
        history.evaluation_interval,
        &duration(SHORTEST),
        "From one evaluation of a group of rules to the next, and from one step of a subquery to \
         the next, where neither says.",
    );
    history.query.evaluation_interval = history.evaluation_interval;
    let shipped_rules = section.read(
        "shipped_rules",
        true,
        &boolean(),
        "Whether the recording rules that come with Pampero are evaluated; its dashboards use them.",
    );
    let rules = section.read(
        "rules",
        Vec::new(),
        &list(path()),
        "Files of rules in Prometheus's format, or folders whose `.yml` and `.yaml` files are read.",
    );
    let http = read_http(section);
    MetricsConfig { enabled, history, http, shipped_rules, rules }
}

const SHORTEST: Duration = Duration::from_secs(1);

fn read_self_scrape(section: &mut Section<'_>, listen: SocketAddr) -> SelfScrape {
    let default = SelfScrape::default();
    SelfScrape {
        interval: section.read(
            "scrape_interval",
            default.interval,
            &duration(SHORTEST),
            "From one look at Pampero's own metrics to the next.",
        ),
        job: section.read("job", default.job, &word(), "Label `job` of Pampero's own metrics."),
        instance: section
            .read_optional(
                "instance",
                &word(),
                "Label `instance` of Pampero's own metrics; the address of the listener if unset.",
            )
            .unwrap_or_else(|| listen.to_string()),
        sample_limit: default.sample_limit,
    }
}

fn read_samples(section: &mut Section<'_>, history: &mut HistoryOptions) {
    let samples = &mut history.samples;
    samples.retention = section.read(
        "retention",
        samples.retention,
        &duration(Duration::from_secs(60 * 60)),
        "How long samples are kept.",
    );
    samples.size_max_bytes = section.read(
        "size_max",
        as_usize(samples.size_max_bytes),
        &size(16 << 20..=1 << 50),
        "Most space on disk; beyond, the oldest samples go first.",
    ) as u64;
    samples.series_max = as_usize(section.read(
        "series_max",
        samples.series_max as u64,
        &count(1_000..=10_000_000),
        "Most series that are known at once; further ones are refused.",
    ));
    samples.late_window = section.read(
        "late_window",
        samples.late_window,
        &duration(Duration::ZERO),
        "How much older than the newest one a sample may be when it arrives.",
    );
    samples.future_window = section.read(
        "future_window",
        samples.future_window,
        &duration(Duration::ZERO),
        "How far ahead of the clock a sample may be.",
    );
    let is_durable = section.read(
        "durable",
        samples.synchronous == Synchronous::Full,
        &boolean(),
        "Whether samples are on the disk itself before they count as kept. Without it, the last \
         seconds are lost when the power fails, and nothing when the process is killed.",
    );
    samples.synchronous = if is_durable { Synchronous::Full } else { Synchronous::Normal };
}

fn read_query(section: &mut Section<'_>, query: &mut pampero_promql::Options) {
    query.window = section.read(
        "window",
        query.window,
        &one_of([("prometheus3", WindowRule::LeftOpen), ("prometheus2", WindowRule::LeftClosed)]),
        "Whether a sample right at the beginning of a range counts: not since Prometheus 3, it did \
         in Prometheus 2.",
    );
    query.lookback = section.read(
        "lookback",
        query.lookback,
        &duration(SHORTEST),
        "How far back a query looks for the value of a series.",
    );
    let limits = &mut query.limits;
    let counts: [(&'static str, &mut usize, &'static str); 3] = [
        ("query_points_max", &mut limits.points_max, "Most points of each series in an answer."),
        ("query_series_max", &mut limits.series_max, "Most series that one query may read."),
        ("query_samples_max", &mut limits.samples_max, "Most samples that one query may read."),
    ];
    for (name, limit, doc) in counts {
        *limit = as_usize(section.read(name, *limit as u64, &count(100..=10_000_000_000), doc));
    }
}

fn read_http(section: &mut Section<'_>) -> HttpOptions {
    let default = HttpOptions::default();
    HttpOptions {
        queries_max: as_usize(section.read(
            "queries_max",
            default.queries_max as u64,
            &count(1..=1_000),
            "Most queries that are evaluated at once, each on a thread of its own.",
        )),
        queries_waiting_max: as_usize(section.read(
            "queries_waiting_max",
            default.queries_waiting_max as u64,
            &count(0..=100_000),
            "Most queries that wait for their turn; further ones are refused.",
        )),
        query_timeout: section.read(
            "query_timeout",
            default.query_timeout,
            &duration(Duration::from_millis(10)),
            "Longest time for one query, its wait included.",
        ),
        ..default
    }
}

/// A text that can be the value of a label.
pub(super) fn word() -> Kind<String> {
    let read = |node: &Node| match text_of(node).map(str::trim) {
        Some(text) if !text.is_empty() => Ok(text.to_owned()),
        _ => Err("write a text that is not empty, in quotation marks".to_owned()),
    };
    Kind::new("text", read, |text: &String| quoted(text))
}
