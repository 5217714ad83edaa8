//! The bounded queue between those who do the work and the one who sends.

use std::time::Duration;

use opentelemetry::Context;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};
use tokio::sync::mpsc;

use super::counts::{Outcome, SpanCounts};

/// Takes ended spans without ever waiting: what finds the queue full is dropped and counted.
#[derive(Debug)]
pub(super) struct SpanQueue {
    sender: mpsc::Sender<SpanData>,
    counts: SpanCounts,
}

impl SpanQueue {
    pub(super) fn new(sender: mpsc::Sender<SpanData>, counts: SpanCounts) -> Self {
        Self { sender, counts }
    }
}

impl SpanProcessor for SpanQueue {
    fn on_start(&self, _span: &mut Span, _context: &Context) {}

    fn on_end(&self, span: SpanData) {
        if span.span_context.is_sampled() && self.sender.try_send(span).is_err() {
            self.counts.add(Outcome::Dropped, 1);
        }
    }

    /// Sending is the exporter's, which ends when it is told to.
    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        Ok(())
    }
}
