//! Finds segments that are damaged and puts them aside, so that the rest can be used.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tantivy::IndexReader;

use super::disk;
use super::index::QUARANTINE_FOLDER;
use super::shard::Shard;
use crate::layout::Layout;

/// Tantivy's file that lists the segments.
const META_FILE: &str = "meta.json";
/// Bytes of segments whose checksums are looked at when indices are opened, the smallest files of
/// each first. Damage in the others shows when they are read.
pub(crate) const CHECKED_BYTES_MAX: u64 = 256 << 20;

/// Opens the tantivy index of a folder without its damaged segments; each is told in `told`. Checksums
/// of up to `check_bytes` bytes are looked at, which are taken off it.
///
/// # Errors
/// Not even the list of segments can be used.
pub(crate) fn open_shard(
    folder: &Path,
    layout: &Layout,
    check_bytes: &mut u64,
    told: &mut Vec<String>,
) -> tantivy::Result<(Shard, IndexReader)> {
    for (segment, documents) in damaged_segments(folder, check_bytes)? {
        put_aside(folder, &segment)?;
        told.push(format!("{documents} documents of the damaged segment {segment} are lost"));
    }
    Shard::open(folder, layout)
}

/// Returns the damaged segments with the number of documents that could be searched in them.
fn damaged_segments(
    folder: &Path,
    check_bytes: &mut u64,
) -> tantivy::Result<BTreeMap<String, u64>> {
    let index = tantivy::Index::open_in_dir(folder)?;
    let metas = index.load_metas()?;
    let mut damaged = BTreeMap::new();
    for meta in &metas.segments {
        if tantivy::SegmentReader::open(&index.segment(meta.clone())).is_err() {
            damaged.insert(meta.id().uuid_string(), u64::from(meta.num_docs()));
        }
    }
    for file in files_to_check(folder, metas.list_segment_files(), check_bytes) {
        if index.directory().validate_checksum(&file).unwrap_or(false) {
            continue;
        }
        let name = file.to_string_lossy();
        let of = metas.segments.iter().find(|meta| name.starts_with(&meta.id().uuid_string()));
        damaged.extend(of.map(|meta| (meta.id().uuid_string(), u64::from(meta.num_docs()))));
    }
    Ok(damaged)
}

fn files_to_check(
    folder: &Path,
    files: impl IntoIterator<Item = PathBuf>,
    check_bytes: &mut u64,
) -> Vec<PathBuf> {
    let mut files: Vec<(u64, PathBuf)> = files
        .into_iter()
        .filter_map(|file| Some((fs::metadata(folder.join(&file)).ok()?.len(), file)))
        .collect();
    files.sort_unstable();
    let fits = |(length, _): &(u64, PathBuf)| {
        let left = check_bytes.checked_sub(*length);
        *check_bytes = left.unwrap_or(*check_bytes);
        left.is_some()
    };
    files.into_iter().take_while(fits).map(|(_, file)| file).collect()
}

/// Takes a segment out of the list, and its files out of the folder.
fn put_aside(folder: &Path, segment: &str) -> io::Result<()> {
    let meta_file = folder.join(META_FILE);
    let mut meta: Value = serde_json::from_slice(&fs::read(&meta_file)?)?;
    if let Some(segments) = meta.get_mut("segments").and_then(Value::as_array_mut) {
        let plain = segment.replace('-', "");
        segments.retain(|entry| {
            let id = entry.get("segment_id").and_then(Value::as_str).unwrap_or_default();
            id.replace('-', "") != plain
        });
    }
    let quarantine = folder.join(QUARANTINE_FOLDER);
    fs::create_dir_all(&quarantine)?;
    disk::replace_file(&meta_file, &serde_json::to_vec_pretty(&meta)?)?;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(segment) {
            fs::rename(entry.path(), quarantine.join(entry.file_name()))?;
        }
    }
    Ok(())
}
