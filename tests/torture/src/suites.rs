//! The suites, and how they are run one after another.

use std::time::Instant;

use crate::verdict::Verdict;
use crate::{forge, kill, model, net, pg_cut, pg_race, powercut, recover, self_test, sim, week};

/// What a suite is asked to do.
#[derive(Clone, Debug)]
pub struct Run {
    pub seed: u64,
    /// Long instead of quick.
    pub full: bool,
    /// Only parts whose name contains this.
    pub only: Option<String>,
}

impl Run {
    /// One of two sizes.
    #[must_use]
    pub fn size<T>(&self, quick: T, full: T) -> T {
        if self.full { full } else { quick }
    }

    /// Whether a part of a suite is asked for.
    #[must_use]
    pub fn wants(&self, part: &str) -> bool {
        self.only.as_ref().is_none_or(|only| part.contains(only.as_str()))
    }

    /// Arguments that run `suite` like this again.
    #[must_use]
    pub fn replay(&self, suite: &str) -> String {
        let full = if self.full { " --full" } else { "" };
        let only = self.only.as_ref().map(|only| format!(" --only {only}")).unwrap_or_default();
        format!("{suite} --seed {}{full}{only}", self.seed)
    }
}

/// One way to try to lose, double or forge credits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suite {
    Model,
    Sim,
    Kill,
    Powercut,
    Recover,
    Week,
    PgRace,
    PgCut,
    Forge,
    Net,
    SelfTest,
}

impl Suite {
    /// In the order in which they are run: the quickest to fail first.
    pub const QUICK: [Self; 10] = [
        Self::Model,
        Self::Forge,
        Self::Net,
        Self::Sim,
        Self::Week,
        Self::PgRace,
        Self::PgCut,
        Self::Kill,
        Self::Recover,
        Self::Powercut,
    ];
    /// That the suites notice what they should is looked at where there is time.
    pub const FULL: [Self; 11] = [
        Self::Model,
        Self::Forge,
        Self::Net,
        Self::Sim,
        Self::Week,
        Self::PgRace,
        Self::PgCut,
        Self::Kill,
        Self::Recover,
        Self::Powercut,
        Self::SelfTest,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Sim => "sim",
            Self::Kill => "kill",
            Self::Recover => "recover",
            Self::Week => "week",
            Self::PgRace => "pg-race",
            Self::PgCut => "pg-cut",
            Self::Forge => "forge",
            Self::Net => "net",
            Self::SelfTest => "self-test",
            Self::Powercut => "powercut",
        }
    }

    fn run(self, run: &Run) -> anyhow::Result<Verdict> {
        match self {
            Self::Model => model::run(run),
            Self::Sim => sim::run(run),
            Self::Kill => kill::run(run),
            Self::Recover => recover::run(run),
            Self::Week => week::run(run),
            Self::PgRace => pg_race::run(run),
            Self::PgCut => pg_cut::run(run),
            Self::Forge => forge::run(run),
            Self::Net => net::run(run),
            Self::SelfTest => self_test::run(run),
            Self::Powercut => powercut::run(run),
        }
    }
}

/// Runs suites and tells each one's line; whether all passed.
pub fn run_all(suites: &[Suite], run: &Run) -> bool {
    let mut failed = 0;
    for suite in suites {
        let start = Instant::now();
        let verdict = suite.run(run).unwrap_or_else(|error| {
            let mut broken = Verdict::default();
            broken.fault(format!("the suite could not be run: {error:#}"), run.replay(suite.name()));
            broken
        });
        println!("{}", verdict.told(suite.name(), start.elapsed()));
        failed += usize::from(!verdict.passed());
    }
    println!("{} passed, {failed} failed", suites.len() - failed);
    failed == 0
}
