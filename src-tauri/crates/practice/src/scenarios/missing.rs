//! The provider made the file; it never reached the customer, or not whole.

use makegood_domain::diagnose::Verdict;
use makegood_domain::ledger::RefundState;
use makegood_domain::work::{ItemState, OutputState, RunStatus, UploadResult, WebhookResult};

use super::{DAY, FileNow, Setting, fixed, setting, sketch};
use crate::cast::Part;
use crate::catalogue::{FAL, HEYGEN, KLING, LUMA, Offer, RUNWAY, VEO};
use crate::stage::{Cite, Pictures, ProjectCite, Sketch, Stage, TimeCite};
use crate::tale::{ReturnTo, Tale, after};

/// Most can be recovered, some are lost, some wait. The number counts those that stand alike.
fn standing(turn: usize) -> (FileNow, usize) {
    let round = turn / 7;
    match turn % 7 {
        place @ 0..=3 => (FileNow::Kept, round * 4 + place),
        place @ (4 | 5) => (FileNow::Gone, round * 2 + place - 4),
        _ => (FileNow::InWindow, round),
    }
}

const EVERYTHING: Cite =
    Cite { project: ProjectCite::Id, time: TimeCite::Clock, model: true, amount: true, run_id: false };

pub(super) fn upload_failed(stage: &mut Stage, turn: usize) -> Option<Sketch> {
    if turn == 0 {
        return tour_recover(stage);
    }
    let (file, provider) = standing(turn);
    let place = setting(stage, Part::Regular, file, provider)?;
    let tale = uploads_failed(place.made(stage, 1));
    let tale = stage.tell(tale);
    let mut sketch = sketch(stage, tale, Verdict::UploadFailed, "missing")?;
    if turn == 3 {
        sketch.fixed_id = Some(fixed::EXPIRING);
    }
    Some(sketch)
}

/// Some three hours of Veo's two days are left, and the ticket says all that is needed.
fn tour_recover(stage: &mut Stage) -> Option<Sketch> {
    let spot = stage.personal(0)?;
    let start = stage.ago(45 * 60 + 4);
    stage.reserve(0, start);
    let place = Setting { spot, offer: Stage::offer("veo-3.1"), start, end: after(start, 472) };
    let tale = uploads_failed(place.made(stage, 1));
    let tale = stage.tell(tale);
    let mut sketch = sketch(stage, tale, Verdict::UploadFailed, "missing")?;
    sketch.fixed_id = Some(fixed::RECOVER);
    sketch.cite = EVERYTHING;
    sketch.pictures = Pictures::Both;
    sketch.created_at = stage.ago(140);
    Some(sketch)
}

fn uploads_failed(tale: Tale) -> Tale {
    tale.upload(1, 20, UploadResult::NetworkError)
        .upload(1, 50, UploadResult::Timeout)
        .upload(1, 80, UploadResult::NetworkError)
        .status(RunStatus::PostProcessingFailed)
}

pub(super) fn webhook_lost(stage: &mut Stage, turn: usize) -> Option<Sketch> {
    let (file, provider) = standing(turn);
    // Other providers than those whose uploads failed in the same turn.
    let place = setting(stage, Part::Regular, file, provider + 5)?;
    let mut tale = place.made(stage, 1).status(RunStatus::AwaitingResult);
    tale.webhooks.clear();
    // Some send none; of the others some were tried, and some never seen.
    if turn.is_multiple_of(2) {
        tale = tale.webhook(&mut stage.dice, WebhookResult::Timeout, 5);
    }
    let tale = stage.tell(tale);
    let mut sketch = sketch(stage, tale, Verdict::WebhookLost, "missing")?;
    if turn == 11 {
        reopen(stage, tale, &mut sketch);
    }
    Some(sketch)
}

/// The answer to the submission was lost, so that the platform believes there is no job. Its provider has one, and
/// the file: whoever looks for it finds it, under the run's own id where the vendor keeps such a thing.
pub(super) fn job_lost(stage: &mut Stage, turn: usize) -> Option<Sketch> {
    let provider = [KLING, HEYGEN, FAL, LUMA][turn % 4];
    let (customer, start) = stage.fresh(Part::Regular, DAY + 60, 5 * DAY);
    let spot = stage.personal(customer)?;
    let offer = stage.offer_at(provider);
    let place = Setting { spot, offer, start, end: after(start, stage.takes(offer)) };
    let mut tale = place.made(stage, 1).status(RunStatus::Running);
    tale.webhooks.clear();
    tale.job = None;
    // What the platform kept of its question: enough to know it again in a list.
    tale.run.params["endpoint"] = offer.endpoint.into();
    tale.run.params["prompt"] = crate::upstream::PROMPT.into();
    let tale = stage.tell(tale);
    let mut sketch = sketch(stage, tale, Verdict::NeverSubmitted, "stuck")?;
    if turn == 0 {
        sketch.fixed_id = Some(fixed::JOB_LOST);
        sketch.cite = EVERYTHING;
        sketch.pictures = Pictures::Both;
    }
    Some(sketch)
}

/// An older ticket about the run was closed without any remedy (P12).
fn reopen(stage: &mut Stage, tale: usize, sketch: &mut Sketch) {
    let id = stage.dice.id("TCK-0", 4);
    let created_at = stage.written(tale, 20);
    sketch.created_at = stage.written(tale, 90);
    stage.past.push(crate::stage::PastTicket {
        id: id.as_str().into(),
        tale,
        created_at,
        status: makegood_domain::support::TicketStatus::Closed,
        outcome: "closed_without_action",
    });
}

pub(super) fn partial_batch(stage: &mut Stage, turn: usize) -> Option<Sketch> {
    let made = ItemState::Succeeded;
    let kling = Stage::offer("kling-3.0");
    let (states, stored, wanted): (Vec<ItemState>, u32, FileNow) = match turn % 4 {
        // One is there, one is still at the provider, one was never made.
        0 => (vec![made, made, ItemState::NotReturned], 1, FileNow::Kept),
        1 => (vec![made, made, made], 2, FileNow::Kept),
        2 => (vec![made, made, made, ItemState::NotReturned], 3, FileNow::Kept),
        _ => (vec![made, made, ItemState::NotReturned], 2, FileNow::InWindow),
    };
    let place = batch_setting(stage, kling, wanted)?;
    let mut tale = place.ended_with(stage, &states).status(RunStatus::PostProcessingFailed);
    for item in 1..=stored {
        tale = tale.stored(&mut stage.dice, item);
    }
    for (item, state) in (1_u32..).zip(&states) {
        if item > stored && *state == made {
            tale = tale.upload(item, 20, UploadResult::NetworkError).upload(item, 50, UploadResult::Timeout);
        }
    }
    let tale = stage.tell(tale);
    let mut sketch = sketch(stage, tale, Verdict::PartialBatch, "partial")?;
    if turn == 0 {
        sketch.fixed_id = Some(fixed::PARTIAL);
        sketch.cite = EVERYTHING;
        sketch.pictures = Pictures::Both;
    }
    Some(sketch)
}

fn batch_setting(stage: &mut Stage, offer: &'static Offer, file: FileNow) -> Option<Setting> {
    let (from, to) = if file == FileNow::InWindow { (60, 18 * 60) } else { (DAY + 60, 140 * 60) };
    let (customer, start) = stage.fresh(Part::Regular, from, to);
    let spot = stage.personal(customer)?;
    let end = after(start, stage.takes(offer) + 60);
    Some(Setting { spot, offer, start, end })
}

pub(super) fn corrupt_output(stage: &mut Stage, turn: usize) -> Option<Sketch> {
    let file = if turn % 3 == 2 { FileNow::Gone } else { FileNow::Kept };
    let place = setting(stage, Part::Regular, file, turn)?;
    let tale = place.made(stage, 1);
    let (project, node) = (place.spot.project_id.clone(), place.spot.node_id.clone());
    let tale = tale.stored_at(&mut stage.dice, 1, &project, Some(node), OutputState::Corrupt);
    let tale = stage.tell(tale);
    sketch(stage, tale, Verdict::CorruptOutput, "corrupt")
}

pub(super) fn storage_quota(stage: &mut Stage, turn: usize) -> Option<Sketch> {
    let (part, file) = match turn % 5 {
        0 | 1 => (Part::Full, FileNow::Kept),
        2 => (Part::Regular, FileNow::Gone),
        _ => (Part::Regular, FileNow::Kept),
    };
    // Files of Veo and fal: kept for longer than it takes to make room.
    let place = setting(stage, part, file, turn % 2)?;
    let tale = place
        .made(stage, 1)
        .upload(1, 20, UploadResult::QuotaExceeded)
        .upload(1, 90, UploadResult::QuotaExceeded)
        .status(RunStatus::PostProcessingFailed);
    let tale = stage.tell(tale);
    sketch(stage, tale, Verdict::StorageQuotaExceeded, "storage")
}

/// The reconciler gave the credits back at hour 24; the file came later and is kept back.
pub(super) fn late_result(stage: &mut Stage, turn: usize) -> Option<Sketch> {
    let offer = stage.offer_at([FAL, VEO, KLING, HEYGEN, RUNWAY, VEO][turn % 6]);
    let (customer, start) = stage.fresh(Part::Regular, 31 * 60, 70 * 60);
    let spot = stage.personal(customer)?;
    let place = Setting { spot, offer, start, end: after(start, 26 * 3600 + 300) };
    let tale = place.made(stage, 1).refunded(
        &mut stage.dice,
        after(start, 24 * 3600 + 40),
        ReturnTo::Sources,
        RefundState::Posted,
        "no result within 24 hours",
    );
    let project = place.spot.project_id.clone();
    let tale = tale.stored_at(&mut stage.dice, 1, &project, None, OutputState::Held).status(RunStatus::Refunded);
    let tale = stage.tell(tale);
    sketch(stage, tale, Verdict::LateResult, "late")
}
