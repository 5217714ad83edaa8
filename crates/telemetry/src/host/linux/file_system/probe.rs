//! Asking file systems for their size without waiting for one that hangs.
//!
//! The call into the kernel can stay away for hours when a network file system lost its server. Each
//! mount point has a thread that does nothing but ask; while its answer is due, it is not asked again,
//! so the number of threads never exceeds the number of mount points.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::host::background::Background;
use crate::host::sampler::SampleError;

/// Stack of a thread that asks, in bytes. It calls the kernel and nothing else; most of this is for the
/// allocator, which sets itself up on each thread, and what is not used takes no memory.
const STACK_BYTES: usize = 512 * 1024;

/// Size and free space of a file system.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Space {
    pub(super) size_bytes: f64,
    pub(super) free_bytes: f64,
    /// What users other than root may still fill.
    pub(super) available_bytes: f64,
    /// File nodes in all.
    pub(super) files: f64,
    pub(super) files_free: f64,
}

/// Asks the kernel.
pub(super) fn space_of(path: &Path) -> io::Result<Space> {
    let answer = rustix::fs::statfs(path)?;
    let block_bytes = answer.f_bsize as f64;
    Ok(Space {
        size_bytes: answer.f_blocks as f64 * block_bytes,
        free_bytes: answer.f_bfree as f64 * block_bytes,
        available_bytes: answer.f_bavail as f64 * block_bytes,
        files: answer.f_files as f64,
        files_free: answer.f_ffree as f64,
    })
}

type AskSpace = Arc<dyn Fn(&Path) -> io::Result<Space> + Send + Sync>;

/// The threads that ask, one for each mount point.
pub(super) struct Probes {
    deadline: Duration,
    ask: AskSpace,
    threads: BTreeMap<PathBuf, Background<io::Result<Space>>>,
}

impl Probes {
    /// Each round waits at most `deadline` in all.
    pub(super) fn new(
        deadline: Duration,
        ask: impl Fn(&Path) -> io::Result<Space> + Send + Sync + 'static,
    ) -> Self {
        Self { deadline, ask: Arc::new(ask), threads: BTreeMap::new() }
    }

    /// Returns the space at each path, `None` where the call failed or has not come back.
    pub(super) fn ask(&mut self, paths: &[PathBuf]) -> Result<Vec<Option<Space>>, SampleError> {
        self.threads.retain(|path, _| paths.contains(path));
        let mut asked = Vec::with_capacity(paths.len());
        for path in paths {
            if !self.threads.contains_key(path) {
                let (ask, asked_path) = (self.ask.clone(), path.clone());
                let probe = Background::start(STACK_BYTES, move || ask(&asked_path));
                self.threads.insert(path.clone(), probe.map_err(SampleError::Thread)?);
            }
            let probe = self.threads.get_mut(path).expect("it was put there just now");
            asked.push(probe.order());
        }
        let until = Instant::now() + self.deadline;
        let mut spaces = Vec::with_capacity(paths.len());
        for (path, was_asked) in paths.iter().zip(asked) {
            let probe = self.threads.get_mut(path).expect("every path was asked above");
            let answer = if was_asked { probe.answer(until) } else { None };
            spaces.push(answer.and_then(Result::ok));
        }
        Ok(spaces)
    }
}

impl fmt::Debug for Probes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Probes")
            .field("deadline", &self.deadline)
            .field("paths", &self.threads.keys())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;
    use std::thread;

    use super::*;

    const SPACE: Space = Space {
        size_bytes: 4096.0,
        free_bytes: 2048.0,
        available_bytes: 1024.0,
        files: 8.0,
        files_free: 4.0,
    };

    /// Long enough for a thread to wake up on a busy machine; no test waits for it to pass but once.
    const DEADLINE: Duration = Duration::from_millis(500);

    fn paths(names: &[&str]) -> Vec<PathBuf> {
        names.iter().map(PathBuf::from).collect()
    }

    #[test]
    fn failing_call_is_told_from_a_good_one() {
        let mut probes = Probes::new(DEADLINE, |path| {
            if path.ends_with("bad") {
                Err(io::ErrorKind::PermissionDenied.into())
            } else {
                Ok(SPACE)
            }
        });
        for _ in 0..3 {
            let spaces = probes.ask(&paths(&["/a", "/bad", "/c"])).unwrap();
            assert_eq!(spaces, [Some(SPACE), None, Some(SPACE)]);
        }
    }

    #[test]
    fn hanging_call_holds_up_one_round_only_and_is_not_repeated() {
        let (release, released) = mpsc::channel::<()>();
        let released = Mutex::new(released);
        let calls = Arc::new(AtomicUsize::new(0));
        let counted = calls.clone();
        let mut probes = Probes::new(DEADLINE, move |path| {
            if path.ends_with("hanging") {
                counted.fetch_add(1, Ordering::SeqCst);
                released.lock().unwrap().recv().unwrap();
            }
            Ok(SPACE)
        });
        let mounts = paths(&["/hanging", "/good"]);

        assert_eq!(probes.ask(&mounts).unwrap(), [None, Some(SPACE)]);
        let started = Instant::now();
        for _ in 0..5 {
            assert_eq!(probes.ask(&mounts).unwrap(), [None, Some(SPACE)]);
        }
        assert!(started.elapsed() < DEADLINE, "a mount that hangs is not waited for again");
        assert_eq!(calls.load(Ordering::SeqCst), 1);

        // The late answer is thrown away, and the mount is asked anew.
        release.send(()).unwrap();
        release.send(()).unwrap();
        let mut rounds = 0;
        while probes.ask(&mounts).unwrap() != [Some(SPACE), Some(SPACE)] {
            rounds += 1;
            assert!(rounds < 100_000, "the mount does not come back");
            thread::yield_now();
        }
        assert_eq!(calls.load(Ordering::SeqCst), 2);
    }

    #[test]
    fn mount_that_is_gone_takes_its_thread_along() {
        let mut probes = Probes::new(DEADLINE, |_| Ok(SPACE));
        probes.ask(&paths(&["/a", "/b"])).unwrap();
        probes.ask(&paths(&["/b"])).unwrap();
        assert_eq!(probes.threads.keys().collect::<Vec<_>>(), [Path::new("/b")]);
    }
}
