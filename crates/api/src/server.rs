//! The listener: accepts connections within a limit, and ends them within a grace period.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use pampero_telemetry::metrics::http::HttpMetrics;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::edge::Api;
use crate::logs;

/// Most header lines of one request.
const HEADERS_MAX: usize = 100;
/// The smallest buffer the HTTP parser takes.
const HEADER_LIMIT_MIN: usize = 8 * 1024;
/// How long to leave the listener alone when the system refuses a connection, as for want of
/// file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What a listener serves.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Served {
    /// Everything.
    Everything,
    /// The log index alone, at the root, where OpenSearch's clients look for it.
    Logs,
}

/// Serves connections of `listener` until `cancel`, then lets requests under way end.
///
/// As many connections as the configuration allows are served by each listener at the same time; further ones wait in
/// the backlog of the system. Returns when every connection has ended, at the latest after the grace
/// period, when those that are left are cut off. Connections run on `tracker`.
pub async fn serve(
    api: Api,
    served: Served,
    listener: TcpListener,
    tracker: TaskTracker,
    cancel: CancellationToken,
) {
    let connections_max = api.config().connections_max.min(Semaphore::MAX_PERMITS);
    let connections = Arc::new(Semaphore::new(connections_max));
    let cut_off = CancellationToken::new();
    loop {
        let accepting = accept(&listener, Arc::clone(&connections));
        let accepted = tokio::select! {
            accepted = accepting => accepted,
            () = cancel.cancelled() => break,
        };
        match accepted {
            Ok((stream, permit)) => {
                let connection = run(api.clone(), served, stream, cancel.clone(), cut_off.clone());
                tracker.spawn(async move {
                    connection.await;
                    drop(permit);
                });
            }
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "a connection cannot be accepted"
                );
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    drain(&connections, connections_max, api.config().shutdown_grace).await;
    cut_off.cancel();
}

/// Waits for a free place first, so that nothing is accepted that cannot be served.
async fn accept(
    listener: &TcpListener,
    connections: Arc<Semaphore>,
) -> io::Result<(TcpStream, OwnedSemaphorePermit)> {
    let permit = connections.acquire_owned().await.map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    // Without this an answer could wait for the acknowledgement of the one before.
    stream.set_nodelay(true)?;
    Ok((stream, permit))
}

/// Serves one connection; when told to stop, the request under way is the last one.
async fn run(
    api: Api,
    served: Served,
    stream: TcpStream,
    stop: CancellationToken,
    cut_off: CancellationToken,
) {
    let config = api.config();
    let _open = api.http_metrics().map(HttpMetrics::connect);
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(config.header_timeout)
        .max_buf_size(config.header_limit.max(HEADER_LIMIT_MIN))
        .max_headers(HEADERS_MAX);
    let respond = |mut request: hyper::Request<Incoming>| {
        let api = api.clone();
        if served == Served::Logs {
            put_below(logs::PREFIX, &mut request);
        }
        async move { Ok::<_, std::convert::Infallible>(api.respond(request).await) }
    };
    let mut connection =
        std::pin::pin!(builder.serve_connection(TokioIo::new(stream), service_fn(respond)));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                ended = connection => ended,
                () = cut_off.cancelled() => return,
            }
        }
    };
    if let Err(error) = ended {
        if let (Some(http), Some(status)) = (api.http_metrics(), answered_unread(&error)) {
            http.refuse_unread(status);
        }
        // Clients go away, send garbage or nothing at all: nobody has to act on it.
        tracing::debug!(error = &error as &dyn std::error::Error, "a connection ended early");
    }
}

/// Puts `prefix` before the path of a request.
fn put_below<B>(prefix: &str, request: &mut hyper::Request<B>) {
    let mut parts = request.uri().clone().into_parts();
    let rest = parts.path_and_query.as_ref().map_or("/", |it| it.as_str());
    let whole = if rest.starts_with('/') { format!("{prefix}{rest}") } else { rest.to_owned() };
    parts.path_and_query = whole.parse().ok();
    if let Ok(uri) = http::Uri::from_parts(parts) {
        *request.uri_mut() = uri;
    }
}

/// Returns the status that the HTTP parser answered a request with whose head it could not read;
/// `None` when it did not answer.
///
/// A request line that is too long is answered with 414 and counted with the heads that are too large.
fn answered_unread(error: &hyper::Error) -> Option<u16> {
    if !error.is_parse() || error.is_parse_version_h2() {
        return None;
    }
    let status = match error.is_parse_too_large() {
        true => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
        false => StatusCode::BAD_REQUEST,
    };
    Some(status.as_u16())
}

/// Waits until every connection has given its place back, within the grace period.
async fn drain(connections: &Semaphore, connections_max: usize, grace: Duration) {
    let all = u32::try_from(connections_max).unwrap_or(u32::MAX);
    if tokio::time::timeout(grace, connections.acquire_many(all)).await.is_err() {
        let count = connections_max - connections.available_permits();
        tracing::warn!(count, "connections were cut off, because the grace period is over");
    }
}
