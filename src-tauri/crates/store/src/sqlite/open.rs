//! Opening: the file, its place, its version, and the settings of each connection, read back.

use std::path::Path;
use std::time::Duration;

use makegood_domain::ports::{StoreError, StoreResult};
use sha2::{Digest, Sha256};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqliteConnection};

use super::SqliteStore;
use super::fault::backend;
use super::group::Group;
use super::place;
use crate::schema::{newer, other_past};

/// `MKGD`: what marks a file as Makegood's, in the header of the database.
const APPLICATION_ID: i64 = 0x4d4b_4744;

/// Older ones can corrupt a WAL database with two writers (SQLite 3.51.3, WAL-reset bug).
const OLDEST_SQLITE: (u32, u32, u32) = (3, 51, 3);

const READERS: u32 = 4;

const BUSY_TIMEOUT: Duration = Duration::from_millis(5000);

/// Schema changes, in order. A released one is never edited: its hash is in each database.
pub(super) const MIGRATIONS: &[(&str, &str)] = &[
    ("0001_facts", include_str!("../../migrations/sqlite/0001_facts.sql")),
    ("0002_ledger", include_str!("../../migrations/sqlite/0002_ledger.sql")),
    ("0003_ledger_rules", include_str!("../../migrations/sqlite/0003_ledger_rules.sql")),
    ("0004_cases", include_str!("../../migrations/sqlite/0004_cases.sql")),
    ("0005_actions", include_str!("../../migrations/sqlite/0005_actions.sql")),
    ("0006_reconciler", include_str!("../../migrations/sqlite/0006_reconciler.sql")),
    ("0007_people", include_str!("../../migrations/sqlite/0007_people.sql")),
    ("0008_rights", include_str!("../../migrations/sqlite/0008_rights.sql")),
    ("0009_intake", include_str!("../../migrations/sqlite/0009_intake.sql")),
    ("0010_deliveries", include_str!("../../migrations/sqlite/0010_deliveries.sql")),
    ("0011_letters", include_str!("../../migrations/sqlite/0011_letters.sql")),
    ("0012_files", include_str!("../../migrations/sqlite/0012_files.sql")),
    ("0013_captures", include_str!("../../migrations/sqlite/0013_captures.sql")),
    ("0014_releases", include_str!("../../migrations/sqlite/0014_releases.sql")),
];

statements! {
    VERSION = "SELECT sqlite_version()";
    SCHEMA_TABLES = "SELECT count(*) FROM sqlite_schema";
    MIGRATION_TABLE = "CREATE TABLE IF NOT EXISTS schema_migrations (
        number INTEGER PRIMARY KEY, name TEXT NOT NULL, sha256 TEXT NOT NULL) STRICT";
    APPLIED = "SELECT number, name, sha256 FROM schema_migrations ORDER BY number";
    NEWEST = "SELECT number, name FROM schema_migrations ORDER BY number DESC LIMIT 1";
    RECORD = "INSERT INTO schema_migrations (number, name, sha256) VALUES (?1, ?2, ?3)";
}

impl SqliteStore {
    /// Opens the record in `path`, making it and its folder where they are missing, and brings its
    /// schema up to date. A record that a newer Makegood has changed, or that can't be written here,
    /// opens for reading: nothing of it is touched, and every write says why.
    ///
    /// # Errors
    /// `Unavailable` where the place can't hold a record (a network file system, another program's
    /// file), or where SQLite is too old to be safe.
    pub async fn open(path: &Path) -> StoreResult<Self> {
        place::prepare(path)?;
        place::refuse_unread_log(path)?;
        if let Some(why) = only_to_read(path).await? {
            return Self::open_read_only(path, why).await;
        }
        let options = settings(SqliteConnectOptions::new().filename(path).create_if_missing(true))
            .journal_mode(SqliteJournalMode::Wal);
        let writer = pool(options.clone(), 1, "wal").await.map_err(|error| name_file(error, path))?;
        migrate(&writer).await.map_err(|error| name_file(error, path))?;
        let readers = pool(options.create_if_missing(false).read_only(true), READERS, "wal").await?;
        let group = Group::start(writer.clone());
        Ok(Self { writer, readers, group, location: path.display().to_string(), read_only: None })
    }

    /// Opens an existing record for reading. `why`: what each write is told.
    pub(super) async fn open_read_only(path: &Path, why: String) -> StoreResult<Self> {
        let way = way_to_read(path);
        // What is taken as it is has no log.
        let journal = if way == Way::AsItIs { "delete" } else { "wal" };
        let readers = pool(reading(path, way), READERS, journal).await.map_err(|error| name_file(error, path))?;
        let (writer, group) = (readers.clone(), Group::start(readers.clone()));
        Ok(Self { writer, readers, group, location: path.display().to_string(), read_only: Some(why) })
    }

    /// A record that is gone when it is dropped. Reads and writes share the one connection.
    ///
    /// # Errors
    /// Where SQLite is too old to be safe.
    pub async fn open_in_memory() -> StoreResult<Self> {
        let options = settings(SqliteConnectOptions::new().in_memory(true)).journal_mode(SqliteJournalMode::Memory);
        let writer = pool(options, 1, "memory").await?;
        migrate(&writer).await?;
        let group = Group::start(writer.clone());
        Ok(Self { readers: writer.clone(), writer, group, location: "memory".to_owned(), read_only: None })
    }

    /// Closes the connections after what is under way, and folds the log into the file.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// How a record is read that is not to be touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// With the log beside it, in which others may be writing.
    WithLog,
    /// Where no log lies beside it and none can be made (a read-only disk), the file is all there is.
    AsItIs,
}

fn way_to_read(path: &Path) -> Way {
    if !place::log_of(path).exists() && place::is_read_only(place::folder_of(path)) {
        Way::AsItIs
    } else {
        Way::WithLog
    }
}

fn reading(path: &Path, way: Way) -> SqliteConnectOptions {
    settings(SqliteConnectOptions::new().filename(path).read_only(true)).immutable(way == Way::AsItIs)
}

/// A connection that reads a record of exactly this program's schema, and changes nothing of it.
pub(crate) async fn source_of_copy(path: &Path) -> StoreResult<SqliteConnection> {
    if !path.exists() {
        return Err(StoreError::Unavailable(format!("there is no record {}", path.display())));
    }
    place::refuse_unread_log(path)?;
    let connected = reading(path, way_to_read(path)).connect().await.map_err(backend);
    let mut connection = connected.map_err(|error| name_file(error, path))?;
    let applied: Vec<(i64, String, String)> =
        sqlx::query_as(APPLIED).fetch_all(&mut connection).await.map_err(|error| name_file(backend(error), path))?;
    let same = applied.len() == MIGRATIONS.len()
        && applied
            .iter()
            .zip(MIGRATIONS)
            .all(|((_, name, sha256), (known, sql))| name == known && *sha256 == digest(sql));
    if same {
        return Ok(connection);
    }
    Err(StoreError::Unavailable(format!(
        "{} has another schema than this Makegood ({} changes instead of {}): open it once with this Makegood",
        path.display(),
        applied.len(),
        MIGRATIONS.len()
    )))
}

/// Why an existing record is only to be read: the file can't be written, or a newer Makegood has
/// changed it. Looking changes nothing.
async fn only_to_read(path: &Path) -> StoreResult<Option<String>> {
    if std::fs::metadata(path).map_or(0, |file| file.len()) == 0 {
        return Ok(None);
    }
    let unwritable = place::why_unwritable(path);
    // What can't be read is worded by the ordinary way in.
    let Ok(mut connection) = reading(path, way_to_read(path)).connect().await else { return Ok(unwritable) };
    let applied: Result<Vec<(i64, String, String)>, _> = sqlx::query_as(APPLIED).fetch_all(&mut connection).await;
    connection.close().await.map_err(backend)?;
    let applied = applied.unwrap_or_default();
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    let newest = applied.last().filter(|(number, ..)| *number > known);
    match (newest, unwritable) {
        (Some((number, name, _)), _) => {
            let record = format!("the record {}", path.display());
            Ok(Some(newer(&record, *number, name, MIGRATIONS.len())))
        }
        (None, Some(why)) if applied.len() < MIGRATIONS.len() => Err(StoreError::Unavailable(format!(
            "{why}; but its schema is older than this Makegood's, and has to be brought up to date first"
        ))),
        (None, why) => Ok(why),
    }
}

fn settings(options: SqliteConnectOptions) -> SqliteConnectOptions {
    options
        .foreign_keys(true)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(BUSY_TIMEOUT)
        .pragma("trusted_schema", "0")
        .pragma("cell_size_check", "1")
        .pragma("mmap_size", "0")
        // REPLACE would else delete rows past the triggers that keep them.
        .pragma("recursive_triggers", "1")
        // Makes fsync mean it on macOS; without effect elsewhere.
        .pragma("fullfsync", "1")
        .pragma("checkpoint_fullfsync", "1")
        .pragma("temp_store", "2")
        .pragma("cache_size", "-16000")
        .statement_cache_capacity(256)
}

async fn pool(options: SqliteConnectOptions, connections: u32, journal: &'static str) -> StoreResult<SqlitePool> {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .min_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .after_release(|connection, _| Box::pin(is_clean(connection)))
        .after_connect(move |connection, _| Box::pin(async move { read_back(connection, journal).await }))
        .connect_with(options)
        .await
        .map_err(backend)
}

/// Whether a connection that comes back is outside any transaction. A full disk makes SQLite end a
/// transaction by itself, behind sqlx's back; such a connection could never begin one again.
async fn is_clean(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    if !connection.is_in_transaction() {
        return Ok(true);
    }
    // A rollback may be on its way.
    connection.ping().await?;
    Ok(!connection.is_in_transaction())
}

/// The settings that safety rests on, and the values that they must have.
pub(super) const PRAGMAS: &[(&str, i64)] = &[
    ("PRAGMA synchronous", 2),
    ("PRAGMA foreign_keys", 1),
    ("PRAGMA trusted_schema", 0),
    ("PRAGMA cell_size_check", 1),
    ("PRAGMA recursive_triggers", 1),
    ("PRAGMA busy_timeout", 5000),
];

/// Whether a connection is set as it was asked to be: SQLite leaves out silently what it can't do.
async fn read_back(connection: &mut SqliteConnection, journal: &'static str) -> Result<(), sqlx::Error> {
    for (pragma, wanted) in PRAGMAS {
        let found: i64 = sqlx::query_scalar(*pragma).fetch_one(&mut *connection).await?;
        if found != *wanted {
            return Err(sqlx::Error::Configuration(format!("{pragma} is {found}, not {wanted}").into()));
        }
    }
    let mapped: Option<i64> = sqlx::query_scalar("PRAGMA mmap_size").fetch_optional(&mut *connection).await?;
    if mapped.unwrap_or_default() != 0 {
        return Err(sqlx::Error::Configuration("PRAGMA mmap_size is not 0".into()));
    }
    let found: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&mut *connection).await?;
    if found != journal {
        return Err(sqlx::Error::Configuration(format!("the journal mode is {found}, not {journal}").into()));
    }
    Ok(())
}

async fn migrate(writer: &SqlitePool) -> StoreResult<()> {
    let mut connection = writer.acquire().await.map_err(backend)?;
    let version: String = sqlx::query_scalar(VERSION).fetch_one(&mut *connection).await.map_err(backend)?;
    refuse_old_sqlite(&version)?;
    let mut tx = connection.begin_with("BEGIN IMMEDIATE").await.map_err(backend)?;
    refuse_foreign_file(&mut tx).await?;
    sqlx::query(MIGRATION_TABLE).execute(&mut *tx).await.map_err(backend)?;
    let applied: Vec<(i64, String, String)> = sqlx::query_as(APPLIED).fetch_all(&mut *tx).await.map_err(backend)?;
    for (number, name, sha256) in &applied {
        let known = usize::try_from(*number - 1).ok().and_then(|place| MIGRATIONS.get(place));
        let Some((known_name, sql)) = known else {
            // It was changed between looking and opening.
            return Err(StoreError::Unavailable(newer("the record", *number, name, MIGRATIONS.len())));
        };
        if *known_name != name.as_str() || digest(sql) != *sha256 {
            return Err(StoreError::Unavailable(other_past(*number, name, known_name)));
        }
    }
    for (place, (name, sql)) in MIGRATIONS.iter().enumerate().skip(applied.len()) {
        sqlx::raw_sql(*sql).execute(&mut *tx).await.map_err(backend)?;
        let number = i64::try_from(place + 1).unwrap_or(i64::MAX);
        let record = sqlx::query(RECORD).bind(number).bind(*name).bind(digest(sql));
        record.execute(&mut *tx).await.map_err(backend)?;
    }
    tx.commit().await.map_err(backend)
}

/// Refuses to write where a newer program has changed the schema since this one opened the record: it
/// would write rows by rules that hold no more (R22). Asked within each unit of work.
pub(super) async fn refuse_changed(connection: &mut SqliteConnection) -> StoreResult<()> {
    let (number, name): (i64, String) = sqlx::query_as(NEWEST).fetch_one(connection).await.map_err(backend)?;
    if is_known(number) {
        return Ok(());
    }
    Err(StoreError::Unavailable(newer("the record", number, &name, MIGRATIONS.len())))
}

/// Whether a schema with this newest change is one that this program knows.
pub(super) fn is_known(newest: i64) -> bool {
    usize::try_from(newest).is_ok_and(|number| number <= MIGRATIONS.len())
}

fn digest(sql: &str) -> String {
    hex::encode(Sha256::digest(sql.as_bytes()))
}

/// Takes an empty file as ours, and refuses one that is another program's.
async fn refuse_foreign_file(connection: &mut SqliteConnection) -> StoreResult<()> {
    let id: i64 = sqlx::query_scalar("PRAGMA application_id").fetch_one(&mut *connection).await.map_err(backend)?;
    if id == APPLICATION_ID {
        return Ok(());
    }
    let tables: i64 = sqlx::query_scalar(SCHEMA_TABLES).fetch_one(&mut *connection).await.map_err(backend)?;
    if tables > 0 {
        return Err(StoreError::Unavailable("the file is a database of another program".to_owned()));
    }
    sqlx::query("PRAGMA application_id = 1296779076").execute(&mut *connection).await.map_err(backend)?;
    Ok(())
}

pub(super) fn refuse_old_sqlite(version: &str) -> StoreResult<()> {
    let mut parts = version.split('.').map(|part| part.parse::<u32>().unwrap_or_default());
    let found = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    if found < OLDEST_SQLITE {
        let (major, minor, patch) = OLDEST_SQLITE;
        return Err(StoreError::Unavailable(format!(
            "SQLite {version} can damage the record; {major}.{minor}.{patch} or newer is needed"
        )));
    }
    Ok(())
}

fn name_file(error: StoreError, path: &Path) -> StoreError {
    match error {
        StoreError::Unavailable(why) => StoreError::Unavailable(format!("{}: {why}", path.display())),
        StoreError::Backend(why) => {
            StoreError::Unavailable(format!("the record {} can't be opened: {why}", path.display()))
        }
        other => other,
    }
}
