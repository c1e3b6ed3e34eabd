//! Deliveries of providers: kept as they came, and led to the run of their job.

use jiff::Timestamp;
use makegood_domain::ids::ProviderId;
use makegood_domain::ports::{DeliveryLine, NewDelivery, StoreResult};
use sqlx::SqliteConnection;

use super::SqliteStore;
use super::fault::{Worked, as_error, backend};
use super::rows::{document, micros, signed};
use crate::assemble;

statements! {
    ADD = "INSERT INTO deliveries (provider_id, delivery_id, endpoint, job_id, run_id, event, proven, headers, body,
            bytes, received_at)
        VALUES (?1, ?2, ?3, ?4, (SELECT run_id FROM jobs WHERE id = ?4 AND provider_id = ?1), ?5, ?6, ?7, ?8,
            length(?8), ?9)
        ON CONFLICT (provider_id, delivery_id) DO NOTHING RETURNING run_id";
    FACT = "INSERT INTO webhooks (id, job_id, run_id, received_at, attempts, result)
        SELECT 'delivery/' || provider_id || '/' || delivery_id, job_id, run_id, received_at, 1, 'accepted'
        FROM deliveries WHERE provider_id = ?1 AND delivery_id = ?2 AND proven = 1 ON CONFLICT (id) DO NOTHING";
    /// Proven: news, also for who is looking and for what waits for people.
    WAKE = "UPDATE due_runs SET why = NULL, next_at = min(coalesce(next_at, ?2), ?2),
            touched = touched + (claimed_until IS NOT NULL)
        WHERE root_id = (SELECT root_id FROM runs WHERE id = ?1)";
    /// A hint only brings the next look forward.
    HINT = "UPDATE due_runs SET next_at = ?2
        WHERE root_id = (SELECT root_id FROM runs WHERE id = ?1) AND next_at > ?2";
    MISSED = "SELECT d.provider_id, d.delivery_id, d.proven, j.run_id
        FROM (SELECT provider_id, delivery_id, job_id, proven FROM deliveries
            WHERE run_id IS NULL AND job_id IS NOT NULL AND received_at >= ?1
            ORDER BY received_at DESC LIMIT 10000) AS d
        JOIN jobs j ON j.id = d.job_id AND j.provider_id = d.provider_id";
    LEAD = "UPDATE deliveries SET run_id = ?3 WHERE provider_id = ?1 AND delivery_id = ?2";
    NEWEST = "SELECT provider_id, endpoint, delivery_id, job_id, run_id, event, proven, bytes, received_at
        FROM deliveries ORDER BY received_at DESC, provider_id, delivery_id LIMIT ?1";
    BODY = "SELECT body FROM deliveries WHERE provider_id = ?1 AND delivery_id = ?2";
}

impl SqliteStore {
    pub(super) async fn keep_received(&self, deliveries: &[NewDelivery], at: Timestamp) -> StoreResult<Vec<bool>> {
        let mut tx = self.begin().await?;
        let mut news = Vec::with_capacity(deliveries.len());
        for delivery in deliveries {
            let kept = keep(&mut tx, delivery, at).await;
            news.push(kept.map_err(|fault| as_error(fault, &delivery.delivery_id))?);
        }
        tx.commit().await.map_err(backend)?;
        Ok(news)
    }

    pub(super) async fn match_received(&self, since: Timestamp, at: Timestamp) -> StoreResult<u64> {
        let mut tx = self.begin().await?;
        let query = sqlx::query_as(MISSED).bind(micros(since));
        let missed: Vec<(String, String, bool, String)> = query.fetch_all(&mut *tx).await.map_err(backend)?;
        for (provider, id, is_proven, run) in &missed {
            let lead = sqlx::query(LEAD).bind(provider).bind(id).bind(run);
            lead.execute(&mut *tx).await.map_err(backend)?;
            let followed = follow(&mut tx, (provider, id), *is_proven, run, at).await;
            followed.map_err(|fault| as_error(fault, id))?;
        }
        tx.commit().await.map_err(backend)?;
        Ok(u64::try_from(missed.len()).unwrap_or(u64::MAX))
    }

    pub(super) async fn read_received(&self, limit: u64) -> StoreResult<Vec<DeliveryLine>> {
        let rows = sqlx::query(NEWEST).bind(signed(limit)).fetch_all(&self.readers).await.map_err(backend)?;
        assemble::each(&rows, assemble::delivery_line)
    }

    pub(super) async fn read_body(&self, provider: &ProviderId, id: &str) -> StoreResult<Option<Vec<u8>>> {
        let query = sqlx::query_scalar(BODY).bind(provider.as_str()).bind(id);
        let body: Option<Option<Vec<u8>>> = query.fetch_optional(&self.readers).await.map_err(backend)?;
        Ok(body.flatten())
    }
}

/// Whether it was not known.
async fn keep(connection: &mut SqliteConnection, delivery: &NewDelivery, at: Timestamp) -> Worked<bool> {
    let provider = delivery.provider_id.as_str();
    let added: Option<Option<String>> = sqlx::query_scalar(ADD)
        .bind(provider)
        .bind(&delivery.delivery_id)
        .bind(&delivery.endpoint)
        .bind(delivery.job_id.as_ref().map(|id| id.as_str()))
        .bind(&delivery.event)
        .bind(delivery.proven)
        .bind(document(&delivery.headers)?)
        .bind(&delivery.body)
        .bind(micros(delivery.received_at.min(at)))
        .fetch_optional(&mut *connection)
        .await?;
    if let Some(Some(run)) = &added {
        follow(connection, (provider, &delivery.delivery_id), delivery.proven, run, at).await?;
    }
    Ok(added.is_some())
}

/// What follows from a delivery for its run: a fact where it is proven, and a look.
async fn follow(
    connection: &mut SqliteConnection,
    (provider, id): (&str, &str),
    is_proven: bool,
    run: &str,
    at: Timestamp,
) -> Worked<()> {
    sqlx::query(FACT).bind(provider).bind(id).execute(&mut *connection).await?;
    let look = if is_proven { WAKE } else { HINT };
    sqlx::query(look).bind(run).bind(micros(at)).execute(connection).await?;
    Ok(())
}
