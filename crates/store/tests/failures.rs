//! What goes wrong is told clearly and takes nothing that was acknowledged.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Duration;

use pampero_store::behaviour::{
    bare_event, batch_of, every_observation, full_observation, place_id, plain_observation,
    ready_place,
};
use pampero_store::{EventFilter, Recorded, SqliteOptions, SqliteStore, Store, StoreError};
use pampero_weather::event::{Event, EventKind};
use pampero_weather::observation::Observation;
use pampero_weather::provider::ProviderId;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use tempfile::TempDir;

const PROVIDER: ProviderId = ProviderId::OpenMeteo;

/// A folder with a store in it.
struct Site {
    folder: TempDir,
}

impl Site {
    fn new() -> Self {
        Self { folder: TempDir::new().expect("a folder") }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("weather.db")
    }

    async fn open(&self, options: SqliteOptions) -> SqliteStore {
        let store = SqliteStore::open(&self.file(), options).await.expect("it opens");
        store.put_place(ready_place("azul")).await.expect("a place can be put");
        store
    }

    /// Opens the file as another program would.
    async fn other_program(&self) -> SqliteConnection {
        connect(&self.file()).await
    }
}

async fn connect(file: &Path) -> SqliteConnection {
    let connect = SqliteConnectOptions::new().filename(file).create_if_missing(true);
    connect.connect().await.expect("another program can open it")
}

async fn execute(connection: &mut SqliteConnection, sql: &'static str) {
    sqlx::query(sql).execute(connection).await.expect("it is SQL");
}

fn said(at_minute: i64) -> Observation {
    plain_observation("azul", PROVIDER, at_minute, 1.0)
}

async fn record(store: &SqliteStore, at_minute: i64) -> Result<Vec<Recorded>, StoreError> {
    store.record(batch_of([said(at_minute)])).await
}

async fn history_len(store: &SqliteStore) -> usize {
    let history = store.observations(&place_id("azul"), &every_observation()).await;
    history.expect("readable").len()
}

/// Spells an error with its causes.
fn chain(error: &StoreError) -> String {
    let mut told = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        told = format!("{told}: {cause}");
        source = cause.source();
    }
    told
}

fn events(count: i64) -> Vec<Event> {
    let cause = Some("c".repeat(1000));
    (0..count)
        .map(|nth| Event { cause: cause.clone(), ..bare_event(EventKind::GaveUp, nth) })
        .collect()
}

#[tokio::test]
async fn full_disk_loses_nothing_and_writing_goes_on_when_there_is_room() {
    let site = Site::new();
    let options = SqliteOptions { size_max_bytes: Some(512 << 10), ..SqliteOptions::default() };
    let store = site.open(options).await;
    let mut acknowledged = 0;
    let refusal = loop {
        match store.append_events(events(10)).await {
            Ok(()) => acknowledged += 10,
            Err(error) => break error,
        }
        assert!(acknowledged < 10_000, "the limit was never reached");
    };
    assert!(matches!(refusal, StoreError::DiskFull), "{refusal:?}");
    let filter = EventFilter { limit: 10_000, ..EventFilter::default() };
    assert_eq!(store.events(&filter).await.expect("readable").len(), acknowledged);

    execute(&mut site.other_program().await, "DELETE FROM events").await;

    assert_eq!(record(&store, 0).await.expect("there is room again"), [Recorded::Inserted]);
    store.append_events(events(10)).await.expect("there is room again");
    assert_eq!(store.stats().writes_failed, 1);
}

#[tokio::test]
async fn write_without_room_does_not_take_its_group_with_it() {
    let site = Site::new();
    let options = SqliteOptions { size_max_bytes: Some(512 << 10), ..SqliteOptions::default() };
    let store = site.open(options).await;
    let (before, huge, after) =
        tokio::join!(record(&store, 0), store.append_events(events(2_000)), record(&store, 1));
    assert!(matches!(huge, Err(StoreError::DiskFull)), "{huge:?}");
    assert_eq!(before.expect("there is room for it"), [Recorded::Inserted]);
    assert_eq!(after.expect("there is room for it"), [Recorded::Inserted]);
    assert_eq!(history_len(&store).await, 2);
}

#[tokio::test]
async fn locked_file_is_told_and_still_read_and_written_afterwards() {
    let site = Site::new();
    let lock_wait = Duration::from_millis(50);
    let store = site.open(SqliteOptions { lock_wait, ..SqliteOptions::default() }).await;
    record(&store, 0).await.expect("it is free");
    let mut other = site.other_program().await;
    execute(&mut other, "BEGIN EXCLUSIVE").await;

    let (one, two) = tokio::join!(record(&store, 1), record(&store, 2));
    assert!(matches!(one, Err(StoreError::Locked)), "{one:?}");
    assert!(matches!(two, Err(StoreError::Locked)), "{two:?}");
    assert_eq!(history_len(&store).await, 1, "reading goes on");

    execute(&mut other, "COMMIT").await;
    record(&store, 1).await.expect("it is free again");
    assert_eq!(history_len(&store).await, 2);
}

#[tokio::test]
async fn write_waits_for_a_lock_that_is_given_up_in_time() {
    let site = Site::new();
    let store = site.open(SqliteOptions::default()).await;
    let mut other = site.other_program().await;
    execute(&mut other, "BEGIN EXCLUSIVE").await;
    let (recorded, ()) = tokio::join!(record(&store, 0), execute(&mut other, "COMMIT"));
    assert_eq!(recorded.expect("the lock was given up"), [Recorded::Inserted]);
}

#[tokio::test]
async fn writes_beyond_the_queue_are_refused_as_overload() {
    let site = Site::new();
    let options = SqliteOptions {
        queue_max: 1,
        group_max: 1,
        queue_wait: Duration::from_millis(20),
        lock_wait: Duration::from_millis(500),
        ..SqliteOptions::default()
    };
    let store = site.open(options).await;
    let mut other = site.other_program().await;
    execute(&mut other, "BEGIN EXCLUSIVE").await;
    let (one, two, three) = tokio::join!(record(&store, 0), record(&store, 1), record(&store, 2));
    let overloaded = [&one, &two, &three]
        .into_iter()
        .filter(|outcome| matches!(outcome, Err(StoreError::Overloaded)));
    assert_eq!(overloaded.count(), 1, "{one:?} {two:?} {three:?}");
    execute(&mut other, "COMMIT").await;
    record(&store, 3).await.expect("there is room again");
}

#[tokio::test]
async fn writes_that_arrive_together_share_a_transaction_but_not_their_faults() {
    let site = Site::new();
    let store = site.open(SqliteOptions::default()).await;
    let before = store.stats();
    let unknown = batch_of([said(1), plain_observation("nowhere", PROVIDER, 1, 1.0)]);
    let (one, bad, two) = tokio::join!(record(&store, 0), store.record(unknown), record(&store, 2));
    assert!(matches!(bad, Err(StoreError::UnknownPlace(_))), "{bad:?}");
    assert_eq!(one.expect("it is good"), [Recorded::Inserted]);
    assert_eq!(two.expect("it is good"), [Recorded::Inserted]);
    assert_eq!(history_len(&store).await, 2);
    let after = store.stats();
    assert_eq!(after.writes - before.writes, 2);
    assert_eq!(after.writes_failed - before.writes_failed, 1);
    assert_eq!(after.rows_inserted - before.rows_inserted, 2);
    assert!(after.transactions - before.transactions < 3, "{after:?}");
    assert_eq!(after.queue_depth, 0);
}

#[tokio::test]
async fn closing_writes_what_waits_and_refuses_the_rest() {
    let site = Site::new();
    let store = site.open(SqliteOptions::default()).await;
    let (one, two, closed) = tokio::join!(record(&store, 0), record(&store, 1), store.close());
    one.expect("it was waiting");
    two.expect("it was waiting");
    closed.expect("it closes");
    store.close().await.expect("closing twice changes nothing");
    let refused = record(&store, 2).await;
    assert!(matches!(refused, Err(StoreError::Closed)), "{refused:?}");
    let refused = store.places().await;
    assert!(matches!(refused, Err(StoreError::Closed)), "{refused:?}");
    assert!(matches!(store.ping().await, Err(StoreError::Closed)));
    assert!(!site.folder.path().join("weather.db-wal").exists(), "the log is in the file");

    let store = site.open(SqliteOptions::default()).await;
    assert_eq!(history_len(&store).await, 2);
    store.ping().await.expect("it is open");
}

#[tokio::test]
async fn file_of_another_kind_is_refused_with_what_to_do() {
    let site = Site::new();
    check_refused(&site.folder.path().join("missing").join("weather.db"), "create it").await;
    check_refused(site.folder.path(), "unable to open").await;

    let garbage = site.folder.path().join("garbage.db");
    std::fs::write(&garbage, "no database ".repeat(1000)).unwrap();
    check_refused(&garbage, "restore it from a backup").await;
    assert_eq!(std::fs::read(&garbage).unwrap().len(), 12_000, "it was left alone");

    let foreign = site.folder.path().join("foreign.db");
    execute(&mut connect(&foreign).await, "CREATE TABLE invoices (number)").await;
    check_refused(&foreign, "belongs to another program").await;

    site.open(SqliteOptions::default()).await.close().await.unwrap();
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                 VALUES (99, 'later', 1, x'00', 0)";
    execute(&mut site.other_program().await, newer).await;
    check_refused(&site.file(), "newer Pampero (its form 99").await;
}

/// Checks that opening `file` fails with an error that names it and says `what`.
#[track_caller]
fn check_refused(file: &Path, what: &str) -> impl Future<Output = ()> {
    let caller = std::panic::Location::caller();
    async move {
        let refused = SqliteStore::open(file, SqliteOptions::default()).await;
        let told = chain(&refused.expect_err("it is no store"));
        assert!(told.contains(what), "{caller}: {told}");
        assert!(told.contains(&file.display().to_string()), "{caller}: {told}");
    }
}

#[tokio::test]
async fn file_held_by_another_program_is_told_at_the_start() {
    let site = Site::new();
    site.open(SqliteOptions::default()).await.close().await.unwrap();
    let mut other = site.other_program().await;
    execute(&mut other, "PRAGMA locking_mode = EXCLUSIVE").await;
    execute(&mut other, "UPDATE places SET name = 'Azul'").await;
    let lock_wait = Duration::from_millis(20);
    let options = SqliteOptions { lock_wait, ..SqliteOptions::default() };
    let refused = SqliteStore::open(&site.file(), options).await;
    assert!(matches!(refused, Err(StoreError::Locked)), "{refused:?}");
    other.close().await.unwrap();
    site.open(SqliteOptions::default()).await;
}

#[tokio::test]
async fn row_that_cannot_be_read_back_is_named() {
    let site = Site::new();
    let store = site.open(SqliteOptions::default()).await;
    store.record(batch_of([full_observation("azul", PROVIDER, 0)])).await.unwrap();
    let mut other = site.other_program().await;
    execute(&mut other, "UPDATE descriptions SET condition = 'glowing'").await;
    let refused = store.observations(&place_id("azul"), &every_observation()).await;
    let told = chain(&refused.expect_err("no such condition"));
    let expected = "the store holds an observation of azul that cannot be read: \
                    condition \"glowing\" is not known";
    assert_eq!(told, expected);
    execute(&mut other, "UPDATE places SET time_zone = 'Moon/Tycho'").await;
    let told = chain(&store.places().await.expect_err("no such zone"));
    assert!(told.starts_with("the store holds place azul that cannot be read"), "{told}");
}

#[tokio::test]
async fn provider_has_the_same_number_in_code_and_table() {
    let site = Site::new();
    let store = site.open(SqliteOptions::default()).await;
    for (provider, at_minute) in ProviderId::ALL.into_iter().zip(0..) {
        let said = plain_observation("azul", provider, at_minute, 1.0);
        store.record(batch_of([said])).await.unwrap();
    }
    let query = "SELECT p.id FROM observations AS o JOIN providers AS p ON p.provider = o.provider \
                 ORDER BY o.observed_at";
    let ids: Vec<String> =
        sqlx::query_scalar(query).fetch_all(&mut site.other_program().await).await.unwrap();
    assert_eq!(ids, ProviderId::ALL.map(ProviderId::as_str));
}
