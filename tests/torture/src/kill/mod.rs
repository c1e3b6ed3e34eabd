//! Processes killed while they work: at random instants, and before every single call that changes
//! a file, from the making of the record on. What was acknowledged must be there once, and going on
//! with the same keys must do nothing twice.

mod embedded;

use crate::suites::Run;
use crate::verdict::Verdict;

/// What the kills of all parts came to.
#[derive(Debug, Default)]
pub struct Toll {
    pub kills: u64,
    pub acked: u64,
    /// What is wrong, with the part it was found in.
    pub broken: Vec<(String, &'static str)>,
}

pub fn run(run: &Run) -> anyhow::Result<Verdict> {
    let folder = tempfile::tempdir()?;
    let mut toll = Toll::default();
    embedded::run(run, folder.path(), &mut toll)?;
    let mut verdict = Verdict::default();
    verdict.count("kills", toll.kills);
    verdict.count("acked", toll.acked);
    verdict.count("lost-or-doubled", toll.broken.len());
    for (what, part) in toll.broken {
        let only = if run.only.is_none() { format!(" --only {part}") } else { String::new() };
        verdict.fault(format!("{part}: {what}"), format!("{}{only}", run.replay("kill")));
    }
    Ok(verdict)
}
