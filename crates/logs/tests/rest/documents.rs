//! Single documents.

use serde_json::{Value, json};

use crate::testkit::Server;

/// A call, its body, the status of its answer, and parts of that.
type Step<'a> = (&'a str, &'a str, u16, &'a [(&'a str, Value)]);

/// Sends calls one after the other and checks status and parts of each answer.
async fn play(server: &Server, steps: &[Step<'_>]) {
    for (call, body, status, parts) in steps {
        let reply = server.call(call, body).await;
        let text = String::from_utf8_lossy(&reply.body).into_owned();
        assert_eq!(reply.status, *status, "{call}: {text}");
        for (pointer, value) in *parts {
            assert_eq!(&reply.at(pointer), value, "{call} {pointer}: {text}");
        }
    }
}

#[tokio::test]
async fn documents_are_written_read_and_deleted() {
    let server = Server::start();
    play(
        &server,
        &[
            (
                "PUT /logs/_doc/1",
                r#"{"a":1}"#,
                201,
                &[
                    ("/_index", json!("logs")),
                    ("/_id", json!("1")),
                    ("/_version", json!(1)),
                    ("/result", json!("created")),
                    ("/_seq_no", json!(0)),
                    ("/_primary_term", json!(1)),
                    ("/_shards/successful", json!(1)),
                    ("/_shards/failed", json!(0)),
                    ("/forced_refresh", Value::Null),
                ],
            ),
            (
                "POST /logs/_doc/1?refresh",
                r#"{"a":2}"#,
                200,
                &[
                    ("/_version", json!(2)),
                    ("/result", json!("updated")),
                    ("/forced_refresh", json!(true)),
                ],
            ),
            (
                "GET /logs/_doc/1",
                "",
                200,
                &[("/found", json!(true)), ("/_source", json!({ "a": 2 })), ("/_seq_no", json!(1))],
            ),
            (
                "GET /logs/_doc/2",
                "",
                404,
                &[("", json!({ "_index": "logs", "_id": "2", "found": false }))],
            ),
            (
                "PUT /logs/_create/1",
                r#"{"a":3}"#,
                409,
                &[
                    ("/error/type", json!("version_conflict_engine_exception")),
                    (
                        "/error/reason",
                        json!(
                            "[1]: version conflict, document already exists (current version [2])"
                        ),
                    ),
                    ("/error/index", json!("logs")),
                ],
            ),
            ("POST /logs/_doc/1?op_type=create", r#"{"a":3}"#, 409, &[]),
            ("PUT /logs/_create/3?routing=r", r#"{"a":3}"#, 201, &[]),
            ("GET /logs/_doc/3?routing=r", "", 200, &[("/_routing", json!("r"))]),
            (
                "DELETE /logs/_doc/1",
                "",
                200,
                &[("/result", json!("deleted")), ("/_version", json!(3))],
            ),
            ("DELETE /logs/_doc/1", "", 404, &[("/result", json!("not_found"))]),
            ("GET /logs/_doc/1", "", 404, &[("/found", json!(false))]),
            (
                "DELETE /nothing/_doc/1",
                "",
                404,
                &[("/error/type", json!("index_not_found_exception"))],
            ),
            ("GET /nothing/_doc/1", "", 404, &[("/error/index", json!("nothing"))]),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_document_without_an_id_gets_one_and_is_located() {
    let server = Server::start();
    let reply = server.call("POST /logs/_doc", r#"{"a":1}"#).await;
    let id = reply.at("/_id").as_str().unwrap().to_owned();
    assert_eq!((reply.status.as_u16(), id.len()), (201, 20));
    assert_eq!(reply.header("location"), Some(&*format!("/logs/_doc/{id}")));
    let reply = server.call("PUT /logs/_doc/a%2Fb%20%C3%A9", r#"{"a":2}"#).await;
    assert_eq!(reply.at("/_id"), "a/b é");
    assert_eq!(reply.header("location"), Some("/logs/_doc/a%2Fb%20%C3%A9"));
    assert_eq!(server.get("/logs/_doc/a%2Fb%20%C3%A9").await.at("/_source/a"), 2);
}

#[tokio::test]
async fn the_order_of_keys_is_that_of_opensearch() {
    let server = Server::start();
    let reply = server.call("PUT /logs/_doc/1?refresh=true", r#"{"z": 1, "a": 2.50}"#).await;
    assert_eq!(
        reply.body,
        r#"{"_index":"logs","_id":"1","_version":1,"result":"created","forced_refresh":true,"_shards":{"total":1,"successful":1,"failed":0},"_seq_no":0,"_primary_term":1}"#
            .replace("\"total\":1", &format!("\"total\":{}", reply.at("/_shards/total")))
    );
    // A document is given back as it was given.
    let reply = server.get("/logs/_doc/1").await;
    assert_eq!(
        reply.body,
        r#"{"_index":"logs","_id":"1","_version":1,"_seq_no":0,"_primary_term":1,"found":true,"_source":{"z": 1, "a": 2.50}}"#
    );
}

#[tokio::test]
async fn sources_are_filtered() {
    let server = Server::start();
    server.call("PUT /logs/_doc/1", r#"{"a":{"x":1,"y":2},"b":3}"#).await;
    play(
        &server,
        &[
            ("GET /logs/_source/1", "", 200, &[("", json!({ "a": { "x": 1, "y": 2 }, "b": 3 }))]),
            (
                "GET /logs/_source/1?_source_includes=a",
                "",
                200,
                &[("", json!({ "a": { "x": 1, "y": 2 } }))],
            ),
            (
                "GET /logs/_doc/1?_source=a.x,b",
                "",
                200,
                &[("/_source", json!({ "a": { "x": 1 }, "b": 3 }))],
            ),
            (
                "GET /logs/_doc/1?_source=a&_source_excludes=*.y",
                "",
                200,
                &[("/_source", json!({ "a": { "x": 1 } }))],
            ),
            (
                "GET /logs/_doc/1?_source=false",
                "",
                200,
                &[("/_source", Value::Null), ("/found", json!(true))],
            ),
            ("GET /logs/_doc/1?stored_fields=b", "", 200, &[("/_source", Value::Null)]),
            ("GET /logs/_source/1?_source=false", "", 400, &[]),
            (
                "GET /logs/_source/2",
                "",
                404,
                &[
                    ("/error/type", json!("resource_not_found_exception")),
                    ("/error/reason", json!("Document not found [logs]/[2]")),
                ],
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn versions_are_expected_and_conflict() {
    let server = Server::start();
    server.call("PUT /logs/_doc/1", r#"{"a":1}"#).await;
    play(&server, &[
        ("PUT /logs/_doc/1?if_seq_no=10&if_primary_term=1", r#"{"a":2}"#, 409, &[
            ("/error/reason", json!("[1]: version conflict, required seqNo [10], primary term [1]. current document has seqNo [0] and primary term [1]")),
        ]),
        ("PUT /logs/_doc/1?if_seq_no=0&if_primary_term=1", r#"{"a":2}"#, 200, &[]),
        ("PUT /logs/_doc/1?if_seq_no=0", r#"{"a":2}"#, 400, &[
            ("/error/type", json!("action_request_validation_exception")),
        ]),
        ("PUT /logs/_doc/1?version=9", r#"{"a":2}"#, 400, &[]),
        ("PUT /logs/_doc/2?version=9&version_type=external", r#"{"a":2}"#, 201, &[("/_version", json!(9))]),
        ("PUT /logs/_doc/2?version=9&version_type=external", r#"{"a":2}"#, 409, &[]),
        ("PUT /logs/_doc/2?version=9&version_type=external_gte", r#"{"a":2}"#, 200, &[]),
        ("GET /logs/_doc/1?version=1", "", 409, &[]),
        ("GET /logs/_doc/1?version=2", "", 200, &[]),
        ("DELETE /logs/_doc/1?if_seq_no=77&if_primary_term=1", "", 409, &[]),
    ])
    .await;
}

#[tokio::test]
async fn writes_that_cannot_be_are_refused() {
    let server = Server::start();
    play(&server, &[
        ("PUT /logs/_doc/1", "", 400, &[
            ("/error/type", json!("parse_exception")), ("/error/reason", json!("request body is required")),
        ]),
        ("PUT /logs/_doc/1?refresh=soon", r#"{"a":1}"#, 400, &[
            ("/error/reason", json!("Unknown value for refresh: [soon].")),
        ]),
        ("PUT /logs/_doc/1?pipeline=geo", r#"{"a":1}"#, 400, &[
            ("/error/reason", json!("ingest pipeline [geo] is not supported by this server")),
        ]),
        ("PUT /logs/_doc/1?pipeline=_none", r#"{"a":1}"#, 201, &[]),
        ("PUT /LOGS/_doc/1", r#"{"a":1}"#, 400, &[("/error/type", json!("invalid_index_name_exception"))]),
        ("PUT /logs/_doc/1?op_type=upsert", r#"{"a":1}"#, 400, &[]),
        ("PUT /logs/_doc/1", "[1,2]", 400, &[("/error/type", json!("mapper_parsing_exception"))]),
        ("PUT /none/_doc/1?require_alias=true", r#"{"a":1}"#, 404, &[
            ("/error/reason", json!("no such index [none] and [require_alias] request flag is [true] and [none] is not an alias")),
        ]),
        ("GET /logs/_doc/1", r#"{"a":1}"#, 400, &[
            ("/error/reason", json!("request [GET /logs/_doc/1] does not support having a body")),
        ]),
    ])
    .await;
}

#[tokio::test]
async fn parts_of_documents_are_updated() {
    let server = Server::start();
    server.call("PUT /logs/_doc/1", r#"{"a":{"x":1},"b":2}"#).await;
    play(
        &server,
        &[
            (
                "POST /logs/_update/1?_source=a",
                r#"{"doc":{"a":{"y":3}}}"#,
                200,
                &[
                    ("/result", json!("updated")),
                    ("/get/_source", json!({ "a": { "x": 1, "y": 3 } })),
                    ("/get/found", json!(true)),
                ],
            ),
            (
                "POST /logs/_update/1",
                r#"{"doc":{"b":2}}"#,
                200,
                &[
                    ("/result", json!("noop")),
                    ("/_shards/total", json!(0)),
                    ("/_version", json!(2)),
                ],
            ),
            (
                "POST /logs/_update/9",
                r#"{"doc":{"b":2}}"#,
                404,
                &[
                    ("/error/type", json!("document_missing_exception")),
                    ("/error/reason", json!("[9]: document missing")),
                ],
            ),
            (
                "POST /logs/_update/9",
                r#"{"doc":{"b":2},"doc_as_upsert":true}"#,
                201,
                &[("/result", json!("created"))],
            ),
            (
                "POST /logs/_update/1",
                r#"{"script":{"source":"1"}}"#,
                400,
                &[(
                    "/error/reason",
                    json!("[script] of an update is not supported by this server"),
                )],
            ),
            ("POST /logs/_update/1?if_seq_no=0&if_primary_term=1", r#"{"doc":{"b":5}}"#, 409, &[]),
            ("POST /logs/_update/1", "{", 400, &[("/error/type", json!("json_parse_exception"))]),
        ],
    )
    .await;
}

#[tokio::test]
async fn several_documents_are_read_at_once() {
    let server = Server::start();
    server.call("PUT /logs/_doc/1", r#"{"a":1,"b":2}"#).await;
    server.call("PUT /more/_doc/x", r#"{"a":3}"#).await;
    play(&server, &[
        ("POST /logs/_mget", r#"{"ids":["1",2]}"#, 200, &[
            ("/docs/0/_source", json!({ "a": 1, "b": 2 })), ("/docs/1/found", json!(false)), ("/docs/1/_id", json!("2")),
        ]),
        ("GET /_mget", r#"{"docs":[{"_index":"more","_id":"x"},{"_index":"none","_id":"1"},{"_index":"logs","_id":"1","_source":["b"]}]}"#, 200, &[
            ("/docs/0/_source/a", json!(3)),
            ("/docs/1/error/type", json!("index_not_found_exception")),
            ("/docs/1/error/root_cause/0/index", json!("none")),
            ("/docs/2/_source", json!({ "b": 2 })),
        ]),
        ("POST /logs/_mget?_source=a", r#"{"ids":["1"]}"#, 200, &[("/docs/0/_source", json!({ "a": 1 }))]),
        ("POST /_mget", r#"{"ids":["1"]}"#, 400, &[("/error/reason", json!("Validation Failed: 1: index is missing for doc 0;"))]),
        ("POST /_mget", r#"{"docs":[]}"#, 400, &[("/error/reason", json!("Validation Failed: 1: no documents to get;"))]),
        ("POST /_mget", "", 400, &[("/error/reason", json!("request body is required"))]),
        ("POST /_mget", r#"{"dox":[{}]}"#, 400, &[]),
    ])
    .await;
}

#[tokio::test]
async fn an_alias_gives_its_routing_to_what_is_written_through_it() {
    let server = Server::start();
    let aliases = r#"{"aliases":{"here":{"index_routing":"north"},"plain":{}}}"#;
    assert_eq!(server.call("PUT /logs", aliases).await.status, 200);
    let bulk = [
        r#"{"index":{"_index":"here","_id":"4"}}"#,
        "{}",
        r#"{"index":{"_index":"here","_id":"5","routing":"south"}}"#,
        "{}",
        r#"{"update":{"_index":"here","_id":"6"}}"#,
        r#"{"doc":{},"doc_as_upsert":true}"#,
        r#"{"index":{"_index":"plain","_id":"7","routing":"south"}}"#,
        "{}",
        "",
    ]
    .join("\n");
    let other = json!(
        "Alias [here] has index routing associated with it [north], and was provided with routing value [south], rejecting operation"
    );
    play(
        &server,
        &[
            ("PUT /here/_doc/1", "{}", 201, &[]),
            ("PUT /here/_create/2?routing=north", "{}", 201, &[]),
            ("POST /here/_update/3", r#"{"doc":{},"doc_as_upsert":true}"#, 201, &[]),
            ("PUT /here/_doc/1?routing=south", "{}", 400, &[("/error/reason", other.clone())]),
            ("DELETE /here/_doc/1?routing=south", "", 400, &[("/error/reason", other.clone())]),
            (
                "POST /here/_update/1?routing=south",
                r#"{"doc":{}}"#,
                400,
                &[("/error/reason", other.clone())],
            ),
            (
                "POST /_bulk",
                &bulk,
                200,
                &[
                    ("/items/0/index/status", json!(201)),
                    ("/items/1/index/status", json!(400)),
                    ("/items/1/index/error/reason", other),
                    ("/items/2/update/status", json!(201)),
                    ("/items/3/index/status", json!(201)),
                ],
            ),
            ("GET /logs/_doc/1", "", 200, &[("/_routing", json!("north"))]),
            ("GET /logs/_doc/2", "", 200, &[("/_routing", json!("north"))]),
            ("GET /logs/_doc/3", "", 200, &[("/_routing", json!("north"))]),
            ("GET /logs/_doc/4", "", 200, &[("/_routing", json!("north"))]),
            ("GET /logs/_doc/6", "", 200, &[("/_routing", json!("north"))]),
            ("GET /logs/_doc/7", "", 200, &[("/_routing", json!("south"))]),
        ],
    )
    .await;
}
