//! The list of runs to look at against every charge there is: whether what is open is on it, and
//! nothing else. Read page by page, each of one instant, so that it holds neither memory nor the log.

use makegood_domain::ids::{ChargeId, RunId};
use makegood_domain::ports::{FullScan, StoreResult};
use sqlx::SqliteConnection;

use super::SqliteStore;
use super::fault::backend;
use super::rows::{Columns, unsigned};

statements! {
    /// Along the items' own key: every charge has one, and what is open stands there.
    PAGE_END = "SELECT max(charge_id) AS last, count(*) AS charges FROM (
        SELECT charge_id FROM charge_items WHERE charge_id > ?1 GROUP BY charge_id ORDER BY charge_id LIMIT ?2)";
    OPEN = "SELECT o.charge_id AS id,
            EXISTS (SELECT 1 FROM charges c JOIN runs r ON r.id = c.run_id JOIN due_runs d ON d.root_id = r.root_id
                WHERE c.id = o.charge_id AND d.charged_at IS NOT NULL) AS listed
        FROM (SELECT charge_id FROM charge_items WHERE charge_id > ?1 AND charge_id <= ?2
            AND state <> 'delivered' AND refunded < price GROUP BY charge_id) o
        ORDER BY o.charge_id";
    LIST_END = "SELECT max(root_id) FROM (SELECT root_id FROM due_runs WHERE root_id > ?1 ORDER BY root_id LIMIT ?2)";
    LISTED = "SELECT root_id FROM due_runs WHERE root_id > ?1 AND root_id <= ?2
        AND NOT EXISTS (SELECT 1 FROM open_items o WHERE o.root_id = due_runs.root_id) ORDER BY root_id";
    /// Asked run by run: for many at once the view would be made of all history.
    CONTRADICTS = "SELECT EXISTS (SELECT 1 FROM run_contradictions WHERE root_id = ?1)";
}

/// Rows in one page.
const PAGE: i64 = 5_000;

/// How many of each kind are named: with more, something else is wrong than single rows.
const NAMED: usize = 1_000;

impl SqliteStore {
    pub(super) async fn scan_all(&self) -> StoreResult<FullScan> {
        let mut scan = FullScan::default();
        let mut after = String::new();
        loop {
            let mut tx = self.snapshot().await?;
            let page = charges_page(&mut tx, &after, &mut scan).await?;
            tx.rollback().await.map_err(backend)?;
            let Some(last) = page else { break };
            after = last;
        }
        after.clear();
        loop {
            let mut tx = self.snapshot().await?;
            let page = list_page(&mut tx, &after, &mut scan).await?;
            tx.rollback().await.map_err(backend)?;
            let Some(last) = page else { break };
            after = last;
        }
        Ok(scan)
    }
}

/// Counts the charges after `after`; returns the last one of the page.
async fn charges_page(
    connection: &mut SqliteConnection,
    after: &str,
    scan: &mut FullScan,
) -> StoreResult<Option<String>> {
    let page = sqlx::query(PAGE_END).bind(after).bind(PAGE).fetch_one(&mut *connection).await.map_err(backend)?;
    let Some(last) = page.opt_text("last")? else { return Ok(None) };
    scan.charges += unsigned::<u64>(page.int("charges")?, "charges")?;
    for row in sqlx::query(OPEN).bind(after).bind(&last).fetch_all(connection).await.map_err(backend)? {
        scan.open_charges += 1;
        if !row.flag("listed")? && scan.missed.len() < NAMED {
            scan.missed.push(ChargeId(row.text("id")?));
        }
    }
    Ok(Some(last))
}

async fn list_page(connection: &mut SqliteConnection, after: &str, scan: &mut FullScan) -> StoreResult<Option<String>> {
    let query = sqlx::query_scalar(LIST_END).bind(after).bind(PAGE);
    let last: Option<String> = query.fetch_one(&mut *connection).await.map_err(backend)?;
    let Some(last) = last else { return Ok(None) };
    let query = sqlx::query_scalar(LISTED).bind(after).bind(&last);
    let not_open: Vec<String> = query.fetch_all(&mut *connection).await.map_err(backend)?;
    for root in not_open {
        let query = sqlx::query_scalar(CONTRADICTS).bind(&root);
        let contradicts: bool = query.fetch_one(&mut *connection).await.map_err(backend)?;
        if !contradicts && scan.superfluous.len() < NAMED {
            scan.superfluous.push(RunId(root));
        }
    }
    Ok(Some(last))
}
