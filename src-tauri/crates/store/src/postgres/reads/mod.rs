//! What is read: from the views of schema `api`, which show every column under the name that it has
//! on SQLite. Texts are put in order byte by byte (`COLLATE "C"`), whatever the database's language,
//! so that both stores answer in the same order.

pub(super) mod actions;
pub(super) mod audit;
pub(super) mod canvas;
pub(super) mod captures;
pub(super) mod cases;
pub(super) mod catalogue;
pub(super) mod charges;
pub(super) mod dead_letters;
pub(super) mod deliveries;
pub(super) mod drafts;
pub(super) mod files;
pub(super) mod health;
pub(super) mod jobs;
pub(super) mod outbox;
pub(super) mod outputs;
pub(super) mod people;
pub(super) mod postings;
pub(super) mod queue;
pub(super) mod received;
pub(super) mod reconciler;
pub(super) mod refunds;
pub(super) mod rights;
pub(super) mod runs;
mod scope;
pub(super) mod ticket_links;

use makegood_domain::ports::StoreResult;
use sqlx::postgres::{PgConnection, PgRow};

use super::fault::backend;

/// The rows of a statement whose only argument is a list of ids.
async fn by_ids(connection: &mut PgConnection, sql: &'static str, ids: &[String]) -> StoreResult<Vec<PgRow>> {
    sqlx::query(sql).bind(ids).fetch_all(connection).await.map_err(backend)
}

/// The rows of a statement whose only argument is one id.
async fn by_id(connection: &mut PgConnection, sql: &'static str, id: &str) -> StoreResult<Vec<PgRow>> {
    sqlx::query(sql).bind(id).fetch_all(connection).await.map_err(backend)
}
