//! The measuring of one request, from its head until its answer or its end.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::{Method, Request};
use http_body::{Body as _, Frame, SizeHint};
use pampero_telemetry::metrics::http::{CLIENT_WENT_AWAY, InFlight, RouteMetrics};
use tokio::time::Instant;

use super::routes::RouteTable;

/// A request that is being answered; dropped without an answer, it counts as one whose client went
/// away.
pub(super) struct Measured<'a> {
    /// `None` when requests are not measured.
    counters: Option<(&'a RouteMetrics, InFlight)>,
    began: Instant,
    is_answered: bool,
}

impl<'a> Measured<'a> {
    /// Begins to measure; `template` is the index of the route, `None` when the path fits none.
    pub(super) fn begin(
        routes: Option<&'a RouteTable>,
        method: &Method,
        template: Option<usize>,
    ) -> Self {
        let counters =
            routes.map(|routes| (routes.counters(method, template), routes.metrics().enter()));
        Self { counters, began: Instant::now(), is_answered: false }
    }

    /// Counts the bytes of the body of a request as they are read.
    pub(super) fn watch_request<B>(&self, request: Request<B>) -> Request<Body>
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<axum::BoxError>,
    {
        let is_empty = request.body().size_hint().exact() == Some(0);
        match &self.counters {
            Some((counters, _)) if !is_empty => {
                let counters = RouteMetrics::clone(counters);
                request.map(|body| watched(Body::new(body), counters, RouteMetrics::receive))
            }
            _ => request.map(Body::new),
        }
    }

    /// Counts the answer, and its bytes as they are sent; returns how long it took to make.
    pub(super) fn end(mut self, response: &mut Response) -> Duration {
        self.is_answered = true;
        let elapsed = self.began.elapsed();
        let Some((counters, _)) = &self.counters else { return elapsed };
        counters.record(response.status().as_u16(), elapsed);
        match response.body().size_hint().exact() {
            Some(bytes) => counters.send(bytes),
            None => {
                let body = std::mem::take(response.body_mut());
                let counters = RouteMetrics::clone(counters);
                *response.body_mut() = watched(body, counters, RouteMetrics::send);
            }
        }
        elapsed
    }
}

impl Drop for Measured<'_> {
    fn drop(&mut self) {
        if let (false, Some((counters, _))) = (self.is_answered, &self.counters) {
            counters.record(CLIENT_WENT_AWAY, self.began.elapsed());
        }
    }
}

/// A body whose bytes are counted as they go through.
struct Watched {
    body: Body,
    counters: RouteMetrics,
    count: fn(&RouteMetrics, u64),
}

fn watched(body: Body, counters: RouteMetrics, count: fn(&RouteMetrics, u64)) -> Body {
    Body::new(Watched { body, counters, count })
}

impl http_body::Body for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        if let Some(Ok(frame)) = &frame
            && let Some(data) = frame.data_ref()
        {
            (self.count)(&self.counters, data.len() as u64);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
