//! The places: kept in the store, read from memory.

use std::sync::Arc;

use arc_swap::ArcSwap;
use pampero_store::{PlaceOrigin, PlaceState, Store, StoreError, StoredPlace};
use pampero_weather::place::{
    Coordinates, InvalidPlace, Place, PlaceId, checked_elevation, checked_name, checked_time_zone,
};
use tokio::sync::{Mutex, watch};

use crate::Board;

/// The places Pampero keeps weather for.
///
/// A change is in the store before it is seen here. Places from the configuration are changed there.
pub struct PlaceBook {
    store: Arc<dyn Store>,
    board: Arc<Board>,
    places: ArcSwap<Vec<Arc<StoredPlace>>>,
    places_max: usize,
    writing: Mutex<()>,
    changes: watch::Sender<u64>,
}

/// A place as somebody described it: complete, or by name alone, or by position alone.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PlaceDraft {
    /// Slug; `None` to make one of the name.
    pub id: Option<PlaceId>,
    /// Name for people, and for the look-up when there are no coordinates; `None` to use the slug.
    pub name: Option<String>,
    /// Where it is; `None` to look the name up.
    pub coordinates: Option<Coordinates>,
    /// Height above mean sea level in metres; `None` to look it up.
    pub elevation_m: Option<f64>,
    /// IANA time zone; `None` to look it up.
    pub time_zone: Option<String>,
}

/// Why a place could not be added, changed or removed.
#[derive(Debug, thiserror::Error)]
pub enum PlaceBookError {
    /// A part of the description is not allowed.
    #[error(transparent)]
    Invalid(#[from] InvalidPlace),
    /// Neither an id nor a name was given, or the name cannot be spelled in a slug.
    #[error("the place needs an id, or a name with at least one Latin letter or digit")]
    Nameless,
    /// There is a place of that id already.
    #[error("there is a place {0} already")]
    Exists(PlaceId),
    /// There is no place of that id.
    #[error("there is no place {0}")]
    Unknown(PlaceId),
    /// The place is defined in the configuration.
    #[error("place {0} is defined in the configuration file and can only be changed there")]
    Configured(PlaceId),
    /// There are as many places as allowed.
    #[error("there are {limit} places already, and no more are allowed")]
    Full {
        /// The limit.
        limit: usize,
    },
    /// The store gave no answer.
    #[error("the places cannot be stored")]
    Store(#[source] StoreError),
}

impl PlaceBook {
    /// Reads the places from the store and brings them in line with the configuration.
    ///
    /// Places of `configured` are added or changed; places that an earlier configuration defined and
    /// this one does not are removed, with their history kept. When there is no place at all after
    /// that, `default` is added as if over the API.
    ///
    /// # Errors
    /// A configured place is not valid, or the store gives no answer.
    pub async fn open(
        store: Arc<dyn Store>,
        board: Arc<Board>,
        configured: Vec<PlaceDraft>,
        default: Option<PlaceDraft>,
        places_max: usize,
    ) -> Result<Self, PlaceBookError> {
        let changes = watch::Sender::new(0);
        let places = ArcSwap::default();
        let book = Self { store, board, places, places_max, writing: Mutex::default(), changes };
        book.reload().await?;
        book.take_configuration(configured).await?;
        if let (true, Some(default)) = (book.list().is_empty(), default) {
            book.add(default).await?;
        }
        Ok(book)
    }

    /// Returns every place, in the order in which they were first added, configured ones as they come.
    pub fn list(&self) -> Arc<Vec<Arc<StoredPlace>>> {
        self.places.load_full()
    }

    /// Returns the place of that id; `None` when there is none.
    pub fn get(&self, id: &PlaceId) -> Option<Arc<StoredPlace>> {
        self.places.load().iter().find(|place| &place.id == id).cloned()
    }

    /// Returns the place that is meant when none is named: the first one.
    pub fn first(&self) -> Option<Arc<StoredPlace>> {
        self.places.load().first().cloned()
    }

    /// Returns a signal that changes whenever the places do.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Adds a place; what it lacks is looked up later.
    ///
    /// # Errors
    /// See [`PlaceBookError`].
    pub async fn add(&self, draft: PlaceDraft) -> Result<Arc<StoredPlace>, PlaceBookError> {
        let _writing = self.writing.lock().await;
        let place = stored_place(draft, PlaceOrigin::Api)?;
        if self.get(&place.id).is_some() {
            return Err(PlaceBookError::Exists(place.id));
        }
        self.check_room()?;
        self.put(place).await
    }

    /// Replaces the description of a place; its history stays.
    ///
    /// # Errors
    /// See [`PlaceBookError`].
    pub async fn change(
        &self,
        id: &PlaceId,
        draft: PlaceDraft,
    ) -> Result<Arc<StoredPlace>, PlaceBookError> {
        let _writing = self.writing.lock().await;
        self.check_changeable(id)?;
        let draft = PlaceDraft { id: Some(id.clone()), ..draft };
        self.put(stored_place(draft, PlaceOrigin::Api)?).await
    }

    /// Removes a place; its history stays in the store and comes back with it.
    ///
    /// # Errors
    /// See [`PlaceBookError`].
    pub async fn remove(&self, id: &PlaceId) -> Result<(), PlaceBookError> {
        let _writing = self.writing.lock().await;
        self.check_changeable(id)?;
        self.store.remove_place(id).await.map_err(PlaceBookError::Store)?;
        self.reload().await
    }

    /// Puts what a look-up found, or its problem, in the place of the description it was made for.
    ///
    /// Nothing happens when the place was changed or removed meanwhile.
    pub(crate) async fn settle(
        &self,
        asked: &StoredPlace,
        settled: StoredPlace,
    ) -> Result<bool, PlaceBookError> {
        let _writing = self.writing.lock().await;
        if self.get(&asked.id).is_none_or(|present| *present != *asked) {
            return Ok(false);
        }
        self.put(settled).await?;
        Ok(true)
    }

    async fn take_configuration(&self, configured: Vec<PlaceDraft>) -> Result<(), PlaceBookError> {
        let mut wanted = Vec::with_capacity(configured.len());
        for draft in configured {
            wanted.push(stored_place(draft, PlaceOrigin::Configuration)?);
        }
        for place in self.list().iter() {
            let dropped = place.origin == PlaceOrigin::Configuration
                && wanted.iter().all(|wanted| wanted.id != place.id);
            if dropped {
                self.store.remove_place(&place.id).await.map_err(PlaceBookError::Store)?;
            }
        }
        for place in wanted {
            let kept = self.get(&place.id);
            let merged = match kept.as_deref() {
                Some(kept) => with_resolved_parts(place, kept),
                None => place,
            };
            if kept.is_none_or(|kept| *kept != merged) {
                self.store.put_place(merged).await.map_err(PlaceBookError::Store)?;
            }
        }
        self.reload().await
    }

    fn check_room(&self) -> Result<(), PlaceBookError> {
        if self.places.load().len() < self.places_max {
            return Ok(());
        }
        Err(PlaceBookError::Full { limit: self.places_max })
    }

    fn check_changeable(&self, id: &PlaceId) -> Result<(), PlaceBookError> {
        let place = self.get(id).ok_or_else(|| PlaceBookError::Unknown(id.clone()))?;
        match place.origin {
            PlaceOrigin::Configuration => Err(PlaceBookError::Configured(id.clone())),
            PlaceOrigin::Api => Ok(()),
        }
    }

    async fn put(&self, place: StoredPlace) -> Result<Arc<StoredPlace>, PlaceBookError> {
        let id = place.id.clone();
        self.store.put_place(place).await.map_err(PlaceBookError::Store)?;
        self.reload().await?;
        self.get(&id).ok_or(PlaceBookError::Unknown(id))
    }

    async fn reload(&self) -> Result<(), PlaceBookError> {
        let places = self.store.places().await.map_err(PlaceBookError::Store)?;
        self.board.keep_only(places.iter().map(|place| &place.id));
        self.places.store(Arc::new(places.into_iter().map(Arc::new).collect()));
        self.changes.send_modify(|version| *version += 1);
        Ok(())
    }
}

/// Checks a description and tells what is still to be looked up.
fn stored_place(draft: PlaceDraft, origin: PlaceOrigin) -> Result<StoredPlace, PlaceBookError> {
    let slug = draft.name.as_deref().and_then(PlaceId::from_name);
    let id = draft.id.or(slug).ok_or(PlaceBookError::Nameless)?;
    let name = checked_name(draft.name.as_deref().unwrap_or(id.as_str()))?;
    let elevation = draft.elevation_m.map(checked_elevation).transpose()?;
    if let Some(time_zone) = &draft.time_zone {
        checked_time_zone(time_zone)?;
    }
    let state = match (draft.coordinates, draft.time_zone) {
        (Some(coordinates), Some(time_zone)) => {
            let elevation_m = elevation.map(|elevation| elevation.0);
            PlaceState::Ready(Place::new(id.clone(), &name, coordinates, elevation_m, &time_zone)?)
        }
        (coordinates, time_zone) => PlaceState::Unresolved {
            coordinates,
            elevation_m: elevation.map(|elevation| elevation.0),
            time_zone,
            problem: None,
        },
    };
    Ok(StoredPlace { id, name, origin, state })
}

/// Keeps what an earlier start looked up for a configured place whose description did not change.
fn with_resolved_parts(wanted: StoredPlace, kept: &StoredPlace) -> StoredPlace {
    let (
        PlaceState::Unresolved { coordinates, elevation_m, time_zone, .. },
        PlaceState::Ready(found),
    ) = (&wanted.state, &kept.state)
    else {
        return wanted;
    };
    let same_position = coordinates.is_none_or(|coordinates| coordinates == found.coordinates);
    let same_zone = time_zone.as_deref().is_none_or(|zone| zone == found.time_zone_name());
    let same_height =
        elevation_m.is_none_or(|given| found.elevation.is_some_and(|kept| kept.0 == given));
    if wanted.name == kept.name && same_position && same_zone && same_height {
        return StoredPlace { state: kept.state.clone(), ..wanted };
    }
    wanted
}
