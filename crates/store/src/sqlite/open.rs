//! Opening and closing the file: its settings, its form, and whose it is.

use std::path::Path;
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqlSafeStr, SqliteConnection};

use super::failure::{Failure, Unusable, open_error};
use super::options::SqliteOptions;
use crate::StoreError;

/// Every form of the tables, oldest first; a released one is never changed, a new one is appended.
const MIGRATIONS: [(i64, &str, &str); 1] =
    [(1, "first", include_str!("../../migrations/sqlite/0001_first.sql"))];

/// Marks the file as ours: `PAMP`. The first migration writes it.
const APPLICATION_ID: i64 = 0x5041_4D50;

/// From this size on the write-ahead log is brought into the file. A batch for many places touches
/// a page of each, so that several of them should share the work.
const LOG_PAGES_MAX: u32 = 4096;

/// The write-ahead log is cut back to this size after it was brought into the file.
const LOG_SIZE_MAX_BYTES: u32 = 16 << 20;

/// Prepared statements kept by each connection.
const STATEMENTS_MAX: usize = 64;

/// How long a read waits for a free connection.
const READER_WAIT: Duration = Duration::from_secs(10);

/// Opens the one connection that writes, and brings the tables into their newest form.
pub(super) async fn writing_connection(
    path: &Path,
    options: &SqliteOptions,
) -> Result<SqliteConnection, StoreError> {
    require_folder(path)?;
    let mut connect = shared_options(path, options)
        .create_if_missing(true)
        .foreign_keys(true)
        .pragma("cache_size", format!("-{}", options.writer_cache_kib))
        .pragma("wal_autocheckpoint", LOG_PAGES_MAX.to_string())
        .pragma("journal_size_limit", LOG_SIZE_MAX_BYTES.to_string());
    if let Some(bytes) = options.size_max_bytes {
        connect = connect.pragma("max_page_count", pages_in(bytes).to_string());
    }
    // The log mode is switched on only after the file is known to be ours.
    let in_open = |error| Failure::from(error).into_open_error(path);
    let mut connection = connect.connect().await.map_err(in_open)?;
    require_own(&mut connection, path).await?;
    sqlx::query("PRAGMA journal_mode = WAL").execute(&mut connection).await.map_err(in_open)?;
    migrate(&mut connection, path).await?;
    Ok(connection)
}

/// Prepares the connections that read; they are made when they are needed.
pub(super) fn reading_pool(path: &Path, options: &SqliteOptions) -> SqlitePool {
    let connect = shared_options(path, options)
        .read_only(true)
        .pragma("cache_size", format!("-{}", options.reader_cache_kib));
    SqlitePoolOptions::new()
        .max_connections(options.readers.max(1))
        .acquire_timeout(READER_WAIT)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .connect_lazy_with(connect)
}

/// Brings the write-ahead log into the file and closes its last connection.
pub(super) async fn close_last(mut connection: SqliteConnection) -> Result<(), StoreError> {
    let in_close = |error| Failure::from(error).into_write_error("the write-ahead log");
    let checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)";
    sqlx::query(checkpoint).execute(&mut connection).await.map_err(in_close)?;
    connection.close().await.map_err(in_close)
}

fn shared_options(path: &Path, options: &SqliteOptions) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(options.lock_wait)
        .synchronous(SqliteSynchronous::Full)
        .statement_cache_capacity(STATEMENTS_MAX)
        .row_buffer_size(512)
        .thread_name(|_| "store-sqlite".to_owned())
        .disable_statement_logging()
}

fn pages_in(bytes: u64) -> u64 {
    const PAGE_SIZE_BYTES: u64 = 4096;
    (bytes / PAGE_SIZE_BYTES).max(1)
}

fn require_folder(path: &Path) -> Result<(), StoreError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    match folder {
        Some(folder) if !folder.is_dir() => {
            Err(open_error(path, Unusable::NoFolder(folder.display().to_string())))
        }
        _ => Ok(()),
    }
}

/// Refuses the database of another program; an empty file is anybody's.
async fn require_own(connection: &mut SqliteConnection, path: &Path) -> Result<(), StoreError> {
    let query = "SELECT (SELECT application_id FROM pragma_application_id), \
                 (SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE '\\_sqlx%' ESCAPE '\\')";
    let (application_id, table_count): (i64, i64) = sqlx::query_as(query)
        .fetch_one(connection)
        .await
        .map_err(|error| Failure::from(error).into_open_error(path))?;
    if application_id == APPLICATION_ID || (application_id == 0 && table_count == 0) {
        return Ok(());
    }
    Err(open_error(path, Unusable::Foreign))
}

async fn migrate(connection: &mut SqliteConnection, path: &Path) -> Result<(), StoreError> {
    let migrations = MIGRATIONS.map(|(version, name, sql)| {
        let kind = MigrationType::Simple;
        Migration::new(version, name.into(), kind, sql.into_sql_str(), false)
    });
    let migrator = Migrator::with_migrations(migrations.to_vec());
    let migrated = migrator.run_direct(None, connection, false).await;
    migrated.map_err(|error| match error {
        MigrateError::VersionMissing(version) => open_error(path, Unusable::Newer(version)),
        MigrateError::VersionMismatch(version) | MigrateError::Dirty(version) => {
            open_error(path, Unusable::Altered(version))
        }
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => {
            Failure::from(error).into_open_error(path)
        }
        other => open_error(path, other),
    })
}
