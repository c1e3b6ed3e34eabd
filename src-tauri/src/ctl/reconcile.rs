//! `makegoodctl reconcile`: the reconciler without a window, once or again and again, or the proof that
//! its list lacks nothing.

use std::path::Path;
use std::process::ExitCode;

use jiff::SignedDuration;
use makegood_app::pass_view;
use makegood_domain::ports::PassReport;

use super::signals::asked_to_end;
use crate::settings;
use crate::sweeps::{self, Stop};
use crate::wiring;

/// Who made a pass, in its report.
const PROGRAM: &str = "makegoodctl";

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Mode {
    /// Make one pass and end.
    #[arg(long)]
    once: bool,
    /// Make a pass now, whenever a run is due, and after a time like this at the latest, until interrupted: `5m`, `1h`.
    #[arg(long, value_name = "TIME", value_parser = settings::every)]
    every: Option<SignedDuration>,
    /// Change nothing: compare the list of due runs with every charge there is. Exit 1 if it lacks one.
    #[arg(long)]
    full_scan: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct Options {
    #[command(flatten)]
    mode: Mode,
    /// One JSON object a pass, on a line of its own.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(home: &Path, options: &Options) -> anyhow::Result<ExitCode> {
    super::say_what_takes_time(home);
    wiring::build(home).await?.close_after(async |console| work(console, options).await).await
}

async fn work(console: &wiring::Console, options: &Options) -> anyhow::Result<ExitCode> {
    if options.mode.full_scan {
        return full_scan(console, options.json).await;
    }
    let stop = Stop::default();
    tokio::spawn(stop_on_signal(stop.clone()));
    let Some(every) = options.mode.every else {
        let report = console.desk.reconcile_once(&sweeps::shift(PROGRAM, &stop)).await?;
        tell(&report, options.json)?;
        return Ok(ExitCode::SUCCESS);
    };
    sweeps::keep(&console.desk, PROGRAM, every, &stop, |pass| {
        let told = match pass {
            Ok(report) => tell(&report, options.json),
            Err(why) => Err(why.into()),
        };
        if let Err(why) = told {
            eprintln!("makegoodctl: a pass failed, and the next one tries again: {why:#}");
        }
    })
    .await;
    Ok(ExitCode::SUCCESS)
}

/// An interrupt or a request to end lets the runs at hand end; nothing is cut in the middle.
async fn stop_on_signal(stop: Stop) {
    if let Err(why) = asked_to_end().await {
        tracing::warn!(%why, "a request to end is not heard");
        return;
    }
    eprintln!("makegoodctl: stopping after the runs at hand");
    stop.now();
}

fn tell(report: &PassReport, json: bool) -> anyhow::Result<()> {
    if json {
        println!("{}", serde_json::to_string(&pass_view(report))?);
        return Ok(());
    }
    let took = report
        .finished_at
        .map_or_else(String::new, |end| format!(" in {} s", end.duration_since(report.started_at).as_secs()));
    println!("pass {} at {}{took}", report.id, report.started_at);
    println!(
        "  {} runs looked at: {} files brought, {} items restored with {} credits",
        report.looked_at, report.transferred, report.restored, report.credits
    );
    println!(
        "  {} wait, {} of them because nobody could say, {} are for people",
        report.waiting, report.unknown, report.parked
    );
    println!("  {} things newly noticed, {} incidents", report.detected, report.incidents);
    match report.oldest_open {
        Some(at) => println!("  the oldest open charge was posted at {at}"),
        None => println!("  no charge is open"),
    }
    for line in report.by_provider.iter().filter(|line| !line.provider.is_empty()) {
        println!(
            "  {}: {} asked, {} unanswered, {} files, {} restored",
            line.provider, line.asked, line.unanswered, line.transferred, line.restored
        );
    }
    for problem in &report.problems {
        println!("  problem: {problem}");
    }
    Ok(())
}

async fn full_scan(console: &wiring::Console, json: bool) -> anyhow::Result<ExitCode> {
    let scan = console.desk.store().full_scan().await?;
    if json {
        println!("{}", serde_json::to_string(&scan)?);
    } else {
        println!("{} charges, {} of them open", scan.charges, scan.open_charges);
        for charge in &scan.missed {
            println!("  missed: charge {charge} is open, and its run is not on the list");
        }
        for run in &scan.superfluous {
            println!("  superfluous: run {run} is on the list, and nothing of it is open");
        }
    }
    Ok(if scan.missed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
