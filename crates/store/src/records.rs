//! What goes into a store and what comes out of it.

use jiff::Timestamp;
use pampero_weather::event::{Event, EventKind};
use pampero_weather::mean::Sample;
use pampero_weather::observation::Observation;
use pampero_weather::place::{Coordinates, Place, PlaceId};
use pampero_weather::provider::ProviderId;

/// A place as it is kept, complete or still to be looked up.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredPlace {
    /// The slug.
    pub id: PlaceId,
    /// The name for people, and for the look-up when there are no coordinates yet.
    pub name: String,
    /// Who put it there.
    pub origin: PlaceOrigin,
    /// Whether it can be asked for weather yet.
    pub state: PlaceState,
}

/// Who put a place there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PlaceOrigin {
    /// The configuration; it is changed there.
    Configuration,
    /// The API, or the default of the very first start.
    Api,
}

/// Whether a place can be asked for weather yet.
#[derive(Clone, Debug, PartialEq)]
pub enum PlaceState {
    /// Known in full; its `id` and `name` equal those of the [`StoredPlace`].
    Ready(Place),
    /// Position or time zone are still to be looked up.
    Unresolved {
        /// Where it is; `None` when only the name is known.
        coordinates: Option<Coordinates>,
        /// Height above mean sea level in metres, as given; `None` when it is to be looked up.
        elevation_m: Option<f64>,
        /// IANA time zone, as given; `None` when it is to be looked up.
        time_zone: Option<String>,
        /// Why the last look-up failed; `None` before the first one.
        problem: Option<String>,
    },
}

/// What one answered call leaves behind; written whole or not at all.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// New observations; a repeated one changes nothing, a different one becomes a revision.
    pub observations: Vec<Observation>,
    /// Which observation each place is served from now.
    pub selections: Vec<Selection>,
    /// Answers to be kept for conditional requests.
    pub answers: Vec<KeptAnswer>,
}

/// What became of one observation of a [`Batch`].
#[derive(Clone, Debug, PartialEq)]
pub enum Recorded {
    /// It is new.
    Inserted,
    /// The same was kept already; nothing changed, `fetched_at` of the kept one included.
    Unchanged {
        /// When the kept one was fetched.
        first_fetched_at: Timestamp,
    },
    /// It differs from the one kept, which moved to the revisions.
    Revised {
        /// The number of the new revision, 1 for the first correction.
        revision: u32,
    },
}

/// Which observation a place is served from.
#[derive(Clone, Debug, PartialEq)]
pub struct Selection {
    /// The place.
    pub place: PlaceId,
    /// The provider of the observation.
    pub provider: ProviderId,
    /// The instant of the observation.
    pub observed_at: Timestamp,
    /// Why a fallback serves the place; `None` when the first of the chain does.
    pub fallback_cause: Option<String>,
    /// When this was decided.
    pub decided_at: Timestamp,
}

/// An answer kept for conditional requests, by provider and place.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KeptAnswer {
    /// The provider that gave it.
    pub provider: ProviderId,
    /// The place it is for.
    pub place: PlaceId,
    /// When the body arrived here.
    pub fetched_at: Timestamp,
    /// Before this instant the provider must not be asked again.
    pub expires_at: Option<Timestamp>,
    /// `Last-Modified` as the provider wrote it.
    pub last_modified: Option<String>,
    /// What the provider's adapter needs to answer again.
    pub body: String,
}

/// The direction of a listing in time.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Order {
    /// Oldest first.
    #[default]
    Ascending,
    /// Newest first.
    Descending,
}

/// Which observations of a place are wanted.
#[derive(Clone, Debug)]
pub struct ObservationFilter {
    /// Only this provider; `None` for all.
    pub provider: Option<ProviderId>,
    /// From this instant on; `None` from the beginning.
    pub from: Option<Timestamp>,
    /// Before this instant; `None` without end.
    pub to: Option<Timestamp>,
    /// Continue behind this key, in the chosen order; `None` for the first page.
    pub after: Option<(Timestamp, ProviderId)>,
    /// Direction in `observed_at`, then in the spelling of the provider.
    pub order: Order,
    /// Most rows to return.
    pub limit: u32,
}

/// A revision of an observation that a later one replaced.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredRevision {
    /// 0 for the first answer, counting up; the newest, current one is not in the list.
    pub revision: u32,
    /// When the answer that replaced it was fetched.
    pub replaced_at: Timestamp,
    /// What was said.
    pub observation: Observation,
}

/// One value of one provider, for means.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ProviderSample {
    /// Who said it.
    pub provider: ProviderId,
    /// When and what.
    pub sample: Sample,
}

/// The number of an event, counting up in the order in which events were stored.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct EventId(pub i64);

/// An event with its number.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredEvent {
    /// The number.
    pub id: EventId,
    /// The event.
    pub event: Event,
}

/// Which events are wanted.
#[derive(Clone, Debug, Default)]
pub struct EventFilter {
    /// Only this provider.
    pub provider: Option<ProviderId>,
    /// Only this place.
    pub place: Option<PlaceId>,
    /// Only this kind.
    pub kind: Option<EventKind>,
    /// From this instant on.
    pub from: Option<Timestamp>,
    /// Before this instant.
    pub to: Option<Timestamp>,
    /// Continue behind this event, in the chosen order.
    pub after: Option<EventId>,
    /// Direction in the number of the event.
    pub order: Order,
    /// Most events to return.
    pub limit: u32,
}
