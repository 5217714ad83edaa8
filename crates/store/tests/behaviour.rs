//! Every store does what the behaviour suite asks of it.

use pampero_store::behaviour::EVENTS_MAX;
use pampero_store::memory::MemoryStore;
use pampero_store::{SqliteOptions, SqliteStore};
use tempfile::TempDir;

mod sqlite {
    use pampero_store::behaviour::bare_event;
    use pampero_store::{EventFilter, Store};
    use pampero_weather::event::EventKind;

    use super::{EVENTS_MAX, SqliteOptions, SqliteStore, TempDir};

    async fn empty_store() -> (SqliteStore, TempDir) {
        store_with_events_max(EVENTS_MAX).await
    }

    async fn store_with_events_max(events_max: u32) -> (SqliteStore, TempDir) {
        let folder = TempDir::new().expect("a folder");
        let options = SqliteOptions { events_max, ..SqliteOptions::default() };
        let store =
            SqliteStore::open(&folder.path().join("weather.db"), options).await.expect("it opens");
        (store, folder)
    }

    pampero_store::store_behaviour!(empty_store);

    #[tokio::test]
    async fn oldest_events_are_dropped_a_hundredth_part_at_a_time() {
        let (store, _folder) = store_with_events_max(300).await;
        for (appended, kept) in [(299, 299), (1, 300), (1, 297), (3, 300), (2, 297)] {
            let events = (0..appended).map(|nth| bare_event(EventKind::GaveUp, nth)).collect();
            store.append_events(events).await.unwrap();
            let filter = EventFilter { limit: 1000, ..EventFilter::default() };
            assert_eq!(store.events(&filter).await.unwrap().len(), kept);
        }
    }
}

mod memory {
    use super::{EVENTS_MAX, MemoryStore};

    async fn empty_store() -> (MemoryStore, ()) {
        (MemoryStore::with_events_max(EVENTS_MAX as usize), ())
    }

    pampero_store::store_behaviour!(empty_store);
}
