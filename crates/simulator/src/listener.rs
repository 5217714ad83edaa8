//! The accept loop: one task for each connection, so that a connection can be broken on purpose.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

/// How a connection is ended by the server.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum HangUp {
    /// With a reset (RST).
    Reset,
    /// In order (FIN).
    Close,
}

/// The handle by which a request can break the connection it came on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Line {
    ended: CancellationToken,
    reset: Arc<AtomicBool>,
}

impl Line {
    /// Breaks the connection; never returns, because there is nobody left to answer.
    pub(crate) async fn hang_up<T>(&self, how: HangUp) -> T {
        self.reset.store(how == HangUp::Reset, Ordering::Relaxed);
        self.ended.cancel();
        std::future::pending().await
    }
}

/// Accepts connections until cancelled; at most `connections_max` at a time.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    connections_max: usize,
    tracker: TaskTracker,
    cancel: CancellationToken,
) {
    let seats = Arc::new(Semaphore::new(connections_max.min(Semaphore::MAX_PERMITS)));
    loop {
        let Some(Ok(seat)) = or_cancelled(&cancel, Arc::clone(&seats).acquire_owned()).await else {
            return;
        };
        match or_cancelled(&cancel, listener.accept()).await {
            None => return,
            Some(Ok((stream, _))) => {
                tracker.spawn(connection(stream, router.clone(), seat, cancel.clone()));
            }
            // Out of file descriptors, or the client has gone already: trying at once would spin.
            Some(Err(error)) => {
                tracing::warn!(%error, "cannot accept a connection");
                let _ = or_cancelled(&cancel, tokio::time::sleep(Duration::from_millis(50))).await;
            }
        }
    }
}

async fn or_cancelled<F: Future>(cancel: &CancellationToken, future: F) -> Option<F::Output> {
    cancel.run_until_cancelled(future).await
}

async fn connection(
    stream: TcpStream,
    router: Router,
    _seat: OwnedSemaphorePermit,
    cancel: CancellationToken,
) {
    let line = Line::default();
    let handle = line.clone();
    let service = router.map_request(move |mut request: hyper::Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(handle.clone());
        request.map(axum::body::Body::new)
    });
    let _ = stream.set_nodelay(true);
    let mut served = http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    let ended = tokio::select! {
        result = &mut served => {
            if let Err(error) = result {
                tracing::debug!(%error, "a connection ended early");
            }
            return;
        }
        () = line.ended.cancelled() => true,
        () = cancel.cancelled() => false,
    };
    let stream = served.into_parts().io.into_inner();
    if ended && line.reset.load(Ordering::Relaxed) {
        reset(&stream);
    }
}

/// Makes the close that follows a reset.
fn reset(stream: &TcpStream) {
    let done: io::Result<()> = stream.set_zero_linger();
    if let Err(error) = done {
        tracing::warn!(%error, "a connection cannot be reset, so it is closed");
    }
}
