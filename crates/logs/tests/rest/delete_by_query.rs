//! Deleting what a query finds.

use axum::body::Body;
use http::Request;
use serde_json::json;

use crate::search::server_with_logs;

#[tokio::test]
async fn what_a_query_finds_is_deleted() {
    let server = server_with_logs().await;
    let body = r#"{"query":{"match":{"level":"info"}}}"#;
    let reply = server.call("POST /logs/_delete_by_query?refresh=true", body).await;
    assert_eq!(reply.status, 200);
    let told = reply.json();
    let parts =
        ["total", "deleted", "batches", "version_conflicts", "timed_out"].map(|it| &told[it]);
    assert_eq!(parts, [&json!(3), &json!(3), &json!(1), &json!(0), &json!(false)]);
    assert_eq!(told["failures"], json!([]));
    assert_eq!(server.get("/logs/_count").await.at("/count"), 3);
    assert_eq!(server.get("/logs/_count?q=level:info").await.at("/count"), 0);
}

#[tokio::test]
async fn many_pages_of_several_indices_are_deleted_and_no_more_than_asked() {
    let server = server_with_logs().await;
    let lines: String = (0..2_500)
        .map(|number| {
            let index = if number % 3 == 0 { "a" } else { "b" };
            format!("{{\"index\":{{\"_index\":\"many-{index}\"}}}}\n{{\"n\":{number}}}\n")
        })
        .collect();
    let request = Request::builder()
        .method("POST")
        .uri("/_bulk?refresh=true")
        .header("content-type", "application/json")
        .body(Body::from(lines));
    server.request(request.unwrap()).await;
    let some = r#"{"query":{"range":{"n":{"lt":2000}}},"max_docs":1200}"#;
    let reply = server.call("POST /many-*/_delete_by_query?refresh", some).await;
    assert_eq!((reply.at("/deleted"), reply.at("/total")), (json!(1200), json!(1200)));
    assert_eq!(server.get("/many-*/_count").await.at("/count"), 1300);
    let rest = r#"{"query":{"match_all":{}}}"#;
    let reply = server.call("POST /many-*/_delete_by_query?refresh", rest).await;
    assert_eq!((reply.at("/deleted"), reply.at("/batches")), (json!(1300), json!(2)));
    assert_eq!(server.get("/many-*/_count").await.at("/count"), 0);
    assert_eq!(server.get("/logs/_count").await.at("/count"), 6);
}

#[tokio::test]
async fn a_document_that_was_changed_meanwhile_is_a_conflict() {
    let server = server_with_logs().await;
    server.call("PUT /logs/_doc/0", r#"{"level":"ERROR","n":100}"#).await;
    let body = r#"{"query":{"match":{"level":"error"}}}"#;
    let reply = server.call("POST /logs/_delete_by_query?refresh", body).await;
    assert_eq!((reply.status.as_u16(), reply.at("/version_conflicts")), (409, json!(1)));
    assert_eq!(reply.at("/failures/0/cause/type"), "version_conflict_engine_exception");
    assert_eq!(server.get("/logs/_doc/0").await.at("/_source/n"), 100);
    server.call("PUT /logs/_doc/0", r#"{"level":"ERROR","n":200}"#).await;
    let reply = server.call("POST /logs/_delete_by_query?conflicts=proceed", body).await;
    assert_eq!((reply.status.as_u16(), reply.at("/version_conflicts")), (200, json!(1)));
}

#[tokio::test]
async fn calls_that_cannot_be_are_refused() {
    let server = server_with_logs().await;
    let check = async |query: &str, body: &str, kind: &str, reason: &str| {
        let call = format!("POST /logs/_delete_by_query{query}");
        server.call(&call, body).await.assert_refused(400, kind, reason);
    };
    let missing = "Validation Failed: 1: query is missing;";
    check("", "", "action_request_validation_exception", missing).await;
    check("", "{}", "action_request_validation_exception", missing).await;
    let illegal = "illegal_argument_exception";
    let later = "[wait_for_completion=false] is not supported by this server";
    check("?q=a&wait_for_completion=false", "", illegal, later).await;
    let other = "conflicts may only be \"proceed\" or \"abort\" but was [ignore]";
    check("?q=a&conflicts=ignore", "", illegal, other).await;
    let early = "[terminate_after] of _delete_by_query is not supported by this server";
    check("?q=a&terminate_after=1", "", illegal, early).await;
    // Nothing that is meant as a bound may end in none.
    let all = |bound: &str| format!(r#"{{"query":{{"match_all":{{}}}},"max_docs":{bound}}}"#);
    let none = "[max_docs] must be a positive number, found ";
    check("", &all("-1"), illegal, &format!("{none}[-1]")).await;
    check("", &all("\"2\""), illegal, &format!("{none}[\"2\"]")).await;
    let zero = "Validation Failed: 1: maxDocs should be greater than 0;";
    check("", &all("0"), "action_request_validation_exception", zero).await;
    check("?q=a", "[]", "parsing_exception", "the body must be an object").await;
    check("", r#"{"match":{}}"#, "parsing_exception", "request does not support [match]").await;
    assert_eq!(server.get("/logs/_count").await.at("/count"), 6);
}
