//! The history of metrics under `/prometheus`, as the edge lets it through.

use axum::body::Body;
use http::Method;
use pampero_api::ServerConfig;
use secrecy::SecretString;

use crate::app::{TestApp, request};

#[tokio::test]
async fn history_answers_as_prometheus_does() {
    let app = TestApp::start().await;

    let reply = app.get("/prometheus/api/v1/query?query=1%2B1").await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.json()["data"]["result"][1], "2");

    let reply = app.get("/prometheus/api/v1/query?query=up(").await;
    assert_eq!(reply.status, 400);
    assert_eq!(reply.json()["errorType"], "bad_data");

    assert_eq!(app.get("/prometheus/-/ready").await.status, 200);
    assert_eq!(app.get("/prometheus/api/v1/nothing").await.status, 404);
}

#[tokio::test]
async fn samples_are_taken_from_those_with_the_token_only() {
    let token = Some(SecretString::from("a-long-secret"));
    let app = TestApp::with(ServerConfig { admin_token: token, ..ServerConfig::default() }).await;
    let write = |token: Option<&str>| {
        let mut request = request(Method::POST, "/prometheus/api/v1/write");
        let headers = request.headers_mut();
        headers.insert("content-encoding", "snappy".parse().unwrap());
        headers.insert("content-type", "application/x-protobuf".parse().unwrap());
        if let Some(token) = token {
            headers.insert("authorization", format!("Bearer {token}").parse().unwrap());
        }
        // An empty message, compressed.
        *request.body_mut() = Body::from(&b"\0"[..]);
        request
    };
    app.send(write(None)).await.check_problem(401, "token_missing");
    app.send(write(Some("a-wrong-secret"))).await.check_problem(401, "token_refused");
    assert_eq!(app.send(write(Some("a-long-secret"))).await.status, 204);
}

#[tokio::test]
async fn routes_of_the_history_are_counted_by_their_template() {
    let app = TestApp::start().await;
    for path in ["label/job/values", "label/place/values", "nothing", "nothing/else"] {
        app.get(&format!("/prometheus/api/v1/{path}")).await;
    }
    let reply = app.get("/metrics").await;
    let metrics = std::str::from_utf8(&reply.body).unwrap();
    let counted = |route: &str| {
        let of_route = format!("route=\"{route}\"");
        let is_count = |line: &&str| line.starts_with("pampero_http_requests_total{");
        metrics.lines().filter(is_count).filter(|line| line.contains(&of_route)).count()
    };
    assert_eq!(counted("/prometheus/api/v1/label/{name}/values"), 1, "{metrics}");
    assert_eq!(counted("/prometheus/{*rest}"), 1, "{metrics}");
}
