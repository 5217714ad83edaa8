//! Traces: the spans of polls and requests, sent to an OpenTelemetry collector when one is configured.
//!
//! Spans are written with `tracing` at level `TRACE` by the crates that do the work. Without a
//! collector nothing of this room runs, and such a span costs the look at a level. With one,
//! [`open`] gives the [`Traces`] that the log takes its layer from, and the [`Exporter`] that sends.
//! Whatever leaves passes through the redactor, like every line of the log.

mod config;
mod context;
mod counts;
mod export;
mod queue;
mod scrub;

use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{Sampler, SdkTracer, SdkTracerProvider, SpanLimits};
use prometheus_client::registry::Registry;
use tokio::sync::mpsc;
use tracing::{Level, Metadata, Subscriber};
use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, filter_fn};
use tracing_subscriber::registry::LookupSpan;

pub use config::{InvalidTraces, TracesConfig};
pub use context::{TRACEPARENT, adopt_caller, trace_id_of};
pub use export::Exporter;

pub(crate) use context::current_ids;
use counts::SpanCounts;
use queue::SpanQueue;

use crate::redaction::Redactor;

/// Most log lines that are kept with one span.
const EVENTS_PER_SPAN_MAX: u32 = 128;
/// Most attributes of one span, and of one log line kept with it.
const ATTRIBUTES_MAX: u32 = 32;

/// Where spans begin: what the log takes its layer from. Clones share everything.
#[derive(Clone, Debug)]
pub struct Traces {
    tracer: SdkTracer,
    counts: SpanCounts,
}

/// Puts up the traces that `config` asks for; `None` when it names no collector.
///
/// `version` is the version of the program. `redactor` must know every secret of the
/// configuration, the values of the headers included. With `pass_on`, calls to services of others
/// carry `traceparent` from now on, in the whole process.
///
/// # Errors
/// The configuration cannot be used.
pub fn open(
    config: &TracesConfig,
    version: &'static str,
    redactor: Redactor,
) -> Result<Option<(Traces, Exporter)>, InvalidTraces> {
    config.check()?;
    let Some(url) = config.traces_url() else { return Ok(None) };
    if config.pass_on {
        opentelemetry::global::set_text_map_propagator(TraceContextPropagator::new());
    }
    let (sender, receiver) = mpsc::channel(config.queue_max);
    let counts = SpanCounts::default();
    let provider = SdkTracerProvider::builder()
        .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(
            config.sample_ratio,
        ))))
        .with_resource(config.resource(version))
        .with_span_limits(limits())
        .with_span_processor(SpanQueue::new(sender, counts.clone()))
        .build();
    let exporter =
        Exporter::new(url, config, config.resource(version), redactor, receiver, counts.clone());
    Ok(Some((Traces { tracer: provider.tracer("pampero"), counts }, exporter)))
}

impl Traces {
    /// Registers `<area>_spans_total` by what became of the spans.
    pub fn register(&self, registry: &mut Registry) {
        self.counts.register(registry);
    }

    /// Returns the layer that turns spans of our own crates into traces, with the log lines in them.
    pub(crate) fn layer<S>(&self) -> impl Layer<S> + Send + Sync + use<S>
    where
        S: Subscriber + for<'s> LookupSpan<'s> + Send + Sync,
    {
        let filter = filter_fn(is_traced).with_max_level_hint(LevelFilter::TRACE);
        OpenTelemetryLayer::new(self.tracer.clone())
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false)
            .with_filter(filter)
    }
}

/// Spans of libraries are theirs to understand, and lines below `INFO` are many.
fn is_traced(metadata: &Metadata<'_>) -> bool {
    let is_ours = metadata.target().starts_with("pampero");
    is_ours && (metadata.is_span() || *metadata.level() <= Level::INFO)
}

/// Stated in full, so that no variable of the environment changes them.
fn limits() -> SpanLimits {
    SpanLimits {
        max_events_per_span: EVENTS_PER_SPAN_MAX,
        max_attributes_per_span: ATTRIBUTES_MAX,
        max_links_per_span: 0,
        max_attributes_per_event: ATTRIBUTES_MAX,
        max_attributes_per_link: 0,
    }
}
