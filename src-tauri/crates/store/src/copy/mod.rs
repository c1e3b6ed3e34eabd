//! A whole record from an SQLite file into an empty PostgreSQL database, in one transaction, and the
//! proof that both say the same.
//!
//! The proof is a digest per table, computed in the same way from both sides: SHA-256 over the rows in
//! the order of their key, each as one line of JSON. What a line looks like is in [`cells`].

mod cells;
mod plan;
mod source;
mod target;

#[cfg(test)]
mod tests;

use std::path::Path;

use jiff::Timestamp;
use makegood_domain::ports::{StoreError, StoreResult};
use sqlx::SqliteConnection;
use sqlx::postgres::PgConnection;

use crate::postgres::{PgSettings, fault, target_of_copy};
use crate::sqlite::source_of_copy;
use plan::Table;

/// A table as it is on both sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopiedTable {
    pub name: String,
    pub rows: u64,
    /// SHA-256 in hex.
    pub digest: String,
}

/// Copies the record in the file `from` into the empty record `to`, which the login must own. Nothing
/// is there before all of it is, and is proven the same. `from` is only read.
///
/// # Errors
/// `Unavailable` where one of the two can't be used, has another schema than this program, or where
/// the target is not empty; `Inconsistent` where a table came out different: then nothing is kept.
pub async fn copy(from: &Path, to: &PgSettings, at: Timestamp) -> StoreResult<Vec<CopiedTable>> {
    let mut source = source_of_copy(from).await?;
    let mut target = target_of_copy(to).await?;
    let mut reading = sqlx::Connection::begin(&mut source).await.map_err(source::failed)?;
    let mut writing = sqlx::Connection::begin(&mut target).await.map_err(fault::backend)?;
    target::begin(&mut writing).await?;
    let tables = plan::tables(&mut reading, &mut writing).await?;
    target::refuse_unless_empty(&mut writing, &tables).await?;
    for table in &tables {
        target::fill(&mut writing, &mut reading, table).await?;
    }
    target::settle(&mut writing).await?;
    let copied = compare(&mut reading, &mut writing, &tables).await?;
    target::note(&mut writing, &mut reading, &copied, at).await?;
    writing.commit().await.map_err(fault::backend)?;
    reading.rollback().await.map_err(source::failed)?;
    Ok(copied)
}

/// The digest of each table, which must be the same on both sides.
async fn compare(
    source: &mut SqliteConnection,
    target: &mut PgConnection,
    tables: &[Table],
) -> StoreResult<Vec<CopiedTable>> {
    let mut copied = Vec::with_capacity(tables.len());
    for table in tables {
        let here = source::digest(source, table).await?;
        let there = target::digest(target, table).await?;
        if here != there {
            return Err(StoreError::Inconsistent {
                at: table.name.clone(),
                why: format!(
                    "it came out different: {} rows with digest {} became {} with {}. Nothing was kept",
                    here.rows, here.digest, there.rows, there.digest
                ),
            });
        }
        copied.push(CopiedTable { name: table.name.clone(), rows: here.rows, digest: here.digest });
    }
    Ok(copied)
}
