//! The routes where they are mounted: beside those of the log index, and under another path.

use axum::Router;
use axum::routing::any;
use http::{Request, StatusCode};
use serde_json::json;
use tower::ServiceExt;

use crate::testkit::{App, error_monitor};

#[tokio::test(start_paused = true)]
async fn the_routes_stand_beside_those_of_the_log_index() {
    let app = App::start();
    app.make_monitor(error_monitor()).await;
    let theirs = async || "theirs";
    let index = Router::new()
        .route("/_plugins/{*rest}", any(theirs))
        .route("/_opendistro/{*rest}", any(theirs))
        .route("/{index}", any(theirs))
        .route("/{index}/_search", any(theirs))
        .route("/{index}/_doc/{id}", any(theirs))
        .fallback(theirs);
    let router = Router::new().nest_service("/opensearch", index.merge(app.router()));
    let check = async |call: &str, status: StatusCode, has: &str| {
        let (method, path) = call.split_once(' ').unwrap();
        let request = Request::builder().method(method).uri(format!("/opensearch{path}"));
        let response = router.clone().oneshot(request.body(axum::body::Body::empty()).unwrap());
        let response = response.await.unwrap();
        assert_eq!(response.status(), status, "{call}");
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        let body = String::from_utf8(body.to_vec()).unwrap();
        assert!(body.contains(has), "{call}: {body}");
    };
    check("GET /_plugins/_alerting/monitors/error_weather_logs", StatusCode::OK, "count_error")
        .await;
    check("GET /_opendistro/_alerting/stats", StatusCode::OK, "error_weather_logs").await;
    check("GET /_plugins/_notifications/channels", StatusCode::OK, "channel_list").await;
    check("GET /_plugins/_sql", StatusCode::OK, "theirs").await;
    check("GET /_plugins/_alerting/nothing/of/the/kind", StatusCode::OK, "theirs").await;
    check("GET /weather_logs/_search", StatusCode::OK, "theirs").await;
    check("PATCH /_plugins/_alerting/monitors/x", StatusCode::METHOD_NOT_ALLOWED, "").await;
    // A refusal names the path as the log index does, without where it is mounted.
    let reason =
        json!("request [/_plugins/_alerting/monitors/x] contains unrecognized parameter: [q]");
    let path = "GET /_plugins/_alerting/monitors/x?q=1";
    check(path, StatusCode::BAD_REQUEST, &reason.to_string()).await;
}
