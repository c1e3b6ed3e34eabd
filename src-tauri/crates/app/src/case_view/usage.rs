//! The Billing usage rows: deduction, detection, refund (R16).

use makegood_domain::ledger::{Charge, Refund, RefundState};
use makegood_domain::money::{BalanceLine, Credits};
use makegood_domain::scope::Dossier;

use super::matched_dossiers;
use crate::contract::{Tone, UsageKind, UsagePart, UsageRow, UsageView};
use crate::finding::Examined;
use crate::labels;

pub(super) fn usage(examined: &Examined) -> UsageView {
    let dossiers = matched_dossiers(examined);
    let mut rows = Vec::new();
    for dossier in &dossiers {
        for charge in &dossier.charges {
            rows.push(deduction(charge));
            rows.push(detection(examined, dossier, charge));
            let refunds: Vec<_> = dossier.refunds.iter().filter(|refund| refund.charge_id == charge.id).collect();
            rows.extend(refunds.iter().map(|row| refund(row)));
            if refunds.is_empty() {
                rows.push(no_refund(examined, charge));
            }
        }
    }
    UsageView {
        account_id: dossiers.first().map(|dossier| dossier.account_id.0.clone()),
        billable: (!dossiers.is_empty()).then(|| billable(examined, &dossiers)),
        rows,
        as_of: examined.scope.as_of,
    }
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

fn deduction(charge: &Charge) -> UsageRow {
    UsageRow {
        kind: UsageKind::Deduction,
        id: charge.id.0.clone(),
        run_id: charge.run_id.0.clone(),
        at: Some(charge.posted_at),
        credits: -charge.total,
        text: String::new(),
        parts: parts(&charge.sources, -1),
        tone: Tone::Info,
    }
}

/// When and why the failure was noticed, apart from its refund.
fn detection(examined: &Examined, dossier: &Dossier, charge: &Charge) -> UsageRow {
    let noticed = dossier.refunds.iter().find(|row| row.charge_id == charge.id && row.detected_at.is_some());
    let (at, text, tone) = match noticed {
        Some(refund) => (refund.detected_at, refund.cause.clone().unwrap_or_default(), Tone::Info),
        None => (
            Some(examined.case.opened_at),
            format!("{}, from the ticket", labels::verdict(examined.finding.diagnosis.verdict).to_lowercase()),
            labels::verdict_tone(examined.finding.diagnosis.verdict),
        ),
    };
    UsageRow {
        kind: UsageKind::Detection,
        id: String::new(),
        run_id: charge.run_id.0.clone(),
        at,
        credits: 0,
        text,
        parts: Vec::new(),
        tone,
    }
}

fn refund(refund: &Refund) -> UsageRow {
    let total: Credits = refund.lines.iter().map(|line| line.amount).sum();
    let reversed = refund.state == RefundState::Reversed;
    UsageRow {
        kind: UsageKind::Refund,
        id: refund.id.0.clone(),
        run_id: refund.run_id.0.clone(),
        at: Some(refund.posted_at),
        credits: if reversed { 0 } else { total },
        text: if reversed { format!("{total} reversed: settles nothing") } else { String::new() },
        parts: if reversed { Vec::new() } else { parts(&refund.lines, 1) },
        tone: if reversed { Tone::Warn } else { Tone::Ok },
    }
}

/// A refund that is not there says why.
fn no_refund(examined: &Examined, charge: &Charge) -> UsageRow {
    let diagnosis = &examined.finding.diagnosis;
    let coming: Credits = diagnosis
        .restorations
        .iter()
        .filter(|row| row.charge_id == charge.id)
        .flat_map(|row| &row.lines)
        .map(|line| line.amount)
        .sum();
    UsageRow {
        kind: UsageKind::Refund,
        id: String::new(),
        run_id: charge.run_id.0.clone(),
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

/// What stands billed now: the diagnosis' figure plus what it would still give back.
fn billable(examined: &Examined, dossiers: &[&Dossier]) -> Credits {
    let diagnosis = &examined.finding.diagnosis;
    match diagnosis.run_billable_after {
        Some(after) => after + diagnosis.restored_total(),
        None => dossiers.iter().flat_map(|dossier| &dossier.charges).map(|charge| charge.total).sum(),
    }
}
