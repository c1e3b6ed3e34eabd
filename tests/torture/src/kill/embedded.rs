//! Kills of a writer on SQLite.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::ground::Ground;
use super::{Size, Toll};
use crate::child::{Victim, Work, on_record};
use crate::dice::Dice;
use crate::proof::Acknowledged;
use crate::shim::{self, Watch};
use crate::suites::Run;

/// A record is used for so many kills, then a new one: proofs read all of it.
const KILLS_A_RECORD: u64 = 20;
const ACKS_MAX: u64 = 40;
const MICROS_MAX: u64 = 8_000;
/// No life of the writer makes more calls than this on its way through one job.
const CALLS_MAX: u64 = 20_000;

pub fn run(run: &Run, size: &Size, folder: &Path, toll: &mut Toll) -> anyhow::Result<()> {
    if run.wants("instants") {
        instants(run, size, folder, toll)?;
    }
    if run.wants("calls") && size.calls_a_kill > 0 {
        calls(run, size.calls_a_kill, folder, toll)?;
    }
    Ok(())
}

/// `kill -9` at any instant.
fn instants(run: &Run, size: &Size, folder: &Path, toll: &mut Toll) -> anyhow::Result<()> {
    let mut dice = Dice::new(run.seed, "kill instants");
    for record in 0..size.instants.div_ceil(KILLS_A_RECORD) {
        let place = Place::new(folder, &format!("instants-{record}"))?;
        let mut known = Acknowledged::default();
        for _ in 0..KILLS_A_RECORD {
            let work = Work { plant: size.plant, ..place.work(known.next(), u64::MAX) };
            let mut victim = Victim::start(&work, None)?;
            victim.hear(usize::try_from(dice.below(ACKS_MAX))?)?;
            victim.let_run(Duration::from_micros(dice.below(MICROS_MAX)));
            let end = victim.kill()?;
            toll.note(&place.ground, &mut known, (end.lines, end.complaint), "instants")?;
        }
        std::fs::remove_dir_all(&place.folder)?;
    }
    Ok(())
}

/// Before every call that changes a file (quick: some of them), from the making of the record to the
/// end of the third job; then the rest of it is done by another process.
fn calls(run: &Run, stride: u64, folder: &Path, toll: &mut Toll) -> anyhow::Result<()> {
    const JOBS: u64 = 3;
    let library = shim::compile(folder)?;
    let mut dice = Dice::new(run.seed, "kill calls");
    let mut call = 1 + dice.below(stride);
    while call < CALLS_MAX {
        let place = Place::new(folder, &format!("call-{call}"))?;
        let watch = Watch {
            library: library.clone(),
            live: place.folder.clone(),
            tree: None,
            keep: None,
            kill_at: Some(call),
            lies: None,
        };
        let mut known = Acknowledged::default();
        let end = Victim::start(&place.work(0, JOBS), Some(&watch))?.wait()?;
        let done = end.done;
        toll.note(&place.ground, &mut known, (end.lines, end.complaint), "calls")?;
        let rest = Victim::start(&place.work(known.next(), JOBS - known.next()), None)?.wait()?;
        if !rest.done {
            let why = rest.complaint.clone().unwrap_or_default();
            toll.broken.push((format!("after a kill at call {call} the work cannot be finished: {why}"), "calls"));
        }
        toll.note(&place.ground, &mut known, (rest.lines, None), "calls")?;
        std::fs::remove_dir_all(&place.folder)?;
        if done {
            return Ok(());
        }
        call += 1 + dice.below(2 * stride - 1);
    }
    anyhow::bail!("the writer was not done after {CALLS_MAX} calls")
}

/// A file in a folder of its own, which its writer makes.
struct Place {
    folder: PathBuf,
    ground: Ground,
}

impl Place {
    fn new(folder: &Path, name: &str) -> anyhow::Result<Self> {
        let folder = folder.join(name);
        std::fs::create_dir_all(&folder)?;
        Ok(Self { ground: Ground::Embedded { file: folder.join("record.db") }, folder })
    }

    fn work(&self, from: u64, count: u64) -> Work {
        on_record(&self.ground.place(), "l", from, count)
    }
}
