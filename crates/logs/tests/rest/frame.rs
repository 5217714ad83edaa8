//! What holds for every call.

use std::io::{Read, Write};

use axum::body::Body;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use http::{Method, Request};
use pampero_logs::rest::RestOptions;
use serde_json::json;

use crate::testkit::{Reply, Server};

#[tokio::test]
async fn a_path_without_a_handler_is_named() {
    let server = Server::start();
    let reply = server.get("/_nothing/at/all?pretty=false").await;
    assert_eq!(reply.status, 400);
    assert_eq!(
        reply.json(),
        json!({ "error": "no handler found for uri [/_nothing/at/all?pretty=false] and method [GET]" })
    );
}

#[tokio::test]
async fn a_method_that_a_path_does_not_take_is_refused_with_those_it_takes() {
    let server = Server::start();
    let reply = server.send(Method::PATCH, "/_bulk", "").await;
    assert_eq!(reply.status, 405);
    assert_eq!(reply.header("allow"), Some("POST, PUT"));
    assert_eq!(
        reply.json(),
        json!({
            "error": "Incorrect HTTP method for uri [/_bulk] and method [PATCH], allowed: [POST, PUT]",
            "status": 405,
        })
    );
    let reply = server.send(Method::OPTIONS, "/_count", "").await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("allow"), Some("GET, HEAD, POST"));
    assert!(reply.body.is_empty());
}

#[tokio::test]
async fn unknown_parameters_are_refused_and_common_ones_taken() {
    let server = Server::start();
    let reply = server.get("/_count?frm=1").await;
    reply.assert_refused(
        400,
        "illegal_argument_exception",
        "request [/_count] contains unrecognized parameter: [frm]",
    );
    let reply = server.get("/_count?rooting=1&error_trace=true&human").await;
    reply.assert_refused(
        400,
        "illegal_argument_exception",
        "request [/_count] contains unrecognized parameter: [rooting] -> did you mean [routing]?",
    );
    assert_eq!(server.get("/_count?human&error_trace&filter_path=count").await.status, 200);
    let reply = server.get("/_count?pretty=maybe").await;
    reply.assert_refused(
        400,
        "illegal_argument_exception",
        "Failed to parse value [maybe] as only [true] or [false] are allowed.",
    );
}

#[tokio::test]
async fn a_body_needs_a_content_type_that_its_call_takes() {
    let server = Server::start();
    let check = async |kind: Option<&str>, path: &str, error: Option<&str>| {
        let mut request = Request::builder().method("POST").uri(path);
        if let Some(kind) = kind {
            request = request.header("content-type", kind);
        }
        let reply = server.request(request.body(Body::from("{}\n")).unwrap()).await;
        match error {
            None => assert_ne!(reply.status, 406, "{kind:?} {path}"),
            Some(error) => {
                assert_eq!(reply.json(), json!({ "error": error, "status": 406 }), "{kind:?}");
            }
        }
    };
    check(None, "/_search", Some("Content-Type header is missing")).await;
    check(
        Some("text/plain"),
        "/_search",
        Some("Content-Type header [text/plain] is not supported"),
    )
    .await;
    let form = "application/x-www-form-urlencoded";
    check(Some(form), "/_count", Some(&format!("Content-Type header [{form}] is not supported")))
        .await;
    let lines = "application/x-ndjson";
    check(Some(lines), "/_count", Some(&format!("Content-Type header [{lines}] is not supported")))
        .await;
    check(Some(lines), "/a/_doc", Some(&format!("Content-Type header [{lines}] is not supported")))
        .await;
    check(Some(lines), "/_bulk", None).await;
    check(Some(lines), "/_msearch", None).await;
    check(Some("Application/JSON; charset=UTF-8"), "/_count", None).await;
}

#[tokio::test]
async fn answers_say_what_they_are_and_give_the_id_of_the_caller_back() {
    let server = Server::start();
    let request = Request::builder().uri("/_count/").header("X-Opaque-Id", "me-7");
    let reply = server.request(request.body(Body::empty()).unwrap()).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("content-type"), Some("application/json; charset=UTF-8"));
    assert_eq!(reply.header("x-opaque-id"), Some("me-7"));
    assert_eq!(reply.at("/count"), 0);
}

#[tokio::test]
async fn answers_are_filtered_and_indented_as_asked() {
    let server = Server::start();
    let reply = server.get("/_count?filter_path=_shards.f*,count,-count").await;
    assert_eq!(reply.body, r#"{"_shards":{"failed":0}}"#);
    let reply = server.get("/_count?filter_path=count&pretty").await;
    assert_eq!(reply.body, "{\n  \"count\": 0\n}\n");
    let reply = server.get("/nothing/_count?filter_path=count").await;
    assert_eq!(reply.status, 404);
    assert_eq!(reply.at("/error/type"), "index_not_found_exception");
    assert_eq!(reply.at("/error/root_cause/0/index"), "nothing");
}

#[tokio::test]
async fn other_formats_are_refused_by_name() {
    let server = Server::start();
    for format in ["yaml", "cbor", "smile"] {
        server.get(&format!("/_count?format={format}")).await.assert_refused(
            400,
            "illegal_argument_exception",
            &format!("format [{format}] is not supported by this server"),
        );
        let accept = format!("application/{format}");
        let request = Request::builder().uri("/_count").header("accept", accept);
        assert_eq!(server.request(request.body(Body::empty()).unwrap()).await.status, 406);
    }
    assert_eq!(server.get("/_count?format=json").await.status, 200);
}

#[tokio::test]
async fn a_head_has_the_headers_of_a_get_and_no_body() {
    let server = Server::start();
    server.call("PUT /logs/_doc/1", r#"{"a":1}"#).await;
    let got = server.get("/logs/_doc/1").await;
    let head = server.send(Method::HEAD, "/logs/_doc/1", "").await;
    assert_eq!((head.status, head.body.len()), (got.status, 0));
    assert_eq!(head.header("content-length"), Some(&*got.body.len().to_string()));
    assert_eq!(head.header("content-type"), got.header("content-type"));
    assert_eq!(server.send(Method::HEAD, "/logs/_doc/2", "").await.status, 404);
}

#[tokio::test]
async fn bodies_may_be_packed() {
    let server = Server::start();
    let reply = post_packed(&server, &packed(br#"{"query":{"match_all":{}}}"#)).await;
    assert_eq!(reply.status, 200);
    let reply = post_packed(&server, b"no gzip at all").await;
    reply.assert_refused(400, "parse_exception", "the body is no valid gzip");
    let request = Request::builder()
        .method("POST")
        .uri("/_count")
        .header("content-type", "application/json")
        .header("content-encoding", "br");
    assert_eq!(server.request(request.body(Body::from("{}")).unwrap()).await.status, 415);
}

#[tokio::test]
async fn a_packed_body_counts_as_large_as_it_is_unpacked() {
    let options = RestOptions { body_bytes_max: 10_000, ..RestOptions::default() };
    let server = Server::with(options);
    let bomb = packed(&vec![b' '; 8_000_000]);
    assert!(bomb.len() < 100_000);
    let halves = packed(&vec![b' '; 9_000]);
    assert_eq!(post_packed(&server, &packed(&vec![b' '; 10_001])).await.status, 413);
    assert_eq!(post_packed(&server, &bomb).await.status, 413);
    assert_eq!(post_packed(&server, &halves).await.status, 400, "white space is no JSON");
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused() {
    let server = Server::with(RestOptions { body_bytes_max: 100, ..RestOptions::default() });
    let body = format!("{{\"query\":{{\"match_all\":{{}}}}{:100}}}", "");
    let reply = server.call("POST /_count", &body).await;
    assert_eq!(reply.status, 413);
    let told = "the body is larger than the limit of [100] bytes; send it in parts";
    assert_eq!(reply.json(), json!({ "error": told, "status": 413 }));
    // Nobody told the length beforehand.
    let parts = futures_util::stream::iter((0..20).map(|_| Ok::<_, std::io::Error>("{\"a\":1} ")));
    let request = Request::builder().method("POST").uri("/_count");
    let reply = server.request(request.body(Body::from_stream(parts)).unwrap()).await;
    assert_eq!(reply.status, 413);
}

#[tokio::test]
async fn all_bodies_together_are_bounded() {
    let options = RestOptions { bodies_bytes_max: 50, ..RestOptions::default() };
    let server = Server::with(options);
    let body = format!("{{\"query\":{{\"match_all\":{{}}}}{:100}}}", "");
    let reply = server.call("POST /_count", &body).await;
    assert_eq!(reply.status, 429);
    assert_eq!(reply.at("/error/type"), "circuit_breaking_exception");
    assert_eq!(server.call("POST /_count", "{}").await.status, 200, "the budget is given back");
}

#[tokio::test]
async fn large_answers_are_packed_for_those_who_ask() {
    let server = Server::start();
    let text = "rain ".repeat(2_000);
    server.call("PUT /logs/_doc/1", &format!("{{\"a\":\"{text}\"}}")).await;
    let request = Request::builder().uri("/logs/_doc/1").header("accept-encoding", "gzip, br");
    let reply = server.request(request.body(Body::empty()).unwrap()).await;
    assert_eq!(reply.header("content-encoding"), Some("gzip"));
    let mut plain = String::new();
    GzDecoder::new(&reply.body[..]).read_to_string(&mut plain).unwrap();
    assert_eq!(plain.as_bytes(), &server.get("/logs/_doc/1").await.body[..]);
}

#[tokio::test]
async fn what_the_server_has_not_is_refused_by_name() {
    let server = Server::start();
    let check = async |call: &str, what: &str| {
        let reason = format!("{what} is not supported by this server");
        server.call(call, "").await.assert_refused(400, "illegal_argument_exception", &reason);
    };
    check("POST /_reindex", "[_reindex]").await;
    check("POST /_plugins/_ppl", "plugin call [/_plugins/_ppl]").await;
    check("POST /logs/_update_by_query", "[_update_by_query]").await;
    check("GET /_search/template", "search template").await;
    check("GET /logs/_explain/1", "[_explain]").await;
    check("GET /_tasks/node:1", "[_tasks]").await;
}

#[tokio::test]
async fn a_server_below_a_path_answers_as_one_alone() {
    let server = Server::start();
    let below = axum::Router::new().nest_service("/opensearch", server.router.clone());
    let server = Server { router: below, ..server };
    assert_eq!(server.get("/opensearch/_count").await.at("/count"), 0);
    assert_eq!(server.get("/opensearch/_count/").await.at("/count"), 0);
    let reply = server.get("/opensearch/_no/such/thing").await;
    let told = "no handler found for uri [/_no/such/thing] and method [GET]";
    assert_eq!(reply.json(), json!({ "error": told }));
}

async fn post_packed(server: &Server, body: &[u8]) -> Reply {
    let request = Request::builder()
        .method("POST")
        .uri("/_count")
        .header("content-type", "application/json")
        .header("content-encoding", "gzip");
    server.request(request.body(Body::from(body.to_vec())).unwrap()).await
}

fn packed(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}
