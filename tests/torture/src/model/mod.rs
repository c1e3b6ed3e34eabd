//! Every order in which one item can be settled, with crashes and lost answers, explored to the end.

mod explore;
mod protocol;
mod rules;
mod world;

use explore::{Found, explore};
pub use rules::{MUTANTS, Rules};
use world::{Budget, Model, Platform};

use crate::suites::Run;
use crate::verdict::Verdict;

/// Mishaps enough for every mutant to be found.
const SMALL: Budget = Budget { crashes: 1, lost: 1, expiries: 1, platform: Platform::TALKATIVE };
const QUICK: Budget = Budget { crashes: 1, lost: 1, expiries: 1, platform: Platform::TERSE };
const LONG: Budget = Budget { crashes: 2, lost: 1, expiries: 2, platform: Platform::TALKATIVE };

pub fn run(run: &Run) -> anyhow::Result<Verdict> {
    let budget = run.size(QUICK, LONG);
    let found = explore(&Model::new(Rules::ALL, budget));
    let mut verdict = Verdict::default();
    verdict.count("states", found.states);
    verdict.count("transitions", found.transitions);
    verdict.count("resting", found.resting);
    let violations = found.bad_rests + found.stuck + usize::from(found.violation.is_some());
    verdict.count("violations", violations);
    if let Some(what) = complaint(&found) {
        verdict.fault(what, run.replay("model"));
    }
    let mut caught = Vec::new();
    for (name, rules, _) in MUTANTS {
        match caught_by(&explore(&Model::new(rules, SMALL))) {
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
    if let Some(what) = complaint(&explore(&Model::new(*rules, SMALL))) {
        verdict.fault(what, run.replay("model"));
    }
    verdict
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
