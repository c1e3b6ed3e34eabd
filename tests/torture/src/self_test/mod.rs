//! The suites are tested too: bugs that are known, planted one at a time, each of which the suite that
//! is named for it must notice. What notices everything is worth nothing, so each suite is run in the
//! same size without a bug as well, and must find nothing.
//!
//! # Where a bug is planted
//!
//! Outside the product, always: a [`Between`](crate::between::Between) around the record, another
//! provider or vault, other numbers of a policy, a function that is replaced in a throwaway cluster, a
//! pragma that is set behind the writer's back. No code of the product knows of it, and nothing that
//! is shipped can be told to misbehave.
//!
//! # How to add some
//!
//! Give the suite's work a parameter for what is planted, with a value that means nothing is. Write
//! `self_test/<area>.rs` with `pub fn beds() -> Vec<Bed>`: one [`Bed`] for each size of a suite that
//! its bugs need, with the [`Bed::control`] that runs it clean. Each [`Bug`] runs the same with the bug
//! and says in `shows` what a complaint about exactly this bug has in it, so that a suite that falls
//! over for another reason has caught nothing. Add `mod <area>;` here, and `<area>::beds` to [`BEDS`].

mod forge;
mod model;
mod net;
mod processes;
mod sim;

use crate::suites::Run;
use crate::verdict::Verdict;

/// A suite, run in some small size.
pub type Play = Box<dyn Fn(&Run) -> anyhow::Result<Verdict>>;

/// A suite in one size, and the bugs that it must notice in that size.
pub struct Bed {
    /// Which suite, as it is called on the command line.
    pub suite: &'static str,
    /// The same without a bug: it must find nothing.
    pub control: Play,
    pub bugs: Vec<Bug>,
}

/// A planted bug.
pub struct Bug {
    pub name: &'static str,
    /// One of these stands in the complaint that is about this bug.
    pub shows: &'static [&'static str],
    pub play: Play,
}

/// All areas.
const BEDS: [fn() -> Vec<Bed>; 5] = [model::beds, sim::beds, forge::beds, net::beds, processes::beds];

/// What became of the bugs so far.
#[derive(Debug, Default)]
struct Harvest {
    planted: usize,
    caught: usize,
    controls: usize,
}

pub fn run(run: &Run) -> anyhow::Result<Verdict> {
    let beds: Vec<Bed> = BEDS.iter().flat_map(|beds| beds()).collect();
    Ok(over(&beds, run))
}

fn over(beds: &[Bed], run: &Run) -> Verdict {
    // Sizes are the beds' own business: what was asked for is which of them, and a seed.
    let small = Run { full: false, only: None, ..run.clone() };
    let (mut verdict, mut harvest) = (Verdict::default(), Harvest::default());
    for bed in beds {
        let wanted: Vec<&Bug> = bed.bugs.iter().filter(|bug| run.wants(&called(bed, bug))).collect();
        if wanted.is_empty() {
            continue;
        }
        control(bed, &small, &mut verdict, &mut harvest);
        for bug in wanted {
            try_bug(bed, bug, &small, &mut verdict, &mut harvest);
        }
    }
    if harvest.planted == 0 {
        verdict.fault("no bug is called that", "self-test");
    }
    verdict.count("planted", harvest.planted);
    verdict.count("caught", harvest.caught);
    verdict.count("controls", harvest.controls);
    verdict
}

fn called(bed: &Bed, bug: &Bug) -> String {
    format!("{}/{}", bed.suite, bug.name)
}

/// Without a bug nothing may be noticed.
fn control(bed: &Bed, run: &Run, verdict: &mut Verdict, harvest: &mut Harvest) {
    let replay = format!("self-test --seed {} --only {}/", run.seed, bed.suite);
    match (bed.control)(run) {
        Ok(clean) if clean.passed() => harvest.controls += 1,
        Ok(clean) => {
            verdict.fault(format!("{} without a bug complains: {}", bed.suite, clean.faults().join("; ")), replay);
        }
        Err(why) => verdict.fault(format!("{} without a bug could not be run: {why:#}", bed.suite), replay),
    }
}

fn try_bug(bed: &Bed, bug: &Bug, run: &Run, verdict: &mut Verdict, harvest: &mut Harvest) {
    let name = called(bed, bug);
    let replay = format!("self-test --seed {} --only '{name}'", run.seed);
    harvest.planted += 1;
    match (bug.play)(run) {
        Ok(played) => match complaint_about(bug, &played) {
            Some(how) => {
                harvest.caught += 1;
                println!("           {name}: {how}");
            }
            None if played.passed() => verdict.fault(format!("{name} was not noticed"), replay),
            None => {
                let other = played.faults().join("; ");
                verdict.fault(format!("{name} was not noticed, only something else: {other}"), replay);
            }
        },
        Err(why) => verdict.fault(format!("{name} could not be planted: {why:#}"), replay),
    }
}

fn complaint_about<'a>(bug: &Bug, played: &'a Verdict) -> Option<&'a str> {
    played.faults().into_iter().find(|fault| bug.shows.iter().any(|words| fault.contains(words)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plays(fault: Option<&'static str>) -> Play {
        Box::new(move |_| {
            let mut verdict = Verdict::default();
            fault.into_iter().for_each(|fault| verdict.fault(fault, "x"));
            Ok(verdict)
        })
    }

    fn harvest(control: Option<&'static str>, bug: Play) -> Verdict {
        let bugs = vec![Bug { name: "twice", shows: &["doubled", "paid twice"], play: bug }];
        let run = Run { seed: 1, full: false, only: None };
        over(&[Bed { suite: "any", control: plays(control), bugs }], &run)
    }

    #[test]
    fn a_bug_is_caught_by_a_complaint_about_it_and_by_nothing_else() {
        assert!(harvest(None, plays(Some("item 3 was paid twice"))).passed());
        let escaped = harvest(None, plays(None));
        assert_eq!(escaped.faults(), ["any/twice was not noticed"]);
        let other = harvest(None, plays(Some("the disk is full")));
        assert_eq!(other.faults(), ["any/twice was not noticed, only something else: the disk is full"]);
        let broken = harvest(None, Box::new(|_| anyhow::bail!("no such cluster")));
        assert_eq!(broken.faults(), ["any/twice could not be planted: no such cluster"]);
    }

    #[test]
    fn a_suite_that_complains_of_nothing_planted_fails() {
        let noisy = harvest(Some("doubled"), plays(Some("doubled")));
        assert_eq!(noisy.faults(), ["any without a bug complains: doubled"]);
    }

    #[test]
    fn every_bug_has_a_name_of_its_own_and_says_how_it_shows() {
        let mut names: Vec<String> = Vec::new();
        for bed in BEDS.iter().flat_map(|beds| beds()) {
            assert!(!bed.bugs.is_empty(), "{} has no bugs", bed.suite);
            for bug in &bed.bugs {
                assert!(!bug.shows.is_empty(), "{} shows nothing", bug.name);
                names.push(called(&bed, bug));
            }
        }
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count, "{names:?}");
    }
}
