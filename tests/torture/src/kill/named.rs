//! Kills of the program at every point that has a name, and at pairs of them: the second kill meets it
//! while it goes on from the first.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::ground::Ground;
use super::marks::{POINT, STANDS};
use super::program::{ENDED, Program, Story};
use super::{Size, Toll};
use crate::child::Victim;
use crate::dice::Dice;
use crate::proof::{Acknowledged, Settled};
use crate::suites::Run;

/// Calls that leave something behind. Between two of them nothing changes, so that a second kill
/// anywhere in between is the same kill.
const CHANGING: [&str; 17] = [
    "import",
    "open_case",
    "save_finding",
    "record_look_up",
    "window_keep",
    "begin_action",
    "apply",
    "finish_action",
    "claim_due",
    "settle",
    "end_look",
    "detect",
    "close_detections",
    "save_pass",
    "vault_commit",
    "vault_write",
    "keep_capture",
];
/// A record is proved and left after so many runs.
const RUNS_A_RECORD: u64 = 400;
/// From one life of a program to the next, in seconds: at once, soon, or when every claim and lease is over.
const PAUSES: [i64; 3] = [0, 300, 7_200];

/// Programs on one record, one run after another.
pub struct Stage<'a> {
    part: &'static str,
    pub ground: Ground,
    home: PathBuf,
    lane: String,
    runs: u64,
    forgets: bool,
    toll: &'a mut Toll,
}

impl<'a> Stage<'a> {
    fn new(part: &'static str, ground: Ground, folder: &Path, toll: &'a mut Toll) -> anyhow::Result<Self> {
        let home = folder.join(format!("home-{}", toll.stages));
        toll.stages += 1;
        std::fs::create_dir_all(&home)?;
        let lane = format!("s{}", toll.stages);
        Ok(Self { part, ground, home, lane, runs: 0, forgets: false, toll })
    }

    /// The runs from now on are of another number.
    pub fn next_run(&mut self) {
        self.runs += 1;
    }

    pub fn program(&self, story: Story, at: i64, stand_at: Option<&str>) -> Program {
        Program {
            record: self.ground.place(),
            home: self.home.clone(),
            story,
            made_for: story,
            lane: self.lane.clone(),
            number: self.runs,
            at,
            stand_at: stand_at.map(str::to_owned),
            told: false,
            forgets: self.forgets,
            large: false,
            forgetful: false,
            refunded: false,
        }
    }

    /// The points that a story passes where nobody disturbs it, in their order.
    fn points(&mut self, story: Story) -> anyhow::Result<Vec<String>> {
        self.next_run();
        let program = Program { told: true, ..self.program(story, story.start(), None) };
        let end = Victim::spawn(program.arguments(), None)?.wait()?;
        anyhow::ensure!(end.done, "{} does not work undisturbed: {:?}", story.word(), end.complaint);
        let points: Vec<String> =
            end.lines.iter().filter_map(|line| line.strip_prefix(POINT)).map(str::to_owned).collect();
        anyhow::ensure!(
            points.iter().any(|point| point == story.mark()),
            "{} never passes {}",
            story.word(),
            story.mark()
        );
        Ok(points)
    }

    /// One run: killed at each of `points`, then finished. Later lives start `pauses` later.
    fn lives(&mut self, story: Story, points: &[&str], pauses: &[i64]) -> anyhow::Result<()> {
        self.next_run();
        let context = format!("{} killed after {}", story.word(), points.join(" and "));
        let mut at = story.start();
        for (place, point) in points.iter().enumerate() {
            let mut victim = Victim::spawn(self.program(story, at, Some(point)).arguments(), None)?;
            if victim.hear_of(STANDS)? {
                victim.kill()?;
                self.toll.kills += 1;
            } else {
                // It had no need to come by: what an earlier life did was enough.
                let end = victim.wait()?;
                self.note(end.done, end.complaint, &context);
            }
            at += pauses.get(place).copied().unwrap_or_default();
        }
        // Claims of a reconciler that was killed must be over.
        let at = if story == Story::Sweep { at + 86_400 } else { at };
        let end = Victim::spawn(self.program(story, at, None).arguments(), None)?.wait()?;
        let done = end.lines.iter().any(|line| line.starts_with(ENDED));
        self.note(done && end.done, end.complaint, &context);
        self.toll.named += 1;
        Ok(())
    }

    /// A program must do its work, whatever happened to the one before it.
    pub fn note(&mut self, done: bool, complaint: Option<String>, context: &str) {
        if !done {
            let why = complaint.unwrap_or_else(|| "it ended without a word".to_owned());
            self.toll.broken.push((format!("{}: {context}: {why}", self.ground.word()), self.part));
        }
    }

    /// Counts a program that was stopped, and whether it was refused afterwards.
    pub fn count_stop(&mut self, refused: bool) {
        self.toll.stopped += 1;
        self.toll.fenced += u64::from(refused);
    }

    /// Proves the record, every item of which must have its remedy.
    pub fn prove(self) -> anyhow::Result<()> {
        let wrong = self.ground.wrong(&self.lane, &Acknowledged::default(), Settled::Every)?;
        let word = self.ground.word();
        self.toll.broken.extend(wrong.into_iter().map(|what| (format!("{word}: {what}"), self.part)));
        Ok(())
    }
}

/// Single kills at every named point, and pairs, or some of them.
pub fn run(run: &Run, size: &Size, folder: &Path, toll: &mut Toll) -> anyhow::Result<()> {
    for shared in [false, true] {
        let word = if shared { "postgres" } else { "sqlite" };
        let mut dice = Dice::new(run.seed, &format!("kill named {word}"));
        for story in Story::ALL {
            if size.named == Some(0) || !run.wants("named") && !run.wants(&format!("named/{}/{word}", story.word())) {
                continue;
            }
            let plan = plan(size.named, story.mark(), &points_of(story, shared, folder, toll)?, &mut dice);
            toll.points.insert((story, word), plan.points);
            let mut kills = plan.kills.into_iter().peekable();
            while kills.peek().is_some() {
                let mut stage = Stage { forgets: size.forgets, ..stage("named", shared, folder, toll)? };
                for kill in kills.by_ref().take(usize::try_from(RUNS_A_RECORD)?) {
                    let points: Vec<&str> = kill.iter().map(String::as_str).collect();
                    let pauses: Vec<i64> = points.iter().map(|_| PAUSES[dice.index(PAUSES.len())]).collect();
                    stage
                        .lives(story, &points, &pauses)
                        .with_context(|| format!("{word}: {}", points.join(" and ")))?;
                }
                stage.prove()?;
            }
        }
    }
    Ok(())
}

/// A new record to run programs on.
pub fn stage<'a>(part: &'static str, shared: bool, folder: &Path, toll: &'a mut Toll) -> anyhow::Result<Stage<'a>> {
    let place = folder.join(format!("stage-{}", toll.stages));
    std::fs::create_dir_all(&place)?;
    let ground = if shared { Ground::shared(false)? } else { Ground::embedded(&place)? };
    Stage::new(part, ground, &place, toll)
}

/// The points that a story passes undisturbed.
pub fn points_of(story: Story, shared: bool, folder: &Path, toll: &mut Toll) -> anyhow::Result<Vec<String>> {
    stage("points", shared, folder, toll)?.points(story)
}

/// Which kills are tried.
struct Plan {
    points: usize,
    kills: Vec<Vec<String>>,
}

/// Every kill, or some of them; the one at `mark`, where a story is half done, is always among them.
fn plan(some: Option<usize>, mark: &str, points: &[String], dice: &mut Dice) -> Plan {
    let after: Vec<&String> = points.iter().filter(|point| leaves_something(point)).collect();
    let singles = points.iter().map(|point| vec![point.clone()]);
    let pairs = after.iter().flat_map(|first| after.iter().map(|second| vec![(*first).clone(), (*second).clone()]));
    let mut kills: Vec<Vec<String>> = singles.chain(pairs).collect();
    if let Some(count) = some {
        for last in (1..kills.len()).rev() {
            kills.swap(last, dice.index(last + 1));
        }
        if let Some(place) = kills.iter().position(|kill| kill.iter().any(|point| point == mark)) {
            kills.swap(0, place);
        }
        kills.truncate(count);
    }
    Plan { points: points.len(), kills }
}

/// Whether a point stands after a call that leaves something behind.
fn leaves_something(point: &str) -> bool {
    let mut parts = point.split('.');
    let (call, side) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    side == "after" && CHANGING.contains(&call)
}

/// How many named points each story has on each database.
pub type Points = BTreeMap<(Story, &'static str), usize>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_some_kills_the_first_is_where_the_story_is_half_done() {
        let points: Vec<String> = (1..=40).map(|n| format!("scope.before.{n}")).collect();
        let points = [points, vec!["vault_commit.after.1".to_owned(), "apply.after.2".to_owned()]].concat();
        let few = plan(Some(3), "vault_commit.after.1", &points, &mut Dice::new(5, "few"));
        assert_eq!((few.points, few.kills.len()), (42, 3));
        assert!(few.kills[0].iter().any(|point| point == "vault_commit.after.1"), "{:?}", few.kills);
        let all = plan(None, "vault_commit.after.1", &points, &mut Dice::new(5, "all"));
        assert_eq!(all.kills.len(), 42 + 4, "each point, and each pair of those that leave something behind");
    }
}
