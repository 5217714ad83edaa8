//! The way to the threads that may block: bounded, with a bounded line before it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use pampero_opensearch::{Exception, ExceptionKind};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::answer::Failure;

/// What has become of the works of a gate.
#[derive(Debug, Default)]
pub struct GateCounts {
    /// Works that run now.
    pub running: AtomicU64,
    /// Works that wait for their turn now.
    pub waiting: AtomicU64,
    /// Works that ended with an answer.
    pub done: AtomicU64,
    /// Works that ended with a refusal or an error.
    pub failed: AtomicU64,
    /// Works that could neither run nor wait.
    pub refused: AtomicU64,
}

/// Lets a bounded number of works run at once, and a bounded number wait; clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Gate {
    name: &'static str,
    running_max: usize,
    waiting_max: usize,
    running: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    counts: Arc<GateCounts>,
}

impl Gate {
    /// Makes a gate; `name` is what its works are called in refusals.
    pub(crate) fn new(name: &'static str, running_max: usize, waiting_max: usize) -> Self {
        let semaphore = |max: usize| Arc::new(Semaphore::new(max.min(Semaphore::MAX_PERMITS)));
        Self {
            name,
            running_max,
            waiting_max,
            running: semaphore(running_max.max(1)),
            waiting: semaphore(waiting_max),
            counts: Arc::default(),
        }
    }

    /// Returns the counts, which only grow apart from those of the present.
    pub(crate) fn counts(&self) -> &GateCounts {
        &self.counts
    }

    /// Runs `work` on a thread that may block and returns what it returns.
    ///
    /// The place of a work is free again when the work has ended, not when nobody waits for it any
    /// more.
    ///
    /// # Errors
    /// Those of the work; `rejected_execution_exception` when too many works wait; a work that
    /// panics is an error of the server.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let permit = self.admit().await?;
        let counts = Arc::clone(&self.counts);
        let running = Counted::of(&self.counts, |counts| &counts.running);
        let thread = tokio::task::spawn_blocking(move || {
            let _until_the_end = (permit, running);
            let result = work();
            let ended = if result.is_ok() { &counts.done } else { &counts.failed };
            ended.fetch_add(1, Ordering::Relaxed);
            result
        });
        thread.await.unwrap_or_else(|panic| {
            self.counts.failed.fetch_add(1, Ordering::Relaxed);
            tracing::error!(work = self.name, error = %panic, "a request for the logs failed");
            Err(internal())
        })
    }

    async fn admit(&self) -> Result<OwnedSemaphorePermit, Failure> {
        if let Ok(permit) = Arc::clone(&self.running).try_acquire_owned() {
            return Ok(permit);
        }
        let Ok(_place) = self.waiting.try_acquire() else {
            self.counts.refused.fetch_add(1, Ordering::Relaxed);
            let Self { name, running_max, waiting_max, .. } = self;
            let reason = format!(
                "rejected execution of {name}: [{running_max}] run and [{waiting_max}] wait; try again later"
            );
            return Err(Exception::new(ExceptionKind::RejectedExecution, reason).into());
        };
        let _waiting = Counted::of(&self.counts, |counts| &counts.waiting);
        let permit = Arc::clone(&self.running).acquire_owned().await;
        Ok(permit.expect("nobody closes the gate"))
    }
}

/// Returns the error of a work that broke; its cause is in the log of the program.
pub(crate) fn internal() -> Failure {
    broken().into()
}

/// Returns the same as an exception.
pub(super) fn broken() -> Exception {
    let reason = "the server could not answer; its log says why";
    Exception::new(ExceptionKind::Internal, reason)
}

/// A work that counts as running or waiting until this is dropped.
struct Counted {
    counts: Arc<GateCounts>,
    which: fn(&GateCounts) -> &AtomicU64,
}

impl Counted {
    fn of(counts: &Arc<GateCounts>, which: fn(&GateCounts) -> &AtomicU64) -> Self {
        which(counts).fetch_add(1, Ordering::Relaxed);
        Self { counts: Arc::clone(counts), which }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        (self.which)(&self.counts).fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// A work that lasts until the sender is dropped, and says when it has begun.
    fn held() -> (mpsc::Sender<()>, mpsc::Receiver<()>, impl FnOnce() -> Result<(), Failure>) {
        let (release, released) = mpsc::channel::<()>();
        let (begin, begun) = mpsc::channel();
        let work = move || {
            begin.send(()).unwrap();
            let _ = released.recv();
            Ok(())
        };
        (release, begun, work)
    }

    async fn until_begun(begun: mpsc::Receiver<()>) {
        tokio::task::spawn_blocking(move || begun.recv().unwrap()).await.unwrap();
    }

    #[tokio::test]
    async fn what_can_neither_run_nor_wait_is_refused() {
        let gate = Gate::new("search", 1, 0);
        let (release, begun, work) = held();
        let first = gate.run(work);
        let second = async {
            until_begun(begun).await;
            let refused = gate.run(|| Ok(())).await.unwrap_err();
            drop(release);
            refused
        };
        let (first, refused) = tokio::join!(first, second);
        first.unwrap();
        assert_eq!(refused.status(), 429);
        assert_eq!(gate.run(|| Ok(7)).await.unwrap(), 7);
        assert_eq!(gate.counts().refused.load(Ordering::Relaxed), 1);
        assert_eq!(gate.counts().done.load(Ordering::Relaxed), 2);
    }

    #[tokio::test]
    async fn a_place_is_kept_until_the_work_ends_though_nobody_waits() {
        let gate = Gate::new("search", 1, 0);
        let (release, begun, work) = held();
        tokio::select! {
            _ = gate.run(work) => unreachable!("the work lasts until it is released"),
            () = until_begun(begun) => {}
        }
        assert_eq!(gate.run(|| Ok(())).await.unwrap_err().status(), 429);
        drop(release);
        while gate.counts().running.load(Ordering::Relaxed) > 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(gate.run(|| Ok(7)).await.unwrap(), 7);
    }

    #[tokio::test]
    async fn a_panic_stays_in_its_request() {
        let gate = Gate::new("search", 1, 0);
        let work = || -> Result<(), Failure> { panic!("on purpose") };
        assert_eq!(gate.run(work).await.unwrap_err().status(), 500);
        assert_eq!(gate.run(|| Ok(7)).await.unwrap(), 7);
    }
}
