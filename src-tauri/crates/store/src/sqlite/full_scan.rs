//! The list of runs to look at against every charge there is: whether what is open is on it, and
//! nothing else. Read page by page, each of one instant, so that it holds neither memory nor the log.

use makegood_domain::ids::{ChargeId, RunId};
use makegood_domain::ports::{FullScan, StoreResult};
use sqlx::SqliteConnection;

use super::SqliteStore;
use super::fault::backend;
use super::rows::{Columns, unsigned};

statements! {
    PAGE_END = "SELECT max(id) AS last, count(*) AS charges FROM (
        SELECT id FROM charges WHERE id > ?1 ORDER BY id LIMIT ?2)";
    OPEN = "SELECT c.id, EXISTS (SELECT 1 FROM due_runs d WHERE d.root_id = r.root_id AND d.charged_at IS NOT NULL)
            AS listed
        FROM charges c JOIN runs r ON r.id = c.run_id WHERE c.id > ?1 AND c.id <= ?2
            AND EXISTS (SELECT 1 FROM charge_items i
                WHERE i.charge_id = c.id AND i.state <> 'delivered' AND i.refunded < i.price)
        ORDER BY c.id";
    LIST_END = "SELECT max(root_id) FROM (SELECT root_id FROM due_runs WHERE root_id > ?1 ORDER BY root_id LIMIT ?2)";
    SUPERFLUOUS = "SELECT root_id FROM due_runs d WHERE root_id > ?1 AND root_id <= ?2
            AND NOT EXISTS (SELECT 1 FROM open_items o WHERE o.root_id = d.root_id)
            AND NOT EXISTS (SELECT 1 FROM run_contradictions k WHERE k.root_id = d.root_id)
        ORDER BY root_id";
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
    let query = sqlx::query_scalar(SUPERFLUOUS).bind(after).bind(&last);
    let found: Vec<String> = query.fetch_all(connection).await.map_err(backend)?;
    let room = NAMED.saturating_sub(scan.superfluous.len());
    scan.superfluous.extend(found.into_iter().take(room).map(RunId));
    Ok(Some(last))
}
