//! Documents that the cluster does not want, set aside for whoever wants to know why.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::value::RawValue;

/// A file of JSON lines, and the one before it: together they stay within a number of bytes.
#[derive(Debug)]
pub(super) struct DeadLetters {
    path: PathBuf,
    bytes_max: u64,
}

/// One document that was refused.
#[derive(Debug, Serialize)]
pub(super) struct DeadLetter<'d> {
    pub(super) index: &'d str,
    pub(super) id: &'d str,
    pub(super) status: u16,
    pub(super) reason: &'d str,
    pub(super) document: &'d RawValue,
}

impl DeadLetters {
    pub(super) fn new(folder: &Path, bytes_max: u64) -> Self {
        Self { path: folder.join("rejected.ndjson"), bytes_max }
    }

    /// Adds letters at the end; blocks.
    pub(super) fn add(&self, letters: &[DeadLetter<'_>]) -> io::Result<()> {
        let mut lines = Vec::new();
        for letter in letters {
            serde_json::to_writer(&mut lines, letter)?;
            lines.push(b'\n');
        }
        let size = fs::metadata(&self.path).map_or(0, |metadata| metadata.len());
        if 0 < size && self.bytes_max / 2 < size + lines.len() as u64 {
            fs::rename(&self.path, self.path.with_extension("1.ndjson"))?;
        }
        let mut file = OpenOptions::new().create(true).append(true).open(&self.path)?;
        file.write_all(&lines)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_kept_within_their_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let letters = DeadLetters::new(folder.path(), 10_000);
        let document = RawValue::from_string("{\"a\":1}".to_owned()).unwrap();
        for number in 0..500 {
            let id = format!("id-{number}");
            let letter = DeadLetter {
                index: "weather_logs-2026.11.24",
                id: &id,
                status: 400,
                reason: "failed to parse",
                document: &document,
            };
            letters.add(&[letter]).unwrap();
        }
        let mut lines = Vec::new();
        for name in ["rejected.1.ndjson", "rejected.ndjson"] {
            let text = fs::read_to_string(folder.path().join(name)).unwrap();
            assert!(text.len() <= 5_000, "{} bytes in {name}", text.len());
            lines.extend(text.lines().map(str::to_owned));
        }
        let last: serde_json::Value = serde_json::from_str(lines.last().unwrap()).unwrap();
        assert_eq!(last["id"], "id-499");
        assert_eq!(last["document"]["a"], 1);
        assert!(40 < lines.len(), "{}", lines.len());
    }
}
