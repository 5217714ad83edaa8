//! The way to the threads that may block: bounded, with a deadline, and left when the client goes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use pampero_promql::Cancel;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::failure::{Failure, FailureKind};

/// What has become of the works of a gate.
#[derive(Debug, Default)]
pub(crate) struct GateCounts {
    /// Works that run now, and works that wait for their turn.
    pub(crate) running: AtomicU64,
    pub(crate) waiting: AtomicU64,
    /// Works that ended, well or not.
    pub(crate) ended: AtomicU64,
    /// Works that could neither run nor wait.
    pub(crate) refused: AtomicU64,
    /// Works whose time was over, in the queue or while they ran.
    pub(crate) timed_out: AtomicU64,
}

/// Lets a bounded number of works run at once, and a bounded number wait; clones share it.
#[derive(Clone)]
pub(super) struct Gate {
    running: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    counts: Arc<GateCounts>,
}

impl Gate {
    pub(super) fn new(running_max: usize, waiting_max: usize, counts: Arc<GateCounts>) -> Self {
        let semaphore = |max: usize| Arc::new(Semaphore::new(max.min(Semaphore::MAX_PERMITS)));
        Self { running: semaphore(running_max), waiting: semaphore(waiting_max), counts }
    }

    /// Runs `work` on a thread that may block and returns what it returns.
    ///
    /// The place of a work is free again when the work has ended, not when nobody waits for it any
    /// more: it is told by its [`Cancel`] and has to look.
    ///
    /// # Errors
    /// Too many works wait, the time is over in the queue or in the work, or the work panics.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        timeout: Duration,
        work: impl FnOnce(&Cancel) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let deadline = Instant::now().checked_add(timeout).unwrap_or_else(far_future);
        let permit = self.admit(deadline).await?;
        let cancel = Cancel::new();
        // Dropped at the deadline, and with this future when the client goes away.
        let _cancel_when_left = CancelWhenLeft(cancel.clone());
        let running = Counted::of(&self.counts, |counts| &counts.running);
        let thread = tokio::task::spawn_blocking(move || {
            let _until_the_end = (permit, running);
            work(&cancel)
        });
        let ended = tokio::time::timeout_at(deadline, thread).await;
        self.counts.ended.fetch_add(1, Ordering::Relaxed);
        match ended {
            Ok(Ok(result)) => result,
            Ok(Err(panic)) => {
                tracing::error!(error = %panic, "a request for the history failed");
                Err(Failure::new(FailureKind::Internal, "the query failed; see the log"))
            }
            Err(_) => Err(self.late("expression evaluation")),
        }
    }

    async fn admit(&self, deadline: Instant) -> Result<OwnedSemaphorePermit, Failure> {
        if let Ok(permit) = Arc::clone(&self.running).try_acquire_owned() {
            return Ok(permit);
        }
        let Ok(_place) = self.waiting.try_acquire() else {
            self.counts.refused.fetch_add(1, Ordering::Relaxed);
            let message = "too many requests are running and waiting; try again later";
            return Err(Failure::new(FailureKind::Unavailable, message));
        };
        let _waiting = Counted::of(&self.counts, |counts| &counts.waiting);
        let turn = Arc::clone(&self.running).acquire_owned();
        match tokio::time::timeout_at(deadline, turn).await {
            Ok(permit) => Ok(permit.expect("nobody closes the gate")),
            Err(_) => Err(self.late("query queue")),
        }
    }

    fn late(&self, place: &str) -> Failure {
        self.counts.timed_out.fetch_add(1, Ordering::Relaxed);
        timed_out(place)
    }
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

/// Returns the error of a query whose time was over `place`.
pub(super) fn timed_out(place: &str) -> Failure {
    Failure::new(FailureKind::Timeout, format!("query timed out in {place}"))
}

fn far_future() -> Instant {
    Instant::now() + Duration::from_secs(365 * 24 * 60 * 60)
}

/// Asks for the end of a work when it is dropped.
struct CancelWhenLeft(Cancel);

impl Drop for CancelWhenLeft {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    /// A work that lasts until the sender is dropped, and says when it has begun.
    fn held() -> (mpsc::Sender<()>, mpsc::Receiver<()>, impl FnOnce(&Cancel) -> Result<(), Failure>)
    {
        let (release, released) = mpsc::channel::<()>();
        let (begin, begun) = mpsc::channel();
        let work = move |_: &Cancel| {
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
        let gate = Gate::new(1, 0, Arc::default());
        let (release, begun, work) = held();
        let first = gate.run(LONG, work);
        let second = async {
            until_begun(begun).await;
            let refused = gate.run(LONG, |_| Ok(())).await.unwrap_err();
            drop(release);
            refused
        };
        let (first, refused) = tokio::join!(first, second);
        assert_eq!(first, Ok(()));
        assert_eq!(refused.kind, FailureKind::Unavailable);
        assert_eq!(gate.run(LONG, |_| Ok(7)).await, Ok(7));
    }

    #[tokio::test]
    async fn who_waits_too_long_is_told_so_and_counted() {
        let counts: Arc<GateCounts> = Arc::default();
        let gate = Gate::new(1, 1, Arc::clone(&counts));
        let (release, begun, work) = held();
        let first = gate.run(LONG, work);
        let second = async {
            until_begun(begun).await;
            let late = gate.run(Duration::from_millis(5), |_| Ok(())).await.unwrap_err();
            drop(release);
            late
        };
        let (_, late) = tokio::join!(first, second);
        assert_eq!(late, timed_out("query queue"));
        let now = |count: &AtomicU64| count.load(Ordering::Relaxed);
        assert_eq!((now(&counts.timed_out), now(&counts.ended)), (1, 1));
        assert_eq!((now(&counts.running), now(&counts.waiting)), (0, 0));
    }

    #[tokio::test]
    async fn a_work_is_told_when_its_time_is_over() {
        let gate = Gate::new(1, 0, Arc::default());
        let (ended, end) = mpsc::channel();
        let work = move |cancel: &Cancel| {
            while !cancel.is_canceled() {
                std::thread::yield_now();
            }
            ended.send(()).unwrap();
            Ok(())
        };
        let late = gate.run(Duration::from_millis(5), work).await.unwrap_err();
        assert_eq!(late, timed_out("expression evaluation"));
        until_begun(end).await;
    }

    #[tokio::test]
    async fn a_work_is_told_when_nobody_waits_any_more() {
        let gate = Gate::new(1, 0, Arc::default());
        let (begin, begun) = mpsc::channel();
        let (ended, end) = mpsc::channel();
        let work = move |cancel: &Cancel| {
            begin.send(()).unwrap();
            while !cancel.is_canceled() {
                std::thread::yield_now();
            }
            ended.send(()).unwrap();
            Ok(())
        };
        tokio::select! {
            _ = gate.run(LONG, work) => unreachable!("the work lasts until it is told"),
            () = until_begun(begun) => {}
        }
        until_begun(end).await;
    }

    #[tokio::test]
    async fn a_panic_stays_in_its_request() {
        let gate = Gate::new(1, 0, Arc::default());
        let work = |_: &Cancel| -> Result<(), Failure> { panic!("on purpose") };
        assert_eq!(gate.run(LONG, work).await.unwrap_err().kind, FailureKind::Internal);
        assert_eq!(gate.run(LONG, |_| Ok(7)).await, Ok(7));
    }
}
