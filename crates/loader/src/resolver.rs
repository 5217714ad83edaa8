//! The look-up job: finds position, height and time zone of places that lack them.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use pampero_resilience::Clock;
use pampero_store::{PlaceState, StoredPlace};
use pampero_weather::event::{Event, EventKind};
use pampero_weather::place::{Coordinates, Place, PlaceId};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use crate::lookup::{LocatedPlace, LookupError, PlaceLookup};
use crate::place_book::PlaceBook;
use crate::round::causes;
use crate::timeline::Timeline;

/// First wait after a failed look-up; it doubles up to an hour.
const FIRST_WAIT: SignedDuration = SignedDuration::from_secs(30);
const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(1);
const LOOK_AGAIN: Duration = Duration::from_secs(15);

/// Looks places up until each is complete; running it twice changes nothing more.
pub struct Resolver {
    places: Arc<PlaceBook>,
    lookup: Arc<dyn PlaceLookup>,
    timeline: Timeline,
    clock: Arc<dyn Clock>,
    cancel: CancellationToken,
}

/// A failed look-up: when to try again, and for which description it failed.
struct Waiting {
    asked: Request,
    again_at: Timestamp,
    wait: SignedDuration,
}

/// What there is to look a place up by.
#[derive(Clone, Debug, PartialEq)]
struct Request {
    name: String,
    coordinates: Option<Coordinates>,
    elevation_m: Option<f64>,
    time_zone: Option<String>,
}

impl Resolver {
    /// Prepares to look up what the places of `places` lack.
    pub fn new(
        places: Arc<PlaceBook>,
        lookup: Arc<dyn PlaceLookup>,
        timeline: Timeline,
        clock: Arc<dyn Clock>,
        cancel: CancellationToken,
    ) -> Self {
        Self { places, lookup, timeline, clock, cancel }
    }

    /// Looks places up until the program ends.
    pub async fn run(self) {
        let mut changes = self.places.changes();
        let mut waiting = HashMap::new();
        loop {
            tokio::select! {
                () = self.cancel.cancelled() => return,
                () = self.look_at_all(&mut waiting) => {}
            }
            tokio::select! {
                () = self.cancel.cancelled() => return,
                () = tokio::time::sleep(LOOK_AGAIN) => {}
                changed = changes.changed() => {
                    if changed.is_err() {
                        return;
                    }
                }
            }
        }
    }

    async fn look_at_all(&self, waiting: &mut HashMap<PlaceId, Waiting>) {
        let places = self.places.list();
        waiting.retain(|id, _| places.iter().any(|place| &place.id == id));
        for place in places.iter() {
            let Some(request) = request_of(place) else {
                waiting.remove(&place.id);
                continue;
            };
            let now = self.clock.now();
            let before = waiting.get(&place.id).filter(|before| before.asked == request);
            if before.is_some_and(|before| now < before.again_at) {
                continue;
            }
            let wait = before.map_or(FIRST_WAIT, |before| (before.wait * 2).min(LONGEST_WAIT));
            let span = tracing::trace_span!(parent: None, "look-up", place = place.id.as_str());
            if let Err(problem) = self.resolve(place, &request).instrument(span).await {
                let again_at = self.clock.now().saturating_add(wait).unwrap_or(Timestamp::MAX);
                self.note_problem(place, problem).await;
                waiting.insert(place.id.clone(), Waiting { asked: request, again_at, wait });
            }
        }
    }

    /// Looks one place up and keeps what was found; the error is the problem in words.
    async fn resolve(&self, place: &StoredPlace, request: &Request) -> Result<(), String> {
        let found = self.look_up(request).await.map_err(|error| causes(&error))?;
        let found = found.ok_or_else(|| format!("no place named {:?} was found", request.name))?;
        let time_zone = request.time_zone.as_deref().unwrap_or(&found.time_zone);
        let elevation_m = request.elevation_m.or(found.elevation_m);
        let coordinates = request.coordinates.unwrap_or(found.coordinates);
        let id = place.id.clone();
        let ready = Place::new(id, &place.name, coordinates, elevation_m, time_zone)
            .map_err(|error| format!("the look-up gave a place that cannot be: {error}"))?;
        let cause = format!(
            "latitude {:.4}, longitude {:.4}, {}",
            coordinates.latitude(),
            coordinates.longitude(),
            ready.time_zone_name()
        );
        let settled = StoredPlace { state: PlaceState::Ready(ready), ..place.clone() };
        if self.places.settle(place, settled).await.map_err(|error| causes(&error))? {
            self.publish(EventKind::PlaceResolved, &place.id, cause);
        }
        Ok(())
    }

    async fn look_up(&self, request: &Request) -> Result<Option<LocatedPlace>, LookupError> {
        match request.coordinates {
            Some(coordinates) => self.lookup.by_coordinates(coordinates).await.map(Some),
            None => self.lookup.by_name(&request.name).await,
        }
    }

    async fn note_problem(&self, place: &StoredPlace, problem: String) {
        let mut noted = place.clone();
        if let PlaceState::Unresolved { problem: before, .. } = &mut noted.state {
            if before.as_ref() == Some(&problem) {
                return;
            }
            *before = Some(problem.clone());
        }
        self.publish(EventKind::PlaceUnresolved, &place.id, problem);
        if let Err(error) = self.places.settle(place, noted).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the problem of a place cannot be stored"
            );
        }
    }

    fn publish(&self, kind: EventKind, place: &PlaceId, cause: String) {
        self.timeline.publish(Event {
            at: self.clock.now(),
            kind,
            provider: None,
            place: Some(place.clone()),
            cause: Some(cause),
            attempt: None,
            elapsed: None,
        });
    }
}

/// Returns what there is to look a place up by; `None` when it lacks nothing.
fn request_of(place: &StoredPlace) -> Option<Request> {
    match &place.state {
        PlaceState::Ready(_) => None,
        PlaceState::Unresolved { coordinates, elevation_m, time_zone, .. } => Some(Request {
            name: place.name.clone(),
            coordinates: *coordinates,
            elevation_m: *elevation_m,
            time_zone: time_zone.clone(),
        }),
    }
}
