//! When what was written can be searched, and the line of those who wait for it.
//!
//! A write gives its place among the writes back before it waits for the regular refresh, so that
//! others go on meanwhile. All who wait for one index share one thread that may block.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use pampero_index::Index;
use pampero_opensearch::{Exception, ExceptionKind};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::answer::{Answer, Failure};
use super::{RestState, Work, gate};
use pampero_opensearch::parameters::Parameters;

/// Most indices whose refresh is waited for at once, each of which takes a thread; those of further
/// ones are made at once.
const INDICES_MAX: usize = 32;

/// When what was written can be searched.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Refresh {
    /// At the next regular refresh, which nobody waits for.
    Later,
    /// When the call is answered, by a refresh of its own.
    Now,
    /// When the call is answered, by the next regular refresh.
    WaitFor,
}

impl Refresh {
    /// Reads `refresh`.
    ///
    /// # Errors
    /// It is none of `true`, `false`, `wait_for`.
    pub(crate) fn read(parameters: &Parameters) -> Result<Self, Exception> {
        match parameters.text("refresh") {
            None | Some("false") => Ok(Self::Later),
            Some("" | "true") => Ok(Self::Now),
            Some("wait_for") => Ok(Self::WaitFor),
            Some(other) => {
                Err(Exception::illegal_argument(format!("Unknown value for refresh: [{other}].")))
            }
        }
    }

    /// Refreshes an index where that is asked for at once; [`RestState::write`] does the waiting.
    ///
    /// # Errors
    /// The disk failed.
    pub(crate) fn apply(self, index: &Index) -> Result<(), Exception> {
        match self {
            Self::Later | Self::WaitFor => Ok(()),
            Self::Now => index.refresh(),
        }
    }
}

/// A wait for the refresh of one index that is under way.
type Round = Shared<BoxFuture<'static, Result<(), Exception>>>;

/// Those under way, by the identifiers of the indices.
type Rounds = HashMap<Arc<str>, Round>;

/// Those who wait for a regular refresh.
#[derive(Debug)]
pub(super) struct RefreshWaits {
    places_max: usize,
    places: Arc<Semaphore>,
    rounds: Arc<Mutex<Rounds>>,
}

impl RefreshWaits {
    /// Lets so many calls wait at once.
    pub(super) fn new(places_max: usize) -> Self {
        let places = Arc::new(Semaphore::new(places_max.min(Semaphore::MAX_PERMITS)));
        Self { places_max, places, rounds: Arc::default() }
    }

    /// Takes a place in the line, which is free again when it is dropped.
    fn place(&self) -> Result<OwnedSemaphorePermit, Exception> {
        Arc::clone(&self.places).try_acquire_owned().map_err(|_| {
            let reason = format!(
                "rejected execution of refresh=wait_for: [{}] wait; try again later",
                self.places_max
            );
            Exception::new(ExceptionKind::RejectedExecution, reason)
        })
    }

    /// Returns the wait that is under way for an index, or begins one, and whether it was begun here;
    /// `None` when too many are under way.
    fn round(&self, index: &Arc<Index>) -> Option<(Round, bool)> {
        let mut rounds = lock(&self.rounds);
        if let Some(round) = rounds.get(index.uuid()) {
            return Some((round.clone(), false));
        }
        if rounds.len() >= INDICES_MAX {
            return None;
        }
        let ended = Ended { rounds: Arc::clone(&self.rounds), uuid: Arc::clone(index.uuid()) };
        let index = Arc::clone(index);
        let uuid = Arc::clone(index.uuid());
        let thread = tokio::task::spawn_blocking(move || {
            let _at_the_end = ended;
            index.wait_for_refresh()
        });
        let round = thread.map(|result| {
            result.unwrap_or_else(|panic| {
                tracing::error!(error = %panic, "waiting for a refresh of the logs failed");
                Err(gate::broken())
            })
        });
        let round = round.boxed().shared();
        rounds.insert(uuid, round.clone());
        Some((round, true))
    }
}

/// Takes a wait out of those that are under way, also when it panicked.
struct Ended {
    rounds: Arc<Mutex<Rounds>>,
    uuid: Arc<str>,
}

impl Drop for Ended {
    fn drop(&mut self) {
        lock(&self.rounds).remove(&self.uuid);
    }
}

fn lock(rounds: &Mutex<Rounds>) -> MutexGuard<'_, Rounds> {
    rounds.lock().unwrap_or_else(PoisonError::into_inner)
}

impl RestState {
    /// Does a write when it is its turn, and then waits for the regular refresh of the indices that it
    /// returns, if that is asked for.
    ///
    /// The wait begins behind the write, in a line of its own. A caller who goes away leaves it.
    ///
    /// # Errors
    /// As [`RestState::run`]; `rejected_execution_exception` before anything is written when too many
    /// wait for a refresh; the refresh failed.
    pub(crate) async fn write(
        &self,
        refresh: Refresh,
        work: impl FnOnce(&Self) -> Result<(Answer, Vec<Arc<Index>>), Failure> + Send + 'static,
    ) -> Result<Answer, Failure> {
        if refresh != Refresh::WaitFor {
            return self.run(Work::Write, work).await.map(|(answer, _)| answer);
        }
        let _place = self.shared.refresh_waits.place()?;
        let (answer, touched) = self.run(Work::Write, work).await?;
        let touched: Vec<_> =
            touched.into_iter().map(|index| (index.refresh_count(), index)).collect();
        for (seen, index) in touched {
            self.wait_for_refresh(index, seen).await?;
        }
        Ok(answer)
    }

    /// Waits until an index has been refreshed more than `seen` times, or has nothing to refresh.
    async fn wait_for_refresh(&self, index: Arc<Index>, seen: u64) -> Result<(), Failure> {
        while index.refresh_count() <= seen {
            let Some((round, begun_here)) = self.shared.refresh_waits.round(&index) else {
                return self.run(Work::Write, move |_| Ok(index.refresh()?)).await;
            };
            round.await?;
            // One that was under way before may have ended with a refresh from before the write.
            if begun_here {
                break;
            }
        }
        Ok(())
    }
}
