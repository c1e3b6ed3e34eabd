//! What the reconciler does: an effect without a case. It restores what it noticed before, and only so
//! much in an hour.

use jiff::{SignedDuration, Timestamp};
use makegood_domain::diagnose::ChargeRestoration;
use makegood_domain::ids::{ActionKey, AgentId};
use makegood_domain::plan::Effect;
use makegood_domain::ports::{Applied, StepReceipt, StoreResult};

use super::effects::{self, Act};
use super::record::{Done, Record};
use super::{Halt, Worked, refused, restoration};

/// Whose name is on what the reconciler does.
const RECONCILER: &str = "reconciler";

const RESTORATIONS_PER_HOUR: i64 = 10_000;
/// A charge younger than that is restored only where a failure of it was noticed before.
const UNSEEN: SignedDuration = SignedDuration::from_hours(23);

pub(super) fn settle(
    record: &mut Record,
    key: &ActionKey,
    part: u32,
    effect: &Effect,
    at: Timestamp,
) -> StoreResult<Applied> {
    if !is_reconcilers(effect) {
        return Ok(Applied::Refused("the reconciler settles items, outputs, incidents and jobs, nothing else".into()));
    }
    if let Some(known) = record.sweep_steps.get(&(key.clone(), part)) {
        return Ok(if known.effect == *effect {
            Applied::Done(known.receipt.clone())
        } else {
            Applied::Refused(format!("{key}.{part} was done already, with another effect"))
        });
    }
    if record.actions.contains_key(key) {
        return Ok(Applied::Refused(format!("the key {key} is an action's")));
    }
    let agent = AgentId::from(RECONCILER);
    let act = Act { key, agent: &agent, case: None, step: 0, part, at };
    match journalled(record, &act, effect) {
        Ok(receipt) => Ok(Applied::Done(receipt)),
        Err(Halt::Refused(why)) => Ok(Applied::Refused(why)),
        Err(Halt::Failed(error)) => Err(error),
    }
}

fn journalled(record: &mut Record, act: &Act<'_>, effect: &Effect) -> Worked<StepReceipt> {
    if let Effect::Restore { restoration, .. } = effect {
        check(record, restoration, act.at)?;
    }
    let receipt = effects::run(record, act, effect)?;
    let receipt = StepReceipt { step: 0, part: act.part, at: act.at, receipt };
    let done = Done { effect: effect.clone(), receipt: receipt.clone() };
    record.sweep_steps.put((act.key.clone(), act.part), done);
    Ok(receipt)
}

/// What a reconciler may do: nothing on a case, no word to anybody.
fn is_reconcilers(effect: &Effect) -> bool {
    !matches!(
        effect,
        Effect::LinkTicket { .. } | Effect::Say { .. } | Effect::TellOwner { .. } | Effect::SetCase { .. }
    )
}

/// Refuses a restoration beyond the hour's number, and one of a young charge of which nothing was
/// noticed before. Counts it.
fn check(record: &mut Record, wanted: &ChargeRestoration, at: Timestamp) -> Worked<()> {
    if let Some(row) = record.charges.get(&wanted.charge_id)
        && at.duration_since(row.charge.posted_at) < UNSEEN
        && let Some(item) = wanted.items.iter().find(|item| restoration::noticed(record, wanted, item.item).is_none())
    {
        return refused(format!(
            "nothing was noticed about item {} of charge {}, and it is younger than {} hours",
            item.item,
            wanted.charge_id,
            UNSEEN.as_hours()
        ));
    }
    let hour = at.as_second().div_euclid(3_600);
    let counted = record.sweep_hours.get(&hour).copied().unwrap_or_default();
    if counted >= RESTORATIONS_PER_HOUR {
        return refused(format!("the reconciler has made {counted} restorations in this hour, as many as it may"));
    }
    record.sweep_hours.put(hour, counted + 1);
    Ok(())
}
