//! Processes killed while they work: at random instants, at every point that has a name and at pairs of
//! them, before every single call that changes a file, and the server under them. What was acknowledged
//! must be there once, and going on with the same keys must do nothing twice.

mod embedded;
pub mod ground;
pub mod marks;
mod named;
pub mod outside;
pub mod program;
mod server;
mod stopped;

use std::path::Path;

use crate::proof::Acknowledged;
use crate::suites::Run;
use crate::verdict::Verdict;
use crate::writer::Plant;
use ground::Ground;

/// What the kills of all parts came to.
#[derive(Debug, Default)]
pub struct Toll {
    pub kills: u64,
    pub acked: u64,
    /// Runs of the program that were killed at named points, and finished.
    pub named: u64,
    pub points: named::Points,
    /// Programs that were stopped while others went on, and of those the ones that were refused.
    pub stopped: u64,
    pub fenced: u64,
    /// Ends of the server under its writers.
    pub server_stops: u64,
    /// Records that were made.
    stages: u64,
    /// What is wrong, with the part it was found in.
    pub broken: Vec<(String, &'static str)>,
}

impl Toll {
    /// Counts a kill of a writer, and proves the record.
    fn note(
        &mut self,
        ground: &Ground,
        known: &mut Acknowledged,
        (lines, complaint): (Vec<String>, Option<String>),
        part: &'static str,
    ) -> anyhow::Result<()> {
        self.kills += 1;
        self.acked += u64::try_from(lines.len())?;
        known.add(&lines);
        self.broken.extend(complaint.map(|why| (format!("the writer stopped by itself: {why}"), part)));
        let wrong = ground.wrong("l", known, crate::proof::Settled::Any)?;
        self.broken.extend(wrong.into_iter().map(|what| (what, part)));
        Ok(())
    }
}

/// How many kills there are of each kind, and what is wrong with those that are killed where a bug is
/// planted.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Of a writer at any instant, on SQLite.
    pub instants: u64,
    /// Before each of so many calls that change a file, one; 0: none.
    pub calls_a_kill: u64,
    /// Of one story on one database; `None`: at each named point, and at each pair of them.
    pub named: Option<usize>,
    /// Programs that are stopped, on each database.
    pub stopped: u64,
    /// Of a writer at any instant, on PostgreSQL.
    pub pg_instants: u64,
    /// Stops of the server under its writers.
    pub pg_stops: u64,
    pub plant: Plant,
    /// The window keeps nothing, and the program resumes nothing.
    pub forgets: bool,
    /// Statements that plant a bug in a server whose writers go on when it is stopped.
    pub planted: &'static str,
}

impl Size {
    /// No kill at all, to be filled in.
    pub const NONE: Self = Self {
        instants: 0,
        calls_a_kill: 0,
        named: Some(0),
        stopped: 0,
        pg_instants: 0,
        pg_stops: 0,
        plant: Plant::Nothing,
        forgets: false,
        planted: "",
    };
}

const QUICK: Size =
    Size { instants: 40, calls_a_kill: 32, named: Some(14), stopped: 12, pg_instants: 25, pg_stops: 3, ..Size::NONE };

const FULL: Size =
    Size { instants: 1_000, calls_a_kill: 1, named: None, stopped: 150, pg_instants: 300, pg_stops: 100, ..Size::NONE };

pub fn run(run: &Run) -> anyhow::Result<Verdict> {
    play(run, &run.size(QUICK, FULL))
}

type Part = fn(&Run, &Size, &Path, &mut Toll) -> anyhow::Result<()>;

/// All kinds of kills, in some size.
pub fn play(run: &Run, size: &Size) -> anyhow::Result<Verdict> {
    let folder = tempfile::tempdir()?;
    let mut toll = Toll::default();
    let parts: [(&str, Part); 4] =
        [("sqlite", embedded::run), ("named", named::run), ("stopped", stopped::run), ("postgres", server::run)];
    for (name, part) in parts {
        // What the other parts found is told all the same.
        if let Err(why) = part(run, size, folder.path(), &mut toll) {
            toll.broken.push((format!("{name} could not be run to its end: {why:#}"), ""));
        }
    }
    let mut verdict = Verdict::default();
    verdict.count("points", toll.points.values().sum::<usize>());
    verdict.count("runs", toll.named);
    verdict.count("kills", toll.kills);
    verdict.count("stopped", toll.stopped);
    verdict.count("fenced", toll.fenced);
    verdict.count("server-stops", toll.server_stops);
    verdict.count("acked", toll.acked);
    verdict.count("lost-or-doubled", toll.broken.len());
    for (what, part) in toll.broken {
        let is_one = run.only.is_none() && !part.is_empty();
        let only = if is_one { format!(" --only {part}") } else { String::new() };
        let what = if part.is_empty() { what } else { format!("{part}: {what}") };
        verdict.fault(what, format!("{}{only}", run.replay("kill")));
    }
    Ok(verdict)
}
