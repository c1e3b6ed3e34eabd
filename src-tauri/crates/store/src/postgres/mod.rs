//! The store on PostgreSQL, shared by a team. People hold no right on a table: what is read comes
//! from the views of schema `api`, and what is written goes through its functions, one call one
//! transaction. The functions are in `migrations/postgres/`.

#[expect(dead_code, reason = "the first call comes with the import")]
mod fault;
#[expect(dead_code, reason = "the first call comes with the import")]
mod link;
mod open;
mod rows;

#[cfg(test)]
mod tests;

use sqlx::postgres::PgPool;

pub use open::{PgSettings, migrate};

/// The record in a PostgreSQL database, with the rights of one login. Cheap to clone; all clones
/// share the connections.
#[derive(Clone, Debug)]
pub struct PgStore {
    pool: PgPool,
    location: String,
}
