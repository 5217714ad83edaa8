//! The receiver of Prometheus's remote write, version 1.0.
//!
//! Source: Prometheus, Remote-Write 1.0 specification.

/// What a sender sent.
#[derive(Clone, Copy, Debug)]
pub struct RemoteWriteRequest<'r> {
    /// The header `Content-Type`; `None` when there was none.
    pub content_type: Option<&'r str>,
    /// The header `Content-Encoding`; `None` when there was none.
    pub content_encoding: Option<&'r str>,
    /// The body, compressed as it came.
    pub body: &'r [u8],
}

/// Why a request was not kept, or not as a whole.
#[derive(Debug, thiserror::Error)]
pub enum RemoteWriteError {
    /// The body is too large, as it came or decompressed.
    #[error("the body has {size} bytes, and {max} are the most; send less at once")]
    TooLarge {
        /// Its size in bytes.
        size: usize,
        /// The most bytes.
        max: usize,
    },
}

/// What the sender should make of a [`RemoteWriteError`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RemoteWriteErrorKind {
    /// The request is wrong and will be each time: 400.
    BadRequest,
    /// The request is too large: 413.
    TooLarge,
    /// The request is in another format: 415.
    Unsupported,
    /// There are too many series: 429.
    TooManySeries,
    /// Nothing can be kept just now, the same request may succeed later: 503.
    Unavailable,
    /// Something failed here: 500.
    Internal,
}

impl RemoteWriteError {
    /// Returns what the sender should make of it.
    pub fn kind(&self) -> RemoteWriteErrorKind {
        match self {
            Self::TooLarge { .. } => RemoteWriteErrorKind::TooLarge,
        }
    }
}
