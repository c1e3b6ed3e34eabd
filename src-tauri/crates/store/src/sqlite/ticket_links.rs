//! Other tickets and the runs they are about (P12): those a feed told of, and the cases kept here.

use makegood_domain::ports::StoreResult;
use makegood_domain::support::TicketLink;
use sqlx::SqliteConnection;

use super::fault::{Worked, backend};
use super::rows::{id_list, micros, signed, word};
use crate::assemble;

statements! {
    PUT = "INSERT INTO ticket_links (id, created_at, status, outcome, requester_user_id) VALUES (?1, ?2, ?3, ?4, ?5)
        ON CONFLICT (id) DO UPDATE SET created_at = excluded.created_at, status = excluded.status,
            outcome = excluded.outcome, requester_user_id = excluded.requester_user_id";
    CLEAR_RUNS = "DELETE FROM ticket_runs WHERE ticket_id = ?1";
    ADD_RUN = "INSERT INTO ticket_runs (ticket_id, position, run_id) VALUES (?1, ?2, ?3)";
    TOLD = "SELECT id, created_at, status, outcome, requester_user_id FROM ticket_links
        WHERE id IN (SELECT ticket_id FROM ticket_runs WHERE run_id IN (SELECT value FROM json_each(?1)))
        ORDER BY created_at, id";
    TOLD_RUNS = "SELECT ticket_id, run_id FROM ticket_runs
        WHERE ticket_id IN (SELECT value FROM json_each(?1)) ORDER BY ticket_id, position";
    OURS = "SELECT c.id AS case_id, t.id, t.created_at, t.requester_user_id, c.state, c.remedy
        FROM cases c JOIN tickets t ON t.id = c.ticket_id
        WHERE c.id IN (SELECT case_id FROM case_runs WHERE run_id IN (SELECT value FROM json_each(?1)))
        ORDER BY t.created_at, t.id";
    OUR_RUNS = "SELECT case_id, run_id FROM case_runs
        WHERE case_id IN (SELECT value FROM json_each(?1)) ORDER BY case_id, run_id";
}

pub(super) async fn put(connection: &mut SqliteConnection, row: &TicketLink) -> Worked<()> {
    sqlx::query(PUT)
        .bind(row.id.as_str())
        .bind(micros(row.created_at))
        .bind(word(&row.status)?)
        .bind(&row.outcome)
        .bind(row.requester_user_id.as_ref().map(|id| id.as_str()))
        .execute(&mut *connection)
        .await?;
    sqlx::query(CLEAR_RUNS).bind(row.id.as_str()).execute(&mut *connection).await?;
    for (position, run) in (0_u64..).zip(&row.run_ids) {
        let add = sqlx::query(ADD_RUN).bind(row.id.as_str()).bind(signed(position)).bind(run.as_str());
        add.execute(&mut *connection).await?;
    }
    Ok(())
}

/// Tickets about any of these runs that a feed told of, with all runs of each.
pub(super) async fn told(connection: &mut SqliteConnection, runs: &str) -> StoreResult<Vec<TicketLink>> {
    let rows = sqlx::query(TOLD).bind(runs).fetch_all(&mut *connection).await.map_err(backend)?;
    let ids = id_list(assemble::texts(&rows, "id")?);
    let runs = sqlx::query(TOLD_RUNS).bind(ids).fetch_all(connection).await.map_err(backend)?;
    assemble::told_tickets(&rows, &runs)
}

/// Tickets about any of these runs with a case here, with all runs of each.
pub(super) async fn ours(connection: &mut SqliteConnection, runs: &str) -> StoreResult<Vec<TicketLink>> {
    let rows = sqlx::query(OURS).bind(runs).fetch_all(&mut *connection).await.map_err(backend)?;
    let ids = id_list(assemble::texts(&rows, "case_id")?);
    let runs = sqlx::query(OUR_RUNS).bind(ids).fetch_all(connection).await.map_err(backend)?;
    assemble::our_tickets(&rows, &runs)
}
