//! Several matched runs, one answer.
//!
//! P2 matches several runs where the ticket is about as many ("both clips"), so the remedy, the item
//! actions, the credits, the billable figure, the deadlines and the flags are those of all of them
//! together: exactly one ticket is answered, and nothing of it may be lost. A verdict is one word; it is
//! that of the earliest run for which something is done now, else of the earliest that waits, else of
//! the earliest, so that verdict and remedy belong together. An incident goes before everything (P11).

use std::collections::BTreeSet;

use super::items::Fate;
use super::{Diagnosis, Evidence, Flag, LateResult, Remedy, RunFinding, Verdict};
use super::{points, reasons};
use crate::money::Credits;

/// Puts the findings, the earliest first, together. With none there is nothing to put together; the
/// caller has answered `no_match` before.
pub(super) fn combine(findings: Vec<RunFinding<'_>>, evidence: &Evidence<'_>) -> Diagnosis {
    let lead = findings.iter().min_by_key(|finding| rank(finding));
    let Some(lead) = lead else { return super::without_run::no_match(evidence) };
    let remedy = remedy(lead, &findings);
    let mut flags: BTreeSet<Flag> = evidence.run_match.flags.iter().copied().collect();
    flags.extend(findings.iter().flat_map(|finding| finding.flags.iter().copied()));
    let mut ids = findings.iter().map(|finding| finding.look.run.id().clone());
    Diagnosis {
        verdict: lead.verdict,
        remedy,
        matched_run: ids.next(),
        additional_runs: ids.collect(),
        item_actions: findings.iter().flat_map(|finding| finding.actions.iter().cloned()).collect(),
        restorations: findings.iter().flat_map(|finding| finding.restorations.iter().cloned()).collect(),
        run_billable_after: Some(
            findings.iter().fold(0, |sum: Credits, finding| sum.saturating_add(billable(finding))),
        ),
        retention_deadline: findings.iter().filter_map(|finding| finding.look.retention().0).min(),
        late_results: findings.iter().flat_map(late_results).collect(),
        follow_up_at: findings.iter().filter_map(|finding| finding.follow_up_at).min(),
        message_points: points::points(lead, remedy, &findings, &flags),
        flags,
        linked_ticket: findings.iter().find_map(|finding| finding.linked_ticket.clone()),
        misplaced_outputs: findings.iter().flat_map(|finding| finding.misplaced.iter().cloned()).collect(),
        reasons: reasons::reasons(&findings, evidence),
        would_change: reasons::would_change(&findings),
    }
}

/// The missing items of a refunded run of which there is a file, with its provider, with us, or held back.
pub(super) fn late_results<'a>(finding: &'a RunFinding<'_>) -> impl Iterator<Item = LateResult> + 'a {
    let late = finding.remedy == Remedy::NoneAlreadyRefunded && finding.verdict != Verdict::DuplicateCharge;
    let items = finding.look.missing().filter(move |item| late && (item.fate == Fate::Obtainable || item.is_held()));
    items.map(|item| LateResult { run: finding.look.run.id().clone(), item: item.item })
}

/// P5: charges minus valid refunds minus what is restored now.
pub(super) fn billable(finding: &RunFinding<'_>) -> Credits {
    let lines = finding.restorations.iter().flat_map(|charge| &charge.lines);
    lines.fold(finding.look.money.billable(), |left, line| left.saturating_sub(line.amount))
}

/// An incident, then what is done now, then what waits, then what is left as it is.
fn rank(finding: &RunFinding<'_>) -> u8 {
    if finding.verdict == Verdict::MisattributedOtherCustomer && finding.remedy != Remedy::LinkToTicket {
        return 0;
    }
    match finding.remedy {
        Remedy::RecoverAsset
        | Remedy::RestoreCredits
        | Remedy::RecoverAssetAndRestoreCredits
        | Remedy::HoldAsset
        | Remedy::Reattach
        | Remedy::QuarantineAndRecover
        | Remedy::QuarantineAndIncident => 1,
        Remedy::WaitForReconciler | Remedy::WaitInProgress | Remedy::RetryProviderLookup => 2,
        Remedy::LinkToTicket => 3,
        Remedy::GuideToAsset => 4,
        Remedy::NoneAlreadyRefunded
        | Remedy::NoneDelivered
        | Remedy::NoneNotEligible
        | Remedy::NoneNotCharged
        | Remedy::AskForDetails
        | Remedy::VerifyIdentity
        | Remedy::RouteToBilling => 5,
    }
}

/// The leading remedy; with files for one run and credits for another, the word for both.
fn remedy(lead: &RunFinding<'_>, findings: &[RunFinding<'_>]) -> Remedy {
    let files = |remedy: Remedy| {
        matches!(remedy, Remedy::RecoverAsset | Remedy::HoldAsset | Remedy::RecoverAssetAndRestoreCredits)
    };
    let credits = |remedy: Remedy| matches!(remedy, Remedy::RestoreCredits | Remedy::RecoverAssetAndRestoreCredits);
    if !files(lead.remedy) && !credits(lead.remedy) {
        return lead.remedy;
    }
    let any = |test: &dyn Fn(Remedy) -> bool| findings.iter().any(|finding| test(finding.remedy));
    match (any(&files), any(&credits)) {
        (true, true) => Remedy::RecoverAssetAndRestoreCredits,
        (true, false) if any(&|remedy| remedy == Remedy::RecoverAsset) => Remedy::RecoverAsset,
        _ => lead.remedy,
    }
}
