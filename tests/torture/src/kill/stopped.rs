//! Programs that are stopped (SIGSTOP) for longer than their claims and leases last, while another
//! program takes over, and then go on as if nothing had happened. Their writes are refused, or say
//! what the other one did.

use std::path::Path;

use super::marks::{REFUSED, STANDS};
use super::named::{Stage, points_of, stage};
use super::program::{Program, Story};
use super::{Size, Toll};
use crate::child::Victim;
use crate::dice::Dice;
use crate::suites::Run;

/// Everybody's claim and lease is over after so many seconds.
const MUCH_LATER: i64 = 7_200;

pub fn run(run: &Run, size: &Size, folder: &Path, toll: &mut Toll) -> anyhow::Result<()> {
    if size.stopped == 0 || !run.wants("stopped") {
        return Ok(());
    }
    for shared in [false, true] {
        let mut dice = Dice::new(run.seed, &format!("kill stopped {shared}"));
        let mut points = Vec::new();
        for story in Story::ALL {
            points.push((story, points_of(story, shared, folder, toll)?));
        }
        let mut stage = stage("stopped", shared, folder, toll)?;
        for _ in 0..size.stopped {
            let (story, points) = &points[dice.index(points.len())];
            let within: Vec<&String> = points.iter().filter(|point| is_within_a_saga(point)).collect();
            let point =
                if dice.chance(60) { within[dice.index(within.len())] } else { &points[dice.index(points.len())] };
            let other = if dice.chance(50) { Story::Sweep } else { *story };
            stage.stop(*story, point, other)?;
        }
        stage.prove()?;
    }
    if toll.fenced == 0 {
        toll.broken.push(("nobody who was stopped was ever refused".to_owned(), "stopped"));
    }
    Ok(())
}

/// Where a program holds a lease, or is about to do something under it.
fn is_within_a_saga(point: &str) -> bool {
    ["vault_", "fetch", "apply", "settle"].iter().any(|call| point.starts_with(call))
}

impl Stage<'_> {
    /// One program is stopped at a point, another one does its work, and the first goes on.
    fn stop(&mut self, story: Story, point: &str, other: Story) -> anyhow::Result<()> {
        self.next_run();
        let mut first = Victim::spawn(self.program(story, story.start(), Some(point)).arguments(), None)?;
        anyhow::ensure!(first.hear_of(STANDS)?, "{} does not pass {point}", story.word());
        first.signal("STOP")?;
        first.say("go on")?;
        let second = Program { made_for: story, ..self.program(other, story.start() + MUCH_LATER, None) };
        let second = Victim::spawn(second.arguments(), None)?.wait()?;
        let context = format!("{} stopped at {point}, taken over by {}", story.word(), other.word());
        self.note(second.done, second.complaint, &context);
        first.signal("CONT")?;
        let first = first.wait()?;
        let refused = first.lines.iter().any(|line| line.starts_with(REFUSED));
        self.note(first.done, first.complaint, &context);
        self.count_stop(refused);
        Ok(())
    }
}
