//! Which points the answer to the customer makes, in the order in which it makes them.

use std::collections::BTreeSet;

use super::combine::late_results;
use super::items::{Fate, Had};
use super::{Flag, ItemActionKind, MessagePoint, Remedy, RunFinding, Verdict};
use crate::ledger::AccountKind;

use MessagePoint as P;

/// The points for the remedy, then those that several runs, flags and balances add. Somebody who is no
/// longer a member gets one point alone (P11).
pub(super) fn points(
    lead: &RunFinding<'_>,
    remedy: Remedy,
    findings: &[RunFinding<'_>],
    flags: &BTreeSet<Flag>,
) -> Vec<MessagePoint> {
    if flags.contains(&Flag::RequesterNotMember) {
        return vec![P::HandledWithWorkspaceOwner];
    }
    let mut set: BTreeSet<MessagePoint> = BTreeSet::from([P::ConfirmRun]);
    set.extend(plain(lead, remedy));
    for finding in findings {
        set.extend(by_run(finding, remedy));
    }
    for (flag, point) in [
        (Flag::QuotaPeriodRolled, P::RestoredToCurrentPeriod),
        (Flag::SubscriptionEnded, P::RestoredToWallet),
        (Flag::NeedsStorageSpace, P::FreeSpaceNeeded),
        (Flag::PrivacyIncident, P::PrivacyReviewOpened),
    ] {
        if flags.contains(&flag) && remedy != Remedy::LinkToTicket {
            set.insert(point);
        }
    }
    let mut points: Vec<MessagePoint> = set.into_iter().collect();
    // First what is waited for, then until when.
    points.sort_by_key(|point| match point {
        P::WaitUntil => (P::ProviderLookupPending, true),
        other => (*other, false),
    });
    points
}

/// What the leading run's verdict and the remedy call for.
fn plain(lead: &RunFinding<'_>, remedy: Remedy) -> Vec<MessagePoint> {
    let cause = match lead.verdict {
        Verdict::CancelledAfterStart => P::CancelKeepsCharge,
        Verdict::ProjectDeleted => P::DeletedProjectKeepsCharge,
        _ => P::WhatHappened,
    };
    match remedy {
        Remedy::RecoverAsset
        | Remedy::RestoreCredits
        | Remedy::RecoverAssetAndRestoreCredits
        | Remedy::HoldAsset
        | Remedy::NoneAlreadyRefunded => vec![cause],
        Remedy::Reattach | Remedy::QuarantineAndRecover => vec![P::WhatHappened, P::AssetMovedToRightPlace],
        Remedy::QuarantineAndIncident => vec![P::WhatHappened],
        Remedy::GuideToAsset if lead.verdict == Verdict::CancelledAfterStart => vec![cause, P::AssetLocation],
        Remedy::GuideToAsset => vec![P::AssetLocation, P::DragBackFree],
        Remedy::WaitForReconciler => vec![P::WhatHappened, P::WaitUntil],
        Remedy::WaitInProgress => vec![P::StillRunning, P::WaitUntil],
        Remedy::RetryProviderLookup => vec![P::ProviderLookupPending, P::WaitUntil],
        Remedy::NoneDelivered => vec![P::AssetLocation, P::DeliveredNotRefundable],
        Remedy::NoneNotEligible => vec![cause],
        Remedy::NoneNotCharged => vec![P::NotCharged],
        Remedy::LinkToTicket => vec![P::LinkedToExistingTicket],
        Remedy::AskForDetails => vec![P::AskDetails],
        Remedy::VerifyIdentity => vec![P::VerifyIdentity],
        Remedy::RouteToBilling => vec![P::RoutedToBilling],
    }
}

/// What the actions and postings of one run call for.
fn by_run(finding: &RunFinding<'_>, remedy: Remedy) -> Vec<MessagePoint> {
    let mut points = Vec::new();
    if remedy == Remedy::LinkToTicket {
        return points;
    }
    let does = |kind: ItemActionKind| finding.actions.iter().any(|action| action.action == kind);
    if does(ItemActionKind::Recover) {
        points.push(P::AssetRecoveredNoRerun);
    }
    if does(ItemActionKind::Hold) {
        points.push(P::AssetOnHoldUntil);
    }
    if does(ItemActionKind::Reattach) {
        points.push(P::AssetMovedToRightPlace);
    }
    if does(ItemActionKind::Wait) && finding.remedy != Remedy::WaitForReconciler {
        points.push(P::WaitUntil);
    }
    if !finding.restorations.is_empty() {
        points.extend(credits(finding));
    }
    if finding.remedy == Remedy::NoneAlreadyRefunded || has_refund(finding) {
        points.push(P::RefundAlreadyPosted);
    }
    if late_results(finding).next().is_some() {
        points.push(P::RedebitNeededForAsset);
    }
    if is_mixed(finding) {
        points.push(P::PartialItemsExplained);
    }
    points
}

/// A batch whose items came to different ends, so that each has to be told.
fn is_mixed(finding: &RunFinding<'_>) -> bool {
    let stored = finding.look.items.iter().filter(|item| item.is_stored()).count();
    let kinds: BTreeSet<_> = finding.actions.iter().map(|action| action.action).collect();
    match finding.verdict {
        Verdict::PartialBatch => true,
        Verdict::DeliveredOk | Verdict::DeliveredNotOnCanvas | Verdict::DuplicateCharge => false,
        _ => (stored > 0 && stored < finding.look.items.len()) || kinds.len() > 1,
    }
}

fn credits(finding: &RunFinding<'_>) -> Vec<MessagePoint> {
    let mut points = vec![P::CreditsRestored];
    let look = &finding.look;
    if look.scope().account(look.run.account_id()).is_some_and(|account| account.kind == AccountKind::Workspace) {
        points.push(P::CreditsToWorkspace);
    }
    if finding.verdict == Verdict::DuplicateCharge {
        points.push(P::DuplicateChargeRemoved);
        return points;
    }
    points.push(P::ExcludedFromBillableTotal);
    let gone = |item: u32| {
        look.items.iter().any(|view| {
            view.item == item
                && view.fate == Fate::Nothing
                && view.made.as_ref().is_some_and(|made| made.had == Had::Gone)
        })
    };
    let restored = finding.actions.iter().filter(|action| action.action == ItemActionKind::Restore);
    if restored.into_iter().any(|action| gone(action.item)) {
        points.push(P::FileNoLongerRetained);
    }
    points
}

/// A delivered run that has been refunded all the same: the customer should hear of it.
fn has_refund(finding: &RunFinding<'_>) -> bool {
    let look = &finding.look;
    matches!(finding.remedy, Remedy::NoneDelivered | Remedy::GuideToAsset)
        && look.items.iter().any(|item| look.money.standing(item.item) > 0)
}
