//! A server in a temporary folder, and requests to it.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt;
use jiff::Timestamp;
use pampero_index::{Cluster, IndexOptions};
use pampero_logs::rest::{RestOptions, RestState, router};
use pampero_resilience::VirtualClock;
use serde_json::Value;
use tempfile::TempDir;
use tower::ServiceExt;

/// A server and the folder it keeps its indices in.
pub(crate) struct Server {
    pub(crate) state: RestState,
    pub(crate) router: Router,
    pub(crate) _folder: TempDir,
}

/// What came back.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Server {
    /// Starts one at noon of a day in May.
    pub(crate) fn start() -> Self {
        Self::with(RestOptions::default())
    }

    /// Starts one with other options.
    pub(crate) fn with(options: RestOptions) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let cluster = Cluster::open(folder.path(), IndexOptions::default()).unwrap();
        let noon: Timestamp = "2026-05-18T12:00:00Z".parse().unwrap();
        let clock = Arc::new(VirtualClock::starting_at(noon));
        let state = RestState::new(Arc::new(cluster), clock, options);
        let router = router(state.clone());
        Self { state, router, _folder: folder }
    }

    /// Sends a request without a body.
    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send(Method::GET, path, "").await
    }

    /// Sends a request, with a JSON body unless it is empty.
    pub(crate) async fn send(&self, method: Method, path: &str, body: &str) -> Reply {
        let request = Request::builder().method(method).uri(path);
        let request = match body {
            "" => request.body(Body::empty()),
            body => {
                request.header("content-type", "application/json").body(Body::from(body.to_owned()))
            }
        };
        self.request(request.unwrap()).await
    }

    /// Sends a call as it stands in the docs, `METHOD path`, with a JSON body unless it is empty.
    pub(crate) async fn call(&self, call: &str, body: &str) -> Reply {
        let (method, path) = call.split_once(' ').unwrap();
        self.send(method.parse().unwrap(), path, body).await
    }

    /// Sends any request.
    pub(crate) async fn request(&self, request: Request<Body>) -> Reply {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Reply { status: parts.status, headers: parts.headers, body }
    }
}

impl Reply {
    /// Reads the body.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| panic!("no JSON: {}", String::from_utf8_lossy(&self.body)))
    }

    /// Returns the part of the body at a JSON pointer, `null` when there is none.
    #[track_caller]
    pub(crate) fn at(&self, pointer: &str) -> Value {
        self.json().pointer(pointer).cloned().unwrap_or(Value::Null)
    }

    /// Returns a header as text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Checks status, type and reason of a refusal.
    #[track_caller]
    pub(crate) fn assert_refused(&self, status: u16, kind: &str, reason: &str) {
        assert_eq!(
            (self.status.as_u16(), self.at("/error/type"), self.at("/error/reason")),
            (status, kind.into(), reason.into()),
            "{}",
            String::from_utf8_lossy(&self.body)
        );
        assert_eq!(self.at("/status"), status);
        assert_eq!(self.json()["error"]["root_cause"].as_array().unwrap().len(), 1);
    }
}
