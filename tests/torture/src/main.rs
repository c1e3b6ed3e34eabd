//! What the record and its protocol go through before they are trusted with credits: every order of
//! events of a small model, killed processes, cut power, cut links, racing processes, forged SQL.
//!
//! Each suite ends in one line; the last line is `N passed, N failed`. The seed decides everything
//! that chance decides, so a failure can be had again.

mod between;
mod child;
mod dice;
mod forge;
mod kill;
mod model;
mod net;
mod pg;
mod pg_cut;
mod pg_race;
mod powercut;
mod product;
mod proof;
mod recover;
mod self_test;
mod shim;
mod sim;
mod suites;
mod verdict;
mod week;
mod writer;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use suites::{Run, Suite};

#[derive(Debug, Parser)]
#[command(name = "torture", about = "Tries to lose, double or forge credits")]
struct Options {
    #[command(subcommand)]
    command: Command,
    /// Decides everything that chance decides.
    #[arg(long, global = true, default_value_t = 7)]
    seed: u64,
    /// The long form of a single suite.
    #[arg(long, global = true)]
    full: bool,
    /// Only the parts of a suite whose name contains this.
    #[arg(long, global = true)]
    only: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Explores every order in which an item can be settled.
    Model,
    /// Plays the program in virtual time, with ends of programs and broken links.
    Sim,
    /// Kills the power 60 times (500) under a writer on SQLite; nothing acknowledged may be lost.
    Powercut,
    /// Kills writers at any instant and at any call, the program at every named point, and the server.
    Kill,
    /// Kills, breaks, stops a recovery at each of its steps and cuts its power, and lets another go on.
    Recover,
    /// Plays a week in which providers are down now and then, with the retention that their vendors state.
    Week,
    /// Lets processes race on PostgreSQL: for items, parts of them, claims, a second person's yes.
    PgRace,
    /// Cuts the link to PostgreSQL at every message, stops the server, and gives calls up.
    PgCut,
    /// Tries SQL with logins of every role.
    Forge,
    /// Faults of the network between a provider's file and the vault, and addresses that nobody may be led to.
    Net,
    /// Plants bugs that are known, and looks whether the suites notice them.
    SelfTest,
    /// Every suite but the last, in minutes.
    Quick,
    /// Every suite, for an hour.
    Full,
    #[command(hide = true)]
    ChildWriter(child::Work),
    #[command(hide = true)]
    ChildProgram(kill::program::Program),
    #[command(hide = true)]
    ChildReach,
    #[command(hide = true)]
    ChildTls(net::tls::Child),
    #[command(hide = true)]
    ChildProxied,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let (suites, full): (Vec<Suite>, bool) = match options.command {
        Command::ChildWriter(work) => return child::be(&work),
        Command::ChildProgram(program) => return child::be_program(&program),
        Command::ChildReach => return net::reach::be(options.seed),
        Command::ChildProxied => return net::proxies::be(options.seed),
        Command::ChildTls(child) => return net::tls::be(&child, options.seed, options.only),
        Command::Quick => (Suite::QUICK.to_vec(), false),
        Command::Full => (Suite::FULL.to_vec(), true),
        Command::Model => (vec![Suite::Model], options.full),
        Command::Sim => (vec![Suite::Sim], options.full),
        Command::PgRace => (vec![Suite::PgRace], options.full),
        Command::PgCut => (vec![Suite::PgCut], options.full),
        Command::Net => (vec![Suite::Net], options.full),
        Command::Forge => (vec![Suite::Forge], options.full),
        Command::SelfTest => (vec![Suite::SelfTest], options.full),
        Command::Powercut => (vec![Suite::Powercut], options.full),
        Command::Kill => (vec![Suite::Kill], options.full),
        Command::Week => (vec![Suite::Week], options.full),
        Command::Recover => (vec![Suite::Recover], options.full),
    };
    let run = Run { seed: options.seed, full, only: options.only };
    if suites::run_all(&suites, &run) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
