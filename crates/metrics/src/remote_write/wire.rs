//! The messages as they come over the wire.
//!
//! The outer message is walked by hand, so that no more than one series is decoded at a time: two
//! bytes on the wire would otherwise become a hundred in memory.
//!
//! Source: Prometheus, Remote-Write 1.0 specification, protocol buffers.

use prost::Message;
use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};

use crate::metadata::{Metadata, MetricKind};

/// The samples of one series.
#[derive(Clone, PartialEq, Message)]
pub(super) struct TimeSeries {
    #[prost(message, repeated, tag = "1")]
    pub(super) labels: Vec<Label>,
    #[prost(message, repeated, tag = "2")]
    pub(super) samples: Vec<WireSample>,
}

/// A label of a series.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Label {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(string, tag = "2")]
    pub(super) value: String,
}

/// A value, and its time in milliseconds since the Unix epoch.
#[derive(Clone, Copy, PartialEq, Message)]
pub(super) struct WireSample {
    #[prost(double, tag = "1")]
    pub(super) value: f64,
    #[prost(int64, tag = "2")]
    pub(super) timestamp: i64,
}

/// What a sender says of a metric.
#[derive(Clone, PartialEq, Message)]
pub(super) struct WireMetadata {
    #[prost(int32, tag = "1")]
    pub(super) kind: i32,
    #[prost(string, tag = "2")]
    pub(super) metric_family_name: String,
    #[prost(string, tag = "4")]
    pub(super) help: String,
    #[prost(string, tag = "5")]
    pub(super) unit: String,
}

impl WireMetadata {
    /// Returns it in our words; help and unit are cut off where they get absurdly long.
    pub(super) fn metadata(&self) -> Metadata {
        const LENGTH_MAX: usize = 1000;
        let kind = match self.kind {
            1 => MetricKind::Counter,
            2 => MetricKind::Gauge,
            3 => MetricKind::Histogram,
            4 => MetricKind::GaugeHistogram,
            5 => MetricKind::Summary,
            6 => MetricKind::Info,
            7 => MetricKind::StateSet,
            _ => MetricKind::Unknown,
        };
        let cut = |text: &str| text.chars().take(LENGTH_MAX).collect();
        Metadata { kind, help: cut(&self.help), unit: cut(&self.unit) }
    }
}

/// A part of a request.
#[derive(Debug)]
pub(super) enum Part<'b> {
    /// A series, not decoded.
    Series(&'b [u8]),
    /// What is said of a metric.
    Metadata(WireMetadata),
}

/// Returns the parts of a request one after another; fields that are not known are passed over.
pub(super) fn parts(body: &[u8]) -> impl Iterator<Item = Result<Part<'_>, prost::DecodeError>> {
    let mut rest = body;
    std::iter::from_fn(move || {
        let part = next_part(&mut rest).transpose()?;
        if part.is_err() {
            rest = &[];
        }
        Some(part)
    })
}

fn next_part<'b>(rest: &mut &'b [u8]) -> Result<Option<Part<'b>>, prost::DecodeError> {
    while !rest.is_empty() {
        let (tag, wire_type) = decode_key(rest)?;
        match (tag, wire_type) {
            (1, WireType::LengthDelimited) => {
                return Ok(Some(Part::Series(take_delimited(rest)?)));
            }
            (3, WireType::LengthDelimited) => {
                let metadata = WireMetadata::decode(take_delimited(rest)?)?;
                return Ok(Some(Part::Metadata(metadata)));
            }
            _ => skip_field(wire_type, tag, rest, DecodeContext::default())?,
        }
    }
    Ok(None)
}

fn take_delimited<'b>(rest: &mut &'b [u8]) -> Result<&'b [u8], prost::DecodeError> {
    let length = usize::try_from(decode_varint(rest)?).unwrap_or(usize::MAX);
    match rest.split_at_checked(length) {
        Some((taken, behind)) => {
            *rest = behind;
            Ok(taken)
        }
        // Let prost say that the message is cut off, in its own words.
        None => Err(TimeSeries::decode_length_delimited(&[1_u8][..])
            .expect_err("a message of one byte that is not there is cut off")),
    }
}

/// Decodes one series.
pub(super) fn series(bytes: &[u8]) -> Result<TimeSeries, prost::DecodeError> {
    TimeSeries::decode(bytes)
}
