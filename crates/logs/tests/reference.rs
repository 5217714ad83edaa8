//! What `docs/opensearch.md` lists as supported or refused, asked of the routes.

#![expect(clippy::unwrap_used, reason = "a test may fail at any step")]

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use http::Request;
use http_body_util::BodyExt;
use jiff::Timestamp;
use pampero_index::{Cluster, IndexOptions};
use pampero_logs::rest::{RestOptions, RestState, router};
use pampero_resilience::Clock;
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt;

const PAGE: &str = include_str!("../../../docs/opensearch.md");
const REFUSAL: &str = "not supported by this server";

#[derive(Debug)]
struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        "2026-11-24T12:00:00Z".parse().unwrap()
    }
}

struct Server {
    router: Router,
    _folder: TempDir,
}

impl Server {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let cluster = Arc::new(Cluster::open(folder.path(), IndexOptions::default()).unwrap());
        let state = RestState::new(cluster, Arc::new(Stopped), RestOptions::default());
        let server = Self { router: router(state), _folder: folder };
        server.send("PUT", "/logs", Value::Null).await;
        server
    }

    /// Returns the whole answer as text.
    async fn send(&self, method: &str, path: &str, body: Value) -> String {
        let request = Request::builder().method(method).uri(path);
        let request = match body {
            Value::Null => request.body(Body::empty()),
            body => request
                .header("content-type", "application/json")
                .body(Body::from(body.to_string())),
        };
        let response = self.router.clone().oneshot(request.unwrap()).await.unwrap();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        String::from_utf8(bytes.to_vec()).unwrap()
    }
}

/// Returns the names between `<!-- section -->` and the end of that list.
fn listed(section: &str) -> Vec<&'static str> {
    let (_, rest) = PAGE.split_once(&format!("<!-- {section} -->")).unwrap();
    let (list, _) = rest.split_once("<!-- end -->").unwrap();
    let names: Vec<&str> = list.split('`').skip(1).step_by(2).collect();
    assert!(names.len() > 10, "{section}");
    names
}

#[tokio::test]
async fn queries_are_read_or_refused_as_listed() {
    let server = Server::start().await;
    let ask = async |name: &str| {
        let body = json!({ "query": { name: {} } });
        server.send("POST", "/logs/_search", body).await
    };
    for name in listed("supported queries") {
        let answer = ask(name).await;
        // Most of them lack something; each is known by its name.
        assert!(!answer.contains(REFUSAL) && !answer.contains("unknown query"), "{name}: {answer}");
    }
    for name in listed("refused queries") {
        let answer = ask(name).await;
        assert!(answer.contains(REFUSAL) && answer.contains(name), "{name}: {answer}");
    }
}

#[tokio::test]
async fn aggregations_are_read_or_refused_as_listed() {
    let server = Server::start().await;
    let ask = async |name: &str| {
        let body = json!({ "aggs": { "a": { name: {} } } });
        server.send("POST", "/logs/_search", body).await
    };
    for name in listed("supported aggregations") {
        let answer = ask(name).await;
        let is_known = !answer.contains("Unknown aggregation type");
        assert!(!answer.contains(REFUSAL) && is_known, "{name}: {answer}");
    }
    for name in listed("refused aggregations") {
        let answer = ask(name).await;
        assert!(answer.contains(REFUSAL) && answer.contains(name), "{name}: {answer}");
    }
}

#[tokio::test]
async fn paths_are_refused_as_listed() {
    let server = Server::start().await;
    for path in listed("refused paths") {
        let path = path.replace("{index}", "logs").replace("{*rest}", "x").replace(['{', '}'], "");
        let answer = server.send("GET", &path, Value::Null).await;
        assert!(answer.contains(REFUSAL), "{path}: {answer}");
    }
}

#[tokio::test]
async fn keys_of_a_search_are_refused_as_listed() {
    let server = Server::start().await;
    let line = PAGE.lines().find(|line| line.starts_with("Refused by name: `explain`")).unwrap();
    for key in line.split('`').skip(1).step_by(2) {
        let value =
            if matches!(key, "explain" | "profile") { json!(true) } else { json!({ "a": {} }) };
        let answer = server.send("POST", "/logs/_search", json!({ key: value })).await;
        assert!(answer.contains(REFUSAL) && answer.contains(key), "{key}: {answer}");
    }
}
