//! When a run is looked at again, and what is left to people.

use jiff::{SignedDuration, Timestamp};

use super::{Tried, View, detect, steps};
use crate::diagnose::items::{Fate, ItemView};
use crate::diagnose::{ItemActionKind, Verdict};
use crate::policy::Policy;
use crate::ports::NextLook;

/// What comes after this look.
pub(super) fn next_look(view: &View<'_>) -> NextLook {
    if view.is_for_people() {
        return NextLook::Parked { why: for_people(view).unwrap_or_else(|| "charged more than once".to_owned()) };
    }
    if waits(view) {
        return NextLook::At { at: again_at(view) };
    }
    if let Some(why) = for_people(view) {
        return NextLook::Parked { why };
    }
    NextLook::Done
}

/// Whether time, a provider, or another's lease may still settle something.
fn waits(view: &View<'_>) -> bool {
    let by_rule = view.diagnosis.item_actions.iter().any(|row| row.action == ItemActionKind::Wait);
    let by_try = view.items.iter().any(|item| {
        let refused = view.tried(item.item) == Some(Tried::Refused);
        (refused && !item.is_stored()) || is_tried_again(view, item)
    });
    by_rule || by_try || may_be_handed_over(view)
}

/// A transfer that failed and is not given up.
fn is_tried_again(view: &View<'_>, item: &ItemView<'_>) -> bool {
    let failed = matches!(view.tried(item.item), Some(Tried::Failed { .. } | Tried::Arrived));
    failed && !view.lost.contains(&item.item) && is_to_fetch(view, item.item)
}

fn is_to_fetch(view: &View<'_>, item: u32) -> bool {
    matches!(view.action(item), Some(ItemActionKind::Recover | ItemActionKind::Hold))
}

/// P10: the charge stands, but a file that is finished later is handed over.
fn may_be_handed_over(view: &View<'_>) -> bool {
    matches!(view.diagnosis.verdict, Verdict::CancelledAfterStart | Verdict::ProjectDeleted)
        && view.in_window()
        && view.open().any(|item| matches!(item.fate, Fate::Running | Fate::Unknown | Fate::Unrecognised))
}

/// The waits double from the first to the longest, and end where something is decided: where nothing is
/// waited for any more, at the end of the window, at the last try for a file, before its provider deletes it, and where a job that is not
/// done counts as failed.
fn again_at(view: &View<'_>) -> Timestamp {
    let (policy, now) = (view.policy, view.now);
    let mut at = later(now, backoff(policy, view.question.tries));
    let mut no_later = |instant: Timestamp| {
        if instant > now {
            at = at.min(instant);
        }
    };
    no_later(view.settle_at());
    no_later(view.window_end());
    if let Some(posted) = view.money.first_posted_at() {
        if view.items.iter().any(|item| is_tried_again(view, item)) {
            no_later(later(posted, policy.recover_until()));
        }
        if view.open().any(|item| item.fate == Fate::Running) {
            no_later(later(posted, policy.stall()));
        }
    }
    let first = SignedDuration::from_mins(policy.reconcile.retry_first_minutes);
    if let Some(kept) = shortest_memory(view) {
        no_later(later(now, (kept / LOOKS_WITHIN).max(first)));
    }
    for item in view.items.iter().filter(|item| is_tried_again(view, item)) {
        let Some(deadline) = item.lost_at() else { continue };
        let last_try = deadline.saturating_sub(first).unwrap_or(Timestamp::MIN);
        no_later(last_try.max(later(now, first)).min(deadline));
    }
    if view.items.iter().any(|item| view.tried(item.item) == Some(Tried::Refused)) {
        no_later(later(now, policy.item_lease()));
    }
    at
}

/// So often a provider is asked within the time for which it keeps what it makes, as far as passes come by:
/// it can be down most of that time.
const LOOKS_WITHIN: i32 = 12;

/// How long the most forgetful of the providers that are still at work keeps what it makes: who looks less
/// often than a few times within it finds nothing.
fn shortest_memory(view: &View<'_>) -> Option<SignedDuration> {
    let running = view.run.jobs().into_iter().filter(|job| !job.state.is_terminal());
    let known = running.filter_map(|job| view.question.scope.provider(&job.provider_id)?.retention_hours);
    known.min().and_then(|hours| SignedDuration::try_from_hours(hours.max(0)))
}

fn backoff(policy: &Policy, tries: u32) -> SignedDuration {
    let first = policy.reconcile.retry_first_minutes;
    let doubled = 2_i64.checked_pow(tries).and_then(|times| first.checked_mul(times));
    SignedDuration::from_mins(doubled.unwrap_or(i64::MAX).min(policy.reconcile.retry_max_minutes))
}

fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.saturating_add(by).unwrap_or(Timestamp::MAX)
}

/// Why people must look, if they must.
fn for_people(view: &View<'_>) -> Option<String> {
    let open = view.open().next().is_some();
    let count = view.money.charges.len();
    if view.is_for_people() && view.money.surplus().iter().any(|charge| charge.owed_in_all() > 0) {
        return Some(format!(
            "charged {count} times and something was delivered: which charge goes is for people (R41)"
        ));
    }
    if open && view.is_pay_doubtful() && !steps_are_left(view) {
        return Some(
            "a refund went to a balance that did not give: finance sorts it out before more is paid (P4)".into(),
        );
    }
    match view.diagnosis.verdict {
        Verdict::CancelledAfterStart if open => {
            return Some("the charge stands: it was cancelled after the provider had begun (P10)".into());
        }
        Verdict::ProjectDeleted if open => {
            return Some(
                "the charge stands: the project was deleted during the run, and there is no file (P10)".into(),
            );
        }
        _ => {}
    }
    if view.items.iter().any(|item| item.is_held() && is_to_fetch(view, item.item) && !has_fetch(view, item.item)) {
        return Some("a result is held and nothing was refunded for it: people release it (P4)".into());
    }
    if let Some(contradiction) = detect::contradictions(view).into_iter().next() {
        return Some(format!("rows contradict each other: {}", contradiction.detail));
    }
    (open && !steps_are_left(view)).then(|| "something is owed, and the rules give no remedy for it".into())
}

fn has_fetch(view: &View<'_>, item: u32) -> bool {
    crate::plan::run_facts(view.question.scope, view.question.root).is_some_and(|facts| facts.fetch(item).is_some())
}

fn steps_are_left(view: &View<'_>) -> bool {
    !steps::transfers(view).is_empty() || !steps::restorations(view).is_empty()
}

/// The earliest instant at which something is lost or the promise is broken.
pub(super) fn urgent_at(view: &View<'_>) -> Timestamp {
    let wanted = view.open().filter_map(ItemView::lost_at);
    let files = wanted.filter(|deadline| *deadline > view.now).min();
    files.map_or(view.window_end(), |deadline| deadline.min(view.window_end()))
}
