//! Lets so many works run at once on threads that may block; further ones wait, within a limit.

use std::sync::Arc;

use pampero_opensearch::{Exception, ExceptionKind};
use tokio::sync::Semaphore;

use super::answer::Failure;

/// Lets so many works run at once.
#[derive(Debug)]
pub(super) struct Gate {
    running: Arc<Semaphore>,
    present: Arc<Semaphore>,
}

impl Gate {
    /// Makes a gate for `running_max` works at once and `waiting_max` that wait.
    pub(super) fn new(running_max: usize, waiting_max: usize) -> Self {
        let present_max = running_max.saturating_add(waiting_max).min(Semaphore::MAX_PERMITS);
        Self {
            running: Arc::new(Semaphore::new(running_max)),
            present: Arc::new(Semaphore::new(present_max)),
        }
    }

    /// Does `work` when it is its turn. A work that began goes on to its end, also when nobody waits for
    /// it any more, and holds its place until then.
    ///
    /// # Errors
    /// Those of the work, and `rejected_execution_exception` when too many wait.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let Ok(present) = Arc::clone(&self.present).try_acquire_owned() else {
            return Err(rejected());
        };
        let running = Arc::clone(&self.running).acquire_owned().await;
        let running = running.map_err(|_| Failure::internal())?;
        let thread = tokio::task::spawn_blocking(move || {
            let answer = work();
            drop((running, present));
            answer
        });
        thread.await.unwrap_or_else(|_| {
            tracing::error!("a call of alerting panicked");
            Err(Failure::internal())
        })
    }
}

/// Says that there is too much to do.
pub(super) fn rejected() -> Failure {
    let reason = "rejected execution: too many calls of alerting are at work; try again later";
    Exception::new(ExceptionKind::RejectedExecution, reason).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn works_beyond_the_limit_are_refused_and_a_panic_frees_its_place() {
        let gate = Arc::new(Gate::new(1, 0));
        let (release, released) = std::sync::mpsc::channel::<()>();
        let (begin, begun) = tokio::sync::oneshot::channel();
        let first = {
            let gate = Arc::clone(&gate);
            let work = move || {
                let _ = begin.send(());
                released.recv().map_err(|_| Failure::internal())
            };
            async move { gate.run(work).await }
        };
        let second = async {
            begun.await.unwrap();
            let refused = gate.run(|| Ok(())).await;
            release.send(()).unwrap();
            refused
        };
        let (first, second) = tokio::join!(first, second);
        first.unwrap();
        let Err(Failure::Exception(refused)) = second else { panic!("it was let in") };
        assert_eq!(refused.kind(), ExceptionKind::RejectedExecution);
        let panicked = gate.run::<()>(|| panic!("on purpose")).await;
        assert!(matches!(panicked, Err(Failure::Exception(it)) if it.status() == 500));
        gate.run(|| Ok(())).await.unwrap();
    }
}
