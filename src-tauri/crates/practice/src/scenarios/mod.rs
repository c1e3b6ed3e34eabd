//! What goes wrong in the practice world. Each function plays one verdict of the policy once: the
//! platform's rows, the provider's side, and the ticket about it. The label on the ticket is the
//! verdict the scenario was written for; a test holds the rules against the labels.

mod cancelled;
mod delivered;
mod missing;
mod people;
mod upstream_failed;

use jiff::Timestamp;
use makegood_domain::diagnose::Verdict;
use makegood_domain::support::Topic;
use makegood_domain::work::{ItemState, RunStatus, WebhookResult};

use crate::cast::Part;
use crate::catalogue::{
    BFL, ELEVENLABS, FAL, HEYGEN, KLING, LUMA, LUMA_AGENTS, MINIMAX_V1, MINIMAX_V2, Offer, REPLICATE, RUNWAY, SEEDANCE,
    STABILITY, SYNC, VEO, VERTEX,
};
use crate::stage::{Cite, Pictures, ProjectCite, Sketch, Stage, TimeCite};
use crate::tale::{Spot, Tale, after};

/// Ids of tickets that stand for one thing each, so that a guided tour and end-to-end tests find them.
pub mod fixed {
    /// A finished Veo clip, never stored, kept for some hours more: recover it.
    pub const RECOVER: &str = "TCK-1001";
    /// A failed run that took the last of the quota and the rest from the wallet: restore both.
    pub const SPLIT_RESTORE: &str = "TCK-1002";
    /// Two runs fit, nothing tells which: ask.
    pub const AMBIGUOUS: &str = "TCK-1003";
    /// A batch: one item is there, one can be recovered, one is restored.
    pub const PARTIAL: &str = "TCK-1004";
    /// The provider answers the look-up with errors.
    pub const LOOK_UP_FAILS: &str = "TCK-1005";
    /// The provider answers with a state that nobody knows.
    pub const UNRECOGNISED: &str = "TCK-1006";
    /// A second ticket about the run of `DUPLICATE_OF`.
    pub const DUPLICATE: &str = "TCK-1007";
    pub const DUPLICATE_OF: &str = "TCK-1008";
    /// The output lies in somebody else's project.
    pub const PRIVACY: &str = "TCK-1009";
    /// A file at Replicate that is gone within the hour.
    pub const EXPIRING: &str = "TCK-1010";
    /// A failed storyboard that cost more than one person may restore alone: a second one must approve.
    pub const OVER_LIMIT: &str = "TCK-1011";
    /// The platform lost the id of a finished job; Kling lists it under the run's own.
    pub const JOB_LOST: &str = "TCK-1012";
}

/// A scenario and how often it is played. `None`: the stage had no place for it.
type Play = fn(&mut Stage, usize) -> Option<Sketch>;

/// Everything that is played, in order. The number handed in counts the plays of one scenario.
const PROGRAMME: &[(Play, usize)] = &[
    (missing::upload_failed, 30),
    (missing::webhook_lost, 28),
    (missing::partial_batch, 14),
    (missing::corrupt_output, 10),
    (missing::storage_quota, 10),
    (missing::late_result, 6),
    (upstream_failed::split_charge, 4),
    (upstream_failed::provider_failed, 22),
    (upstream_failed::provider_filtered, 12),
    (upstream_failed::never_submitted, 9),
    (upstream_failed::provider_unreachable, 8),
    (upstream_failed::in_progress, 10),
    (upstream_failed::provider_stalled, 9),
    (delivered::delivered_ok, 10),
    (delivered::not_on_canvas, 14),
    (delivered::wrong_place, 9),
    (delivered::duplicate_charge, 9),
    (delivered::not_charged, 7),
    (cancelled::before_start, 6),
    (cancelled::after_start, 9),
    (cancelled::project_deleted, 6),
    (people::ambiguous, 10),
    (people::other_customer, 5),
    (people::foreign_asset, 5),
    (people::unknown_sender, 6),
    (people::billing_question, 10),
    (people::former_member, 3),
    (upstream_failed::storyboard_failed, 1),
    (missing::job_lost, 4),
];

/// Plays everything.
pub fn play(stage: &mut Stage) {
    for (scenario, times) in PROGRAMME {
        for turn in 0..*times {
            if let Some(sketch) = scenario(stage, turn) {
                stage.sketches.push(sketch);
            }
        }
    }
    people::second_tickets(stage);
}

/// A whole day in minutes: the reconciler's window (P3).
const DAY: i64 = 24 * 60;

/// How a file stands when the ticket is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FileNow {
    /// It exists and may be recovered at once.
    Kept,
    /// Its provider has deleted it.
    Gone,
    /// It exists, and the reconciler has still time for it.
    InWindow,
}

/// Who starts a run, what with, and when; and when the provider finished.
struct Setting {
    spot: Spot,
    offer: &'static Offer,
    start: Timestamp,
    end: Timestamp,
}

/// A provider, and between how many minutes before the anchor a run was started there.
type Then = (&'static str, i64, i64);

/// Its file exists, and the reconciler has no more time, or no right to wait: less than a day is left (P3, P7).
const KEPT: [Then; 16] = [
    (VEO, DAY + 60, 45 * 60),
    (FAL, DAY + 60, 150 * 60),
    (RUNWAY, DAY + 60, 6 * DAY),
    (REPLICATE, 18, 50),
    (SYNC, DAY + 60, 6 * DAY),
    (VERTEX, DAY + 60, 66 * 60),
    (ELEVENLABS, DAY + 60, 6 * DAY),
    (LUMA, DAY + 60, 6 * DAY),
    (BFL, 4, 6),
    (HEYGEN, DAY + 60, 6 * DAY),
    (SEEDANCE, 60, 21 * 60),
    (MINIMAX_V1, DAY + 60, 6 * DAY),
    (KLING, DAY + 60, 6 * DAY),
    (STABILITY, 60, 21 * 60),
    (MINIMAX_V2, DAY + 60, 150 * 60),
    (LUMA_AGENTS, DAY + 60, 6 * DAY),
];

/// Its file was deleted, and the provider says that the job ended well all the same.
const GONE: [Then; 4] =
    [(REPLICATE, 26 * 60, 9 * DAY), (VEO, 60 * 60, 10 * DAY), (BFL, 26 * 60, 9 * DAY), (SEEDANCE, 60 * 60, 6 * DAY)];

/// Its file exists, and the reconciler has time.
const IN_WINDOW: [Then; 10] = [
    (VEO, 40, 19 * 60),
    (FAL, 40, 19 * 60),
    (KLING, 40, 19 * 60),
    (HEYGEN, 40, 19 * 60),
    (RUNWAY, 40, 19 * 60),
    (LUMA, 40, 19 * 60),
    (SYNC, 40, 19 * 60),
    (MINIMAX_V1, 40, 19 * 60),
    (VERTEX, 40, 19 * 60),
    (ELEVENLABS, 40, 19 * 60),
];

/// Finds a place and time at which a file stands as wanted (P3, P7). `turn` spreads providers.
fn setting(stage: &mut Stage, part: Part, file: FileNow, turn: usize) -> Option<Setting> {
    let table: &[Then] = match file {
        FileNow::Kept => &KEPT,
        FileNow::Gone => &GONE,
        FileNow::InWindow => &IN_WINDOW,
    };
    let (provider, from, to) = *table.get(turn % table.len())?;
    let offer = stage.offer_at(provider);
    let (customer, start) = stage.fresh(part, from, to);
    let spot = stage.personal(customer)?;
    let end = after(start, 4 + stage.takes(offer));
    Some(Setting { spot, offer, start, end: end.min(stage.ago(2)) })
}

impl Setting {
    /// The run was charged, and the provider made all items.
    fn made(&self, stage: &mut Stage, items: u32) -> Tale {
        let states = vec![ItemState::Succeeded; usize::try_from(items).unwrap_or(1)];
        self.ended_with(stage, &states)
    }

    /// The run was charged, and the provider ended with these items.
    fn ended_with(&self, stage: &mut Stage, states: &[ItemState]) -> Tale {
        let items = u32::try_from(states.len()).unwrap_or(1);
        let now = (&stage.kept, stage.anchor);
        let dice = &mut stage.dice;
        Tale::begin(dice, &self.spot, self.offer, self.start, items)
            .charged(dice)
            .submitted(dice)
            .working(18)
            .finished(dice, self.end, states, now)
            .webhook(dice, WebhookResult::Accepted, 1)
            .status(RunStatus::Succeeded)
    }
}

/// A usual ticket about one tale; scenarios change what is special about theirs.
fn sketch(stage: &mut Stage, tale: usize, verdict: Verdict, story: &'static str) -> Option<Sketch> {
    let customer = stage.tales.get(tale)?.customer;
    let shared = stage.cast.customers.get(customer).is_some_and(|row| !row.studios.is_empty());
    let (cite, pictures) = manner(stage, shared);
    let wrong_clock = cite.time == TimeCite::No && cite.project == ProjectCite::Id;
    let share = stage.dice.between(35, 95);
    Some(Sketch {
        verdict,
        fixed_id: None,
        customer,
        sender: None,
        topic: Topic::MissingOutput,
        tales: vec![tale],
        story,
        cite,
        pictures,
        wrong_clock,
        created_at: stage.written(tale, share),
        stated_runs: Some(1),
        linked: false,
    })
}

/// How people write: some give everything, some an id misread from a picture, some only pictures.
/// People of a workspace see the runs of others as well, so they name the project.
fn manner(stage: &mut Stage, shared: bool) -> (Cite, Pictures) {
    let cite = |project, time, model, amount| Cite { project, time, model, amount, run_id: false };
    let (project, clock) = (ProjectCite::Id, TimeCite::Clock);
    match stage.dice.between(0, if shared { 64 } else { 99 }) {
        0..=9 => (cite(project, clock, true, true), Pictures::Both),
        10..=34 => (cite(project, clock, true, false), Pictures::No),
        35..=44 => (cite(ProjectCite::Misread, clock, true, true), Pictures::Billing),
        45..=50 => (cite(ProjectCite::Name, clock, true, false), Pictures::Canvas),
        51..=54 => (cite(project, TimeCite::No, true, true), Pictures::Billing),
        55..=64 => (cite(project, TimeCite::Day, true, true), Pictures::No),
        65..=79 => (cite(ProjectCite::No, clock, true, true), Pictures::Billing),
        80..=91 => (cite(ProjectCite::No, TimeCite::No, false, false), Pictures::Both),
        _ => (Cite { run_id: true, ..cite(ProjectCite::No, TimeCite::No, false, false) }, Pictures::No),
    }
}

/// A cite that names project and clock: for runs that are found only by them.
const EXACT: Cite = Cite { project: ProjectCite::Id, time: TimeCite::Clock, model: true, amount: false, run_id: false };
