//! Runs, and the logical run that each belongs to.

use makegood_domain::ids::RunId;
use makegood_domain::ports::StoreResult;
use makegood_domain::work::{RetryInitiator, Run};
use sqlx::SqliteConnection;

use super::fault::{Worked, backend};
use super::rows::{document, micros, opt_word, word};
use crate::assemble;

statements! {
    PUT = "INSERT INTO runs (id, root_id, project_id, node_id, started_by, model_id, started_at,
            requested_items, status, cancelled_at, retry_of, retry_initiator, params)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
        ON CONFLICT (id) DO UPDATE SET root_id = excluded.root_id, project_id = excluded.project_id,
            node_id = excluded.node_id, started_by = excluded.started_by, model_id = excluded.model_id,
            started_at = excluded.started_at, requested_items = excluded.requested_items,
            status = excluded.status, cancelled_at = excluded.cancelled_at, retry_of = excluded.retry_of,
            retry_initiator = excluded.retry_initiator, params = excluded.params";
    ROOT = "SELECT root_id FROM runs WHERE id = ?1";
    /// Retries by the system go on in their parent's logical run; a change moves all of them.
    CARRY_ROOT = "WITH RECURSIVE retry (id) AS (
            SELECT id FROM runs WHERE retry_of = ?1 AND retry_initiator = 'system'
            UNION SELECT r.id FROM runs r JOIN retry ON r.retry_of = retry.id WHERE r.retry_initiator = 'system')
        UPDATE runs SET root_id = ?2 WHERE id IN (SELECT id FROM retry) AND root_id <> ?2";
    OF_ROOT = "SELECT id FROM runs WHERE root_id = ?1 ORDER BY id";
    OWNER_OF_ROOT = "SELECT a.owner_user_id FROM accounts a WHERE a.id = coalesce(
        (SELECT c.account_id FROM runs r JOIN charges c ON c.run_id = r.id WHERE r.root_id = ?1
            ORDER BY c.posted_at, c.id LIMIT 1),
        (SELECT p.account_id FROM runs r JOIN projects p ON p.id = r.project_id WHERE r.id = ?1))";
    RUNS = "SELECT r.id, p.account_id, r.project_id, r.node_id, r.started_by, r.model_id, r.started_at,
            r.requested_items, r.status, r.cancelled_at, r.retry_of, r.retry_initiator, r.params
        FROM runs r JOIN projects p ON p.id = r.project_id
        WHERE r.id IN (SELECT value FROM json_each(?1)) ORDER BY r.started_at, r.id";
    /// P2: runs of the accounts, and runs that the requester started.
    IN_SCOPE = "SELECT r.id FROM runs r JOIN projects p ON p.id = r.project_id
        WHERE p.account_id IN (SELECT value FROM json_each(?1))
        UNION SELECT id FROM runs WHERE started_by = ?2";
}

pub(super) async fn put(connection: &mut SqliteConnection, row: &Run) -> Worked<()> {
    let parent = row.retry_of.as_ref().filter(|_| row.retry_initiator == Some(RetryInitiator::System));
    let root = match parent {
        Some(parent) => root_of(connection, parent).await?.unwrap_or_else(|| parent.clone()),
        None => row.id.clone(),
    };
    sqlx::query(PUT)
        .bind(row.id.as_str())
        .bind(root.as_str())
        .bind(row.project_id.as_str())
        .bind(row.node_id.as_str())
        .bind(row.started_by.as_str())
        .bind(row.model_id.as_str())
        .bind(micros(row.started_at))
        .bind(i64::from(row.requested_items))
        .bind(word(&row.status)?)
        .bind(row.cancelled_at.map(micros))
        .bind(row.retry_of.as_ref().map(RunId::as_str))
        .bind(opt_word(row.retry_initiator.as_ref())?)
        .bind(document(&row.params)?)
        .execute(&mut *connection)
        .await?;
    sqlx::query(CARRY_ROOT).bind(row.id.as_str()).bind(root.as_str()).execute(connection).await?;
    Ok(())
}

/// The first run of the logical run that `run` belongs to; `None` for an unknown run.
pub(super) async fn root_of(connection: &mut SqliteConnection, run: &RunId) -> StoreResult<Option<RunId>> {
    let query = sqlx::query_scalar(ROOT).bind(run.as_str());
    let root: Option<String> = query.fetch_optional(connection).await.map_err(backend)?;
    Ok(root.map(RunId))
}

/// Ids of the runs of a logical run.
pub(super) async fn of_root(connection: &mut SqliteConnection, root: &str) -> StoreResult<Vec<String>> {
    sqlx::query_scalar(OF_ROOT).bind(root).fetch_all(connection).await.map_err(backend)
}

/// Who owns the account that was charged first for a logical run, or that its project is of.
pub(super) async fn owner_of_root(connection: &mut SqliteConnection, root: &str) -> StoreResult<Option<String>> {
    sqlx::query_scalar(OWNER_OF_ROOT).bind(root).fetch_optional(connection).await.map_err(backend)
}

/// Ids of the runs in scope of a requester.
pub(super) async fn in_scope(
    connection: &mut SqliteConnection,
    accounts: &str,
    user: &str,
) -> StoreResult<Vec<String>> {
    sqlx::query_scalar(IN_SCOPE).bind(accounts).bind(user).fetch_all(connection).await.map_err(backend)
}

/// The runs of these ids with the accounts of their projects, oldest first.
pub(super) async fn runs(connection: &mut SqliteConnection, ids: &str) -> StoreResult<Vec<(Run, String)>> {
    let rows = sqlx::query(RUNS).bind(ids).fetch_all(connection).await.map_err(backend)?;
    assemble::each(&rows, assemble::run)
}
