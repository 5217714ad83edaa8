//! The requests of shippers, in the order in which they send them.
//!
//! Source: the outputs of Fluent Bit, Vector and Logstash for OpenSearch.

use std::io::Write;

use axum::body::Body;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::{Method, Request};
use serde_json::json;

use crate::testkit::{Reply, Server};

async fn ship(server: &Server, path: &str, lines: &str, packed: bool) -> Reply {
    let request =
        Request::builder().method("POST").uri(path).header("content-type", "application/x-ndjson");
    let request = match packed {
        false => request.body(Body::from(lines.to_owned())),
        true => {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(lines.as_bytes()).unwrap();
            let body = Body::from(encoder.finish().unwrap());
            request.header("content-encoding", "gzip").body(body)
        }
    };
    server.request(request.unwrap()).await
}

/// Two documents as Fluent Bit's output writes them, the second of which does not fit the first.
const OF_FLUENT_BIT: &str = "{\"create\":{\"_index\":\"logstash-2026.05.18\",\"_type\":\"_doc\"}}\n\
    {\"@timestamp\":\"2026-05-18T12:00:00.123Z\",\"log\":\"started\",\"took\":1}\n\
    {\"create\":{\"_index\":\"logstash-2026.05.18\",\"_type\":\"_doc\"}}\n\
    {\"@timestamp\":\"2026-05-18T12:00:01.000Z\",\"log\":\"started\",\"took\":\"long\"}\n";

#[tokio::test]
async fn fluent_bit_ships_plain_and_packed_and_reads_errors_before_items() {
    let server = Server::start();
    for (path, packed) in [("/_bulk", false), ("/_bulk/", true)] {
        let reply = ship(&server, path, OF_FLUENT_BIT, packed).await;
        assert_eq!(reply.status, 200);
        let text = String::from_utf8(reply.body.to_vec()).unwrap();
        let (errors, items) = (text.find("\"errors\":true"), text.find("\"items\":"));
        assert!(errors.is_some() && errors < items, "{text}");
        assert_eq!(reply.at("/items/0/create/status"), 201);
        assert_eq!(reply.at("/items/1/create/status"), 400);
    }
    server.call("POST /logstash-2026.05.18/_refresh", "").await;
    assert_eq!(server.get("/logstash-*/_count").await.at("/count"), 2);
}

#[tokio::test]
async fn vector_asks_for_health_and_version_and_searches_the_answer_for_errors() {
    let server = Server::start();
    assert_eq!(server.get("/_cluster/health").await.status, 200);
    let version = server.get("/").await.at("/version/number");
    assert!(version.as_str().unwrap().starts_with("3."), "{version}");
    let lines = "{\"create\":{\"_index\":\"vector-2026.05.18\"}}\n{\"message\":\"started\"}\n";
    let reply = ship(&server, "/_bulk?timeout=60s", lines, true).await;
    assert_eq!(reply.status, 200);
    assert!(!String::from_utf8_lossy(&reply.body).contains("\"errors\":true"));
}

#[tokio::test]
async fn logstash_looks_for_its_template_puts_it_and_ships() {
    let server = Server::start();
    assert_eq!(server.send(Method::HEAD, "/", "").await.status, 200);
    assert_eq!(server.get("/_nodes/http").await.at("/_nodes/total"), 1);
    assert_eq!(server.send(Method::HEAD, "/_template/logstash", "").await.status, 404);
    let keyword = json!({ "type": "keyword", "ignore_above": 256 });
    let strings = json!({ "match_mapping_type": "string", "match": "*",
        "mapping": { "type": "text", "norms": false, "fields": { "keyword": keyword } } });
    let template = json!({
        "index_patterns": "logstash-*",
        "version": 60_001,
        "settings": { "index.refresh_interval": "5s", "number_of_shards": 1 },
        "mappings": {
            "dynamic_templates": [{ "string_fields": strings }],
            "properties": { "@timestamp": { "type": "date" }, "@version": { "type": "keyword" } },
        },
    });
    let put = server.send(Method::PUT, "/_template/logstash", &template.to_string()).await;
    assert_eq!(put.json(), json!({ "acknowledged": true }));
    assert_eq!(server.send(Method::HEAD, "/_template/logstash", "").await.status, 200);
    let lines = "{\"index\":{\"_id\":null,\"_index\":\"logstash-2026.05.18\",\"routing\":null}}\n\
        {\"@timestamp\":\"2026-05-18T12:00:00.123Z\",\"@version\":\"1\",\"message\":\"started\"}\n";
    let reply = ship(&server, "/_bulk", lines, true).await;
    assert_eq!(reply.at("/items/0/index/status"), 201, "{}", reply.json());
    let mapping = server.get("/logstash-2026.05.18/_mapping").await.json();
    let properties = &mapping["logstash-2026.05.18"]["mappings"]["properties"];
    assert_eq!(properties["@version"]["type"], "keyword");
    assert_eq!(properties["message"]["fields"]["keyword"]["type"], "keyword");
}
