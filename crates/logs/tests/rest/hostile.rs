//! Bodies that nobody should send.

use axum::body::Body;
use http::{Method, Request};
use serde_json::json;

use crate::testkit::{Reply, Server};

async fn send(server: &Server, path: &str, body: Vec<u8>) -> Reply {
    let request =
        Request::builder().method("POST").uri(path).header("content-type", "application/json");
    server.request(request.body(Body::from(body)).unwrap()).await
}

/// Sends a body everywhere; each answer is a refusal of the caller, and the server lives on.
async fn check_refused_everywhere(what: &str, body: &[u8]) {
    let server = Server::start();
    server.call("PUT /logs/_doc/1?refresh=true", r#"{"a":1}"#).await;
    for path in [
        "/logs/_search",
        "/logs/_count",
        "/_msearch",
        "/_bulk",
        "/logs/_bulk",
        "/logs/_doc",
        "/logs/_update/1",
        "/_mget",
        "/_search/scroll",
        "/_analyze",
        "/logs/_field_caps",
    ] {
        let reply = send(&server, path, body.to_vec()).await;
        assert!(reply.status.is_client_error(), "{what} {path}: {}", reply.status);
        assert!(reply.json()["error"].is_object(), "{what} {path}");
    }
    assert_eq!(server.get("/logs/_count").await.at("/count"), 1);
}

#[tokio::test]
async fn bytes_that_are_no_text_are_refused() {
    check_refused_everywhere("no UTF-8", b"{\"a\":\"\xff\xfe\"}\n{\"b\":\"\xc3\x28\"}\n").await;
    check_refused_everywhere("zeroes", &[0; 100]).await;
    check_refused_everywhere("cut off", b"{\"query\":{\"bool\":{\"must\":[\n").await;
}

#[tokio::test]
async fn deep_nesting_is_refused() {
    let deep = [b"{\"a\":".repeat(100_000), b"\n".to_vec()].concat();
    check_refused_everywhere("objects", &deep).await;
    let deep = [b"[".repeat(100_000), b"]".repeat(100_000), b"\n".to_vec()].concat();
    check_refused_everywhere("arrays", &deep).await;
    let server = Server::start();
    server.call("PUT /logs/_doc/1", r#"{"a":1}"#).await;
    let mut query = json!({ "match_all": {} });
    for _ in 0..40 {
        query = json!({ "bool": { "must": [query] } });
    }
    let body = json!({ "query": query }).to_string();
    assert_eq!(server.call("POST /logs/_search", &body).await.status, 400);
}

#[tokio::test]
async fn numbers_beyond_everything_are_refused_or_kept() {
    let server = Server::start();
    server.call("PUT /logs/_doc/1?refresh=true", r#"{"a":1}"#).await;
    for body in [
        r#"{"size":1e400}"#,
        r#"{"size":99999999999999999999}"#,
        r#"{"from":-9223372036854775809}"#,
        r#"{"size":1000000000}"#,
        r#"{"min_score":1e999}"#,
    ] {
        let reply = server.call("POST /logs/_search", body).await;
        assert!(reply.status.is_client_error(), "{body}: {}", reply.status);
    }
    let reply = server.call("POST /logs/_doc/2", r#"{"a":123456789012345678901234567890}"#).await;
    assert!(reply.status.is_client_error(), "it does not fit a long: {}", reply.status);
}

#[tokio::test]
async fn a_document_of_five_mebibytes_is_kept() {
    let server = Server::start();
    // Few words, for it is the size that is tried.
    let text = format!("{} ", "rain".repeat(50)).repeat(27_000);
    assert!(text.len() > 5 << 20);
    let body = json!({ "text": text }).to_string();
    let reply = send(&server, "/logs/_doc?refresh=true", body.into_bytes()).await;
    assert_eq!(reply.status, 201, "{}", reply.json());
    let path = format!("/logs/_doc/{}", reply.at("/_id").as_str().unwrap());
    assert_eq!(server.get(&path).await.at("/_source/text"), text);
    assert_eq!(server.get("/logs/_count?q=text:rain*").await.at("/count"), 1);
}

#[tokio::test]
async fn a_line_without_an_end_is_refused() {
    let server = Server::start();
    let reply = send(&server, "/_bulk", b"{".repeat(4 << 20)).await;
    reply.assert_refused(
        400,
        "illegal_argument_exception",
        "The bulk request must be terminated by a newline [\\n]",
    );
    let mut body = b"{\"index\":{\"_index\":\"logs\",\"_id\":\"".to_vec();
    body.extend(b"x".repeat(1 << 20));
    body.extend(b"\"}}\n{}\n");
    let reply = send(&server, "/_bulk", body).await;
    assert!(
        reply.status == 400 || reply.at("/items/0/index/status") == 400,
        "an id has at most 512 bytes: {}",
        reply.status
    );
}

#[tokio::test]
async fn strange_addresses_are_refused() {
    let server = Server::start();
    for path in ["/%ff%fe/_doc/1", "/logs/_doc/%c3%28", "/%00/_search", "/logs/_doc/%zz"] {
        let reply = server.send(Method::GET, path, "").await;
        assert!(reply.status.is_client_error(), "{path}: {}", reply.status);
        assert!(!reply.json()["error"].is_null(), "{path}");
    }
    let long = "x".repeat(600);
    let reply = server.call(&format!("PUT /logs/_doc/{long}"), "{}").await;
    assert_eq!(reply.status, 400);
}
