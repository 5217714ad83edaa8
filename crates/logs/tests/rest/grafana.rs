//! The requests of Grafana's OpenSearch data source, as it sends them.

use axum::body::Body;
use http::Request;
use serde_json::{Value, json};

use crate::search::server_with_logs;
use crate::testkit::{Reply, Server};

const HEADER: &str =
    r#"{"ignore_unavailable":true,"index":"logs","search_type":"query_then_fetch"}"#;

/// 2026-05-18 11:00 to 12:00 UTC, in milliseconds.
const FROM: i64 = 1_779_102_000_000;
const TO: i64 = 1_779_105_600_000;

async fn msearch(server: &Server, body: &Value) -> Reply {
    let request = Request::builder()
        .method("POST")
        .uri("/_msearch?max_concurrent_shard_requests=5")
        .header("content-type", "application/x-ndjson");
    let lines = format!("{HEADER}\n{body}\n");
    server.request(request.body(Body::from(lines)).unwrap()).await
}

fn range() -> Value {
    json!({ "range": { "@timestamp": { "gte": FROM, "lte": TO, "format": "epoch_millis" } } })
}

#[tokio::test]
async fn a_graph_is_drawn_from_a_histogram_of_dates() {
    let server = server_with_logs().await;
    let query = json!({ "query_string": { "analyze_wildcard": true, "query": "level:error" } });
    let mean = json!({ "1": { "avg": { "field": "n" } } });
    let reply = msearch(
        &server,
        &json!({
            "size": 0,
            "query": { "bool": { "filter": [range(), query] } },
            "aggs": { "2": { "date_histogram": {
                "field": "@timestamp", "interval": "30s", "min_doc_count": 0,
                "extended_bounds": { "min": FROM, "max": TO }, "format": "epoch_millis",
            }, "aggs": mean } },
        }),
    )
    .await;
    assert_eq!(reply.at("/responses/0/status"), 200, "{}", reply.json());
    assert_eq!(reply.at("/responses/0/hits/total/value"), 2);
    let buckets = reply.at("/responses/0/aggregations/2/buckets");
    let buckets = buckets.as_array().unwrap();
    assert_eq!(buckets.len(), 121);
    assert_eq!(buckets[0]["key"], FROM);
    let full: Vec<&Value> = buckets.iter().filter(|it| it["doc_count"] != 0).collect();
    assert_eq!(full.len(), 2);
    assert_eq!(full[1]["1"]["value"], 4.0);
    assert_eq!(full[1]["key_as_string"], (FROM + 54 * 60_000).to_string());
}

#[tokio::test]
async fn lines_of_a_log_are_shown_with_their_fields_and_marks() {
    let server = server_with_logs().await;
    let tags = json!({
        "fields": { "*": {} }, "pre_tags": ["@HIGHLIGHT@"], "post_tags": ["@/HIGHLIGHT@"],
        "fragment_size": 2_147_483_647,
    });
    let query = json!({ "query_string": { "analyze_wildcard": true, "query": "level:error" } });
    let reply = msearch(
        &server,
        &json!({
            "size": 500,
            // A single filter comes as an object.
            "query": { "bool": { "filter": [range(), query] } },
            "sort": [
                { "@timestamp": { "order": "desc", "unmapped_type": "boolean" } },
                { "_doc": { "order": "desc" } },
            ],
            "fields": [{ "field": "@timestamp", "format": "strict_date_optional_time_nanos" }],
            "docvalue_fields": ["@timestamp"],
            "highlight": tags,
            "script_fields": {},
        }),
    )
    .await;
    assert_eq!(reply.at("/responses/0/status"), 200, "{}", reply.json());
    let first = reply.at("/responses/0/hits/hits/0");
    assert_eq!(first["_id"], "4");
    assert_eq!(first["highlight"]["level"], json!(["@HIGHLIGHT@ERROR@/HIGHLIGHT@"]));
    let date = first["fields"]["@timestamp"][0].as_str().unwrap();
    assert!(date.starts_with("2026-05-18T11:54:00.000"), "{date}");
}

#[tokio::test]
async fn a_single_filter_may_stand_alone_and_terms_have_the_order_of_a_metric() {
    let server = server_with_logs().await;
    let reply = msearch(&server, &json!({
        "size": 0,
        "query": { "bool": { "filter": range() } },
        "aggs": { "3": {
            "terms": { "field": "level.keyword", "size": 500, "order": { "1": "desc" }, "min_doc_count": 1 },
            "aggs": { "1": { "max": { "field": "n" } } },
        } },
    }))
    .await;
    let buckets = reply.at("/responses/0/aggregations/3/buckets");
    let keys: Vec<&Value> = buckets.as_array().unwrap().iter().map(|it| &it["key"]).collect();
    assert_eq!(keys, ["INFO", "ERROR", "WARN"], "{}", reply.json());
}

#[tokio::test]
async fn the_text_of_an_error_stands_where_grafana_looks_for_it() {
    let server = server_with_logs().await;
    let query = json!({ "query_string": { "query": "level:(" } });
    let reply = msearch(&server, &json!({ "size": 0, "query": query })).await;
    let told = reply.at("/responses/0/error/root_cause/0/reason");
    assert!(told.as_str().is_some_and(|it| it.contains("level:(")), "{}", reply.json());
}
