//! The log index under `/opensearch` and on its own listener, as the edge lets it through.

use axum::body::Body;
use http::Method;
use pampero_api::{Served, ServerConfig, serve};
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::app::{TestApp, request};
use crate::listener::{connect, read_all};

#[tokio::test]
async fn the_index_answers_as_opensearch_does() {
    let app = TestApp::start().await;
    for path in ["/opensearch", "/opensearch/"] {
        let reply = app.get(path).await;
        assert_eq!(reply.status, 200);
        assert_eq!(reply.json()["version"]["distribution"], "opensearch");
    }
    let reply = app.get("/opensearch/nothing/_search").await;
    assert_eq!(reply.status, 404);
    assert_eq!(reply.json()["error"]["type"], "index_not_found_exception");
}

#[tokio::test]
async fn changes_ask_for_the_token_and_searches_do_not() {
    let token = Some(SecretString::from("a-long-secret"));
    let app = TestApp::with(ServerConfig { admin_token: token, ..ServerConfig::default() }).await;
    let send = |method: Method, path: &str, authorization: Option<&str>| {
        let mut request = request(method, path);
        let headers = request.headers_mut();
        headers.insert("content-type", "application/json".parse().unwrap());
        if let Some(authorization) = authorization {
            headers.insert("authorization", authorization.parse().unwrap());
        }
        *request.body_mut() = Body::from("{}");
        app.send(request)
    };
    let index = "/opensearch/readings";
    let reply = send(Method::PUT, index, None).await;
    assert_eq!(reply.status, 401);
    assert_eq!(reply.headers["www-authenticate"], "Basic realm=\"OpenSearch Security\"");
    assert_eq!(reply.body, "Unauthorized");
    // any:a-wrong-secret, then any:a-long-secret.
    let wrong = send(Method::PUT, index, Some("Basic YW55OmEtd3Jvbmctc2VjcmV0")).await;
    assert_eq!(wrong.status, 401);
    let right = send(Method::PUT, index, Some("Basic YW55OmEtbG9uZy1zZWNyZXQ=")).await;
    assert_eq!(right.status, 200);
    let document = format!("{index}/_doc");
    assert_eq!(send(Method::POST, &document, None).await.status, 401);
    assert_eq!(send(Method::POST, &document, Some("Bearer a-long-secret")).await.status, 201);
    assert_eq!(send(Method::POST, &format!("{index}/_search"), None).await.status, 200);
}

#[tokio::test]
async fn what_the_edge_refuses_is_told_as_opensearch_would() {
    let app = TestApp::start().await;
    let mut foreign = request(Method::GET, "/opensearch/_search");
    foreign.headers_mut().insert("host", "evil.example".parse().unwrap());
    let reply = app.send(foreign).await;
    assert_eq!(reply.status, 421);
    assert_eq!(reply.headers["content-type"], "application/json; charset=UTF-8");
    let body = reply.json();
    assert_eq!(body["status"], 421);
    assert_eq!(body["error"]["type"], "illegal_argument_exception");
    assert_eq!(body["error"]["root_cause"][0]["reason"], body["error"]["reason"]);
}

#[tokio::test]
async fn the_listener_of_the_index_serves_the_index_alone() {
    let app = TestApp::start().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (tracker, cancel) = (app.tracker.clone(), app.cancel.clone());
    tracker.spawn(serve(app.api.clone(), Served::Logs, listener, tracker.clone(), cancel));
    let ask = async |line: &str| {
        let said = format!("{line} HTTP/1.1\r\nhost: localhost:9200\r\nconnection: close\r\n\r\n");
        read_all(&mut connect(address, &said).await).await
    };
    let body = |answer: &str| -> Value {
        serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
    };
    assert_eq!(
        body(&ask("GET /").await)["tagline"],
        "The OpenSearch Project: https://opensearch.org/"
    );
    // The original's first step, as curl sends it.
    let put = "PUT /weather_readings HTTP/1.1\r\nhost: localhost:9200\r\n\
               authorization: Basic YW55OnRoaW5n\r\nconnection: close\r\n\r\n";
    let answer = read_all(&mut connect(address, put).await).await;
    let made =
        json!({ "acknowledged": true, "shards_acknowledged": true, "index": "weather_readings" });
    assert_eq!(body(&answer), made);
    // The routes of the API are not there.
    assert!(ask("GET /api/places").await.starts_with("HTTP/1.1 400 "));
    assert!(ask("GET /weather/current").await.starts_with("HTTP/1.1 4"));
}

#[tokio::test]
async fn calls_are_counted_by_their_template() {
    let app = TestApp::start().await;
    for path in ["a/_search", "b/_search", "a/_count", "c/_doc/1", "_cat/indices"] {
        app.get(&format!("/opensearch/{path}")).await;
    }
    let reply = app.get("/metrics").await;
    let metrics = std::str::from_utf8(&reply.body).unwrap();
    let counted = |route: &str| {
        let of_route = format!("route=\"{route}\"");
        let is_count = |line: &&str| line.starts_with("pampero_http_requests_total{");
        metrics.lines().filter(is_count).filter(|line| line.contains(&of_route)).count()
    };
    for route in ["{index}/_search", "{index}/_count", "{index}/_doc/{id}", "{*rest}"] {
        assert_eq!(counted(&format!("/opensearch/{route}")), 1, "{route}\n{metrics}");
    }
}
