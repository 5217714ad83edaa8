//! What the receiver makes of right and wrong requests.

use std::sync::{Arc, Mutex};

use pampero_resilience::{Clock, VirtualClock};
use pampero_samples::{SampleOptions, SampleStore};
use proptest::prelude::*;
use prost::Message;

use super::wire::{Label, TimeSeries, WireMetadata, WireSample};
use super::*;
use crate::metadata::{Metadata, MetricKind};
use crate::testkit;

#[derive(Clone, PartialEq, Message)]
struct WriteRequest {
    #[prost(message, repeated, tag = "1")]
    timeseries: Vec<TimeSeries>,
    #[prost(message, repeated, tag = "3")]
    metadata: Vec<WireMetadata>,
}

struct Receiver {
    _folder: tempfile::TempDir,
    store: SampleStore,
    writer: Writer,
    metadata: Mutex<MetadataBook>,
    limits: RemoteWriteLimits,
    now_ms: i64,
}

impl Receiver {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = SampleOptions { series_max: 4, ..SampleOptions::default() };
        let store = SampleStore::open(folder.path(), options).unwrap();
        let clock: Arc<dyn Clock> = Arc::new(VirtualClock::starting_at(testkit::noon()));
        Self {
            _folder: folder,
            writer: Writer::new(store.clone(), clock),
            store,
            metadata: Mutex::new(MetadataBook::new(2)),
            limits: RemoteWriteLimits { decoded_bytes_max: 1 << 20, ..Default::default() },
            now_ms: testkit::noon().as_millisecond(),
        }
    }

    fn receive(&self, series: &[TimeSeries]) -> Result<(), RemoteWriteError> {
        let request = WriteRequest { timeseries: series.to_vec(), metadata: Vec::new() };
        self.receive_bytes(&compress(&request.encode_to_vec()))
    }

    fn receive_bytes(&self, body: &[u8]) -> Result<(), RemoteWriteError> {
        let request = RemoteWriteRequest {
            content_type: Some("application/x-protobuf"),
            content_encoding: Some("snappy"),
            body,
        };
        receive(&self.writer, &self.metadata, &self.limits, request)
    }

    fn kept(&self, metric: &str) -> Vec<String> {
        testkit::kept(&self.store, metric, self.now_ms)
    }
}

fn compress(bytes: &[u8]) -> Vec<u8> {
    snap::raw::Encoder::new().compress_vec(bytes).unwrap()
}

fn series(labels: &[(&str, &str)], samples: &[(i64, f64)]) -> TimeSeries {
    let label =
        |(name, value): &(&str, &str)| Label { name: (*name).into(), value: (*value).into() };
    let sample =
        |(timestamp, value): &(i64, f64)| WireSample { value: *value, timestamp: *timestamp };
    TimeSeries {
        labels: labels.iter().map(label).collect(),
        samples: samples.iter().map(sample).collect(),
    }
}

#[tokio::test(start_paused = true)]
async fn samples_are_kept_in_whatever_order_they_come() {
    let receiver = Receiver::new();
    let at = receiver.now_ms;
    let sent = series(&[("place", "Ñandú"), ("__name__", "a")], &[(at, 2.0), (at - 60_000, 1.0)]);
    receiver.receive(std::slice::from_ref(&sent)).unwrap();
    receiver.receive(&[sent]).unwrap(); // The same again is fine.
    assert_eq!(receiver.kept("a"), [r#"a{place="Ñandú"}: -60000=1 0=2"#]);
}

#[tokio::test(start_paused = true)]
async fn what_is_right_is_kept_beside_what_is_wrong() {
    let at = testkit::noon().as_millisecond();
    let check = |wrong: TimeSeries, expected: &str| {
        let receiver = Receiver::new();
        let right = series(&[("__name__", "a")], &[(at, 1.0)]);
        let error = receiver.receive(&[wrong, right]).unwrap_err();
        assert_eq!(error.kind(), RemoteWriteErrorKind::BadRequest);
        assert!(error.to_string().contains(expected), "{error}, but not {expected}");
        assert_eq!(receiver.kept("a"), ["a: 0=1"], "{expected}");
    };
    check(series(&[("b", "1")], &[(at, 1.0)]), "has no name");
    check(series(&[("__name__", "")], &[(at, 1.0)]), "has no name");
    check(series(&[("__name__", "a b")], &[(at, 1.0)]), "has no name");
    check(series(&[("__name__", "b"), ("c-d", "1")], &[(at, 1.0)]), "\"c-d\" is no name");
    check(series(&[("__name__", "b"), ("", "1")], &[(at, 1.0)]), "\"\" is no name");
    check(
        series(&[("__name__", "b"), ("c", "1"), ("c", "1")], &[(at, 1.0)]),
        "the label \"c\" is there twice",
    );
    check(series(&[("__name__", "b"), ("c", &"x".repeat(5000))], &[(at, 1.0)]), "too long");
    let many: Vec<_> = (0..65).map(|index| format!("l{index}")).collect();
    let many: Vec<_> = many.iter().map(|name| (name.as_str(), "1")).collect();
    check(series(&many, &[(at, 1.0)]), "65 labels, and 64 are the most");
    check(series(&[("__name__", "b")], &[(at + 3_600_000, 1.0)]), "in the future");
    check(series(&[("__name__", "b")], &[(i64::MAX, 1.0)]), "in the future");
    check(series(&[("__name__", "b")], &[(i64::MIN, 1.0)]), "in the past");
    check(series(&[("__name__", "b")], &[(at, 1.0), (at, 2.0)]), "another value");
}

#[tokio::test(start_paused = true)]
async fn series_beyond_the_limit_are_refused_as_such() {
    let receiver = Receiver::new();
    let all: Vec<_> = ["a", "b", "c", "d", "e", "f"]
        .map(|name| series(&[("__name__", name)], &[(receiver.now_ms, 1.0)]))
        .into();
    let error = receiver.receive(&all).unwrap_err();
    assert_eq!(error.kind(), RemoteWriteErrorKind::TooManySeries);
    assert_eq!(receiver.kept("d"), ["d: 0=1"]);
    assert_eq!(receiver.kept("e"), [""; 0]);
    assert_eq!(receiver.writer.lost().series_limit, 2);
}

#[tokio::test(start_paused = true)]
async fn metadata_is_kept_within_bounds() {
    let receiver = Receiver::new();
    let said = |name: &str| WireMetadata {
        kind: 1,
        metric_family_name: name.into(),
        help: "All of them".into(),
        unit: "bytes".into(),
    };
    let request =
        WriteRequest { timeseries: Vec::new(), metadata: ["a", "b", "c"].map(said).into() };
    receiver.receive_bytes(&compress(&request.encode_to_vec())).unwrap();
    let book = receiver.metadata.lock().unwrap();
    let kept: Vec<_> = book.iter(None).collect();
    let expected =
        Metadata { kind: MetricKind::Counter, help: "All of them".into(), unit: "bytes".into() };
    assert_eq!(kept, [("a", &expected), ("b", &expected)]);
}

#[tokio::test(start_paused = true)]
async fn hostile_bodies_are_refused() {
    let receiver = Receiver::new();
    let check = |body: &[u8], kind| {
        let error = receiver.receive_bytes(body).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
    };
    // A body of a few bytes that claims to have four GiB.
    check(&[0xff, 0xff, 0xff, 0xff, 0x0f, 0x00], RemoteWriteErrorKind::TooLarge);
    check(&compress(&vec![0; 2 << 20]), RemoteWriteErrorKind::TooLarge);
    check(&vec![0; 5 << 20], RemoteWriteErrorKind::TooLarge);
    check(b"", RemoteWriteErrorKind::BadRequest);
    check(b"\x10plain", RemoteWriteErrorKind::BadRequest);
    check(&compress(b"plain text"), RemoteWriteErrorKind::BadRequest);
    // A series that is longer than the body.
    check(&compress(&[0x0a, 0xff, 0xff, 0xff, 0x7f]), RemoteWriteErrorKind::BadRequest);
    // The name of a label that is not UTF-8.
    let label = [0x0a, 0x05, 0x0a, 0x03, 0x0a, 0x01, 0xff];
    check(&compress(&label), RemoteWriteErrorKind::BadRequest);
    // Half a million series of nothing: refused one by one, none of them kept in memory.
    check(&compress(&[0x0a, 0x00].repeat(500_000)), RemoteWriteErrorKind::BadRequest);
    receiver.receive_bytes(&compress(b"")).unwrap();
}

#[test]
fn other_formats_are_refused() {
    let check = |content_type, content_encoding, is_right: bool| {
        let request = RemoteWriteRequest { content_type, content_encoding, body: b"" };
        let kind = check_headers(request).map_err(|error| error.kind());
        let expected = if is_right { Ok(()) } else { Err(RemoteWriteErrorKind::Unsupported) };
        assert_eq!(kind, expected, "{content_type:?} {content_encoding:?}");
    };
    let protobuf = "application/x-protobuf";
    check(Some(protobuf), Some("snappy"), true);
    check(Some(protobuf), None, true);
    check(Some("application/x-protobuf;proto=prometheus.WriteRequest"), Some("snappy"), true);
    check(
        Some("application/x-protobuf;proto=io.prometheus.write.v2.Request"),
        Some("snappy"),
        false,
    );
    check(Some(protobuf), Some("gzip"), false);
    check(Some("application/json"), Some("snappy"), false);
    check(None, Some("snappy"), false);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn no_body_makes_the_receiver_panic(noise in proptest::collection::vec(any::<u8>(), 0..64)) {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let _guard = runtime.enter();
        let receiver = Receiver::new();
        let _ = receiver.receive_bytes(&noise);
        let _ = receiver.receive_bytes(&compress(&noise));
        let series = WriteRequest {
            timeseries: vec![series(&[("__name__", "a")], &[(receiver.now_ms, 1.0)])],
            metadata: Vec::new(),
        };
        let mut bytes = series.encode_to_vec();
        for (index, byte) in noise.iter().enumerate().take(3) {
            let place = (usize::from(*byte) + index) % bytes.len();
            bytes[place] ^= *byte;
        }
        let _ = receiver.receive_bytes(&compress(&bytes));
    }
}
