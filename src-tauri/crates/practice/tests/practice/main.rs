//! The practice world held against the rules it is meant to exercise.
#![expect(clippy::expect_used, reason = "tests of a world that must be there")]

mod ledger;
mod providers;
mod record;
mod upstream;
mod verdicts;
mod workspace;
mod world;

use std::sync::LazyLock;

use jiff::Timestamp;
use makegood_practice::World;

/// One world for all tests; making it takes seconds in a debug build.
static WORLD: LazyLock<World> = LazyLock::new(|| World::generate(SEED, anchor()).expect("the world"));

const SEED: u64 = 42;

fn anchor() -> Timestamp {
    "2026-11-22T16:20:30Z".parse().expect("an instant")
}
