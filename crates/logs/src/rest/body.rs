//! Bodies of requests: read within a limit, unpacked, and counted against what all of them may hold.

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use flate2::bufread::MultiGzDecoder;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, StatusCode};
use http_body_util::BodyExt;
use pampero_opensearch::{Exception, ExceptionKind};

use super::answer::Failure;
use super::gate::internal;

/// How much of a refused body is read and thrown away.
const SKIP_BYTES_MAX: usize = 128 << 20;
/// Longest wait for the next part of a refused body.
const SKIP_WAIT: Duration = Duration::from_millis(200);

/// How many bytes all bodies that are being worked on may hold.
#[derive(Debug)]
pub(crate) struct Budget {
    bytes_max: usize,
    bytes: AtomicUsize,
}

/// A part of the budget, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Reservation {
    budget: Arc<Budget>,
    bytes: usize,
}

/// The kinds of content that bodies may have.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ContentType {
    /// `application/json`.
    Json,
    /// `application/x-ndjson`, for calls that take lines.
    Lines,
}

impl Budget {
    pub(crate) fn new(bytes_max: usize) -> Arc<Self> {
        Arc::new(Self { bytes_max, bytes: AtomicUsize::new(0) })
    }

    fn reservation(self: &Arc<Self>) -> Reservation {
        Reservation { budget: Arc::clone(self), bytes: 0 }
    }
}

impl Reservation {
    /// Takes `bytes` more.
    ///
    /// # Errors
    /// `circuit_breaking_exception`: the bodies of all requests together hold too much.
    fn grow(&mut self, bytes: usize) -> Result<(), Failure> {
        let limit = self.budget.bytes_max;
        let before = self.budget.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.bytes += bytes;
        let wanted = before.saturating_add(bytes);
        if wanted <= limit {
            return Ok(());
        }
        Err(Exception::new(
            ExceptionKind::CircuitBreaking,
            format!(
                "[inflight_requests] Data too large, data for [<http_request>] would be [{wanted}b], which is larger than the limit of [{limit}b]"
            ),
        )
        .with("bytes_wanted", wanted)
        .with("bytes_limit", limit)
        .with("durability", "TRANSIENT")
        .into())
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.budget.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// Reads a body and unpacks it; both forms hold at most `bytes_max` bytes.
///
/// # Errors
/// It is too large (413), packed in a way that is not known, or broken off.
pub(crate) async fn read(
    headers: &HeaderMap,
    mut body: Body,
    bytes_max: usize,
    budget: &Arc<Budget>,
) -> Result<(Bytes, Reservation), Failure> {
    let mut reservation = budget.reservation();
    let sent = match collect(headers, &mut body, bytes_max, &mut reservation).await {
        Ok(sent) => sent,
        Err(refusal) => {
            drop(reservation);
            skip(&mut body).await;
            return Err(refusal);
        }
    };
    if sent.is_empty() {
        return Ok((sent, reservation));
    }
    match headers.get(CONTENT_ENCODING).map(|value| value.as_bytes().to_ascii_lowercase()) {
        None => Ok((sent, reservation)),
        Some(coding) if coding == b"identity" || coding.is_empty() => Ok((sent, reservation)),
        Some(coding) if coding == b"gzip" || coding == b"x-gzip" => {
            let unpack = tokio::task::spawn_blocking(move || {
                let plain = unpack(&sent, bytes_max, &mut reservation)?;
                Ok((plain, reservation))
            });
            unpack.await.unwrap_or_else(|_| Err(internal()))
        }
        Some(coding) => Err(Failure::Plain(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            format!(
                "Content-Encoding [{}] is not supported; send the body plain or as gzip",
                String::from_utf8_lossy(&coding)
            ),
        )),
    }
}

/// Returns the kind of content that the headers tell; asked only where there is a body.
///
/// # Errors
/// The header is missing or tells of something else (406).
pub(crate) fn content_type(headers: &HeaderMap) -> Result<ContentType, Failure> {
    let Some(value) = headers.get(CONTENT_TYPE) else {
        return Err(not_acceptable("Content-Type header is missing".to_owned()));
    };
    let text = String::from_utf8_lossy(value.as_bytes());
    let essence = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match essence.as_str() {
        "application/json" => Ok(ContentType::Json),
        "application/x-ndjson" => Ok(ContentType::Lines),
        _ => Err(unsupported_content_type(&text)),
    }
}

/// Returns the refusal of a content type.
pub(crate) fn unsupported_content_type(value: &str) -> Failure {
    not_acceptable(format!("Content-Type header [{value}] is not supported"))
}

fn not_acceptable(reason: String) -> Failure {
    Failure::Plain(StatusCode::NOT_ACCEPTABLE, reason)
}

fn too_large(bytes_max: usize) -> Failure {
    Failure::Plain(
        StatusCode::PAYLOAD_TOO_LARGE,
        format!("the body is larger than the limit of [{bytes_max}] bytes; send it in parts"),
    )
}

/// Reads on without keeping anything, within limits: whoever is cut off while sending would see a closed
/// connection instead of the refusal.
async fn skip(body: &mut Body) {
    let mut bytes = 0;
    while let Ok(Some(Ok(frame))) = tokio::time::timeout(SKIP_WAIT, body.frame()).await {
        bytes += frame.data_ref().map_or(0, Bytes::len);
        if SKIP_BYTES_MAX < bytes {
            break;
        }
    }
}

async fn collect(
    headers: &HeaderMap,
    body: &mut Body,
    bytes_max: usize,
    reservation: &mut Reservation,
) -> Result<Bytes, Failure> {
    let told = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    if told.is_some_and(|bytes: usize| bytes > bytes_max) {
        return Err(too_large(bytes_max));
    }
    let mut whole = Bytes::new();
    let mut parts = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| {
            Failure::from(Exception::new(ExceptionKind::Parse, "the body of the request broke off"))
        })?;
        let Ok(data) = frame.into_data() else { continue };
        if whole.len() + parts.len() + data.len() > bytes_max {
            return Err(too_large(bytes_max));
        }
        reservation.grow(data.len())?;
        if whole.is_empty() && parts.is_empty() {
            whole = data;
            continue;
        }
        if parts.is_empty() {
            parts.reserve(told.unwrap_or_default().max(whole.len() + data.len()));
            parts.extend_from_slice(&whole);
            whole = Bytes::new();
        }
        parts.extend_from_slice(&data);
    }
    Ok(if parts.is_empty() { whole } else { parts.freeze() })
}

fn unpack(
    packed: &[u8],
    bytes_max: usize,
    reservation: &mut Reservation,
) -> Result<Bytes, Failure> {
    const STEP_BYTES: usize = 64 << 10;
    let mut decoder = MultiGzDecoder::new(packed);
    let mut plain = Vec::new();
    loop {
        let before = plain.len();
        let read = (&mut decoder).take(STEP_BYTES as u64).read_to_end(&mut plain);
        read.map_err(|_| {
            Failure::from(Exception::new(ExceptionKind::Parse, "the body is no valid gzip"))
        })?;
        if plain.len() > bytes_max {
            return Err(too_large(bytes_max));
        }
        if plain.len() == before {
            return Ok(plain.into());
        }
        reservation.grow(plain.len() - before)?;
    }
}
