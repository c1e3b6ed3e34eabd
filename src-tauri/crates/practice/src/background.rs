//! The thousands of runs that nobody complains about.

use jiff::Timestamp;
use makegood_domain::ledger::RefundState;
use makegood_domain::work::{ItemState, JobState, Media, RunStatus, WebhookResult};

use crate::cast::Part;
use crate::catalogue::{OFFERS, Offer};
use crate::dice::Dice;
use crate::stage::Stage;
use crate::tale::{ReturnTo, Spot, Tale, after};

/// Days that the history goes back.
const DAYS: i64 = 40;
/// No other run of the same project this near to one that a ticket is about, so that a date names it.
const QUIET_SECONDS: i64 = 36 * 3600;
/// The platform keeps delivery and upload records for this long.
const RECORDS_SECONDS: i64 = 10 * 24 * 3600;

/// Adds runs until the stage has `runs` of them.
pub fn fill(stage: &mut Stage, seed: u64, runs: usize) {
    let mut dice = Dice::new(seed, "background");
    let everyday = everyday_spots(stage);
    let complained: Vec<(usize, Timestamp)> =
        stage.tales.iter().map(|tale| (tale.project, tale.run.started_at)).collect();
    let total = i64::try_from(runs).unwrap_or(i64::MAX);
    let mut tries = 0;
    while stage.tales.len() < runs && tries < total * 4 {
        tries += 1;
        let Some(spot) = dice.pick(&everyday).cloned() else { return };
        let start = after(stage.anchor, -dice.between(2 * 3600, DAYS * 24 * 3600));
        let quiet = complained.iter().all(|(project, at)| {
            *project != spot.project || (at.as_second() - start.as_second()).abs() > QUIET_SECONDS
        });
        let ended = stage.cast.customers.get(spot.customer).is_some_and(|row| row.part == Part::Ended);
        let after_the_end = ended && stage.anchor.as_second() - start.as_second() < 30 * 3600;
        if quiet && !after_the_end {
            let tale = uneventful(&mut dice, stage, &spot, start);
            stage.tales.push(tale);
        }
    }
}

/// Every project has everyday runs, and each account some projects more.
fn everyday_spots(stage: &mut Stage) -> Vec<Spot> {
    for customer in 0..stage.cast.customers.len() {
        stage.personal(customer);
    }
    for studio in 0..stage.cast.studios.len() {
        let active = stage.cast.studios.get(studio).map(|row| row.active.clone()).unwrap_or_default();
        for member in active {
            stage.shared(studio, member);
        }
    }
    let mut spots = Vec::new();
    for node in &stage.nodes {
        let Some(project) = stage.projects.iter().position(|row| row.id == node.project_id) else { continue };
        let purse = stage.purse_of.get(project).copied().unwrap_or(0);
        let deleted = stage.projects.get(project).is_some_and(|row| row.deleted_at.is_some());
        let people = people_of(stage, purse);
        for customer in people {
            let Some(row) = stage.cast.customers.get(customer) else { continue };
            if !deleted {
                spots.push(Spot {
                    customer,
                    purse,
                    project,
                    project_id: node.project_id.clone(),
                    node_id: node.id.clone(),
                    starter: row.user.id.clone(),
                });
            }
        }
    }
    spots
}

fn people_of(stage: &Stage, purse: usize) -> Vec<usize> {
    let own = stage.cast.customers.iter().position(|row| row.purse == purse);
    let shared = stage.cast.studios.iter().find(|row| row.purse == purse).map(|row| row.active.clone());
    own.into_iter().chain(shared.unwrap_or_default()).collect()
}

/// Three of four are pictures.
fn usual_offer(dice: &mut Dice) -> &'static Offer {
    let pictures = dice.chance(75);
    let fitting: Vec<&'static Offer> =
        OFFERS.iter().filter(|offer| matches!(offer.media, Media::Image | Media::Audio) == pictures).collect();
    dice.pick(&fitting).copied().unwrap_or(&OFFERS[0])
}

/// Delivered as it should be; a few failed and were refunded by the platform, as they should be.
fn uneventful(dice: &mut Dice, stage: &Stage, spot: &Spot, start: Timestamp) -> Tale {
    let offer = usual_offer(dice);
    let end = after(start, (offer.takes * dice.between(80, 130) / 100).max(4));
    let mut tale = Tale::begin(dice, spot, offer, start, 1);
    tale.hashed = false;
    let tale = tale.charged(dice).submitted(dice).working(dice_wait(offer));
    let recent = stage.anchor.as_second() - start.as_second() < RECORDS_SECONDS;
    let failed = dice.chance(1) && stage.is_quiet(spot.customer, start);
    let mut tale = if failed {
        tale.ended(end, JobState::Failed, "generation failed")
            .refunded(dice, after(end, 40), ReturnTo::Sources, RefundState::Posted, "provider failed")
            .status(RunStatus::Refunded)
    } else {
        tale.finished(dice, end, &[ItemState::Succeeded], (&stage.kept, stage.anchor))
            .webhook(dice, WebhookResult::Accepted, 1)
            .stored(dice, 1)
            .status(RunStatus::Succeeded)
    };
    if !recent {
        tale.webhooks.clear();
        tale.uploads.clear();
    }
    tale
}

fn dice_wait(offer: &Offer) -> i64 {
    if offer.takes > 60 { 14 } else { 1 }
}
