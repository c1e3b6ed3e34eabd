//! N2 in numbers: a thousand questions while a provider is in trouble. However it fails, it is asked again no more
//! often than the budget of retries allows: one retry to ten questions.

use std::collections::VecDeque;
use std::time::Duration;

use super::house::Plant;
use super::memory::GROWN_MAX;
use super::play::Scene;
use super::scripts::{Stage, prediction};
use super::wire::Answer;
use super::{Tally, memory};
use crate::dice::Dice;
use crate::suites::Run;
use crate::verdict::Verdict;

/// Questions in a storm.
pub const CALLS: usize = 1_000;
/// So many retries may come to ten questions.
const RETRIES_IN_TEN: usize = 1;
/// From one question to the next, in virtual time: the breaker opens and shuts meanwhile.
const APART: Duration = Duration::from_secs(1);

/// One way to be in trouble.
#[derive(Clone, Copy, Debug)]
enum Trouble {
    /// Every answer is this one.
    Always(u16),
    /// One answer in ten is sound.
    OneInTen,
    /// Every second one.
    Alternating,
    /// So many of a hundred fail, each with another status.
    Some(u32),
}

const STORMS: [(&str, Trouble); 6] = [
    ("503 for ever", Trouble::Always(503)),
    ("429 for ever", Trouble::Always(429)),
    ("one success in ten", Trouble::OneInTen),
    ("every second one fails", Trouble::Alternating),
    ("one in eight fails", Trouble::Some(12)),
    ("half of them fail", Trouble::Some(50)),
];

impl Trouble {
    fn answers(self, honest: &Answer, count: usize, dice: &mut Dice) -> VecDeque<Answer> {
        let failing = |code: u16| Stage::json(&format!("{code} Trouble"), "", "{}");
        let answer = |number: usize| match self {
            Self::Always(code) => failing(code),
            Self::OneInTen if number % 10 == 9 => honest.clone(),
            Self::Alternating if number % 2 == 1 => honest.clone(),
            Self::Some(percent) if !dice.chance(percent) => honest.clone(),
            Self::OneInTen | Self::Alternating | Self::Some(_) => failing([500, 502, 503, 504, 520][dice.index(5)]),
        };
        (0..count).map(answer).collect()
    }
}

/// Plays each storm with a seed.
pub async fn played(
    seed: u64,
    plant: Plant,
    run: &Run,
    verdict: &mut Verdict,
    tally: &mut Tally,
) -> anyhow::Result<()> {
    let mut dice = Dice::new(seed, "storm");
    for (what, trouble) in STORMS {
        let name = format!("N2/a storm, {what}");
        let dice = &mut Dice::new(dice.below(u64::MAX), what);
        if !run.wants(&name) {
            continue;
        }
        let scene = Scene::set(seed, plant).await?;
        let growth = memory::Growth::begun();
        // A job that is not done: only the question is asked, and no file looked at.
        let busy = prediction("null").replace("\"succeeded\"", "\"processing\"");
        let answers = trouble.answers(&Stage::json("200 OK", "", &busy), 5 * CALLS, dice);
        let asked = scene.storm(answers, APART).await?;
        let grown = growth.so_far();
        let retries = (asked.requests + asked.refused).saturating_sub(CALLS);
        let mut wrong = Vec::new();
        if retries * 10 > CALLS * RETRIES_IN_TEN {
            wrong.push(format!("{retries} retries were made in {CALLS} questions"));
        }
        if grown.is_some_and(|grown| grown > GROWN_MAX) {
            wrong.push(format!("memory grew by {} bytes", grown.unwrap_or_default()));
        }
        if asked.is_left {
            wrong.push("a task is left".to_owned());
        }
        for wrong in wrong {
            verdict.fault(format!("{name} seed {seed}: {wrong}"), format!("net --seed {seed} --only '{name}'"));
        }
        tally.plays += 1;
        tally.requests += asked.requests;
        tally.grown = tally.grown.max(grown);
        tally.scripts.insert(name);
    }
    Ok(())
}
