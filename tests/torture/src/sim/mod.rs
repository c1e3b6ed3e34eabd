//! The program itself in virtual time: the platform's feed, reconcilers, agents and a provider, one
//! call of the record at a time, with ends of programs and broken links in between. A seed decides
//! everything, so a seed is a story.

mod checks;
mod fates;
mod house;
mod outside;
mod people;
mod plant;
mod probe;
mod races;
mod recorder;
mod rest;
mod second;
mod splits;
mod tale;
mod timeline;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::SignedDuration;
use makegood_domain::policy::Policy;

use crate::suites::Run;
use crate::verdict::Verdict;
use races::{Met, Race};
use tale::Tale;

pub use plant::Plant;

/// How long the quick form goes on starting new stories.
const QUICK: Duration = Duration::from_secs(30);
const SEEDS_FULL: u64 = 20_000;
/// Charges that are given back in random parts.
const SPLITS: u64 = 2_000;
const SPLITS_FULL: u64 = 10_000;
/// Stories in which each planted bug shows.
const SEEDS_SMALL: u64 = 40;
const YEARS_FULL: SignedDuration = SignedDuration::from_hours(10 * 365 * 24);
/// Only houses with a slow provider are played: `--only slow`, and one of them: `--only slow7`.
const SLOW: &str = "slow";
/// Among so many stories every race is met.
const ENOUGH: u64 = 600;
/// Of ten remedies nine are there within this time.
const MOST_WITHIN: SignedDuration = SignedDuration::from_hours(4);

/// What all stories came to.
#[derive(Debug, Default)]
struct Sum {
    seeds: u64,
    virtual_time: SignedDuration,
    calls: u64,
    crashes: u64,
    delivered: usize,
    refunded: usize,
    leases: i64,
    stops: u64,
    /// Stories of houses whose one reconciler comes by each hour.
    hourly: u64,
    /// Stories of houses with a provider that takes minutes for everything.
    slow: u64,
    /// Charges that were settled while their provider was out of reach until after hour 24.
    out_over_24: usize,
    met: Met,
    waits: Vec<i64>,
    hourly_waits: Vec<i64>,
}

impl Sum {
    fn add(&mut self, other: Self) {
        self.seeds += other.seeds;
        self.virtual_time += other.virtual_time;
        self.calls += other.calls;
        self.crashes += other.crashes;
        self.delivered += other.delivered;
        self.refunded += other.refunded;
        self.leases += other.leases;
        self.stops += other.stops;
        self.hourly += other.hourly;
        self.slow += other.slow;
        self.out_over_24 += other.out_over_24;
        self.met.add_all(&other.met);
        self.waits.extend(other.waits);
        self.hourly_waits.extend(other.hourly_waits);
    }
}

/// Which stories are played, and until when new ones are begun.
struct Season<'a> {
    policy: &'a Policy,
    plant: &'a Plant,
    seeds: std::ops::Range<u64>,
    until: Option<Instant>,
    /// A bug is noticed once.
    stops_at_first: bool,
    /// Every house has a provider that takes minutes for everything, not only some.
    slow: bool,
}

/// A story that went wrong, by its seed.
type Broken = (u64, String);

pub fn run(run: &Run) -> anyhow::Result<Verdict> {
    let policy = Policy::default_policy().map_err(|why| anyhow::anyhow!("{why}"))?;
    let slow = run.only.as_deref().is_some_and(|only| only.starts_with(SLOW));
    let single = run.only.as_ref().and_then(|only| only.trim_start_matches(SLOW).parse::<u64>().ok());
    let season = Season {
        policy: &policy,
        plant: &Plant::default(),
        seeds: single.map_or(run.seed..run.seed + SEEDS_FULL, |seed| seed..seed + 1),
        until: (!run.full).then(|| Instant::now() + QUICK),
        stops_at_first: false,
        slow,
    };
    let (mut sum, broken) = season.play()?;
    let mut verdict = Verdict::default();
    told(broken, slow, &mut verdict);
    let (all, hourly) = (Waits::of(&mut sum.waits), Waits::of(&mut sum.hourly_waits));
    if single.is_none() && !slow {
        judge(&sum, &[("", &all), (" with hourly passes only", &hourly)], run, &mut verdict);
    }
    count(&sum, (&all, &hourly), &mut verdict);
    if single.is_none() {
        match splits::play(run.seed, run.size(SPLITS, SPLITS_FULL)) {
            Ok(splits) => verdict.count("splits", format!("{}({}+{})", splits.charges, splits.parts, splits.refused)),
            Err(why) => verdict.fault(format!("splits: {why:#}"), run.replay("sim")),
        }
    }
    if run.full || single.is_some() {
        sum.met.lines().iter().for_each(|line| println!("           {line}"));
    }
    Ok(verdict)
}

/// How long remedies took, in seconds.
struct Waits {
    p90: i64,
    worst: i64,
}

impl Waits {
    fn of(seconds: &mut [i64]) -> Self {
        seconds.sort_unstable();
        let p90 = seconds.get(seconds.len() * 90 / 100).copied().unwrap_or_default();
        Self { p90, worst: seconds.last().copied().unwrap_or_default() }
    }
}

/// What must hold of all stories together. Whether each race was met, only where there were enough of them.
fn judge(sum: &Sum, waits: &[(&str, &Waits)], run: &Run, verdict: &mut Verdict) {
    for (houses, waits) in waits {
        if waits.p90 > MOST_WITHIN.as_secs() {
            let minutes = waits.p90 / 60;
            verdict.fault(format!("one remedy of ten took longer than {minutes} minutes{houses}"), run.replay("sim"));
        }
    }
    if run.full && sum.virtual_time < YEARS_FULL {
        verdict.fault("the stories are shorter than ten years together", run.replay("sim"));
    }
    if sum.seeds < ENOUGH && !run.full {
        return;
    }
    for race in sum.met.missing() {
        verdict.fault(format!("no story came to this race: {race:?}"), run.replay("sim"));
    }
    if sum.slow == 0 {
        verdict.fault("no provider was slow", run.replay("sim"));
    }
    if sum.out_over_24 == 0 {
        verdict.fault("no provider was out of reach over hour 24 of a charge", run.replay("sim"));
    }
}

fn count(sum: &Sum, (all, hourly): (&Waits, &Waits), verdict: &mut Verdict) {
    verdict.count("seeds", sum.seeds);
    let days = sum.virtual_time.as_hours() / 24;
    verdict.count("virtual", format!("{}y{}d", days / 365, days % 365));
    verdict.count("delivered", sum.delivered);
    verdict.count("refunded", sum.refunded);
    verdict.count("leases", sum.leases);
    verdict.count("calls", sum.calls);
    verdict.count("crashes", sum.crashes);
    verdict.count("stops", sum.stops);
    verdict.count("out_over_24", sum.out_over_24);
    let met = Race::ALL.len() - sum.met.missing().len();
    verdict.count("races", format!("{met}/{},rarest:{}", Race::ALL.len(), sum.met.rarest()));
    verdict.count("p90", format!("{}min", all.p90 / 60));
    verdict.count("worst", format!("{}h{:02}", all.worst / 3_600, all.worst / 60 % 60));
    verdict.count("hourly", sum.hourly);
    verdict.count("hourly_p90", format!("{}min", hourly.p90 / 60));
    verdict.count("slow", sum.slow);
    verdict.count("broken", verdict.faults().len());
}

/// Some stories with something planted, until one goes wrong. The same stories for each bug.
pub fn small(plant: &Plant, run: &Run) -> anyhow::Result<Verdict> {
    let policy = Policy::default_policy().map_err(|why| anyhow::anyhow!("{why}"))?;
    let seeds = run.seed..run.seed + plant.seeds.max(SEEDS_SMALL);
    let season = Season { policy: &policy, plant, seeds, until: None, stops_at_first: true, slow: plant.slow };
    let (_, broken) = season.play()?;
    let mut verdict = Verdict::default();
    told(broken, plant.slow, &mut verdict);
    Ok(verdict)
}

fn told(mut broken: Vec<Broken>, slow: bool, verdict: &mut Verdict) {
    broken.sort();
    let houses = if slow { SLOW } else { "" };
    for (seed, why) in broken {
        verdict.fault(format!("seed {seed}: {why}"), format!("sim --only {houses}{seed}"));
    }
}

impl Season<'_> {
    /// Plays on as many cores as there are: a story knows nothing of the others.
    fn play(&self) -> anyhow::Result<(Sum, Vec<Broken>)> {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let (next, ends) = (AtomicU64::new(self.seeds.start), Mutex::new((Sum::default(), Vec::new())));
        std::thread::scope(|threads| {
            let players: Vec<_> = (0..cores).map(|_| threads.spawn(|| self.play_some(&next, &ends))).collect();
            players.into_iter().try_for_each(|player| {
                player.join().unwrap_or_else(|_| anyhow::bail!("a story came to a panic, which is told above"))
            })
        })?;
        Ok(ends.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    fn play_some(&self, next: &AtomicU64, ends: &Mutex<(Sum, Vec<Broken>)>) -> anyhow::Result<()> {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            let late = self.until.is_some_and(|until| Instant::now() > until);
            let enough = self.stops_at_first && !ends.lock().unwrap_or_else(PoisonError::into_inner).1.is_empty();
            if seed >= self.seeds.end || late || enough {
                return Ok(());
            }
            let mut sum = Sum::default();
            let played = Tale::new(seed, self.policy, self.plant, self.slow)?.play(&mut sum);
            let mut ends = ends.lock().unwrap_or_else(PoisonError::into_inner);
            ends.0.add(sum);
            ends.1.extend(played.err().map(|why| (seed, why)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_the_same_story_each_time() {
        let policy = Policy::default_policy().expect("the policy that is compiled in");
        let plant = Plant::default();
        for seed in [753, 754] {
            let play = || {
                let mut sum = Sum::default();
                let told = Tale::new(seed, &policy, &plant, true).expect("a tale").play(&mut sum);
                format!("{told:?} {sum:?}")
            };
            assert_eq!(play(), play(), "seed {seed}");
        }
    }
}
