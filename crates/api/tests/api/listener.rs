//! The listener on a real socket: limits of time, size and number, and a graceful end.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use pampero_api::{Served, ServerConfig, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::app::TestApp;

const GET: &str = "GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n";

pub(crate) async fn listening(config: ServerConfig) -> (TestApp, SocketAddr, JoinHandle<()>) {
    let app = TestApp::with(config).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (tracker, cancel) = (app.tracker.clone(), app.cancel.clone());
    let serving = serve(app.api.clone(), Served::Everything, listener, tracker.clone(), cancel);
    let serving = tracker.spawn(serving);
    (app, address, serving)
}

pub(crate) async fn connect(address: SocketAddr, said: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(said.as_bytes()).await.unwrap();
    stream
}

/// Reads one response of a few hundred bytes.
pub(crate) async fn read_some(stream: &mut TcpStream) -> String {
    let mut bytes = vec![0; 4_096];
    let count = stream.read(&mut bytes).await.unwrap();
    String::from_utf8_lossy(&bytes[..count]).into_owned()
}

pub(crate) async fn read_all(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    // A reset ends a connection as well.
    let _ = stream.read_to_string(&mut text).await;
    text
}

#[tokio::test]
async fn a_connection_serves_request_after_request() {
    let (_app, address, _) = listening(ServerConfig::default()).await;
    let mut stream = connect(address, GET).await;
    for _ in 0..3 {
        let response = read_some(&mut stream).await;
        assert!(response.starts_with("HTTP/1.1 200 OK\r\n"), "{response}");
        assert!(response.ends_with("{\"status\":\"live\"}"), "{response}");
        stream.write_all(GET.as_bytes()).await.unwrap();
    }
}

#[tokio::test]
async fn headers_that_do_not_come_end_the_connection() {
    let header_timeout = Duration::from_millis(100);
    let config = ServerConfig { header_timeout, ..ServerConfig::default() };
    let (_app, address, _) = listening(config).await;
    let began = Instant::now();
    let mut stream = connect(address, "GET /health/live HTTP/1.1\r\nHost:").await;
    read_all(&mut stream).await;
    let took = began.elapsed();
    assert!((header_timeout..Duration::from_secs(5)).contains(&took), "{took:?}");
}

#[tokio::test]
async fn headers_that_are_too_large_are_refused() {
    let config = ServerConfig { header_limit: 8 * 1024, ..ServerConfig::default() };
    let (_app, address, _) = listening(config).await;
    let large = "x".repeat(20_000);
    let request = format!("GET / HTTP/1.1\r\nHost: localhost\r\nX-Large: {large}\r\n\r\n");
    let mut stream = connect(address, &request).await;
    let response = read_all(&mut stream).await;
    assert!(response.starts_with("HTTP/1.1 431 ") || response.is_empty(), "{response}");
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_for_their_turn() {
    let config = ServerConfig { connections_max: 1, ..ServerConfig::default() };
    let (_app, address, _) = listening(config).await;
    let mut first = connect(address, GET).await;
    read_some(&mut first).await;
    let mut second = connect(address, GET).await;
    let waiting = tokio::time::timeout(Duration::from_millis(100), read_some(&mut second)).await;
    assert!(waiting.is_err(), "the second was served beside the first");
    drop(first);
    assert!(read_some(&mut second).await.starts_with("HTTP/1.1 200 OK"));
}

#[tokio::test]
async fn the_end_waits_for_requests_under_way_but_not_for_ever() {
    let shutdown_grace = Duration::from_millis(200);
    let config = ServerConfig { shutdown_grace, ..ServerConfig::default() };
    let (app, address, serving) = listening(config).await;
    let head = "POST /api/places HTTP/1.1\r\nHost: localhost\r\n\
                Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{";
    let mut ending = connect(address, head).await;
    let mut endless = connect(address, head).await;
    let mut idle = connect(address, GET).await;
    read_some(&mut idle).await;
    app.cancel.cancel();
    assert_eq!(read_all(&mut idle).await, "", "an idle connection ends at once");
    ending.write_all(b"}").await.unwrap();
    let response = read_all(&mut ending).await;
    assert!(response.starts_with("HTTP/1.1 400 "), "{response}");
    let began = Instant::now();
    serving.await.unwrap();
    assert!(began.elapsed() < shutdown_grace * 5, "{:?}", began.elapsed());
    assert_eq!(read_all(&mut endless).await, "");
    assert!(TcpStream::connect(address).await.is_err(), "the listener is closed");
}
