//! What the reconciler does: an effect with its receipt, audit line and letter in one transaction,
//! without a case. It restores what it noticed before, and only so much in an hour.

use jiff::Timestamp;
use makegood_domain::diagnose::ChargeRestoration;
use makegood_domain::ids::{ActionKey, AgentId};
use makegood_domain::plan::Effect;
use makegood_domain::ports::{Applied, StepReceipt, StoreResult};
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use super::SqliteStore;
use super::effects::{self, Act};
use super::fault::{Fault, Worked, as_error, backend, refused};
use super::group::{Outcome, Pending};
use super::rows::{Columns, document, instant, micros, parse_document};
use super::script::{Rows, Script};
use super::whole::Sweep;

statements! {
    /// What was done under the key: the step itself, and whether an action has it.
    STEP = "SELECT s.at, s.effect, s.receipt, EXISTS (SELECT 1 FROM actions WHERE key = ?1) AS is_actions
        FROM (SELECT ?1 AS key) wanted LEFT JOIN sweep_steps s ON s.key = wanted.key AND s.part = ?2";
    ADD_STEP = "INSERT INTO sweep_steps (key, part, at, effect, receipt) VALUES (?1, ?2, ?3, ?4, ?5)";
    IS_SWEEP = "SELECT EXISTS (SELECT 1 FROM sweep_steps WHERE key = ?1)";
    /// With the first item of a list of which nothing was noticed, and the number of this hour.
    LIMITS = "SELECT restorations_per_hour, unseen_hours,
            (SELECT posted_at FROM charges WHERE id = ?1) AS posted_at,
            (SELECT value FROM json_each(?2) WHERE NOT EXISTS (SELECT 1 FROM detections d
                WHERE d.charge_id = ?1 AND d.item IN (0, value) AND d.kind IN ('orphan', 'damaged', 'duplicate_charge'))
                LIMIT 1) AS unnoticed,
            (SELECT restorations FROM reconciler_hours WHERE hour = ?3) AS counted
        FROM reconciler_limits";
    COUNT = "INSERT INTO reconciler_hours (hour, restorations) VALUES (?1, 1)
        ON CONFLICT (hour) DO UPDATE SET restorations = restorations + 1";
}

/// Whose name is on what the reconciler does.
pub(super) const RECONCILER: &str = "reconciler";

const HOUR_MICROS: i64 = 3_600_000_000;

impl SqliteStore {
    pub(super) async fn settle_effect(
        &self,
        key: &ActionKey,
        part: u32,
        effect: &Effect,
        at: Timestamp,
    ) -> StoreResult<Applied> {
        let sweep = Sweep { key: key.clone(), part, effect: effect.clone(), at };
        if sweep.restoration().is_some() {
            return self.group()?.restore(sweep).await;
        }
        self.group()?.run(move |connection| step_by_step(connection, sweep)).await
    }
}

/// One by itself, in words where it is refused.
pub(super) fn step_by_step(connection: &mut SqliteConnection, sweep: Sweep) -> Pending<'_, Outcome<Applied>> {
    Box::pin(async move {
        match settle(connection, &sweep.key, sweep.part, &sweep.effect, sweep.at).await {
            Ok(applied @ Applied::Done(_)) => Outcome { answer: Ok(applied), keep: true },
            answer => Outcome { answer, keep: false },
        }
    })
}

async fn settle(
    connection: &mut SqliteConnection,
    key: &ActionKey,
    part: u32,
    effect: &Effect,
    at: Timestamp,
) -> StoreResult<Applied> {
    if !is_reconcilers(effect) {
        return Ok(Applied::Refused("the reconciler settles items, outputs, incidents and jobs, nothing else".into()));
    }
    let wanted = document(effect)?;
    let mut ask = Script::default();
    ask.add(STEP, [key.as_str().into(), i64::from(part).into()]);
    if let Effect::Restore { restoration, .. } = effect {
        let items: Vec<u32> = restoration.items.iter().map(|item| item.item).collect();
        ask.add(LIMITS, [restoration.charge_id.as_str().into(), document(&items)?.into(), hour(at).into()]);
    }
    let mut told = ask.rows(connection).await.map_err(|fault| as_error(fault, key.as_str()))?;
    let known = told.one()?;
    if let Some(done) = known.opt_text("effect")? {
        if done != wanted {
            return Ok(Applied::Refused(format!("{key}.{part} was done already, with another effect")));
        }
        let receipt = parse_document(&known.text("receipt")?, key.as_str())?;
        return Ok(Applied::Done(StepReceipt { step: 0, part, at: known.time("at")?, receipt }));
    }
    if known.flag("is_actions")? {
        return Ok(Applied::Refused(format!("the key {key} is an action's")));
    }
    let agent = AgentId::from(RECONCILER);
    let act = Act { key, agent: &agent, case: None, step: 0, part, at };
    match journalled(connection, &act, effect, &wanted, &mut told).await {
        Ok(receipt) => Ok(Applied::Done(receipt)),
        Err(Fault::Refused(why)) => Ok(Applied::Refused(why)),
        Err(Fault::Failed(error)) => Err(error),
    }
}

async fn journalled(
    connection: &mut SqliteConnection,
    act: &Act<'_>,
    effect: &Effect,
    wanted: &str,
    limits: &mut Rows,
) -> Worked<StepReceipt> {
    let mut script = Script::default();
    if let Effect::Restore { restoration, .. } = effect {
        check_restoration(&limits.one()?, restoration, act.at, 0)?;
        script.add(COUNT, [hour(act.at).into()]);
    }
    let receipt = effects::run(&mut script, connection, act, effect).await?;
    let (key, part) = (act.key.as_str().into(), i64::from(act.part).into());
    script.add(ADD_STEP, [key, part, micros(act.at).into(), wanted.into(), document(&receipt)?.into()]);
    script.run(connection).await?;
    // As it will be read back: finer than a microsecond is cut.
    Ok(StepReceipt { step: 0, part: act.part, at: instant(micros(act.at), "the instant of the step")?, receipt })
}

/// What a reconciler may do: nothing on a case, no word to anybody.
fn is_reconcilers(effect: &Effect) -> bool {
    matches!(
        effect,
        Effect::LeaseItem { .. }
            | Effect::Deliver { .. }
            | Effect::ReleaseItem { .. }
            | Effect::Restore { .. }
            | Effect::Quarantine { .. }
            | Effect::OpenIncident { .. }
            | Effect::CancelUpstream { .. }
            | Effect::Move { .. }
    )
}

/// The hour since 1970 that an instant is in.
pub(super) fn hour(at: Timestamp) -> i64 {
    micros(at).div_euclid(HOUR_MICROS)
}

/// Refuses a restoration beyond the hour's number, and one of a young charge of which nothing was
/// noticed before. `limits`: a row with the columns of [`LIMITS`];
/// `made`: how many more were made in the hour than are counted there.
pub(super) fn check_restoration(
    limits: &SqliteRow,
    wanted: &ChargeRestoration,
    at: Timestamp,
    made: i64,
) -> Worked<()> {
    let (per_hour, unseen_hours) = (limits.int("restorations_per_hour")?, limits.int("unseen_hours")?);
    let is_young = limits
        .opt_int("posted_at")?
        .is_some_and(|posted| micros(at) - posted < unseen_hours.saturating_mul(HOUR_MICROS));
    if let Some(item) = limits.opt_int("unnoticed")?.filter(|_| is_young) {
        return refused(format!(
            "nothing was noticed about item {item} of charge {}, and it is younger than {unseen_hours} hours",
            wanted.charge_id
        ));
    }
    if limits.opt_int("counted")?.unwrap_or_default() + made >= per_hour {
        return refused(format!(
            "the reconciler has made {per_hour} restorations in this hour, as many as it may: people must look first"
        ));
    }
    Ok(())
}

/// Whether the key is one of the reconciler's.
pub(super) async fn is_sweep(connection: &mut SqliteConnection, key: &ActionKey) -> StoreResult<bool> {
    let found: i64 = sqlx::query_scalar(IS_SWEEP).bind(key.as_str()).fetch_one(connection).await.map_err(backend)?;
    Ok(found != 0)
}
