//! The journal of actions: the intent before anything is done, a receipt for each effect, the end.
//! The same key always gets the same answer; keys are kept for ever.

use jiff::Timestamp;
use makegood_domain::ids::{ActionKey, CaseId};
use makegood_domain::plan::{Effect, Order, Plan, belongs};
use makegood_domain::ports::{ActionRecord, ActionState, Applied, Begun, StepReceipt, StoreError, StoreResult};
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use super::fault::{Fault, Worked, as_error, backend};
use super::group::Outcome;
use super::rights::Permit;
use super::rows::{Columns, document, id_list, micros, parse_document, word};
use super::script::Script;
use super::{SqliteStore, approvals, audit, cases, effects, rights, sweeps};
use crate::assemble::{self, state_word};

statements! {
    BEGIN = "INSERT INTO actions (key, case_id, kind, digest, agent, at, reason, plan, state)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 'running')";
    ONE = "SELECT key, digest, agent, at, reason, plan, state, why, retry, finished_at FROM actions WHERE key = ?1";
    OF_CASE = "SELECT key, digest, agent, at, reason, plan, state, why, retry, finished_at FROM actions
        WHERE case_id = ?1 ORDER BY at DESC, rowid DESC";
    UNFINISHED = "SELECT key, digest, agent, at, reason, plan, state, why, retry, finished_at FROM actions
        WHERE finished_at IS NULL ORDER BY at, rowid";
    UNDER_WAY = "SELECT key, kind FROM actions WHERE case_id = ?1 AND finished_at IS NULL";
    FINISH = "UPDATE actions SET state = ?2, why = ?3, retry = ?4, finished_at = ?5 WHERE key = ?1";
    STEPS = "SELECT key, step, part, at, receipt FROM action_steps
        WHERE key IN (SELECT value FROM json_each(?1)) ORDER BY key, step, part";
    STEP = "SELECT at, effect, receipt FROM action_steps WHERE key = ?1 AND step = ?2 AND part = ?3";
    ADD_STEP = "INSERT INTO action_steps (key, step, part, at, effect, receipt) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
}

impl SqliteStore {
    pub(super) async fn journal_begin(&self, order: &Order, plan: &Plan) -> StoreResult<Begun> {
        let mut tx = self.begin().await?;
        if let Some(known) = record(&mut tx, &order.key).await? {
            let same = known.order.digest == order.digest && known.plan.case_id == plan.case_id;
            return Ok(if same { Begun::Existing(Box::new(known)) } else { Begun::KeyConflict });
        }
        if sweeps::is_sweep(&mut tx, &order.key).await? {
            return Ok(Begun::KeyConflict);
        }
        let revision = cases::revision(&mut tx, &plan.case_id).await?;
        if revision != plan.case_revision {
            return Ok(Begun::CaseChanged { revision });
        }
        let query = sqlx::query(UNDER_WAY).bind(plan.case_id.as_str());
        if let Some(row) = query.fetch_optional(&mut *tx).await.map_err(backend)? {
            return Ok(Begun::Busy { key: ActionKey(row.text("key")?), kind: row.word("kind")? });
        }
        let begun = begin(&mut tx, order, plan).await.map_err(|fault| as_error(fault, order.key.as_str()))?;
        if begun == Begun::New {
            tx.commit().await.map_err(backend)?;
        }
        Ok(begun)
    }

    pub(super) async fn journal_apply(
        &self,
        key: &ActionKey,
        (number, part): (u32, u32),
        effect: &Effect,
        at: Timestamp,
    ) -> StoreResult<Applied> {
        let (key, effect) = (key.clone(), effect.clone());
        self.group()?
            .run(move |connection| Box::pin(async move { step(connection, &key, (number, part), &effect, at).await }))
            .await
    }

    pub(super) async fn journal_finish(&self, key: &ActionKey, state: &ActionState, at: Timestamp) -> StoreResult<()> {
        let mut tx = self.begin().await?;
        let action = record(&mut tx, key).await?.ok_or_else(|| not_found(key))?;
        if action.state == *state {
            return Ok(());
        }
        if action.finished_at.is_some() {
            return Err(StoreError::Stale { what: "action", id: key.0.clone() });
        }
        let (why, retry) = match state {
            ActionState::Running | ActionState::Done => (None, None),
            ActionState::Refused { why } | ActionState::Unknown { why } => (Some(why), None),
            ActionState::FailedBeforeEffect { why, retry } => (Some(why), Some(*retry)),
        };
        let over = !matches!(state, ActionState::Running | ActionState::Unknown { .. });
        let finish = sqlx::query(FINISH)
            .bind(key.as_str())
            .bind(state_word(state))
            .bind(why)
            .bind(retry)
            .bind(over.then(|| micros(at)));
        finish.execute(&mut *tx).await.map_err(backend)?;
        if *state == ActionState::Done {
            cases::raise(&mut tx, &action.plan.case_id).await?;
        }
        let detail = document(&serde_json::json!({ "action": key, "state": state }))?;
        let subject = action.plan.case_id.as_str();
        audit::add(&mut tx, action.order.agent.as_str(), "finish_action", subject, &detail, at).await?;
        tx.commit().await.map_err(backend)
    }

    pub(super) async fn read_action(&self, key: &ActionKey) -> StoreResult<Option<ActionRecord>> {
        let mut tx = self.snapshot().await?;
        let record = record(&mut tx, key).await?;
        tx.rollback().await.map_err(backend)?;
        Ok(record)
    }

    pub(super) async fn read_actions_of(&self, case: &CaseId) -> StoreResult<Vec<ActionRecord>> {
        let mut tx = self.snapshot().await?;
        let rows = sqlx::query(OF_CASE).bind(case.as_str()).fetch_all(&mut *tx).await.map_err(backend)?;
        let records = records(&mut tx, &rows).await?;
        tx.rollback().await.map_err(backend)?;
        Ok(records)
    }

    pub(super) async fn read_unfinished(&self) -> StoreResult<Vec<ActionRecord>> {
        let mut tx = self.snapshot().await?;
        let rows = sqlx::query(UNFINISHED).fetch_all(&mut *tx).await.map_err(backend)?;
        let records = records(&mut tx, &rows).await?;
        tx.rollback().await.map_err(backend)?;
        Ok(records)
    }
}

fn not_found(key: &ActionKey) -> StoreError {
    StoreError::NotFound { what: "action", id: key.0.clone() }
}

/// Journals the intent, if the agent may restore that much alone or a second person said yes.
async fn begin(connection: &mut SqliteConnection, order: &Order, plan: &Plan) -> Worked<Begun> {
    let permit = rights::permit(connection, order, plan).await?;
    if let Permit::Needed { amount, why } = permit {
        return Ok(Begun::ApprovalNeeded { amount, why });
    }
    sqlx::query(BEGIN)
        .bind(order.key.as_str())
        .bind(plan.case_id.as_str())
        .bind(word(&plan.kind)?)
        .bind(&order.digest)
        .bind(order.agent.as_str())
        .bind(micros(order.at))
        .bind(&order.reason)
        .bind(document(plan)?)
        .execute(&mut *connection)
        .await?;
    let detail = document(&serde_json::json!({
        "action": order.key, "kind": plan.kind, "remedy": plan.remedy, "digest": order.digest, "reason": order.reason,
    }))?;
    audit::add(connection, order.agent.as_str(), "begin_action", plan.case_id.as_str(), &detail, order.at).await?;
    if let Permit::Approved(usable) = &permit {
        approvals::use_up(connection, usable, &order.key).await?;
    }
    Ok(Begun::New)
}

/// Does the step, or answers with the receipt that it has; only a new one leaves rows to keep.
async fn step(
    connection: &mut SqliteConnection,
    key: &ActionKey,
    (step, part): (u32, u32),
    effect: &Effect,
    at: Timestamp,
) -> Outcome<Applied> {
    match new_step(connection, key, (step, part), effect, at).await {
        Ok(applied @ Applied::Done(_)) => Outcome { answer: Ok(applied), keep: true },
        answer => Outcome { answer, keep: false },
    }
}

async fn new_step(
    connection: &mut SqliteConnection,
    key: &ActionKey,
    (step, part): (u32, u32),
    effect: &Effect,
    at: Timestamp,
) -> StoreResult<Applied> {
    let wanted = document(effect)?;
    if let Some((receipt, done)) = step_done(connection, key, step, part).await? {
        return Ok(if done == wanted {
            Applied::Done(receipt)
        } else {
            Applied::Refused(format!("step {step}.{part} of action {key} was done already, with another effect"))
        });
    }
    let action = record(connection, key).await?.ok_or_else(|| not_found(key))?;
    if action.finished_at.is_some() {
        return Ok(Applied::Refused(format!("action {key} is over: {}", state_word(&action.state))));
    }
    if !belongs(&action.plan, step, part, effect) {
        return Ok(Applied::Refused(format!("step {step} of the plan of action {key} is another one")));
    }
    let act = effects::Act { key, agent: &action.order.agent, case: Some(&action.plan.case_id), step, part, at };
    match apply(connection, &act, effect, &wanted).await {
        Ok(receipt) => Ok(Applied::Done(receipt)),
        Err(Fault::Refused(why)) => Ok(Applied::Refused(why)),
        Err(Fault::Failed(error)) => Err(error),
    }
}

async fn apply(
    connection: &mut SqliteConnection,
    act: &effects::Act<'_>,
    effect: &Effect,
    wanted: &str,
) -> Worked<StepReceipt> {
    let mut script = Script::default();
    let receipt = effects::run(&mut script, connection, act, effect).await?;
    let (key, step, part) = (act.key.as_str().into(), i64::from(act.step).into(), i64::from(act.part).into());
    script.add(ADD_STEP, [key, step, part, micros(act.at).into(), wanted.into(), document(&receipt)?.into()]);
    script.run(connection).await?;
    // As it will be read back: finer than a microsecond is cut.
    let at = super::rows::instant(micros(act.at), "the instant of the step")?;
    Ok(StepReceipt { step: act.step, part: act.part, at, receipt })
}

async fn step_done(
    connection: &mut SqliteConnection,
    key: &ActionKey,
    step: u32,
    part: u32,
) -> StoreResult<Option<(StepReceipt, String)>> {
    let query = sqlx::query(STEP).bind(key.as_str()).bind(i64::from(step)).bind(i64::from(part));
    let Some(row) = query.fetch_optional(connection).await.map_err(backend)? else { return Ok(None) };
    let receipt = parse_document(&row.text("receipt")?, key.as_str())?;
    Ok(Some((StepReceipt { step, part, at: row.time("at")?, receipt }, row.text("effect")?)))
}

async fn record(connection: &mut SqliteConnection, key: &ActionKey) -> StoreResult<Option<ActionRecord>> {
    let rows = sqlx::query(ONE).bind(key.as_str()).fetch_all(&mut *connection).await.map_err(backend)?;
    Ok(records(connection, &rows).await?.pop())
}

async fn records(connection: &mut SqliteConnection, rows: &[SqliteRow]) -> StoreResult<Vec<ActionRecord>> {
    let keys = id_list(assemble::texts(rows, "key")?);
    let steps = sqlx::query(STEPS).bind(keys).fetch_all(connection).await.map_err(backend)?;
    assemble::actions(rows, &steps)
}
