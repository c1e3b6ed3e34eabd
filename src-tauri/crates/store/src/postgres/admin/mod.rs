//! What the owner of a record does with it, outside any case: making it, bringing it up to date,
//! looking whether it stands as it should, and letting people in.

mod check;
mod people;
mod scram;
pub(crate) mod scratch;

use makegood_domain::ports::{StoreError, StoreResult};
use sqlx::Connection;

pub use check::{CheckLine, check};
#[cfg(test)]
pub(crate) use people::STATEMENTS;
pub use people::{Admission, grant, revoke};
pub use scratch::Scratch;

use super::address::PgSettings;
use super::fault::backend;
use super::open::{MIGRATIONS, Standing, migrate, standing};

/// What [`create`] or [`upgrade`] did: the number of schema changes before and after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Migrated {
    pub before: usize,
    pub after: usize,
}

/// Makes a record in a database that has none: owner, roles, schemas, tables, functions. `admin`: a
/// login that may make roles and schemas there.
///
/// # Errors
/// `Unavailable` where the server can't be reached, the login may not, or there is a record already.
pub async fn create(admin: &PgSettings) -> StoreResult<Migrated> {
    if let Some(there) = found(admin).await? {
        return Err(StoreError::Unavailable(format!(
            "{} holds a record already ({}): `makegoodctl db upgrade` brings it up to date",
            admin.address()?.location(),
            match there {
                Standing::Same => format!("schema {}", MIGRATIONS.len()),
                Standing::Older(number) => format!("schema {number}"),
                Standing::Newer(number, name) => format!("schema {number}, {name}"),
            }
        )));
    }
    migrate(admin).await?;
    Ok(Migrated { before: 0, after: MIGRATIONS.len() })
}

/// Brings a record up to this program's schema. Each change is one transaction: stopped at any point,
/// the record is of the schema before it or after it.
///
/// # Errors
/// `Unavailable` where there is no record, or one of a newer Makegood.
pub async fn upgrade(admin: &PgSettings) -> StoreResult<Migrated> {
    let before = match found(admin).await? {
        None => {
            return Err(StoreError::Unavailable(format!(
                "{} holds no record: `makegoodctl db create` makes one",
                admin.address()?.location()
            )));
        }
        Some(Standing::Older(before)) => before,
        Some(Standing::Same | Standing::Newer(..)) => MIGRATIONS.len(),
    };
    migrate(admin).await?;
    Ok(Migrated { before, after: MIGRATIONS.len() })
}

/// How the record stands, if there is one.
async fn found(admin: &PgSettings) -> StoreResult<Option<Standing>> {
    let mut connection = admin.address()?.reach().await?;
    let there: bool = sqlx::query_scalar("SELECT to_regclass('api.schema_migrations') IS NOT NULL")
        .fetch_one(&mut connection)
        .await
        .map_err(backend)?;
    let found = if there { Some(standing(&mut connection).await.map_err(backend)?) } else { None };
    connection.close().await.map_err(backend)?;
    // An owner and schemas without a single change: a `create` that was stopped.
    Ok(found.filter(|found| *found != Standing::Older(0)))
}
