//! `makegoodctl`: one file a command. Exit 0: done; 1: what was asked did not hold; 2: it could not be asked.

mod audit;
mod db;
mod deadletters;
mod drive;
mod evaluate;
mod export;
mod import;
mod practice;
mod provider;
mod reconcile;
mod recover;
mod release;
mod schema;
mod serve;
mod signals;
mod triage;
mod vault;
mod verify;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(name = "makegoodctl", version, about = "Settles \"I was charged and got no output\", without a window")]
struct Cli {
    /// Folder of the profile; else MAKEGOOD_HOME, else the system's place for application data.
    #[arg(long, global = true, value_name = "DIR")]
    home: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Build the practice workspace, serve its providers, or drive the main job in it.
    Practice(practice::Options),
    /// Hold labelled cases against the rules: what would this policy do to them?
    Evaluate(evaluate::Options),
    /// Take the platform's facts in: events or plain facts, one JSON object a line, or charges and runs as CSV.
    Import(import::Options),
    /// What could not be read or taken: look at it, try it again, or give it up.
    #[command(subcommand)]
    Deadletters(deadletters::Options),
    /// JSON Schemas of the events that are taken.
    Schema(schema::Options),
    /// Take tickets in, one JSON object a line, and say what the rules make of each.
    Triage(triage::Options),
    /// Keep the 24-hour promise: bring what can be had, restore what can't, once or again and again.
    Reconcile(reconcile::Options),
    /// Bring the files of a case, or of the case about a run, to their places, and show how far that is.
    Recover(recover::Options),
    /// Give a late result of a refunded item, against a new debit that the customer agreed to.
    Release(release::Options),
    /// The adapters of providers, what a document of one means, and what one says of a job.
    Provider(provider::Options),
    /// Take webhooks of providers and facts of the platform in, tell it what was done, and reconcile.
    Serve(serve::Options),
    /// Write down usage for other programs: charges, detections, refunds, and the billable total.
    Export(export::Options),
    /// Look at the audit, or prove that it is whole.
    Audit(audit::Options),
    /// The vault of recovered files: what is there, whether it is whole, what may go, and its key.
    #[command(subcommand)]
    Vault(vault::Options),
    /// A team's record on a PostgreSQL server: make, upgrade, check, fill it, and let people in.
    Db(db::Options),
}

/// Runs the command line of this process.
#[must_use]
pub fn main() -> ExitCode {
    crate::logs::to_stderr();
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(why) => {
            eprintln!("makegoodctl: the runtime can't start: {why}");
            return ExitCode::from(2);
        }
    };
    match runtime.block_on(run(cli)) {
        Ok(code) => code,
        Err(why) => {
            eprintln!("makegoodctl: {why:#}");
            ExitCode::from(2)
        }
    }
}

/// Says what a command does first that finds neither settings nor a practice workspace: it makes one.
fn say_what_takes_time(home: &Path) {
    if let Some(dir) = crate::wiring::practice_to_be_made(home) {
        eprintln!(
            "makegoodctl: {} has no makegood.toml: making the practice workspace in {}, once, which takes a moment",
            home.display(),
            dir.display()
        );
    }
}

async fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let home = match cli.home {
        Some(home) => home,
        None => crate::shell::profile::directory(|name| std::env::var_os(name).map(PathBuf::from))?,
    };
    match cli.command {
        Command::Practice(options) => practice::run(&home, &options).await,
        Command::Evaluate(options) => evaluate::run(&options).await,
        Command::Import(options) => import::run(&home, &options).await,
        Command::Deadletters(options) => deadletters::run(&home, &options).await,
        Command::Schema(options) => schema::run(&options),
        Command::Triage(options) => triage::run(&home, &options).await,
        Command::Reconcile(options) => reconcile::run(&home, &options).await,
        Command::Recover(options) => recover::run(&home, options).await,
        Command::Release(options) => release::run(&home, options).await,
        Command::Provider(options) => provider::run(&home, options).await,
        Command::Serve(options) => serve::run(&home, &options).await,
        Command::Export(options) => export::run(&home, &options).await,
        Command::Audit(options) => audit::run(&home, &options).await,
        Command::Vault(options) => vault::run(&home, options).await,
        Command::Db(options) => db::run(&home, &options).await,
    }
}
