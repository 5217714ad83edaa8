//! Bodies that mean no good: refused with a word, and the next call is answered.

use std::io::Write;

use axum::body::Body;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::{Method, Request};
use serde_json::{Value, json};

use crate::testkit::{ALERTING, App, NOTIFICATIONS, error_monitor, with};

/// Calls that take a body.
fn calls() -> [String; 6] {
    [
        format!("POST {ALERTING}/monitors"),
        format!("PUT {ALERTING}/monitors/x"),
        format!("POST {ALERTING}/monitors/_execute?dryrun=true"),
        format!("POST {ALERTING}/monitors/_search"),
        format!("POST {ALERTING}/monitors/x/_acknowledge/alerts"),
        format!("POST {NOTIFICATIONS}/configs"),
    ]
}

#[tokio::test(start_paused = true)]
async fn hostile_bodies_are_refused_by_every_call() {
    let app = App::start();
    let bodies = [
        "[".repeat(100_000),
        "{\"a\":".repeat(100_000),
        format!("{{\"type\":{}1{}}}", "[".repeat(120), "]".repeat(120)),
        "{\"name\":\"a\",\"name\":\"b\"}".to_owned(),
        "{\"name\":".to_owned(),
        "nul".to_owned(),
        "\u{feff}{}".to_owned(),
        "{\"a\":1e99999}".to_owned(),
        "7".to_owned(),
        "\"text\"".to_owned(),
        "{\"config\":7,\"alerts\":7,\"query\":7,\"type\":7}".to_owned(),
        "{\"config\":{\"config_type\":[]},\"query\":[],\"triggers\":{}}".to_owned(),
    ];
    for call in calls() {
        for body in &bodies {
            let refused = app.send(&call, body).await;
            let start: String = body.chars().take(40).collect();
            assert!(refused.status.is_client_error(), "{call} {start}: {}", refused.text());
            assert!(refused.at("/error/reason").is_string(), "{call} {start}: {}", refused.text());
        }
        let huge = app.send(&call, &format!("{{\"a\":\"{}\"}}", "x".repeat(2 << 20))).await;
        assert_eq!(
            huge.refusal(),
            "413 the body is larger than the limit of [1048576] bytes; say it with less"
        );
    }
    app.make_monitor(error_monitor()).await;
}

#[tokio::test(start_paused = true)]
async fn every_member_of_every_wrong_type_is_refused_or_taken_without_a_fault() {
    let app = App::start();
    let mut pointers = Vec::new();
    collect(&error_monitor(), String::new(), &mut pointers);
    let values = [
        json!(null),
        json!(true),
        json!(-1),
        json!(1e300),
        json!(""),
        json!([[]]),
        json!({ "a": {} }),
    ];
    for pointer in &pointers {
        for value in &values {
            let monitor = with(error_monitor(), pointer, value.clone());
            let call = format!("POST {ALERTING}/monitors/_execute?dryrun=true");
            let reply = app.call(&call, monitor).await;
            let status = reply.status.as_u16();
            let is_known_fault = reply.at("/error/type") == "alerting_exception";
            assert!(status < 500 || is_known_fault, "{pointer} {value}: {}", reply.text());
        }
    }
    assert!(pointers.len() > 25);
}

fn collect(value: &Value, pointer: String, found: &mut Vec<String>) {
    if !pointer.is_empty() {
        found.push(pointer.clone());
    }
    match value {
        Value::Object(members) => {
            members
                .iter()
                .for_each(|(key, inner)| collect(inner, format!("{pointer}/{key}"), found));
        }
        Value::Array(items) => {
            // Items are replaced through the list that they stand in.
            items.iter().enumerate().for_each(|(index, inner)| {
                if let Value::Object(members) = inner {
                    for (key, inner) in members {
                        collect(inner, format!("{pointer}/{index}/{key}"), found);
                    }
                }
            });
        }
        _ => {}
    }
}

#[tokio::test(start_paused = true)]
async fn bodies_are_taken_as_they_are_packed_and_named() {
    let app = App::start();
    let packed = |text: &[u8]| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    };
    let send = async |headers: &[(&str, &str)], body: Vec<u8>| {
        let mut request =
            Request::builder().method(Method::POST).uri(format!("{ALERTING}/monitors"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        app.request(request.body(Body::from(body)).unwrap()).await
    };
    let monitor = error_monitor().to_string().into_bytes();
    let gzip = [("content-type", "application/json"), ("content-encoding", "gzip")];
    let made = send(&gzip, packed(&monitor)).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let bomb = send(&gzip, packed(&vec![b' '; 64 << 20])).await;
    assert_eq!(bomb.status, 413);
    assert_eq!(send(&gzip, b"no gzip".to_vec()).await.status, 400);
    let odd =
        send(&[("content-type", "application/json"), ("content-encoding", "br")], monitor.clone());
    assert_eq!(odd.await.status, 415);
    assert_eq!(send(&[], monitor.clone()).await.refusal(), "406 Content-Type header is missing");
    let text = send(&[("content-type", "text/plain")], monitor).await;
    assert_eq!(text.refusal(), "406 Content-Type header [text/plain] is not supported");
}

#[tokio::test(start_paused = true)]
async fn ids_lead_nowhere_but_to_definitions() {
    let app = App::start();
    for id in ["..%2F..%2Fsecrets", "%2e%2e", "a%00b", "%ff", &"x".repeat(5_000), "a%2Fb", "~", "."]
    {
        let calls = [
            format!("GET {ALERTING}/monitors/{id}"),
            format!("DELETE {ALERTING}/monitors/{id}"),
            format!("GET {NOTIFICATIONS}/configs/{id}"),
            format!("DELETE {NOTIFICATIONS}/configs/{id}"),
            format!("POST {NOTIFICATIONS}/feature/test/{id}"),
        ];
        for call in calls {
            let reply = app.send(&call, "").await;
            assert!(reply.status.is_client_error(), "{call}: {}", reply.text());
        }
        let put = app.call(&format!("PUT {ALERTING}/monitors/{id}"), error_monitor()).await;
        assert!(put.status.is_client_error(), "{id}: {}", put.text());
    }
}
