//! Power cuts under a writer on SQLite. A preloaded library keeps what is on the disk apart from
//! what was only written; after the kill, only the former is left.
//!
//! A writer spends little of its time between the first write of a commit and the sync that ends it,
//! and there is nothing to lose outside of that. So most cuts come at a call, written or synced, and
//! not at an instant: before nearly each of them there is something that no sync has reached yet.

pub mod control;
pub mod disk;
pub mod tree;

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::child::{End, Task, Victim, Work, on_record, runtime};
use crate::dice::Dice;
use crate::proof::{self, Acknowledged, Settled};
use crate::shim::{self, Watch};
use crate::suites::Run;
use crate::verdict::Verdict;
use crate::writer::Plant;
use disk::Loss;

/// A record is used for so many cuts, then a new one: proofs read all of it.
const CUTS_A_RECORD: u64 = 10;
/// A cut comes after at most so many acknowledgements, and then within so many microseconds or so many
/// calls that change a file.
const ACKS_MAX: u64 = 160;
const ACKS_MAX_FULL: u64 = 480;
const MICROS_MAX: u64 = 4_000;
/// About so many such calls go into one acknowledgement.
const CALLS_AN_ACK: u64 = 24;
/// What a writer does where it is let end before the cut.
const JOBS_BETWEEN: u64 = 2;
/// One cut of so many comes at an instant, the others at a call.
const INSTANTS: u64 = 4;
/// One cut of so many must have dropped something that was written, or they test nothing. With losses
/// that may leave everything, and cuts at instants, about one of two does.
const DROPPING: u64 = 4;
/// The full form goes on until so much was acknowledged.
const ACKS_FULL: usize = 100_000;
/// Within so many cuts the control must have lost something.
const CONTROL_CUTS: u64 = 40;

/// Where a cut happens.
struct Bench {
    library: PathBuf,
    live: PathBuf,
    keep: PathBuf,
    /// Which files the disk only says it has synced.
    lies: Option<&'static str>,
}

/// When the power goes.
#[derive(Clone, Copy, Debug)]
enum Moment {
    /// So long after so many acknowledgements.
    Instant { acks: u64, more: Duration },
    /// Before the call of this number that changes or syncs a file, in the life of the writer.
    Call(u64),
    /// After the writer has ended.
    Rest,
}

impl Moment {
    fn any(acks_max: u64, dice: &mut Dice) -> Self {
        if dice.below(INSTANTS) == 0 { Self::instant(dice.below(acks_max), dice) } else { Self::call(acks_max, dice) }
    }

    fn instant(acks: u64, dice: &mut Dice) -> Self {
        Self::Instant { acks, more: Duration::from_micros(dice.below(MICROS_MAX)) }
    }

    fn call(acks_max: u64, dice: &mut Dice) -> Self {
        Self::Call(1 + dice.below(acks_max * CALLS_AN_ACK))
    }
}

/// How often the power is cut, and what of the writer or its disk is wrong where a bug is planted.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    pub cuts: u64,
    pub acks: usize,
    pub acks_a_cut: u64,
    pub plant: Plant,
    pub lies: Option<&'static str>,
    /// Every cut comes when its writer has ended: they cut nothing.
    pub between: bool,
}

impl Bench {
    fn new(folder: &Path, name: &str, library: &Path) -> anyhow::Result<Self> {
        let (live, keep) = (folder.join(name), folder.join(format!("{name}-disk")));
        std::fs::create_dir_all(&live)?;
        Ok(Self { library: library.to_path_buf(), live, keep, lies: None })
    }

    fn file(&self) -> PathBuf {
        self.live.join("record.db")
    }

    /// Lets a child work, and cuts the power under it. How it ended, and how many bytes were lost.
    fn cut(&self, work: &Work, moment: Moment, loss: Loss, dice: &mut Dice) -> anyhow::Result<(End, u64)> {
        disk::settle(&self.live, &self.keep)?;
        let watch = Watch {
            library: self.library.clone(),
            live: self.live.clone(),
            tree: None,
            keep: Some(self.keep.clone()),
            kill_at: match moment {
                Moment::Call(number) => Some(number),
                Moment::Instant { .. } | Moment::Rest => None,
            },
            lies: self.lies,
        };
        let mut victim = Victim::start(work, Some(&watch))?;
        let end = match moment {
            Moment::Call(_) | Moment::Rest => victim.wait()?,
            Moment::Instant { acks, more } => {
                victim.hear(usize::try_from(acks)?)?;
                victim.let_run(more);
                victim.kill()?
            }
        };
        let lost = disk::cut(&self.live, &self.keep, loss, dice)?;
        Ok((end, lost))
    }
}

pub fn run(run: &Run) -> anyhow::Result<Verdict> {
    let size = Size {
        cuts: run.size(60, 500),
        acks: run.size(0, ACKS_FULL),
        acks_a_cut: run.size(ACKS_MAX, ACKS_MAX_FULL),
        plant: Plant::Nothing,
        lies: None,
        between: false,
    };
    let mut verdict = cuts(run, &size)?;
    let folder = tempfile::tempdir()?;
    let library = shim::compile(folder.path())?;
    let mut dice = Dice::new(run.seed, "powercut control");
    let caught = control_loses(&Bench::new(folder.path(), "control", &library)?, &mut dice)?;
    if caught.is_none() {
        verdict
            .fault("the control, with synchronous=NORMAL, lost nothing: the cuts cut nothing", run.replay("powercut"));
    }
    verdict.count("control", caught.map_or("missed".to_owned(), |cut| format!("caught@{cut}")));
    Ok(verdict)
}

/// What cuts came to.
#[derive(Debug, Default)]
struct Toll {
    cuts: u64,
    acked: usize,
    /// Cuts that dropped something that was written and not synced, and how much all of them did.
    dropping: u64,
    bytes: u64,
}

impl Toll {
    /// Why the cuts prove nothing, if they do not: where hardly any of them dropped anything, a record
    /// that syncs nothing would have passed as well.
    fn proves_nothing(&self) -> Option<String> {
        let Self { cuts, dropping, .. } = self;
        (dropping * DROPPING < *cuts).then(|| {
            format!(
                "{dropping} of {cuts} cuts dropped something, 1 of {DROPPING} should have: they come between commits"
            )
        })
    }
}

/// Cuts under a writer on SQLite, each followed by a proof.
pub fn cuts(run: &Run, size: &Size) -> anyhow::Result<Verdict> {
    let folder = tempfile::tempdir()?;
    let library = shim::compile(folder.path())?;
    let mut verdict = Verdict::default();
    let mut toll = Toll::default();
    let mut dice = Dice::new(run.seed, "powercut");
    while verdict.passed() && (toll.cuts < size.cuts || toll.acked < size.acks) {
        let name = format!("record-{}", toll.cuts);
        let bench = Bench { lies: size.lies, ..Bench::new(folder.path(), &name, &library)? };
        let mut known = Acknowledged::default();
        for _ in 0..CUTS_A_RECORD {
            for what in one_cut(&bench, size, &mut known, &mut toll, &mut dice)? {
                verdict.fault(what, run.replay("powercut"));
            }
        }
        std::fs::remove_dir_all(&bench.live)?;
    }
    // Something that is broken ends the suite early, and says more.
    if let Some(why) = toll.proves_nothing().filter(|_| verdict.passed()) {
        verdict.fault(why, run.replay("powercut"));
    }
    verdict.count("cuts", toll.cuts);
    verdict.count("acked", toll.acked);
    verdict.count("dropping", toll.dropping);
    verdict.count("bytes-dropped", toll.bytes);
    verdict.count("broken", verdict.faults().len());
    Ok(verdict)
}

/// One life of a writer, up to a cut. What is wrong with the record after it.
fn one_cut(
    bench: &Bench,
    size: &Size,
    known: &mut Acknowledged,
    toll: &mut Toll,
    dice: &mut Dice,
) -> anyhow::Result<Vec<String>> {
    let loss = Loss::EVERY[dice.index(Loss::EVERY.len())];
    let moment = if size.between { Moment::Rest } else { Moment::any(size.acks_a_cut, dice) };
    let count = if size.between { JOBS_BETWEEN } else { u64::MAX };
    let work = Work { plant: size.plant, ..on_record(&bench.file(), "l", known.next(), count) };
    let (end, gone) = bench.cut(&work, moment, loss, dice)?;
    toll.cuts += 1;
    toll.acked += end.lines.len();
    toll.dropping += u64::from(gone > 0);
    toll.bytes += gone;
    known.add(&end.lines);
    let context = format!("cut {} ({moment:?}, {loss:?})", toll.cuts);
    let file = bench.file();
    let proof = proof::of_sqlite(&file, "l", known, Settled::Any);
    let stopped = end.complaint.map(|why| format!("{context}: the writer stopped by itself: {why}"));
    let broken = runtime()?.block_on(proof).into_iter().map(|broken| format!("{context}: {broken}"));
    Ok(stopped.into_iter().chain(broken).collect())
}

/// The first cut at which the control lost what it had acknowledged.
fn control_loses(bench: &Bench, dice: &mut Dice) -> anyhow::Result<Option<u64>> {
    let file = bench.file();
    let mut next = 0;
    for cut in 1..=CONTROL_CUTS {
        let work = Work { task: Task::Control, ..on_record(&file, "", next, u64::MAX) };
        let (end, _) = bench.cut(&work, Moment::instant(20 + dice.below(ACKS_MAX), dice), Loss::All, dice)?;
        anyhow::ensure!(end.complaint.is_none(), "the control stopped by itself: {:?}", end.complaint);
        let end = next + u64::try_from(end.lines.len())?;
        if runtime()?.block_on(control::lost(&file, end))? > 0 {
            return Ok(Some(cut));
        }
        next = end + 1;
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_that_drop_next_to_nothing_prove_nothing() {
        let toll = |cuts, dropping| Toll { cuts, dropping, acked: 4_454, bytes: 9 * dropping };
        for (cuts, dropping, is_proof) in [(60, 0, false), (60, 14, false), (60, 15, true), (500, 260, true)] {
            assert_eq!(toll(cuts, dropping).proves_nothing().is_none(), is_proof, "{dropping} of {cuts}");
        }
    }
}
