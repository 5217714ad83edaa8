//! Prometheus's own command-line client against the served router.

use std::process::Command;

use axum::Router;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::served::Served;

#[tokio::test]
async fn promtool_reads_what_is_served() {
    let served = Served::filled().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/prometheus", listener.local_addr().unwrap());
    let app = Router::new().nest_service("/prometheus", served.router.clone());
    // Aborted when it is dropped.
    let mut server = JoinSet::new();
    server.spawn(async move { axum::serve(listener, app).await });

    let end = (served.end_ms / 1000).to_string();
    let start = (served.end_ms / 1000 - 60).to_string();
    check(&["instant", &base, "huge", "--time", &end], "huge{job=\"odd\"} => 6630000000").await;
    let range = ["range", &base, "up", "--start", &start, "--end", &end, "--step", "30s"];
    check(&range, "up{instance=\"a:1\", job=\"node\"} =>\n").await;
    check(&["series", &base, "--match", "gone"], "{__name__=\"gone\", job=\"node\"}\n").await;
    check(&["labels", &base, "job"], "api\nnode\nodd\n").await;
    check(&["instant", &base, "up{"], "bad_data: invalid parameter \"query\": 1:").await;
}

async fn check(arguments: &[&str], expected: &str) {
    let mut promtool = Command::new("promtool");
    promtool.arg("query").args(arguments);
    let run = move || {
        promtool
            .output()
            .expect("promtool is missing; run `cargo xtask test` once, which installs it")
    };
    let output = tokio::task::spawn_blocking(run).await.unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8(said).unwrap();
    assert!(said.contains(expected), "{arguments:?}: {said}");
}
