//! `/metrics`: what the process counts, and what is read from the parts when somebody asks.

mod events;
mod places;
mod providers;

use std::fmt;
use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, header};
use pampero_loader::{Board, PlaceBook, Sources, Timeline};
use pampero_resilience::Clock;
use pampero_telemetry::metrics::{Exposition, Metrics};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;

use crate::parameters::{NoParameters, Query};
use crate::state::{ApiParts, ApiState};

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
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    let exposition = Exposition::for_accept(accept);
    let content_type = HeaderValue::from_static(exposition.content_type());
    ([(header::CONTENT_TYPE, content_type)], state.metrics.encode(exposition)).into_response()
}

/// Registers what is read from the parts of the program.
pub(crate) fn register(metrics: &mut Metrics, parts: &ApiParts) {
    let shown = Arc::new(Shown {
        places: Arc::clone(&parts.places),
        board: Arc::clone(&parts.board),
        sources: parts.sources.clone(),
        timeline: parts.timeline.clone(),
        clock: Arc::clone(&parts.clock),
    });
    let areas: [(&str, Write); 3] =
        [("provider", providers::write), ("place", places::write), ("event", events::write)];
    for (area, write) in areas {
        let collector = AreaCollector { shown: Arc::clone(&shown), write };
        metrics.area(area).register_collector(Box::new(collector));
    }
}

/// The parts that are looked at when somebody asks.
struct Shown {
    places: Arc<PlaceBook>,
    board: Arc<Board>,
    sources: Sources,
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
        (self.write)(&self.shown, &mut Writer(&mut encoder))
    }
}

impl fmt::Debug for AreaCollector {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("AreaCollector").finish_non_exhaustive()
    }
}

/// Writes one metric with all its series.
struct Writer<'a, 'b>(&'a mut DescriptorEncoder<'b>);

/// The labels of a series; an empty list for a metric that has only one.
type Labels = Vec<(&'static str, String)>;

impl Writer<'_, '_> {
    /// Writes a counter; `_total` is put behind its name.
    fn counter(
        &mut self,
        name: &str,
        help: &str,
        series: impl IntoIterator<Item = (Labels, u64)>,
    ) -> fmt::Result {
        let mut encoder = self.0.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (labels, value) in series {
            let counter = ConstCounter::new(value);
            if labels.is_empty() {
                return counter.encode(encoder);
            }
            counter.encode(encoder.encode_family(&labels)?)?;
        }
        Ok(())
    }

    /// Writes a gauge; its unit is put behind its name.
    fn gauge(
        &mut self,
        name: &str,
        help: &str,
        unit: Option<&Unit>,
        series: impl IntoIterator<Item = (Labels, f64)>,
    ) -> fmt::Result {
        let mut encoder = self.0.encode_descriptor(name, help, unit, MetricType::Gauge)?;
        for (labels, value) in series {
            let gauge = ConstGauge::new(value);
            if labels.is_empty() {
                return gauge.encode(encoder);
            }
            gauge.encode(encoder.encode_family(&labels)?)?;
        }
        Ok(())
    }
}
