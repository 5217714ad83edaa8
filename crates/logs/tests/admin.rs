//! Calls about the cluster and its indices, sent through the real routes without a socket.

#![expect(clippy::unwrap_used, reason = "a test may stop where it stands")]

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use http::Request;
use http_body_util::BodyExt;
use jiff::Timestamp;
use pampero_index::{Cluster, IndexOptions};
use pampero_logs::rest::{RestOptions, RestState, router};
use pampero_resilience::VirtualClock;
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt;

/// A server in a folder of its own, late in the evening of a day in November.
struct Server {
    router: Router,
    _folder: TempDir,
}

impl Server {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let cluster = Cluster::open(folder.path(), IndexOptions::default()).unwrap();
        let now: Timestamp = "2026-11-24T22:30:00Z".parse().unwrap();
        let clock = Arc::new(VirtualClock::starting_at(now));
        let state = RestState::new(Arc::new(cluster), clock, RestOptions::default());
        Self { router: router(state), _folder: folder }
    }

    /// A server with these indices.
    async fn with(indices: &[&str]) -> Self {
        let server = Self::start();
        for index in indices {
            server.done(&format!("PUT /{index}"), json!(null)).await;
        }
        server
    }

    /// Sends a call as it stands in the docs, with a body unless it is `null`.
    async fn send(&self, call: &str, body: &Value) -> (u16, String) {
        let (method, uri) = call.split_once(' ').unwrap();
        let request = Request::builder().method(method).uri(uri);
        let request = match body {
            Value::Null => request.body(Body::empty()),
            body => request
                .header("content-type", "application/json")
                .body(Body::from(body.to_string())),
        };
        let response = self.router.clone().oneshot(request.unwrap()).await.unwrap();
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    /// Sends a call that must go well, and returns what it answers.
    async fn done(&self, call: &str, body: Value) -> Value {
        let (status, text) = self.send(call, &body).await;
        assert_eq!(status, 200, "{call}: {text}");
        serde_json::from_str(&text).unwrap_or(Value::String(text))
    }

    /// Sends a call that must go well, and compares what it answers.
    async fn check(&self, call: &str, body: Value, expected: Value) {
        let found = self.done(call, body).await;
        assert_eq!(found, expected, "{call}");
    }

    /// Sends a call that must be acknowledged.
    async fn acknowledged(&self, call: &str, body: Value) {
        self.check(call, body, json!({ "acknowledged": true })).await;
    }

    /// Sends a call without a body, and compares the part of the answer at a pointer.
    async fn check_part(&self, call: &str, pointer: &str, expected: Value) {
        let found = self.done(call, json!(null)).await;
        let part = found.pointer(pointer).cloned().unwrap_or_default();
        assert_eq!(part, expected, "{call} at {pointer} of {found}");
    }

    /// Sends a call that must be refused in these words.
    async fn refused(&self, call: &str, body: Value, status: u16, kind: &str, reason: &str) {
        let (found, text) = self.send(call, &body).await;
        assert_eq!(found, status, "{call}: {text}");
        let answer: Value = serde_json::from_str(&text).unwrap();
        let error = &answer["error"];
        assert_eq!((error["type"].as_str(), error["reason"].as_str()), (Some(kind), Some(reason)));
        assert_eq!(error["root_cause"][0]["type"], kind);
        assert_eq!(answer["status"], status);
    }

    async fn check_status(&self, call: &str, status: u16) {
        let (found, text) = self.send(call, &json!(null)).await;
        assert_eq!(found, status, "{call}: {text}");
    }
}

const ARGUMENT: &str = "illegal_argument_exception";
const NONE: Value = Value::Null;

#[tokio::test]
async fn the_start_tells_who_answers() {
    let server = Server::start();
    let info = server.done("GET /", NONE).await;
    assert_eq!(info["version"]["distribution"], "opensearch");
    assert_eq!(info["version"]["number"], "3.1.0");
    assert_eq!(info["tagline"], "The OpenSearch Project: https://opensearch.org/");
    assert_eq!(info["cluster_uuid"].as_str().unwrap().len(), 22);
    assert_eq!(server.send("HEAD /", &NONE).await, (200, String::new()));
    let unknown = "request [/] contains unrecognized parameter: [foo]";
    server.refused("GET /?foo=1", NONE, 400, ARGUMENT, unknown).await;
}

#[tokio::test(start_paused = true)]
async fn health_is_green_and_waits_for_what_may_come() {
    let server = Server::with(&["a", "b"]).await;
    let health = server.done("GET /_cluster/health", NONE).await;
    assert_eq!(
        health,
        json!({ "cluster_name": "pampero", "status": "green", "timed_out": false,
            "number_of_nodes": 1, "number_of_data_nodes": 1, "discovered_master": true,
            "discovered_cluster_manager": true, "active_primary_shards": 2, "active_shards": 2,
            "relocating_shards": 0, "initializing_shards": 0, "unassigned_shards": 0,
            "delayed_unassigned_shards": 0, "number_of_pending_tasks": 0,
            "number_of_in_flight_fetch": 0, "task_max_waiting_in_queue_millis": 0,
            "active_shards_percent_as_number": 100.0 })
    );
    server
        .check_part("GET /_cluster/health/a?level=indices", "/indices/a/number_of_shards", json!(1))
        .await;
    server
        .check_part(
            "GET /_cluster/health/a?level=shards",
            "/indices/a/shards/0/primary_active",
            json!(true),
        )
        .await;
    server
        .check_part(
            "GET /_cluster/health?wait_for_status=yellow&timeout=50s",
            "/timed_out",
            json!(false),
        )
        .await;
    server.check_part("GET /_cluster/health/nothing", "/status", json!("red")).await;
    for waiting in
        ["nothing?wait_for_status=yellow", "a?wait_for_nodes=%3E%3D2", "a?wait_for_active_shards=2"]
    {
        let (status, text) =
            server.send(&format!("GET /_cluster/health/{waiting}&timeout=2s"), &NONE).await;
        assert_eq!(status, 408, "{waiting}");
        assert!(text.contains("\"timed_out\":true"), "{text}");
    }
    server.check_status("GET /_cluster/health?wait_for_status=blue", 400).await;
    server.check_status("GET /_cluster/health?level=house", 400).await;
}

#[tokio::test(start_paused = true)]
async fn health_sees_an_index_that_comes_while_it_waits() {
    let server = Server::start();
    let wait = server.send("GET /_cluster/health/late?wait_for_status=green&timeout=1h", &NONE);
    let make = async {
        tokio::time::sleep(std::time::Duration::from_secs(5)).await;
        server.done("PUT /late", NONE).await;
    };
    let ((status, text), ()) = tokio::join!(wait, make);
    assert_eq!(status, 200, "{text}");
}

#[tokio::test]
async fn indices_are_made_shown_and_deleted() {
    let server = Server::start();
    let body = json!({ "settings": { "refresh_interval": "5s" },
        "mappings": { "properties": { "station": { "type": "keyword" } } },
        "aliases": { "logs": { "is_write_index": true } } });
    let made =
        json!({ "acknowledged": true, "shards_acknowledged": true, "index": "weather_logs" });
    server.check("PUT /weather_logs", body, made).await;
    let shown = server.done("GET /weather_logs", NONE).await;
    let index = &shown["weather_logs"];
    assert_eq!(index["aliases"], json!({ "logs": { "is_write_index": true } }));
    assert_eq!(index["mappings"], json!({ "properties": { "station": { "type": "keyword" } } }));
    let settings = &index["settings"]["index"];
    assert_eq!(settings["refresh_interval"], "5s");
    assert_eq!(settings["number_of_shards"], "1");
    assert_eq!(settings["provided_name"], "weather_logs");
    assert_eq!(settings["uuid"].as_str().unwrap().len(), 22);
    let flat = server.done("GET /logs?flat_settings=true&include_defaults", NONE).await;
    assert_eq!(flat["weather_logs"]["settings"]["index.number_of_replicas"], "0");
    assert_eq!(flat["weather_logs"]["defaults"]["index.max_result_window"], "10000");
    server.check_status("HEAD /weather_logs", 200).await;
    server.check_status("HEAD /nothing", 404).await;
    server.check("GET /nothing*", NONE, json!({})).await;
    server.check("GET /nothing?ignore_unavailable=true", NONE, json!({})).await;
    let missing = "no such index [nothing]";
    server.refused("GET /nothing", NONE, 404, "index_not_found_exception", missing).await;
    let uuid = settings["uuid"].as_str().unwrap();
    let again = format!("index [weather_logs/{uuid}] already exists");
    let kind = "resource_already_exists_exception";
    server.refused("PUT /weather_logs", NONE, 400, kind, &again).await;
    let alias = "The provided expression [logs] matches an alias, specify the corresponding concrete indices instead.";
    server.refused("DELETE /logs", NONE, 400, ARGUMENT, alias).await;
    server.acknowledged("DELETE /logs?ignore_unavailable=true", NONE).await;
    server.acknowledged("DELETE /lo*", NONE).await;
    let none = "no such index [lo*]";
    server
        .refused("DELETE /lo*?allow_no_indices=false", NONE, 404, "index_not_found_exception", none)
        .await;
    server.acknowledged("DELETE /weather_logs", NONE).await;
    server.check_status("DELETE /weather_logs", 404).await;
    server.check("GET /_alias", NONE, json!({})).await;
}

#[tokio::test]
async fn names_with_dates_are_worked_out() {
    let server = Server::start();
    let made =
        json!({ "acknowledged": true, "shards_acknowledged": true, "index": "logs-2026.11.24" });
    server.check("PUT /%3Clogs-%7Bnow%2Fd%7D%3E", NONE, made).await;
    server.check_status("HEAD /%3Clogs-%7Bnow%2Fd%7D%3E", 200).await;
    server.check_status("HEAD /%3Clogs-%7Bnow%2Fd-1d%7D%3E", 404).await;
}

#[tokio::test]
async fn names_and_bodies_of_new_indices_are_refused_in_words() {
    let server = Server::start();
    let kind = "invalid_index_name_exception";
    let lower = "Invalid index name [Logs], must be lowercase";
    server.refused("PUT /Logs", NONE, 400, kind, lower).await;
    let start = "Invalid index name [_foo], must not start with '_', '-', or '+'";
    server.refused("PUT /_foo", NONE, 400, kind, start).await;
    let license = "Invalid index name [_license], must not start with '_'.";
    server.refused("GET /_license", NONE, 400, kind, license).await;
    let key = "unknown key [setings] for create index";
    server.refused("PUT /a", json!({ "setings": {} }), 400, "parse_exception", key).await;
    server.check_status("PUT /a?wait_for_active_shards=1&timeout=5s", 200).await;
    let close = "closing of indices [_close] is not supported by this server";
    server.refused("POST /a/_close", NONE, 400, ARGUMENT, close).await;
    let ingest = "ingest pipelines [_ingest] is not supported by this server";
    server.refused("PUT /_ingest/pipeline/p", NONE, 400, ARGUMENT, ingest).await;
}

#[tokio::test]
async fn mappings_grow() {
    let server = Server::with(&["a", "b", "0"]).await;
    server.check("GET /a/_mapping", NONE, json!({ "a": { "mappings": {} } })).await;
    let level = json!({ "type": "text", "fields": { "raw": { "type": "keyword" } } });
    let added = json!({ "properties": { "level": level, "ts": { "type": "date" } } });
    server.acknowledged("PUT /a/_mapping", added.clone()).await;
    server.check("GET /a/_mapping", NONE, json!({ "a": { "mappings": added } })).await;
    server.check_part("GET /_mapping", "/b/mappings", json!({})).await;
    let fields = json!({ "a": { "mappings": {
        "level.raw": { "full_name": "level.raw", "mapping": { "raw": { "type": "keyword" } } },
        "ts": { "full_name": "ts", "mapping": { "ts": { "type": "date" } } } } } });
    server.check("GET /a/_mapping/field/ts,*.raw,none", NONE, fields).await;
    server.check("GET /b/_mapping/field/ts", NONE, json!({ "b": { "mappings": {} } })).await;
    server.check_status("GET /nothing*/_mapping/field/ts", 404).await;
    let changed = "mapper [ts] cannot be changed from type [date] to [long]";
    // An index that comes first stays as it is when a later one refuses.
    let body = json!({ "properties": { "new": { "type": "ip" }, "ts": { "type": "long" } } });
    server.refused("PUT /0,a/_mapping", body, 400, ARGUMENT, changed).await;
    server.check("GET /0/_mapping", NONE, json!({ "0": { "mappings": {} } })).await;
    let typed = "Types cannot be provided in put mapping requests, unless the include_type_name parameter is set to true.";
    server.refused("PUT /a/_mapping", json!({ "_doc": {} }), 400, ARGUMENT, typed).await;
    server
        .refused("PUT /a/_mapping", NONE, 400, "parse_exception", "request body is required")
        .await;
}

#[tokio::test]
async fn settings_are_shown_and_changed() {
    let server = Server::with(&["a"]).await;
    server.acknowledged("PUT /a/_settings", json!({ "index": { "refresh_interval": "5s" } })).await;
    let one = json!({ "a": { "settings": { "index": { "refresh_interval": "5s" } } } });
    server.check("GET /a/_settings/index.refresh*", NONE, one).await;
    let flat = json!({ "a": { "settings": { "index.number_of_shards": "1" } } });
    server.check("GET /a/_settings/index.number_of_shards?flat_settings=true", NONE, flat).await;
    server.check("GET /a/_settings/nothing", NONE, json!({})).await;
    let settings = json!({ "refresh_interval": "9s" });
    server.acknowledged("PUT /a/_settings?preserve_existing=true", settings).await;
    server.check_part("GET /a/_settings", "/a/settings/index/refresh_interval", json!("5s")).await;
    server.acknowledged("PUT /_settings", json!({ "index.refresh_interval": null })).await;
    server.check_part("GET /a/_settings", "/a/settings/index/refresh_interval", NONE).await;
    let (status, text) = server.send("PUT /a/_settings", &json!({ "number_of_shards": 2 })).await;
    assert_eq!(status, 400);
    assert!(
        text.contains("Can't update non dynamic settings [[index.number_of_shards]]"),
        "{text}"
    );
}

#[tokio::test]
async fn aliases_are_given_shown_and_taken_away() {
    let server = Server::with(&["a", "b"]).await;
    let filter = json!({ "term": { "level": "error" } });
    server.acknowledged("PUT /a/_alias/errors", json!({ "filter": filter, "routing": "1" })).await;
    server.acknowledged("PUT /a,b/_alias/all", NONE).await;
    server.acknowledged("POST /_alias/body", json!({ "index": "b" })).await;
    let errors = json!({ "filter": filter, "index_routing": "1", "search_routing": "1" });
    server
        .check("GET /_alias/errors", NONE, json!({ "a": { "aliases": { "errors": errors } } }))
        .await;
    server
        .check("GET /b/_alias", NONE, json!({ "b": { "aliases": { "all": {}, "body": {} } } }))
        .await;
    let all = json!({ "a": { "aliases": { "all": {} } }, "b": { "aliases": { "all": {} } } });
    server.check("GET /_alias/al*", NONE, all).await;
    server.check("GET /_alias/z*", NONE, json!({})).await;
    let (status, text) = server.send("GET /_alias/body,x,y", &NONE).await;
    assert_eq!(status, 404);
    let found: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        found,
        json!({ "b": { "aliases": { "body": {} } }, "error": "aliases [x,y] missing", "status": 404 })
    );
    server.check_status("HEAD /_alias/x", 404).await;
    server.check_status("HEAD /a/_alias/errors", 200).await;
    let missing = "aliases [x] missing";
    server.refused("DELETE /a/_alias/x", NONE, 404, "aliases_not_found_exception", missing).await;
    server.acknowledged("DELETE /a/_alias/errors", NONE).await;
    let swap = json!({ "actions": [
        { "remove": { "index": "b", "alias": "body" } },
        { "add": { "indices": ["a"], "alias": "body", "is_write_index": true } },
        { "remove_index": { "index": "b" } } ] });
    server.acknowledged("POST /_aliases", swap).await;
    let body = json!({ "a": { "aliases": { "body": { "is_write_index": true } } } });
    server.check("GET /_alias/body", NONE, body).await;
    server.check_status("HEAD /b", 404).await;
    server
        .refused("POST /_aliases", json!({ "actions": [] }), 400, ARGUMENT, "No action specified")
        .await;
    let empty = "One of [index] or [indices] is required";
    let action = json!({ "actions": [{ "add": { "alias": "x" } }] });
    server.refused("POST /_aliases", action, 400, ARGUMENT, empty).await;
    let action = json!({ "actions": [{ "put": { "alias": "x" } }] });
    let unknown = "[1:1] [alias_action] unknown field [put]";
    server.refused("POST /_aliases", action, 400, "x_content_parse_exception", unknown).await;
}

#[tokio::test]
async fn composable_templates_are_kept_and_simulated() {
    let server = Server::start();
    let component =
        json!({ "template": { "settings": { "number_of_replicas": 0 } }, "version": 2 });
    server.acknowledged("PUT /_component_template/base", component).await;
    let template = json!({ "index_patterns": ["weather_logs*"], "priority": 10, "composed_of": ["base"],
        "template": { "mappings": { "properties": { "a": { "type": "keyword" } } } } });
    server.acknowledged("PUT /_index_template/wx", template.clone()).await;
    let shown = json!({ "index_templates": [{ "name": "wx", "index_template": template }] });
    server.check("GET /_index_template/wx", NONE, shown).await;
    server.check("GET /_index_template/z*", NONE, json!({ "index_templates": [] })).await;
    let missing = "index template matching [z] not found";
    server
        .refused("GET /_index_template/z", NONE, 404, "resource_not_found_exception", missing)
        .await;
    server.check_status("HEAD /_index_template/wx", 200).await;
    server.check_status("HEAD /_index_template/z", 404).await;
    let again = "index template [wx] already exists";
    server.refused("PUT /_index_template/wx?create=true", template, 400, ARGUMENT, again).await;
    let made = json!({ "template": {
            "settings": { "index": { "number_of_replicas": "0" } },
            "mappings": { "properties": { "a": { "type": "keyword" } } }, "aliases": {} },
        "overlapping": [] });
    server.check("POST /_index_template/_simulate_index/weather_logs-1", NONE, made.clone()).await;
    server.check("POST /_index_template/_simulate/wx", NONE, made).await;
    let kept = json!({ "component_templates": [{ "name": "base", "component_template": {
        "template": { "settings": { "index": { "number_of_replicas": "0" } } }, "version": 2 } }] });
    server.check("GET /_component_template/base", NONE, kept).await;
    server.check_status("DELETE /_component_template/base", 400).await;
    server.acknowledged("DELETE /_index_template/wx", NONE).await;
    let gone = "index_template [wx] missing";
    server
        .refused("DELETE /_index_template/wx", NONE, 404, "index_template_missing_exception", gone)
        .await;
}

#[tokio::test]
async fn legacy_templates_are_kept() {
    let server = Server::start();
    server.check("GET /_template", NONE, json!({})).await;
    server
        .acknowledged(
            "PUT /_template/wx?order=3",
            json!({ "index_patterns": "a*",
        "settings": { "number_of_shards": 1 } }),
        )
        .await;
    let shown = json!({ "wx": { "order": 3, "index_patterns": ["a*"],
        "settings": { "index": { "number_of_shards": "1" } }, "mappings": {}, "aliases": {} } });
    server.check("GET /_template/wx", NONE, shown).await;
    server.check_status("HEAD /_template/wx", 200).await;
    assert_eq!(server.send("GET /_template/z", &NONE).await, (404, "{}".to_owned()));
    server.acknowledged("DELETE /_template/wx", NONE).await;
    server.check_status("DELETE /_template/wx", 404).await;
}

#[tokio::test]
async fn maintenance_tells_of_shards() {
    let server = Server::with(&["a", "b"]).await;
    let shards =
        |total: u32| json!({ "_shards": { "total": total, "successful": total, "failed": 0 } });
    server.check("POST /_refresh", NONE, shards(2)).await;
    server.check("GET /a/_refresh", NONE, shards(1)).await;
    server.check("POST /a/_flush?force=true", NONE, shards(1)).await;
    server.check("POST /a/_forcemerge?max_num_segments=1", NONE, shards(1)).await;
    server.check("POST /nothing*/_refresh", NONE, shards(0)).await;
    server.check_status("POST /nothing/_refresh", 404).await;
    let stats = server.done("GET /a/_stats/docs,store", NONE).await;
    assert_eq!(stats["_shards"], json!({ "total": 1, "successful": 1, "failed": 0 }));
    let docs = json!({ "count": 0, "deleted": 0 });
    assert_eq!(stats["indices"]["a"]["primaries"]["docs"], docs);
    assert_eq!(stats["_all"]["total"]["docs"], docs);
    assert!(stats["_all"]["total"].get("indexing").is_none());
    server.check_part("GET /_stats?level=cluster", "/indices", NONE).await;
    let metric = "request [/_stats/nothing] contains unrecognized metric: [nothing]";
    server.refused("GET /_stats/nothing", NONE, 400, ARGUMENT, metric).await;
    let body = "request [POST /_refresh] does not support having a body";
    server.refused("POST /_refresh", json!({}), 400, ARGUMENT, body).await;
}

#[tokio::test]
async fn tables_are_text_or_json() {
    let server = Server::with(&["b", "a"]).await;
    server.done("PUT /a/_alias/al", NONE).await;
    server.done("PUT /hid", json!({ "settings": { "hidden": true } })).await;
    server
        .check(
            "GET /_cat/indices?h=index,docs.count&s=index:desc&v",
            NONE,
            json!("index docs.count\nb              0\na              0\n"),
        )
        .await;
    server.check("GET /_cat/indices?h=i&expand_wildcards=all", NONE, json!("a\nb\nhid\n")).await;
    let row = json!([{ "health": "green", "status": "open", "index": "a", "docs.count": "0", "pri": "1", "rep": "0" }]);
    server
        .check(
            "GET /_cat/indices/a?format=json&h=health,status,index,docs.count,pri,rep",
            NONE,
            row,
        )
        .await;
    assert_eq!(server.send("GET /_cat/indices/z*", &NONE).await, (200, String::new()));
    server.check("GET /_cat/indices/z*?format=json", NONE, json!([])).await;
    server.check_status("GET /_cat/indices/z", 404).await;
    server.check("GET /_cat/indices?health=red&format=json", NONE, json!([])).await;
    let health = "epoch      timestamp cluster status node.total node.data discovered_cluster_manager shards pri relo init unassign pending_tasks max_task_wait_time active_shards_percent\n1795559400 22:30:00  pampero green           1         1                       true      3   3    0    0        0             0                  -                100.0%\n";
    server.check("GET /_cat/health?v", NONE, json!(health)).await;
    server
        .check(
            "GET /_cat/health?ts=false&h=cluster,status,shards",
            NONE,
            json!("pampero green 3\n"),
        )
        .await;
    server.check("GET /_cat/aliases", NONE, json!("al a - - - -\n")).await;
    server.check("GET /_cat/count/a?h=count", NONE, json!(0)).await;
    server
        .check(
            "GET /_cat/shards/a?h=index,shard,prirep,state,node",
            NONE,
            json!("a 0 p STARTED pampero-1\n"),
        )
        .await;
    server.check("GET /_cat/nodes?h=name,m", NONE, json!("pampero-1 *\n")).await;
    server.check("GET /_cat/plugins?format=json", NONE, json!([])).await;
    server.done("PUT /_index_template/t", json!({ "index_patterns": ["x*"], "priority": 4 })).await;
    server.check("GET /_cat/templates", NONE, json!("t [x*] 4  []\n")).await;
    let (_, help) = server.send("GET /_cat/indices?help", &NONE).await;
    assert!(help.contains("docs.count") && help.contains(" | dc,docsCount "), "{help}");
    let (_, list) = server.send("GET /_cat", &NONE).await;
    assert!(list.starts_with("=^.^=\n") && list.contains("/_cat/indices\n"), "{list}");
    server.check_status("GET /_cat/indices?bytes=x", 400).await;
    let format = "format [xml] is not supported by this server";
    server.refused("GET /_cat/indices?format=xml", NONE, 400, ARGUMENT, format).await;
    let tasks = "[_cat/tasks] is not supported by this server";
    server.refused("GET /_cat/tasks", NONE, 400, ARGUMENT, tasks).await;
}

#[tokio::test]
async fn clients_that_look_for_nodes_find_one() {
    let server = Server::start();
    for path in ["/_nodes/http", "/_nodes/_all/http", "/_nodes", "/_nodes/_local/_all"] {
        let found = server.done(&format!("GET {path}"), NONE).await;
        let nodes = found["nodes"].as_object().unwrap();
        let (id, node) = nodes.iter().next().unwrap();
        assert_eq!(id.len(), 22);
        assert_eq!(node["http"]["publish_address"], RestOptions::default().publish_address);
        assert_eq!(found["_nodes"], json!({ "total": 1, "successful": 1, "failed": 0 }));
    }
    server.check_part("GET /_nodes/other", "/nodes", json!({})).await;
    server.check_part("GET /_nodes/stats/indices", "/_nodes/total", json!(1)).await;
}

#[tokio::test]
async fn the_cluster_has_settings_state_and_statistics() {
    let server = Server::with(&["a"]).await;
    let none = json!({ "persistent": {}, "transient": {} });
    server.check("GET /_cluster/settings", NONE, none).await;
    let set = json!({ "persistent": { "action.auto_create_index": false } });
    let answer = json!({ "acknowledged": true, "transient": {},
        "persistent": { "action": { "auto_create_index": "false" } } });
    server.check("PUT /_cluster/settings", set, answer).await;
    server.check_status("PUT /x/_doc/1", 400).await;
    let off = "no such index [x] and [action.auto_create_index] is [false]";
    let document = json!({ "a": 1 });
    server.refused("PUT /x/_doc/1", document, 404, "index_not_found_exception", off).await;
    let unknown = "transient setting [search.max_buckets] is not supported by this server";
    let set = json!({ "transient": { "search.max_buckets": 5 } });
    server.refused("PUT /_cluster/settings", set, 400, ARGUMENT, unknown).await;
    let set = json!({ "persistent": { "nothing": 5 } });
    let unknown = "persistent setting [nothing], not recognized";
    server.refused("PUT /_cluster/settings", set, 400, ARGUMENT, unknown).await;
    server
        .check_part("GET /_cluster/state/metadata/a", "/metadata/indices/a/state", json!("open"))
        .await;
    server.check_status("GET /_cluster/state/routing_table", 400).await;
    server.check_part("GET /_cluster/stats", "/indices/count", json!(1)).await;
}

#[tokio::test]
async fn names_are_resolved() {
    let server = Server::with(&["a1", "a2"]).await;
    server.done("PUT /a1/_alias/al", NONE).await;
    let found = json!({
        "indices": [
            { "name": "a1", "aliases": ["al"], "attributes": ["open"] },
            { "name": "a2", "attributes": ["open"] } ],
        "aliases": [{ "name": "al", "indices": ["a1"] }], "data_streams": [] });
    server.check("GET /_resolve/index/a*", NONE, found).await;
    let nothing = json!({ "indices": [], "aliases": [], "data_streams": [] });
    server.check("GET /_resolve/index/z*", NONE, nothing).await;
    server.check_status("GET /_resolve/index/z", 404).await;
}

#[tokio::test]
async fn an_alias_rolls_over() {
    let server = Server::start();
    server
        .done("PUT /logs-000001", json!({ "aliases": { "logs": { "is_write_index": true } } }))
        .await;
    let conditions = json!({ "conditions": { "max_docs": 1, "max_age": "7d" } });
    let not_yet = json!({ "acknowledged": false, "shards_acknowledged": false,
        "old_index": "logs-000001", "new_index": "logs-000002", "rolled_over": false,
        "dry_run": false, "conditions": { "[max_docs: 1]": false, "[max_age: 7d]": false } });
    server.check("POST /logs/_rollover", conditions, not_yet).await;
    let rolled = server.done("POST /logs/_rollover", NONE).await;
    assert_eq!(rolled["rolled_over"], true);
    let aliases = json!({
        "logs-000001": { "aliases": { "logs": { "is_write_index": false } } },
        "logs-000002": { "aliases": { "logs": { "is_write_index": true } } } });
    server.check("GET /_alias/logs", NONE, aliases).await;
    let unknown = "[1:1] [conditions] unknown field [max_moons]";
    let body = json!({ "conditions": { "max_moons": 1 } });
    server.refused("POST /logs/_rollover", body, 400, "x_content_parse_exception", unknown).await;
}
