//! Power cuts under a writer on SQLite. A preloaded library keeps what is on the disk apart from
//! what was only written; after the kill, only the former is left.

pub mod control;
pub mod disk;

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
/// A cut comes after at most so many acknowledgements, and so many microseconds.
const ACKS_MAX: u64 = 160;
const ACKS_MAX_FULL: u64 = 480;
const MICROS_MAX: u64 = 4_000;
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

/// How often the power is cut, and what of the writer or its disk is wrong where a bug is planted.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    pub cuts: u64,
    pub acks: usize,
    pub acks_a_cut: u64,
    pub plant: Plant,
    pub lies: Option<&'static str>,
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
    fn cut(&self, work: &Work, acks: u64, loss: Loss, dice: &mut Dice) -> anyhow::Result<(End, u64)> {
        disk::settle(&self.live, &self.keep)?;
        let watch = Watch {
            library: self.library.clone(),
            live: self.live.clone(),
            keep: Some(self.keep.clone()),
            kill_at: None,
            lies: self.lies,
        };
        let mut victim = Victim::start(work, Some(&watch))?;
        victim.hear(usize::try_from(acks)?)?;
        victim.let_run(Duration::from_micros(dice.below(MICROS_MAX)));
        let end = victim.kill()?;
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

/// Cuts under a writer on SQLite, each followed by a proof.
pub fn cuts(run: &Run, size: &Size) -> anyhow::Result<Verdict> {
    let folder = tempfile::tempdir()?;
    let library = shim::compile(folder.path())?;
    let mut verdict = Verdict::default();
    let (mut cuts, mut acked, mut dropped) = (0, 0, 0);
    let mut dice = Dice::new(run.seed, "powercut");
    while cuts < size.cuts || acked < size.acks {
        let bench = Bench { lies: size.lies, ..Bench::new(folder.path(), &format!("record-{cuts}"), &library)? };
        let mut known = Acknowledged::default();
        for _ in 0..CUTS_A_RECORD {
            cuts += 1;
            let loss = Loss::EVERY[dice.index(Loss::EVERY.len())];
            let work = Work { plant: size.plant, ..on_record(&bench.file(), "l", known.next(), u64::MAX) };
            let (end, gone) = bench.cut(&work, dice.below(size.acks_a_cut), loss, &mut dice)?;
            acked += end.lines.len();
            dropped += gone;
            known.add(&end.lines);
            if let Some(why) = end.complaint {
                verdict.fault(format!("cut {cuts}: the writer stopped by itself: {why}"), run.replay("powercut"));
            }
            let file = bench.file();
            let proof = proof::of_sqlite(&file, "l", &known, Settled::Any);
            for broken in runtime()?.block_on(proof) {
                verdict.fault(format!("cut {cuts} ({loss:?}): {broken}"), run.replay("powercut"));
            }
        }
        std::fs::remove_dir_all(&bench.live)?;
        if !verdict.passed() {
            break;
        }
    }
    verdict.count("cuts", cuts);
    verdict.count("acked", acked);
    verdict.count("bytes-dropped", dropped);
    verdict.count("broken", verdict.faults().len());
    Ok(verdict)
}

/// The first cut at which the control lost what it had acknowledged.
fn control_loses(bench: &Bench, dice: &mut Dice) -> anyhow::Result<Option<u64>> {
    let file = bench.file();
    let mut next = 0;
    for cut in 1..=CONTROL_CUTS {
        let work = Work { task: Task::Control, ..on_record(&file, "", next, u64::MAX) };
        let (end, _) = bench.cut(&work, 20 + dice.below(ACKS_MAX), Loss::All, dice)?;
        anyhow::ensure!(end.complaint.is_none(), "the control stopped by itself: {:?}", end.complaint);
        let end = next + u64::try_from(end.lines.len())?;
        if runtime()?.block_on(control::lost(&file, end))? > 0 {
            return Ok(Some(cut));
        }
        next = end + 1;
    }
    Ok(None)
}
