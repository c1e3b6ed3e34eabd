//! `makegoodctl audit`: the last lines, or the proof that none was changed.

use std::path::Path;
use std::process::ExitCode;

use makegood_domain::ports::Store;

use crate::record::{self, Place};

#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Recompute the chain of hashes and name the first line that does not fit.
    #[arg(long)]
    verify: bool,
    /// Lines to print, the newest first.
    #[arg(long, default_value_t = 50)]
    limit: u64,
}

pub(super) async fn run(home: &Path, options: &Options) -> anyhow::Result<ExitCode> {
    record::with(&Place::at(home)?, async |store| look(store, options).await).await
}

async fn look(store: &dyn Store, options: &Options) -> anyhow::Result<ExitCode> {
    if options.verify {
        return Ok(match store.audit_verify().await? {
            None => {
                println!("the audit is whole");
                ExitCode::SUCCESS
            }
            Some(found) => {
                println!("the audit is broken at line {}: {}", found.seq, found.why);
                ExitCode::FAILURE
            }
        });
    }
    for line in store.audit(None, options.limit).await? {
        println!("{:>6}  {}  {}  {}  {}  {}", line.seq, line.at, line.actor, line.act, line.subject, line.detail);
    }
    Ok(ExitCode::SUCCESS)
}
