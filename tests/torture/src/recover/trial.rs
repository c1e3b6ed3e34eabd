//! One recovery that is ended, once or twice, and then finished; and what must hold of it afterwards.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use makegood_domain::scope::Dossier;

use super::points::{Kind, Net, Point};
use super::{Plant, Toll};
use crate::child::{self, End, Victim, runtime};
use crate::dice::Dice;
use crate::kill::ground::Ground;
use crate::kill::marks::{FETCHED, PANIC, STANDS};
use crate::kill::outside::{LARGE, LARGE_PARTS};
use crate::kill::program::{ENDED, Program, Story};
use crate::powercut::disk::{self, Loss};
use crate::product;
use crate::proof::{Acknowledged, Settled};
use crate::shim::{self, Watch};

/// Everybody's lease is over after so many seconds.
const MUCH_LATER: i64 = 7_200;
/// Of one file so much may come twice for each end of a program: what of it was not on the disk, and the part
/// that was on its way.
const TWICE_MAX: u64 = 1024 * 1024;

/// A program's end.
#[derive(Clone, Debug)]
pub struct Blow {
    pub name: &'static str,
    mark: &'static str,
    within: Duration,
    kind: Kind,
}

impl Blow {
    pub fn of(point: &Point, kind: Kind, dice: &mut Dice) -> Self {
        let mark = point.marks[dice.index(point.marks.len())];
        let micros = if point.within_micros == 0 { 0 } else { dice.below(point.within_micros) };
        Self { name: point.name, mark, within: Duration::from_micros(micros), kind }
    }
}

/// A recovery, and its ends.
#[derive(Clone, Debug)]
pub struct Trial {
    pub net: Net,
    pub blows: Vec<Blow>,
}

impl Trial {
    fn told(&self) -> String {
        let blows: Vec<String> =
            self.blows.iter().map(|blow| format!("{} at {} ({})", blow.kind.word(), blow.name, blow.mark)).collect();
        format!("{}, {}", self.net.word(), blows.join(", then "))
    }
}

/// A record and a vault on which trials are made, one run each.
pub struct Scene {
    ground: Ground,
    /// Folder of the record, and what of it would be on the disk; none on PostgreSQL.
    disk: Option<(PathBuf, PathBuf, PathBuf)>,
    home: PathBuf,
    lane: String,
    runs: u64,
    plant: Plant,
    /// Hashes of the files that the record calls its own.
    files: BTreeSet<String>,
}

impl Scene {
    pub fn new(shared: bool, place: &Path, plant: Plant) -> anyhow::Result<Self> {
        let (live, home) = (place.join("record"), place.join("home"));
        std::fs::create_dir_all(&live)?;
        std::fs::create_dir_all(&home)?;
        let ground = if shared { Ground::shared(false)? } else { Ground::embedded(&live)? };
        let disk = if shared { None } else { Some((live, place.join("disk"), shim::compile(place)?)) };
        let (lane, files) = ("r".to_owned(), BTreeSet::new());
        Ok(Self { ground, disk, home, lane, runs: 0, plant, files })
    }

    fn program(&self, net: Net, at: i64, stand_at: Option<&str>) -> Program {
        Program {
            record: self.ground.place(),
            home: self.home.clone(),
            story: Story::Recover,
            made_for: Story::Recover,
            lane: self.lane.clone(),
            number: self.runs,
            at,
            stand_at: stand_at.map(str::to_owned),
            told: false,
            forgets: false,
            large: true,
            forgetful: self.plant.forgetful,
            refunded: net == Net::Refunded,
        }
    }

    /// One trial, and what must hold of its run.
    pub fn play(&mut self, trial: &Trial, dice: &mut Dice, toll: &mut Toll) -> anyhow::Result<()> {
        self.runs += 1;
        toll.trials += 1;
        toll.pairs += u64::from(trial.blows.len() == 2);
        let (mut at, mut fetched, mut ends) = (Story::Recover.start(), 0, 0);
        let mut wrong = Vec::new();
        for blow in &trial.blows {
            let struck = self.strike(trial.net, blow, at, dice).with_context(|| trial.told())?;
            fetched += struck.fetched;
            ends += u64::from(struck.ended);
            toll.ends += u64::from(struck.ended);
            toll.passed_by += u64::from(!struck.ended);
            wrong.extend(struck.complaint);
            at += if dice.chance(50) { MUCH_LATER } else { 0 };
        }
        let end = Victim::spawn(self.program(trial.net, at, None).arguments(), None)?.wait()?;
        fetched += bytes_of(&end);
        if !(end.done && end.lines.iter().any(|line| line.starts_with(ENDED))) {
            wrong.push(end.complaint.unwrap_or_else(|| "it is not finished".to_owned()));
        }
        // Two programs at once bring the file each for itself, and a file that nobody can go on with from what
        // is on the disk is no measure of it.
        if trial.blows.iter().all(|blow| blow.kind != Kind::Stopped) {
            let (length, twice) = self.fetched_twice(fetched);
            toll.most_twice = toll.most_twice.max(twice);
            if twice > ends * (TWICE_MAX + length / LARGE_PARTS as u64 + 1) {
                wrong.push(format!("{twice} bytes of a file of {length} were fetched twice, after {ends} ends"));
            }
        }
        wrong.extend(self.wrong_of_run(trial.net)?);
        toll.broken.extend(wrong.into_iter().map(|what| format!("{}: {}: {what}", self.ground.word(), trial.told())));
        Ok(())
    }

    /// The length of a file, roughly, and what came more than that.
    fn fetched_twice(&self, fetched: u64) -> (u64, u64) {
        let least = u64::try_from(LARGE).unwrap_or(u64::MAX);
        (least, fetched.saturating_sub(least + 70_000))
    }

    /// Lets a program come to a place, and ends it there.
    fn strike(&self, net: Net, blow: &Blow, at: i64, dice: &mut Dice) -> anyhow::Result<Struck> {
        let watch = self.watch(blow.kind)?;
        let program = self.program(net, at, Some(blow.mark));
        let mut victim = Victim::spawn(program.arguments(), watch.as_ref())?;
        if !victim.hear_of(STANDS)? {
            // It had no need to come by, or says why not.
            let end = victim.wait()?;
            let complaint = (!end.done).then(|| end.complaint.clone().unwrap_or_default());
            return Ok(Struck { ended: false, fetched: bytes_of(&end), complaint });
        }
        match blow.kind {
            Kind::Panics => {
                victim.say(PANIC)?;
                let end = victim.wait()?;
                let complaint = end.done.then(|| "it did not break when it was told to".to_owned());
                Ok(Struck { ended: true, fetched: bytes_of(&end), complaint })
            }
            Kind::Stopped => self.stop(net, victim, at),
            Kind::Killed | Kind::PowerCut => {
                if !blow.within.is_zero() {
                    victim.say("go on")?;
                    victim.let_run(blow.within);
                }
                let end = victim.kill()?;
                if let (Kind::PowerCut, Some((live, keep, _))) = (blow.kind, &self.disk) {
                    disk::cut(live, keep, Loss::EVERY[dice.index(Loss::EVERY.len())], dice)?;
                }
                Ok(Struck { ended: true, fetched: bytes_of(&end), complaint: None })
            }
        }
    }

    /// Another program does the work while it is stopped, after its lease; then it goes on.
    fn stop(&self, net: Net, mut victim: Victim, at: i64) -> anyhow::Result<Struck> {
        victim.signal("STOP")?;
        victim.say("go on")?;
        let other = Victim::spawn(self.program(net, at + MUCH_LATER, None).arguments(), None)?.wait()?;
        victim.signal("CONT")?;
        let first = victim.wait()?;
        let complaint = [&other, &first].into_iter().find(|end| !end.done);
        let complaint = complaint.map(|end| end.complaint.clone().unwrap_or_else(|| "it did not end".to_owned()));
        Ok(Struck { ended: true, fetched: bytes_of(&other) + bytes_of(&first), complaint })
    }

    fn watch(&self, kind: Kind) -> anyhow::Result<Option<Watch>> {
        let Some((live, keep, library)) = self.disk.as_ref().filter(|_| kind == Kind::PowerCut) else {
            return Ok(None);
        };
        disk::settle(live, keep)?;
        Ok(Some(Watch {
            library: library.clone(),
            live: live.clone(),
            keep: Some(keep.clone()),
            kill_at: None,
            lies: None,
        }))
    }

    /// What is wrong with the run of a trial after it was finished.
    fn wrong_of_run(&mut self, net: Net) -> anyhow::Result<Vec<String>> {
        let run = Story::Recover.job(&self.lane, self.runs).run();
        let place = self.ground.place();
        let read: anyhow::Result<Dossier> = runtime()?.block_on(async {
            let store = child::open(&place).await?;
            let scope = store.scope_of_run(&run.as_str().into(), product::at(200_000)).await?;
            store.close().await;
            scope.and_then(|scope| scope.runs.into_iter().next()).context("the run is not there")
        });
        let dossier = read?;
        self.files.extend(dossier.captures.iter().map(|copy| copy.file.sha256.clone()));
        let placed = dossier.outputs.iter().filter(|output| output.item == 1).count();
        let wanted = usize::from(net == Net::Charged);
        let mut wrong = Vec::new();
        if placed != wanted {
            wrong.push(format!("{placed} placements of the file, not {wanted}"));
        }
        if dossier.captures.len() != 1 {
            wrong.push(format!("{} captures of one file", dossier.captures.len()));
        }
        let refunded = dossier.refunds.iter().any(|refund| refund.items.contains(&1));
        if refunded == (net == Net::Charged) {
            wrong.push(format!("the first item is refunded: {refunded}"));
        }
        Ok(wrong)
    }

    /// Proves the record, every item of which must have its one remedy, and holds the vault against it: each
    /// file that the record calls its own is there, and no other.
    pub fn prove(self, toll: &mut Toll) -> anyhow::Result<()> {
        let mut wrong = self.ground.wrong(&self.lane, &Acknowledged::default(), Settled::Every)?;
        let kept = kept_in(&self.home.join("vault"))?;
        let extra = kept.difference(&self.files).count();
        let missing = self.files.difference(&kept).count();
        if extra + missing > 0 {
            wrong.push(format!("the vault has {extra} files that are nobody's, and lacks {missing}"));
        }
        let word = self.ground.word();
        toll.broken.extend(wrong.into_iter().map(|what| format!("{word}: {what}")));
        Ok(())
    }
}

/// What came of a blow.
struct Struck {
    /// The program was there to be struck.
    ended: bool,
    fetched: u64,
    complaint: Option<String>,
}

/// What a provider gave a program.
fn bytes_of(end: &End) -> u64 {
    end.lines.iter().filter_map(|line| line.strip_prefix(FETCHED)?.parse::<u64>().ok()).sum()
}

/// Names of the files of a vault, which are their hashes.
fn kept_in(vault: &Path) -> anyhow::Result<BTreeSet<String>> {
    let (mut folders, mut kept) = (vec![vault.to_path_buf()], BTreeSet::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            } else if name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                kept.insert(name);
            }
        }
    }
    Ok(kept)
}
