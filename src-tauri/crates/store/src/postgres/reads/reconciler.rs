//! What the reconciler noticed, how its passes went, how well the promise is kept, and whether its
//! list is right.

use futures_util::TryStreamExt as _;
use jiff::Timestamp;
use makegood_domain::ids::{ChargeId, RunId};
use makegood_domain::ports::{Detection, FullScan, PassReport, PromiseHealth, StoreResult};

use crate::assemble;
use crate::postgres::PgStore;
use crate::postgres::fault::backend;
use crate::postgres::rows::{Columns, instant, micros, parse_document, signed};

statements! {
    DETECTIONS = r#"SELECT kind, subject, item, run_id, charge_id, output_id, cause, detail, detected_at, closed_at
        FROM api.detections WHERE NOT $1 OR closed_at IS NULL
        ORDER BY detected_at DESC, kind COLLATE "C", subject COLLATE "C", item LIMIT $2"#;
    DETECTIONS_OF = r#"SELECT kind, subject, item, run_id, charge_id, output_id, cause, detail, detected_at, closed_at
        FROM api.detections WHERE charge_id = ANY ($1)
        ORDER BY detected_at, kind COLLATE "C", subject COLLATE "C", item"#;
    PASSES = r#"SELECT id, report FROM api.passes ORDER BY started_at DESC, id COLLATE "C" DESC LIMIT $1"#;
    LAST_FINISHED = "SELECT started_at, finished_at FROM api.passes WHERE finished_at IS NOT NULL
        ORDER BY finished_at DESC LIMIT 1";
    /// The first of an index: claims are few, and stand before it for as long as a look takes.
    NEXT_DUE = r#"SELECT next_at FROM api.due_runs
        WHERE next_at IS NOT NULL AND (claimed_until IS NULL OR claimed_until <= $1)
        ORDER BY next_at, root_id COLLATE "C" LIMIT 1"#;
    OPEN = "SELECT count(DISTINCT i.charge_id) AS charges, coalesce(sum(i.owed), 0)::bigint AS credits,
            min(i.posted_at) AS oldest, count(DISTINCT i.charge_id) FILTER (WHERE d.next_at IS NULL) AS parked
        FROM api.due_runs d JOIN api.open_items i ON i.root_id = d.root_id WHERE d.charged_at IS NOT NULL";
    /// By nearest rank: the least delay that so many in a hundred do not exceed.
    DELAYS = "SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY seconds) AS p50,
            percentile_disc(0.9) WITHIN GROUP (ORDER BY seconds) AS p90, max(seconds) AS worst
        FROM (SELECT (r.posted_at - c.posted_at) / 1000000 AS seconds
              FROM api.refunds r JOIN api.charges c ON c.id = r.charge_id
              WHERE r.posted_at > $1 AND r.posted_at <= $2 AND r.state = 'posted' AND r.settles = 1) AS delays";
    CHARGES = "SELECT count(*) AS charges FROM api.charges";
    /// All of them in one statement, which the server may read with several processes. What is open is little, or
    /// comes row by row.
    OPEN_CHARGES = r#"SELECT o.charge_id AS id,
            EXISTS (SELECT 1 FROM api.charges c JOIN api.runs r ON r.id = c.run_id
                JOIN api.due_runs d ON d.root_id = r.root_id
                WHERE c.id = o.charge_id AND d.charged_at IS NOT NULL)::int::bigint AS listed
        FROM (SELECT charge_id FROM api.charge_items WHERE state <> 'delivered' AND refunded < price
            GROUP BY charge_id) AS o
        ORDER BY o.charge_id COLLATE "C""#;
    LIST_END = "SELECT max(root_id) FROM (
        SELECT root_id FROM api.due_runs WHERE root_id > $1 ORDER BY root_id LIMIT $2) AS page";
    /// Counted run by run: joined, all charges would be read.
    LISTED = "SELECT d.root_id FROM api.due_runs d WHERE d.root_id > $1 AND d.root_id <= $2
            AND (SELECT count(*) FROM api.open_items o WHERE o.root_id = d.root_id) = 0
        ORDER BY d.root_id";
    CONTRADICTS = "SELECT EXISTS (SELECT 1 FROM api.run_contradictions WHERE root_id = $1)";
}

/// Refunds of how long ago count for the promise.
const WEEK_MICROS: i64 = 7 * 86_400_000_000;

/// Runs on the list in one page of a full scan.
const PAGE: i64 = 20_000;

/// How many of each kind are named: with more, something else is wrong than single rows.
const NAMED: usize = 1_000;

impl PgStore {
    pub(in crate::postgres) async fn read_detections(
        &self,
        open_only: bool,
        limit: u64,
    ) -> StoreResult<Vec<Detection>> {
        let query = sqlx::query(DETECTIONS).bind(open_only).bind(signed(limit));
        let rows = query.fetch_all(&self.pool).await.map_err(backend)?;
        assemble::each(&rows, assemble::detection)
    }

    pub(in crate::postgres) async fn read_detections_of(&self, charges: &[ChargeId]) -> StoreResult<Vec<Detection>> {
        let ids: Vec<&str> = charges.iter().map(|id| id.as_str()).collect();
        let rows = sqlx::query(DETECTIONS_OF).bind(ids).fetch_all(&self.pool).await.map_err(backend)?;
        assemble::each(&rows, assemble::detection)
    }

    pub(in crate::postgres) async fn read_passes(&self, limit: u64) -> StoreResult<Vec<PassReport>> {
        let query = sqlx::query_as(PASSES).bind(signed(limit));
        let rows: Vec<(String, String)> = query.fetch_all(&self.pool).await.map_err(backend)?;
        rows.into_iter().map(|(id, report)| parse_document(&report, &id)).collect()
    }

    pub(in crate::postgres) async fn read_next_due(&self, when: Timestamp) -> StoreResult<Option<Timestamp>> {
        let query = sqlx::query_scalar(NEXT_DUE).bind(micros(when));
        let next: Option<i64> = query.fetch_optional(&self.pool).await.map_err(backend)?;
        next.map(|next| instant(next, "due_runs.next_at")).transpose()
    }

    pub(in crate::postgres) async fn read_promise(&self, when: Timestamp) -> StoreResult<PromiseHealth> {
        let mut tx = self.snapshot().await?;
        let open = sqlx::query(OPEN).fetch_one(&mut *tx).await.map_err(backend)?;
        let delays = sqlx::query(DELAYS).bind(micros(when).saturating_sub(WEEK_MICROS)).bind(micros(when));
        let delays = delays.fetch_one(&mut *tx).await.map_err(backend)?;
        let query = sqlx::query_as(LAST_FINISHED);
        let last: Option<(i64, i64)> = query.fetch_optional(&mut *tx).await.map_err(backend)?;
        tx.rollback().await.map_err(backend)?;
        let last_pass = match last {
            Some((start, end)) => Some((instant(start, "passes.started_at")?, instant(end, "passes.finished_at")?)),
            None => None,
        };
        Ok(PromiseHealth {
            open_charges: open.count("charges")?,
            open_credits: open.int("credits")?,
            oldest_open: open.opt_time("oldest")?,
            parked: open.count("parked")?,
            refund_seconds_p50: delays.opt_int("p50")?,
            refund_seconds_p90: delays.opt_int("p90")?,
            refund_seconds_worst: delays.opt_int("worst")?,
            last_pass,
        })
    }

    /// The charges as of one instant, which takes seconds also where there are millions; then the list page by page,
    /// so that neither memory nor old rows are held.
    pub(in crate::postgres) async fn scan_all(&self) -> StoreResult<FullScan> {
        let mut scan = self.scan_charges().await?;
        let mut after = String::new();
        while let Some(last) = self.list_page(&after, &mut scan).await? {
            after = last;
        }
        Ok(scan)
    }

    async fn scan_charges(&self) -> StoreResult<FullScan> {
        let mut tx = self.snapshot().await?;
        let counted = sqlx::query(CHARGES).fetch_one(&mut *tx).await.map_err(backend)?;
        let mut scan = FullScan { charges: counted.count("charges")?, ..FullScan::default() };
        let mut open = sqlx::query(OPEN_CHARGES).fetch(&mut *tx);
        while let Some(row) = open.try_next().await.map_err(backend)? {
            scan.open_charges += 1;
            if !row.flag("listed")? && scan.missed.len() < NAMED {
                scan.missed.push(ChargeId(row.text("id")?));
            }
        }
        drop(open);
        tx.rollback().await.map_err(backend)?;
        Ok(scan)
    }

    async fn list_page(&self, after: &str, scan: &mut FullScan) -> StoreResult<Option<String>> {
        let mut tx = self.snapshot().await?;
        let query = sqlx::query_scalar(LIST_END).bind(after).bind(PAGE);
        let last: Option<String> = query.fetch_one(&mut *tx).await.map_err(backend)?;
        if let Some(last) = &last {
            let query = sqlx::query_scalar(LISTED).bind(after).bind(last);
            let not_open: Vec<String> = query.fetch_all(&mut *tx).await.map_err(backend)?;
            for root in not_open {
                let query = sqlx::query_scalar(CONTRADICTS).bind(&root);
                let contradicts: bool = query.fetch_one(&mut *tx).await.map_err(backend)?;
                if !contradicts && scan.superfluous.len() < NAMED {
                    scan.superfluous.push(RunId(root));
                }
            }
        }
        tx.rollback().await.map_err(backend)?;
        Ok(last)
    }
}
