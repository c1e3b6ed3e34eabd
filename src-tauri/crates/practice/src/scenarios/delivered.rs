//! The output is there: as asked, in another place, or paid for twice; or nothing was taken at all.

use makegood_domain::diagnose::Verdict;
use makegood_domain::ids::RunId;
use makegood_domain::work::{JobState, OutputState, RetryInitiator, RunStatus};

use super::{EXACT, Setting, sketch};
use crate::cast::Part;
use crate::catalogue::{
    BFL, ELEVENLABS, FAL, HEYGEN, KLING, LUMA, LUMA_AGENTS, MINIMAX_V1, MINIMAX_V2, REPLICATE, RUNWAY, SEEDANCE, SYNC,
    VEO, VERTEX,
};
use crate::stage::{Cite, Pictures, ProjectCite, Sketch, Stage};
use crate::tale::{Tale, after};

/// Who still says that the job ended well, days later.
const PROVIDERS: [&str; 15] = [
    FAL,
    VEO,
    REPLICATE,
    RUNWAY,
    KLING,
    BFL,
    LUMA,
    SYNC,
    HEYGEN,
    ELEVENLABS,
    SEEDANCE,
    MINIMAX_V1,
    MINIMAX_V2,
    LUMA_AGENTS,
    VERTEX,
];

/// A recent run that was finished as usual.
fn usual(stage: &mut Stage, turn: usize) -> Option<Setting> {
    // Within the days for which Vertex can be asked about a video that came inside its answer.
    let (customer, start) = stage.fresh(Part::Regular, 90, 66 * 60);
    let spot = stage.personal(customer)?;
    let offer = stage.offer_at(PROVIDERS[turn % PROVIDERS.len()]);
    let end = after(start, stage.takes(offer));
    Some(Setting { spot, offer, start, end })
}

/// It is there; the customer does not like it.
pub(super) fn delivered_ok(stage: &mut Stage, turn: usize) -> Option<Sketch> {
    let place = usual(stage, turn)?;
    let tale = place.made(stage, 1).stored(&mut stage.dice, 1);
    let tale = stage.tell(tale);
    let mut sketch = sketch(stage, tale, Verdict::DeliveredOk, "quality")?;
    sketch.cite = Cite { amount: turn.is_multiple_of(2), ..EXACT };
    sketch.pictures = if turn.is_multiple_of(3) { Pictures::Canvas } else { Pictures::No };
    Some(sketch)
}

pub(super) fn not_on_canvas(stage: &mut Stage, turn: usize) -> Option<Sketch> {
    let place = usual(stage, turn)?;
    let project = place.spot.project_id.clone();
    let tale = place.made(stage, 1).stored_at(&mut stage.dice, 1, &project, None, OutputState::Stored);
    let tale = stage.tell(tale);
    let mut sketch = sketch(stage, tale, Verdict::DeliveredNotOnCanvas, "not_on_canvas")?;
    if turn % 5 == 1 {
        sketch.cite = Cite { project: ProjectCite::Name, ..EXACT };
        sketch.pictures = Pictures::Canvas;
    }
    Some(sketch)
}

/// On another node of the project, or in another project of the same account.
pub(super) fn wrong_place(stage: &mut Stage, turn: usize) -> Option<Sketch> {
    let place = usual(stage, turn)?;
    let (project, node) = if turn.is_multiple_of(2) {
        let node = stage.node(&place.spot.project_id)?;
        (place.spot.project_id.clone(), node)
    } else {
        let other = stage.personal(place.spot.customer)?;
        (other.project_id, other.node_id)
    };
    let tale = place.made(stage, 1).stored_at(&mut stage.dice, 1, &project, Some(node), OutputState::Stored);
    let tale = stage.tell(tale);
    sketch(stage, tale, Verdict::MisattributedSameCustomer, "wrong_place")
}

/// Charged twice: by the same run, or by a retry that the system made.
pub(super) fn duplicate_charge(stage: &mut Stage, turn: usize) -> Option<Sketch> {
    let place = usual(stage, turn)?;
    let tale = if turn.is_multiple_of(2) {
        let mut tale = place.made(stage, 1).stored(&mut stage.dice, 1);
        tale.charge_at(&mut stage.dice, after(place.start, 11));
        stage.tell(tale)
    } else {
        let dice = &mut stage.dice;
        let first = Tale::begin(dice, &place.spot, place.offer, place.start, 1)
            .charged(dice)
            .submitted(dice)
            .working(5)
            .ended(after(place.start, 30), JobState::Failed, "the request timed out")
            .status(RunStatus::AwaitingResult);
        let again =
            Setting { start: after(place.start, 45), end: after(place.end, 60), spot: place.spot.clone(), ..place };
        let mut second = again.made(stage, 1).stored(&mut stage.dice, 1);
        second.run.retry_of = Some(RunId::new(first.run.id.as_str()));
        second.run.retry_initiator = Some(RetryInitiator::System);
        let index = stage.tell(first);
        stage.tell(second);
        index
    };
    let mut sketch = sketch(stage, tale, Verdict::DuplicateCharge, "double")?;
    sketch.cite = Cite { amount: true, ..EXACT };
    sketch.pictures = Pictures::Billing;
    sketch.created_at = stage.written(tale, 90);
    Some(sketch)
}

/// The input was refused before anything was taken.
pub(super) fn not_charged(stage: &mut Stage, turn: usize) -> Option<Sketch> {
    let place = usual(stage, turn)?;
    let dice = &mut stage.dice;
    let tale = Tale::begin(dice, &place.spot, place.offer, place.start, 1);
    let tale = if turn.is_multiple_of(2) {
        tale.submitted(dice).ended(after(place.start, 6), JobState::Failed, "invalid input: the image is too small")
    } else {
        tale
    };
    let tale = stage.tell(tale.status(RunStatus::AwaitingResult));
    let mut sketch = sketch(stage, tale, Verdict::NotCharged, "not_charged")?;
    sketch.cite = EXACT;
    sketch.pictures = if turn % 3 == 1 { Pictures::Canvas } else { Pictures::No };
    Some(sketch)
}
