//! Bulk requests.

use axum::body::Body;
use http::Request;
use serde_json::{Value, json};

use crate::testkit::{Reply, Server};

/// Sends lines, each of which ends.
async fn bulk(server: &Server, path: &str, lines: &[&str]) -> Reply {
    let body = lines.iter().map(|line| format!("{line}\n")).collect::<String>();
    send(server, path, body.into_bytes()).await
}

async fn send(server: &Server, path: &str, body: Vec<u8>) -> Reply {
    let request =
        Request::builder().method("POST").uri(path).header("content-type", "application/x-ndjson");
    server.request(request.body(Body::from(body)).unwrap()).await
}

async fn count(server: &Server, index: &str) -> Value {
    server.state.cluster.indices().get(index).unwrap().refresh().unwrap();
    server.get(&format!("/{index}/_count")).await.at("/count")
}

#[tokio::test]
async fn each_item_has_its_own_answer_in_the_order_of_the_request() {
    let server = Server::start();
    server.call("PUT /logs/_doc/n", r#"{"temp":1.5}"#).await;
    let reply = bulk(
        &server,
        "/_bulk",
        &[
            r#"{"index":{"_index":"logs","_id":"1"}}"#,
            r#"{"a":1}"#,
            r#"{"create":{"_index":"more","_id":"1"}}"#,
            r#"{"a":1}"#,
            r#"{"create":{"_index":"logs","_id":"1"}}"#,
            r#"{"a":2}"#,
            r#"{"index":{"_index":"logs","_id":"2"}}"#,
            r#"{"temp":"warm"}"#,
            r#"{"update":{"_index":"logs","_id":"1","_source":true}}"#,
            r#"{"doc":{"b":2}}"#,
            r#"{"update":{"_index":"logs","_id":"9"}}"#,
            r#"{"doc":{"b":2}}"#,
            r#"{"delete":{"_index":"logs","_id":"1"}}"#,
            r#"{"delete":{"_index":"logs","_id":"9"}}"#,
            r#"{"delete":{"_index":"none","_id":"9"}}"#,
            r#"{"index":{"_index":"logs","_id":""}}"#,
            r#"{"a":1}"#,
            r#"{"index":{"_index":"logs","_id":"3","op_type":"create"}}"#,
            r#"{"a":1}"#,
        ],
    )
    .await;
    assert_eq!(reply.status, 200);
    let items = reply.at("/items");
    let told: Vec<(String, u64, Value)> = items
        .as_array()
        .unwrap()
        .iter()
        .map(|item| {
            let (word, item) = item.as_object().unwrap().iter().next().unwrap();
            let told = item.pointer("/error/type").or(item.get("result")).unwrap();
            (word.clone(), item["status"].as_u64().unwrap(), told.clone())
        })
        .collect();
    let expected = [
        ("index", 201, "created"),
        ("create", 201, "created"),
        ("create", 409, "version_conflict_engine_exception"),
        ("index", 400, "mapper_parsing_exception"),
        ("update", 200, "updated"),
        ("update", 404, "document_missing_exception"),
        ("delete", 200, "deleted"),
        ("delete", 404, "not_found"),
        ("delete", 404, "index_not_found_exception"),
        ("index", 400, "illegal_argument_exception"),
        ("create", 201, "created"),
    ]
    .map(|(word, status, told)| (word.to_owned(), status, json!(told)));
    assert_eq!(told, expected);
    assert_eq!(items[4]["update"]["get"]["_source"], json!({ "a": 1, "b": 2 }));
    assert_eq!(items[3]["index"]["_id"], "2");
    assert!(server.state.cluster.indices().get("none").is_none(), "a deletion makes no index");
}

#[tokio::test]
async fn the_answer_is_compact_and_in_the_order_that_shippers_read() {
    let server = Server::start();
    let reply =
        bulk(&server, "/logs/_bulk?refresh=true", &[r#"{"index":{"_id":"1"}}"#, "{}"]).await;
    let text = String::from_utf8(reply.body.to_vec()).unwrap();
    let (took, rest) = text.strip_prefix("{\"took\":").unwrap().split_once(',').unwrap();
    took.parse::<u64>().unwrap();
    let total = reply.at("/items/0/index/_shards/total");
    assert_eq!(
        rest,
        format!(
            r#""errors":false,"items":[{{"index":{{"_index":"logs","_id":"1","_version":1,"result":"created","forced_refresh":true,"_shards":{{"total":{total},"successful":1,"failed":0}},"_seq_no":0,"_primary_term":1,"status":201}}}}]}}"#
        )
    );
    let reply = bulk(&server, "/logs/_bulk", &[r#"{"create":{"_id":"1"}}"#, "{}"]).await;
    let text = String::from_utf8(reply.body.to_vec()).unwrap();
    assert!(text.contains("\"errors\":true,\"items\":["), "{text}");
}

#[tokio::test]
async fn operations_on_one_id_keep_their_order() {
    let server = Server::start();
    let mut lines = Vec::new();
    for number in 0..30 {
        let index = if number % 2 == 0 { "even" } else { "odd" };
        lines.push(format!(r#"{{"index":{{"_index":"{index}","_id":"1"}}}}"#));
        lines.push(format!(r#"{{"n":{number}}}"#));
    }
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let reply = bulk(&server, "/_bulk", &lines).await;
    for number in 0..30 {
        let version = reply.at(&format!("/items/{number}/index/_version"));
        assert_eq!(version, number / 2 + 1, "item {number}");
    }
    assert_eq!(server.get("/even/_doc/1").await.at("/_source/n"), 28);
    assert_eq!(server.get("/odd/_doc/1").await.at("/_source/n"), 29);
}

#[tokio::test]
async fn a_request_of_many_slices_is_written_whole() {
    let server = Server::start();
    let line = "{\"create\":{}}\r\n{\"level\":\"INFO\",\"n\":1}\r\n";
    let reply = send(&server, "/logs/_bulk/", line.repeat(9_000).into_bytes()).await;
    assert_eq!(reply.at("/errors"), false);
    assert_eq!(reply.at("/items").as_array().unwrap().len(), 9_000);
    assert_eq!(count(&server, "logs").await, 9_000);
}

#[tokio::test]
async fn a_malformed_line_far_behind_refuses_the_request_before_anything_is_written() {
    let server = Server::start();
    let mut body = "{\"create\":{}}\n{\"n\":1}\n".repeat(9_000);
    body.push_str("{\"put\":{}}\n{}\n");
    send(&server, "/logs/_bulk", body.into_bytes()).await.assert_refused(
        400,
        "illegal_argument_exception",
        "Malformed action/metadata line [18001], expected field [create], [delete], [index] or [update] but found [put]",
    );
    assert!(server.state.cluster.indices().get("logs").is_none());
}

#[tokio::test]
async fn requests_that_are_none_are_refused() {
    let server = Server::start();
    let check = async |body: &str, kind: &str, reason: &str| {
        let reply = send(&server, "/_bulk", body.as_bytes().to_vec()).await;
        reply.assert_refused(400, kind, reason);
    };
    let illegal = "illegal_argument_exception";
    check("", "parse_exception", "request body is required").await;
    check(
        "{\"index\":{\"_index\":\"a\"}}\n{}",
        illegal,
        "The bulk request must be terminated by a newline [\\n]",
    )
    .await;
    check(
        "\n\n\r\n",
        "action_request_validation_exception",
        "Validation Failed: 1: no requests added;",
    )
    .await;
    check(
        "{\"index\":{}}\n{}\n",
        "action_request_validation_exception",
        "Validation Failed: 1: index is missing;",
    )
    .await;
    check(
        "[]\n",
        illegal,
        "Malformed action/metadata line [1], expected START_OBJECT but found [START_ARRAY]",
    )
    .await;
    check(
        "{\"index\":{\"_index\":\"a\"}}\n",
        illegal,
        "Malformed action/metadata line [1], expected a document on the line behind it but the request ends",
    )
    .await;
}

#[tokio::test]
async fn types_of_older_servers_are_ignored_and_pipelines_are_not() {
    let server = Server::start();
    let line = r#"{"create":{"_index":"fluent-bit","_type":"_doc"}}"#;
    let reply = bulk(&server, "/_bulk/?pipeline=_none", &[line, "{}"]).await;
    assert_eq!(reply.at("/errors"), false);
    let reply = bulk(&server, "/_bulk/?pipeline=geo", &[line, "{}"]).await;
    assert_eq!(
        reply.at("/items/0/create/error/reason"),
        "ingest pipeline [geo] is not supported by this server"
    );
    bulk(&server, "/none/_bulk?pipeline=geo", &[r#"{"create":{}}"#, "{}"]).await;
    assert!(server.state.cluster.indices().get("none").is_none(), "nothing was written");
}

#[tokio::test]
async fn an_answer_is_filtered_item_by_item() {
    let server = Server::start();
    let lines = [r#"{"create":{"_id":"1"}}"#, "{}", r#"{"create":{"_id":"1"}}"#, "{}"];
    let reply = bulk(&server, "/logs/_bulk?filter_path=errors,items.*.error.type", &lines).await;
    assert_eq!(
        reply.json(),
        json!({ "errors": true, "items": [
            { "create": { "error": { "type": "version_conflict_engine_exception" } } },
        ] })
    );
    let reply = bulk(&server, "/logs/_bulk?filter_path=-items", &lines).await;
    assert_eq!(reply.json().as_object().unwrap().keys().collect::<Vec<_>>(), ["errors", "took"]);
}

#[tokio::test]
async fn items_are_counted() {
    let server = Server::start();
    bulk(
        &server,
        "/logs/_bulk",
        &[r#"{"create":{"_id":"1"}}"#, "{}", r#"{"create":{"_id":"1"}}"#, "{}"],
    )
    .await;
    let counts = server.state.counts();
    let read =
        |count: &std::sync::atomic::AtomicU64| count.load(std::sync::atomic::Ordering::Relaxed);
    assert_eq!((read(&counts.bulk_items), read(&counts.bulk_items_refused)), (2, 1));
    assert_eq!((read(&counts.succeeded), read(&counts.refused), read(&counts.failed)), (1, 0, 0));
}
