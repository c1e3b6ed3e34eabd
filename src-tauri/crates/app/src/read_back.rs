//! Reading back: an act is done when ledger and storage say so, not when the call returned.

use makegood_domain::ids::{OutputId, RefundId};
use makegood_domain::ledger::RefundState;
use makegood_domain::plan::{Effect, Place, Plan, Step};
use makegood_domain::ports::{ActionRecord, ActionState, BalanceMove, OutputFile, Receipt, StepReceipt};
use makegood_domain::scope::{Dossier, Scope};
use makegood_domain::work::Output;

use crate::contract::{ActionView, OutcomeState, ReadBack};
use crate::desk::Desk;
use crate::error::Result;
use crate::labels;
use crate::review::place_label;

impl Desk {
    /// Holds every receipt against the record and the vault as they are now. `Some` says what does
    /// not agree: then nobody may call the action done.
    pub(crate) async fn disproved(&self, plan: &Plan, receipts: &[StepReceipt]) -> Result<Option<String>> {
        let case = self.store.case(&plan.case_id).await?;
        let scope = self.store.scope(&case.ticket.requester, Some(&case.ticket.id), self.now()).await?;
        for row in receipts {
            let wrong = match &row.receipt {
                Receipt::Restored { refund_id, total, .. } => {
                    let posted: i64 = dossiers(&scope)
                        .flat_map(|dossier| &dossier.refunds)
                        .filter(|refund| refund.id == *refund_id && refund.state == RefundState::Posted)
                        .flat_map(|refund| &refund.lines)
                        .map(|line| line.amount)
                        .sum();
                    (posted != *total)
                        .then(|| format!("the ledger shows {posted} credits for {refund_id}, not {total}"))
                }
                Receipt::Delivered { output_id, sha256, bytes } => {
                    self.file_disproved(&scope, output_id, sha256, *bytes).await
                }
                Receipt::Redebited { refund_ids, outputs, .. } => {
                    self.release_disproved(&scope, refund_ids, outputs).await
                }
                Receipt::Moved { output_id } => (output(&scope, output_id).is_none())
                    .then(|| format!("the record does not show output {output_id} where it was moved")),
                _ => None,
            };
            if wrong.is_some() {
                return Ok(wrong);
            }
        }
        Ok(None)
    }

    /// Every refund that a release took back stands no longer, and each of its files is there.
    async fn release_disproved(
        &self,
        scope: &Scope,
        refund_ids: &[RefundId],
        outputs: &[OutputFile],
    ) -> Option<String> {
        let stands = |id: &&RefundId| {
            let mut refunds = dossiers(scope).flat_map(|dossier| &dossier.refunds);
            !refunds.any(|refund| refund.id == **id && refund.state == RefundState::Reversed)
        };
        if let Some(id) = refund_ids.iter().find(stands) {
            return Some(format!("the ledger does not show that refund {id} was taken back"));
        }
        for file in outputs {
            let wrong = self.file_disproved(scope, &file.output_id, &file.sha256, file.bytes).await;
            if wrong.is_some() {
                return wrong;
            }
        }
        None
    }

    async fn file_disproved(&self, scope: &Scope, id: &OutputId, sha256: &str, bytes: u64) -> Option<String> {
        let Some(row) = output(scope, id) else {
            return Some(format!("the record does not show output {id}"));
        };
        if row.sha256.as_deref() != Some(sha256) {
            return Some(format!("the record shows another hash for output {id}"));
        }
        match self.vault.verify(sha256).await {
            Ok(file) if file.sha256 == sha256 && file.bytes == bytes => None,
            Ok(file) if file.bytes == bytes => {
                Some(format!("the vault's copy of {id} is damaged: its hash is {}", file.sha256))
            }
            Ok(file) => Some(format!("the vault's copy of {id} has {} bytes, not {bytes}", file.bytes)),
            Err(why) => Some(why.to_string()),
        }
    }

    /// An action for the window, its files hashed again.
    pub(crate) async fn view(&self, record: &ActionRecord, repeated: bool) -> Result<ActionView> {
        let mut view = unproved_view(record);
        view.repeated = repeated;
        let case = self.store.case(&record.plan.case_id).await?;
        let scope = self.store.scope(&case.ticket.requester, Some(&case.ticket.id), self.now()).await?;
        for proof in &mut view.read_back {
            if let ReadBack::File { output_id, sha256, bytes, matches, place } = proof {
                let wrong = self.file_disproved(&scope, &OutputId(output_id.clone()), sha256, *bytes).await;
                *matches = wrong.is_none();
                if let Some(found) = output_place(&record.plan, output_id) {
                    *place = place_label(found, &scope);
                }
            }
        }
        Ok(view)
    }
}

/// An action as its journal tells it; what is called matching was matched when it was done.
pub(crate) fn unproved_view(record: &ActionRecord) -> ActionView {
    let done = record.state == ActionState::Done;
    let (state, why, retry) = match &record.state {
        ActionState::Running => (OutcomeState::Running, None, false),
        ActionState::Done => (OutcomeState::Done, None, false),
        ActionState::Refused { why } => (OutcomeState::Refused, Some(why.clone()), false),
        ActionState::FailedBeforeEffect { why, retry } => (OutcomeState::FailedBeforeEffect, Some(why.clone()), *retry),
        ActionState::Unknown { why } => (OutcomeState::Unknown, Some(why.clone()), true),
    };
    ActionView {
        key: record.order.key.0.clone(),
        kind: record.plan.kind,
        title: labels::action(record.plan.kind).to_owned(),
        state,
        why,
        retry,
        agent: record.order.agent.0.clone(),
        at: record.order.at,
        finished_at: record.finished_at,
        read_back: record.receipts.iter().flat_map(|row| proofs(&row.receipt, done)).collect(),
        repeated: false,
        approval_need: None,
    }
}

fn proofs(receipt: &Receipt, matches: bool) -> Vec<ReadBack> {
    let other = |text: String| vec![ReadBack::Other { text, matches: true }];
    match receipt {
        Receipt::Delivered { output_id, sha256, bytes } => vec![ReadBack::File {
            output_id: output_id.0.clone(),
            sha256: sha256.clone(),
            bytes: *bytes,
            matches,
            place: String::new(),
        }],
        Receipt::Restored { balances, .. } => balances.iter().map(|row| balance_proof(row, matches)).collect(),
        Receipt::Redebited { balances, outputs, .. } => {
            let files = outputs.iter().map(|file| ReadBack::File {
                output_id: file.output_id.0.clone(),
                sha256: file.sha256.clone(),
                bytes: file.bytes,
                matches,
                place: String::new(),
            });
            files.chain(balances.iter().map(|row| balance_proof(row, matches))).collect()
        }
        Receipt::Moved { output_id } => other(format!("output {output_id} moved")),
        Receipt::Quarantined { output_id } => other(format!("output {output_id} made unreachable")),
        Receipt::Incident { id } => other(format!("incident {id} opened")),
        Receipt::Linked { to } => other(format!("linked to ticket {to}")),
        Receipt::Queued { what, .. } => other(format!("{what} waits in the outbox")),
        Receipt::Said { message_id } => other(format!("answer {message_id} waits in the outbox")),
        Receipt::Leased { .. } | Receipt::Released | Receipt::CaseSet { .. } => Vec::new(),
    }
}

fn balance_proof(row: &BalanceMove, matches: bool) -> ReadBack {
    ReadBack::Balance {
        balance_id: row.balance_id.0.clone(),
        label: labels::balance(row.kind).to_owned(),
        before: row.before,
        after: row.after,
        matches,
    }
}

fn dossiers(scope: &Scope) -> impl Iterator<Item = &Dossier> {
    scope.runs.iter().chain(&scope.foreign_runs)
}

fn output<'a>(scope: &'a Scope, id: &OutputId) -> Option<&'a Output> {
    dossiers(scope).flat_map(|dossier| &dossier.outputs).find(|row| row.id == *id)
}

fn output_place<'a>(plan: &'a Plan, wanted: &str) -> Option<&'a Place> {
    plan.steps.iter().find_map(|step| match step {
        Step::RecoverItem { output_id, place, .. } | Step::Do { effect: Effect::Move { output_id, place } }
            if output_id.as_str() == wanted =>
        {
            Some(place)
        }
        Step::Do { effect: Effect::Release { items, .. } } => {
            items.iter().find(|item| item.output_id.as_str() == wanted).map(|item| &item.place)
        }
        _ => None,
    })
}
