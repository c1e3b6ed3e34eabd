//! The list of runs to look at. It holds what is open or contradicts itself, never history: whatever
//! changes a logical run ends with [`follow`] in the same transaction, which puts the run on the list,
//! keeps it there, or takes it off.

use jiff::{SignedDuration, Timestamp};
use makegood_domain::ids::RunId;
use makegood_domain::plan::Effect;
use makegood_domain::ports::{DueRun, NextLook, StoreError, StoreResult};
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use super::fault::{Worked, backend};
use super::rows::{Columns, instant, micros};
use super::script::Script;
use super::{SqliteStore, outputs, runs};
use crate::assemble;

macro_rules! reasons {
    ($root:literal) => {
        concat!(
            "SELECT ",
            $root,
            " AS root_id, (SELECT min(posted_at) FROM open_items WHERE root_id = ",
            $root,
            ") AS charged_at, EXISTS (SELECT 1 FROM run_contradictions WHERE root_id = ",
            $root,
            ") AS contradicts"
        )
    };
}

statements! {
    /// What keeps a logical run on the list.
    REASONS = reasons!("?1");
    REASONS_OF_CHARGE = reasons!("(SELECT r.root_id FROM charges c JOIN runs r ON r.id = c.run_id WHERE c.id = ?1)");
    /// Somebody else than a reconciler changed it: look now, and again if a worker is just looking.
    WAKE = "INSERT INTO due_runs (root_id, charged_at, next_at) VALUES (?1, ?2, ?3)
        ON CONFLICT (root_id) DO UPDATE SET charged_at = excluded.charged_at, why = NULL,
            next_at = min(coalesce(next_at, excluded.next_at), excluded.next_at),
            touched = touched + (claimed_until IS NOT NULL)";
    /// The reconciler changed it: its own look says when the next one is.
    RENEW = "INSERT INTO due_runs (root_id, charged_at, next_at) VALUES (?1, ?2, ?3)
        ON CONFLICT (root_id) DO UPDATE SET charged_at = excluded.charged_at";
    DROP = "DELETE FROM due_runs WHERE root_id = ?1";
    /// `tries` as it was before this look.
    CLAIM = "UPDATE due_runs SET claimed_by = ?1, claimed_until = ?2, tries = tries + 1, touched = 0
        WHERE root_id IN (SELECT root_id FROM due_runs
            WHERE next_at <= ?3 AND (claimed_until IS NULL OR claimed_until <= ?3)
            ORDER BY next_at, root_id LIMIT ?4)
        RETURNING root_id, charged_at, tries - 1 AS tries, next_at";
    /// The first of an index: claims are few, and stand before it for as long as a look takes.
    NEXT = "SELECT next_at FROM due_runs WHERE next_at IS NOT NULL AND (claimed_until IS NULL OR claimed_until <= ?1)
        ORDER BY next_at, root_id LIMIT 1";
    CLAIMED = "SELECT touched FROM due_runs WHERE root_id = ?1 AND claimed_by = ?2";
    END = "UPDATE due_runs SET claimed_by = NULL, claimed_until = NULL, touched = 0, charged_at = ?2, next_at = ?3,
        why = ?4 WHERE root_id = ?1";
}

/// When a run is looked at again that was ended as done and is open all the same: late enough that a
/// mistaken caller does not spin, early enough for the promise of 24 hours (P3).
const LOOK_AGAIN: SignedDuration = SignedDuration::from_hours(1);

/// Who changed a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Changed {
    /// The platform or an agent: the reconciler has not seen it.
    ByOthers,
    ByReconciler,
}

/// Brings the list in line with a logical run, after a change of it.
pub(super) async fn follow(
    connection: &mut SqliteConnection,
    root: &str,
    changed: Changed,
    at: Timestamp,
) -> Worked<()> {
    let mut script = Script::default();
    let stands = reasons(connection, root).await?;
    follow_in(&mut script, root, stands, changed, at);
    script.run(connection).await
}

/// As one step of a script.
fn follow_in(script: &mut Script, root: &str, stands: Reasons, changed: Changed, at: Timestamp) {
    match stands {
        None => script.add(DROP, [root.into()]),
        Some(charged_at) => {
            let statement = if changed == Changed::ByOthers { WAKE } else { RENEW };
            script.add(statement, [root.into(), charged_at.into(), micros(at).into()]);
        }
    }
}

/// Asks what keeps the logical run on the list that an effect changed; other effects change none, and
/// nothing is asked. [`follow_answer`] goes on with the row.
pub(super) async fn ask_of_effect(
    script: &mut Script,
    connection: &mut SqliteConnection,
    effect: &Effect,
) -> Worked<()> {
    let root = match effect {
        Effect::Restore { restoration, .. } => {
            script.add(REASONS_OF_CHARGE, [restoration.charge_id.as_str().into()]);
            return Ok(());
        }
        Effect::Deliver { run_id, .. } | Effect::ReleaseItem { run_id, .. } | Effect::Release { run_id, .. } => {
            runs::root_of(connection, run_id).await?
        }
        Effect::Move { output_id, .. } | Effect::Quarantine { output_id, .. } => {
            match outputs::output(connection, output_id).await? {
                Some(output) => runs::root_of(connection, &output.run_id).await?,
                None => None,
            }
        }
        Effect::LeaseItem { .. }
        | Effect::OpenIncident { .. }
        | Effect::LinkTicket { .. }
        | Effect::CancelUpstream { .. }
        | Effect::Say { .. }
        | Effect::TellOwner { .. }
        | Effect::SetCase { .. } => None,
    };
    if let Some(root) = root {
        script.add(REASONS, [root.as_str().into()]);
    }
    Ok(())
}

/// Brings the list in line with the logical run of the row that [`ask_of_effect`] asked for.
pub(super) fn follow_answer(script: &mut Script, row: &SqliteRow, changed: Changed, at: Timestamp) -> Worked<()> {
    if let Some(root) = row.opt_text("root_id")? {
        follow_in(script, &root, stands(row)?, changed, at);
    }
    Ok(())
}

/// The first charge of a logical run with an open item, or rows that contradict each other (then the
/// inner value is none). `None` where nothing keeps it on the list.
type Reasons = Option<Option<i64>>;

async fn reasons(connection: &mut SqliteConnection, root: &str) -> Worked<Reasons> {
    stands(&sqlx::query(REASONS).bind(root).fetch_one(connection).await?)
}

fn stands(row: &SqliteRow) -> Worked<Reasons> {
    let charged_at = row.opt_int("charged_at")?;
    Ok((charged_at.is_some() || row.flag("contradicts")?).then_some(charged_at))
}

impl SqliteStore {
    pub(super) async fn claim_due_runs(
        &self,
        worker: &str,
        limit: u32,
        lease: SignedDuration,
        at: Timestamp,
    ) -> StoreResult<Vec<DueRun>> {
        let until = at.checked_add(lease).map_err(|error| StoreError::Backend(error.to_string()))?;
        let mut tx = self.begin().await?;
        let claim = sqlx::query(CLAIM).bind(worker).bind(micros(until)).bind(micros(at)).bind(i64::from(limit));
        let rows = claim.fetch_all(&mut *tx).await.map_err(backend)?;
        tx.commit().await.map_err(backend)?;
        assemble::due_runs(&rows)
    }

    pub(super) async fn read_next_due(&self, at: Timestamp) -> StoreResult<Option<Timestamp>> {
        let query = sqlx::query_scalar(NEXT).bind(micros(at));
        let next: Option<i64> = query.fetch_optional(&self.readers).await.map_err(backend)?;
        next.map(|next| instant(next, "due_runs.next_at")).transpose()
    }

    pub(super) async fn end_claim(
        &self,
        root: &RunId,
        worker: &str,
        next: &NextLook,
        at: Timestamp,
    ) -> StoreResult<()> {
        let mut tx = self.begin().await?;
        end(&mut tx, root.as_str(), worker, next, at)
            .await
            .map_err(|fault| super::fault::as_error(fault, root.as_str()))?;
        tx.commit().await.map_err(backend)
    }
}

async fn end(
    connection: &mut SqliteConnection,
    root: &str,
    worker: &str,
    next: &NextLook,
    at: Timestamp,
) -> Worked<()> {
    let query = sqlx::query_scalar(CLAIMED).bind(root).bind(worker);
    let Some(touched) = query.fetch_optional(&mut *connection).await? else { return Ok(()) };
    let touched: i64 = touched;
    let Some(charged_at) = reasons(connection, root).await? else {
        sqlx::query(DROP).bind(root).execute(connection).await?;
        return Ok(());
    };
    let (next_at, why) = match next {
        // What was decided rests on what is no longer so.
        _ if touched != 0 => (Some(at), None),
        NextLook::At { at: next } => (Some(*next), None),
        NextLook::Parked { why } => (None, Some(why.as_str())),
        NextLook::Done => (Some(at.saturating_add(LOOK_AGAIN).unwrap_or(at)), None),
    };
    let end = sqlx::query(END).bind(root).bind(charged_at).bind(next_at.map(micros)).bind(why);
    end.execute(connection).await?;
    Ok(())
}
