//! The Billing usage rows: deduction, detection, refund (R16). What counts is `usage`'s to say.

use makegood_domain::diagnose::Verdict;
use makegood_domain::ids::{ChargeId, RunId};
use makegood_domain::matching::{LogicalRun, logical_runs};
use makegood_domain::money::{BalanceLine, Credits};
use makegood_domain::policy::Policy;
use makegood_domain::ports::Detection;
use makegood_domain::usage::{EntryKind, UsageEntry, billable, entries};

use crate::contract::{Tone, UsageKind, UsagePart, UsageRow, UsageView};
use crate::finding::Examined;
use crate::labels;

/// The charges that the rows are about.
pub(super) fn charges(examined: &Examined) -> Vec<ChargeId> {
    matched(examined).iter().flat_map(LogicalRun::charges).map(|charge| charge.id.clone()).collect()
}

/// `noticed`: what the record knows of [`charges`].
pub(super) fn usage(examined: &Examined, noticed: &[Detection], policy: &Policy) -> UsageView {
    let scope = &examined.scope;
    let runs = matched(examined);
    let mut rows = Vec::new();
    for run in &runs {
        let lines = entries(run, scope, noticed);
        for charge in run.charges() {
            let of_charge: Vec<_> = lines.iter().filter(|line| line.charge_id == charge.id).collect();
            let has = |kind| of_charge.iter().any(|line| line.kind == kind);
            for line in of_charge.iter().filter(|line| line.kind == EntryKind::Deduction) {
                rows.push(row(line));
            }
            if !has(EntryKind::Detection) {
                rows.push(from_ticket(examined, &charge.run_id));
            }
            rows.extend(of_charge.iter().filter(|line| line.kind != EntryKind::Deduction).map(|line| row(line)));
            if !has(EntryKind::Refund) {
                rows.push(no_refund(examined, &charge.run_id, &charge.id));
            }
        }
    }
    UsageView {
        account_id: runs.first().map(|run| run.account_id().0.clone()),
        billable: (!runs.is_empty())
            .then(|| runs.iter().fold(0, |sum: Credits, run| sum.saturating_add(billable(run, scope, policy)))),
        rows,
        as_of: scope.as_of,
    }
}

/// The matched logical runs.
fn matched(examined: &Examined) -> Vec<LogicalRun<'_>> {
    let diagnosis = &examined.finding.diagnosis;
    let wanted: Vec<&RunId> = diagnosis.matched_run.iter().chain(&diagnosis.additional_runs).collect();
    let runs = logical_runs(&examined.scope).into_iter();
    runs.filter(|run| wanted.iter().any(|id| run.contains(id))).collect()
}

fn row(line: &UsageEntry) -> UsageRow {
    let (kind, tone) = match line.kind {
        EntryKind::Deduction => (UsageKind::Deduction, Tone::Info),
        EntryKind::Detection => (UsageKind::Detection, Tone::Info),
        EntryKind::Refund if line.note.is_empty() => (UsageKind::Refund, Tone::Ok),
        EntryKind::Refund => (UsageKind::Refund, Tone::Warn),
    };
    let id = match line.kind {
        EntryKind::Deduction => line.charge_id.0.clone(),
        EntryKind::Detection => String::new(),
        EntryKind::Refund => line.refund_id.as_ref().map(|id| id.0.clone()).unwrap_or_default(),
    };
    // What is taken from a customer stands below 0 there; a refund that settles nothing moves nothing.
    let sign = if line.kind == EntryKind::Deduction { -1 } else { 1 };
    let moved = line.kind == EntryKind::Deduction || line.credits != 0;
    UsageRow {
        kind,
        id,
        run_id: line.run_id.0.clone(),
        at: Some(line.at),
        credits: -line.credits,
        text: text(line),
        parts: if moved { parts(&line.parts, sign) } else { Vec::new() },
        tone,
    }
}

/// A cause in words for people, as far as it is a verdict's.
fn text(line: &UsageEntry) -> String {
    let known = Verdict::from_word(&line.note).filter(|_| line.kind == EntryKind::Detection);
    known.map_or_else(|| line.note.clone(), |verdict| labels::verdict(verdict).to_lowercase())
}

fn parts(lines: &[BalanceLine], sign: Credits) -> Vec<UsagePart> {
    lines
        .iter()
        .map(|line| UsagePart {
            balance_id: line.balance_id.0.clone(),
            label: labels::balance(line.kind).to_owned(),
            credits: sign * line.amount,
        })
        .collect()
}

/// Nobody noticed it before the customer did.
fn from_ticket(examined: &Examined, run: &RunId) -> UsageRow {
    let verdict = examined.finding.diagnosis.verdict;
    UsageRow {
        kind: UsageKind::Detection,
        id: String::new(),
        run_id: run.0.clone(),
        at: Some(examined.case.opened_at),
        credits: 0,
        text: format!("{}, from the ticket", labels::verdict(verdict).to_lowercase()),
        parts: Vec::new(),
        tone: labels::verdict_tone(verdict),
    }
}

/// A refund that is not there says why.
fn no_refund(examined: &Examined, run: &RunId, charge: &ChargeId) -> UsageRow {
    let diagnosis = &examined.finding.diagnosis;
    let coming: Credits = diagnosis
        .restorations
        .iter()
        .filter(|row| row.charge_id == *charge)
        .flat_map(|row| &row.lines)
        .map(|line| line.amount)
        .sum();
    UsageRow {
        kind: UsageKind::Refund,
        id: String::new(),
        run_id: run.0.clone(),
        at: None,
        credits: 0,
        text: if coming > 0 {
            format!("{coming} to be restored")
        } else {
            format!("not due: {}", labels::remedy(diagnosis.remedy).to_lowercase())
        },
        parts: Vec::new(),
        tone: Tone::Neutral,
    }
}
