//! The places by their slug, each with its slot on the board and the answer kept for it.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::{ArcSwap, ArcSwapOption, Guard};
use http::StatusCode;
use pampero_loader::{Board, PlaceBook, Slot};
use pampero_store::StoredPlace;

use crate::problem::ApiError;
use crate::weather::current::KeptAnswer;

/// Finds a place without walking through all of them.
///
/// It is made anew, with no answer kept, whenever the places change; it holds one kept answer for
/// each place at most, so the limit on places bounds it.
pub(crate) struct Directory {
    places: Arc<PlaceBook>,
    board: Arc<Board>,
    pages: ArcSwap<Pages>,
}

/// The directory as of one state of the places.
pub(crate) struct Pages {
    list: Arc<Vec<Arc<StoredPlace>>>,
    entries: Vec<Entry>,
    by_slug: HashMap<String, usize>,
}

/// One place.
pub(crate) struct Entry {
    pub(crate) place: Arc<StoredPlace>,
    pub(crate) slot: Arc<Slot>,
    pub(crate) kept: ArcSwapOption<KeptAnswer>,
}

impl Directory {
    pub(crate) fn new(places: Arc<PlaceBook>, board: Arc<Board>) -> Self {
        let pages = ArcSwap::from_pointee(Pages::of(places.list(), &board));
        Self { places, board, pages }
    }

    /// Returns the directory of the places as they are now.
    pub(crate) fn pages(&self) -> Guard<Arc<Pages>> {
        let pages = self.pages.load();
        let list = self.places.list();
        if Arc::ptr_eq(&pages.list, &list) {
            return pages;
        }
        let renewed = Arc::new(Pages::of(list, &self.board));
        self.pages.store(Arc::clone(&renewed));
        Guard::from_inner(renewed)
    }
}

impl Pages {
    fn of(list: Arc<Vec<Arc<StoredPlace>>>, board: &Board) -> Self {
        let entry = |place: &Arc<StoredPlace>| Entry {
            place: Arc::clone(place),
            slot: board.slot(&place.id).unwrap_or_default(),
            kept: ArcSwapOption::empty(),
        };
        let entries: Vec<Entry> = list.iter().map(entry).collect();
        let slugs = entries.iter().map(|entry| entry.place.id.as_str().to_owned());
        let by_slug = slugs.enumerate().map(|(index, slug)| (slug, index)).collect();
        Self { list, entries, by_slug }
    }

    /// Returns every place, in the order in which they were first added.
    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Returns the place of that slug, or the first one when none is named.
    pub(crate) fn named(&self, slug: Option<&str>) -> Result<&Entry, ApiError> {
        let Some(slug) = slug else {
            return self.entries.first().ok_or_else(|| {
                let detail = "there is no place yet; add one with POST /api/places";
                ApiError::new(StatusCode::NOT_FOUND, "no_place_yet", detail)
            });
        };
        let found = self.by_slug.get(slug).map(|index| &self.entries[*index]);
        found.ok_or_else(|| unknown_place(slug))
    }
}

/// Says that there is no place of that slug.
pub(crate) fn unknown_place(slug: &str) -> ApiError {
    let shown: String = slug.chars().take(64).collect();
    let detail = format!("there is no place {shown:?}; GET /api/places lists those there are");
    ApiError::new(StatusCode::NOT_FOUND, "unknown_place", detail).about_parameter("place")
}
