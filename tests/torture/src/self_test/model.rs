//! The protocol with a rule left out, or with two that stand in for one another.

use super::{Bed, Bug};
use crate::model::{self, MUTANTS, Rules};

pub fn beds() -> Vec<Bed> {
    let bugs = MUTANTS.iter().map(|(name, rules, shows)| {
        let rules = *rules;
        Bug { name, shows, play: Box::new(move |run| Ok(model::small(&rules, run))) }
    });
    vec![Bed { suite: "model", control: Box::new(|run| Ok(model::small(&Rules::ALL, run))), bugs: bugs.collect() }]
}
