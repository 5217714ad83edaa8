//! The job that keeps the means of every place at hand, for those who only look.
//!
//! Whoever reads metrics must not make the store work; the job does, a bounded number of places at a
//! time.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use pampero_store::PlaceState;
use pampero_weather::place::PlaceId;
use tokio_util::sync::CancellationToken;

use crate::averages::{AveragePeriod, Averages, PlaceMean};
use crate::{Board, PlaceBook};

/// The means of one place as they were last worked out.
#[derive(Clone, Debug)]
pub struct MeansAtHand {
    /// The mean of the last 24 hours.
    pub day: Arc<PlaceMean>,
    /// The mean of the last 7 days.
    pub week: Arc<PlaceMean>,
    board_version: u64,
    computed_at: Timestamp,
}

impl MeansAtHand {
    /// Returns both means with their periods.
    pub fn all(&self) -> [(AveragePeriod, &PlaceMean); 2] {
        [(AveragePeriod::Day, &self.day), (AveragePeriod::Week, &self.week)]
    }
}

/// What the job has worked out, by place.
pub type MeansByPlace = HashMap<PlaceId, MeansAtHand>;

impl Averages {
    /// How often the job looks which places have something new.
    pub const LOOK_EVERY: Duration = Duration::from_secs(15);
    /// Age at which the means of a place are worked out anew although nothing new came, since their
    /// window moves.
    pub const RENEWED_AFTER: Duration = Duration::from_secs(60);
    /// Most places that are worked out in one look; the others wait for the next one.
    pub const RENEWED_MAX: usize = 64;
    /// Most places whose means are kept at hand: the first ones.
    pub const AT_HAND_MAX: usize = 1_000;

    /// Returns the means as the job last worked them out; empty while no job runs.
    pub fn at_hand(&self) -> Arc<MeansByPlace> {
        self.at_hand.load_full()
    }

    /// Keeps the means of all places at hand until `cancel`.
    pub async fn keep_at_hand(self: Arc<Self>, places: Arc<PlaceBook>, cancel: CancellationToken) {
        loop {
            self.renew_at_hand(&places).await;
            tokio::select! {
                () = cancel.cancelled() => return,
                () = tokio::time::sleep(Self::LOOK_EVERY) => {}
            }
        }
    }

    /// Works out what changed or grew old, the oldest first, and forgets places that are gone.
    pub async fn renew_at_hand(&self, places: &PlaceBook) {
        let now = self.clock.now();
        let before = self.at_hand();
        let mut renewed = MeansByPlace::new();
        let mut wanted = Vec::new();
        for place in places.list().iter().take(Self::AT_HAND_MAX) {
            if !matches!(place.state, PlaceState::Ready(_)) {
                continue;
            }
            let kept = before.get(&place.id);
            let version = board_version(&self.board, &place.id);
            match kept {
                None => wanted.push((None, place.id.clone(), version)),
                Some(kept) if kept.is_due(version, now) => {
                    wanted.push((Some(kept.computed_at), place.id.clone(), version));
                }
                Some(_) => {}
            }
            renewed.extend(kept.map(|kept| (place.id.clone(), kept.clone())));
        }
        wanted.sort_by_key(|(computed_at, _, _)| *computed_at);
        for (_, place, version) in wanted.into_iter().take(Self::RENEWED_MAX) {
            match self.work_out(&place, version, now).await {
                Ok(means) => {
                    renewed.insert(place, means);
                }
                Err(error) => {
                    // What was at hand grows old, and its age tells so; the store is asked again.
                    let error: &dyn std::error::Error = &error;
                    tracing::debug!(error, place = place.as_str(), "means cannot be worked out");
                }
            }
        }
        self.at_hand.store(Arc::new(renewed));
    }

    async fn work_out(
        &self,
        place: &PlaceId,
        board_version: u64,
        now: Timestamp,
    ) -> Result<MeansAtHand, pampero_store::StoreError> {
        let day = self.temperature(place, AveragePeriod::Day).await?;
        let week = self.temperature(place, AveragePeriod::Week).await?;
        Ok(MeansAtHand { day, week, board_version, computed_at: now })
    }
}

impl MeansAtHand {
    /// A clock that was set back makes everything due.
    fn is_due(&self, board_version: u64, now: Timestamp) -> bool {
        let age = now.duration_since(self.computed_at);
        let is_old = age.is_negative() || Averages::RENEWED_AFTER <= age.unsigned_abs();
        self.board_version != board_version || is_old
    }
}

fn board_version(board: &Board, place: &PlaceId) -> u64 {
    board.slot(place).map_or(0, |slot| slot.version())
}
