//! A target whose gauges the test sets.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use super::scene::Gauge;

/// Series with their values.
type Gauges = Arc<Mutex<BTreeMap<&'static str, f64>>>;

/// A running target, which ends with it.
pub(super) struct Exporter {
    address: String,
    gauges: Gauges,
    tracker: TaskTracker,
    _cancel: DropGuard,
}

impl Exporter {
    /// Starts it on a port of its own.
    pub(super) async fn start(gauges: &[Gauge]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let cancel = CancellationToken::new();
        let exporter = Self {
            address,
            gauges: Gauges::default(),
            tracker: TaskTracker::new(),
            _cancel: cancel.clone().drop_guard(),
        };
        for (series, value) in gauges {
            exporter.set(series, *value);
        }
        let serving = serve(listener, Arc::clone(&exporter.gauges));
        exporter.tracker.spawn(cancel.run_until_cancelled_owned(serving));
        exporter
    }

    /// Returns where it listens, as `host:port`.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Sets the value of a series; `None` takes it away.
    pub(super) fn set(&self, series: &'static str, value: Option<f64>) {
        let mut gauges = self.gauges.lock().unwrap();
        match value {
            Some(value) => gauges.insert(series, value),
            None => gauges.remove(series),
        };
    }
}

/// Answers one scrape after another, each on a connection of its own.
async fn serve(listener: TcpListener, gauges: Gauges) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        // A scraper that goes away has what it wanted, or comes again.
        let _ = answer(stream, &gauges).await;
    }
}

async fn answer(mut stream: TcpStream, gauges: &Gauges) -> std::io::Result<()> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        if stream.read_buf(&mut request).await? == 0 {
            return Ok(());
        }
    }
    let body = gauges.lock().unwrap().iter().fold(String::new(), |mut body, (series, value)| {
        writeln!(body, "{series} {value}").unwrap();
        body
    });
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await?;
    stream.shutdown().await
}
