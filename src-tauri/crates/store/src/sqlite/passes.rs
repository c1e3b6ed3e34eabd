//! Reports of the reconciler's passes, and how well the promise of 24 hours is kept (R11, R15).

use jiff::Timestamp;
use makegood_domain::ports::{PassReport, PromiseHealth, StoreResult};

use super::SqliteStore;
use super::fault::{as_error, backend};
use super::rows::{Columns, document, instant, micros, parse_document, signed};

statements! {
    SAVE = "INSERT INTO passes (id, started_at, finished_at, report) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT (id) DO UPDATE SET finished_at = excluded.finished_at, report = excluded.report";
    NEWEST = "SELECT id, report FROM passes ORDER BY started_at DESC, id DESC LIMIT ?1";
    LAST_FINISHED = "SELECT started_at, finished_at FROM passes WHERE finished_at IS NOT NULL
        ORDER BY finished_at DESC LIMIT 1";
    OPEN = "SELECT count(DISTINCT i.charge_id) AS charges, coalesce(sum(i.owed), 0) AS credits,
            min(i.posted_at) AS oldest,
            count(DISTINCT CASE WHEN d.next_at IS NULL THEN i.charge_id END) AS parked
        FROM due_runs d JOIN open_items i ON i.root_id = d.root_id WHERE d.charged_at IS NOT NULL";
    /// By nearest rank: the least delay that so many in a hundred do not exceed.
    DELAYS = "WITH delays AS (
            SELECT (r.posted_at - c.posted_at) / 1000000 AS seconds,
                row_number() OVER (ORDER BY r.posted_at - c.posted_at) AS place, count(*) OVER () AS total
            FROM refunds r JOIN charges c ON c.id = r.charge_id
            WHERE r.posted_at > ?1 AND r.posted_at <= ?2 AND r.state = 'posted' AND r.settles = 1)
        SELECT min(CASE WHEN place * 100 >= total * 50 THEN seconds END) AS p50,
            min(CASE WHEN place * 100 >= total * 90 THEN seconds END) AS p90, max(seconds) AS worst FROM delays";
}

/// Refunds of how long ago count for the promise.
const WEEK_MICROS: i64 = 7 * 86_400_000_000;

impl SqliteStore {
    pub(super) async fn keep_pass(&self, report: &PassReport) -> StoreResult<()> {
        let save = sqlx::query(SAVE)
            .bind(&report.id)
            .bind(micros(report.started_at))
            .bind(report.finished_at.map(micros))
            .bind(document(report)?);
        let mut tx = self.begin().await?;
        save.execute(&mut *tx).await.map_err(|error| as_error(error.into(), &report.id))?;
        tx.commit().await.map_err(backend)
    }

    pub(super) async fn read_passes(&self, limit: u64) -> StoreResult<Vec<PassReport>> {
        let query = sqlx::query_as(NEWEST).bind(signed(limit));
        let rows: Vec<(String, String)> = query.fetch_all(&self.readers).await.map_err(backend)?;
        rows.into_iter().map(|(id, report)| parse_document(&report, &id)).collect()
    }

    pub(super) async fn read_promise(&self, at: Timestamp) -> StoreResult<PromiseHealth> {
        let mut tx = self.snapshot().await?;
        let open = sqlx::query(OPEN).fetch_one(&mut *tx).await.map_err(backend)?;
        let delays = sqlx::query(DELAYS).bind(micros(at).saturating_sub(WEEK_MICROS)).bind(micros(at));
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
}
