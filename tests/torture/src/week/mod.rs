//! A week in which every provider is down now and then, played minute by minute with the retention that the
//! vendors state: ten minutes here, an hour there. A file that somebody could have saved, because its
//! provider was up when a pass came by or a webhook was heard, must be ours at the end.

mod outages;
mod world;

use anyhow::Context as _;
use jiff::SignedDuration;
use makegood_app::Shift;

use crate::child::runtime;
use crate::suites::Run;
use crate::verdict::Verdict;
use world::{Fate, World};

/// Minutes of a week, and of what is played after it until nothing of it can change any more.
const WEEK: i64 = 7 * 24 * 60;
const AFTER: i64 = 2 * 24 * 60;
/// Minutes between two passes.
const EVERY: i64 = 5;
/// Runs in a week.
const RUNS_QUICK: usize = 220;
const RUNS_FULL: usize = 3_000;

/// What is wrong with the house, where a bug is planted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plant {
    Nothing,
    /// A run is not looked at again for an hour, whatever its provider forgets meanwhile.
    LooksSeldom,
    /// Webhooks are kept, and nobody asks because of them.
    HearsNothing,
}

/// What became of the files of a week.
#[derive(Debug, Default)]
struct Count {
    made: u64,
    ours: u64,
    out_of_reach: u64,
    late: u64,
    passes: u64,
    webhooks: u64,
    lost: Vec<String>,
}

pub fn run(run: &Run) -> anyhow::Result<Verdict> {
    play(run, run.size(RUNS_QUICK, RUNS_FULL), Plant::Nothing)
}

/// A week with so many runs.
pub fn play(run: &Run, runs: usize, plant: Plant) -> anyhow::Result<Verdict> {
    let count = runtime()?.block_on(live(run.seed, runs, plant))?;
    let mut verdict = Verdict::default();
    verdict.count("passes", count.passes);
    verdict.count("webhooks", count.webhooks);
    verdict.count("made", count.made);
    verdict.count("ours", count.ours);
    verdict.count("out-of-reach", count.out_of_reach);
    verdict.count("late", count.late);
    verdict.count("lost", count.lost.len());
    for lost in count.lost {
        verdict.fault(lost, run.replay("week"));
    }
    let shortest = plant == Plant::Nothing && count.ours == 0;
    if shortest {
        verdict.fault("nothing was saved at all: the week tests nothing", run.replay("week"));
    }
    Ok(verdict)
}

async fn live(seed: u64, runs: usize, plant: Plant) -> anyhow::Result<Count> {
    let world = World::new(seed, runs, plant).await?;
    let mut count = Count::default();
    for minute in 0..WEEK + AFTER {
        world.become_minute(minute).await?;
        let heard = world.heard_at(minute);
        count.webhooks += u64::try_from(heard.len())?;
        if !heard.is_empty() && plant != Plant::HearsNothing {
            world.desk.heard_of(heard);
            world.desk.capture_wanted().await;
        }
        if minute % EVERY == 0 {
            let shift = Shift::new(format!("pass-of-minute-{minute:06}"), "week".to_owned());
            let pass = world.desk.reconcile_once(&shift.every(SignedDuration::from_mins(EVERY))).await;
            pass.with_context(|| format!("the pass of minute {minute}"))?;
            count.passes += 1;
        }
    }
    tell(&world, &mut count).await?;
    Ok(count)
}

/// Holds what is ours against what could have been.
async fn tell(world: &World, count: &mut Count) -> anyhow::Result<()> {
    for run in world.runs.iter().filter(|run| run.fate != Fate::Fails) {
        count.made += 1;
        count.late += u64::from(run.fate == Fate::ComesLate);
        if world.is_ours(run).await? {
            count.ours += 1;
        } else if let Some(minute) = world.chance_to_save(run, EVERY) {
            count.lost.push(format!(
                "{} of {} was made at minute {}, kept until {}, could be had at {minute}, and is lost",
                run.id, run.provider, run.done, run.kept_until
            ));
        } else {
            count.out_of_reach += 1;
        }
    }
    Ok(())
}
