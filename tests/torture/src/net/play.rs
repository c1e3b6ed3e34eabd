//! Plays a script, and judges what came of it.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use makegood_domain::ports::Retry;
use makegood_domain::work::JobState;
use tempfile::TempDir;
use tokio::net::TcpListener;

use super::house::{House, Outcome, Plant, Setting, hex_of};
use super::memory::{GROWN_MAX, Growth};
use super::scripts::{self, Script, Stage, Want};
use super::storm;
use super::wire::{Answer, FILE, Hours, QUESTION, Told, Wire};

/// A body that is not read to its end is under way by so much: what the sockets of both ends hold.
const UNDER_WAY: u64 = 16 * 1024 * 1024;
/// A task that is still there so long after a play stays for ever (reliability 2.2).
const PATIENCE: Duration = Duration::from_secs(5);
/// A play takes moments; what takes so long hangs.
const HANGS: Duration = Duration::from_secs(60);
const GLANCE: Duration = Duration::from_millis(1);

/// The surroundings of the scripts of one seed.
pub struct Scene {
    stage: Stage,
    wire: Wire,
    hours: Arc<Hours>,
    /// Takes what goes where nobody may go.
    stranger: TcpListener,
    plant: Plant,
}

/// What a play came to.
#[derive(Debug, Default)]
pub struct Played {
    pub requests: usize,
    pub grown: Option<u64>,
    /// What must not be, in words.
    pub wrong: Vec<String>,
}

/// What a storm came to.
#[derive(Debug)]
pub struct Stormed {
    /// How often the question was asked.
    pub requests: usize,
    /// Questions that were not asked at all.
    pub refused: usize,
    /// Whether a task is left behind.
    pub is_left: bool,
}

impl Scene {
    pub async fn set(seed: u64, plant: Plant) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        // On all of the machine's addresses.
        let stranger = TcpListener::bind("0.0.0.0:0").await?;
        let base = format!("http://{}", listener.local_addr()?);
        let forbidden = format!("http://127.0.0.1:{}", stranger.local_addr()?.port());
        let (stage, hours) = (Stage::new(seed, "net", &base, &forbidden), Arc::new(Hours::default()));
        let wire = Wire::listen(listener, Told::honest(stage.file.clone(), &base), Arc::clone(&hours));
        Ok(Self { stage, wire, hours, stranger, plant })
    }

    pub fn scripts(&mut self) -> Vec<Script> {
        scripts::all(&mut self.stage)
    }

    /// Asks the provider's question very often, `apart` in virtual time, while it gets these answers.
    ///
    /// # Errors
    /// When the machine does not give what a play needs.
    pub async fn storm(&self, answers: VecDeque<Answer>, apart: Duration) -> anyhow::Result<Stormed> {
        let mut told = Told::honest(self.stage.file.clone(), &self.stage.base);
        told.looks = answers;
        *self.wire.told() = told;
        let (home, tasks) = (tempfile::tempdir()?, tasks());
        let setting = Setting { hasty: false, limit_bytes: 1 << 24, plant: self.plant };
        let new = || House::new(&self.stage.base, &self.stage.forbidden, home.path(), &self.hours, setting);
        let (mut house, mut refused) = (new()?, 0);
        for _ in 0..storm::CALLS {
            if self.plant == Plant::ForgetsBudget {
                house = new()?;
            }
            let before = self.wire.told().seen.len();
            house.state().await;
            refused += usize::from(self.wire.told().seen.len() == before);
            self.hours.pass(apart);
        }
        drop(house);
        let requests = self.wire.told().seen.iter().filter(|seen| seen.path == QUESTION).count();
        Ok(Stormed { requests, refused, is_left: !ended(tasks).await })
    }

    /// # Errors
    /// When the machine does not give what a play needs.
    pub async fn play(&mut self, script: &Script) -> anyhow::Result<Played> {
        *self.wire.told() = Told::by(script, self.stage.file.clone(), &self.stage.base);
        let home = tempfile::tempdir()?;
        let mut played = Played::default();
        let growth = Growth::begun();
        let tasks = tasks();
        let house = self.house(script, &home)?;
        match tokio::time::timeout(HANGS, self.act(script, &house, &home, &mut played)).await {
            Ok(acted) => acted?,
            Err(_) => played.wrong.push(format!("it has not ended after {} s", HANGS.as_secs())),
        }
        drop(house);
        if !ended(tasks).await {
            played.wrong.push("a task is left".to_owned());
        }
        played.grown = growth.so_far();
        if played.grown.is_some_and(|grown| grown > GROWN_MAX) {
            played.wrong.push(format!("memory grew by {} bytes", played.grown.unwrap_or_default()));
        }
        let requests = self.wire.told().seen.len();
        let sent = self.wire.sent();
        played.requests = requests;
        if self.wire.told().seen.iter().any(|seen| seen.method != "GET") {
            played.wrong.push("something else was asked than questions".to_owned());
        }
        if requests > script.asks {
            played.wrong.push(format!("{requests} requests were made, {} may be", script.asks));
        }
        let sent_max = script.sent.unwrap_or(requests as u64 * (script.limit_bytes + UNDER_WAY));
        if sent > sent_max {
            played.wrong.push(format!("{sent} bytes were fetched, {sent_max} may be"));
        }
        while let Ok(accepted) = tokio::time::timeout(GLANCE, self.stranger.accept()).await {
            accepted?;
            played.wrong.push("a forbidden address was asked".to_owned());
        }
        Ok(played)
    }

    fn house(&self, script: &Script, home: &TempDir) -> anyhow::Result<House> {
        let setting = Setting { hasty: script.hasty, limit_bytes: script.limit_bytes, plant: self.plant };
        House::new(&self.stage.base, &self.stage.forbidden, home.path(), &self.hours, setting)
    }

    async fn act(&self, script: &Script, house: &House, home: &TempDir, played: &mut Played) -> anyhow::Result<()> {
        let mut outcome = house.bring(0, &script.promised).await;
        for _ in 1..script.attempts {
            if !matches!(outcome, Outcome::Done { .. }) {
                outcome = house.bring(0, &script.promised).await;
            }
        }
        self.judge(script, house, &outcome, &mut played.wrong).await;
        self.first_pause(script, &mut played.wrong);
        for wrong in self.kept(home.path(), &outcome)? {
            played.wrong.push(wrong);
        }
        house.cancel().await?;
        for left in files_of(&home.path().join("transit"))? {
            // What was refused is evidence, for a day (N7).
            if left.extension().is_none_or(|extension| extension != "evidence") {
                played.wrong.push(format!("{} is left after a cancellation", left.display()));
            }
        }
        Ok(())
    }

    /// Whether this is the outcome that the script is to have.
    async fn judge(&self, script: &Script, house: &House, outcome: &Outcome, wrong: &mut Vec<String>) {
        let versions = [&self.stage.file, &self.stage.old].map(|version| hex_of(&version.bytes));
        let is_wanted = match (&script.want, outcome) {
            (Want::Any, _) | (Want::Sound, Outcome::Failed { .. }) => true,
            (Want::Whole, Outcome::Done { sha256 }) => *sha256 == versions[0],
            (Want::Sound, Outcome::Done { sha256 }) => versions.contains(sha256),
            (Want::Failed(words), Outcome::Failed { why, .. }) => words.iter().any(|word| why.contains(word)),
            (Want::Gone, Outcome::Failed { gone, .. }) => *gone,
            (Want::NoFile, Outcome::Failed { gone, .. }) => {
                !gone && !matches!(house.state().await, JobState::Failed | JobState::NotFound)
            }
            (Want::Unknown, Outcome::Failed { gone, .. }) => {
                !gone && matches!(house.state().await, JobState::LookupFailed | JobState::Unrecognised)
            }
            (Want::Parked, Outcome::Failed { retry, .. }) => {
                let before = self.wire.told().seen.len();
                let again = house.bring(0, &script.promised).await;
                let is_quiet = self.wire.told().seen.len() == before;
                *retry == Retry::Temporary && is_quiet && matches!(again, Outcome::Failed { gone: false, .. })
            }
            (_, Outcome::Done { .. }) | (Want::Whole, Outcome::Failed { .. }) => false,
        };
        if !is_wanted {
            wrong.push(format!("wanted {:?}, got {outcome:?}", script.want));
        }
    }

    /// Whether it was asked again only after the time that was wished.
    fn first_pause(&self, script: &Script, wrong: &mut Vec<String>) {
        let path = if script.looks.is_empty() { FILE } else { QUESTION };
        let told = self.wire.told();
        let mut asked = told.seen.iter().filter(|seen| seen.path == path).map(|seen| seen.at);
        if let (Some(first), Some(second)) = (asked.next(), asked.next())
            && second.saturating_sub(first) < script.waits
        {
            wrong.push(format!("asked earlier than after {} s", script.waits.as_secs()));
        }
    }

    /// What is wrong about what the vault has: it has the file that was said, whole, or nothing.
    fn kept(&self, home: &Path, outcome: &Outcome) -> anyhow::Result<Vec<String>> {
        let transit = home.join("transit");
        let mut wrong = Vec::new();
        let mut names = Vec::new();
        for file in files_of(home)?.into_iter().filter(|file| !file.starts_with(&transit)) {
            let (name, found) =
                (file.file_name().unwrap_or_default().to_string_lossy(), hex_of(&std::fs::read(&file)?));
            if !name.starts_with(&found) {
                wrong.push(format!("{} holds something else", file.display()));
            }
            names.push(found);
        }
        let said = match outcome {
            // Planted bugs keep nothing.
            Outcome::Done { sha256 } if !self.plant.hoards() => vec![sha256.clone()],
            _ => Vec::new(),
        };
        if names != said {
            wrong.push(format!("the vault has {names:?} after {outcome:?}"));
        }
        Ok(wrong)
    }
}

/// All files of a folder and below, in order.
fn files_of(folder: &Path) -> std::io::Result<Vec<std::path::PathBuf>> {
    let mut files = Vec::new();
    if !folder.is_dir() {
        return Ok(files);
    }
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() { files.extend(files_of(&path)?) } else { files.push(path) }
    }
    files.sort();
    Ok(files)
}

fn tasks() -> usize {
    tokio::runtime::Handle::current().metrics().num_alive_tasks()
}

/// Whether no more tasks are alive than `before`, soon.
async fn ended(before: usize) -> bool {
    let looks = PATIENCE.as_millis() / GLANCE.as_millis();
    for _ in 0..looks {
        if tasks() <= before {
            return true;
        }
        tokio::time::sleep(GLANCE).await;
    }
    false
}
