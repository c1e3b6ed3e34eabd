//! What does not agree, apart from what is done about it (R12, R16, R29).

use super::View;
use crate::diagnose::items::{Fate, ItemView, Lies, lies};
use crate::diagnose::{ItemActionKind, Verdict};
use crate::ids::{ChargeId, OutputId};
use crate::money::Credits;
use crate::ports::{Detection, DetectionKind};
use crate::work::RunStatus;

/// Everything that does not agree now.
pub(super) fn detections(view: &View<'_>) -> Vec<Detection> {
    let mut found = orphans(view);
    found.extend(misplaced(view));
    found.extend(damaged(view));
    found.extend(duplicates(view));
    found.extend(contradictions(view));
    found
}

fn detection(view: &View<'_>, kind: DetectionKind, subject: &str, item: u32) -> Detection {
    Detection {
        kind,
        subject: subject.to_owned(),
        item,
        run_id: view.run.id().clone(),
        charge_id: None,
        output_id: None,
        cause: view.diagnosis.verdict.word().to_owned(),
        detail: String::new(),
        detected_at: view.now,
        closed_at: None,
    }
}

/// R12: credits deducted, no intact output, and it is not only that somebody is not done yet (R43). One
/// for each charge of which something is owed.
fn orphans(view: &View<'_>) -> Vec<Detection> {
    let mut found = Vec::new();
    for item in view.open().filter(|item| is_orphan(view, item)) {
        for charge in view.money.charges.iter().filter(|charge| charge.owed(item.item) > 0) {
            let id: &ChargeId = &charge.charge.id;
            found.push(Detection {
                charge_id: Some(id.clone()),
                detail: format!("{} credits of item {} without an intact output", charge.owed(item.item), item.item),
                ..detection(view, DetectionKind::Orphan, id.as_str(), item.item)
            });
        }
    }
    found
}

fn is_orphan(view: &View<'_>, item: &ItemView<'_>) -> bool {
    let stands = matches!(view.diagnosis.verdict, Verdict::CancelledAfterStart | Verdict::ProjectDeleted);
    let waits = view.action(item.item) == Some(ItemActionKind::Wait);
    let not_done = matches!(item.fate, Fate::Running | Fate::Unknown | Fate::Unrecognised | Fate::Nothing);
    let is_early = waits && not_done && view.in_window();
    !stands && !is_early
}

/// P11.
fn misplaced(view: &View<'_>) -> Vec<Detection> {
    let scope = view.question.scope;
    let strays = view.run.outputs().filter(|row| lies(row, &view.run, scope) == Lies::OtherAccount);
    strays
        .map(|row| Detection {
            output_id: Some(row.id.clone()),
            cause: Verdict::MisattributedOtherCustomer.word().to_owned(),
            detail: format!("output {} lies in project {} of another account", row.id, row.project_id),
            ..detection(view, DetectionKind::Misplaced, row.id.as_str(), row.item)
        })
        .collect()
}

/// A stored file that is damaged, where no whole one of the item is.
fn damaged(view: &View<'_>) -> Vec<Detection> {
    let items = view.items.iter().filter(|item| !item.is_stored() && view.money.standing(item.item) == 0);
    let rows = items.flat_map(|item| item.damaged().map(move |id| (item.item, id)));
    rows.map(|(item, id): (u32, &OutputId)| Detection {
        output_id: Some(id.clone()),
        cause: Verdict::CorruptOutput.word().to_owned(),
        detail: format!("the stored file of output {id} is damaged or empty"),
        ..detection(view, DetectionKind::Damaged, id.as_str(), item)
    })
    .collect()
}

/// R41: each charge beyond the one that may stand, while something of it does.
fn duplicates(view: &View<'_>) -> Vec<Detection> {
    if view.money.charges.len() < 2 {
        return Vec::new();
    }
    let surplus = view.money.surplus();
    let open = surplus.iter().filter(|charge| charge.owed_in_all() > 0);
    open.map(|charge| Detection {
        charge_id: Some(charge.charge.id.clone()),
        cause: Verdict::DuplicateCharge.word().to_owned(),
        detail: format!("charge {} is one of {} for one run", charge.charge.id, view.money.charges.len()),
        ..detection(view, DetectionKind::DuplicateCharge, charge.charge.id.as_str(), 0)
    })
    .collect()
}

/// Rows that cannot be true together: the file and its credits, a refund to a balance that did not
/// give, a status against the postings (elsewhere said to be refunded, and no credits moved).
pub(super) fn contradictions(view: &View<'_>) -> Vec<Detection> {
    let mut found: Vec<Detection> =
        view.items.iter().filter(|item| item.is_stored()).filter_map(|item| both_remedies(view, item.item)).collect();
    found.extend(view.money.wrong_balance.iter().map(|refund| Detection {
        charge_id: Some(refund.charge_id.clone()),
        cause: "wrong_balance_refund".to_owned(),
        detail: format!("refund {} went to a balance that charge {} did not take from", refund.id, refund.charge_id),
        ..detection(view, DetectionKind::Contradiction, refund.id.as_str(), 0)
    }));
    found.extend(status(view));
    found
}

/// P4: delivered, and more of it is refunded than the charges beyond the one that may stand.
fn both_remedies(view: &View<'_>, item: u32) -> Option<Detection> {
    let prices = || view.money.charges.iter().map(|charge| charge.price(item)).filter(|price| *price > 0);
    let all = prices().fold(0, |sum: Credits, price| sum.saturating_add(price));
    let kept = prices().min()?;
    let standing = view.money.standing(item);
    (standing > all - kept).then(|| {
        let refunds = view.run.refunds();
        let newest = refunds.iter().rev().find(|row| row.items.is_empty() || row.items.contains(&item));
        let subject = newest.map_or(view.run.id().as_str(), |row| row.id.as_str());
        Detection {
            charge_id: newest.map(|row| row.charge_id.clone()),
            cause: "delivered_and_refunded".to_owned(),
            detail: format!("item {item} is delivered, and {standing} of its {all} credits stand refunded"),
            ..detection(view, DetectionKind::Contradiction, subject, item)
        }
    })
}

fn status(view: &View<'_>) -> Vec<Detection> {
    let charged = view.money.charges.iter().any(|charge| charge.charge.total > 0);
    let moved = view.items.iter().any(|item| view.money.standing(item.item) > 0);
    let told = view.run.members().filter(|member| member.run.status == RunStatus::Refunded);
    told.filter(|_| charged && !moved)
        .map(|member| Detection {
            cause: "refunded_without_refund".to_owned(),
            detail: format!("run {} is called refunded, and no refund of it stands", member.run.id),
            ..detection(view, DetectionKind::Contradiction, member.run.id.as_str(), 0)
        })
        .collect()
}
