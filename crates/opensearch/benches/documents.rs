//! What reading a log document with its mapping costs beside reading it as plain JSON.
//!
//! `cargo bench -p pampero-opensearch` prints nanoseconds for each document and the ratio.

#![expect(clippy::unwrap_used, reason = "a benchmark may fail at any step")]
#![expect(clippy::print_stdout, reason = "the figures are its output")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use pampero_opensearch::Mapping;
use serde_json::Value;

const ROUNDS: u32 = 15;
const DOCUMENTS: u32 = 5_000;

/// Log documents of about 300 bytes, as the log path writes them.
fn documents() -> Vec<Vec<u8>> {
    let levels = ["INFO", "WARN", "ERROR", "DEBUG"];
    let document = |number: u32| {
        let level = levels[number as usize % levels.len()];
        let (second, milli) = (number / 100 % 60, number % 1000);
        format!(
            r#"{{"timestamp":"2026-08-21T10:07:{second:02}.{milli:03}Z","level":"{level}","log_message":"asked the provider for the forecast of the place","target":"pampero_loader::chain","service":"loader","place":"buenos-aires","provider":"open_meteo","request_id":"{number:016x}","duration_ms":{milli}.25,"attempt":{number}}}"#
        )
        .into_bytes()
    };
    (0..DOCUMENTS).map(document).collect()
}

/// Returns what one document takes, the best of several rounds of each, taken in turns.
fn measure(documents: &[Vec<u8>], mapping: &Mapping) -> (Duration, Duration) {
    let (mut plain, mut mapped) = (Duration::MAX, Duration::MAX);
    for _ in 0..ROUNDS {
        let began = Instant::now();
        for document in documents {
            black_box(serde_json::from_slice::<Value>(document).unwrap());
        }
        plain = plain.min(began.elapsed() / DOCUMENTS);
        let began = Instant::now();
        for document in documents {
            black_box(mapping.parse_document("1", document).unwrap());
        }
        mapped = mapped.min(began.elapsed() / DOCUMENTS);
    }
    (plain, mapped)
}

fn main() {
    let documents = documents();
    let mut mapping = Mapping::default();
    let first = mapping.parse_document("1", &documents[0]).unwrap();
    mapping.merge(&first.additions.unwrap()).unwrap();
    assert!(mapping.parse_document("1", &documents[1]).unwrap().additions.is_none());

    let (plain, mapped) = measure(&documents, &mapping);
    let ratio = mapped.as_secs_f64() / plain.as_secs_f64();
    let bytes = documents[0].len();
    println!("documents of {bytes} bytes: plain {plain:?}, mapped {mapped:?}, ratio {ratio:.2}");
}
