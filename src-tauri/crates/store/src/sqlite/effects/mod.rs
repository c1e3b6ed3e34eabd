//! What an action changes: one effect, one transaction, with its audit line and what goes out.

mod delivery;
mod placing;
mod releasing;
mod restoration;

pub(super) use restoration::check as check_restoration;

use std::mem;

use jiff::Timestamp;
use makegood_domain::ids::{ActionKey, AgentId, CaseId};
use makegood_domain::plan::{Effect, letter};
use makegood_domain::ports::{Receipt, StoreResult};
use makegood_domain::settlement::By;
use sqlx::SqliteConnection;

use super::due_runs::Changed;
use super::fault::{Worked, refused};
use super::rows::{document, micros};
use super::script::Script;
use super::{audit, cases, due_runs, outbox};

statements! {
    OPEN_INCIDENT = "INSERT INTO incidents (id, case_id, run_id, summary, opened_at, action_key, sweep_key)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    NAME_OUTPUT = "INSERT INTO incident_outputs (incident_id, output_id) VALUES (?1, ?2)
        ON CONFLICT (incident_id, output_id) DO NOTHING";
}

#[cfg(test)]
pub(super) const PLACING: &[(&str, &str)] = placing::STATEMENTS;
#[cfg(test)]
pub(super) const DELIVERY: &[(&str, &str)] = delivery::STATEMENTS;
#[cfg(test)]
pub(super) const RELEASING: &[(&str, &str)] = releasing::STATEMENTS;
#[cfg(test)]
pub(super) const RESTORATION: &[(&str, &str)] = restoration::STATEMENTS;

/// Whose effect it is: the step of an action on a case, or of the reconciler, which has none.
#[derive(Clone, Copy)]
pub(super) struct Act<'a> {
    pub key: &'a ActionKey,
    pub agent: &'a AgentId,
    pub case: Option<&'a CaseId>,
    pub step: u32,
    pub part: u32,
    pub at: Timestamp,
}

impl Act<'_> {
    /// The id of what the step makes: the same step makes the same id.
    pub(super) fn id(&self, prefix: &str) -> String {
        format!("{prefix}_{}.{}.{}", self.key, self.step, self.part)
    }

    fn case(&self) -> Worked<&CaseId> {
        match self.case {
            Some(case) => Ok(case),
            None => refused("this needs a case, and the reconciler has none"),
        }
    }

    fn by(&self) -> By {
        By::Action(self.key.clone())
    }

    fn changed(&self) -> Changed {
        if self.case.is_some() { Changed::ByOthers } else { Changed::ByReconciler }
    }
}

/// Does one effect, or says why the record forbids it. The audit line and what goes out are left at the
/// end of `script`, for the caller to run with the row of the step; what was in it before is done first.
pub(super) async fn run(
    script: &mut Script,
    connection: &mut SqliteConnection,
    act: &Act<'_>,
    effect: &Effect,
) -> Worked<Receipt> {
    let receipt = change(script, connection, act, effect).await?;
    mem::take(script).run(connection).await?;
    let mut ask = Script::default();
    ask.add(audit::LAST, []);
    due_runs::ask_of_effect(&mut ask, connection, effect).await?;
    let mut told = ask.rows(connection).await?;
    let last_line = told.next().pop();
    if let Some(stands) = told.next().pop() {
        due_runs::follow_answer(script, &stands, act.changed(), act.at)?;
    }
    let detail = audit_detail(act, effect, &receipt)?;
    let subject = act.case.map_or_else(|| subject(effect), CaseId::as_str);
    audit::add_to(script, last_line.as_ref(), [act.agent.as_str(), effect.word(), subject, &detail], act.at)?;
    if let Some((kind, summary)) = letter(effect, &receipt) {
        let payload = letter_payload(act, effect, &receipt)?;
        let letter = outbox::Letter {
            id: &act.id("out"),
            kind,
            case: act.case,
            action: act.key.as_str(),
            summary: &summary,
            payload: &payload,
            at: act.at,
        };
        outbox::add(script, &letter);
    }
    let quiet = matches!(effect, Effect::LeaseItem { .. } | Effect::ReleaseItem { .. });
    if let Some(case) = act.case.filter(|_| !quiet) {
        cases::raise(connection, case).await?;
    }
    Ok(receipt)
}

/// What the audit says of an effect, as JSON.
pub(super) fn audit_detail(act: &Act<'_>, effect: &Effect, receipt: &Receipt) -> StoreResult<String> {
    let mut told = serde_json::to_value(effect).unwrap_or_default();
    if let Some(fields) = told.as_object_mut() {
        // Texts to and from customers stay out of the audit, which nobody can erase from.
        fields.remove("text");
        fields.remove("consent");
    }
    document(&serde_json::json!({ "action": act.key, "effect": told, "receipt": receipt }))
}

/// What is told outside of an effect, as JSON: the whole of it.
pub(super) fn letter_payload(act: &Act<'_>, effect: &Effect, receipt: &Receipt) -> StoreResult<String> {
    document(&serde_json::json!({ "effect": effect, "receipt": receipt, "agent": act.agent }))
}

/// What an effect without a case is about, for the audit: the row that it changes.
fn subject(effect: &Effect) -> &str {
    match effect {
        Effect::LeaseItem { run_id, .. }
        | Effect::Deliver { run_id, .. }
        | Effect::ReleaseItem { run_id, .. }
        | Effect::Release { run_id, .. } => run_id.as_str(),
        Effect::Restore { restoration, .. } => restoration.run_id.as_str(),
        Effect::Move { output_id, .. } | Effect::Quarantine { output_id, .. } => output_id.as_str(),
        Effect::OpenIncident { run_id, .. } => run_id.as_ref().map_or("incident", |run| run.as_str()),
        Effect::CancelUpstream { job_id, .. } => job_id.as_str(),
        Effect::LinkTicket { to } => to.as_str(),
        Effect::TellOwner { account_id, .. } => account_id.as_str(),
        Effect::Say { .. } | Effect::SetCase { .. } => "case",
    }
}

async fn change(
    script: &mut Script,
    connection: &mut SqliteConnection,
    act: &Act<'_>,
    effect: &Effect,
) -> Worked<Receipt> {
    match effect {
        Effect::LeaseItem { run_id, item, lease_seconds } => {
            delivery::lease(connection, act, run_id, *item, *lease_seconds).await
        }
        Effect::Deliver { run_id, item, epoch, output_id, file, place } => {
            let new = delivery::New { run_id, item: *item, epoch: *epoch, output_id, file, place };
            delivery::deliver(connection, act, &new).await
        }
        Effect::ReleaseItem { run_id, item, epoch, why } => {
            delivery::release(connection, act, run_id, *item, *epoch, why).await
        }
        Effect::Restore { refund_id, restoration, cause } => {
            restoration::restore(script, connection, act, refund_id, restoration, cause).await
        }
        Effect::Release { run_id, refund_ids, amount, items, consent } => {
            let wanted = releasing::Release { run_id, refund_ids, amount: *amount, items, consent };
            releasing::release(connection, act, &wanted).await
        }
        Effect::Move { output_id, place } => placing::relocate(connection, act, output_id, place).await,
        Effect::Quarantine { output_id, reason } => placing::quarantine(connection, act, output_id, reason).await,
        Effect::OpenIncident { run_id, output_ids, summary } => {
            let id = act.id("inc");
            sqlx::query(OPEN_INCIDENT)
                .bind(&id)
                .bind(act.case.map(CaseId::as_str))
                .bind(run_id.as_ref().map(|run| run.as_str()))
                .bind(summary)
                .bind(micros(act.at))
                .bind(act.case.map(|_| act.key.as_str()))
                .bind(act.case.is_none().then_some(act.key.as_str()))
                .execute(&mut *connection)
                .await?;
            for output in output_ids {
                sqlx::query(NAME_OUTPUT).bind(&id).bind(output.as_str()).execute(&mut *connection).await?;
            }
            Ok(Receipt::Incident { id })
        }
        Effect::LinkTicket { to } => {
            cases::set_link(connection, act.case()?, to).await?;
            Ok(Receipt::Linked { to: to.clone() })
        }
        Effect::CancelUpstream { provider_id, job_id } => {
            Ok(Receipt::Queued { what: format!("cancel job {job_id} at {provider_id}"), outbox_id: act.id("out") })
        }
        Effect::Say { kind, text, locale } => {
            let id = act.id("msg");
            let author = act.agent.as_str();
            let message = cases::NewMessage { id: &id, kind: *kind, author, locale, text, at: act.at };
            cases::say(connection, act.case()?, &message).await?;
            Ok(Receipt::Said { message_id: id.as_str().into() })
        }
        Effect::TellOwner { account_id, .. } => {
            Ok(Receipt::Queued { what: format!("tell the owner of {account_id}"), outbox_id: act.id("out") })
        }
        Effect::SetCase { state, follow_up_at } => {
            cases::set_state(connection, act.case()?, *state, *follow_up_at).await?;
            Ok(Receipt::CaseSet { state: *state })
        }
    }
}
