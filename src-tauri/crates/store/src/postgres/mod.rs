//! The store on PostgreSQL, shared by a team. People hold no right on a table: what is read comes
//! from the views of schema `api`, and what is written goes through its functions, one call one
//! transaction. The functions are in `migrations/postgres/`.

mod address;
pub mod admin;
pub(crate) mod fault;
mod link;
mod open;
mod reads;
mod rows;
mod wiring;
mod writes;

#[cfg(test)]
mod tests;

use makegood_domain::ports::StoreResult;
use sqlx::postgres::PgPool;
use sqlx::{Postgres, Transaction};

use fault::backend;

pub use address::PgSettings;
pub use open::migrate;
pub(crate) use open::target_of_copy;

/// The record in a PostgreSQL database, with the rights of one login. Cheap to clone; all clones
/// share the connections.
#[derive(Clone, Debug)]
pub struct PgStore {
    /// For what reads: also several statements of one instant, in a transaction.
    pool: PgPool,
    link: link::Link,
    sweeps: writes::sweeps::Sweeps,
    location: String,
}

impl PgStore {
    /// A reading transaction: everything in it is of one instant.
    async fn snapshot(&self) -> StoreResult<Transaction<'static, Postgres>> {
        self.pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY").await.map_err(backend)
    }
}
