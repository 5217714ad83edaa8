//! Reading the small files of procfs and sysfs, and the numbers in them.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

use rustix::fs::{Mode, OFlags};

use super::{HostOptions, SampleError};

/// Most files of procfs, and most folders of sysfs, that stay open between two looks.
const OPEN_MAX: usize = 64;

/// Where the kernel's files are.
///
/// Opening costs several times what reading does, so what is read at every look stays open.
#[derive(Debug)]
pub(super) struct Files {
    pub(super) proc: PathBuf,
    pub(super) sys: PathBuf,
    pub(super) root: PathBuf,
    open: RefCell<HashMap<PathBuf, OwnedFd>>,
    folders: RefCell<HashMap<PathBuf, Arc<Folder>>>,
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
            open: RefCell::default(),
            folders: RefCell::default(),
        }
    }

    /// Reads a file below procfs.
    pub(super) fn proc(&self, name: &str) -> Result<Text, SampleError> {
        self.text(self.proc.join(name))
    }

    /// Reads a file that is read at every look.
    pub(super) fn text(&self, path: PathBuf) -> Result<Text, SampleError> {
        match self.read(&path) {
            Ok(bytes) => Text::of(path, bytes),
            Err(source) => Err(SampleError::Read { path, source }),
        }
    }

    /// Reads a whole file, through the handle of the last time if it is still the same file.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let mut open = self.open.borrow_mut();
        if let Some(file) = open.get(path) {
            let is_there = rustix::fs::fstat(file).is_ok_and(|status| status.st_nlink != 0);
            if is_there && let Ok(bytes) = read_from_start(file) {
                return Ok(bytes);
            }
            open.remove(path);
        }
        let file = OwnedFd::from(File::open(path)?);
        let bytes = read_from_start(&file)?;
        if open.len() < OPEN_MAX {
            open.insert(path.to_owned(), file);
        }
        Ok(bytes)
    }

    /// Opens a folder of sysfs, or returns the one of the last time if it is still the same;
    /// `None` for what is none.
    pub(super) fn folder(&self, path: &Path) -> Option<Arc<Folder>> {
        let mut folders = self.folders.borrow_mut();
        let inode = rustix::fs::stat(path).ok()?.st_ino;
        if let Some(folder) = folders.get(path).filter(|folder| folder.inode == inode) {
            return Some(Arc::clone(folder));
        }
        let folder = Arc::new(Folder::open(path, inode)?);
        if folders.len() == OPEN_MAX {
            // Devices come and go; those that are still there are opened anew.
            folders.clear();
        }
        folders.insert(path.to_owned(), Arc::clone(&folder));
        Some(folder)
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

/// Reads a file from its beginning to its end, because the kernel hands out long ones page by page.
fn read_from_start(file: impl AsFd) -> io::Result<Vec<u8>> {
    const STEP: usize = 4096;
    let mut bytes = vec![0; STEP];
    let mut length = 0;
    loop {
        let read = rustix::io::pread(&file, &mut bytes[length..], length as u64)?;
        length += read;
        if read == 0 {
            bytes.truncate(length);
            return Ok(bytes);
        }
        if bytes.len() - length < STEP {
            bytes.resize(length + 4 * STEP, 0);
        }
    }
}

/// A folder of sysfs with many values, which stay open once they were read.
///
/// The way to a device crosses a dozen folders, which the kernel then walks once for all of them.
#[derive(Debug)]
pub(super) struct Folder {
    /// Tells this folder from another one that has come to the same name.
    inode: u64,
    folder: OwnedFd,
    /// `None` for a value that the device does not have.
    values: Mutex<HashMap<&'static str, Option<OwnedFd>>>,
}

impl Folder {
    fn open(path: &Path, inode: u64) -> Option<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let folder = rustix::fs::open(path, flags, Mode::empty()).ok()?;
        Some(Self { inode, folder, values: Mutex::default() })
    }

    /// Reads a value as [`attribute`] does.
    pub(super) fn attribute(&self, name: &'static str) -> Option<String> {
        self.read(name, |text| Some(text.to_owned()))
    }

    /// Reads a whole number as [`integer_attribute`] does.
    pub(super) fn integer(&self, name: &'static str) -> Option<i64> {
        self.read(name, integer)
    }

    fn read<V>(&self, name: &'static str, parse: impl FnOnce(&str) -> Option<V>) -> Option<V> {
        let mut values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        let value = values.entry(name).or_insert_with(|| {
            let flags = OFlags::RDONLY | OFlags::CLOEXEC;
            rustix::fs::openat(&self.folder, name, flags, Mode::empty()).ok()
        });
        let mut page = [0; 4096];
        let length = rustix::io::pread(value.as_ref()?, &mut page, 0).ok()?;
        parse(std::str::from_utf8(&page[..length]).ok()?.trim())
    }
}

impl Text {
    fn of(path: PathBuf, bytes: Vec<u8>) -> Result<Self, SampleError> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn files(root: &Path) -> Files {
        Files::new(&HostOptions { proc_path: root.to_owned(), ..HostOptions::default() })
    }

    #[test]
    fn a_file_is_read_anew_at_every_look() {
        let root = tempfile::tempdir().unwrap();
        let (path, files) = (root.path().join("uptime"), files(root.path()));
        let read = || files.proc("uptime").map(|text| text.content);
        let long = "7 ".repeat(9_000);
        for content in ["1 2\n", "3\n", &long, ""] {
            fs::write(&path, content).unwrap();
            assert_eq!(read().unwrap(), content, "the same file with other content");
        }
        fs::remove_file(&path).unwrap();
        assert!(matches!(read(), Err(SampleError::Read { .. })), "a file that is gone");
        fs::write(&path, "4\n").unwrap();
        assert_eq!(read().unwrap(), "4\n", "another file of the same name");
    }

    #[test]
    fn a_device_that_comes_to_the_name_of_another_is_not_taken_for_it() {
        let root = tempfile::tempdir().unwrap();
        let files = files(root.path());
        let device = |name: &str, mtu: &str| {
            fs::create_dir(root.path().join(name)).unwrap();
            fs::write(root.path().join(name).join("mtu"), mtu).unwrap();
        };
        let mtu = || files.folder(&root.path().join("eth0"))?.integer("mtu");
        device("eth0", "1500\n");
        device("eth1", "9000\n");
        assert_eq!(mtu(), Some(1500));
        fs::rename(root.path().join("eth0"), root.path().join("lan0")).unwrap();
        assert_eq!(mtu(), None);
        fs::rename(root.path().join("eth1"), root.path().join("eth0")).unwrap();
        assert_eq!(mtu(), Some(9000));
    }

    #[test]
    fn no_more_than_so_many_files_stay_open() {
        let root = tempfile::tempdir().unwrap();
        let files = files(root.path());
        for number in 0..3 * OPEN_MAX {
            let name = format!("file{number}");
            fs::write(root.path().join(&name), &name).unwrap();
            fs::create_dir(root.path().join(format!("folder{number}"))).unwrap();
            assert_eq!(files.proc(&name).unwrap().content, name);
            assert!(files.folder(&root.path().join(format!("folder{number}"))).is_some());
        }
        assert!(files.open.borrow().len() <= OPEN_MAX && files.folders.borrow().len() <= OPEN_MAX);
    }
}
