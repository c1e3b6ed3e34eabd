//! Opening: the connections of one login, and the schema with its version.

use std::time::Duration;

use makegood_domain::ports::{StoreError, StoreResult};
use sha2::{Digest, Sha256};
use sqlx::postgres::{PgConnection, PgDatabaseError, PgPoolOptions};
use sqlx::{Connection, Executor};

use super::PgStore;
use super::address::{Address, PgSettings};
use super::fault::{backend, said};
use super::link::Link;
use super::writes::sweeps::{self, Sweeps};
use crate::schema::{newer, other_past};

/// So long a caller waits for a connection that others are using.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);

/// Sent whenever a connection for reading is taken.
const CLEAN: &str = "ROLLBACK";

const UNDEFINED_TABLE: &str = "42P01";
const UNDEFINED_SCHEMA: &str = "3F000";
const NOT_ALLOWED: &str = "42501";

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
            include_str!("../../migrations/postgres/0003_feed_rows.sql"),
            include_str!("../../migrations/postgres/0003_feed_ledger.sql"),
            include_str!("../../migrations/postgres/0003_feed.sql"),
        ],
    ),
    (
        "0004_cases",
        &[
            include_str!("../../migrations/postgres/0004_cases.sql"),
            include_str!("../../migrations/postgres/0004_cases_api.sql"),
        ],
    ),
    (
        "0005_actions",
        &[
            include_str!("../../migrations/postgres/0005_actions.sql"),
            include_str!("../../migrations/postgres/0005_actions_api.sql"),
            include_str!("../../migrations/postgres/0005_audit.sql"),
            include_str!("../../migrations/postgres/0005_effects.sql"),
        ],
    ),
    (
        "0006_reconciler",
        &[
            include_str!("../../migrations/postgres/0006_reconciler.sql"),
            include_str!("../../migrations/postgres/0006_reconciler_api.sql"),
            include_str!("../../migrations/postgres/0006_reconciler_many.sql"),
        ],
    ),
    (
        "0007_people",
        &[
            include_str!("../../migrations/postgres/0007_people.sql"),
            include_str!("../../migrations/postgres/0007_people_api.sql"),
        ],
    ),
    ("0008_rights", &[include_str!("../../migrations/postgres/0008_rights.sql")]),
    (
        "0009_intake",
        &[
            include_str!("../../migrations/postgres/0009_intake.sql"),
            include_str!("../../migrations/postgres/0009_intake_many.sql"),
        ],
    ),
    ("0010_deliveries", &[include_str!("../../migrations/postgres/0010_deliveries.sql")]),
    ("0011_letters", &[include_str!("../../migrations/postgres/0011_letters.sql")]),
    ("0012_files", &[include_str!("../../migrations/postgres/0012_files.sql")]),
    ("0013_captures", &[include_str!("../../migrations/postgres/0013_captures.sql")]),
    ("0014_releases", &[include_str!("../../migrations/postgres/0014_releases.sql")]),
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

/// How the schema of a database stands to the one that this program knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// So many changes, all known, all there are.
    Same,
    /// So many changes are there; further ones are known.
    Older(usize),
    /// Number and name of the newest change, which is not known.
    Newer(i64, String),
}

impl PgStore {
    /// Connects with the rights of the login in `settings`. A record that a newer Makegood has
    /// changed opens for reading; every write says which version is needed.
    ///
    /// # Errors
    /// `Unavailable`, in plain words: where the server can't be reached or does not let the login in,
    /// where the database holds no record, or one that is older than this program.
    pub async fn connect(settings: &PgSettings) -> StoreResult<Self> {
        let address = settings.address()?;
        let mut probe = address.reach().await?;
        let standing = standing(&mut probe).await.map_err(|error| no_record(error, &address))?;
        probe.close().await.map_err(backend)?;
        let location = address.location();
        let read_only = match standing {
            Standing::Same => None,
            Standing::Older(found) => {
                return Err(StoreError::Unavailable(format!(
                    "the record {location} has schema {found}, and this Makegood needs {}: `makegoodctl db upgrade`",
                    MIGRATIONS.len()
                )));
            }
            Standing::Newer(number, name) => {
                Some(newer(&format!("the record {location}"), number, &name, MIGRATIONS.len()))
            }
        };
        let options = match &read_only {
            Some(_) => address.options.options([("default_transaction_read_only", "on")]),
            None => address.options,
        };
        // A connection that broke is found out by the hook below, and by a call that is sent again.
        let connections = PgPoolOptions::new().max_connections(settings.connections).acquire_timeout(ACQUIRE_TIMEOUT);
        let connections = connections.test_before_acquire(false);
        // A call is one statement, and nobody begins a transaction on its connection.
        let calls = connections.clone().connect_lazy_with(options.clone());
        let lanes = connections.clone().max_connections(sweeps::LANES).connect_lazy_with(options.clone());
        // A begin that was cancelled half way leaves its connection in a transaction (sqlx 0.8.4 to 0.9.0):
        // what is written in it afterwards is acknowledged, and lost.
        let pool = connections
            .before_acquire(|connection, _| Box::pin(async move { connection.execute(CLEAN).await.map(|_| true) }))
            .connect_lazy_with(options);
        let link = Link { calls, read_only };
        let lanes = Link { calls: lanes, ..link.clone() };
        Ok(Self { pool, sweeps: Sweeps::start(lanes, link.clone()), link, location })
    }

    /// Why the record can only be read; `None` where it can be written.
    #[must_use]
    pub fn read_only(&self) -> Option<&str> {
        self.link.read_only.as_deref()
    }

    /// Closes the connections after what is under way.
    pub async fn close(&self) {
        self.sweeps.connections().close().await;
        self.link.calls.close().await;
        self.pool.close().await;
    }
}

/// What an error about the list of changes means: the database holds no record, or not for this login.
pub(super) fn no_record(error: sqlx::Error, address: &Address) -> StoreError {
    let location = address.location();
    match said(&error).map(PgDatabaseError::code) {
        Some(UNDEFINED_TABLE | UNDEFINED_SCHEMA) => {
            StoreError::Unavailable(format!("{location} holds no record: `makegoodctl db create` makes one"))
        }
        Some(NOT_ALLOWED) => StoreError::Unavailable(format!(
            "{login} has no role in the record {location}: its owner gives one by `makegoodctl db grant {login} agent`",
            login = address.login()
        )),
        _ => backend(error),
    }
}

/// Brings the schema of a database up to date. `admin`: a login that may make roles and
/// schemas there. Each change is one transaction, so that it may be killed at any point.
///
/// # Errors
/// `Unavailable` where the database can't be reached, or was made by a newer Makegood.
pub async fn migrate(admin: &PgSettings) -> StoreResult<()> {
    let mut connection = admin.address()?.reach().await?;
    let mut tx = connection.begin().await.map_err(backend)?;
    tx.execute(LOCK_TIMEOUT).await.map_err(backend)?;
    sqlx::raw_sql(FOUNDATION).execute(&mut *tx).await.map_err(backend)?;
    tx.commit().await.map_err(backend)?;
    for place in 0..MIGRATIONS.len() {
        apply(&mut connection, place).await?;
    }
    connection.close().await.map_err(backend)
}

/// A connection to a record of exactly this program's schema, to be filled.
pub(crate) async fn target_of_copy(owner: &PgSettings) -> StoreResult<PgConnection> {
    let address = owner.address()?;
    let mut connection = address.reach().await?;
    match standing(&mut connection).await.map_err(|error| no_record(error, &address))? {
        Standing::Same => Ok(connection),
        Standing::Older(_) => Err(StoreError::Unavailable(format!(
            "the record {} is older than this Makegood: `makegoodctl db upgrade` first",
            address.location()
        ))),
        Standing::Newer(number, name) => Err(StoreError::Unavailable(newer(
            &format!("the record {}", address.location()),
            number,
            &name,
            MIGRATIONS.len(),
        ))),
    }
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
    match standing(connection).await.map_err(backend)? {
        Standing::Same => Ok(MIGRATIONS.len()),
        Standing::Older(found) => Ok(found),
        Standing::Newer(number, name) => {
            Err(StoreError::Unavailable(newer("the record", number, &name, MIGRATIONS.len())))
        }
    }
}

/// Compares the database's changes with the ones known here.
pub(super) async fn standing(connection: &mut PgConnection) -> Result<Standing, sqlx::Error> {
    let applied: Vec<(i64, String, String)> = sqlx::query_as(APPLIED).fetch_all(connection).await?;
    for (number, name, sha256) in &applied {
        let known = usize::try_from(*number - 1).ok().and_then(|place| MIGRATIONS.get(place));
        match known {
            None => {
                let (number, name) = applied.last().map_or((*number, name), |(number, name, _)| (*number, name));
                return Ok(Standing::Newer(number, name.clone()));
            }
            Some((known_name, parts)) if *known_name == name.as_str() && digest(parts) == *sha256 => {}
            Some((known_name, _)) => {
                let why = other_past(*number, name, known_name);
                return Err(sqlx::Error::Configuration(why.into()));
            }
        }
    }
    Ok(if applied.len() < MIGRATIONS.len() { Standing::Older(applied.len()) } else { Standing::Same })
}

fn digest(parts: &[&str]) -> String {
    hex::encode(Sha256::digest(parts.concat().as_bytes()))
}
