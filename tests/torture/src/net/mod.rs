//! The faults of the network (N1 to N17) as scripts, against the adapter, the download and the vault of the product
//! over real sockets; and addresses that nobody may be led to.
//!
//! A script must end in the one outcome that it names, with the file whole under its hash or nowhere, nothing left of
//! it once it is cancelled, no more requests and bytes than it allows, little memory, and no task behind it.

mod house;
mod inline;
mod memory;
mod play;
pub mod proxies;
pub mod reach;
mod scripts;
mod store;
mod storm;
pub mod tls;
mod wire;

use std::collections::BTreeSet;

pub use house::Plant;

use crate::child;
use crate::suites::Run;
use crate::verdict::Verdict;
use play::Scene;

/// Each script is played with so many seeds where there is time.
const SEEDS: u64 = 3;

/// What is played, and what of the product's surroundings is wrong where a bug is planted.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    pub seeds: u64,
    /// Rows of the table, such as `N5`; all where there are none.
    pub rows: &'static [&'static str],
    pub plant: Plant,
}

/// What was counted.
#[derive(Debug, Default)]
struct Tally {
    scripts: BTreeSet<String>,
    plays: u64,
    requests: usize,
    /// The most memory that a play took beyond what was in use before; `None` where nobody tells.
    grown: Option<u64>,
    /// The same of all look-ups of an answer with a long file inside, and of all fetches of it.
    looked: Option<u64>,
    fetched: Option<u64>,
}

pub fn run(run: &Run) -> anyhow::Result<Verdict> {
    let seeds = run.size(1, SEEDS);
    let mut verdict = played(&Size { seeds, rows: &[], plant: Plant::Nothing }, run)?;
    // What names lead to (N12) is tried there too.
    if run.wants("ssrf") || run.wants("N12") {
        reach::watched(seeds, run, &mut verdict)?;
    }
    child::runtime()?.block_on(store::played(seeds, run, &mut verdict))?;
    // Whether one of its scripts is asked for, the child knows.
    if run.only.as_ref().is_none_or(|only| tls::ROWS.iter().any(|row| only.starts_with(row))) {
        tls::played(seeds, run, &mut verdict)?;
    }
    proxies::played(seeds, run, &mut verdict)?;
    Ok(verdict)
}

/// Plays the scripts of a size.
pub fn played(size: &Size, run: &Run) -> anyhow::Result<Verdict> {
    let (mut verdict, mut tally) = (Verdict::default(), Tally::default());
    let runtime = child::runtime()?;
    for seed in (run.seed..).take(usize::try_from(size.seeds)?) {
        runtime.block_on(seeded(seed, size, run, &mut verdict, &mut tally))?;
    }
    verdict.count("scripts", format!("{}x{}", tally.scripts.len(), size.seeds));
    verdict.count("plays", tally.plays);
    verdict.count("requests", tally.requests);
    verdict.count("grown-max", memory::told(tally.grown));
    if tally.scripts.contains(inline::NAME) {
        verdict.count("inline-looked-max", memory::told(tally.looked));
        verdict.count("inline-fetched-max", memory::told(tally.fetched));
    }
    Ok(verdict)
}

async fn seeded(seed: u64, size: &Size, run: &Run, verdict: &mut Verdict, tally: &mut Tally) -> anyhow::Result<()> {
    let mut scene = Scene::set(seed, size.plant).await?;
    // Kept to the end: memory that was given back would hide what a play takes.
    let scripts = scene.scripts();
    for script in &scripts {
        let row = script.name.split('/').next().unwrap_or_default();
        let is_of_size = size.rows.is_empty() || size.rows.contains(&row);
        if !is_of_size || !run.wants(&script.name) {
            continue;
        }
        let played = scene.play(script).await?;
        tally.plays += 1;
        tally.requests += played.requests;
        tally.grown = tally.grown.max(played.grown);
        for wrong in played.wrong {
            let only = script.name.replace('\'', "");
            verdict
                .fault(format!("{} seed {seed}: {wrong}", script.name), format!("net --seed {seed} --only '{only}'"));
        }
        tally.scripts.insert(script.name.clone());
    }
    if size.rows.is_empty() || size.rows.contains(&"N2") {
        storm::played(seed, size.plant, run, verdict, tally).await?;
    }
    if size.rows.is_empty() || size.rows.contains(&"N9") {
        inline::played(seed, size.plant, run, verdict, tally).await?;
    }
    Ok(())
}
