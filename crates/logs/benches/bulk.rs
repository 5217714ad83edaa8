//! What a bulk request costs beside writing the same operations without a request.
//!
//! `cargo bench -p pampero-logs --bench bulk` prints documents per second for the whole request, for
//! `Index::write` alone, and for cutting the body into lines, with the ratios.

#![expect(clippy::unwrap_used, reason = "a benchmark may fail at any step")]
#![expect(clippy::print_stdout, reason = "the figures are its output")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http::Request;
use http_body_util::BodyExt;
use pampero_index::{Action, Cluster, IndexOptions, Operation, VersionCheck};
use pampero_logs::rest::{RestOptions, RestState, router};
use pampero_resilience::{Clock, SystemClock};
use serde_json::Value;
use tower::ServiceExt;

const ROUNDS: usize = 8;
const REQUESTS: usize = 10;
const DOCUMENTS: usize = 4_000;

/// A log document of about 300 bytes, as the log path writes them.
fn document(number: usize) -> String {
    let level = ["INFO", "WARN", "ERROR", "DEBUG"][number % 4];
    let (second, milli) = (number / 100 % 60, number % 1000);
    format!(
        r#"{{"timestamp":"2026-08-21T10:07:{second:02}.{milli:03}Z","level":"{level}","log_message":"asked the provider for the forecast of the place","target":"pampero_loader::chain","service":"loader","place":"buenos-aires","provider":"open_meteo","request_id":"{number:016x}","duration_ms":{milli}.25,"attempt":{number}}}"#
    )
}

fn body(action: &str) -> Bytes {
    let lines: String =
        (0..DOCUMENTS).map(|number| format!("{action}\n{}\n", document(number))).collect();
    lines.into()
}

fn operations() -> Vec<Operation> {
    let operation = |number| Operation {
        id: None,
        action: Action::Create(document(number).into()),
        routing: None,
        check: VersionCheck::None,
    };
    (0..DOCUMENTS).map(operation).collect()
}

async fn send(router: &Router, path: &str, body: &Bytes) -> Bytes {
    let request = Request::builder()
        .method("POST")
        .uri(path)
        .header("content-type", "application/x-ndjson")
        .body(Body::from(body.clone()))
        .unwrap();
    let response = router.clone().oneshot(request).await.unwrap();
    response.into_body().collect().await.unwrap().to_bytes()
}

/// Returns how long `work` takes, for one document.
fn per_document(work: impl FnOnce()) -> Duration {
    let begun = Instant::now();
    work();
    begun.elapsed() / u32::try_from(REQUESTS * DOCUMENTS).unwrap()
}

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let cluster = Arc::new(Cluster::open(folder.path(), IndexOptions::default()).unwrap());
    let now = SystemClock.now();
    let written = cluster.create_index("written", &Value::Null, now).unwrap();
    let state = RestState::new(Arc::clone(&cluster), Arc::new(SystemClock), RestOptions::default());
    let router = router(state);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let body = body(r#"{"create":{"_index":"sent"}}"#);
    let answer = runtime.block_on(send(&router, "/_bulk", &body));
    assert!(
        answer.starts_with(b"{\"took\":")
            && answer[..64].windows(14).any(|it| it == b"\"errors\":false")
    );

    let [mut request, mut write, mut lines] = [Duration::MAX; 3];
    for _ in 0..ROUNDS {
        request = request.min(per_document(|| {
            for _ in 0..REQUESTS {
                runtime.block_on(send(&router, "/_bulk", &body));
            }
        }));
        let batches: Vec<Vec<Operation>> = (0..REQUESTS).map(|_| operations()).collect();
        write = write.min(per_document(|| {
            for batch in batches {
                assert!(written.write(batch, now).iter().all(Result::is_ok));
            }
        }));
        lines = lines.min(per_document(|| {
            for _ in 0..REQUESTS {
                let count = memchr::memchr_iter(b'\n', std::hint::black_box(&body)).count();
                assert_eq!(count, 2 * DOCUMENTS);
            }
        }));
    }
    let per_second = |each: Duration| 1.0 / each.as_secs_f64();
    println!("whole request   {:9.0} documents/s", per_second(request));
    println!("Index::write    {:9.0} documents/s", per_second(write));
    println!("cut into lines  {:9.0} documents/s", per_second(lines));
    let own = request.saturating_sub(write);
    println!(
        "request beside Index::write: {:.2}; reading and answering: {:?} per document, {:.0} times cutting into lines",
        request.as_secs_f64() / write.as_secs_f64(),
        own,
        own.as_secs_f64() / lines.as_secs_f64()
    );
}
