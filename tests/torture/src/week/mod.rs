//! A week in which every provider is down now and then, played minute by minute with the retention that the
//! vendors state: ten minutes here, an hour there, and files that take minutes to come. A desk is at work all the
//! time as it is in the program that hosts it, with passes an hour apart at the latest. The program is killed now and
//! then, in the middle of whatever it does, and begun anew some minutes later. A file that somebody could have saved,
//! because it was there and its provider was up for long enough after it was heard of, must be ours at the end.
//!
//! Beside it the same week is played by a desk that makes a pass each hour and looks at nothing in between: it must be
//! seen to lose files, or the week would show nothing.

mod life;
mod outages;
mod world;

use std::sync::Arc;

use crate::child::runtime;
use crate::dice::Dice;
use crate::suites::Run;
use crate::verdict::Verdict;
use life::Life;
use world::{Fate, World};

/// Minutes of a week, and of what is played after it until nothing of it can change any more.
const WEEK: i64 = 7 * 24 * 60;
const AFTER: i64 = 2 * 24 * 60;
/// Minutes between two passes at the latest, as it is shipped.
const EVERY: i64 = 60;
/// How often everybody who can go on in a minute does. What is not done by then is done in the next one.
const TURNS: u64 = 200;
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
    /// After a pass nobody looks at anything for an hour, whatever is due.
    SleepsThrough,
}

/// What became of the files of a week.
#[derive(Debug, Default)]
struct Count {
    made: u64,
    ours: u64,
    out_of_reach: u64,
    late: u64,
    ends: u64,
    passes: u64,
    webhooks: u64,
    lost: Vec<String>,
}

pub fn run(run: &Run) -> anyhow::Result<Verdict> {
    play(run, run.size(RUNS_QUICK, RUNS_FULL), Plant::Nothing)
}

/// A week with so many runs.
pub fn play(run: &Run, runs: usize, plant: Plant) -> anyhow::Result<Verdict> {
    let runtime = runtime()?;
    let count = runtime.block_on(live(run.seed, runs, plant))?;
    let mut verdict = Verdict::default();
    verdict.count("ends", count.ends);
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
    if plant != Plant::Nothing {
        return Ok(verdict);
    }
    if count.ours == 0 || count.ends == 0 {
        verdict.fault("nothing was saved, or nobody was ended: the week tests nothing", run.replay("week"));
    }
    let control = runtime.block_on(live(run.seed, runs, Plant::SleepsThrough))?.lost.len();
    verdict.count("control-lost", control);
    if control == 0 {
        verdict.fault("who looks only each hour loses nothing either: the week tests nothing", run.replay("week"));
    }
    Ok(verdict)
}

async fn live(seed: u64, runs: usize, plant: Plant) -> anyhow::Result<Count> {
    let world = Arc::new(World::new(seed, runs).await?);
    let (mut count, mut dice) = (Count::default(), Dice::new(seed, "ends"));
    let (mut life, mut told) = (None::<Life>, Vec::new());
    for minute in 0..WEEK + AFTER {
        world.become_minute(minute).await?;
        // Who finds nobody tells again.
        told.extend(world.heard_at(minute));
        let ends = world.ends.begins(minute);
        if world.ends.is_down(minute) && !ends {
            continue;
        }
        let mut living = match life.take() {
            Some(life) => life,
            None => Life::begin(&world, plant, minute)?,
        };
        let heard = std::mem::take(&mut told);
        count.webhooks += u64::try_from(heard.len())?;
        world.keep(&heard, minute).await?;
        if plant != Plant::HearsNothing {
            living.desk.heard_of(heard);
        }
        let turns = if ends { dice.below(TURNS) } else { TURNS };
        for _ in 0..turns {
            tokio::task::yield_now().await;
        }
        living.is_well().await?;
        if ends {
            count.ends += 1;
            count.passes += living.end();
        } else {
            life = Some(living);
        }
    }
    count.passes += life.map_or(0, Life::end);
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
        } else if let Some(minute) = world.chance_to_save(run) {
            count.lost.push(format!(
                "{} of {} was made at minute {}, kept until {}, could be had from {minute} on, and is lost",
                run.id, run.provider, run.done, run.kept_until
            ));
        } else {
            count.out_of_reach += 1;
        }
    }
    Ok(())
}
