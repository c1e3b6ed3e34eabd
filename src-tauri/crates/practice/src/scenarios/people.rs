//! Tickets where the question is who asks, about which run, or whose file it is.

use makegood_domain::diagnose::Verdict;
use makegood_domain::support::Topic;
use makegood_domain::work::{OutputState, Route, RunStatus, UploadResult, WebhookResult};

use super::{DAY, EXACT, FileNow, Setting, fixed, setting, sketch};
use crate::cast::Part;
use crate::catalogue::{FAL, KLING, MINIMAX_V1, RUNWAY};
use crate::stage::{Cite, Pictures, ProjectCite, Sketch, Stage, TimeCite};
use crate::tale::after;

const NOTHING: Cite = Cite { project: ProjectCite::No, time: TimeCite::No, model: false, amount: false, run_id: false };

/// Two runs of one model in one project, twenty minutes apart, both without output.
pub(super) fn ambiguous(stage: &mut Stage, turn: usize) -> Option<Sketch> {
    let (customer, start) = stage.fresh(Part::Regular, DAY + 60, 6 * DAY);
    let spot = stage.personal(customer)?;
    let offer = stage.offer_at([FAL, KLING, RUNWAY, MINIMAX_V1][turn % 4]);
    let mut tales = Vec::new();
    for offset in [0, 1_140] {
        let start = after(start, offset);
        let place = Setting { spot: spot.clone(), offer, start, end: after(start, stage.takes(offer)) };
        let tale = place
            .made(stage, 1)
            .upload(1, 20, UploadResult::Timeout)
            .upload(1, 60, UploadResult::NetworkError)
            .status(RunStatus::PostProcessingFailed);
        tales.push(stage.tell(tale));
    }
    let mut sketch = sketch(stage, *tales.first()?, Verdict::NoMatch, "vague")?;
    sketch.tales = tales;
    sketch.pictures = Pictures::No;
    sketch.cite = if turn % 3 == 2 { NOTHING } else { Cite { time: TimeCite::Day, ..EXACT } };
    sketch.created_at = stage.written(*sketch.tales.last()?, 80);
    if turn == 0 {
        sketch.fixed_id = Some(fixed::AMBIGUOUS);
    }
    Some(sketch)
}

/// Another customer, not the one given.
fn stranger(stage: &mut Stage, than: usize) -> Option<usize> {
    let studios = &stage.cast.studios;
    let apart = |other: usize| {
        other != than
            && !studios.iter().any(|studio| {
                let inside = |who: usize| studio.active.contains(&who) || studio.left.contains(&who);
                inside(than) && inside(other)
            })
    };
    let count = stage.cast.customers.len();
    let start = stage.dice.index(count);
    (0..count)
        .map(|step| (start + step) % count)
        .find(|other| apart(*other) && stage.cast.customers.get(*other).is_some_and(|row| row.part == Part::Regular))
}

/// The customer's output was routed into a stranger's project.
pub(super) fn other_customer(stage: &mut Stage, turn: usize) -> Option<Sketch> {
    let (_, tale) = misrouted(stage, None)?;
    let mut sketch = sketch(stage, tale, Verdict::MisattributedOtherCustomer, "missing")?;
    sketch.cite = Cite { amount: true, ..EXACT };
    sketch.pictures = Pictures::Canvas;
    if turn == 0 {
        sketch.fixed_id = Some(fixed::PRIVACY);
    }
    Some(sketch)
}

/// A stranger's output lies in the customer's project, and the customer says so.
pub(super) fn foreign_asset(stage: &mut Stage, _turn: usize) -> Option<Sketch> {
    let (customer, at) = stage.fresh(Part::Regular, 120, 3 * DAY);
    let home = stage.personal(customer)?;
    let (_, tale) = misrouted(stage, Some((&home, at)))?;
    let share = stage.dice.between(40, 90);
    Some(Sketch {
        verdict: Verdict::ForeignAssetInProject,
        fixed_id: None,
        customer,
        sender: None,
        topic: Topic::ForeignAsset,
        created_at: stage.written(tale, share),
        // The run is the stranger's: the ticket is about none of the customer's own.
        tales: vec![tale],
        story: "foreign",
        cite: Cite { project: ProjectCite::Id, ..NOTHING },
        pictures: Pictures::Canvas,
        wrong_clock: false,
        stated_runs: None,
        linked: false,
    })
}

/// A finished run whose output went to somebody else's project: a given one, or any.
fn misrouted(stage: &mut Stage, into: Option<(&crate::tale::Spot, jiff::Timestamp)>) -> Option<(usize, usize)> {
    let (owner, start, landing) = match into {
        Some((home, at)) => (stranger(stage, home.customer)?, at, home.clone()),
        None => {
            let (owner, at) = stage.fresh(Part::Regular, DAY, 4 * DAY);
            let other = stranger(stage, owner)?;
            (owner, at, stage.personal(other)?)
        }
    };
    let offer = stage.offer_at(FAL);
    let spot = stage.personal(owner)?;
    let place = Setting { spot, offer, start, end: after(start, stage.takes(offer)) };
    let mut tale = place.made(stage, 1);
    tale.webhooks.clear();
    let route = Route { project_id: landing.project_id.clone(), node_id: landing.node_id.clone() };
    let tale = tale
        .webhook_to(&mut stage.dice, WebhookResult::Accepted, 3, route)
        .stored_at(&mut stage.dice, 1, &landing.project_id, Some(landing.node_id.clone()), OutputState::Stored)
        .status(RunStatus::Succeeded);
    Some((owner, stage.tell(tale)))
}

/// Someone writes from an address that belongs to nobody.
pub(super) fn unknown_sender(stage: &mut Stage, turn: usize) -> Option<Sketch> {
    let place = setting(stage, Part::Regular, FileNow::Gone, turn)?;
    let tale = place.made(stage, 1).upload(1, 20, UploadResult::Timeout).status(RunStatus::PostProcessingFailed);
    let tale = stage.tell(tale);
    let mut sketch = sketch(stage, tale, Verdict::RequesterUnknown, "missing")?;
    sketch.sender = Some(format!("{}@example.com", stage.dice.id("edit.desk.", 4)));
    Some(sketch)
}

/// Purchases, renewals, expiry: not about a run.
pub(super) fn billing_question(stage: &mut Stage, _turn: usize) -> Option<Sketch> {
    let (customer, at) = stage.fresh(Part::Regular, 30, 3 * DAY);
    Some(Sketch {
        verdict: Verdict::OutOfScope,
        fixed_id: None,
        customer,
        sender: None,
        topic: Topic::BillingOther,
        tales: Vec::new(),
        story: "billing",
        cite: NOTHING,
        pictures: Pictures::No,
        wrong_clock: false,
        created_at: at,
        stated_runs: None,
        linked: false,
    })
}

/// The starter has left the workspace since: the workspace is restored, the leaver is told nothing (P11).
pub(super) fn former_member(stage: &mut Stage, turn: usize) -> Option<Sketch> {
    let studio = stage.cast.studios.iter().position(|row| !row.left.is_empty())?;
    let leaver = *stage.cast.studios.get(studio)?.left.first()?;
    let start = stage.ago(2 * DAY + 60 * i64::try_from(turn).unwrap_or(0) * 7);
    stage.reserve(leaver, start);
    let spot = stage.shared(studio, leaver)?;
    // Kept for two days, which are over.
    let offer = Stage::offer("veo-3.1");
    let place = Setting { spot, offer, start, end: after(start, stage.takes(offer)) };
    let tale = place
        .made(stage, 1)
        .upload(1, 20, UploadResult::NetworkError)
        .upload(1, 50, UploadResult::Timeout)
        .status(RunStatus::PostProcessingFailed);
    let tale = stage.tell(tale);
    let mut sketch = sketch(stage, tale, Verdict::UploadFailed, "missing")?;
    sketch.cite = EXACT;
    sketch.created_at = stage.written(tale, 70);
    Some(sketch)
}

/// Impatient people write twice: the second ticket is linked to the first (P12).
pub(super) fn second_tickets(stage: &mut Stage) {
    let firsts: Vec<usize> = stage
        .sketches
        .iter()
        .enumerate()
        .filter(|(_, row)| row.verdict == Verdict::WebhookLost && row.fixed_id.is_none() && row.sender.is_none())
        .map(|(at, _)| at)
        .step_by(9)
        .take(3)
        .collect();
    for (count, at) in firsts.into_iter().enumerate() {
        let Some(first) = stage.sketches.get_mut(at) else { continue };
        first.linked = true;
        if count == 0 {
            first.fixed_id = Some(fixed::DUPLICATE_OF);
        }
        let (tale, created) = (first.tales.first().copied().unwrap_or(0), first.created_at);
        let (verdict, customer) = (first.verdict, first.customer);
        let later = after(created, (stage.anchor.as_second() - created.as_second()) * 2 / 3);
        stage.sketches.push(Sketch {
            verdict,
            fixed_id: (count == 0).then_some(fixed::DUPLICATE),
            customer,
            sender: None,
            topic: Topic::MissingOutput,
            tales: vec![tale],
            story: "again",
            cite: EXACT,
            pictures: Pictures::No,
            wrong_clock: false,
            created_at: later,
            stated_runs: Some(1),
            linked: false,
        });
    }
}
