//! The store on SQLite: one connection writes, several read. WAL with `synchronous = FULL`, so that
//! what was acknowledged survives a power cut.

mod actions;
mod approvals;
mod attachments;
mod audit;
mod canvas;
mod captures;
mod cases;
mod catalogue;
mod charges;
mod dead_letters;
mod deliveries;
mod detections;
mod discrepancies;
mod drafts;
mod due_runs;
mod effects;
mod fault;
mod files;
mod findings;
mod fresh;
mod full_scan;
mod group;
mod health;
mod import;
mod items;
mod jobs;
mod ledger;
mod letters;
mod many;
mod open;
mod outbox;
mod outputs;
mod passes;
mod people;
mod place;
mod pruning;
mod queue;
mod received;
mod references;
mod refunds;
mod rights;
mod rows;
mod runs;
mod scope;
mod script;
mod sweeps;
mod ticket_links;
mod views;
mod whole;
mod wiring;

#[cfg(test)]
mod tests;

pub(crate) use open::source_of_copy;

use sqlx::sqlite::SqlitePool;
use sqlx::{Sqlite, Transaction};

use makegood_domain::ports::{StoreError, StoreResult};

use fault::backend;

/// The record in one SQLite file. Cheap to clone; all clones share the connections.
#[derive(Clone, Debug)]
pub struct SqliteStore {
    writer: SqlitePool,
    readers: SqlitePool,
    group: group::Group,
    location: String,
    /// Why nothing may be written.
    read_only: Option<String>,
}

impl SqliteStore {
    /// Why the record can only be read; `None` where it can be written.
    #[must_use]
    pub fn read_only(&self) -> Option<&str> {
        self.read_only.as_deref()
    }

    /// The connection that writes. Whoever wants it for more than one statement takes [`Self::begin`].
    fn writer(&self) -> StoreResult<&SqlitePool> {
        match &self.read_only {
            Some(why) => Err(StoreError::Unavailable(why.clone())),
            None => Ok(&self.writer),
        }
    }

    /// A unit of work: the write lock is taken at the start, so that what was read inside still holds
    /// at the commit, also that the schema is ours.
    async fn begin(&self) -> StoreResult<Transaction<'static, Sqlite>> {
        let mut tx = self.writer()?.begin_with("BEGIN IMMEDIATE").await.map_err(backend)?;
        open::refuse_changed(&mut tx).await?;
        Ok(tx)
    }

    /// The way to be committed together with others.
    fn group(&self) -> StoreResult<&group::Group> {
        self.writer().map(|_| &self.group)
    }

    /// A reading transaction: everything in it is of one instant.
    async fn snapshot(&self) -> StoreResult<Transaction<'static, Sqlite>> {
        self.readers.begin().await.map_err(backend)
    }
}
