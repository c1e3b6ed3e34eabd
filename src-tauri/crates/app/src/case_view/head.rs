//! Head and verdict strip.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use makegood_domain::ids::RunId;
use makegood_domain::matching::logical_runs;
use makegood_domain::money::Credits;
use makegood_domain::scope::Dossier;
use makegood_domain::work::OutputState;

use super::matched_dossiers;
use crate::contract::{BalanceView, CaseHead, FactView, FileDeadline, ItemActionView, ReasonView, VerdictView};
use crate::finding::Examined;
use crate::labels;
use crate::queue::file_deadline;

/// Links of the chain in the strip; more would wrap.
const CHAIN_LINKS_MAX: usize = 5;

pub(super) fn head(examined: &Examined) -> CaseHead {
    let Examined { case, scope, .. } = examined;
    let requester = &case.ticket.requester;
    CaseHead {
        case_id: case.id.0.clone(),
        ticket_id: case.ticket.id.0.clone(),
        subject: case.ticket.subject.clone(),
        desk: case.ticket.desk.clone().unwrap_or_default(),
        state: case.state,
        revision: case.revision,
        assignee: case.assignee.as_ref().map(|agent| agent.0.clone()),
        customer: requester.email.clone(),
        locale: requester.locale.clone(),
        timezone: requester.timezone.clone(),
        local_time: requester.timezone.as_deref().and_then(|zone| local_time(zone, scope.as_of)),
        created_at: case.ticket.created_at,
        due_at: case.due_at,
        follow_up_at: case.follow_up_at,
        balances: balances(examined),
        as_of: scope.as_of,
    }
}

/// `New York 11:20`; nothing for a zone that nobody knows.
fn local_time(zone: &str, now: Timestamp) -> Option<String> {
    let clock = now.to_zoned(TimeZone::get(zone).ok()?).strftime("%H:%M").to_string();
    let city = zone.rsplit('/').next().unwrap_or(zone).replace('_', " ");
    Some(format!("{city} {clock}"))
}

/// Balances of the account that was charged, else of the requester's own.
fn balances(examined: &Examined) -> Vec<BalanceView> {
    let scope = &examined.scope;
    let charged = matched_dossiers(examined).first().map(|dossier| dossier.account_id.clone());
    let own = || {
        let user = scope.requester.user_id.as_ref()?;
        scope
            .accounts
            .iter()
            .find(|account| {
                account.owner_user_id == *user && account.kind == makegood_domain::ledger::AccountKind::Personal
            })
            .map(|account| account.id.clone())
    };
    let Some(id) = charged.or_else(own) else { return Vec::new() };
    let view = |balance: &makegood_domain::ledger::Balance| BalanceView {
        balance_id: balance.id.0.clone(),
        kind: balance.kind,
        label: labels::balance(balance.kind).to_owned(),
        current: balance.current,
    };
    scope.account(&id).map(|account| account.balances.iter().map(view).collect()).unwrap_or_default()
}

pub(super) fn verdict(examined: &Examined) -> VerdictView {
    let diagnosis = &examined.finding.diagnosis;
    VerdictView {
        verdict: diagnosis.verdict,
        label: labels::verdict(diagnosis.verdict).to_owned(),
        tone: labels::verdict_tone(diagnosis.verdict),
        remedy: diagnosis.remedy,
        remedy_label: labels::remedy(diagnosis.remedy).to_owned(),
        chain: chain(examined),
        reasons: diagnosis
            .reasons
            .iter()
            .map(|reason| ReasonView {
                rule: reason.rule.clone(),
                text: reason.text.clone(),
                facts: reason
                    .facts
                    .iter()
                    .map(|fact| FactView {
                        source: labels::source(fact.source).to_owned(),
                        id: fact.id.clone(),
                        at: fact.at,
                        says: fact.says.clone(),
                    })
                    .collect(),
            })
            .collect(),
        would_change: diagnosis.would_change.clone(),
        flags: diagnosis.flags.iter().copied().collect(),
        item_actions: diagnosis
            .item_actions
            .iter()
            .map(|row| ItemActionView {
                run_id: row.run.0.clone(),
                item: row.item,
                action: row.action,
                credits: row.credits,
            })
            .collect(),
        credits_to_restore: diagnosis.restored_total(),
        run_billable_after: diagnosis.run_billable_after,
        file: deadline(examined),
        follow_up_at: diagnosis.follow_up_at,
        found_at: examined.finding.found_at,
    }
}

fn deadline(examined: &Examined) -> FileDeadline {
    let diagnosis = &examined.finding.diagnosis;
    let dossiers = matched_dossiers(examined);
    let since = dossiers
        .iter()
        .flat_map(|dossier| &dossier.jobs)
        .filter_map(|job| job.finished_at)
        .min()
        .unwrap_or(examined.case.opened_at);
    file_deadline(diagnosis.retention_deadline, saved(examined), since, examined.scope.as_of)
}

/// Whether each file that could be lost is in the vault, as the queue has it. Where none can be, whether one
/// is stored and nothing else was made.
fn saved(examined: &Examined) -> bool {
    let diagnosis = &examined.finding.diagnosis;
    let stored = |dossier: &Dossier, wanted: Option<u32>| {
        dossier.outputs.iter().any(|output| {
            wanted.is_none_or(|item| output.item == item)
                && output.state == OutputState::Stored
                && output.sha256.is_some()
        })
    };
    let runs = logical_runs(&examined.scope);
    let in_vault = |(run, item): (&RunId, u32)| {
        let mut members = runs.iter().filter(|known| known.contains(run)).flat_map(|known| known.members());
        members.any(|dossier| dossier.captures.iter().any(|copy| copy.item == item) || stored(dossier, Some(item)))
    };
    if diagnosis.losable().next().is_none() {
        let stored = matched_dossiers(examined).into_iter().any(|dossier| stored(dossier, None));
        return stored && diagnosis.retention_deadline.is_none();
    }
    diagnosis.losable().all(in_vault)
}

/// What happened in a few words, from the rows.
fn chain(examined: &Examined) -> Vec<String> {
    let mut links = Vec::new();
    let dossiers = matched_dossiers(examined);
    let charged: Credits = dossiers.iter().flat_map(|dossier| &dossier.charges).map(|charge| charge.total).sum();
    if !dossiers.is_empty() {
        links.push(if charged > 0 { format!("charged {charged}") } else { "not charged".to_owned() });
    }
    for dossier in &dossiers {
        match dossier.jobs.last() {
            None => links.push("never submitted".to_owned()),
            Some(job) => links.push(match job.finished_at {
                Some(at) => format!("{} {}", labels::job_state(job.state).0, hms(at)),
                None => labels::job_state(job.state).0.to_owned(),
            }),
        }
        let failed = dossier.uploads.iter().filter(|row| row.result != makegood_domain::work::UploadResult::Ok).count();
        if failed > 0 {
            links.push(format!("{failed} {} failed", if failed == 1 { "upload" } else { "uploads" }));
        }
    }
    links.push(stored_and_refunded(&dossiers));
    links.retain(|link| !link.is_empty());
    links.truncate(CHAIN_LINKS_MAX);
    links
}

fn stored_and_refunded(dossiers: &[&makegood_domain::scope::Dossier]) -> String {
    if dossiers.is_empty() {
        return String::new();
    }
    let stored = dossiers.iter().flat_map(|d| &d.outputs).filter(|row| row.state == OutputState::Stored).count();
    let wanted: u32 = dossiers.first().map_or(0, |dossier| dossier.run.requested_items);
    let refunded = dossiers
        .iter()
        .flat_map(|dossier| &dossier.refunds)
        .filter(|row| row.state == makegood_domain::ledger::RefundState::Posted)
        .flat_map(|row| &row.lines)
        .map(|line| line.amount)
        .sum::<Credits>();
    let stored = match stored {
        0 => "nothing stored".to_owned(),
        n => format!("{n} of {wanted} stored"),
    };
    match refunded {
        0 => format!("{stored}, nothing refunded"),
        n => format!("{stored}, {n} refunded"),
    }
}

/// A clock time in UTC, as all times of the record are shown.
pub(super) fn hms(at: Timestamp) -> String {
    at.strftime("%H:%M:%S").to_string()
}
