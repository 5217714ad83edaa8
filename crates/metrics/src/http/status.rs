//! What the program says of itself.

use std::thread;

use axum::extract::State;
use axum::response::Response;
use axum::response::{Html, IntoResponse};
use http::StatusCode;
use pampero_promql::Cancel;
use serde::Serialize;

use super::answer::{Accepts, Success, plain};
use super::failure::Failure;
use super::form::Form;
use super::state::ApiState;
use super::targets::{InOrder, written_duration, written_time};

/// The version of Prometheus whose API this is; clients such as Grafana choose by it what they ask
/// for. What follows the plus sign says who it really is.
const VERSION: &str = concat!("2.42.0+pampero.", env!("CARGO_PKG_VERSION"));

/// The entries of each list of the store's statistics, unless told otherwise.
const LISTED: usize = 10;

const START: &str = "<!doctype html>
<html lang=\"en\">
<title>Pampero: Prometheus HTTP API</title>
<h1>Prometheus HTTP API</h1>
<p>The history of Pampero's metrics, in the language of Prometheus. Give the address of this page to
Grafana as a Prometheus data source, or to <code>promtool query instant</code>.</p>
<ul>
<li><a href=\"api/v1/query?query=up\">api/v1/query</a>: one value per series</li>
<li><a href=\"api/v1/labels\">api/v1/labels</a>: the names of labels</li>
<li><a href=\"api/v1/metadata\">api/v1/metadata</a>: what the metrics mean</li>
<li><a href=\"api/v1/targets\">api/v1/targets</a>: where they come from</li>
<li><a href=\"api/v1/rules\">api/v1/rules</a>: recording and alerting rules</li>
<li><a href=\"federate?match%5B%5D=up\">federate</a>: the newest samples in the text format</li>
</ul>
</html>
";

/// Says what is there.
pub(super) async fn get_start() -> Response {
    Html(START).into_response()
}

/// Says that the API answers.
pub(super) async fn get_healthy() -> Response {
    plain(StatusCode::OK, "Pampero's history is healthy.")
}

/// Says that the history is open, without which there would be no API.
pub(super) async fn get_ready() -> Response {
    plain(StatusCode::OK, "Pampero's history is ready.")
}

/// Returns the version.
pub(super) async fn get_build(State(state): State<ApiState>, accepts: Accepts) -> Response {
    let build = [
        ("version", VERSION),
        ("revision", ""),
        ("branch", ""),
        ("buildUser", ""),
        ("buildDate", ""),
        ("goVersion", ""),
    ];
    state.answer(accepts, Ok(Success::of(&InOrder(build.into()))))
}

/// Returns the part of the configuration that Prometheus has a word for; no credentials are in it.
pub(super) async fn get_config(State(state): State<ApiState>, accepts: Accepts) -> Response {
    #[derive(Serialize)]
    struct Body {
        yaml: String,
    }
    let options = state.history.options();
    let scrape =
        options.self_scrape.as_ref().map_or(options.evaluation_interval, |own| own.interval);
    let yaml = format!(
        "global:\n  scrape_interval: {}\n  evaluation_interval: {}\n",
        written_duration(scrape),
        written_duration(options.evaluation_interval),
    );
    state.answer(accepts, Ok(Success::of(&Body { yaml })))
}

/// Returns the settings that Prometheus has a flag for.
pub(super) async fn get_flags(State(state): State<ApiState>, accepts: Accepts) -> Response {
    let engine = state.history.engine().options();
    let samples = &state.history.options().samples;
    let flags = [
        ("query.lookback-delta", written_duration(engine.lookback)),
        ("query.max-concurrency", state.options.queries_max.to_string()),
        ("query.max-samples", engine.limits.held_max.to_string()),
        ("query.timeout", written_duration(state.options.query_timeout)),
        ("storage.tsdb.min-block-duration", written_duration(samples.block)),
        ("storage.tsdb.retention.size", format!("{}B", samples.size_max_bytes)),
        ("storage.tsdb.retention.time", written_duration(samples.retention)),
        ("web.enable-admin-api", false.to_string()),
        ("web.enable-remote-write-receiver", true.to_string()),
    ];
    state.answer(accepts, Ok(Success::of(&InOrder(flags.into()))))
}

#[derive(Serialize)]
struct RuntimeBody {
    #[serde(rename = "startTime")]
    start_time: String,
    /// Empty: where the program runs is nobody's business.
    #[serde(rename = "CWD")]
    folder: &'static str,
    #[serde(rename = "reloadConfigSuccess")]
    is_configured: bool,
    #[serde(rename = "lastConfigTime")]
    configured: String,
    #[serde(rename = "corruptionCount")]
    corruptions: u64,
    /// Zero: there are none.
    #[serde(rename = "goroutineCount")]
    goroutines: u64,
    #[serde(rename = "GOMAXPROCS")]
    processors: usize,
    #[serde(rename = "GOGC")]
    collector: &'static str,
    #[serde(rename = "GODEBUG")]
    debug: &'static str,
    #[serde(rename = "storageRetention")]
    retention: String,
}

/// Returns how the program runs.
pub(super) async fn get_runtime(State(state): State<ApiState>, accepts: Accepts) -> Response {
    let samples = &state.history.options().samples;
    let age = written_duration(samples.retention);
    let started = written_time(Some(state.started_ms));
    let body = RuntimeBody {
        start_time: started.clone(),
        folder: "",
        is_configured: true,
        configured: started,
        corruptions: 0,
        goroutines: 0,
        processors: thread::available_parallelism().map_or(1, usize::from),
        collector: "",
        debug: "",
        retention: format!("{age} or {}B", samples.size_max_bytes),
    };
    state.answer(accepts, Ok(Success::of(&body)))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StoreBody {
    head_stats: HeadBody,
    series_count_by_metric_name: Vec<CountBody>,
    label_value_count_by_label_name: Vec<CountBody>,
    memory_in_bytes_by_label_name: Vec<CountBody>,
    series_count_by_label_value_pair: Vec<CountBody>,
}

/// Times are in milliseconds since the Unix epoch, `0` without samples.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct HeadBody {
    num_series: usize,
    num_label_pairs: u64,
    chunk_count: usize,
    min_time: i64,
    max_time: i64,
}

#[derive(Serialize)]
struct CountBody {
    name: String,
    value: u64,
}

/// Returns how much is kept, and which metrics and labels have most series.
pub(super) async fn get_store(
    State(state): State<ApiState>,
    accepts: Accepts,
    form: Form,
) -> Response {
    match store_limit(&form) {
        Ok(limit) => {
            let work =
                move |state: &ApiState, _: &Cancel| Ok(Success::of(&store_body(state, limit)));
            state.answer_later(accepts, state.options.query_timeout, work).await
        }
        Err(failure) => state.answer(accepts, Err(failure)),
    }
}

fn store_limit(form: &Form) -> Result<usize, Failure> {
    let wrong = || Failure::bad_data("limit must be a positive number");
    match form.first("limit") {
        "" => Ok(LISTED),
        text => text.parse().ok().filter(|limit| 0 < *limit).ok_or_else(wrong),
    }
}

fn store_body(state: &ApiState, limit: usize) -> StoreBody {
    let statistics = state.history.store().statistics();
    let cardinality = state.history.store().cardinality(limit.min(state.options.listed_max));
    let counts = |counts: Vec<(String, u64)>| {
        counts.into_iter().map(|(name, value)| CountBody { name, value }).collect()
    };
    StoreBody {
        head_stats: HeadBody {
            num_series: statistics.series,
            num_label_pairs: cardinality.label_pairs,
            chunk_count: statistics.blocks,
            min_time: statistics.earliest_ms.unwrap_or_default(),
            max_time: statistics.latest_ms.unwrap_or_default(),
        },
        series_count_by_metric_name: counts(cardinality.series_by_metric),
        label_value_count_by_label_name: counts(cardinality.values_by_label),
        memory_in_bytes_by_label_name: counts(cardinality.bytes_by_label),
        series_count_by_label_value_pair: counts(cardinality.series_by_pair),
    }
}

/// Says that nothing is left to be replayed, since the history is open.
pub(super) async fn get_replay(State(state): State<ApiState>, accepts: Accepts) -> Response {
    let body = InOrder(vec![("min", 0), ("max", 0), ("current", 0)]);
    state.answer(accepts, Ok(Success::of(&body)))
}
