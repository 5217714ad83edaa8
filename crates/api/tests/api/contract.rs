//! The contract: committed, complete, and true.

use std::collections::BTreeSet;
use std::path::Path;

use http::Method;
use serde_json::Value;

use crate::app::{TestApp, request};

const METHODS: [&str; 4] = ["get", "post", "put", "delete"];

fn contract() -> Value {
    serde_json::from_str(&pampero_api::contract()).unwrap()
}

/// Returns every operation with its method and path.
fn operations(contract: &Value) -> Vec<(Method, String, Value)> {
    let paths = contract["paths"].as_object().unwrap();
    let operations = paths.iter().flat_map(|(path, item)| {
        METHODS.iter().filter_map(move |method| {
            let operation = item.get(method)?;
            let method = method.to_uppercase().parse().unwrap();
            Some((method, path.clone(), operation.clone()))
        })
    });
    operations.collect()
}

/// Puts something into the parameters of a path.
fn filled(path: &str) -> String {
    path.replace("{place}", "rosario")
        .replace("{provider}", "open_meteo")
        .replace("{observed_at}", "2026-11-24T14:45:00Z")
        .replace("{kind}", "rule")
        .replace("{definition}", "rules%2Fweather.yml%3Bweather")
        .replace("{trigger}", "Frost")
        .replace("{id}", "1")
}

#[test]
#[expect(clippy::disallowed_methods, reason = "asks whoever runs the test, not the configuration")]
fn committed_contract_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../openapi/pampero.json");
    let current = pampero_api::contract();
    if std::env::var("UPDATE_GOLDEN").is_ok() {
        std::fs::write(&path, &current).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == current, "run this test with UPDATE_GOLDEN=1 and look at the difference");
}

#[tokio::test]
async fn contract_and_the_page_to_browse_it_come_without_a_network() {
    let app = TestApp::start().await;
    let served = app.get("/openapi.json").await;
    assert_eq!(served.json(), contract());
    let page = app.get_with("/docs/", "accept-encoding", "br, gzip").await;
    assert_eq!((page.status.as_u16(), page.header("content-encoding")), (200, "gzip"));
    assert_eq!(page.header("content-type"), "text/html");
    let start = app.get_with("/docs/swagger-initializer.js", "accept-encoding", "gzip").await;
    let start = String::from_utf8(start.body.to_vec()).unwrap();
    assert!(start.contains("\"url\": \"/openapi.json\""), "{start}");
    assert!(start.contains("\"validatorUrl\": \"none\""), "{start}");
    assert_eq!(app.get("/docs").await.header("location"), "/docs/");
    app.get("/docs/nothing").await.check_problem(404, "unknown_route");
    app.get("/docs/").await.check_problem(406, "only_gzip");
}

#[tokio::test]
async fn start_page_links_only_to_what_is_there() {
    let app = TestApp::start().await;
    let page = app.get("/").await;
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert!(page.header("content-security-policy").contains("default-src 'none'"));
    let page = String::from_utf8(page.body.to_vec()).unwrap();
    assert!(!page.contains("http://") && !page.contains("https://"), "nothing from elsewhere");
    let links: Vec<&str> =
        page.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert!(links.len() >= 8, "{links:?}");
    for link in links {
        let reply = app.get_with(link, "accept-encoding", "gzip").await;
        assert_ne!(reply.status, 405, "{link}");
        let is_unknown = reply.status == 404 && reply.json()["code"] == "unknown_route";
        assert!(!is_unknown, "{link}");
    }
}

#[tokio::test]
async fn every_operation_is_there_and_every_status_documented() {
    let app = TestApp::start().await;
    let contract = contract();
    let mut names = BTreeSet::new();
    for (method, path, operation) in operations(&contract) {
        assert!(names.insert(operation["operationId"].to_string()), "{path} has a name twice");
        if path == "/api/events/stream" {
            continue;
        }
        let documented = operation["responses"].as_object().unwrap();
        for query in ["", "?nonsense=1"] {
            let path = format!("{}{query}", filled(&path));
            let reply = app.send(request(method.clone(), &path)).await;
            let status = reply.status.as_str();
            assert!(documented.contains_key(status), "{method} {path} gives {status}");
            let described = &documented[status]["content"];
            let media = reply.header("content-type").split(';').next().unwrap();
            assert!(media.is_empty() || !described[media].is_null(), "{method} {path}: {media}");
        }
    }
}

#[test]
fn whoever_changes_something_needs_the_token() {
    for (method, path, operation) in operations(&contract()) {
        let asks = operation["security"][0]["admin"].is_array();
        assert_eq!(asks, method != Method::GET, "{method} {path}");
        let statuses = operation["responses"].as_object().unwrap();
        for status in ["400", "421", "500", "503"] {
            assert!(statuses.contains_key(status), "{method} {path} {status}");
        }
    }
}

#[test]
fn every_reference_of_the_contract_leads_somewhere() {
    let contract = contract();
    let text = contract.to_string();
    for reference in text.split("\"$ref\":\"#").skip(1).map(|rest| rest.split('"').next().unwrap())
    {
        assert!(contract.pointer(reference).is_some(), "{reference}");
    }
}
