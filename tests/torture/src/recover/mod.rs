//! The recovery of a file, ended at each of its twelve steps in each way in which a program can end, and at
//! every ordered pair of steps: the second end meets the program that goes on from the first. However often
//! that happens there is one object, at most one placement, never both remedies, and next to nothing is
//! fetched twice.

mod points;
mod trial;

use std::path::Path;

use crate::dice::Dice;
use crate::suites::Run;
use crate::verdict::Verdict;
use points::{Kind, Net};
use trial::{Blow, Scene, Trial};

/// Ends of each kind at each step, with each net, on each database.
const SEEDS_FULL: u64 = 25;
/// A record is proved and left after so many trials.
const TRIALS_A_RECORD: usize = 150;
/// Of the pairs, so many in the quick form.
const PAIRS_QUICK: usize = 6;
/// One trial in so many is of a file without a version.
const UNTAGGED: usize = 4;

/// What the trials came to.
#[derive(Debug, Default)]
pub struct Toll {
    pub trials: u64,
    pub pairs: u64,
    pub ends: u64,
    /// Programs that had no need to come by a step: what an earlier life did was enough.
    pub passed_by: u64,
    /// The most bytes of one file that were fetched twice, over all lives of its programs.
    pub most_twice: u64,
    pub broken: Vec<String>,
}

/// What is wrong with the programs, where a bug is planted.
#[derive(Clone, Copy, Debug, Default)]
pub struct Plant {
    /// Its provider gives every file from its first byte.
    pub forgetful: bool,
}

/// How much is tried.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// `None`: each step once on each database and net, in one way each.
    pub seeds: Option<u64>,
    /// `None`: all of them.
    pub pairs: Option<usize>,
    pub plant: Plant,
}

pub fn run(run: &Run) -> anyhow::Result<Verdict> {
    let quick = Size { seeds: None, pairs: Some(PAIRS_QUICK), plant: Plant::default() };
    let full = Size { seeds: Some(SEEDS_FULL), pairs: None, plant: Plant::default() };
    play(run, &run.size(quick, full))
}

/// All trials of some size.
pub fn play(run: &Run, size: &Size) -> anyhow::Result<Verdict> {
    let folder = tempfile::tempdir()?;
    let mut toll = Toll::default();
    for shared in [false, true] {
        let word = if shared { "postgres" } else { "sqlite" };
        for net in Net::ALL {
            let part = format!("{word}/{}", net.word());
            if !run.wants(&part) {
                continue;
            }
            let mut dice = Dice::new(run.seed, &format!("recover {part}"));
            let trials = plan(net, size, &mut dice);
            if let Err(why) = act_out(&trials, shared, size.plant, folder.path(), &mut dice, &mut toll) {
                toll.broken.push(format!("{part} could not be run to its end: {why:#}"));
            }
        }
    }
    let mut verdict = Verdict::default();
    verdict.count("trials", toll.trials);
    verdict.count("pairs", toll.pairs);
    verdict.count("ends", toll.ends);
    verdict.count("passed-by", toll.passed_by);
    verdict.count("twice-bytes-max", toll.most_twice);
    verdict.count("wrong", toll.broken.len());
    for what in toll.broken {
        verdict.fault(what, run.replay("recover"));
    }
    Ok(verdict)
}

/// The trials of one net on either database.
fn plan(net: Net, size: &Size, dice: &mut Dice) -> Vec<Trial> {
    let (points, kinds) = (net.points(), Kind::ALL);
    let mut trials = Vec::new();
    match size.seeds {
        Some(seeds) => {
            for _ in 0..seeds {
                let all = points.iter().flat_map(|point| kinds.iter().map(move |kind| (point, kind)));
                trials.extend(all.map(|(point, kind)| trial(net, vec![Blow::of(point, *kind, dice)], dice)));
            }
        }
        None => {
            let first = dice.index(kinds.len());
            for (place, point) in points.iter().enumerate() {
                let kind = kinds[(first + place) % kinds.len()];
                let is_tagged = !(first + place).is_multiple_of(UNTAGGED);
                trials.push(Trial { net, blows: vec![Blow::of(point, kind, dice)], is_tagged });
            }
        }
    }
    let mut pairs: Vec<Trial> = points
        .iter()
        .flat_map(|first| points.iter().map(move |second| (first, second)))
        .map(|(first, second)| {
            let blows = vec![Blow::of(first, Kind::Killed, dice), Blow::of(second, Kind::Killed, dice)];
            trial(net, blows, dice)
        })
        .collect();
    if let Some(some) = size.pairs {
        for last in (1..pairs.len()).rev() {
            pairs.swap(last, dice.index(last + 1));
        }
        pairs.truncate(some);
    }
    trials.extend(pairs);
    trials
}

fn trial(net: Net, blows: Vec<Blow>, dice: &mut Dice) -> Trial {
    Trial { net, blows, is_tagged: dice.index(UNTAGGED) != 0 }
}

fn act_out(
    trials: &[Trial],
    shared: bool,
    plant: Plant,
    folder: &Path,
    dice: &mut Dice,
    toll: &mut Toll,
) -> anyhow::Result<()> {
    for (number, some) in trials.chunks(TRIALS_A_RECORD).enumerate() {
        let net = some.first().map_or("", |trial| trial.net.word());
        let place = folder.join(format!("{}-{net}-{number}", if shared { "postgres" } else { "sqlite" }));
        let mut scene = Scene::new(shared, &place, plant)?;
        for trial in some {
            scene.play(trial, dice, toll)?;
        }
        scene.prove(toll)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_full_form_is_every_step_in_every_way_and_every_pair() {
        let size = Size { seeds: Some(25), pairs: None, plant: Plant::default() };
        for net in Net::ALL {
            assert_eq!(plan(net, &size, &mut Dice::new(1, "plan")).len(), 12 * 4 * 25 + 144);
        }
    }

    #[test]
    fn the_quick_form_meets_every_step() {
        let size = Size { seeds: None, pairs: Some(6), plant: Plant::default() };
        let trials = plan(Net::Charged, &size, &mut Dice::new(1, "plan"));
        assert_eq!(trials.len(), 12 + 6);
        let names: std::collections::BTreeSet<_> = trials[..12].iter().map(|trial| trial.blows[0].name).collect();
        assert_eq!(names.len(), 12);
        assert_eq!(trials[..12].iter().filter(|trial| !trial.is_tagged).count(), 12 / UNTAGGED);
    }
}
