//! Copies of our own: which files of providers are in the vault.

use jiff::Timestamp;
use makegood_domain::ports::{StoreResult, Unkept};

use crate::assemble;
use crate::postgres::PgStore;
use crate::postgres::fault::backend;
use crate::postgres::rows::micros;

statements! {
    CAPTURES = r#"SELECT job_id, item, run_id, sha256, bytes, media_type, captured_at FROM api.standing_captures
        WHERE run_id = ANY ($1) ORDER BY captured_at, job_id COLLATE "C", item"#;
    /// Gone through whole, and only when a program begins: an index on it would cost every job that is told of.
    UNKEPT = r#"SELECT job_id, run_id, max(made)::bigint AS made FROM (
            SELECT j.id AS job_id, j.run_id, (j.state NOT IN ('lookup_failed', 'unrecognised'))::int AS made,
                coalesce(i.finished_at, j.finished_at, j.looked_up_at) AS told_at
            FROM api.jobs j JOIN api.job_items i ON i.job_id = j.id
            WHERE j.looked_up_at IS NOT NULL AND i.state = 'succeeded' AND i.file_bytes IS NOT NULL
                AND coalesce(i.file_exists_now, 1) = 1 AND coalesce(i.finished_at, j.finished_at, j.looked_up_at) >= $1
                AND NOT EXISTS (SELECT 1 FROM api.standing_captures c WHERE c.job_id = j.id AND c.item = i.item)
                AND NOT EXISTS (SELECT 1 FROM api.outputs o WHERE o.run_id = j.run_id AND o.item = i.item
                    AND o.state = 'stored' AND o.quarantined_at IS NULL)
            UNION ALL
            SELECT j.id, j.run_id, 0, d.received_at FROM api.deliveries d JOIN api.jobs j ON j.id = d.job_id
            WHERE d.received_at >= $1 AND d.run_id = j.run_id
                AND j.state NOT IN ('succeeded', 'failed', 'filtered', 'cancelled', 'not_found')) AS told
        GROUP BY job_id, run_id ORDER BY max(told_at) DESC, job_id COLLATE "C" LIMIT $2"#;
}

impl PgStore {
    pub(in crate::postgres) async fn read_unkept_jobs(&self, since: Timestamp, limit: u32) -> StoreResult<Vec<Unkept>> {
        let query = sqlx::query(UNKEPT).bind(micros(since)).bind(i64::from(limit));
        let rows = query.fetch_all(&self.pool).await.map_err(backend)?;
        assemble::each(&rows, assemble::unkept)
    }
}
