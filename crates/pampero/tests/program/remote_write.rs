//! Samples sent to the program as another Prometheus would send them.
//!
//! Source: Prometheus, Remote-Write 1.0 specification, protocol buffers.

use prost::Message;
use reqwest::{Method, RequestBuilder};
use serde_json::Value;

use crate::harness::Program;

#[derive(Clone, PartialEq, Message)]
pub(crate) struct WriteRequest {
    #[prost(message, repeated, tag = "1")]
    pub(crate) timeseries: Vec<TimeSeries>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct TimeSeries {
    #[prost(message, repeated, tag = "1")]
    pub(crate) labels: Vec<Label>,
    #[prost(message, repeated, tag = "2")]
    pub(crate) samples: Vec<Sample>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Label {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    #[prost(string, tag = "2")]
    pub(crate) value: String,
}

#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct Sample {
    #[prost(double, tag = "1")]
    pub(crate) value: f64,
    /// Milliseconds since the Unix epoch.
    #[prost(int64, tag = "2")]
    pub(crate) timestamp: i64,
}

/// Returns samples of one series, each a time in milliseconds since the Unix epoch and a value.
pub(crate) fn series(labels: &[(&str, &str)], samples: &[(i64, f64)]) -> TimeSeries {
    let label =
        |(name, value): &(&str, &str)| Label { name: (*name).into(), value: (*value).into() };
    let sample = |(timestamp, value): &(i64, f64)| Sample { value: *value, timestamp: *timestamp };
    TimeSeries {
        labels: labels.iter().map(label).collect(),
        samples: samples.iter().map(sample).collect(),
    }
}

/// Returns the body of a request, compressed.
pub(crate) fn body(timeseries: Vec<TimeSeries>) -> Vec<u8> {
    compress(&WriteRequest { timeseries }.encode_to_vec())
}

pub(crate) fn compress(bytes: &[u8]) -> Vec<u8> {
    snap::raw::Encoder::new().compress_vec(bytes).unwrap()
}

/// Returns a request that brings this body.
pub(crate) fn write(program: &Program, body: Vec<u8>) -> RequestBuilder {
    program
        .request(Method::POST, "/prometheus/api/v1/write")
        .header("content-type", "application/x-protobuf")
        .header("content-encoding", "snappy")
        .body(body)
}

/// Evaluates an expression now and returns the result.
pub(crate) async fn query(program: &Program, expression: &str) -> Value {
    let form = [("query", expression)];
    let request = program.request(Method::POST, "/prometheus/api/v1/query").form(&form);
    let reply = crate::harness::reply(request).await;
    assert_eq!(reply.status, 200, "{expression}: {}", reply.text);
    reply.json()["data"]["result"].clone()
}
