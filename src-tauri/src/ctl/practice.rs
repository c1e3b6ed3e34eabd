//! `makegoodctl practice`: makes the practice workspace, serves its providers, or drives the main job.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use makegood_app::contract::{Nothing, QueueFilter, QueueRequest};
use makegood_domain::plan::ActionKind;

use super::drive;
use crate::wiring;

#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Seed of the world; the same seed and the same moment make the same world.
    #[arg(long, default_value_t = wiring::PRACTICE_SEED)]
    seed: u64,
    /// Forget the practice workspace and make it anew.
    #[arg(long)]
    reset: bool,
    /// Recover one file and restore one split charge, with the ledger before and after.
    #[arg(long)]
    drive: bool,
    /// Keep the providers answering until interrupted.
    #[arg(long)]
    serve: bool,
}

pub(super) async fn run(home: &Path, options: &Options) -> anyhow::Result<ExitCode> {
    let dir = home.join("practice");
    if options.reset {
        makegood_practice::reset(&dir)?;
    }
    wiring::practising(&dir, options.seed, &wiring::untold)
        .await?
        .close_after(async |console| show(console, &dir, options).await)
        .await
}

async fn show(console: &wiring::Console, dir: &Path, options: &Options) -> anyhow::Result<ExitCode> {
    let desk = &console.desk;
    let window = desk.queue(QueueRequest { filter: QueueFilter::default(), offset: 0, limit: 1 }).await?;
    let counts = desk.queue_counts(Nothing {}).await?;
    println!("practice workspace in {}", dir.display());
    println!("{} cases, {} credits at stake, {} verdicts", window.total, window.stake, counts.verdicts.len());
    if options.drive {
        drive::drive(desk, makegood_practice::RECOVER_TICKET, ActionKind::Recover).await?;
        drive::drive(desk, makegood_practice::SPLIT_TICKET, ActionKind::Restore).await?;
    }
    if options.serve {
        let workspace = console.practice.as_ref().context("the practice workspace has no providers")?;
        for (name, address) in workspace.addresses() {
            println!("{name} answers at {address}");
        }
        tokio::signal::ctrl_c().await.context("waiting for the interrupt")?;
    }
    Ok(ExitCode::SUCCESS)
}
