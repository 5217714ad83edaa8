//! The signals that end the program.

use std::io;

/// Waits until somebody asks the program to end: Ctrl-C, or SIGTERM from a service manager.
///
/// # Errors
/// The system lets nobody listen for signals.
#[cfg(unix)]
pub(crate) async fn requested() -> io::Result<&'static str> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => Ok("SIGTERM"),
        _ = interrupt.recv() => Ok("SIGINT"),
    }
}

/// Waits until somebody asks the program to end with Ctrl-C.
///
/// # Errors
/// The system lets nobody listen for signals.
#[cfg(not(unix))]
pub(crate) async fn requested() -> io::Result<&'static str> {
    tokio::signal::ctrl_c().await?;
    Ok("Ctrl-C")
}
