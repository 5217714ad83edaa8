//! Sends spans to the collector, OTLP over HTTP in protobuf.
//!
//! One request at a time. While the collector is down the batch in hand is tried again, ever more
//! slowly, and the queue fills: nobody else waits.
//! Source: OpenTelemetry Protocol specification, OTLP/HTTP.

use std::time::Duration;

use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, StatusCode};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_proto::transform::trace::tonic::group_spans_by_resource_and_scope;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SpanData;
use prost::Message;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use url::Url;

use super::TracesConfig;
use super::counts::{Outcome, SpanCounts};
use super::scrub::scrub;
use crate::redaction::Redactor;

const PROTOBUF: &str = "application/x-protobuf";
/// The first wait before a batch is tried again; it doubles up to the longest.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// Largest answer of the collector that is read, in bytes.
const ANSWER_MAX: usize = 64 * 1024;

/// Sends the spans of the process; [`run`](Self::run) is the task that does it.
#[derive(Debug)]
pub struct Exporter {
    target: Target,
    batch_max: usize,
    interval: Duration,
    receiver: mpsc::Receiver<SpanData>,
    /// Spans that wait for others to be sent with.
    waiting: Vec<SpanData>,
    /// A request that is not answered yet.
    in_hand: Option<Batch>,
    counts: SpanCounts,
    condition: Condition,
}

/// Where requests go, and what they have in common.
#[derive(Debug)]
struct Target {
    url: Url,
    headers: HeaderMap,
    timeout: Duration,
    resource: ResourceAttributesWithSchema,
    redactor: Redactor,
}

/// A request ready to be sent.
#[derive(Clone, Debug)]
struct Batch {
    body: Vec<u8>,
    spans: u64,
}

/// How the collector has been, as it was told last.
#[derive(Debug, Eq, PartialEq)]
enum Condition {
    Well,
    /// With the spans that had been dropped when it began.
    Failing {
        dropped_before: u64,
    },
}

/// Why a request did not bring its spans to the collector.
#[derive(Debug, thiserror::Error)]
enum ExportError {
    #[error("the collector cannot be reached")]
    Unreachable(#[source] reqwest::Error),
    #[error("the collector answered {status}")]
    Busy { status: StatusCode, retry_after: Option<Duration> },
    #[error("the collector answered {0}")]
    Refused(StatusCode),
}

impl Exporter {
    pub(super) fn new(
        url: Url,
        config: &TracesConfig,
        resource: Resource,
        redactor: Redactor,
        receiver: mpsc::Receiver<SpanData>,
        counts: SpanCounts,
    ) -> Self {
        let target = Target {
            url,
            headers: config.header_map(),
            timeout: config.timeout,
            resource: (&resource).into(),
            redactor,
        };
        Self {
            target,
            batch_max: config.batch_max,
            interval: config.interval,
            receiver,
            waiting: Vec::new(),
            in_hand: None,
            counts,
            condition: Condition::Well,
        }
    }

    /// Sends spans with `http` until `cancel`, then the last ones, within the time of one request.
    ///
    /// To be cancelled when everything that makes spans has ended. `http` should not follow
    /// redirects to other sites, because the headers would go with them.
    pub async fn run(mut self, http: reqwest::Client, cancel: CancellationToken) {
        tokio::select! {
            biased;
            () = cancel.cancelled() => {}
            () = self.send_on(&http) => {}
        }
        self.send_last(&http).await;
    }

    /// Never returns while spans may still come. Whatever it holds is in `self`, so that it may be
    /// dropped at any point.
    async fn send_on(&mut self, http: &reqwest::Client) {
        while self.gather().await {
            self.put_in_hand();
            self.deliver(http).await;
        }
    }

    /// Waits until a batch is full or its first span has waited long enough; `false` at the end.
    async fn gather(&mut self) -> bool {
        if self.waiting.is_empty()
            && self.receiver.recv_many(&mut self.waiting, self.batch_max).await == 0
        {
            return false;
        }
        let leaves_at = Instant::now() + self.interval;
        while self.waiting.len() < self.batch_max {
            let room = self.batch_max - self.waiting.len();
            let more = timeout_at(leaves_at, self.receiver.recv_many(&mut self.waiting, room));
            if more.await.unwrap_or(0) == 0 {
                break;
            }
        }
        true
    }

    fn put_in_hand(&mut self) {
        if !self.waiting.is_empty() {
            self.in_hand = Some(self.target.pack(std::mem::take(&mut self.waiting)));
        }
    }

    /// Sends the batch in hand until the collector has taken or refused it.
    async fn deliver(&mut self, http: &reqwest::Client) {
        let mut wait = FIRST_WAIT;
        while let Some(asked) = self.attempt(http).await {
            tokio::time::sleep(wait.max(asked).min(LONGEST_WAIT)).await;
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }

    /// Sends the batch in hand once; returns the wait that was asked for when it should be sent again.
    async fn attempt(&mut self, http: &reqwest::Client) -> Option<Duration> {
        let batch = self.in_hand.as_ref()?;
        let spans = batch.spans;
        match self.target.post(http, batch).await {
            Ok(refused) => {
                self.counts.add(Outcome::Refused, refused.min(spans));
                self.counts.add(Outcome::Exported, spans.saturating_sub(refused));
                self.tell_well();
            }
            Err(error @ ExportError::Refused(_)) => {
                self.counts.add(Outcome::Refused, spans);
                self.tell_failing(&error);
            }
            Err(error) => {
                self.tell_failing(&error);
                return Some(error.retry_after());
            }
        }
        self.in_hand = None;
        None
    }

    /// Sends what is left, each batch once, and gives the rest up when one fails or time is over.
    async fn send_last(&mut self, http: &reqwest::Client) {
        self.receiver.close();
        let limit = self.target.timeout;
        // What is left then was counted or is counted below.
        let _ = timeout(limit, self.send_rest(http)).await;
        let in_hand = self.in_hand.as_ref().map_or(0, |batch| batch.spans);
        let left = in_hand + (self.waiting.len() + self.receiver.len()) as u64;
        if left > 0 {
            self.counts.add(Outcome::Dropped, left);
            tracing::warn!(spans = left, "the last spans did not reach the collector");
        }
    }

    async fn send_rest(&mut self, http: &reqwest::Client) {
        loop {
            if self.attempt(http).await.is_some() {
                return;
            }
            let room = self.batch_max.saturating_sub(self.waiting.len());
            if room > 0 {
                self.receiver.recv_many(&mut self.waiting, room).await;
            }
            self.put_in_hand();
            if self.in_hand.is_none() {
                return;
            }
        }
    }

    fn tell_failing(&mut self, error: &ExportError) {
        if self.condition == Condition::Well {
            self.condition =
                Condition::Failing { dropped_before: self.counts.get(Outcome::Dropped) };
            tracing::warn!(
                host = self.target.url.host_str(),
                error = error as &dyn std::error::Error,
                "traces cannot be exported"
            );
        }
    }

    fn tell_well(&mut self) {
        if let Condition::Failing { dropped_before } = self.condition {
            self.condition = Condition::Well;
            let dropped = self.counts.get(Outcome::Dropped) - dropped_before;
            tracing::info!(dropped, "traces are exported again");
        }
    }
}

impl Target {
    fn pack(&self, mut spans: Vec<SpanData>) -> Batch {
        let count = spans.len() as u64;
        spans.iter_mut().for_each(|span| scrub(span, &self.redactor));
        let resource_spans = group_spans_by_resource_and_scope(spans, &self.resource);
        let body = ExportTraceServiceRequest { resource_spans }.encode_to_vec();
        Batch { body, spans: count }
    }

    /// Sends a batch; returns how many of its spans the collector did not want.
    async fn post(&self, http: &reqwest::Client, batch: &Batch) -> Result<u64, ExportError> {
        let request = http
            .post(self.url.clone())
            .headers(self.headers.clone())
            .header(CONTENT_TYPE, PROTOBUF)
            .timeout(self.timeout)
            .body(batch.body.clone());
        let response = request.send().await.map_err(unreachable)?;
        let status = response.status();
        if status.is_success() {
            return Ok(refused_spans(response).await);
        }
        match status {
            StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT => {
                let retry_after = seconds_of(response.headers());
                Err(ExportError::Busy { status, retry_after })
            }
            _ => Err(ExportError::Refused(status)),
        }
    }
}

impl ExportError {
    fn retry_after(&self) -> Duration {
        match self {
            Self::Busy { retry_after, .. } => retry_after.unwrap_or_default(),
            Self::Unreachable(_) | Self::Refused(_) => Duration::ZERO,
        }
    }
}

/// Leaves the URL out, in which an operator may have put a token.
fn unreachable(error: reqwest::Error) -> ExportError {
    ExportError::Unreachable(error.without_url())
}

fn seconds_of(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// Reads from a good answer how many spans were refused all the same; none when it does not say.
async fn refused_spans(mut response: reqwest::Response) -> u64 {
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        if ANSWER_MAX < body.len() + chunk.len() {
            return 0;
        }
        body.extend_from_slice(&chunk);
    }
    let answer = ExportTraceServiceResponse::decode(body.as_slice()).unwrap_or_default();
    let refused = answer.partial_success.map_or(0, |partial| partial.rejected_spans);
    u64::try_from(refused).unwrap_or(0)
}
