//! The customer stopped it: the run, or the whole project.

use makegood_domain::diagnose::Verdict;
use makegood_domain::work::{JobState, Presence, RunStatus, WebhookResult};

use super::{DAY, EXACT, FileNow, Setting, setting, sketch};
use crate::cast::Part;
use crate::catalogue::{FAL, HEYGEN, KLING, MINIMAX_V2, REPLICATE, RUNWAY, SEEDANCE, VEO};
use crate::stage::{Cite, Sketch, Stage};
use crate::tale::{Tale, after};

/// Cancelled while it was still in the provider's queue (P10).
pub(super) fn before_start(stage: &mut Stage, turn: usize) -> Option<Sketch> {
    let (from, to) = if turn % 3 == 2 { (60, 18 * 60) } else { (DAY + 30, 5 * DAY) };
    let (customer, start) = stage.fresh(Part::Regular, from, to);
    let spot = stage.personal(customer)?;
    let offer = stage.offer_at([FAL, RUNWAY, SEEDANCE, MINIMAX_V2, REPLICATE, FAL][turn % 6]);
    let dice = &mut stage.dice;
    let mut tale = Tale::begin(dice, &spot, offer, start, 1)
        .charged(dice)
        .submitted(dice)
        .ended(after(start, 55), JobState::Cancelled, "")
        .status(RunStatus::Cancelled);
    tale.run.cancelled_at = Some(after(start, 50));
    let tale = stage.tell(tale);
    sketch(stage, tale, Verdict::CancelledBeforeStart, "cancelled")
}

/// Cancelled while the provider worked: the charge stands, a finished file is handed over.
pub(super) fn after_start(stage: &mut Stage, turn: usize) -> Option<Sketch> {
    let place = setting(stage, Part::Regular, FileNow::Kept, turn % 2)?;
    let cancelled_at = after(place.start, 60);
    let mut tale = match turn % 3 {
        0 => {
            let dice = &mut stage.dice;
            Tale::begin(dice, &place.spot, place.offer, place.start, 1)
                .charged(dice)
                .submitted(dice)
                .working(18)
                .ended(after(place.start, 70), JobState::Cancelled, "")
                .webhook(dice, WebhookResult::Accepted, 1)
        }
        1 => place.made(stage, 1),
        _ => place.made(stage, 1).stored(&mut stage.dice, 1),
    };
    tale.run.cancelled_at = Some(cancelled_at);
    let tale = stage.tell(tale.status(RunStatus::Cancelled));
    let mut sketch = sketch(stage, tale, Verdict::CancelledAfterStart, "cancelled")?;
    if turn % 3 == 2 {
        sketch.cite = Cite { amount: true, ..EXACT };
    }
    Some(sketch)
}

/// The project was deleted while the provider worked.
pub(super) fn project_deleted(stage: &mut Stage, turn: usize) -> Option<Sketch> {
    let (offer, from, to) = match turn % 3 {
        0 => (stage.offer_at(if turn == 0 { KLING } else { HEYGEN }), DAY + 60, 140 * 60),
        1 => (stage.offer_at(VEO), 120, 44 * 60),
        _ => (stage.offer_at(VEO), 3 * DAY, 6 * DAY),
    };
    let (customer, start) = stage.fresh(Part::Regular, from, to);
    let spot = stage.personal(customer)?;
    let end = after(start, stage.takes(offer).max(90));
    let place = Setting { spot, offer, start, end };
    let tale = place.made(stage, 1).status(RunStatus::PostProcessingFailed);
    let project = tale.project;
    let tale = stage.tell(tale);
    if let Some(project) = stage.projects.get_mut(project) {
        project.status = Presence::Deleted;
        project.deleted_at = Some(after(start, 40));
    }
    for node in stage.nodes.iter_mut().filter(|node| node.project_id == place.spot.project_id) {
        node.status = Presence::Deleted;
        node.deleted_at = Some(after(start, 40));
    }
    let mut sketch = sketch(stage, tale, Verdict::ProjectDeleted, "deleted")?;
    sketch.cite = EXACT;
    Some(sketch)
}
