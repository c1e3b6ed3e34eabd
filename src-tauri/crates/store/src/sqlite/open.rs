//! Opening: the file, its place, its version, and the settings of each connection, read back.

use std::path::Path;
use std::time::Duration;

use makegood_domain::ports::{StoreError, StoreResult};
use sha2::{Digest, Sha256};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection, SqliteConnection};

use super::SqliteStore;
use super::fault::backend;
use super::group::Group;

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
];

statements! {
    VERSION = "SELECT sqlite_version()";
    SCHEMA_TABLES = "SELECT count(*) FROM sqlite_schema";
    MIGRATION_TABLE = "CREATE TABLE IF NOT EXISTS schema_migrations (
        number INTEGER PRIMARY KEY, name TEXT NOT NULL, sha256 TEXT NOT NULL) STRICT";
    APPLIED = "SELECT number, name, sha256 FROM schema_migrations ORDER BY number";
    RECORD = "INSERT INTO schema_migrations (number, name, sha256) VALUES (?1, ?2, ?3)";
}

impl SqliteStore {
    /// Opens the record in `path`, making it and its folder where they are missing, and brings its
    /// schema up to date.
    ///
    /// # Errors
    /// `Unavailable` where the place can't hold a record (a network file system, another program's
    /// file), where the file was written by a newer Makegood, or where SQLite is too old to be safe.
    pub async fn open(path: &Path) -> StoreResult<Self> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder).map_err(|error| {
            StoreError::Unavailable(format!("the folder {} can't be made: {error}", folder.display()))
        })?;
        refuse_network_file_system(folder)?;
        let options = settings(SqliteConnectOptions::new().filename(path).create_if_missing(true))
            .journal_mode(SqliteJournalMode::Wal);
        let writer = pool(options.clone(), 1, "wal").await.map_err(|error| name_file(error, path))?;
        migrate(&writer).await.map_err(|error| name_file(error, path))?;
        let readers = pool(options.create_if_missing(false).read_only(true), READERS, "wal").await?;
        let group = Group::start(writer.clone());
        Ok(Self { writer, readers, group, location: path.display().to_string() })
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
        Ok(Self { readers: writer.clone(), writer, group, location: "memory".to_owned() })
    }

    /// Closes the connections after what is under way, and folds the log into the file.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
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
        .after_connect(move |connection, _| Box::pin(async move { read_back(connection, journal).await }))
        .connect_with(options)
        .await
        .map_err(backend)
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
            return Err(StoreError::Unavailable(format!(
                "the record was written by a newer Makegood (schema {number} {name}; this one knows {}): update first",
                MIGRATIONS.len()
            )));
        };
        if *known_name != name.as_str() || digest(sql) != *sha256 {
            return Err(StoreError::Unavailable(format!(
                "schema change {number} of the record ({name}) is not the one that this Makegood knows ({known_name})"
            )));
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

/// Types of file systems over a network. SQLite's log needs shared memory, which they don't have.
const NETWORK_FILE_SYSTEMS: &[&str] = &[
    "9p",
    "afs",
    "ceph",
    "cifs",
    "coda",
    "fuse.glusterfs",
    "fuse.rclone",
    "fuse.s3fs",
    "fuse.sshfs",
    "gpfs",
    "lustre",
    "ncpfs",
    "nfs",
    "nfs4",
    "smb3",
    "smbfs",
];

fn refuse_network_file_system(folder: &Path) -> StoreResult<()> {
    let (Ok(folder), Ok(mounts)) = (folder.canonicalize(), std::fs::read_to_string("/proc/self/mountinfo")) else {
        return Ok(());
    };
    match network_file_system(&mounts, &folder) {
        Some(kind) => Err(StoreError::Unavailable(format!(
            "{} is on a network file system ({kind}); a record needs a local disk",
            folder.display()
        ))),
        None => Ok(()),
    }
}

/// The type of the mount that holds `folder`, if it is one over a network. `mounts` is as Linux
/// tells it: `36 35 98:0 /root /mount options - type source options`.
pub(super) fn network_file_system(mounts: &str, folder: &Path) -> Option<String> {
    mounts
        .lines()
        .filter_map(|line| {
            let (place, kind) = line.split_once(" - ")?;
            let mount = place.split(' ').nth(4)?.replace("\\040", " ");
            folder.starts_with(&mount).then(|| (mount.len(), kind.split(' ').next().unwrap_or_default()))
        })
        .max_by_key(|(length, _)| *length)
        .map(|(_, kind)| kind.to_owned())
        .filter(|kind| NETWORK_FILE_SYSTEMS.contains(&kind.as_str()))
}
