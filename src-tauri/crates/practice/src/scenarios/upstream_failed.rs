//! The provider made nothing, has not finished, or cannot be asked.

use makegood_domain::diagnose::Verdict;
use makegood_domain::ledger::RefundState;
use makegood_domain::work::{JobState, RunStatus, WebhookResult};

use super::{DAY, FileNow, fixed, setting, sketch};
use crate::cast::Part;
use crate::catalogue::{
    BFL, ELEVENLABS, FAL, HEYGEN, KLING, LUMA, LUMA_AGENTS, MINIMAX_V1, MINIMAX_V2, OPENAI, REPLICATE, RUNWAY,
    SEEDANCE, STABILITY, SYNC, TIME_RAN_OUT, VEO, VERTEX, has_queue,
};
use crate::stage::{Cite, Pictures, ProjectCite, Sketch, Stage, TimeCite};
use crate::tale::{ReturnTo, Spot, Tale, after};
use crate::upstream::state::Ending;

/// Who says of a job that it failed, or that a filter took what it made.
const PROVIDERS: [&str; 14] = [
    VEO,
    FAL,
    RUNWAY,
    REPLICATE,
    KLING,
    LUMA,
    SEEDANCE,
    BFL,
    VERTEX,
    SYNC,
    MINIMAX_V1,
    HEYGEN,
    MINIMAX_V2,
    LUMA_AGENTS,
];

/// What they say of a failure.
const FAILURES: [(&str, &str); 14] = [
    (VEO, "Video generation failed due to an internal server issue. Please try again in a few minutes."),
    (FAL, "Runner disconnected"),
    (RUNWAY, "An unexpected error occurred."),
    (REPLICATE, "Prediction failed: CUDA out of memory"),
    (KLING, "Task execution failed, please try again"),
    (LUMA, "500: an internal error occurred"),
    (SEEDANCE, TIME_RAN_OUT),
    (BFL, "The task could not be processed"),
    (VERTEX, "Internal error encountered."),
    (SYNC, "The generation failed."),
    (MINIMAX_V1, "unknown error"),
    (HEYGEN, "Video rendering failed"),
    (MINIMAX_V2, "internal error"),
    (LUMA_AGENTS, "Output missing"),
];

/// And of what a filter took.
const REFUSALS: [(&str, &str); 15] = [
    (VEO, "The generated video was filtered because it may violate the usage guidelines."),
    (FAL, "The content could not be processed because it contained material flagged by a content checker."),
    (RUNWAY, "The generated output did not pass moderation."),
    (REPLICATE, "NSFW content detected. Try running it again, or try a different prompt."),
    (KLING, "Failure to pass the risk control system"),
    (LUMA, "400: prompt not allowed because advanced moderation failed"),
    (SEEDANCE, "The request failed because the output video may contain sensitive information."),
    (BFL, "Safety Filter"),
    (VERTEX, "Veo could not generate 1 videos based on the prompt provided: it violates the usage guidelines."),
    (SYNC, "The input was flagged by content moderation."),
    (MINIMAX_V1, "output new_sensitive"),
    (HEYGEN, "The script was flagged by content moderation"),
    (MINIMAX_V2, "video description contains sensitive content"),
    (LUMA_AGENTS, "The output was moderated"),
    (STABILITY, "Your request was flagged by our content moderation system"),
];

/// Who may not answer for a while.
const TROUBLED: [&str; 8] = [VEO, FAL, RUNWAY, KLING, MINIMAX_V1, ELEVENLABS, STABILITY, LUMA];

/// Who may be asked about a job that is still there.
const BUSY: [&str; 11] = [VEO, FAL, RUNWAY, REPLICATE, STABILITY, KLING, BFL, SEEDANCE, MINIMAX_V2, HEYGEN, LUMA];

fn words_of(table: &[(&'static str, &'static str)], provider: &str) -> &'static str {
    table.iter().find(|(id, _)| *id == provider).map_or("failed", |(_, text)| *text)
}

/// A charged run at this provider that failed; the platform saw it and gave nothing back.
fn failed(stage: &mut Stage, spot: &Spot, provider: &'static str, start: jiff::Timestamp, turn: usize) -> Tale {
    // Of a lost image, nobody knows any more than the request that it was asked for with.
    let provider = if turn % 6 == 5 { OPENAI } else { provider };
    let offer = stage.offer_at(provider);
    let end = after(start, stage.takes(offer)).min(stage.ago(1));
    let dice = &mut stage.dice;
    let tale = Tale::begin(dice, spot, offer, start, 1).charged(dice).submitted(dice).working(18);
    let tale = match turn % 6 {
        4 | 5 => tale.ended(end, JobState::NotFound, ""),
        _ => tale.ended(end, JobState::Failed, words_of(&FAILURES, provider)),
    };
    tale.webhook(dice, WebhookResult::Accepted, 1).status(RunStatus::AwaitingResult)
}

/// The charge took the last of the quota and the rest from the wallet (P5).
pub(super) fn split_charge(stage: &mut Stage, turn: usize) -> Option<Sketch> {
    let (customer, start) = stage.fresh_once(Part::Split, 27 * 60, 40 * 60)?;
    let spot = stage.personal(customer)?;
    let mut tale = failed(stage, &spot, if turn == 0 { VEO } else { FAL }, start, 0);
    let total = tale.price();
    let from_quota = (total * stage.dice.between(20, 70) / 100).max(1);
    for debit in &mut tale.debits {
        debit.from_quota = Some(from_quota);
    }
    let tale = stage.tell(tale);
    let mut sketch = sketch(stage, tale, Verdict::ProviderFailed, "failed")?;
    if turn == 0 {
        sketch.fixed_id = Some(fixed::SPLIT_RESTORE);
        sketch.cite =
            Cite { project: ProjectCite::Id, time: TimeCite::Clock, model: true, amount: true, run_id: false };
        sketch.pictures = Pictures::Billing;
    }
    Some(sketch)
}

/// Six clips of one run, all failed: more credits than one person may restore alone (R53).
pub(super) fn storyboard_failed(stage: &mut Stage, _turn: usize) -> Option<Sketch> {
    let (customer, start) = stage.fresh(Part::Regular, DAY + 30, 3 * DAY);
    let spot = stage.personal(customer)?;
    let offer = stage.offer_at(VEO);
    let end = after(start, stage.takes(offer)).min(stage.ago(1));
    let dice = &mut stage.dice;
    let tale = Tale::begin(dice, &spot, offer, start, 6)
        .charged(dice)
        .submitted(dice)
        .working(18)
        .ended(end, JobState::Failed, words_of(&FAILURES, VEO))
        .webhook(dice, WebhookResult::Accepted, 1)
        .status(RunStatus::AwaitingResult);
    let tale = stage.tell(tale);
    let mut sketch = sketch(stage, tale, Verdict::ProviderFailed, "failed")?;
    sketch.fixed_id = Some(fixed::OVER_LIMIT);
    sketch.cite = Cite { project: ProjectCite::Id, time: TimeCite::Clock, model: true, amount: true, run_id: false };
    sketch.pictures = Pictures::Both;
    Some(sketch)
}

pub(super) fn provider_failed(stage: &mut Stage, turn: usize) -> Option<Sketch> {
    let provider = PROVIDERS[turn % PROVIDERS.len()];
    let (part, from, to) = match turn {
        3 | 9 => (Part::Ended, 40 * 60, 80 * 60),
        // Long ago: the quota period of the charge is over.
        4 | 10 => (Part::Regular, 28 * DAY, 33 * DAY),
        5 | 11 => (Part::Regular, 60, 18 * 60),
        _ => (Part::Regular, DAY + 30, 6 * DAY),
    };
    let (customer, start) = stage.fresh(part, from, to);
    let spot = match turn {
        2 | 8 | 14 => {
            let studio = stage.dice.index(stage.cast.studios.len());
            let member = *stage.cast.studios.get(studio)?.active.get(1)?;
            let start = stage.between_ago(DAY + 30, 5 * DAY);
            stage.reserve(member, start);
            let spot = stage.shared(studio, member)?;
            return workspace_failed(stage, &spot, provider, start, turn);
        }
        _ => stage.personal(customer)?,
    };
    let mut tale = failed(stage, &spot, provider, start, turn);
    tale = match turn {
        6 | 12 => tale
            .refunded(
                &mut stage.dice,
                after(start, 3 * 3600),
                ReturnTo::Sources,
                RefundState::Posted,
                "provider failed",
            )
            .status(RunStatus::Refunded),
        7 => tale.refunded(
            &mut stage.dice,
            after(start, 3 * 3600),
            ReturnTo::Sources,
            RefundState::Reversed,
            "posted in error",
        ),
        13 => {
            let other = (spot.purse + 1) % stage.cast.purses.len().max(1);
            tale.refunded(
                &mut stage.dice,
                after(start, 3 * 3600),
                ReturnTo::PurseOf(other),
                RefundState::Posted,
                "provider failed",
            )
        }
        _ => tale,
    };
    let tale = stage.tell(tale);
    sketch(stage, tale, Verdict::ProviderFailed, "failed")
}

fn workspace_failed(
    stage: &mut Stage,
    spot: &Spot,
    provider: &'static str,
    start: jiff::Timestamp,
    turn: usize,
) -> Option<Sketch> {
    let tale = failed(stage, spot, provider, start, turn);
    let tale = stage.tell(tale);
    let mut sketch = sketch(stage, tale, Verdict::ProviderFailed, "failed")?;
    sketch.cite = super::EXACT;
    Some(sketch)
}

pub(super) fn provider_filtered(stage: &mut Stage, turn: usize) -> Option<Sketch> {
    let (provider, _) = REFUSALS[turn % REFUSALS.len()];
    let (from, to) = if turn % 5 == 4 { (60, 18 * 60) } else { (DAY + 30, 6 * DAY) };
    let (customer, start) = stage.fresh(Part::Regular, from, to);
    let spot = stage.personal(customer)?;
    let offer = stage.offer_at(provider);
    let end = after(start, stage.takes(offer));
    let dice = &mut stage.dice;
    let tale = Tale::begin(dice, &spot, offer, start, 1)
        .charged(dice)
        .submitted(dice)
        .working(18)
        .ended(end, JobState::Filtered, words_of(&REFUSALS, provider))
        .webhook(dice, WebhookResult::Accepted, 1)
        .status(RunStatus::AwaitingResult);
    let tale = stage.tell(tale);
    sketch(stage, tale, Verdict::ProviderFiltered, "filtered")
}

pub(super) fn never_submitted(stage: &mut Stage, turn: usize) -> Option<Sketch> {
    let file = if turn % 4 == 3 { FileNow::InWindow } else { FileNow::Gone };
    let place = setting(stage, Part::Regular, file, turn)?;
    let dice = &mut stage.dice;
    let tale = Tale::begin(dice, &place.spot, place.offer, place.start, 1).charged(dice).status(RunStatus::Running);
    let tale = stage.tell(tale);
    sketch(stage, tale, Verdict::NeverSubmitted, "stuck")
}

pub(super) fn provider_unreachable(stage: &mut Stage, turn: usize) -> Option<Sketch> {
    let provider = TROUBLED[turn % TROUBLED.len()];
    let (customer, start) = stage.fresh(Part::Regular, DAY + 120, 70 * 60);
    let spot = stage.personal(customer)?;
    let offer = stage.offer_at(provider);
    let dice = &mut stage.dice;
    let tale = Tale::begin(dice, &spot, offer, start, 1).charged(dice).submitted(dice).working(18);
    let tale = if matches!(turn, 1 | 3) {
        let word = "ARCHIVING".to_owned();
        tale.answered(JobState::Unrecognised, Ending::Odd { word }, "the provider answered with the state ARCHIVING")
    } else {
        tale.answered(JobState::LookupFailed, Ending::Broken, "the provider answered 503")
    };
    let tale = stage.tell(tale.status(RunStatus::AwaitingResult));
    let mut sketch = sketch(stage, tale, Verdict::ProviderUnreachable, "missing")?;
    sketch.created_at = stage.written(tale, 85);
    match turn {
        0 => sketch.fixed_id = Some(fixed::LOOK_UP_FAILS),
        1 => sketch.fixed_id = Some(fixed::UNRECOGNISED),
        _ => {}
    }
    Some(sketch)
}

pub(super) fn in_progress(stage: &mut Stage, turn: usize) -> Option<Sketch> {
    still_running(stage, turn, (70, 20 * 60), Verdict::InProgress)
}

pub(super) fn provider_stalled(stage: &mut Stage, turn: usize) -> Option<Sketch> {
    still_running(stage, turn, (DAY + 20, 40 * 60), Verdict::ProviderStalled)
}

fn still_running(stage: &mut Stage, turn: usize, (from, to): (i64, i64), verdict: Verdict) -> Option<Sketch> {
    let (customer, start) = stage.fresh(Part::Regular, from, to);
    let spot = stage.personal(customer)?;
    let offer = stage.offer_at(BUSY[turn % BUSY.len()]);
    let dice = &mut stage.dice;
    let tale = Tale::begin(dice, &spot, offer, start, 1).charged(dice).submitted(dice);
    // Some have not even left the queue.
    let tale = if turn % 4 == 1 && has_queue(offer.provider) { tale } else { tale.working(25) };
    let tale = stage.tell(tale);
    let mut sketch = sketch(stage, tale, verdict, "stuck")?;
    sketch.created_at = stage.written(tale, 92);
    Some(sketch)
}
