//! Reading the small files of procfs and sysfs, and the numbers in them.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use rustix::fs::{Mode, OFlags};

use super::{HostOptions, SampleError};

/// Where the kernel's files are.
#[derive(Debug)]
pub(super) struct Files {
    pub(super) proc: PathBuf,
    pub(super) sys: PathBuf,
    pub(super) root: PathBuf,
}

/// A file that was read whole.
#[derive(Debug)]
pub(super) struct Text {
    path: PathBuf,
    pub(super) content: String,
}

impl Files {
    pub(super) fn new(options: &HostOptions) -> Self {
        Self {
            proc: options.proc_path.clone(),
            sys: options.sys_path.clone(),
            root: options.root_path.clone(),
        }
    }

    /// Reads a file below procfs.
    pub(super) fn proc(&self, name: &str) -> Result<Text, SampleError> {
        Text::read(self.proc.join(name))
    }

    /// Reads a file below procfs, which machines without `facility` lack.
    pub(super) fn optional_proc(
        &self,
        name: &str,
        facility: &'static str,
    ) -> Result<Text, SampleError> {
        self.proc(name).map_err(|error| absent_or(error, facility))
    }

    /// Lists a directory below sysfs; one that is not there has no entries.
    pub(super) fn sys_entries(&self, name: &str) -> Result<Vec<String>, SampleError> {
        match self.optional_sys_entries(name, "") {
            Err(SampleError::Absent(_)) => Ok(Vec::new()),
            listed => listed,
        }
    }

    /// Lists a directory below sysfs, which machines without `facility` lack.
    pub(super) fn optional_sys_entries(
        &self,
        name: &str,
        facility: &'static str,
    ) -> Result<Vec<String>, SampleError> {
        let path = self.sys.join(name);
        entries(&path).map_err(|source| absent_or(SampleError::Read { path, source }, facility))
    }
}

fn absent_or(error: SampleError, facility: &'static str) -> SampleError {
    match error {
        SampleError::Read { source, .. } if source.kind() == ErrorKind::NotFound => {
            SampleError::Absent(facility)
        }
        other => other,
    }
}

/// Lists a directory in the order of the names; names that are no text are passed over.
pub(super) fn entries(path: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(path)? {
        names.extend(entry?.file_name().into_string());
    }
    names.sort_unstable();
    Ok(names)
}

/// Reads a value of sysfs, trimmed; `None` when it is not there, not readable or not text.
///
/// Drivers answer with an error for what does not apply to a device, such as the speed of a loop.
pub(super) fn attribute(path: &Path) -> Option<String> {
    // A value of sysfs is at most one page and comes whole with one read.
    let mut page = [0; 4096];
    let length = File::open(path).and_then(|mut file| file.read(&mut page)).ok()?;
    let text = std::str::from_utf8(&page[..length]).ok()?;
    Some(text.trim().to_owned())
}

/// Reads a whole number of sysfs, in decimal, or in hexadecimal after `0x`.
pub(super) fn integer_attribute(path: &Path) -> Option<i64> {
    integer(&attribute(path)?)
}

fn integer(text: &str) -> Option<i64> {
    match text.strip_prefix("0x") {
        Some(hexadecimal) => i64::from_str_radix(hexadecimal, 16).ok(),
        None => text.parse().ok(),
    }
}

/// An open folder of sysfs with many values.
///
/// The way to a device crosses a dozen folders, which the kernel then walks once for all of them.
#[derive(Debug)]
pub(super) struct Folder(OwnedFd);

impl Folder {
    /// Opens a folder; `None` for what is none.
    pub(super) fn open(path: &Path) -> Option<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        rustix::fs::open(path, flags, Mode::empty()).ok().map(Self)
    }

    /// Reads a value as [`attribute`] does.
    pub(super) fn attribute(&self, name: &str) -> Option<String> {
        self.read(name, |text| Some(text.to_owned()))
    }

    /// Reads a whole number as [`integer_attribute`] does.
    pub(super) fn integer(&self, name: &str) -> Option<i64> {
        self.read(name, integer)
    }

    fn read<V>(&self, name: &str, parse: impl FnOnce(&str) -> Option<V>) -> Option<V> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&self.0, name, flags, Mode::empty()).ok()?;
        let mut page = [0; 4096];
        let length = rustix::io::read(&file, &mut page).ok()?;
        parse(std::str::from_utf8(&page[..length]).ok()?.trim())
    }
}

impl Text {
    /// Reads a file until its end, because the kernel hands out long ones page by page.
    pub(super) fn read(path: PathBuf) -> Result<Self, SampleError> {
        let mut bytes = Vec::with_capacity(4096);
        let read = File::open(&path).and_then(|mut file| file.read_to_end(&mut bytes));
        if let Err(source) = read {
            return Err(SampleError::Read { path, source });
        }
        match String::from_utf8(bytes) {
            Ok(content) => Ok(Self { path, content }),
            Err(_) => Err(SampleError::Malformed { path, text: "bytes that are no text".into() }),
        }
    }

    /// Says that `text` is not what the file should hold.
    pub(super) fn malformed(&self, text: &str) -> SampleError {
        let text = text.chars().take(80).collect();
        SampleError::Malformed { path: self.path.clone(), text }
    }

    /// Reads a number.
    pub(super) fn number<N: FromStr>(&self, text: &str) -> Result<N, SampleError> {
        text.trim().parse().map_err(|_| self.malformed(text))
    }

    /// Reads a whole number written in hexadecimal.
    pub(super) fn hexadecimal(&self, text: &str) -> Result<u64, SampleError> {
        u64::from_str_radix(text, 16).map_err(|_| self.malformed(text))
    }

    /// Reads the next number of a line.
    pub(super) fn next_number<'t, N: FromStr>(
        &self,
        line: &str,
        words: &mut impl Iterator<Item = &'t str>,
    ) -> Result<N, SampleError> {
        let word = words.next().ok_or_else(|| self.malformed(line))?;
        self.number(word)
    }

    /// Lets a word through that can be part of the name of a metric.
    pub(super) fn field<'t>(&self, word: &'t str) -> Result<&'t str, SampleError> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if !word.is_empty() && word.bytes().all(fits) {
            Ok(word)
        } else {
            Err(self.malformed(word))
        }
    }
}
