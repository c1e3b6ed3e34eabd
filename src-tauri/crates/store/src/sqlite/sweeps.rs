//! What the reconciler does: an effect with its receipt, audit line and letter in one transaction,
//! without a case. It restores what it noticed before, and only so much in an hour.

use jiff::Timestamp;
use makegood_domain::diagnose::ChargeRestoration;
use makegood_domain::ids::{ActionKey, AgentId};
use makegood_domain::plan::Effect;
use makegood_domain::ports::{Applied, StepReceipt, StoreResult};
use sqlx::SqliteConnection;

use super::effects::{self, Act};
use super::fault::{Fault, Worked, backend, refused};
use super::group::Outcome;
use super::rows::{Columns, document, instant, micros, parse_document};
use super::script::Script;
use super::{SqliteStore, detections};

statements! {
    /// What was done under the key: the step itself, and whether an action has it.
    STEP = "SELECT s.at, s.effect, s.receipt, EXISTS (SELECT 1 FROM actions WHERE key = ?1) AS is_actions
        FROM (SELECT ?1 AS key) wanted LEFT JOIN sweep_steps s ON s.key = wanted.key AND s.part = ?2";
    ADD_STEP = "INSERT INTO sweep_steps (key, part, at, effect, receipt) VALUES (?1, ?2, ?3, ?4, ?5)";
    IS_SWEEP = "SELECT EXISTS (SELECT 1 FROM sweep_steps WHERE key = ?1)";
    LIMITS = "SELECT restorations_per_hour, unseen_hours,
            (SELECT posted_at FROM charges WHERE id = ?1) AS posted_at,
            (SELECT restorations FROM reconciler_hours WHERE hour = ?2) AS counted
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
        let (key, effect) = (key.clone(), effect.clone());
        self.group()?
            .run(move |connection| {
                Box::pin(async move {
                    match settle(connection, &key, part, &effect, at).await {
                        Ok(applied @ Applied::Done(_)) => Outcome { answer: Ok(applied), keep: true },
                        answer => Outcome { answer, keep: false },
                    }
                })
            })
            .await
    }
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
    let known = sqlx::query(STEP).bind(key.as_str()).bind(i64::from(part));
    let known = known.fetch_one(&mut *connection).await.map_err(backend)?;
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
    match journalled(connection, &act, effect, &wanted).await {
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
) -> Worked<StepReceipt> {
    let mut script = Script::default();
    if let Effect::Restore { restoration, .. } = effect {
        check_restoration(&mut script, connection, restoration, act.at).await?;
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

/// Refuses a restoration beyond the hour's number, and one of a young charge of which nothing was
/// noticed before. Leaves its count to `script`.
async fn check_restoration(
    script: &mut Script,
    connection: &mut SqliteConnection,
    wanted: &ChargeRestoration,
    at: Timestamp,
) -> Worked<()> {
    let hour = micros(at).div_euclid(HOUR_MICROS);
    let limits = sqlx::query(LIMITS).bind(wanted.charge_id.as_str()).bind(hour).fetch_one(&mut *connection).await?;
    let (per_hour, unseen_hours) = (limits.int("restorations_per_hour")?, limits.int("unseen_hours")?);
    let posted = limits.opt_int("posted_at")?;
    let old = posted.is_some_and(|posted| micros(at) - posted >= unseen_hours.saturating_mul(HOUR_MICROS));
    for item in wanted.items.iter().filter(|_| posted.is_some() && !old) {
        if detections::of_items(connection, wanted.charge_id.as_str(), &[item.item]).await?.is_none() {
            return refused(format!(
                "nothing was noticed about item {} of charge {}, and it is younger than {unseen_hours} hours",
                item.item, wanted.charge_id
            ));
        }
    }
    if limits.opt_int("counted")?.unwrap_or_default() >= per_hour {
        return refused(format!(
            "the reconciler has made {per_hour} restorations in this hour, as many as it may: people must look first"
        ));
    }
    script.add(COUNT, [hour.into()]);
    Ok(())
}

/// Whether the key is one of the reconciler's.
pub(super) async fn is_sweep(connection: &mut SqliteConnection, key: &ActionKey) -> StoreResult<bool> {
    let found: i64 = sqlx::query_scalar(IS_SWEEP).bind(key.as_str()).fetch_one(connection).await.map_err(backend)?;
    Ok(found != 0)
}
