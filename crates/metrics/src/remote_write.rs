//! The receiver of Prometheus's remote write, version 1.0.
//!
//! A request is checked before anything of its size is allocated: the compressed bytes, the size
//! that they claim to have decompressed, the size of each series. Series are decoded one at a time.
//! What is right in a request is kept, also when something else in it is wrong.
//!
//! Source: Prometheus, Remote-Write 1.0 specification.

mod labels;
mod wire;

use pampero_samples::{AppendError, Appended, Sample};

use crate::metadata::MetadataBook;
use crate::options::RemoteWriteLimits;
use crate::writer::Writer;
use wire::Part;

pub use labels::LabelsProblem;
pub(crate) use labels::{is_label_name, is_metric_name};

/// Most samples that are appended at once.
const BATCH_SAMPLES_MAX: usize = 20_000;

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
    /// The body is in another format.
    #[error(
        "the {header} {found:?} is not understood; send a prometheus.WriteRequest of remote write \
         1.0 as application/x-protobuf, compressed with snappy"
    )]
    Unsupported {
        /// The header that says so.
        header: &'static str,
        /// What it says.
        found: String,
    },
    /// The body is too large, as it came or decompressed.
    #[error("the request has {size} bytes, and {max} are the most; send fewer samples at once")]
    TooLarge {
        /// Its size in bytes.
        size: usize,
        /// The most bytes.
        max: usize,
    },
    /// The body is not compressed with snappy, as a block.
    #[error("the body is not a snappy block")]
    Snappy(#[source] snap::Error),
    /// The decompressed body is no request of remote write.
    #[error("the body is no prometheus.WriteRequest")]
    Protobuf(#[source] prost::DecodeError),
    /// Some samples are refused, and will be each time; the others are kept.
    #[error("{} samples are refused, {} are kept: {reason}", .refused, .stored)]
    Refused {
        /// How many are refused.
        refused: usize,
        /// How many are kept.
        stored: usize,
        /// Why the first of them is.
        reason: RefusedReason,
    },
    /// Some series would have been too many; the samples of the others are kept.
    #[error("samples of {refused} series are refused, because as many are kept as may be")]
    TooManySeries {
        /// How many series are refused.
        refused: usize,
    },
    /// Nothing can be kept just now.
    #[error("the samples cannot be kept now; send them again later")]
    Append(#[source] AppendError),
}

/// Why a sample of a request is refused.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum RefusedReason {
    /// Its labels are wrong.
    #[error("{0}")]
    Labels(#[from] LabelsProblem),
    /// Another value is there already for that time.
    #[error("another value is there already for the same time")]
    Conflicting,
    /// It is too old.
    #[error("the time is too far in the past")]
    TooOld,
    /// It is too far ahead of the clock.
    #[error("the time is too far in the future")]
    TooNew,
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
            Self::Unsupported { .. } => RemoteWriteErrorKind::Unsupported,
            Self::TooLarge { .. } => RemoteWriteErrorKind::TooLarge,
            Self::Snappy(_) | Self::Protobuf(_) | Self::Refused { .. } => {
                RemoteWriteErrorKind::BadRequest
            }
            Self::TooManySeries { .. } | Self::Append(AppendError::SeriesLimit { .. }) => {
                RemoteWriteErrorKind::TooManySeries
            }
            // A series that was forgotten in between is known again the next time.
            Self::Append(
                AppendError::Full { .. } | AppendError::Closed | AppendError::UnknownSeries,
            ) => RemoteWriteErrorKind::Unavailable,
            Self::Append(AppendError::Failed { .. }) => RemoteWriteErrorKind::Internal,
        }
    }
}

/// Keeps what a sender sent.
pub(crate) fn receive(
    writer: &Writer,
    metadata: &std::sync::Mutex<MetadataBook>,
    limits: &RemoteWriteLimits,
    request: RemoteWriteRequest<'_>,
) -> Result<(), RemoteWriteError> {
    check_headers(request)?;
    let body = decompress(request.body, limits)?;
    let mut intake = Intake { writer, limits, batch: Vec::new(), outcome: Outcome::default() };
    for part in wire::parts(&body) {
        match part.map_err(RemoteWriteError::Protobuf)? {
            Part::Series(bytes) => intake.take(bytes)?,
            Part::Metadata(said) => {
                let mut book = metadata.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                book.change(&said.metric_family_name, |known| *known = said.metadata());
            }
        }
    }
    intake.flush()?;
    intake.outcome.into_result()
}

fn check_headers(request: RemoteWriteRequest<'_>) -> Result<(), RemoteWriteError> {
    let unsupported = |header, found: Option<&str>| {
        let found = found.unwrap_or("(absent)").chars().take(100).collect();
        Err(RemoteWriteError::Unsupported { header, found })
    };
    let encoding = request.content_encoding.unwrap_or("snappy");
    if !encoding.trim().eq_ignore_ascii_case("snappy") {
        return unsupported("content-encoding", request.content_encoding);
    }
    let Some(content_type) = request.content_type else {
        return unsupported("content-type", None);
    };
    let mut parts = content_type.split(';').map(str::trim);
    let is_protobuf =
        parts.next().is_some_and(|media| media.eq_ignore_ascii_case("application/x-protobuf"));
    let is_first_version = parts
        .filter_map(|parameter| parameter.strip_prefix("proto="))
        .all(|message| message.trim_matches('"') == "prometheus.WriteRequest");
    if is_protobuf && is_first_version {
        Ok(())
    } else {
        unsupported("content-type", Some(content_type))
    }
}

fn decompress(body: &[u8], limits: &RemoteWriteLimits) -> Result<Vec<u8>, RemoteWriteError> {
    let check = |size: usize, max: usize| {
        if max < size { Err(RemoteWriteError::TooLarge { size, max }) } else { Ok(()) }
    };
    check(body.len(), limits.body_bytes_max)?;
    let claimed = snap::raw::decompress_len(body).map_err(RemoteWriteError::Snappy)?;
    check(claimed, limits.decoded_bytes_max)?;
    snap::raw::Decoder::new().decompress_vec(body).map_err(RemoteWriteError::Snappy)
}

/// A request that is being kept.
struct Intake<'i> {
    writer: &'i Writer,
    limits: &'i RemoteWriteLimits,
    batch: Vec<Sample>,
    outcome: Outcome,
}

#[derive(Debug, Default)]
struct Outcome {
    stored: usize,
    refused: usize,
    reason: Option<RefusedReason>,
    series_over_limit: usize,
}

impl Intake<'_> {
    fn take(&mut self, bytes: &[u8]) -> Result<(), RemoteWriteError> {
        let max = self.limits.series_bytes_max;
        if max < bytes.len() {
            return Err(RemoteWriteError::TooLarge { size: bytes.len(), max });
        }
        let series = wire::series(bytes).map_err(RemoteWriteError::Protobuf)?;
        let labels = match labels::labels(&series.labels, self.limits) {
            Ok(labels) => labels,
            Err(problem) => {
                // A series without samples has nothing to lose but its name.
                self.writer.count_malformed(series.samples.len());
                self.outcome.refuse(series.samples.len().max(1), problem.into());
                return Ok(());
            }
        };
        if series.samples.is_empty() {
            return Ok(());
        }
        let id = match self.writer.resolve(&labels) {
            Ok(id) => id,
            Err(AppendError::SeriesLimit { .. }) => {
                self.writer.count_over_series_limit(series.samples.len());
                self.outcome.series_over_limit += 1;
                return Ok(());
            }
            Err(error) => return Err(RemoteWriteError::Append(error)),
        };
        self.batch.extend(series.samples.iter().map(|sample| Sample {
            series: id,
            timestamp_ms: sample.timestamp,
            value: sample.value,
        }));
        if BATCH_SAMPLES_MAX <= self.batch.len() { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), RemoteWriteError> {
        if self.batch.is_empty() {
            return Ok(());
        }
        let appended = self.writer.append(&self.batch).map_err(RemoteWriteError::Append)?;
        self.batch.clear();
        self.outcome.note(appended);
        Ok(())
    }
}

impl Outcome {
    fn note(&mut self, appended: Appended) {
        self.stored += appended.stored + appended.duplicates;
        for (count, reason) in [
            (appended.conflicting, RefusedReason::Conflicting),
            (appended.too_old, RefusedReason::TooOld),
            (appended.too_new, RefusedReason::TooNew),
        ] {
            if 0 < count {
                self.refuse(count, reason);
            }
        }
    }

    fn refuse(&mut self, count: usize, reason: RefusedReason) {
        self.refused += count;
        self.reason.get_or_insert(reason);
    }

    fn into_result(self) -> Result<(), RemoteWriteError> {
        if 0 < self.series_over_limit {
            return Err(RemoteWriteError::TooManySeries { refused: self.series_over_limit });
        }
        match self.reason {
            Some(reason) => Err(RemoteWriteError::Refused {
                refused: self.refused,
                stored: self.stored,
                reason,
            }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
