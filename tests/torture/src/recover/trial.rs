//! One recovery that is ended, once or twice, and then finished; and what must hold of it afterwards.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use makegood_domain::scope::Dossier;
use sha2::{Digest as _, Sha256};

use super::points::{Kind, Net, Point};
use super::{Plant, Toll};
use crate::child::{self, End, Victim, runtime};
use crate::dice::Dice;
use crate::kill::ground::Ground;
use crate::kill::marks::{FETCHED, PANIC, STANDS};
use crate::kill::outside::{LARGE, LARGE_PARTS};
use crate::kill::program::{ENDED, Program, Story};
use crate::powercut::disk::{self, Loss};
use crate::powercut::tree;
use crate::product;
use crate::proof::{Acknowledged, Settled};
use crate::shim::{self, Watch};

/// Everybody's lease is over after so many seconds.
const MUCH_LATER: i64 = 7_200;
/// The length of a file, at the least.
const LENGTH: u64 = LARGE as u64;
/// Of one file so much may come twice for each program that is ended: what it had not given to the system yet, and the
/// part that was on its way.
const TWICE_MAX: u64 = 1024 * 1024 + LENGTH / LARGE_PARTS as u64 + 1;

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

impl Blow {
    /// Bytes of a file that come again after such an end. What a cut took was not on the disk, and a file as short as
    /// these is synced when it is whole. Of a file without a version nobody can ask for the rest, so that all of it
    /// comes again until it is in the vault, and nothing afterwards.
    fn fetched_again_at_most(&self, is_tagged: bool) -> u64 {
        match (self.kind, is_tagged) {
            (Kind::PowerCut, _) => LENGTH + TWICE_MAX,
            (_, true) => TWICE_MAX,
            (_, false) if UNTAGGED_LOST.contains(&self.name) => LENGTH + TWICE_MAX,
            (_, false) => 0,
        }
    }
}

/// The steps from the first byte to the place in the vault.
const UNTAGGED_LOST: [&str; 4] = ["k2", "k3", "k4", "k5"];

/// A recovery, and its ends.
#[derive(Clone, Debug)]
pub struct Trial {
    pub net: Net,
    pub blows: Vec<Blow>,
    /// Whether the provider tells which version of the file it gives.
    pub is_tagged: bool,
}

impl Trial {
    fn told(&self) -> String {
        let blows: Vec<String> =
            self.blows.iter().map(|blow| format!("{} at {} ({})", blow.kind.word(), blow.name, blow.mark)).collect();
        let untagged = if self.is_tagged { "" } else { ", without a version" };
        format!("{}{untagged}, {}", self.net.word(), blows.join(", then "))
    }
}

/// What stands in for the disk where the power is cut. A server's record is on another machine, whose power stays.
struct Disk {
    /// Folder of the record; an empty one where that is a server's.
    record: PathBuf,
    vault: PathBuf,
    /// Folder of what would be on the disk.
    keep: PathBuf,
    library: PathBuf,
}

impl Disk {
    /// How a program is watched from now on.
    fn watch(&self) -> anyhow::Result<Watch> {
        disk::settle(&self.record, &self.keep)?;
        Ok(Watch {
            library: self.library.clone(),
            live: self.record.clone(),
            tree: Some(self.vault.clone()),
            keep: Some(self.keep.clone()),
            kill_at: None,
            lies: None,
        })
    }

    /// The power is gone. What is wrong with what is left of the vault: files whose content is not what they are called.
    fn cut(&self, dice: &mut Dice) -> anyhow::Result<Option<String>> {
        let loss = Loss::EVERY[dice.index(Loss::EVERY.len())];
        disk::cut(&self.record, &self.keep, loss, dice)?;
        tree::cut(&self.vault, &self.keep, loss, dice)?;
        let mut damaged = 0;
        for path in kept_in(&self.vault)? {
            let named = path.file_name().map(|name| name.to_string_lossy().into_owned());
            damaged += u64::from(named != Some(hex::encode(Sha256::digest(std::fs::read(&path)?))));
        }
        Ok((damaged > 0)
            .then(|| format!("after the cut the vault has {damaged} files that are not what they are called")))
    }
}

/// A record and a vault on which trials are made, one run each.
pub struct Scene {
    ground: Ground,
    disk: Disk,
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
        let disk =
            Disk { record: live, vault: home.join("vault"), keep: place.join("disk"), library: shim::compile(place)? };
        let (lane, files) = ("r".to_owned(), BTreeSet::new());
        Ok(Self { ground, disk, home, lane, runs: 0, plant, files })
    }

    fn program(&self, trial: &Trial, at: i64, stand_at: Option<&str>) -> Program {
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
            forgetful: self.plant.forgetful || !trial.is_tagged,
            refunded: trial.net == Net::Refunded,
        }
    }

    /// One trial, and what must hold of its run.
    pub fn play(&mut self, trial: &Trial, dice: &mut Dice, toll: &mut Toll) -> anyhow::Result<()> {
        self.runs += 1;
        toll.trials += 1;
        toll.pairs += u64::from(trial.blows.len() == 2);
        let (mut at, mut fetched, mut again_at_most) = (Story::Recover.start(), 0, 0);
        let mut wrong = Vec::new();
        for blow in &trial.blows {
            let struck = self.strike(trial, blow, at, dice).with_context(|| trial.told())?;
            fetched += struck.fetched;
            again_at_most += if struck.ended { blow.fetched_again_at_most(trial.is_tagged) } else { 0 };
            toll.ends += u64::from(struck.ended);
            toll.passed_by += u64::from(!struck.ended);
            if !struck.ended && trial.blows.len() == 1 {
                wrong.push("it never came by".to_owned());
            }
            wrong.extend(struck.complaint);
            at += if dice.chance(50) { MUCH_LATER } else { 0 };
        }
        let end = Victim::spawn(self.program(trial, at, None).arguments(), None)?.wait()?;
        fetched += bytes_of(&end);
        if !(end.done && end.lines.iter().any(|line| line.starts_with(ENDED))) {
            wrong.push(end.complaint.unwrap_or_else(|| "it is not finished".to_owned()));
        }
        // Two programs at once bring the file each for itself, and a file that nobody can go on with from what
        // is on the disk is no measure of it.
        if trial.blows.iter().all(|blow| blow.kind != Kind::Stopped) {
            let twice = fetched.saturating_sub(LENGTH + 70_000);
            if trial.is_tagged && trial.blows.iter().all(|blow| blow.kind != Kind::PowerCut) {
                toll.most_twice = toll.most_twice.max(twice);
            }
            if twice > again_at_most {
                wrong.push(format!("{twice} bytes of a file of {LENGTH} were fetched twice, {again_at_most} may be"));
            }
        }
        wrong.extend(self.wrong_of_run(trial.net)?);
        toll.broken.extend(wrong.into_iter().map(|what| format!("{}: {}: {what}", self.ground.word(), trial.told())));
        Ok(())
    }

    /// Lets a program come to a place, and ends it there.
    fn strike(&self, trial: &Trial, blow: &Blow, at: i64, dice: &mut Dice) -> anyhow::Result<Struck> {
        let watch = if blow.kind == Kind::PowerCut { Some(self.disk.watch()?) } else { None };
        let program = self.program(trial, at, Some(blow.mark));
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
            Kind::Stopped => self.stop(trial, victim, at),
            Kind::Killed | Kind::PowerCut => {
                if !blow.within.is_zero() {
                    victim.say("go on")?;
                    victim.let_run(blow.within);
                }
                let end = victim.kill()?;
                let complaint = if blow.kind == Kind::PowerCut { self.disk.cut(dice)? } else { None };
                Ok(Struck { ended: true, fetched: bytes_of(&end), complaint })
            }
        }
    }

    /// Another program does the work while it is stopped, after its lease; then it goes on.
    fn stop(&self, trial: &Trial, mut victim: Victim, at: i64) -> anyhow::Result<Struck> {
        victim.signal("STOP")?;
        victim.say("go on")?;
        let other = Victim::spawn(self.program(trial, at + MUCH_LATER, None).arguments(), None)?.wait()?;
        victim.signal("CONT")?;
        let first = victim.wait()?;
        let complaint = [&other, &first].into_iter().find(|end| !end.done);
        let complaint = complaint.map(|end| end.complaint.clone().unwrap_or_else(|| "it did not end".to_owned()));
        Ok(Struck { ended: true, fetched: bytes_of(&other) + bytes_of(&first), complaint })
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
        let name = |path: PathBuf| path.file_name().map(|name| name.to_string_lossy().into_owned());
        let kept: BTreeSet<String> = kept_in(&self.home.join("vault"))?.into_iter().filter_map(name).collect();
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

/// The files of a vault, whose names are their hashes.
fn kept_in(vault: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let (mut folders, mut kept) = (vec![vault.to_path_buf()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            } else if name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                kept.push(entry.path());
            }
        }
    }
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::super::points::BYTES;
    use super::*;

    #[test]
    fn who_begins_anew_is_seen_to_at_every_place_in_the_file_but_the_first() {
        let part = LENGTH / LARGE_PARTS as u64;
        const { assert!(TWICE_MAX * 6 < LENGTH, "the bound is no small part of a file") };
        let seen = BYTES.iter().filter(|mark| {
            let parts: u64 = mark.rsplit('.').next().and_then(|number| number.parse().ok()).expect("a number");
            assert!(parts <= LARGE_PARTS as u64, "{mark} is never passed");
            // Some files are longer than they must be.
            parts * part > TWICE_MAX + 70_000
        });
        assert_eq!(seen.count(), BYTES.len() - 1);
    }

    #[test]
    fn a_file_without_a_version_may_come_again_until_it_is_in_the_vault() {
        let blow = |name, kind| Blow { name, mark: "", within: Duration::ZERO, kind };
        for (name, want) in [("k1", 0), ("k2", LENGTH + TWICE_MAX), ("k5", LENGTH + TWICE_MAX), ("k6", 0), ("k11", 0)] {
            assert_eq!(blow(name, Kind::Killed).fetched_again_at_most(false), want, "{name}");
            assert_eq!(blow(name, Kind::Panics).fetched_again_at_most(true), TWICE_MAX, "{name}");
        }
    }
}
