//! What each place is served from, in memory: the only thing a request for current values reads.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::{ArcSwap, ArcSwapOption};
use jiff::Timestamp;
use pampero_weather::observation::Observation;
use pampero_weather::place::PlaceId;

/// What every place is served from.
///
/// Reading takes no lock; the map itself changes only when a place comes or goes.
#[derive(Debug, Default)]
pub struct Board {
    slots: ArcSwap<HashMap<PlaceId, Arc<Slot>>>,
}

/// What one place is served from.
#[derive(Debug, Default)]
pub struct Slot {
    served: ArcSwapOption<Served>,
    trouble: ArcSwapOption<Trouble>,
    version: AtomicU64,
}

/// An observation that is served, with how it came to be chosen.
#[derive(Clone, Debug, PartialEq)]
pub struct Served {
    /// What is served; it is in the store already.
    pub observation: Observation,
    /// Whether the first provider of the chain said it.
    pub role: Role,
    /// When it was chosen.
    pub decided_at: Timestamp,
}

/// Whether the first provider of the chain said it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Role {
    /// The first provider of the chain.
    Primary,
    /// A later one, because the earlier ones gave no answer.
    Fallback {
        /// Why the earlier ones gave no answer.
        cause: String,
    },
}

/// Why a place has had no answer lately.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Trouble {
    /// When the first round without an answer ended.
    pub since: Timestamp,
    /// What each provider of the chain said in the last round.
    pub cause: String,
}

impl Board {
    /// Returns the slot of a place; `None` when the place is not on the board.
    pub fn slot(&self, place: &PlaceId) -> Option<Arc<Slot>> {
        self.slots.load().get(place).cloned()
    }

    /// Makes the board hold exactly `places`; slots of places that stay are kept.
    pub(crate) fn keep_only<'a>(&self, places: impl IntoIterator<Item = &'a PlaceId>) {
        let before = self.slots.load();
        let slots = places.into_iter().map(|place| {
            let slot = before.get(place).cloned().unwrap_or_default();
            (place.clone(), slot)
        });
        self.slots.store(Arc::new(slots.collect()));
    }
}

impl Slot {
    /// Returns what is served; `None` before the first answer.
    pub fn served(&self) -> Option<Arc<Served>> {
        self.served.load_full()
    }

    /// Returns why there was no answer lately; `None` while all is well.
    pub fn trouble(&self) -> Option<Arc<Trouble>> {
        self.trouble.load_full()
    }

    /// Returns a number that changes whenever anything in the slot does.
    pub fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// Serves `served` from now on, unless the same provider already said something newer.
    ///
    /// Returns what was served before.
    pub(crate) fn serve(&self, served: Served) -> Option<Arc<Served>> {
        let before = self.served.load_full();
        let goes_back = before.as_ref().is_some_and(|before| {
            before.observation.provider == served.observation.provider
                && before.observation.observed_at > served.observation.observed_at
        });
        if !goes_back {
            self.served.store(Some(Arc::new(served)));
        }
        self.trouble.store(None);
        self.version.fetch_add(1, Ordering::Release);
        before
    }

    /// Notes that no provider answered; returns whether the trouble is new.
    pub(crate) fn note_trouble(&self, at: Timestamp, cause: String) -> bool {
        let before = self.trouble.load_full();
        let since = before.as_ref().map_or(at, |trouble| trouble.since);
        self.trouble.store(Some(Arc::new(Trouble { since, cause })));
        self.version.fetch_add(1, Ordering::Release);
        before.is_none()
    }
}

impl Role {
    /// Returns the spelling: `primary` or `fallback`.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Fallback { .. } => "fallback",
        }
    }

    /// Returns why a fallback serves; `None` for the primary.
    pub fn fallback_cause(&self) -> Option<&str> {
        match self {
            Self::Primary => None,
            Self::Fallback { cause } => Some(cause),
        }
    }
}
