//! The journal of actions: the intent before anything is done, a receipt for each effect, the end.

use jiff::Timestamp;
use makegood_domain::ids::ActionKey;
use makegood_domain::money::Credits;
use makegood_domain::plan::{ActionKind, Effect, Order, Plan};
use makegood_domain::ports::{ActionState, Applied, Begun, Receipt, StepReceipt, StoreError, StoreResult};
use serde::Deserialize;

use super::{answer, at, document, said};
use crate::postgres::PgStore;
use crate::postgres::fault::{Fault, as_error};
use crate::postgres::link::Argument;
use crate::postgres::rows::instant;

statements! {
    BEGIN = "SELECT api.begin_action($1::jsonb, $2::jsonb, $3)";
    APPLY = "SELECT api.apply($1, $2, $3, $4::jsonb, $5)";
    FINISH = "SELECT api.finish_action($1, $2::jsonb, $3)";
}

/// How `api.begin_action` says what [`Begun`] says.
#[derive(Deserialize)]
#[serde(tag = "begun", rename_all = "snake_case")]
enum Begins {
    New,
    Existing,
    KeyConflict,
    CaseChanged { revision: i64 },
    ApprovalNeeded { amount: Credits, why: String },
    Busy { key: ActionKey, kind: ActionKind },
}

/// A receipt as a function says it.
#[derive(Deserialize)]
pub(in crate::postgres) struct Done {
    step: u32,
    part: u32,
    /// Microseconds.
    at: i64,
    receipt: Receipt,
}

impl Done {
    pub(in crate::postgres) fn applied(self) -> StoreResult<Applied> {
        let at = instant(self.at, "the instant of the step")?;
        Ok(Applied::Done(StepReceipt { step: self.step, part: self.part, at, receipt: self.receipt }))
    }
}

impl PgStore {
    pub(in crate::postgres) async fn journal_begin(&self, order: &Order, plan: &Plan) -> StoreResult<Begun> {
        let (asked, planned) = (document(order)?, document(plan)?);
        let begun = self.call(BEGIN, &[said(&asked), said(&planned), at(order.at)]).await;
        let begun = begun.map_err(|fault| as_error(fault, order.key.as_str()))?;
        Ok(match answer(begun, "begin_action")? {
            Begins::New => Begun::New,
            Begins::Existing => Begun::Existing(Box::new(self.read_action(&order.key).await?.ok_or_else(|| {
                StoreError::Inconsistent { at: order.key.0.clone(), why: "the action is there, and not shown".into() }
            })?)),
            Begins::KeyConflict => Begun::KeyConflict,
            Begins::CaseChanged { revision } => Begun::CaseChanged { revision },
            Begins::ApprovalNeeded { amount, why } => Begun::ApprovalNeeded { amount, why },
            Begins::Busy { key, kind } => Begun::Busy { key, kind },
        })
    }

    pub(in crate::postgres) async fn journal_apply(
        &self,
        key: &ActionKey,
        (step, part): (u32, u32),
        effect: &Effect,
        when: Timestamp,
    ) -> StoreResult<Applied> {
        let wanted = document(effect)?;
        let number = |part: u32| Argument::Int(Some(i64::from(part)));
        match self.call(APPLY, &[said(key.as_str()), number(step), number(part), said(&wanted), at(when)]).await {
            Ok(done) => answer::<Done>(done, "apply")?.applied(),
            Err(Fault::Refused(why)) => Ok(Applied::Refused(why)),
            Err(Fault::Failed(error)) => Err(error),
        }
    }

    pub(in crate::postgres) async fn journal_finish(
        &self,
        key: &ActionKey,
        state: &ActionState,
        when: Timestamp,
    ) -> StoreResult<()> {
        let ended = document(state)?;
        let finish = self.call(FINISH, &[said(key.as_str()), said(&ended), at(when)]).await;
        finish.map_err(|fault| as_error(fault, key.as_str()))?;
        Ok(())
    }
}
