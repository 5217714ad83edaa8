//! What clients can do to the counting of requests: nothing. Every request is counted once, and no
//! client makes the number of series grow.

use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Body;
use http::{Method, Request};
use pampero_api::ServerConfig;
use pampero_telemetry::metrics::Exposition;
use sqlx::{Connection, SqliteConnection};

use crate::app::{TestApp, request};
use crate::listener::{connect, listening, read_all, read_some};

/// Requests by the three shares: answered well, failed by the client's fault, failed by ours.
fn shares(app: &TestApp) -> [u64; 3] {
    let text = app.api.render_metrics(Exposition::PrometheusText);
    let mut shares = [0; 3];
    for line in text.lines().filter(|line| line.starts_with("pampero_http_requests_total{")) {
        let class = line.split_once("status_class=\"").unwrap().1;
        let share = match &class[..1] {
            "4" => 1,
            "5" => 2,
            _ => 0,
        };
        shares[share] += line.rsplit(' ').next().unwrap().parse::<u64>().unwrap();
    }
    shares
}

/// Waits until so many requests are counted and none is in flight.
async fn wait_for(app: &TestApp, shares_wanted: [u64; 3]) {
    let settled = async {
        while shares(app) != shares_wanted || !is_idle(app) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let settled = tokio::time::timeout(Duration::from_secs(10), settled).await;
    assert!(settled.is_ok(), "{:?} instead of {shares_wanted:?}", shares(app));
}

fn is_idle(app: &TestApp) -> bool {
    let text = app.api.render_metrics(Exposition::PrometheusText);
    text.contains("pampero_http_requests_in_flight 0\n")
}

async fn ask(address: SocketAddr, text: &str, status: &str) {
    let mut stream = connect(address, text).await;
    let reply = read_some(&mut stream).await;
    assert!(reply.starts_with(&format!("HTTP/1.1 {status} ")), "{text}: {reply}");
}

fn get(path: &str, host: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n")
}

fn post(body: &str, length: usize) -> String {
    format!(
        "POST /api/places HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    )
}

#[tokio::test]
async fn the_shares_sum_to_what_clients_counted() {
    let request_timeout = Duration::from_millis(150);
    let config =
        ServerConfig { request_timeout, header_limit: 8 * 1024, ..ServerConfig::default() };
    let (app, address, _) = listening(config).await;
    let (mut ok, mut by_client, mut by_us) = (0, 0, 0);

    for _ in 0..5 {
        ask(address, &get("/health/live", "localhost"), "200").await;
        ask(address, &get("/nothing", "localhost"), "404").await;
        ask(address, &get("/health/live", "evil.example"), "421").await;
        (ok, by_client) = (ok + 1, by_client + 2);
    }
    ask(address, "NONSENSE\r\n\r\n", "400").await;
    ask(address, &get(&"/x".repeat(10_000), "localhost"), "431").await;
    ask(address, &post("{", 2), "408").await;
    by_client += 3;

    app.clock.set_broken(true);
    ask(address, &get("/weather/average/day", "localhost"), "500").await;
    ask(address, &get("/weather/current?place=rosario", "localhost"), "500").await;
    app.clock.set_broken(false);
    by_us += 2;

    // A store that somebody else holds makes writes wait, past the time limit.
    let url = format!("sqlite://{}", app.store_file().display());
    let mut holder = SqliteConnection::connect(&url).await.unwrap();
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut holder).await.unwrap();
    let place = r#"{"name": "Salto", "latitude": -31.4, "longitude": -58, "time_zone": "UTC"}"#;
    ask(address, &post(place, place.len()), "503").await;
    by_us += 1;

    // Two clients go away: one before its answer, one before the end of its question.
    for (body, length) in [(place, place.len()), ("{", 2)] {
        let stream = connect(address, &post(body, length)).await;
        while is_idle(&app) {
            tokio::task::yield_now().await;
        }
        drop(stream);
        by_client += 1;
        wait_for(&app, [ok, by_client, by_us]).await;
    }
    sqlx::raw_sql("ROLLBACK").execute(&mut holder).await.unwrap();
    let text = app.api.render_metrics(Exposition::PrometheusText);
    let gone = r#"pampero_http_requests_total{route="/api/places",method="POST",status_class="4xx",status="499"} "#;
    assert!(text.contains(gone), "{text}");
    assert!(text.contains("pampero_http_connections_open 0\n"), "{text}");
}

fn series_count(app: &TestApp) -> usize {
    let text = app.api.render_metrics(Exposition::PrometheusText);
    text.lines().filter(|line| !line.starts_with('#')).count()
}

/// Sends a request of each kind that a client can vary at will.
async fn vary(app: &TestApp, number: usize) {
    let method = Method::from_bytes(format!("M{number}").as_bytes()).unwrap();
    let path = format!("/p{number}");
    app.send(request(method, &path)).await;
    app.get(&format!("/api/places/p{number}?q={number}")).await;
    app.get_with(&path, "user-agent", &format!("agent/{number}")).await;
    let host = format!("h{number}.example");
    let strange = Request::get("/weather/current").header("host", host);
    app.send(strange.body(Body::empty()).unwrap()).await;
}

#[tokio::test]
async fn no_client_makes_the_number_of_series_grow() {
    let (app, address, _) = listening(ServerConfig::default()).await;
    vary(&app, 0).await;
    ask(address, "M0 / HTTP/1.1\r\nHost: localhost\r\n\r\n", "405").await;
    let before = series_count(&app);
    for number in 1..=5_000 {
        vary(&app, number).await;
    }
    let mut pipelined = String::new();
    for number in 1..=200 {
        pipelined.push_str(&format!("M{number} / HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    }
    pipelined.push_str("M / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    let answers = read_all(&mut connect(address, &pipelined).await).await;
    assert_eq!(answers.matches("HTTP/1.1 405 ").count(), 201);
    assert_eq!(series_count(&app), before);
    assert_eq!(shares(&app), [0, 20_206, 0]);
}

#[tokio::test]
async fn requests_that_are_not_measured_are_answered_all_the_same() {
    let config = ServerConfig { measure: false, ..ServerConfig::default() };
    let app = TestApp::with(config).await;
    assert_eq!(app.get("/health/live").await.status, 200);
    let text = String::from_utf8(app.get("/metrics").await.body.to_vec()).unwrap();
    assert!(!text.contains("pampero_http_") && text.contains("pampero_weather_places"), "{text}");
}
