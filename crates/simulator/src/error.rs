//! What keeps a simulator from starting.

use std::net::SocketAddr;

/// Why a simulator could not be started.
#[derive(Debug, thiserror::Error)]
pub enum SimulatorError {
    /// The address cannot be listened on.
    #[error("cannot listen on {listen}; choose another address, or port 0 for a free one")]
    Listen {
        /// The address.
        listen: SocketAddr,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The simulator may serve no connection at all.
    #[error("connections_max must be at least 1")]
    NoConnections,
    /// A scheduled fault cannot be played.
    #[error("a scheduled fault cannot be played")]
    Fault(#[source] crate::fault::InvalidFault),
    /// A share lies outside 0 to 1.
    #[error("share {0} must be greater than 0 and at most 1")]
    Share(f64),
}
