//! `makegoodctl import FILE`: the platform's facts, as events or plain, one JSON object a line, or charges and
//! runs as CSV. A file of any length is read in pieces; what was interrupted goes on where it was.

mod apart;
mod columns;
mod input;
mod pieces;
mod progress;
mod report;
mod rows;
mod taking;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use makegood_app::intake;
use makegood_domain::ports::{Clock as _, ImportPosition, Store};
use tokio::sync::mpsc;

use self::columns::{Columns, Table};
use self::input::Input;
use self::progress::Progress;
use self::report::Report;
use self::taking::{follow, take};
use super::signals::asked_to_end;
use crate::clock::SystemClock;
use crate::record::{self, Place};
use crate::settings::Settings;
use crate::sweeps::Stop;

/// Pieces that are read ahead of the record.
const PIECES_AHEAD: usize = 2;
/// The place in the file is kept once in so many pieces: each time the disk is waited for. What came after it is read
/// again where an import was killed, and is known then.
const PIECES_A_PLACE: u64 = 8;

#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// File of facts, `-` for standard input; gzip is recognised. Rows refer to rows before them.
    #[arg(required_unless_present = "retry")]
    file: Option<PathBuf>,
    /// The file is CSV with a header, of these.
    #[arg(long, value_name = "ROWS")]
    csv: Option<Table>,
    /// Which column holds which field, where their names differ: `--map "Charge ID=id,Credits=total"`.
    #[arg(long, value_name = "COLUMN=FIELD", value_delimiter = ',', requires = "csv", value_parser = columns::pair)]
    map: Vec<(String, String)>,
    /// The same from a file: TOML of lines like `"Charge ID" = "id"`.
    #[arg(long, value_name = "FILE", requires = "csv")]
    map_file: Option<PathBuf>,
    /// Write each rejected line down, as one JSON object a line.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Read the file from its start, even where an earlier import of it was interrupted.
    #[arg(long)]
    from_start: bool,
    /// Try what could not be taken before again, after the file or without one.
    #[arg(long)]
    retry: bool,
}

pub(super) async fn run(home: &Path, options: &Options) -> anyhow::Result<ExitCode> {
    let place = connected(home)?;
    // What can't be read is found out before the record is opened.
    let columns =
        options.csv.map(|table| Columns::new(table, &options.map, options.map_file.as_deref())).transpose()?;
    let input = options.file.as_deref().map(Input::open).transpose()?;
    let report = Report::open(options.report.as_deref())?;
    // A server has more than one processor to take facts with; a file has one writer.
    let halves = matches!(place, Place::Server(_));
    record::with(&place, async |store| work(store, options, columns, input, report, halves).await).await
}

/// The record of a connected workspace.
pub(super) fn connected(home: &Path) -> anyhow::Result<Place> {
    let settings = Settings::load(home)?.with_context(|| {
        format!("{} has no makegood.toml: facts are imported into a connected workspace", home.display())
    })?;
    Place::of(&settings, home)
}

async fn work(
    store: &dyn Store,
    options: &Options,
    columns: Option<Columns>,
    input: Option<Input>,
    mut report: Report,
    halves: bool,
) -> anyhow::Result<ExitCode> {
    let mut good = true;
    if let Some(input) = input {
        good = import(store, options, columns, input, &mut report, halves).await?;
    }
    if options.retry {
        let retried = intake::retry(store, None, SystemClock.now()).await?;
        println!("dead letters: {} taken · {} wait", retried.taken, retried.waiting);
        good = good && retried.waiting == 0;
    }
    report.finish()?;
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What an import came to.
#[derive(Debug, Default)]
struct Sum {
    added: u64,
    updated: u64,
    unchanged: u64,
    rejected: u64,
    /// Letters that waited for something in this file.
    woken: u64,
    lines: u64,
}

/// Takes a file in; whether all of it was taken.
async fn import(
    store: &dyn Store,
    options: &Options,
    columns: Option<Columns>,
    input: Input,
    report: &mut Report,
    halves: bool,
) -> anyhow::Result<bool> {
    let from = match &input.key {
        Some(key) if !options.from_start => store.import_position(key).await?.filter(|position| !position.done),
        _ => None,
    };
    if let Some(position) = &from {
        eprintln!("makegoodctl: going on after line {} of {}, where an import of it ended", position.line, input.name);
    }
    let (name, key) = (input.name.clone(), input.key.clone());
    let mut progress = Progress::new(&input);
    let stop = Stop::default();
    let heard = tokio::spawn(stop_on_signal(stop.clone()));
    let (send, mut pieces) = mpsc::channel(PIECES_AHEAD);
    let reader = tokio::task::spawn_blocking(move || pieces::read(input, columns, from.as_ref(), &send));
    let mut sum = Sum::default();
    let (mut stopped, mut before, mut count) = (None, None, 0_u64);
    while let Some(piece) = pieces.recv().await {
        // The place that is kept in the file may be behind what was taken, and never ahead: what is read again then
        // is known.
        let (taken, followed) = tokio::join!(take(store, piece, halves), async {
            match before.take() {
                Some((before, places)) => follow(store, before, places, &mut sum, report).await,
                None => Ok(()),
            }
        });
        followed?;
        let taken = taken?;
        count += 1;
        progress.tell(sum.lines);
        let is_last = taken.position.done || stop.is_given();
        if is_last && !taken.position.done {
            stopped = Some(taken.position.clone());
        }
        before = Some((taken, key.as_deref().filter(|_| is_last || count.is_multiple_of(PIECES_A_PLACE))));
        if stopped.is_some() {
            break;
        }
    }
    if let Some((last, places)) = before {
        follow(store, last, places, &mut sum, report).await?;
    }
    drop(pieces);
    heard.abort();
    progress.end();
    reader.await.context("reading the file")??;
    tell(&sum, &name, stopped.as_ref(), key.is_some());
    Ok(sum.rejected == 0 && stopped.is_none())
}

/// An interrupt or a request to end lets the lines at hand be taken; nothing is cut in the middle.
async fn stop_on_signal(stop: Stop) {
    if let Err(why) = asked_to_end().await {
        tracing::warn!(%why, "a request to end is not heard");
        return;
    }
    eprintln!("makegoodctl: stopping after the lines at hand");
    stop.now();
}

fn tell(sum: &Sum, name: &str, stopped: Option<&ImportPosition>, resumable: bool) {
    println!("added {} · updated {} · unchanged {} · rejected {}", sum.added, sum.updated, sum.unchanged, sum.rejected);
    if sum.woken > 0 {
        println!("{} dead letters waited for these and are taken now", sum.woken);
    }
    if let Some(position) = stopped {
        let next = if resumable { "the same command goes on from there" } else { "what came after it was not read" };
        eprintln!("makegoodctl: stopped after line {} of {name}: {next}", position.line);
    }
}
