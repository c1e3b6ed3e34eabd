//! Usage (R14, R16): what was deducted, when a failure was noticed, what came back, and what counts as
//! billable in the end. One figure for the window, for exports and for caps.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::diagnose::money::{Money, valid_amount};
use crate::ids::{AccountId, ChargeId, RefundId, RunId};
use crate::ledger::{Refund, RefundState};
use crate::matching::LogicalRun;
use crate::money::{BalanceLine, Credits};
use crate::policy::Policy;
use crate::ports::Detection;
use crate::scope::Scope;
use crate::words::words;

words! {
    /// The three things that a Billing row shows (R16).
    EntryKind {
        Deduction = "deduction",
        Detection = "detection",
        Refund = "refund",
    }
}

/// One line of usage. The `credits` of all lines of a run add up to its billable figure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageEntry {
    pub kind: EntryKind,
    pub at: Timestamp,
    pub account_id: AccountId,
    pub run_id: RunId,
    pub charge_id: ChargeId,
    pub refund_id: Option<RefundId>,
    /// What the line adds to the billable total: a deduction is above 0, a refund that counts below, a
    /// detection and a refund that settles nothing are 0.
    pub credits: Credits,
    /// Cause of a detection; why a refund does not count.
    pub note: String,
    /// Where a deduction came from, and where a refund went, with what each gave or got.
    pub parts: Vec<BalanceLine>,
}

/// What of a run counts as used (P5): its charges minus its valid refunds. A refund that was reversed,
/// or went to a balance of somebody else, is none (P4).
#[must_use]
pub fn billable(run: &LogicalRun<'_>, scope: &Scope, policy: &Policy) -> Credits {
    Money::of(run, scope, policy).billable()
}

/// The lines of a run, charge by charge: the deduction, then what was noticed, when and why, also where
/// the file was brought in the end and no refund followed, and each refund after what it is about. What
/// is refunded beyond the charge, by two hands that did not know of one another, is shown and counts for
/// nothing: a charge is gone once (I2). `noticed`: what the record knows of these charges, the first one
/// first.
#[must_use]
pub fn entries(run: &LogicalRun<'_>, scope: &Scope, noticed: &[Detection]) -> Vec<UsageEntry> {
    let refunds = run.refunds();
    let mut lines = Vec::new();
    for charge in run.charges() {
        let line = |kind, at| UsageEntry {
            kind,
            at,
            account_id: charge.account_id.clone(),
            run_id: charge.run_id.clone(),
            charge_id: charge.id.clone(),
            refund_id: None,
            credits: 0,
            note: String::new(),
            parts: Vec::new(),
        };
        let parts = charge.sources.clone();
        lines.push(UsageEntry { credits: charge.total, parts, ..line(EntryKind::Deduction, charge.posted_at) });
        let refunds: Vec<_> = refunds.iter().copied().filter(|refund| refund.charge_id == charge.id).collect();
        for row in without_refund(&charge.id, noticed, &refunds) {
            lines.push(UsageEntry { note: row.cause.clone(), ..line(EntryKind::Detection, row.detected_at) });
        }
        let (mut told, mut open) = (Vec::new(), charge.total.max(0));
        for refund in refunds {
            if let Some(at) = refund.detected_at.filter(|at| !told.contains(at)) {
                told.push(at);
                let note = refund.cause.clone().unwrap_or_default();
                lines.push(UsageEntry { note, ..line(EntryKind::Detection, at) });
            }
            let valid = valid_amount(refund, charge, scope);
            let counts = valid.min(open);
            open -= counts;
            lines.push(UsageEntry {
                refund_id: Some(refund.id.clone()),
                credits: -counts,
                note: why_not(refund, valid, counts),
                parts: refund.lines.clone(),
                ..line(EntryKind::Refund, refund.posted_at)
            });
        }
    }
    lines
}

/// What was noticed of a charge and is not told by one of its refunds: one for an instant and a cause, of
/// however many items.
fn without_refund<'a>(charge: &ChargeId, noticed: &'a [Detection], refunds: &[&Refund]) -> Vec<&'a Detection> {
    let mut told: Vec<&Detection> = Vec::new();
    for row in noticed.iter().filter(|row| row.charge_id.as_ref() == Some(charge)) {
        let is_told = |other: &&Detection| (other.detected_at, &other.cause) == (row.detected_at, &row.cause);
        if !told.iter().any(is_told) && !refunds.iter().any(|refund| refund.detected_at == Some(row.detected_at)) {
            told.push(row);
        }
    }
    told
}

/// Why all or a part of a refund does not count; empty where it does.
fn why_not(refund: &Refund, valid: Credits, counts: Credits) -> String {
    let posted = refund.lines.iter().fold(0, |sum: Credits, line| sum.saturating_add(line.amount));
    if refund.state == RefundState::Reversed {
        format!("{posted} reversed: settles nothing")
    } else if valid < posted {
        format!("{} went to a balance that did not give: settles nothing", posted - valid)
    } else if counts < valid {
        format!("{} more than the charge took: settles nothing", valid - counts)
    } else {
        String::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::world::{RunKit, World};
    use crate::matching::logical_runs;
    use crate::ports::DetectionKind;

    #[test]
    fn the_lines_add_up_to_the_one_figure() {
        let charged = || RunKit::new("r", 6).items(2).charge(&[("q", 50), ("w", 40)]);
        let table = [
            ("nothing came back", charged(), 90, ""),
            ("an item came back", charged().refund(1, &[2], &[("q", 45)]), 45, ""),
            ("all came back", charged().refund(1, &[], &[("q", 50), ("w", 40)]), 0, ""),
            ("reversed", charged().refund(1, &[2], &[("q", 45)]).reversed(), 90, "45 reversed"),
            ("to a stranger", charged().refund(1, &[2], &[("stranger_q", 45)]), 90, "45 went to a balance"),
            (
                "partly to a stranger",
                charged().refund(1, &[2], &[("q", 20), ("stranger_q", 25)]),
                70,
                "25 went to a balance",
            ),
            (
                "paid by two hands",
                charged().refund(1, &[], &[("q", 50), ("w", 40)]).refund(1, &[], &[("q", 50), ("w", 40)]),
                0,
                "90 more than the charge took",
            ),
            ("two charges", charged().charge(&[("w", 90)]).refund(2, &[], &[("w", 90)]), 90, ""),
        ];
        for (name, kit, want, note) in table {
            let world = World::of([kit]);
            let runs = logical_runs(&world.scope);
            let lines = entries(&runs[0], &world.scope, &[]);
            assert_eq!(lines.iter().map(|line| line.credits).sum::<Credits>(), want, "{name}");
            assert_eq!(billable(&runs[0], &world.scope, &world.policy), want, "{name}");
            let notes: String = lines.iter().map(|line| line.note.as_str()).collect();
            assert!(notes.starts_with(note) && notes.is_empty() == note.is_empty(), "{name}: {notes}");
        }
    }

    #[test]
    fn a_refund_tells_when_and_why_it_was_noticed() {
        let kit = RunKit::new("r", 6).charge(&[("q", 90)]).refund(1, &[1], &[("q", 90)]).edit(|row| {
            row.refunds[0].detected_at = Some(row.refunds[0].posted_at);
            row.refunds[0].cause = Some("upload_failed".to_owned());
        });
        let world = World::of([kit]);
        let lines = entries(&logical_runs(&world.scope)[0], &world.scope, &[]);
        let kinds: Vec<_> = lines.iter().map(|line| (line.kind, line.note.as_str())).collect();
        let want = [(EntryKind::Deduction, ""), (EntryKind::Detection, "upload_failed"), (EntryKind::Refund, "")];
        assert_eq!(kinds, want);
    }

    #[test]
    fn what_ended_without_a_refund_was_noticed_all_the_same() {
        let kit = RunKit::new("r", 6).items(3).charge(&[("q", 90)]).refund(1, &[3], &[("q", 30)]).edit(|row| {
            row.refunds[0].detected_at = Some(row.refunds[0].posted_at);
            row.refunds[0].cause = Some("provider_failed".to_owned());
        });
        let world = World::of([kit]);
        let runs = logical_runs(&world.scope);
        let (charge, refunded_at) = (runs[0].charges()[0], runs[0].refunds()[0].posted_at);
        let noticed = |item: u32, detected_at, cause: &str, charge_id: &ChargeId| Detection {
            kind: DetectionKind::Orphan,
            subject: charge_id.0.clone(),
            item,
            run_id: charge.run_id.clone(),
            charge_id: Some(charge_id.clone()),
            output_id: None,
            cause: cause.to_owned(),
            detail: String::new(),
            detected_at,
            closed_at: Some(refunded_at),
        };
        let early = charge.posted_at;
        let rows = [
            noticed(1, early, "upload_failed", &charge.id),
            noticed(2, early, "upload_failed", &charge.id),
            noticed(1, early, "webhook_lost", &ChargeId::new("chg_else")),
            noticed(3, refunded_at, "provider_failed", &charge.id),
        ];
        let lines = entries(&runs[0], &world.scope, &rows);
        let told: Vec<_> = lines.iter().map(|line| (line.kind, line.at, line.note.as_str())).collect();
        let want = [
            (EntryKind::Deduction, early, ""),
            (EntryKind::Detection, early, "upload_failed"),
            (EntryKind::Detection, refunded_at, "provider_failed"),
            (EntryKind::Refund, refunded_at, ""),
        ];
        assert_eq!(told, want, "two items brought, one refunded");
    }
}
