//! Everything that can grow has a limit, and the answer says which.

use std::time::Duration;

use axum::Router;
use http::{Request, StatusCode};
use pampero_metrics::http::HttpOptions;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::served::Served;

async fn filled(options: HttpOptions) -> Served {
    let served = Served::empty(options);
    let answer = served.ask(served.write_request()).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.text());
    served
}

#[tokio::test]
async fn a_form_that_is_too_large_is_refused() {
    let served = Served::empty(HttpOptions { form_bytes_max: 100, ..HttpOptions::default() });
    let form = |bytes: usize| {
        Request::post("/api/v1/query")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(format!("time=5&query=1{}", "+".repeat(bytes - 14)).into_bytes())
            .unwrap()
    };
    assert_eq!(served.ask(form(100)).await.status, StatusCode::OK);
    let refused = served.ask(form(101)).await;
    assert_eq!(refused.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(refused.text().contains("larger than 100 bytes"), "{}", refused.text());
}

#[tokio::test]
async fn a_remote_write_that_is_too_large_is_refused() {
    let served = Served::empty(HttpOptions::default());
    let body = vec![0; (4 << 20) + 1];
    let refused = served.ask(Request::post("/api/v1/write").body(body).unwrap()).await;
    assert_eq!(refused.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_refused() {
    let served = filled(HttpOptions { answer_bytes_max: 500, ..HttpOptions::default() }).await;
    let end = served.end_ms / 1000;
    for uri in [
        format!("/api/v1/query_range?query=up&start={}&end={end}&step=1", end - 100),
        "/api/v1/series?match[]={job=~\".%2B\"}".to_owned(),
        "/federate?match[]={__name__=~\".%2B\"}".to_owned(),
    ] {
        let uri = uri.replace('"', "%22").replace('{', "%7B").replace('}', "%7D");
        let refused = served.get(&uri).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{uri}: {}", refused.text());
        assert!(refused.text().contains("more than 500 bytes"), "{}", refused.text());
    }
}

#[tokio::test]
async fn lists_are_cut_at_the_limit() {
    let served = filled(HttpOptions { listed_max: 2, ..HttpOptions::default() }).await;
    let names = served.get("/api/v1/labels").await.text();
    assert!(names.contains(r#"["__name__","instance"],"warnings":["results trunc"#), "{names}");
    let federated = served.get("/federate?match[]=up").await;
    assert_eq!(federated.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn a_query_out_of_time_is_given_up() {
    let served = filled(HttpOptions::default()).await;
    for timeout in ["0", "-1", "1ms"] {
        let refused = served.get(&slow_query(&served, timeout)).await;
        assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE, "{}", refused.text());
        assert!(refused.text().contains(r#""errorType":"timeout""#), "{}", refused.text());
    }
}

#[tokio::test]
async fn a_client_that_goes_away_frees_its_place() {
    let options = HttpOptions { queries_max: 1, ..HttpOptions::default() };
    let served = filled(options).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app: Router = served.router.clone();
    let mut server = JoinSet::new();
    server.spawn(async move { axum::serve(listener, app).await });

    let mut client = TcpStream::connect(address).await.unwrap();
    let uri = slow_query(&served, "60s");
    client.write_all(format!("GET {uri} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes()).await.unwrap();
    let occupied = async {
        while served.get("/api/v1/query?query=1&timeout=1ms").await.status == StatusCode::OK {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), occupied).await.expect("the query runs");
    drop(client);
    let next = served.get("/api/v1/query?query=1&timeout=3s").await;
    assert_eq!(next.status, StatusCode::OK, "{}", next.text());
}

/// A query that takes many seconds: the same slow thing a hundred times.
fn slow_query(served: &Served, timeout: &str) -> String {
    let query = ["quantile_over_time(0.5,up%5B1h:1s%5D)"; 100].join("%2B");
    let end = served.end_ms / 1000;
    format!(
        "/api/v1/query_range?query={query}&start={}&end={end}&step=1&timeout={timeout}",
        end - 10_000
    )
}
