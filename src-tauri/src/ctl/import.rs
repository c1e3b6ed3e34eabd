//! `makegoodctl import FILE`: facts, one JSON object a line, as `{"type": …, "data": …}`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use makegood_domain::feed::Fact;
use makegood_domain::ports::{Clock as _, Store};

use crate::clock::SystemClock;
use crate::record::{self, Place};
use crate::settings::Settings;

/// Facts in one transaction.
const BATCH: usize = 1_000;
/// Rejected lines that are printed; the rest is counted.
const REJECTED_SHOWN_MAX: usize = 20;

#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// File of facts; rows refer to rows before them.
    file: PathBuf,
}

pub(super) async fn run(home: &Path, options: &Options) -> anyhow::Result<ExitCode> {
    let settings = Settings::load(home)?.with_context(|| {
        format!("{} has no makegood.toml: facts are imported into a connected workspace", home.display())
    })?;
    record::with(&Place::of(&settings, home)?, async |store| import(store, &options.file).await).await
}

async fn import(store: &dyn Store, file: &Path) -> anyhow::Result<ExitCode> {
    let text = std::fs::read_to_string(file).with_context(|| format!("{} can't be read", file.display()))?;
    let (mut added, mut updated, mut unchanged, mut rejected) = (0, 0, 0, Vec::new());
    let mut batch = Vec::with_capacity(BATCH);
    let mut lines = Vec::with_capacity(BATCH);
    let mut numbered = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()).peekable();
    while let Some((index, line)) = numbered.next() {
        match serde_json::from_str::<Fact>(line) {
            Ok(fact) => {
                batch.push(fact);
                lines.push(index + 1);
            }
            Err(why) => rejected.push(format!("line {}: {why}", index + 1)),
        }
        if batch.len() == BATCH || numbered.peek().is_none() {
            let report = store.import(&batch, SystemClock.now()).await?;
            added += report.added;
            updated += report.updated;
            unchanged += report.unchanged;
            rejected.extend(report.rejected.iter().map(|row| {
                let line = usize::try_from(row.index).ok().and_then(|index| lines.get(index)).copied().unwrap_or(0);
                format!("line {line}: {} {}: {}", row.kind, row.id, row.reason)
            }));
            batch.clear();
            lines.clear();
        }
    }
    println!("added {added} · updated {updated} · unchanged {unchanged} · rejected {}", rejected.len());
    for line in rejected.iter().take(REJECTED_SHOWN_MAX) {
        println!("  {line}");
    }
    Ok(if rejected.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
