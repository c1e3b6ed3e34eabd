//! `makegoodctl deadletters`: what could not be read or taken, to be looked at, tried again or given up.

use std::path::Path;
use std::process::ExitCode;

use makegood_app::intake;
use makegood_domain::ports::{Clock as _, DeadLetter, DeadLetterState, DeadLettersWanted, Store};

use super::import;
use crate::clock::SystemClock;
use crate::record;

const PAGE: u64 = 200;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Options {
    /// One a line: number, state, tries, where it came from, what it is of, why.
    List {
        /// Those that were taken after all or given up, too.
        #[arg(long)]
        all: bool,
        /// One JSON object a line, with what came.
        #[arg(long)]
        json: bool,
    },
    /// Try all that wait again, or one. Exit 1 if any waits on.
    Retry { number: Option<i64> },
    /// Give these up.
    Drop {
        #[arg(required = true)]
        numbers: Vec<i64>,
    },
}

pub(super) async fn run(home: &Path, options: &Options) -> anyhow::Result<ExitCode> {
    record::with(&import::connected(home)?, async |store| work(store, options).await).await
}

async fn work(store: &dyn Store, options: &Options) -> anyhow::Result<ExitCode> {
    let good = match options {
        Options::List { all, json } => list(store, *all, *json).await?,
        Options::Retry { number } => {
            let retried = intake::retry(store, *number, SystemClock.now()).await?;
            println!("{} taken · {} wait", retried.taken, retried.waiting);
            retried.waiting == 0 && (number.is_none() || retried.taken > 0)
        }
        Options::Drop { numbers } => {
            let mut all = true;
            for number in numbers {
                if !store.end_dead_letter(*number, DeadLetterState::Dropped, SystemClock.now()).await? {
                    eprintln!("makegoodctl: there is no letter {number} that waits");
                    all = false;
                }
            }
            all
        }
    };
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn list(store: &dyn Store, all: bool, json: bool) -> anyhow::Result<bool> {
    let mut page = DeadLettersWanted { state: (!all).then_some(DeadLetterState::Waiting), after: 0, limit: PAGE };
    loop {
        let letters = store.dead_letters(&page).await?;
        let Some(last) = letters.last() else { return Ok(true) };
        page.after = last.id;
        for letter in &letters {
            println!("{}", if json { whole(letter).to_string() } else { line(letter) });
        }
    }
}

fn line(letter: &DeadLetter) -> String {
    let what =
        if letter.kind.is_empty() { "unreadable".to_owned() } else { format!("{} {}", letter.kind, letter.row_id) };
    let (id, state, tries) = (letter.id, letter.state.word(), letter.tries);
    format!("{id}  {state}  {tries}×  {}  {}  {what}: {}", letter.last_at, letter.place, letter.reason)
}

fn whole(letter: &DeadLetter) -> serde_json::Value {
    serde_json::json!({ "number": letter.id, "state": letter.state.word(), "kind": letter.kind, "id": letter.row_id,
        "source": letter.origin.as_ref().map(|origin| &origin.source),
        "event": letter.origin.as_ref().map(|origin| &origin.id), "time": letter.time, "reason": letter.reason,
        "waits_for": letter.waits_for.as_ref().map(|(kind, id)| format!("{kind} {id}")), "place": letter.place,
        "first_at": letter.first_at, "last_at": letter.last_at, "tries": letter.tries, "raw": letter.raw,
        "whole": letter.whole })
}
