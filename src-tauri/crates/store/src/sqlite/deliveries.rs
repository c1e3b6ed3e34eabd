//! What arrived and what was tried: webhooks of providers, uploads into the product's storage.

use makegood_domain::ports::StoreResult;
use makegood_domain::work::{Upload, Webhook};
use sqlx::SqliteConnection;

use super::fault::{Worked, backend};
use super::rows::{micros, word};
use crate::assemble::{each, upload, webhook};

statements! {
    PUT_WEBHOOK = "INSERT INTO webhooks (id, job_id, run_id, received_at, attempts, result,
            routed_project_id, routed_node_id) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
        ON CONFLICT (id) DO UPDATE SET job_id = excluded.job_id, run_id = excluded.run_id,
            received_at = excluded.received_at, attempts = excluded.attempts, result = excluded.result,
            routed_project_id = excluded.routed_project_id, routed_node_id = excluded.routed_node_id";
    PUT_UPLOAD = "INSERT INTO uploads (run_id, item, attempted_at, result) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT (run_id, item, attempted_at) DO UPDATE SET result = excluded.result";
    WEBHOOKS = "SELECT id, job_id, run_id, received_at, attempts, result, routed_project_id, routed_node_id
        FROM webhooks WHERE run_id IN (SELECT value FROM json_each(?1)) ORDER BY received_at, id";
    UPLOADS = "SELECT run_id, item, attempted_at, result FROM uploads
        WHERE run_id IN (SELECT value FROM json_each(?1)) ORDER BY run_id, attempted_at, item";
}

pub(super) async fn put_webhook(connection: &mut SqliteConnection, row: &Webhook) -> Worked<()> {
    let route = row.routed_to.as_ref();
    sqlx::query(PUT_WEBHOOK)
        .bind(row.id.as_str())
        .bind(row.job_id.as_str())
        .bind(row.run_id.as_str())
        .bind(micros(row.received_at))
        .bind(i64::from(row.attempts))
        .bind(word(&row.result)?)
        .bind(route.map(|route| route.project_id.as_str()))
        .bind(route.map(|route| route.node_id.as_str()))
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) async fn put_upload(connection: &mut SqliteConnection, row: &Upload) -> Worked<()> {
    sqlx::query(PUT_UPLOAD)
        .bind(row.run_id.as_str())
        .bind(i64::from(row.item))
        .bind(micros(row.attempted_at))
        .bind(word(&row.result)?)
        .execute(connection)
        .await?;
    Ok(())
}

/// Webhooks of these runs, oldest first.
pub(super) async fn webhooks(connection: &mut SqliteConnection, runs: &str) -> StoreResult<Vec<Webhook>> {
    let rows = sqlx::query(WEBHOOKS).bind(runs).fetch_all(connection).await.map_err(backend)?;
    each(&rows, webhook)
}

/// Tries to bring in files of these runs, oldest first within a run.
pub(super) async fn uploads(connection: &mut SqliteConnection, runs: &str) -> StoreResult<Vec<Upload>> {
    let rows = sqlx::query(UPLOADS).bind(runs).fetch_all(connection).await.map_err(backend)?;
    each(&rows, upload)
}
