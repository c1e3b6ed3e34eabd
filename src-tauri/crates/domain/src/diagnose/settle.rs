//! From verdict to remedy for one run: the rows of the verdict table that name their own remedy, what
//! older tickets change about it, and the flags.

use std::collections::BTreeSet;

use super::items::{ItemView, Lies, lies};
use super::remedy::{Treatment, as_below, can_fetch, fetching};
use super::{Flag, ItemAction, ItemActionKind, Look, Remedy, RunFinding, Verdict};
use super::{tickets, verdict};
use crate::ids::OutputId;

/// Decides one run.
pub(super) fn settle(look: Look<'_>) -> RunFinding<'_> {
    let verdict = verdict::verdict(&look);
    let older = tickets::older(&look);
    let mut treatment = match &older.open {
        Some(_) => Treatment::new(Remedy::LinkToTicket),
        None => treat(&look, verdict),
    };
    treatment.flags.extend(flags(&look));
    if verdict == Verdict::NotCharged {
        // Nothing is owed, and what lies at somebody else's is an incident all the same (P11).
        treatment.misplaced = at_others(&look);
    }
    if older.closed && is_unremedied(treatment.remedy) {
        treatment.flags.insert(Flag::Reopened);
    }
    let run = look.run.id();
    let mut actions: Vec<ItemAction> = treatment
        .actions
        .into_iter()
        .map(|(item, action, credits)| ItemAction { run: run.clone(), item, action, credits })
        .collect();
    actions.sort_by_key(|action| action.item);
    RunFinding {
        verdict,
        remedy: treatment.remedy,
        actions,
        restorations: treatment.restorations,
        flags: treatment.flags,
        follow_up_at: treatment.follow_up_at,
        linked_ticket: older.open,
        misplaced: treatment.misplaced,
        look,
    }
}

fn treat(look: &Look<'_>, verdict: Verdict) -> Treatment {
    match verdict {
        Verdict::NotCharged => Treatment::new(Remedy::NoneNotCharged),
        Verdict::MisattributedOtherCustomer => other_customer(look),
        Verdict::DuplicateCharge => duplicate(look),
        Verdict::CancelledAfterStart => cancelled(look),
        Verdict::ProjectDeleted => project_deleted(look),
        Verdict::MisattributedSameCustomer => same_customer(look),
        Verdict::DeliveredNotOnCanvas => Treatment::new(Remedy::GuideToAsset)
            .each(with(look, |item| item.lies == Some(Lies::OffCanvas)), ItemActionKind::Guide),
        Verdict::DeliveredOk => Treatment::new(Remedy::NoneDelivered).each(with(look, |_| true), ItemActionKind::None),
        _ => as_below(look, verdict),
    }
}

fn with<'i>(look: &'i Look<'_>, test: impl Fn(&ItemView<'_>) -> bool + 'i) -> impl Iterator<Item = u32> + 'i {
    look.items.iter().filter(move |item| test(item)).map(|item| item.item)
}

fn is_refunded(look: &Look<'_>, item: u32) -> bool {
    look.money.standing(item) > 0
}

/// P11: every stray output is made unreachable; it goes to its owner, unless the item has been refunded
/// or the owner has a whole copy already.
fn other_customer(look: &Look<'_>) -> Treatment {
    let astray = |output: &&crate::work::Output| lies(output, &look.run, look.scope()) == Lies::OtherAccount;
    let mut treatment = Treatment::new(Remedy::QuarantineAndIncident);
    let mut fetched = Vec::new();
    for item in look.items.iter().filter(|item| item.outputs.iter().any(&astray)) {
        let refunded = is_refunded(look, item.item);
        let action = match item.lies {
            Some(Lies::OtherAccount) if !refunded => ItemActionKind::Reattach,
            None if can_fetch(look, item) => {
                fetched.push(item);
                continue;
            }
            _ => ItemActionKind::Quarantine,
        };
        treatment.actions.push((item.item, action, 0));
    }
    let fetch = fetching(look, &fetched);
    treatment.actions.extend(fetched.iter().map(|item| (item.item, fetch.action, 0)));
    treatment.flags = fetch.flags;
    treatment.follow_up_at = fetch.held_until;
    if treatment.actions.iter().any(|(_, action, _)| *action != ItemActionKind::Quarantine) {
        treatment.remedy = Remedy::QuarantineAndRecover;
    }
    treatment.misplaced = at_others(look);
    treatment
}

/// Outputs of the run in projects of other accounts.
fn at_others(look: &Look<'_>) -> Vec<OutputId> {
    let strays = look.run.outputs().filter(|row| lies(row, &look.run, look.scope()) == Lies::OtherAccount);
    strays.map(|row| row.id.clone()).collect()
}

/// All but one charge, wholly. An item that is still missing is decided once this is posted.
fn duplicate(look: &Look<'_>) -> Treatment {
    let restored = look.money.restore_whole(&look.money.surplus(), look.scope(), look.now);
    let remedy = if restored.total() > 0 { Remedy::RestoreCredits } else { Remedy::NoneAlreadyRefunded };
    let mut treatment = Treatment::new(remedy).each(with(look, |_| true), ItemActionKind::None);
    treatment.flags = restored.flags;
    treatment.restorations = restored.charges;
    treatment
}

/// P10: the charge stands, but a finished file is handed over. Not the reconciler's, so at once.
fn cancelled(look: &Look<'_>) -> Treatment {
    let fetched: Vec<&ItemView<'_>> = look.missing().filter(|item| can_fetch(look, item)).collect();
    if !fetched.is_empty() {
        return fetch_only(look, &fetched, |item| !item.is_stored());
    }
    if look.items.iter().any(ItemView::is_stored) {
        return Treatment::new(Remedy::GuideToAsset).each(with(look, |item| item.is_stored()), ItemActionKind::Guide);
    }
    nothing_due(look)
}

/// P10, P13: the charge stands, and what there is of the run is kept for a while.
fn project_deleted(look: &Look<'_>) -> Treatment {
    let kept: Vec<&ItemView<'_>> = look
        .items
        .iter()
        .filter(|item| can_fetch(look, item) || (item.is_stored() && !is_refunded(look, item.item)))
        .collect();
    if kept.is_empty() { nothing_due(look) } else { fetch_only(look, &kept, |_| true) }
}

/// Files are fetched; the other items that `listed` names get nothing.
fn fetch_only(look: &Look<'_>, fetched: &[&ItemView<'_>], listed: impl Fn(&ItemView<'_>) -> bool) -> Treatment {
    let fetch = fetching(look, fetched);
    let is_held = fetch.action == ItemActionKind::Hold;
    let mut treatment = Treatment::new(if is_held { Remedy::HoldAsset } else { Remedy::RecoverAsset });
    for item in look.items.iter().filter(|item| listed(item)) {
        let is_fetched = fetched.iter().any(|other| other.item == item.item);
        treatment.actions.push((item.item, if is_fetched { fetch.action } else { ItemActionKind::None }, 0));
    }
    treatment.flags = fetch.flags;
    treatment.follow_up_at = fetch.held_until;
    treatment
}

/// The charge stands and there is nothing to hand over; or it was given back all the same.
fn nothing_due(look: &Look<'_>) -> Treatment {
    let refunded = look.money.charges.iter().any(|view| view.charge.total > 0)
        && look.items.iter().all(|item| look.money.owed(item.item) == 0);
    let remedy = if refunded { Remedy::NoneAlreadyRefunded } else { Remedy::NoneNotEligible };
    Treatment::new(remedy).each(with(look, |_| true), ItemActionKind::None)
}

/// Items in the wrong place of the same account are moved; one that was refunded meanwhile stays where
/// it is, because the refund was its remedy (P4).
fn same_customer(look: &Look<'_>) -> Treatment {
    let is_astray = |item: &&ItemView<'_>| matches!(item.lies, Some(Lies::OtherNode | Lies::OtherProject));
    let mut treatment = Treatment::new(Remedy::NoneAlreadyRefunded);
    for item in look.items.iter().filter(is_astray) {
        if is_refunded(look, item.item) {
            treatment.actions.push((item.item, ItemActionKind::None, 0));
        } else {
            treatment.remedy = Remedy::Reattach;
            treatment.actions.push((item.item, ItemActionKind::Reattach, 0));
            treatment.misplaced.extend(stray(look, item));
        }
    }
    treatment
}

/// The stored output of an item that lies best, which is the one to move.
fn stray(look: &Look<'_>, item: &ItemView<'_>) -> Option<OutputId> {
    let best = item.outputs.iter().filter(|row| row.state == crate::work::OutputState::Stored && row.bytes > 0);
    best.min_by_key(|row| lies(row, &look.run, look.scope())).map(|row| row.id.clone())
}

/// Flags that follow from the rows, whatever is done.
fn flags(look: &Look<'_>) -> BTreeSet<Flag> {
    let mut flags = BTreeSet::new();
    let mut set = |holds: bool, flag: Flag| {
        if holds {
            flags.insert(flag);
        }
    };
    set(!at_others(look).is_empty(), Flag::PrivacyIncident);
    set(look.retention().1, Flag::RetentionAssumed);
    set(!look.money.wrong_balance.is_empty(), Flag::WrongBalanceRefund);
    set(!tickets::is_insider(look), Flag::RequesterNotMember);
    flags
}

/// Whether the remedy says that the run was left without one (P12).
fn is_unremedied(remedy: Remedy) -> bool {
    matches!(
        remedy,
        Remedy::RecoverAsset
            | Remedy::RestoreCredits
            | Remedy::RecoverAssetAndRestoreCredits
            | Remedy::HoldAsset
            | Remedy::Reattach
            | Remedy::QuarantineAndRecover
            | Remedy::QuarantineAndIncident
            | Remedy::WaitForReconciler
            | Remedy::WaitInProgress
            | Remedy::RetryProviderLookup
    )
}
