//! Searches, counts, and what goes with them.

use axum::body::Body;
use http::Request;
use serde_json::{Value, json};

use crate::testkit::{Reply, Server};

/// A server with six lines of a log in one index and one in another.
pub(crate) async fn server_with_logs() -> Server {
    let server = Server::start();
    let levels = ["ERROR", "WARN", "INFO", "INFO", "ERROR", "INFO"];
    for (number, level) in levels.iter().enumerate() {
        let body = format!(
            r#"{{"@timestamp":"2026-05-18T11:5{number}:00Z","level":"{level}","n":{number}}}"#
        );
        server.call(&format!("PUT /logs/_doc/{number}"), &body).await;
    }
    server.call("PUT /other/_doc/x?refresh=true", r#"{"level":7}"#).await;
    server.state.cluster.indices().get("logs").unwrap().refresh().unwrap();
    server
}

#[track_caller]
fn check(reply: &Reply, status: u16, parts: &[(&str, Value)]) {
    let text = String::from_utf8_lossy(&reply.body);
    assert_eq!(reply.status, status, "{text}");
    for (pointer, value) in parts {
        assert_eq!(&reply.at(pointer), value, "{pointer}: {text}");
    }
}

#[tokio::test]
async fn searches_are_answered_with_their_envelope() {
    let server = server_with_logs().await;
    let body = r#"{"query":{"match":{"level":"error"}},"sort":[{"n":"desc"}]}"#;
    for call in
        ["POST /logs/_search", "GET /logs/_search", "POST /l*,-o*/_search", "GET /lo*/_search/"]
    {
        let reply = server.call(call, body).await;
        check(
            &reply,
            200,
            &[
                ("/hits/total", json!({ "value": 2, "relation": "eq" })),
                ("/hits/hits/0/_id", json!("4")),
                ("/hits/hits/1/sort", json!([0])),
                ("/timed_out", json!(false)),
                ("/_shards/failed", json!(0)),
            ],
        );
        assert!(reply.body.starts_with(b"{\"took\":"));
    }
}

#[tokio::test]
async fn options_may_stand_in_the_query_string() {
    let server = server_with_logs().await;
    let reply = server.get("/logs/_search?q=level:error&size=1&sort=n:desc&_source=n").await;
    check(
        &reply,
        200,
        &[
            ("/hits/total/value", json!(2)),
            ("/hits/hits/0/_source", json!({ "n": 4 })),
            ("/hits/hits/1", Value::Null),
        ],
    );
    let reply = server.get("/logs/_search?rest_total_hits_as_int=true&size=0").await;
    check(&reply, 200, &[("/hits/total", json!(6))]);
    let reply = server.get("/logs/_search?preference=_local&request_cache=true&search_type=query_then_fetch&max_concurrent_shard_requests=5&typed_keys&ccs_minimize_roundtrips=true&batched_reduce_size=512").await;
    check(&reply, 200, &[]);
}

#[tokio::test]
async fn searches_that_cannot_be_are_refused() {
    let server = server_with_logs().await;
    let check_refused = async |call: &str, body: &str, status: u16, kind: &str, reason: &str| {
        server.call(call, body).await.assert_refused(status, kind, reason);
    };
    check_refused(
        "POST /logs/_search",
        r#"{"match":{"a":1}}"#,
        400,
        "parsing_exception",
        "Unknown key for a START_OBJECT in [match].",
    )
    .await;
    check_refused(
        "POST /none/_search",
        "",
        404,
        "index_not_found_exception",
        "no such index [none]",
    )
    .await;
    check_refused(
        "POST /logs/_search?search_type=scan",
        "",
        400,
        "illegal_argument_exception",
        "No search type for [scan]",
    )
    .await;
    check_refused(
        "POST /logs/_search?expand_wildcards=some",
        "",
        400,
        "illegal_argument_exception",
        "No valid expand wildcard value [some]",
    )
    .await;
    check_refused(
        "POST /logs/_search?search_pipeline=p",
        "",
        400,
        "illegal_argument_exception",
        "parameter [search_pipeline] is not supported by this server",
    )
    .await;
    check_refused(
        "GET /logs/_search?allow_no_indices=perhaps",
        "",
        400,
        "illegal_argument_exception",
        "Failed to parse value [perhaps] as only [true] or [false] are allowed.",
    )
    .await;
    let reply = server.call("POST /logs/_search", r#"{"sort":["nothing"]}"#).await;
    check(
        &reply,
        400,
        &[
            ("/error/type", json!("search_phase_execution_exception")),
            ("/error/reason", json!("all shards failed")),
            ("/error/phase", json!("query")),
            ("/error/grouped", json!(true)),
            ("/error/root_cause/0/type", json!("query_shard_exception")),
            (
                "/error/root_cause/0/reason",
                json!("No mapping found for [nothing] in order to sort on"),
            ),
            ("/error/failed_shards/0/index", json!("logs")),
            ("/error/failed_shards/0/reason/type", json!("query_shard_exception")),
            ("/error/caused_by", Value::Null),
            ("/status", json!(400)),
        ],
    );
}

#[tokio::test]
async fn an_answer_in_part_is_given_unless_only_a_whole_one_is_wanted() {
    let server = server_with_logs().await;
    let body = r#"{"sort":["n"]}"#;
    let reply = server.call("POST /logs,other/_search", body).await;
    check(&reply, 200, &[("/_shards/failed", json!(1)), ("/hits/total/value", json!(6))]);
    let call = "POST /logs,other/_search?allow_partial_search_results=false";
    let reply = server.call(call, body).await;
    check(
        &reply,
        503,
        &[
            ("/error/type", json!("search_phase_execution_exception")),
            ("/error/reason", json!("Partial shards failure")),
            ("/error/failed_shards/0/index", json!("other")),
        ],
    );
}

#[tokio::test]
async fn names_that_mean_nothing_are_skipped_as_asked() {
    let server = server_with_logs().await;
    let reply = server.get("/logs,none/_search?ignore_unavailable=true&size=0").await;
    check(&reply, 200, &[("/hits/total/value", json!(6)), ("/_shards/total", json!(1))]);
    let reply = server.get("/none*/_search").await;
    check(&reply, 200, &[("/hits/total/value", json!(0)), ("/_shards/total", json!(0))]);
    let reply = server.get("/none*/_search?allow_no_indices=false").await;
    check(&reply, 404, &[("/error/type", json!("index_not_found_exception"))]);
}

#[tokio::test]
async fn documents_are_counted() {
    let server = server_with_logs().await;
    let reply = server.get("/logs/_count").await;
    let shards = json!({ "total": 1, "successful": 1, "skipped": 0, "failed": 0 });
    assert_eq!(reply.json(), json!({ "count": 6, "_shards": shards }));
    let reply =
        server.call("POST /logs/_count", r#"{"query":{"term":{"level.keyword":"INFO"}}}"#).await;
    check(&reply, 200, &[("/count", json!(3))]);
    check(&server.get("/logs/_count?q=level:warn").await, 200, &[("/count", json!(1))]);
    server.call("POST /logs/_count", r#"{"match":{}}"#).await.assert_refused(
        400,
        "parsing_exception",
        "request does not support [match]",
    );
}

#[tokio::test]
async fn queries_are_validated_without_an_error() {
    let server = server_with_logs().await;
    let reply = server.call("POST /logs/_validate/query", r#"{"query":{"match_all":{}}}"#).await;
    check(&reply, 200, &[("/valid", json!(true))]);
    let reply = server.call("POST /logs/_validate/query", r#"{"query":{"mach":{}}}"#).await;
    check(&reply, 200, &[("/valid", json!(false))]);
    let body = r#"{"query":{"range":{"@timestamp":{"gte":"soon"}}}}"#;
    let reply = server.call("POST /logs/_validate/query?explain=true", body).await;
    check(&reply, 200, &[("/valid", json!(false)), ("/explanations/0/index", json!("logs"))]);
}

#[tokio::test]
async fn each_search_of_a_list_has_its_own_answer_or_error() {
    let server = server_with_logs().await;
    let lines = concat!(
        "{\"index\":\"logs\"}\n{\"query\":{\"match\":{\"level\":\"error\"}}}\n",
        "{\"index\":\"none\"}\n{}\n",
        "\n{\"size\":0}\n",
        "{\"index\":[\"logs\",\"none\"],\"ignore_unavailable\":true}\n{\"size\":0}\n",
        "{\"index\":\"logs\"}\n{\"sort\":[\"nothing\"]}\n",
    );
    let reply = send(&server, "/_msearch", lines).await;
    check(
        &reply,
        200,
        &[
            ("/responses/0/hits/total/value", json!(2)),
            ("/responses/0/status", json!(200)),
            ("/responses/1/status", json!(404)),
            ("/responses/1/error/root_cause/0/reason", json!("no such index [none]")),
            ("/responses/2/hits/total/value", json!(7)),
            ("/responses/3/hits/total/value", json!(6)),
            ("/responses/4/status", json!(400)),
            (
                "/responses/4/error/root_cause/0/reason",
                json!("No mapping found for [nothing] in order to sort on"),
            ),
            ("/responses/5", Value::Null),
        ],
    );
    let reply = send(&server, "/logs/_msearch?rest_total_hits_as_int=true", "{}\n{}\n").await;
    check(&reply, 200, &[("/responses/0/hits/total", json!(6))]);
    send(&server, "/_msearch", "{\"idx\":1}\n{}\n").await.assert_refused(
        400,
        "illegal_argument_exception",
        "key [idx] is not supported in the metadata section",
    );
    send(&server, "/_msearch", "{}\n{}").await.assert_refused(
        400,
        "illegal_argument_exception",
        "The msearch request must be terminated by a newline [\\n]",
    );
}

#[tokio::test]
async fn fields_tell_what_can_be_done_with_them() {
    let server = server_with_logs().await;
    let reply = server.get("/logs/_field_caps?fields=*").await;
    check(
        &reply,
        200,
        &[
            ("/indices", json!(["logs"])),
            (
                "/fields/level/text",
                json!({ "type": "text", "searchable": true, "aggregatable": false }),
            ),
            ("/fields/level.keyword/keyword/aggregatable", json!(true)),
            ("/fields/n/long/type", json!("long")),
            ("/fields/@timestamp/date/searchable", json!(true)),
            ("/fields/_id/_id/type", json!("_id")),
        ],
    );
    let reply = server.get("/_field_caps?fields=level").await;
    check(
        &reply,
        200,
        &[
            ("/indices", json!(["logs", "other"])),
            ("/fields/level/text/indices", json!(["logs"])),
            ("/fields/level/long/indices", json!(["other"])),
            ("/fields/n", Value::Null),
        ],
    );
    server.get("/logs/_field_caps").await.assert_refused(
        400,
        "action_request_validation_exception",
        "Validation Failed: 1: no fields specified;",
    );
}

#[tokio::test]
async fn text_is_analyzed() {
    let server = server_with_logs().await;
    let body = r#"{"analyzer":"standard","text":"sensor-12 Timed_Out"}"#;
    let reply = server.call("POST /_analyze", body).await;
    check(
        &reply,
        200,
        &[
            (
                "/tokens/0",
                json!({ "token": "sensor", "start_offset": 0, "end_offset": 6, "type": "<ALPHANUM>", "position": 0 }),
            ),
            ("/tokens/1/token", json!("12")),
            (
                "/tokens/2",
                json!({ "token": "timed_out", "start_offset": 10, "end_offset": 19, "type": "<ALPHANUM>", "position": 2 }),
            ),
            ("/tokens/3", Value::Null),
        ],
    );
    let reply =
        server.call("GET /logs/_analyze", r#"{"field":"level.keyword","text":"Two Words"}"#).await;
    check(&reply, 200, &[("/tokens/0/token", json!("Two Words"))]);
    server.call("POST /_analyze", r#"{"tokenizer":"standard","text":"a"}"#).await.assert_refused(
        400,
        "illegal_argument_exception",
        "[tokenizer] of _analyze is not supported by this server",
    );
}

#[tokio::test]
async fn an_alias_shows_what_its_filter_finds() {
    let server = server_with_logs().await;
    let now = server.state.clock.now();
    let template =
        json!({ "aliases": { "errors": { "filter": { "match": { "level": "error" } } } } });
    server.state.cluster.create_index("filtered", &template, now).unwrap();
    for (id, level) in [("1", "ERROR"), ("2", "INFO")] {
        let body = json!({ "level": level }).to_string();
        server.call(&format!("PUT /filtered/_doc/{id}?refresh=true"), &body).await;
    }
    check(&server.get("/errors/_count").await, 200, &[("/count", json!(1))]);
    check(&server.get("/errors/_count?q=level:info").await, 200, &[("/count", json!(0))]);
    check(&server.get("/errors/_search").await, 200, &[("/hits/hits/0/_id", json!("1"))]);
    check(&server.get("/errors,logs/_search").await, 200, &[("/hits/total/value", json!(7))]);
    check(&server.get("/errors,filtered/_count").await, 200, &[("/count", json!(2))]);
}

#[tokio::test]
async fn a_search_within_the_program_finds_what_was_just_written_and_reckons_from_its_instant() {
    let server = Server::start();
    let now = server.state.clock.now();
    server.call("PUT /logs", "").await;
    server.call("GET /logs/_search", "").await;
    let body = json!({ "@timestamp": now.to_string() }).to_string();
    server.call("PUT /logs/_doc/1", &body).await;
    let count = |query: serde_json::Value, index: &str, now| {
        let body = json!({ "size": 0, "query": query });
        let answer = server.state.search_as_of(&[index.to_owned()], &body, now)?;
        assert!(answer["took"].is_u64(), "{answer}");
        Ok::<_, pampero_opensearch::Exception>(answer["hits"]["total"]["value"].clone())
    };
    let recent = json!({ "range": { "@timestamp": { "gte": "now-5m" } } });
    assert_eq!(count(recent.clone(), "logs", now).unwrap(), 1);
    let later = now + std::time::Duration::from_secs(301);
    assert_eq!(count(recent.clone(), "logs", later).unwrap(), 0);
    let missing = count(recent, "other", now).unwrap_err();
    assert_eq!(missing.kind(), pampero_opensearch::ExceptionKind::IndexNotFound);
}

async fn send(server: &Server, path: &str, body: &str) -> Reply {
    let request =
        Request::builder().method("POST").uri(path).header("content-type", "application/x-ndjson");
    server.request(request.body(Body::from(body.to_owned())).unwrap()).await
}

#[tokio::test]
async fn a_body_that_says_something_twice_is_refused() {
    let server = Server::start();
    server.call("PUT /logs", "").await;
    let twice = r#"{"query":{"match_all":{}},"query":{"match_none":{}}}"#;
    for call in ["POST /logs/_search", "POST /logs/_count", "POST /logs/_delete_by_query"] {
        let refused = server.call(call, twice).await;
        assert_eq!(
            (refused.status.as_u16(), refused.at("/error/type")),
            (400, "json_parse_exception".into())
        );
        let reason = refused.at("/error/reason");
        assert!(
            reason.as_str().unwrap().contains("Duplicate field 'query' at line 1 column"),
            "{reason}"
        );
    }
}
