//! Files of the vault: what refers to them, and which are being taken away.

use makegood_domain::keeping::FileReference;
use makegood_domain::ports::{KnownFile, StoreResult};

use crate::assemble;
use crate::postgres::PgStore;
use crate::postgres::fault::backend;

statements! {
    REFERENCES = r#"SELECT vault, id, run_id, hold_until, quarantined_at, captured_at FROM (
            SELECT vault, id, run_id, hold_until, quarantined_at, NULL::bigint AS captured_at FROM api.outputs
            WHERE vault = ANY ($1)
            UNION ALL SELECT sha256, NULL, run_id, NULL, NULL, captured_at FROM api.captures WHERE sha256 = ANY ($1)) f
        ORDER BY vault COLLATE "C", id COLLATE "C" NULLS LAST, run_id COLLATE "C", captured_at"#;
    /// An output that was stored after the removal brought the file anew.
    KNOWN = r#"SELECT sha256, max(bytes) AS bytes FROM (
            (SELECT o.vault AS sha256, max(f.bytes) AS bytes FROM api.outputs o JOIN api.files f ON f.sha256 = o.vault
            WHERE o.vault IS NOT NULL AND o.vault COLLATE "C" > $1
                AND NOT EXISTS (SELECT 1 FROM api.removals r WHERE r.sha256 = o.vault AND r.claimed_at >= o.stored_at)
            GROUP BY o.vault ORDER BY o.vault COLLATE "C" LIMIT $2)
            UNION ALL (SELECT sha256, max(bytes) FROM api.standing_captures WHERE sha256 COLLATE "C" > $1
            GROUP BY sha256 ORDER BY sha256 COLLATE "C" LIMIT $2)) f
        GROUP BY sha256 ORDER BY sha256 COLLATE "C" LIMIT $2"#;
    CLAIMED = r#"SELECT sha256 FROM api.removals WHERE removed_at IS NULL ORDER BY sha256 COLLATE "C" LIMIT $1"#;
    RECORD_ID = "SELECT id FROM api.this_record";
}

impl PgStore {
    pub(in crate::postgres) async fn read_file_references(&self, sha256: &[String]) -> StoreResult<Vec<FileReference>> {
        let rows = sqlx::query(REFERENCES).bind(sha256).fetch_all(&self.pool).await.map_err(backend)?;
        assemble::each(&rows, assemble::file_reference)
    }

    pub(in crate::postgres) async fn read_known_files(
        &self,
        after: Option<&str>,
        limit: u32,
    ) -> StoreResult<Vec<KnownFile>> {
        let query = sqlx::query(KNOWN).bind(after.unwrap_or_default()).bind(i64::from(limit));
        let rows = query.fetch_all(&self.pool).await.map_err(backend)?;
        assemble::each(&rows, assemble::known_file)
    }

    pub(in crate::postgres) async fn read_claimed_removals(&self, limit: u32) -> StoreResult<Vec<String>> {
        sqlx::query_scalar(CLAIMED).bind(i64::from(limit)).fetch_all(&self.pool).await.map_err(backend)
    }

    pub(in crate::postgres) async fn read_record_id(&self) -> StoreResult<String> {
        sqlx::query_scalar(RECORD_ID).fetch_one(&self.pool).await.map_err(backend)
    }
}
