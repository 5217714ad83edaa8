//! The API over a history of its own.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use pampero_metrics::http::{HttpOptions, router};
use pampero_metrics::{History, HistoryOptions};
use pampero_promql::WindowRule;
use pampero_resilience::{Clock, SystemClock};
use tempfile::TempDir;
use tower::ServiceExt;

use crate::samples::record;
use crate::wire;

/// A whole answer.
pub(crate) struct Response {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Response {
    /// Returns the body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Returns a header, empty when it is not there.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// The API over a history of its own, which is gone with it.
pub(crate) struct Served {
    pub(crate) router: Router,
    /// The time of the newest sample, a whole second.
    pub(crate) end_ms: i64,
    _folder: TempDir,
}

impl Served {
    /// Opens an empty history, with the windows of Prometheus 2.
    pub(crate) fn empty(options: HttpOptions) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut history = HistoryOptions { self_scrape: None, ..HistoryOptions::default() };
        history.query.window = WindowRule::LeftClosed;
        let history = History::open(folder.path(), history, Arc::new(SystemClock)).unwrap();
        let end_ms = SystemClock.now().as_millisecond() / 1000 * 1000;
        Self { router: router(history, options), end_ms, _folder: folder }
    }

    /// Serves a router whose history somebody else keeps.
    pub(crate) fn of(router: Router) -> Self {
        Self { router, end_ms: 0, _folder: tempfile::tempdir().unwrap() }
    }

    /// Opens a history and writes the samples into it as others would.
    pub(crate) async fn filled() -> Self {
        let served = Self::empty(HttpOptions::default());
        let answer = served.ask(served.write_request()).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.text());
        served
    }

    /// Returns the request that writes the samples.
    pub(crate) fn write_request(&self) -> Request<Vec<u8>> {
        Request::post("/api/v1/write")
            .header("content-encoding", "snappy")
            .header("content-type", "application/x-protobuf")
            .header("x-prometheus-remote-write-version", "0.1.0")
            .body(wire::write_request(&record(self.end_ms)))
            .unwrap()
    }

    /// Sends a request through the router, without a socket.
    pub(crate) async fn ask(&self, request: Request<Vec<u8>>) -> Response {
        let answer = self.router.clone().oneshot(request.map(Body::from)).await.unwrap();
        let (parts, body) = answer.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Response { status: parts.status, headers: parts.headers, body }
    }

    /// Sends a GET through the router.
    pub(crate) async fn get(&self, uri: &str) -> Response {
        self.ask(Request::get(uri).body(Vec::new()).unwrap()).await
    }
}
