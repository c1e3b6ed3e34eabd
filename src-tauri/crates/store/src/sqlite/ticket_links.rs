//! Other tickets and the runs they are about (P12): those a feed told of, and the cases kept here.

use std::collections::{HashMap, HashSet};

use makegood_domain::ids::{RunId, TicketId};
use makegood_domain::plan::CaseState;
use makegood_domain::ports::StoreResult;
use makegood_domain::support::{TicketLink, TicketStatus};
use sqlx::SqliteConnection;

use super::fault::{Worked, backend};
use super::rows::{Columns, id_list, micros, signed, word};

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

/// Tickets about any of these runs, oldest first, without `except`. Of a ticket that has a case
/// here, the case is believed.
pub(super) async fn about(
    connection: &mut SqliteConnection,
    runs: &str,
    except: Option<&TicketId>,
) -> StoreResult<Vec<TicketLink>> {
    let mut links = ours(connection, runs).await?;
    let known: HashSet<TicketId> = links.iter().map(|link| link.id.clone()).collect();
    links.extend(told(connection, runs).await?.into_iter().filter(|link| !known.contains(&link.id)));
    links.retain(|link| Some(&link.id) != except);
    links.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
    Ok(links)
}

async fn told(connection: &mut SqliteConnection, runs: &str) -> StoreResult<Vec<TicketLink>> {
    let rows = sqlx::query(TOLD).bind(runs).fetch_all(&mut *connection).await.map_err(backend)?;
    let ids = rows.iter().map(|row| row.text("id")).collect::<StoreResult<Vec<_>>>()?;
    let query = sqlx::query_as(TOLD_RUNS).bind(id_list(ids));
    let mut run_ids = super::dossiers::group(query.fetch_all(connection).await.map_err(backend)?);
    rows.iter()
        .map(|row| {
            let id = row.text("id")?;
            Ok(TicketLink {
                created_at: row.time("created_at")?,
                status: row.word("status")?,
                run_ids: run_ids.remove(&id).unwrap_or_default().into_iter().map(RunId).collect(),
                outcome: row.opt_text("outcome")?,
                requester_user_id: row.opt_text("requester_user_id")?.map(|id| id.as_str().into()),
                id: id.as_str().into(),
            })
        })
        .collect()
}

async fn ours(connection: &mut SqliteConnection, runs: &str) -> StoreResult<Vec<TicketLink>> {
    let rows = sqlx::query(OURS).bind(runs).fetch_all(&mut *connection).await.map_err(backend)?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let ids = rows.iter().map(|row| row.text("case_id")).collect::<StoreResult<Vec<_>>>()?;
    let query = sqlx::query_as(OUR_RUNS).bind(id_list(ids));
    let mut run_ids: HashMap<String, Vec<String>> =
        super::dossiers::group(query.fetch_all(connection).await.map_err(backend)?);
    rows.iter()
        .map(|row| {
            let state: CaseState = row.word("state")?;
            let open = matches!(state, CaseState::Open | CaseState::Waiting);
            let runs = run_ids.remove(&row.text("case_id")?).unwrap_or_default();
            Ok(TicketLink {
                id: row.text("id")?.as_str().into(),
                created_at: row.time("created_at")?,
                status: if open { TicketStatus::Open } else { TicketStatus::Closed },
                run_ids: runs.into_iter().map(RunId).collect(),
                outcome: if open { None } else { row.opt_text("remedy")? },
                requester_user_id: row.opt_text("requester_user_id")?.map(|id| id.as_str().into()),
            })
        })
        .collect()
}
