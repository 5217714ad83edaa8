//! What keeping log documents costs: prints documents per second of an index beside those of
//! tantivy's own writer over the same documents, and bytes on disk for each byte of JSON.
//!
//! `cargo bench -p pampero-index --bench ingest -- documents=200000` writes so many documents of
//! about 300 bytes, a thousand at a time, each thousand synced before the next. The other writer has
//! the same fields and settings, syncs nothing before its commit, and numbers no documents. The fields
//! are mapped as the program maps its own; `mapping=dynamic` lets the documents bring them.
#![expect(clippy::unwrap_used, reason = "a measurement that cannot go on ends")]
#![expect(clippy::print_stdout, reason = "a measurement is printed")]

use std::time::Instant;

use bytes::Bytes;
use jiff::Timestamp;
use pampero_index::layout::Layout;
use pampero_index::{Action, IndexOptions, Indices, Operation, VersionCheck, analysis};
use pampero_opensearch::Mapping;
use pampero_opensearch::mapping::FieldValue;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Map, json};
use tantivy::indexer::IndexWriterOptions;
use tantivy::schema::OwnedValue;
use tantivy::store::{Compressor, ZstdCompressor};
use tantivy::{IndexSettings, IndexWriter, TantivyDocument};
use tempfile::TempDir;

const BATCH: usize = 1_000;

fn main() {
    let mut count = 200_000;
    let mut rounds = 3;
    let mut mapping = own_mapping();
    for argument in std::env::args().skip(1) {
        match argument.split_once('=') {
            Some(("documents", number)) => count = number.parse().unwrap(),
            Some(("rounds", number)) => rounds = number.parse().unwrap(),
            Some(("mapping", "dynamic")) => mapping = Mapping::default(),
            // Cargo adds `--bench`.
            _ => {}
        }
    }
    let documents = documents(count);
    let json_bytes: usize = documents.iter().map(Bytes::len).sum();
    println!("{count} documents of {} bytes", json_bytes / count.max(1));
    for _ in 0..rounds {
        let plain_s = write_plainly(&documents, mapping.clone());
        let (index_s, disk_bytes, merged_bytes) = write_to_index(&documents, mapping.clone());
        let rate = |seconds: f64| count as f64 / seconds;
        let share = |bytes: u64| bytes as f64 / json_bytes as f64;
        println!(
            "index {:.0} documents/s, tantivy alone {:.0} documents/s, ratio {:.2}, \
             {:.3} bytes on disk for a byte of JSON, {:.3} when merged",
            rate(index_s),
            rate(plain_s),
            plain_s / index_s,
            share(disk_bytes),
            share(merged_bytes),
        );
    }
}

/// Words that are looked for whole are keywords; only the message is text.
fn own_mapping() -> Mapping {
    let keyword = json!({ "type": "keyword" });
    let whole = json!({ "type": "keyword", "fields": { "keyword": { "type": "keyword" } } });
    let text = json!({
        "type": "text",
        "fields": { "keyword": { "type": "keyword", "ignore_above": 256 } },
    });
    Mapping::from_json(&json!({ "properties": {
        "timestamp": { "type": "date" },
        "level": text,
        "log_message": text,
        "target": whole,
        "service": whole,
        "place": whole,
        "provider": whole,
        "request_id": keyword,
        "duration_ms": { "type": "long" },
    } }))
    .unwrap()
}

fn now() -> Timestamp {
    Timestamp::from_second(1_780_000_000).unwrap()
}

/// Log lines as the program writes them.
fn documents(count: usize) -> Vec<Bytes> {
    let mut chance = StdRng::seed_from_u64(7);
    (0..count).map(|number| document(number, &mut chance).into()).collect()
}

fn document(number: usize, chance: &mut StdRng) -> String {
    let mut one_of = |words: &[&'static str]| words[chance.random_range(0..words.len())];
    let level = one_of(&["INFO", "INFO", "INFO", "INFO", "DEBUG", "DEBUG", "WARN", "ERROR"]);
    let place = one_of(&["buenos_aires", "rosario", "tandil", "azul", "moron", "zarate"]);
    let provider = one_of(&["open_meteo", "met_norway", "openweathermap", "weatherstack"]);
    let (what, target) = match one_of(&["a", "b", "c"]) {
        "a" => ("observation was recorded", "pampero_loader::poll"),
        "b" => ("request was answered", "pampero_api::edge::measure"),
        _ => (
            "provider did not answer in time, trying the next of the chain",
            "pampero_loader::chain",
        ),
    };
    let time = now() + jiff::SignedDuration::from_millis(number as i64 * 7);
    let request: u64 = chance.random();
    let duration: u32 = chance.random_range(1..3_000);
    format!(
        r#"{{"timestamp":"{time:.3}","level":"{level}","log_message":"{what}","target":"{target}","service":"loader","place":"{place}","provider":"{provider}","request_id":"{request:016x}","duration_ms":{duration},"attempt":{},"path":"/weather/current?place={place}"}}"#,
        number % 4
    )
}

/// Returns the seconds it takes, and the bytes on disk before and after all is merged.
fn write_to_index(documents: &[Bytes], mapping: Mapping) -> (f64, u64, u64) {
    let folder = TempDir::new().unwrap();
    let indices = Indices::open(folder.path(), IndexOptions::default()).unwrap();
    let index = indices.create("logs", Map::new(), mapping, now()).unwrap();
    let begun = Instant::now();
    for batch in documents.chunks(BATCH) {
        let operations = batch.iter().map(|source| Operation {
            id: None,
            action: Action::Index(source.clone()),
            routing: None,
            check: VersionCheck::None,
        });
        let written = index.write(operations.collect(), now());
        assert!(written.iter().all(Result::is_ok));
    }
    index.refresh().unwrap();
    let seconds = begun.elapsed().as_secs_f64();
    assert_eq!(index.statistics().documents, documents.len() as u64);
    let disk_bytes = index.statistics().bytes;
    index.force_merge(1).unwrap();
    // Files of merged segments are removed with the next commit.
    indices.close();
    (seconds, disk_bytes, index.statistics().bytes)
}

/// Returns the seconds it takes tantivy's own writer, which gets the same fields.
fn write_plainly(documents: &[Bytes], mut mapping: Mapping) -> f64 {
    let folder = TempDir::new().unwrap();
    let layout = Layout::new();
    let settings = IndexSettings {
        docstore_compression: Compressor::Zstd(ZstdCompressor::default()),
        docstore_blocksize: 32 << 10,
        ..IndexSettings::default()
    };
    let builder = tantivy::Index::builder().schema(layout.schema.clone()).settings(settings);
    let index = builder.create_in_dir(folder.path()).unwrap();
    analysis::register(&index);
    let options = IndexWriterOptions::builder()
        .memory_budget_per_thread(IndexOptions::default().writer_bytes)
        .num_worker_threads(IndexOptions::default().writer_threads)
        .num_merge_threads(1)
        .build();
    let mut writer: IndexWriter = index.writer_with_options(options).unwrap();
    let begun = Instant::now();
    for (number, source) in documents.iter().enumerate() {
        let document = plain_document(&layout, &mut mapping, number, source);
        writer.add_document(document).unwrap();
    }
    writer.commit().unwrap();
    begun.elapsed().as_secs_f64()
}

fn plain_document(
    layout: &Layout,
    mapping: &mut Mapping,
    number: usize,
    source: &Bytes,
) -> TantivyDocument {
    let mut parsed = mapping.parse_document("", source).unwrap();
    while let Some(additions) = parsed.additions {
        mapping.merge(&additions).unwrap();
        parsed = mapping.parse_document("", source).unwrap();
    }
    let mut document = TantivyDocument::new();
    document.add_text(layout.id, format!("{number:020}"));
    document.add_bytes(layout.source, source);
    for name in &parsed.field_names {
        document.add_text(layout.field_names, name);
    }
    let mut keywords = Vec::new();
    let mut numbers = Vec::new();
    let mut texts = Vec::new();
    for (path, value) in parsed.values {
        let path = path.to_string();
        match value {
            FieldValue::Text(analyzer, text) => {
                texts.push((layout.text(analyzer), vec![(path, OwnedValue::Str(text))]));
            }
            FieldValue::Keyword(text) => keywords.push((path, OwnedValue::Str(text))),
            FieldValue::Long(number) => numbers.push((path, OwnedValue::I64(number))),
            FieldValue::Unsigned(number) => numbers.push((path, OwnedValue::U64(number))),
            FieldValue::Double(number) => numbers.push((path, OwnedValue::F64(number))),
            FieldValue::Boolean(truth) => numbers.push((path, OwnedValue::Bool(truth))),
        }
    }
    let objects = [(layout.keywords, keywords), (layout.numbers, numbers)];
    for (field, values) in objects.into_iter().chain(texts) {
        document.add_field_value(field, &OwnedValue::Object(values));
    }
    document
}
