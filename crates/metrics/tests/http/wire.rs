//! The remote-write message, as far as samples go.
//!
//! Source: Prometheus, `prompb/remote.proto` and `prompb/types.proto`, remote write 1.0.

use prost::Message;

use crate::samples::Recorded;

#[derive(Clone, PartialEq, Message)]
struct WriteRequest {
    #[prost(message, repeated, tag = "1")]
    timeseries: Vec<TimeSeries>,
}

#[derive(Clone, PartialEq, Message)]
struct TimeSeries {
    #[prost(message, repeated, tag = "1")]
    labels: Vec<Label>,
    #[prost(message, repeated, tag = "2")]
    samples: Vec<Sample>,
}

#[derive(Clone, PartialEq, Message)]
struct Label {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    value: String,
}

#[derive(Clone, Copy, PartialEq, Message)]
struct Sample {
    /// Always there, since a zero that is left out loses its sign.
    #[prost(double, optional, tag = "1")]
    value: Option<f64>,
    #[prost(int64, tag = "2")]
    timestamp: i64,
}

/// Returns the compressed body that writes all of it.
pub(crate) fn write_request(recorded: &[Recorded]) -> Vec<u8> {
    let timeseries = recorded.iter().map(|series| TimeSeries {
        labels: series
            .labels
            .iter()
            .map(|(name, value)| Label { name: name.to_owned(), value: value.to_owned() })
            .collect(),
        samples: series
            .samples
            .iter()
            .map(|(timestamp, value)| Sample { value: Some(*value), timestamp: *timestamp })
            .collect(),
    });
    let message = WriteRequest { timeseries: timeseries.collect() }.encode_to_vec();
    snap::raw::Encoder::new().compress_vec(&message).unwrap()
}
