//! Files of definitions: read within a limit, written whole or not at all.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;
use std::time::SystemTime;

/// Most bytes of one file.
pub(super) const FILE_BYTES_MAX: u64 = 1 << 20;

/// What tells that a file was changed without reading it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Stamp {
    modified: Option<SystemTime>,
    length: u64,
}

impl Stamp {
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        let metadata = fs::metadata(path)?;
        Ok(Self { modified: metadata.modified().ok(), length: metadata.len() })
    }
}

/// Returns the stems of the JSON files of a folder in their order; none when there is no folder. Hidden
/// files and those of other kinds are not among them.
pub(super) fn stems(folder: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut stems = Vec::new();
    for entry in entries {
        let name = entry?.file_name();
        let stem = name.to_str().and_then(|name| name.strip_suffix(".json"));
        if let Some(stem) = stem.filter(|stem| !stem.is_empty() && !stem.starts_with('.')) {
            stems.push(stem.to_owned());
        }
    }
    stems.sort_unstable();
    Ok(stems)
}

/// Reads a file.
///
/// # Errors
/// It cannot be read, is too long, or is no UTF-8.
pub(super) fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(FILE_BYTES_MAX + 1).read_to_string(&mut text)?;
    if FILE_BYTES_MAX < text.len() as u64 {
        let reason = format!("the file is longer than {FILE_BYTES_MAX} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, reason));
    }
    Ok(text)
}

/// Writes a file so that at any instant the old one or the new one is there, and returns when it is on the
/// disk.
pub(crate) fn write(folder: &Path, stem: &str, text: &str) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let new = folder.join(format!(".{stem}.json.new"));
    let written = (|| {
        let mut file = File::create(&new)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, folder.join(format!("{stem}.json")))
    })();
    if written.is_err() {
        // The error that matters is the one above.
        let _ = fs::remove_file(&new);
    }
    written?;
    sync_folder(folder)
}

/// Removes a file, and returns when that is on the disk. One that is gone already is no error.
pub(super) fn remove(folder: &Path, stem: &str) -> io::Result<()> {
    match fs::remove_file(folder.join(format!("{stem}.json"))) {
        Ok(()) => sync_folder(folder),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Returns a number that differs for different texts, all but certainly, and is the same for ever.
///
/// Source: G. Fowler, L. C. Noll, P. Vo, FNV-1a with 64 bits.
pub(crate) fn fingerprint(text: &str) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    text.bytes().fold(0xcbf2_9ce4_8422_2325, step)
}
