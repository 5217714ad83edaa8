//! What `/weather/current` costs beside a bare handler that returns the same bytes and headers.
//!
//! Without sockets, so that only our own part is seen: `cargo bench -p pampero-api`.

#![expect(clippy::unwrap_used, reason = "a benchmark may fail at any step")]
#![expect(clippy::print_stdout, reason = "the figures are its output")]

#[expect(dead_code, reason = "the tests need more of it")]
#[path = "../tests/api/app.rs"]
mod app;

use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use axum::routing::get;
use http::{HeaderMap, Request};
use pampero_weather::provider::ProviderId::OpenMeteo;
use tower::Service;

use app::{TestApp, observation};

const ROUNDS: u32 = 9;
const REQUESTS: u32 = 100_000;

fn asked(path: &'static str) -> Request<Body> {
    let request = Request::get(path).header("host", "127.0.0.1:8000").header("accept", "*/*");
    request.body(Body::empty()).unwrap()
}

/// Runs `once` again and again and returns what it takes, the best of several rounds.
async fn measure(mut once: impl AsyncFnMut()) -> Duration {
    let mut best = Duration::MAX;
    for _ in 0..ROUNDS {
        let began = Instant::now();
        for _ in 0..REQUESTS {
            once().await;
        }
        best = best.min(began.elapsed() / REQUESTS);
    }
    best
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let app = TestApp::start().await;
    app.observe(observation("buenos-aires", OpenMeteo, "2026-11-24T14:45:00Z", 16.6), None).await;
    let reply = app.get("/weather/current").await;
    let (headers, body): (HeaderMap, _) = (reply.headers, reply.body);

    let answer = move || {
        let (headers, body) = (headers.clone(), body.clone());
        async move {
            let mut response = Response::new(Body::from(body));
            *response.headers_mut() = headers;
            response
        }
    };
    let bare = Router::new().route("/weather/current", get(answer));
    let bare = measure(async || {
        let response = bare.clone().call(asked("/weather/current")).await.unwrap();
        assert!(response.status().is_success());
    })
    .await;
    println!("bare ns_per_request={}", bare.as_nanos());

    for path in ["/weather/current", "/weather/current?place=buenos-aires"] {
        let full = measure(async || {
            let response = app.api.respond(asked(path)).await;
            assert!(response.status().is_success());
        })
        .await;
        let extra = full.as_nanos().saturating_sub(bare.as_nanos());
        println!("{path} ns_per_request={} extra_ns={extra}", full.as_nanos());
    }
}
