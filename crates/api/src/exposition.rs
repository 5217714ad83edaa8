//! `/metrics`: what the process counts, and what is read from the parts when somebody asks.
//!
//! Nothing here asks the store or a provider: a scrape reads memory only. Each area has a file; the
//! names, units and meanings are listed in `docs/metrics.md`, which a test makes of this code.

mod loader;
mod providers;
mod store;
mod timeline;
mod weather;
mod writer;

use std::fmt;
use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, header};
use pampero_loader::{Averages, Board, PlaceBook, Poller, Sources, Timeline};
use pampero_resilience::Clock;
use pampero_store::Store;
use pampero_telemetry::metrics::{Exposition, Metrics};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;

use crate::parameters::{NoParameters, Query};
use crate::state::{ApiParts, ApiState};
use writer::Writer;

/// Returns every metric, in OpenMetrics for those that ask for it, else in Prometheus text.
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "about",
    responses((status = 200, description = "Every metric", content(
        (String = "text/plain"),
        (String = "application/openmetrics-text"),
    )))
)]
pub(crate) async fn get_metrics(
    State(state): State<ApiState>,
    _: Query<NoParameters>,
    headers: HeaderMap,
) -> Response {
    let exposition = Exposition::for_accept(accepted(&headers).as_deref());
    let described = [
        (header::CONTENT_TYPE, HeaderValue::from_static(exposition.content_type())),
        (header::VARY, HeaderValue::from_static("accept")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (described, state.metrics.encode(exposition)).into_response()
}

/// Returns what the client accepts; several headers say the same as one with commas.
fn accepted(headers: &HeaderMap) -> Option<String> {
    let values = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let joined = values.collect::<Vec<_>>().join(",");
    (!joined.is_empty()).then_some(joined)
}

/// Registers what is read from the parts of the program.
pub(crate) fn register(metrics: &mut Metrics, parts: &ApiParts) {
    let shown = Arc::new(Shown {
        places: Arc::clone(&parts.places),
        board: Arc::clone(&parts.board),
        averages: Arc::clone(&parts.averages),
        sources: parts.sources.clone(),
        poller: parts.poller.clone(),
        store: Arc::clone(&parts.store),
        timeline: parts.timeline.clone(),
        clock: Arc::clone(&parts.clock),
    });
    let areas: [(&str, Write); 5] = [
        ("weather", weather::write),
        ("provider", providers::write),
        ("loader", loader::write),
        ("store", store::write),
        ("timeline", timeline::write),
    ];
    for (area, write) in areas {
        let collector = AreaCollector { shown: Arc::clone(&shown), write };
        metrics.area(area).register_collector(Box::new(collector));
    }
}

/// The parts that are looked at when somebody asks.
struct Shown {
    places: Arc<PlaceBook>,
    board: Arc<Board>,
    averages: Arc<Averages>,
    sources: Sources,
    poller: Option<Arc<Poller>>,
    store: Arc<dyn Store>,
    timeline: Timeline,
    clock: Arc<dyn Clock>,
}

/// Writes the metrics of one area.
type Write = fn(&Shown, &mut Writer<'_, '_>) -> fmt::Result;

struct AreaCollector {
    shown: Arc<Shown>,
    write: Write,
}

impl Collector for AreaCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        (self.write)(&self.shown, &mut Writer::new(&mut encoder))
    }
}

impl fmt::Debug for AreaCollector {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("AreaCollector").finish_non_exhaustive()
    }
}
