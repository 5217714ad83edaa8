//! Every store does what the behaviour suite asks of it.

use pampero_store::behaviour::EVENTS_MAX;
use pampero_store::memory::MemoryStore;
use pampero_store::{SqliteOptions, SqliteStore};
use tempfile::TempDir;

mod sqlite {
    use super::{EVENTS_MAX, SqliteOptions, SqliteStore, TempDir};

    async fn empty_store() -> (SqliteStore, TempDir) {
        let folder = TempDir::new().expect("a folder");
        let options = SqliteOptions { events_max: EVENTS_MAX, ..SqliteOptions::default() };
        let store =
            SqliteStore::open(&folder.path().join("weather.db"), options).await.expect("it opens");
        (store, folder)
    }

    pampero_store::store_behaviour!(empty_store);
}

mod memory {
    use super::{EVENTS_MAX, MemoryStore};

    async fn empty_store() -> (MemoryStore, ()) {
        (MemoryStore::with_events_max(EVENTS_MAX as usize), ())
    }

    pampero_store::store_behaviour!(empty_store);
}
