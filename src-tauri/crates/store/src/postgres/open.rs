//! Opening: the connections of one login, and the schema with its version.

use std::time::Duration;

use makegood_domain::ports::{StoreError, StoreResult};
use sha2::{Digest, Sha256};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPoolOptions};
use sqlx::{Connection, Executor};

use super::PgStore;
use super::fault::backend;

/// Schema changes, in order, each in one or more files. A released one is never edited: its hash is
/// in each database. The numbers and names are those of SQLite's.
pub(super) const MIGRATIONS: &[(&str, &[&str])] = &[
    ("0001_facts", &[include_str!("../../migrations/postgres/0001_facts.sql")]),
    ("0002_ledger", &[include_str!("../../migrations/postgres/0002_ledger.sql")]),
    (
        "0003_ledger_rules",
        &[
            include_str!("../../migrations/postgres/0003_ledger_rules.sql"),
            include_str!("../../migrations/postgres/0003_money.sql"),
            include_str!("../../migrations/postgres/0003_refunds.sql"),
        ],
    ),
];

/// Whoever holds the schema locks up longer is named by PostgreSQL's error.
const LOCK_TIMEOUT: &str = "SET LOCAL lock_timeout = '10s'";

statements! {
    APPLIED = "SELECT number, name, sha256 FROM api.schema_migrations ORDER BY number";
}

/// Makes the owner of all tables, the two schemas, and the list of changes. Functions made by the
/// owner are nobody else's to call until a role is named.
const FOUNDATION: &str = "
DO $$ BEGIN
    IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'makegood_owner') THEN
        CREATE ROLE makegood_owner NOLOGIN;
    END IF;
    IF NOT pg_has_role(current_user, 'makegood_owner', 'MEMBER') THEN
        EXECUTE format('GRANT makegood_owner TO %I', current_user);
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL; -- Another database of the same server is being made at the same time.
END $$;
CREATE SCHEMA IF NOT EXISTS record AUTHORIZATION makegood_owner;
CREATE SCHEMA IF NOT EXISTS api AUTHORIZATION makegood_owner;
ALTER DEFAULT PRIVILEGES FOR ROLE makegood_owner REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
SET LOCAL ROLE makegood_owner;
CREATE TABLE IF NOT EXISTS record.schema_migrations (
    number bigint PRIMARY KEY, name text NOT NULL, sha256 text NOT NULL);
CREATE OR REPLACE VIEW api.schema_migrations AS SELECT number, name, sha256 FROM record.schema_migrations;
";

/// How to reach the record.
#[derive(Clone, Debug)]
pub struct PgSettings {
    /// `postgres://login@host/database`, with what sqlx takes besides.
    pub url: String,
    /// At most so many connections at a time.
    pub connections: u32,
}

impl PgStore {
    /// Connects with the rights of the login in `settings`.
    ///
    /// # Errors
    /// `Unavailable` where the server can't be reached, or where its schema is older or newer than
    /// this program.
    pub async fn connect(settings: &PgSettings) -> StoreResult<Self> {
        let options: PgConnectOptions = settings.url.parse().map_err(backend)?;
        let options = options.statement_cache_capacity(256).application_name("makegood");
        let location = format!("{}/{}", options.get_host(), options.get_database().unwrap_or_default());
        let pool = PgPoolOptions::new()
            .max_connections(settings.connections)
            .acquire_timeout(Duration::from_secs(10))
            // A begin that was cancelled half way leaves its connection in a transaction (sqlx 0.8.4
            // to 0.9.0): what is written in it afterwards is acknowledged, and lost.
            .before_acquire(|connection, _| Box::pin(async move { connection.execute("ROLLBACK").await.map(|_| true) }))
            .connect_with(options)
            .await
            .map_err(backend)?;
        let store = Self { pool, location };
        let mut connection = store.pool.acquire().await.map_err(backend)?;
        let applied = known_changes(&mut connection).await?;
        if applied < MIGRATIONS.len() {
            return Err(StoreError::Unavailable(format!(
                "the record {} has schema {applied}, and this Makegood needs {}: `makegoodctl db migrate`",
                store.location,
                MIGRATIONS.len()
            )));
        }
        drop(connection);
        Ok(store)
    }

    /// Closes the connections after what is under way.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// Brings the schema of a database up to date. `admin_url`: of a login that may make roles and
/// schemas there. Each change is one transaction, so that it may be killed at any point.
///
/// # Errors
/// `Unavailable` where the database can't be reached, or was made by a newer Makegood.
pub async fn migrate(admin_url: &str) -> StoreResult<()> {
    let options: PgConnectOptions = admin_url.parse().map_err(backend)?;
    let mut connection = PgConnection::connect_with(&options).await.map_err(backend)?;
    let mut tx = connection.begin().await.map_err(backend)?;
    tx.execute(LOCK_TIMEOUT).await.map_err(backend)?;
    sqlx::raw_sql(FOUNDATION).execute(&mut *tx).await.map_err(backend)?;
    tx.commit().await.map_err(backend)?;
    for place in 0..MIGRATIONS.len() {
        apply(&mut connection, place).await?;
    }
    connection.close().await.map_err(backend)
}

/// Applies the change at `place`, unless it is there already.
async fn apply(connection: &mut PgConnection, place: usize) -> StoreResult<()> {
    let Some((name, parts)) = MIGRATIONS.get(place) else { return Ok(()) };
    let mut tx = connection.begin().await.map_err(backend)?;
    tx.execute(LOCK_TIMEOUT).await.map_err(backend)?;
    tx.execute("SET LOCAL ROLE makegood_owner").await.map_err(backend)?;
    tx.execute("SET LOCAL search_path = record").await.map_err(backend)?;
    // Two programs that update at a time do so one after the other.
    tx.execute("LOCK TABLE record.schema_migrations IN EXCLUSIVE MODE").await.map_err(backend)?;
    if known_changes(&mut tx).await? > place {
        return tx.commit().await.map_err(backend);
    }
    for part in *parts {
        let done = sqlx::raw_sql(*part).execute(&mut *tx).await;
        done.map_err(|error| StoreError::Backend(format!("schema change {name}: {error}")))?;
    }
    sqlx::query("INSERT INTO record.schema_migrations (number, name, sha256) VALUES ($1, $2, $3)")
        .bind(i64::try_from(place + 1).unwrap_or(i64::MAX))
        .bind(*name)
        .bind(digest(parts))
        .execute(&mut *tx)
        .await
        .map_err(backend)?;
    tx.commit().await.map_err(backend)
}

/// How many changes the database has, all of which this program knows.
async fn known_changes(connection: &mut PgConnection) -> StoreResult<usize> {
    let applied: Vec<(i64, String, String)> =
        sqlx::query_as(APPLIED).fetch_all(&mut *connection).await.map_err(backend)?;
    for (number, name, sha256) in &applied {
        let known = usize::try_from(*number - 1).ok().and_then(|place| MIGRATIONS.get(place));
        let Some((known_name, parts)) = known else {
            return Err(StoreError::Unavailable(format!(
                "the record was written by a newer Makegood (schema {number} {name}; this one knows {}): update first",
                MIGRATIONS.len()
            )));
        };
        if *known_name != name.as_str() || digest(parts) != *sha256 {
            return Err(StoreError::Unavailable(format!(
                "schema change {number} of the record ({name}) is not the one that this Makegood knows ({known_name})"
            )));
        }
    }
    Ok(applied.len())
}

fn digest(parts: &[&str]) -> String {
    hex::encode(Sha256::digest(parts.concat().as_bytes()))
}
