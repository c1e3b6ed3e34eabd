//! A database that is lent for a while: fresh records, one after the other, each gone with the next.
//! For holding labelled cases against the very database that a team works on.

use makegood_domain::ports::{StoreError, StoreResult};
use sqlx::postgres::PgConnection;
use sqlx::{Connection, Executor};

use super::super::PgStore;
use super::super::address::PgSettings;
use super::super::fault::backend;
use super::super::open::migrate;

statements! {
    /// The first thing in the database that is neither the server's own nor an extension's.
    SOMETHING = "SELECT what FROM (
        SELECT 'schema ' || n.nspname AS what, n.oid, 'pg_namespace'::regclass AS of FROM pg_namespace n
        WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'public') AND n.nspname NOT LIKE 'pg\\_%'
        UNION ALL
        SELECT 'table public.' || c.relname, c.oid, 'pg_class'::regclass FROM pg_class c
        WHERE c.relnamespace = to_regnamespace('public')
        UNION ALL
        SELECT 'function public.' || p.proname, p.oid, 'pg_proc'::regclass FROM pg_proc p
        WHERE p.pronamespace = to_regnamespace('public')
        UNION ALL
        SELECT 'type public.' || t.typname, t.oid, 'pg_type'::regclass FROM pg_type t
        WHERE t.typnamespace = to_regnamespace('public') AND t.typrelid = 0 AND t.typcategory <> 'A'
    ) AS found
    WHERE NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = found.of AND d.objid = found.oid AND d.deptype = 'e')
    ORDER BY what LIMIT 1";
    /// A schema that says that what else is there is ours to drop: it is made first and dropped with the rest.
    IS_OURS = "SELECT to_regnamespace('makegood_scratch') IS NOT NULL";
    LENT = "SELECT pg_try_advisory_lock(hashtext('makegood_scratch'))";
}

const MARK: &str = "CREATE SCHEMA IF NOT EXISTS makegood_scratch";
const DROP_RECORD: &str = "DROP SCHEMA IF EXISTS api CASCADE; DROP SCHEMA IF EXISTS record CASCADE";
const DROP_MARK: &str = "DROP SCHEMA IF EXISTS makegood_scratch";

/// The record believes its caller about the time: a labelled case is judged at its own now.
const CALLERS_CLOCK: &str = "SET ROLE makegood_owner;
    CREATE OR REPLACE FUNCTION record.clock(p_at bigint) RETURNS bigint LANGUAGE sql AS $$ SELECT p_at $$;
    RESET ROLE";

/// An empty database, for fresh records. Nobody else can borrow it meanwhile.
pub struct Scratch {
    settings: PgSettings,
    /// Holds the lock of the loan.
    lender: PgConnection,
}

impl Scratch {
    /// Borrows an empty database. What an earlier loan that was ended half way left in it is dropped.
    /// `admin`: a login that may make roles and schemas there.
    ///
    /// # Errors
    /// `Unavailable`, in plain words, where it can't be reached, holds anything, or is lent already.
    pub async fn borrow(admin: &PgSettings) -> StoreResult<Self> {
        let address = admin.address()?;
        let mut lender = address.reach().await?;
        let location = address.location();
        let lent: bool = sqlx::query_scalar(LENT).fetch_one(&mut lender).await.map_err(backend)?;
        if !lent {
            return Err(StoreError::Unavailable(format!("{location} is in use: another evaluation runs in it")));
        }
        let is_ours: bool = sqlx::query_scalar(IS_OURS).fetch_one(&mut lender).await.map_err(backend)?;
        if !is_ours {
            let found: Option<String> =
                sqlx::query_scalar(SOMETHING).fetch_optional(&mut lender).await.map_err(backend)?;
            if let Some(what) = found {
                return Err(StoreError::Unavailable(format!(
                    "{location} is not empty: it holds {what}. Name an empty database; records are made in it and dropped"
                )));
            }
            lender.execute(MARK).await.map_err(backend)?;
        }
        Ok(Self { settings: admin.clone(), lender })
    }

    /// A record without a row in place of the one before, which must be closed. It believes its
    /// callers about the time.
    ///
    /// # Errors
    /// Where the database does not let it be made.
    pub async fn fresh(&mut self) -> StoreResult<PgStore> {
        sqlx::raw_sql(DROP_RECORD).execute(&mut self.lender).await.map_err(backend)?;
        migrate(&self.settings).await?;
        sqlx::raw_sql(CALLERS_CLOCK).execute(&mut self.lender).await.map_err(backend)?;
        PgStore::connect(&self.settings).await
    }

    /// Gives the database back as empty as it was.
    ///
    /// # Errors
    /// Where it can't be reached any more; the next loan then cleans up.
    pub async fn give_back(mut self) -> StoreResult<()> {
        sqlx::raw_sql(DROP_RECORD).execute(&mut self.lender).await.map_err(backend)?;
        self.lender.execute(DROP_MARK).await.map_err(backend)?;
        self.lender.close().await.map_err(backend)
    }
}
