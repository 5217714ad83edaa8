//! What is said by Pampero alone, or by Prometheus 3, and so is not compared with Prometheus 2.

use http::{Request, StatusCode};
use pampero_metrics::http::HttpOptions;

use crate::served::Served;

#[track_caller]
fn contains(text: &str, expected: &str) {
    assert!(text.contains(expected), "{expected} is not in {text}");
}

async fn check(served: &Served, uri: &str, status: u16, expected: &str) {
    let answer = served.get(uri).await;
    assert_eq!(answer.status.as_u16(), status, "{uri}: {}", answer.text());
    contains(&answer.text(), expected);
}

#[tokio::test]
async fn what_prometheus_3_added_is_understood() {
    let served = Served::filled().await;
    let end = served.end_ms / 1000;
    let truncated = r#""warnings":["results truncated due to limit"]"#;
    check(&served, "/api/v1/series?match[]=up&limit=1", 200, truncated).await;
    check(&served, "/api/v1/labels?limit=1", 200, truncated).await;
    check(&served, "/api/v1/label/job/values?limit=1", 200, r#"["api"]"#).await;
    check(&served, "/api/v1/label/job/values?limit=3", 200, r#"["api","node","odd"]}"#).await;
    check(&served, &format!("/api/v1/query?query=up&time={end}&limit=2"), 200, truncated).await;
    let wrong = r#"invalid parameter \"limit\": limit must be non-negative"#;
    check(&served, "/api/v1/labels?limit=-1", 400, wrong).await;
    check(&served, "/api/v1/status/tsdb?limit=x", 400, "limit must be a positive number").await;
    let late = end + 60;
    let short = format!("/api/v1/query?query=huge&time={late}&lookback_delta=30s");
    check(&served, &short, 200, r#""result":[]"#).await;
    let long = format!("/api/v1/query?query=huge&time={late}&lookback_delta=90s");
    check(&served, &long, 200, r#""job":"odd""#).await;
    let wrong = "/api/v1/query?query=up&lookback_delta=x";
    check(&served, wrong, 400, "error parsing lookback delta duration").await;
}

#[tokio::test]
async fn the_program_says_what_it_is() {
    let served = Served::filled().await;
    check(&served, "/", 200, "Prometheus HTTP API").await;
    check(&served, "/-/healthy", 200, "healthy").await;
    check(&served, "/-/ready", 200, "ready").await;
    check(&served, "/api/v1/status/buildinfo", 200, r#""version":"2.42.0+pampero."#).await;
    check(&served, "/api/v1/status/config", 200, r#"{"yaml":"global:\n"#).await;
    check(&served, "/api/v1/status/flags", 200, r#""query.lookback-delta":"5m""#).await;
    check(&served, "/api/v1/status/runtimeinfo", 200, r#""storageRetention":"30d"#).await;
    check(&served, "/api/v1/status/tsdb", 200, r#""numSeries":14"#).await;
    check(&served, "/api/v1/status/tsdb?limit=1", 200, r#"[{"name":"__name__","value":6}]"#).await;
}

#[tokio::test]
async fn statistics_are_told_when_they_are_asked_for() {
    let served = Served::filled().await;
    let end = served.end_ms / 1000;
    let with = served.get(&format!("/api/v1/query?query=up&time={end}&stats=all")).await.text();
    contains(&with, r#""stats":{"timings":{"evalTotalTime":"#);
    contains(&with, r#""samples":{"totalQueryableSamples":"#);
    let without = served.get(&format!("/api/v1/query?query=up&time={end}")).await.text();
    assert!(!without.contains("stats"));
}

#[tokio::test]
async fn a_form_counts_before_the_query_string() {
    let served = Served::empty(HttpOptions::default());
    let form = |body: &str, content_type: &str| {
        Request::post("/api/v1/query?time=7")
            .header("content-type", content_type)
            .body(body.as_bytes().to_vec())
            .unwrap()
    };
    let urlencoded = "application/x-www-form-urlencoded; charset=utf-8";
    let both = served.ask(form("query=1&time=4", urlencoded)).await;
    contains(&both.text(), r#"[4,"1"]"#);
    let one = served.ask(form("query=1", urlencoded)).await;
    contains(&one.text(), r#"[7,"1"]"#);
    let other = served.ask(form("query=1", "text/plain")).await;
    assert_eq!(other.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn large_answers_are_compressed_for_those_who_accept_it() {
    let served = Served::filled().await;
    let ask = |uri: String, accept: &str| {
        Request::get(uri).header("accept-encoding", accept).body(Vec::new()).unwrap()
    };
    let end = served.end_ms / 1000;
    let large = || format!("/api/v1/query_range?query=up&start={}&end={end}&step=1", end - 500);
    let plain = served.ask(ask(large(), "identity")).await;
    assert_eq!(plain.header("content-encoding"), "");
    let packed = served.ask(ask(large(), "gzip")).await;
    assert_eq!(packed.header("content-encoding"), "gzip");
    assert_eq!(packed.header("vary"), "accept-encoding");
    let mut unpacked = Vec::new();
    std::io::copy(&mut flate2::read::GzDecoder::new(&packed.body[..]), &mut unpacked).unwrap();
    assert_eq!(unpacked, plain.body);
    let small = served.ask(ask("/api/v1/query?query=1".to_owned(), "gzip")).await;
    assert_eq!(small.header("content-encoding"), "");
}
