//! `[logs]`: what of the program's own log is kept and can be searched, and what may be asked of it.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use pampero_index::IndexOptions;
use pampero_index::aggregation::AggregationLimits;
use pampero_index::search::SearchOptions;
use pampero_logs::rest::RestOptions;
use pampero_logs::shipping::ShippingConfig;
use pampero_telemetry::logging::documents::{DocumentConfig, FoldPolicy};

use super::kind::{address, boolean, count, duration, parsed, size};
use super::reader::Section;
use super::server::as_usize;

pub(super) const DOC: &str = "What Pampero logs, kept in an index that can be searched as an \
    OpenSearch is, under `/opensearch` and on a listener of its own.";

const SHORTEST: Duration = Duration::from_millis(10);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What of the log is kept, and what may be asked of it.
#[derive(Clone, Debug)]
pub(crate) struct LogsConfig {
    /// Whether there is an index at all.
    pub(crate) enabled: bool,
    /// Where the index listens besides `/opensearch`; `None` for nowhere.
    pub(crate) listener: Option<LogsListener>,
    /// Which events become documents.
    pub(crate) documents: DocumentConfig,
    /// How long daily indices are kept.
    pub(crate) retention: Duration,
    /// Most bytes of daily indices; beyond, the oldest go.
    pub(crate) size_max_bytes: u64,
    /// How indices are kept on disk.
    pub(crate) index: IndexOptions,
    /// What may be asked.
    pub(crate) rest: RestOptions,
    /// Longest time of one request, its body included.
    pub(crate) request_timeout: Duration,
    /// The cluster that gets the same documents; `None` for none.
    pub(crate) shipping: Option<ShippingConfig>,
    /// Whether documents go to that cluster only.
    pub(crate) ships_instead: bool,
}

/// A listener for OpenSearch's clients alone.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct LogsListener {
    /// Its address.
    pub(crate) address: SocketAddr,
    /// Whether it is another one than the default, which may be in use by a real OpenSearch: no reason
    /// not to start.
    pub(crate) is_chosen: bool,
}

/// Reads the section but for the cluster; `has_token` tells whether changes ask for a token.
pub(super) fn read(section: &mut Section<'_>, has_token: bool) -> LogsConfig {
    let enabled = section.read(
        "enabled",
        true,
        &boolean(),
        "Whether the log is kept and can be searched under `/opensearch`. The lines on standard \
         error do not depend on it.",
    );
    let listener = read_listener(section, has_token);
    let documents = read_documents(section);
    let retention =
        section.read("retention", 14 * DAY, &duration(DAY), "How long the index of a day is kept.");
    let size_max_bytes = section.read(
        "size_max",
        1 << 30,
        &size(16 << 20..=1 << 50),
        "Most space of the daily indices on disk; beyond, the oldest go first, today's never.",
    ) as u64;
    let index = read_index(section);
    let publish_address = listener.map(|listener| listener.address.to_string());
    let rest = read_rest(section, publish_address.unwrap_or_default());
    let request_timeout = section.read(
        "request_timeout",
        Duration::from_secs(120),
        &duration(SHORTEST),
        "Longest time of one request to the index, its body included.",
    );
    LogsConfig {
        enabled,
        listener,
        documents,
        retention,
        size_max_bytes,
        index,
        rest,
        request_timeout,
        shipping: None,
        ships_instead: false,
    }
}

fn read_listener(section: &mut Section<'_>, has_token: bool) -> Option<LogsListener> {
    let is_wanted = section.read(
        "listener",
        true,
        &boolean(),
        "Whether the index has a listener of its own, where OpenSearch's clients look for it.",
    );
    let default = SocketAddr::from((Ipv4Addr::LOCALHOST, 9200));
    let address = section.read(
        "listen",
        default,
        &address(),
        "Address of that listener. Where the default is in use, there is a warning and `/opensearch` \
         alone. Anything but the loopback asks for an admin token.",
    );
    if is_wanted && !address.ip().is_loopback() && !has_token {
        let what = "this address can be reached from other machines, so an admin token is needed; \
                    set the variable PAMPERO_ADMIN_TOKEN, or listen on 127.0.0.1";
        section.problem_at(section.origin_of("listen"), "listen", what);
    }
    is_wanted.then_some(LogsListener { address, is_chosen: address != default })
}

fn read_documents(section: &mut Section<'_>) -> DocumentConfig {
    let default = DocumentConfig::default();
    DocumentConfig {
        filter: section.read(
            "filter",
            default.filter,
            &parsed("log filter"),
            "Lowest level kept, also by part of the program, as in `info,pampero_loader=debug`.",
        ),
        queue_max: as_usize(section.read(
            "queue_max",
            default.queue_max as u64,
            &count(1..=10_000_000),
            "Most events that wait to be written; further ones are dropped and counted.",
        )),
        queue_bytes_max: section.read(
            "queue_bytes_max",
            default.queue_bytes_max,
            &size(64 << 10..=1 << 30),
            "Most memory of events that wait to be written.",
        ),
        folding: read_folding(section, default.folding),
    }
}

fn read_folding(section: &mut Section<'_>, default: FoldPolicy) -> FoldPolicy {
    FoldPolicy {
        repeats_max: count_u32(section.read(
            "fold_after",
            u64::from(default.repeats_max),
            &count(1..=1_000_000),
            "Repeats of one event within `fold_window` that are kept one by one; further ones become \
             a single document with their count.",
        )),
        window: section.read(
            "fold_window",
            default.window,
            &duration(SHORTEST),
            "How long repeats of an event are counted before they are told.",
        ),
        ..default
    }
}

fn count_u32(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn read_index(section: &mut Section<'_>) -> IndexOptions {
    let default = IndexOptions::default();
    IndexOptions {
        writer_bytes: section.read(
            "writer_memory",
            default.writer_bytes,
            &size(15_000_000..=1 << 30),
            "Memory in which documents of one index are gathered before they go to a segment.",
        ),
        writers_max: as_usize(section.read(
            "writers_max",
            default.writers_max as u64,
            &count(1..=64),
            "Most indices that are written to at once, each with memory of its own.",
        )),
        ..default
    }
}

fn read_rest(section: &mut Section<'_>, publish_address: String) -> RestOptions {
    let default = RestOptions::default();
    let limits = AggregationLimits::default();
    let mut number = |name: &'static str, default: usize, doc: &'static str| {
        as_usize(section.read(name, default as u64, &count(1..=1_000_000), doc))
    };
    let searches_max =
        number("searches_max", default.searches_max, "Most searches at once; others wait.");
    let writes_max = number(
        "writes_max",
        default.writes_max,
        "Most requests that write documents at once; others wait.",
    );
    let waiting_max = number(
        "waiting_max",
        default.waiting_max,
        "Most searches, and most writes, that wait for their turn; further ones are refused with 429.",
    );
    let scrolls_max =
        number("scrolls_max", default.scrolls_max, "Most scrolls and points in time open at once.");
    let buckets_max = number(
        "buckets_max",
        limits.buckets_max as usize,
        "Most buckets of one answer (`search.max_buckets`).",
    );
    RestOptions {
        body_bytes_max: section.read(
            "body_limit",
            default.body_bytes_max,
            &size(64 << 10..=1 << 30),
            "Largest body of a request, decompressed (`http.max_content_length`).",
        ),
        bodies_bytes_max: section.read(
            "bodies_memory",
            default.bodies_bytes_max,
            &size(1 << 20..=16 << 30),
            "Memory of all bodies at once; further requests are refused with 429.",
        ),
        searches_max,
        writes_max,
        waiting_max,
        scrolls_max,
        publish_address,
        search: SearchOptions {
            time_max: section.read(
                "search_timeout",
                default.search.time_max,
                &duration(SHORTEST),
                "Longest time of one search; what is found until then is given back, and says so.",
            ),
            aggregation_limits: AggregationLimits {
                buckets_max: count_u32(buckets_max as u64),
                bytes_max: section.read(
                    "aggregation_memory",
                    as_usize(limits.bytes_max),
                    &size(1 << 20..=16 << 30),
                    "Most memory for the aggregations of one search.",
                ) as u64,
            },
            ..default.search
        },
    }
}
