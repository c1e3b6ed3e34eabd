//! Stored files: where they lie, where they have been, and whether they can be reached.

use jiff::Timestamp;
use makegood_domain::ids::OutputId;
use makegood_domain::plan::{Place, StoredFile};
use makegood_domain::ports::StoreResult;
use makegood_domain::work::Output;
use sqlx::SqliteConnection;

use super::fault::{Worked, backend, refused};
use super::rows::{micros, signed, word};
use crate::assemble;

statements! {
    /// A feed that moves a quarantined output out of where it lay ends the quarantine.
    PUT = "INSERT INTO outputs (id, run_id, item, project_id, node_id, stored_at, bytes, state, in_history,
            on_canvas, sha256, origin) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 'feed')
        ON CONFLICT (id) DO UPDATE SET run_id = excluded.run_id, item = excluded.item,
            quarantined_at = CASE WHEN project_id = excluded.project_id THEN quarantined_at END,
            quarantine_reason = CASE WHEN project_id = excluded.project_id THEN quarantine_reason END,
            project_id = excluded.project_id, node_id = excluded.node_id, stored_at = excluded.stored_at,
            bytes = excluded.bytes, state = excluded.state, in_history = excluded.in_history,
            on_canvas = excluded.on_canvas, sha256 = coalesce(excluded.sha256, outputs.sha256)";
    IS_OURS = "SELECT count(*) FROM outputs WHERE id = ?1 AND origin = 'makegood'";
    KEEP_FILE = "INSERT INTO files (sha256, bytes, media_type) VALUES (?1, ?2, ?3)
        ON CONFLICT (sha256) DO NOTHING";
    DELIVER = "INSERT INTO outputs (id, run_id, item, project_id, node_id, stored_at, bytes, state, in_history,
            on_canvas, sha256, vault, origin, hold_until)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'stored', ?8, ?9, ?10, ?10, 'makegood', ?11)";
    MOVE = "UPDATE outputs SET project_id = ?2, node_id = ?3, in_history = ?4, on_canvas = ?5, hold_until = ?6,
            quarantined_at = NULL, quarantine_reason = NULL WHERE id = ?1";
    QUARANTINE = "UPDATE outputs SET quarantined_at = ?2, quarantine_reason = ?3
        WHERE id = ?1 AND quarantined_at IS NULL";
    LAST_PLACE = "SELECT seq, project_id, node_id, hold_until FROM placements WHERE output_id = ?1
        ORDER BY seq DESC LIMIT 1";
    ADD_PLACE = "INSERT INTO placements (output_id, seq, project_id, node_id, hold_until, at, by)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    OUTPUT = "SELECT id, run_id, item, project_id, node_id, stored_at, bytes, state, in_history, on_canvas, sha256
        FROM outputs WHERE id = ?1";
    OUTPUTS = "SELECT id, run_id, item, project_id, node_id, stored_at, bytes, state, in_history, on_canvas, sha256
        FROM outputs WHERE run_id IN (SELECT value FROM json_each(?1)) AND quarantined_at IS NULL
        ORDER BY stored_at, item, id";
    /// Runs with an output in projects of these accounts; the caller takes out those in scope.
    LYING_IN = "SELECT DISTINCT o.run_id FROM projects p JOIN outputs o ON o.project_id = p.id
        WHERE p.account_id IN (SELECT value FROM json_each(?1)) AND o.quarantined_at IS NULL";
    /// Runs of other accounts with an output at one of these nodes. CROSS JOIN keeps the order: with
    /// another, all projects that there are would be read.
    FOREIGN_AT = "SELECT DISTINCT o.run_id FROM outputs o CROSS JOIN runs r ON r.id = o.run_id
        CROSS JOIN projects p ON p.id = r.project_id
        WHERE o.node_id IN (SELECT value FROM json_each(?1)) AND o.quarantined_at IS NULL
            AND p.account_id NOT IN (SELECT value FROM json_each(?2))";
    NODE_OF = "SELECT project_id FROM nodes WHERE id = ?1";
}

/// A place in columns.
struct Spot<'a> {
    project: &'a str,
    node: Option<&'a str>,
    in_history: bool,
    on_canvas: bool,
    hold_until: Option<i64>,
}

impl<'a> From<&'a Place> for Spot<'a> {
    fn from(place: &'a Place) -> Self {
        match place {
            Place::Node { project_id, node_id } => Self {
                project: project_id.as_str(),
                node: Some(node_id.as_str()),
                in_history: true,
                on_canvas: true,
                hold_until: None,
            },
            Place::History { project_id } => {
                Self { project: project_id.as_str(), node: None, in_history: true, on_canvas: false, hold_until: None }
            }
            Place::Hold { project_id, until } => Self {
                project: project_id.as_str(),
                node: None,
                in_history: false,
                on_canvas: false,
                hold_until: Some(micros(*until)),
            },
        }
    }
}

/// Keeps an output as a feed told it. An output that was delivered from here is known better here.
pub(super) async fn put(connection: &mut SqliteConnection, row: &Output, at: Timestamp) -> Worked<()> {
    let ours: i64 = sqlx::query_scalar(IS_OURS).bind(row.id.as_str()).fetch_one(&mut *connection).await?;
    if ours > 0 {
        return Ok(());
    }
    sqlx::query(PUT)
        .bind(row.id.as_str())
        .bind(row.run_id.as_str())
        .bind(i64::from(row.item))
        .bind(row.project_id.as_str())
        .bind(row.node_id.as_ref().map(|id| id.as_str()))
        .bind(micros(row.stored_at))
        .bind(signed(row.bytes))
        .bind(word(&row.state)?)
        .bind(row.in_history)
        .bind(row.on_canvas)
        .bind(&row.sha256)
        .execute(&mut *connection)
        .await?;
    let spot = Spot {
        project: row.project_id.as_str(),
        node: row.node_id.as_ref().map(|id| id.as_str()),
        in_history: row.in_history,
        on_canvas: row.on_canvas,
        hold_until: None,
    };
    note_place(connection, &row.id, &spot, at, "feed").await
}

/// The verified file of an item, in its place, as a new output.
pub(super) struct Delivered<'a> {
    pub output_id: &'a OutputId,
    pub run_id: &'a str,
    pub item: u32,
    pub file: &'a StoredFile,
    pub place: &'a Place,
    pub by: &'a str,
    pub at: Timestamp,
}

/// Keeps that a file is in the vault.
pub(super) async fn keep_file(connection: &mut SqliteConnection, file: &StoredFile) -> Worked<()> {
    let keep = sqlx::query(KEEP_FILE).bind(&file.sha256).bind(signed(file.bytes)).bind(&file.media_type);
    keep.execute(connection).await?;
    Ok(())
}

/// Writes an output that was brought here.
pub(super) async fn deliver(connection: &mut SqliteConnection, new: &Delivered<'_>) -> Worked<()> {
    let spot = Spot::from(new.place);
    check_node(connection, &spot).await?;
    keep_file(connection, new.file).await?;
    sqlx::query(DELIVER)
        .bind(new.output_id.as_str())
        .bind(new.run_id)
        .bind(i64::from(new.item))
        .bind(spot.project)
        .bind(spot.node)
        .bind(micros(new.at))
        .bind(signed(new.file.bytes))
        .bind(spot.in_history)
        .bind(spot.on_canvas)
        .bind(&new.file.sha256)
        .bind(spot.hold_until)
        .execute(&mut *connection)
        .await?;
    note_place(connection, new.output_id, &spot, new.at, new.by).await
}

/// Puts an output elsewhere; it can be reached again there.
pub(super) async fn place(
    connection: &mut SqliteConnection,
    id: &OutputId,
    to: &Place,
    at: Timestamp,
    by: &str,
) -> Worked<()> {
    let spot = Spot::from(to);
    check_node(connection, &spot).await?;
    sqlx::query(MOVE)
        .bind(id.as_str())
        .bind(spot.project)
        .bind(spot.node)
        .bind(spot.in_history)
        .bind(spot.on_canvas)
        .bind(spot.hold_until)
        .execute(&mut *connection)
        .await?;
    note_place(connection, id, &spot, at, by).await
}

/// Makes an output unreachable; `false` where it was so already.
pub(super) async fn quarantine(
    connection: &mut SqliteConnection,
    id: &OutputId,
    reason: &str,
    at: Timestamp,
) -> Worked<bool> {
    let done = sqlx::query(QUARANTINE).bind(id.as_str()).bind(micros(at)).bind(reason).execute(connection).await?;
    Ok(done.rows_affected() > 0)
}

async fn check_node(connection: &mut SqliteConnection, spot: &Spot<'_>) -> Worked<()> {
    let Some(node) = spot.node else { return Ok(()) };
    let project: Option<String> = sqlx::query_scalar(NODE_OF).bind(node).fetch_optional(connection).await?;
    match project {
        Some(project) if project == spot.project => Ok(()),
        Some(_) => refused(format!("node {node} is not in project {}", spot.project)),
        None => refused(format!("there is no node {node}")),
    }
}

async fn note_place(
    connection: &mut SqliteConnection,
    id: &OutputId,
    spot: &Spot<'_>,
    at: Timestamp,
    by: &str,
) -> Worked<()> {
    let last: Option<(i64, String, Option<String>, Option<i64>)> =
        sqlx::query_as(LAST_PLACE).bind(id.as_str()).fetch_optional(&mut *connection).await?;
    let seq = match last {
        Some((_, project, node, hold))
            if project == spot.project && node.as_deref() == spot.node && hold == spot.hold_until =>
        {
            return Ok(());
        }
        Some((seq, ..)) => seq + 1,
        None => 0,
    };
    sqlx::query(ADD_PLACE)
        .bind(id.as_str())
        .bind(seq)
        .bind(spot.project)
        .bind(spot.node)
        .bind(spot.hold_until)
        .bind(micros(at))
        .bind(by)
        .execute(connection)
        .await?;
    Ok(())
}

/// One output, reachable or not.
pub(super) async fn output(connection: &mut SqliteConnection, id: &OutputId) -> StoreResult<Option<Output>> {
    let row = sqlx::query(OUTPUT).bind(id.as_str()).fetch_optional(connection).await.map_err(backend)?;
    row.as_ref().map(assemble::output).transpose()
}

/// The outputs of these runs that can be reached, oldest first.
pub(super) async fn outputs(connection: &mut SqliteConnection, runs: &str) -> StoreResult<Vec<Output>> {
    let rows = sqlx::query(OUTPUTS).bind(runs).fetch_all(connection).await.map_err(backend)?;
    assemble::each(&rows, assemble::output)
}

/// Ids of the runs of which an output lies in a project of these accounts.
pub(super) async fn runs_lying_in(connection: &mut SqliteConnection, accounts: &str) -> StoreResult<Vec<String>> {
    sqlx::query_scalar(LYING_IN).bind(accounts).fetch_all(connection).await.map_err(backend)
}

/// Ids of the runs of other accounts than these of which an output lies at one of these nodes.
pub(super) async fn foreign_runs_at(
    connection: &mut SqliteConnection,
    nodes: &str,
    accounts: &str,
) -> StoreResult<Vec<String>> {
    sqlx::query_scalar(FOREIGN_AT).bind(nodes).bind(accounts).fetch_all(connection).await.map_err(backend)
}
