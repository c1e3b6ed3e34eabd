//! Every order in which one item can be settled, with crashes and lost answers, explored to the end.

mod explore;
mod protocol;
mod rules;
mod world;

use explore::{Found, explore};
pub use rules::{MUTANTS, Rules};
use world::{Budget, Cast, Model, Platform};

use crate::suites::Run;
use crate::verdict::Verdict;

/// Mishaps enough for every mutant to be found.
const SMALL: Budget = Budget { crashes: 1, lost: 1, expiries: 1, platform: Platform::TALKATIVE, cast: Cast::Restoring };
const QUICK: Budget = Budget { platform: Platform::TERSE, ..SMALL };
const LONG: Budget = Budget { crashes: 2, expiries: 2, ..SMALL };
/// Late results that are released, while one recovery, one agent, the reconciler and the platform go on.
const RELEASES: Budget = Budget { cast: Cast::Releasing, ..SMALL };
const RELEASES_LONG: Budget = Budget { cast: Cast::Releasing, ..LONG };

pub fn run(run: &Run) -> anyhow::Result<Verdict> {
    let mut verdict = Verdict::default();
    let worlds = [run.size(QUICK, LONG), run.size(RELEASES, RELEASES_LONG)];
    let found = worlds.map(|budget| explore(&Model::new(Rules::ALL, budget)));
    let sum = |what: fn(&Found) -> usize| found.iter().map(what).sum::<usize>();
    verdict.count("states", sum(|found| found.states));
    verdict.count("transitions", sum(|found| found.transitions));
    verdict.count("resting", sum(|found| found.resting));
    verdict.count("released", found[1].states);
    verdict.count("violations", sum(|found| found.bad_rests + found.stuck + usize::from(found.violation.is_some())));
    for what in found.iter().filter_map(complaint) {
        verdict.fault(what, run.replay("model"));
    }
    let mut caught = Vec::new();
    for (name, rules, _) in MUTANTS {
        match caught_by(&explore(&Model::new(rules, world_for(&rules)))) {
            Some(how) => caught.push(format!("{name}: {how}")),
            None => verdict.fault(format!("the model does not miss a rule: {name}"), run.replay("model")),
        }
    }
    verdict.count("mutants", format!("{}/{}", caught.len(), MUTANTS.len()));
    if run.only.is_some() {
        caught.iter().for_each(|line| println!("           {line}"));
    }
    Ok(verdict)
}

/// The small world under some rules, with what is wrong with it as the only fault.
pub fn small(rules: &Rules, run: &Run) -> Verdict {
    let mut verdict = Verdict::default();
    if let Some(what) = complaint(&explore(&Model::new(*rules, world_for(rules)))) {
        verdict.fault(what, run.replay("model"));
    }
    verdict
}

fn world_for(rules: &Rules) -> Budget {
    if rules.bend_releases() { RELEASES } else { SMALL }
}

fn complaint(found: &Found) -> Option<String> {
    if let Some(violation) = &found.violation {
        return Some(format!("{}, after: {}", violation.what, violation.steps.join("; ")));
    }
    (found.stuck > 0).then(|| format!("{} states from which nothing is settled any more", found.stuck))
}

fn caught_by(found: &Found) -> Option<String> {
    let steps = found.violation.as_ref().map_or(0, |violation| violation.steps.len());
    complaint(found).map(|what| format!("in {steps} steps, {} bad rests: {what}", found.bad_rests))
}
