//! The rows of the verdict table that say "as below" (P3, P4, P8, P9, P13): item by item, recovery
//! first, credits where the file cannot be had, and waiting while the reconciler or the provider may
//! still settle it.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::items::{Fate, ItemView};
use super::money::Restored;
use super::{ChargeRestoration, Flag, ItemActionKind, Look, Remedy, Verdict};
use crate::ids::OutputId;
use crate::money::Credits;

/// What is done for one run.
#[derive(Clone, Debug)]
pub(super) struct Treatment {
    pub remedy: Remedy,
    pub actions: Vec<(u32, ItemActionKind, Credits)>,
    pub restorations: Vec<ChargeRestoration>,
    pub flags: BTreeSet<Flag>,
    pub follow_up_at: Option<Timestamp>,
    pub misplaced: Vec<OutputId>,
}

impl Treatment {
    pub(super) fn new(remedy: Remedy) -> Self {
        Self {
            remedy,
            actions: Vec::new(),
            restorations: Vec::new(),
            flags: BTreeSet::new(),
            follow_up_at: None,
            misplaced: Vec::new(),
        }
    }

    pub(super) fn each(mut self, items: impl IntoIterator<Item = u32>, action: ItemActionKind) -> Self {
        self.actions.extend(items.into_iter().map(|item| (item, action, 0)));
        self
    }

    fn wait_until(&mut self, at: Timestamp) {
        self.follow_up_at = Some(self.follow_up_at.map_or(at, |other| other.min(at)));
    }
}

/// Verdicts that the reconciler repairs within its window (marked R in the table).
pub(super) fn is_repaired(verdict: Verdict) -> bool {
    matches!(
        verdict,
        Verdict::CancelledBeforeStart
            | Verdict::PartialBatch
            | Verdict::NeverSubmitted
            | Verdict::InProgress
            | Verdict::ProviderStalled
            | Verdict::ProviderFiltered
            | Verdict::ProviderFailed
            | Verdict::StorageQuotaExceeded
            | Verdict::UploadFailed
            | Verdict::WebhookLost
    )
}

/// What is meant for one item, before room and remedies are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Means {
    Fetch,
    Restore,
    Wait(Timestamp),
    /// Costs nothing and cannot be had.
    Nothing,
}

/// "As below": nothing owed, nothing done; in the window, wait (or P3's exception); else each owed item
/// is recovered or held if its file exists, and restored if not.
pub(super) fn as_below(look: &Look<'_>, verdict: Verdict) -> Treatment {
    let open: Vec<&ItemView<'_>> = look.missing().filter(|item| is_open(look, item.item)).collect();
    if open.is_empty() {
        return Treatment::new(Remedy::NoneAlreadyRefunded)
            .each(look.missing().map(|item| item.item), ItemActionKind::None);
    }
    let waiting = look.waits_for_reconciler(verdict);
    let means: Vec<(&ItemView<'_>, Means)> = open
        .into_iter()
        .map(|item| (item, if waiting { in_window(look, item) } else { act(look, verdict, item) }))
        .collect();
    carry_out(look, verdict, &means)
}

/// Not settled: something is owed, or it is free of charge and was never refunded.
fn is_open(look: &Look<'_>, item: u32) -> bool {
    look.money.owed(item) > 0 || look.money.standing(item) == 0
}

/// A file of which nothing has been refunded; otherwise the customer would have both (P4).
pub(super) fn can_fetch(look: &Look<'_>, item: &ItemView<'_>) -> bool {
    let at_hand = item.fate == Fate::Obtainable || (item.is_held() && !item.is_stored());
    at_hand && !look.is_lost(item.item) && look.money.standing(item.item) == 0
}

/// P3: wait, except for a file that would be gone before the window ends.
fn in_window(look: &Look<'_>, item: &ItemView<'_>) -> Means {
    let end = look.window_end();
    let dies_first = item.made.as_ref().and_then(|made| made.deadline).is_some_and(|deadline| deadline < end);
    if can_fetch(look, item) && dies_first { Means::Fetch } else { Means::Wait(end) }
}

fn act(look: &Look<'_>, verdict: Verdict, item: &ItemView<'_>) -> Means {
    if can_fetch(look, item) {
        return Means::Fetch;
    }
    let payable = if look.money.owed(item.item) > 0 { Means::Restore } else { Means::Nothing };
    match item.fate {
        Fate::Unrecognised => {
            let end = look.lookup_end();
            let days = look.policy.lookup.retry_business_days;
            let again = look.policy.calendar.after_business_days(look.now, days);
            Means::Wait(if look.now < end { end } else { again })
        }
        Fate::Unknown if look.now < look.lookup_end() => Means::Wait(look.lookup_end()),
        Fate::Nothing if verdict != Verdict::CancelledBeforeStart && look.may_be_submitted() => {
            Means::Wait(look.window_end())
        }
        Fate::Running if look.now < look.stall_end() => Means::Wait(look.stall_end()),
        Fate::Unknown | Fate::Running | Fate::Obtainable | Fate::Nothing => payable,
    }
}

fn carry_out(look: &Look<'_>, verdict: Verdict, means: &[(&ItemView<'_>, Means)]) -> Treatment {
    let of = |wanted: Means| means.iter().filter(move |(_, means)| *means == wanted).map(|(item, _)| *item);
    let fetched: Vec<&ItemView<'_>> = of(Means::Fetch).collect();
    let paid: Vec<&ItemView<'_>> = of(Means::Restore).collect();
    let numbers: Vec<u32> = paid.iter().map(|item| item.item).collect();
    let restored = look.money.restore(&numbers, look.scope(), look.now);
    let fetch = fetching(look, &fetched);
    let mut treatment = Treatment::new(Remedy::NoneNotCharged);
    for (item, means) in means {
        let (action, credits) = match means {
            Means::Fetch => (fetch.action, 0),
            Means::Restore => match restored.of_item(item.item) {
                0 => (ItemActionKind::None, 0),
                credits => (ItemActionKind::Restore, credits),
            },
            Means::Wait(_) => (ItemActionKind::Wait, 0),
            Means::Nothing => (ItemActionKind::None, 0),
        };
        treatment.actions.push((item.item, action, credits));
        if let Means::Wait(until) = means {
            treatment.wait_until(*until);
        }
    }
    if let Some(until) = fetch.held_until {
        treatment.wait_until(until);
    }
    let waits = means.iter().any(|(_, means)| matches!(means, Means::Wait(_)));
    treatment.remedy = word(&fetched, fetch.action, &restored).unwrap_or_else(|| waiting(look, verdict, waits));
    treatment.flags.extend(fetch.flags);
    treatment.flags.extend(given_up(&paid, &restored));
    treatment.flags.extend(restored.flags.iter().copied());
    treatment.restorations = restored.charges;
    treatment
}

/// Why an item is paid although the provider never said its last word.
fn given_up(paid: &[&ItemView<'_>], restored: &Restored) -> BTreeSet<Flag> {
    let given = |fate: Fate| paid.iter().any(|item| item.fate == fate && restored.of_item(item.item) > 0);
    let running = given(Fate::Running).then_some(Flag::CancelUpstream);
    running.into_iter().chain(given(Fate::Unknown).then_some(Flag::ProviderUnconfirmed)).collect()
}

fn word(fetched: &[&ItemView<'_>], action: ItemActionKind, restored: &Restored) -> Option<Remedy> {
    match (fetched.is_empty(), restored.total() > 0) {
        (false, true) => Some(Remedy::RecoverAssetAndRestoreCredits),
        (false, false) if action == ItemActionKind::Hold => Some(Remedy::HoldAsset),
        (false, false) => Some(Remedy::RecoverAsset),
        (true, true) => Some(Remedy::RestoreCredits),
        (true, false) => None,
    }
}

/// The word for a run for which nothing is done now.
fn waiting(look: &Look<'_>, verdict: Verdict, waits: bool) -> Remedy {
    if !waits {
        return if look.money.charges.iter().all(|view| view.charge.total <= 0) {
            Remedy::NoneNotCharged
        } else {
            Remedy::NoneAlreadyRefunded
        };
    }
    let unknown = look.missing().any(|item| matches!(item.fate, Fate::Unknown | Fate::Unrecognised));
    match verdict {
        Verdict::InProgress | Verdict::ProviderStalled => Remedy::WaitInProgress,
        Verdict::ProviderUnreachable => Remedy::RetryProviderLookup,
        _ if look.waits_for_reconciler(verdict) => Remedy::WaitForReconciler,
        _ if unknown => Remedy::RetryProviderLookup,
        _ => Remedy::WaitInProgress,
    }
}

/// Whether files can be put where they belong, or are kept by support for the time being (P13).
#[derive(Clone, Debug)]
pub(super) struct Fetching {
    pub action: ItemActionKind,
    pub held_until: Option<Timestamp>,
    pub flags: BTreeSet<Flag>,
}

/// Files are fetched into the project if it exists and the account has room for all of them together;
/// otherwise all are held. One answer for all keeps the remedy one word, and spares the customer a batch
/// of which an arbitrary part was let in.
pub(super) fn fetching(look: &Look<'_>, fetched: &[&ItemView<'_>]) -> Fetching {
    let mut flags = BTreeSet::new();
    if fetched.is_empty() {
        return Fetching { action: ItemActionKind::Recover, held_until: None, flags };
    }
    let urgent = look.now.saturating_add(look.policy.urgent()).unwrap_or(Timestamp::MAX);
    let soon = |item: &&ItemView<'_>| {
        item.made.as_ref().and_then(|made| made.deadline).is_some_and(|deadline| deadline <= urgent)
    };
    if fetched.iter().any(soon) {
        flags.insert(Flag::UrgentRetention);
    }
    let gone = look.is_project_gone();
    let full = !gone && !has_room(look, fetched);
    if full {
        flags.insert(Flag::NeedsStorageSpace);
    }
    if gone || full {
        let until = look.now.saturating_add(look.policy.hold()).unwrap_or(Timestamp::MAX);
        return Fetching { action: ItemActionKind::Hold, held_until: Some(until), flags };
    }
    Fetching { action: ItemActionKind::Recover, held_until: None, flags }
}

fn has_room(look: &Look<'_>, fetched: &[&ItemView<'_>]) -> bool {
    let Some(account) = look.scope().account(look.run.account_id()) else { return true };
    let megabyte = i128::from(look.policy.storage.bytes_per_mb);
    let free = (i128::from(account.storage_quota_mb) - i128::from(account.storage_used_mb)) * megabyte;
    let sizes = fetched.iter().filter_map(|item| item.made.as_ref()).map(|made| i128::from(made.bytes));
    free > 0 && sizes.sum::<i128>() <= free
}
