//! What an action or the reconciler changes: one effect, with its audit line and what goes out.

use std::hash::{DefaultHasher, Hash, Hasher};

use jiff::Timestamp;
use makegood_domain::ids::{ActionKey, AgentId, CaseId, MessageId};
use makegood_domain::plan::{Effect, letter};
use makegood_domain::ports::{AuditLine, OutboxLine, Receipt};
use makegood_domain::support::Message;

use super::record::Record;
use super::{Worked, cases, delivery, due, refused, releases, restoration};

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
    fn id(&self, prefix: &str) -> String {
        format!("{prefix}_{}.{}.{}", self.key, self.step, self.part)
    }

    pub(super) fn case(&self) -> Worked<&CaseId> {
        match self.case {
            Some(case) => Ok(case),
            None => refused("this needs a case, and the reconciler has none"),
        }
    }
}

/// Does one effect, or says why the record forbids it.
pub(super) fn run(record: &mut Record, act: &Act<'_>, effect: &Effect) -> Worked<Receipt> {
    let receipt = change(record, act, effect)?;
    let changed = if act.case.is_some() { due::Changed::ByOthers } else { due::Changed::ByReconciler };
    due::follow_effect(record, effect, changed, act.at);
    let subject = act.case.map_or_else(|| subject(effect), CaseId::as_str);
    let detail = format!("action {} step {}.{}", act.key, act.step, act.part);
    audit(record, act.agent.as_str(), effect.word(), subject, &detail, act.at);
    if let Some((kind, summary)) = letter(effect, &receipt) {
        let seq = record.outbox.add(OutboxLine {
            id: act.id("out"),
            at: act.at,
            kind: kind.to_owned(),
            case_id: act.case.cloned(),
            summary,
            state: "waiting".to_owned(),
        });
        let payload = serde_json::json!({ "effect": effect, "receipt": receipt, "agent": act.agent });
        record.payloads.put(seq, payload.to_string());
    }
    let quiet = matches!(effect, Effect::LeaseItem { .. } | Effect::ReleaseItem { .. });
    if let Some(case) = act.case.filter(|_| !quiet) {
        cases::raise(record, case);
    }
    Ok(receipt)
}

fn change(record: &mut Record, act: &Act<'_>, effect: &Effect) -> Worked<Receipt> {
    match effect {
        Effect::LeaseItem { run_id, item, lease_seconds } => {
            delivery::lease(record, act, run_id, *item, *lease_seconds)
        }
        Effect::Deliver { run_id, item, epoch, output_id, file, place } => {
            let new = delivery::New { run_id, item: *item, epoch: *epoch, output_id, file, place };
            delivery::deliver(record, act, &new)
        }
        Effect::ReleaseItem { run_id, item, epoch, .. } => delivery::release(record, act, run_id, *item, *epoch),
        Effect::Restore { refund_id, restoration, cause } => {
            restoration::restore(record, act, refund_id, restoration, cause)
        }
        Effect::Release { run_id, refund_ids, amount, items, consent } => {
            let wanted = releases::Release { run_id, refund_ids, amount: *amount, items, consent };
            releases::release(record, act, &wanted)
        }
        Effect::Move { output_id, place } => delivery::relocate(record, act, output_id, place),
        Effect::Quarantine { output_id, .. } => delivery::quarantine(record, act, output_id),
        Effect::OpenIncident { output_ids, .. } => {
            if let Some(missing) = output_ids.iter().find(|id| !record.outputs.contains_key(id)) {
                return refused(format!("there is no output {missing}"));
            }
            let id = act.id("inc");
            record.incidents.put(id.clone(), output_ids.clone());
            Ok(Receipt::Incident { id })
        }
        Effect::LinkTicket { to } => {
            let case = act.case()?;
            if record.cases.get(case).is_some_and(|row| row.ticket.id == *to) {
                return refused("a ticket can't be linked to itself");
            }
            Ok(Receipt::Linked { to: to.clone() })
        }
        Effect::CancelUpstream { provider_id, job_id } => {
            Ok(Receipt::Queued { what: format!("cancel job {job_id} at {provider_id}"), outbox_id: act.id("out") })
        }
        Effect::Say { kind, text, .. } => {
            let case = act.case()?;
            let id = MessageId::new(act.id("msg"));
            let (kind, author, text) = (*kind, act.agent.0.clone(), text.clone());
            record.cases.edit(case, |row| {
                let ticket_id = row.ticket.id.clone();
                row.messages.push(Message { id: id.clone(), ticket_id, kind, author, at: act.at, text });
            });
            Ok(Receipt::Said { message_id: id })
        }
        Effect::TellOwner { account_id, .. } => {
            Ok(Receipt::Queued { what: format!("tell the owner of {account_id}"), outbox_id: act.id("out") })
        }
        Effect::SetCase { state, follow_up_at } => {
            record.cases.edit(act.case()?, |row| {
                row.state = *state;
                row.follow_up_at = *follow_up_at;
            });
            Ok(Receipt::CaseSet { state: *state })
        }
    }
}

/// Adds a line to the audit, chained to the one before by a hash that is quick and proves nothing to
/// anybody outside of a test.
pub(super) fn audit(record: &mut Record, actor: &str, act: &str, subject: &str, detail: &str, at: Timestamp) {
    let (last, before) = record.audit.last_key_value().map_or((0, ""), |(seq, line)| (*seq, line.hash.as_str()));
    let mut line = AuditLine {
        seq: last + 1,
        at,
        actor: actor.to_owned(),
        act: act.to_owned(),
        subject: subject.to_owned(),
        detail: detail.to_owned(),
        hash: String::new(),
    };
    line.hash = hash(before, &line);
    record.audit.put(line.seq, line);
}

/// Hash of a line and the one before it.
pub(super) fn hash(before: &str, line: &AuditLine) -> String {
    let mut hasher = DefaultHasher::new();
    (before, line.seq, line.at, &line.actor, &line.act, &line.subject, &line.detail).hash(&mut hasher);
    format!("{:016x}", hasher.finish())
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
