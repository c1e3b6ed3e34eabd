//! `makegoodctl triage FILE`: tickets, one JSON object a line, into cases with a verdict each.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use makegood_app::Desk;
use makegood_domain::ids::CaseId;
use makegood_domain::ports::Ids as _;
use makegood_domain::support::Ticket;

use crate::clock::SystemIds;
use crate::wiring;

#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// File of tickets: id, subject, body, created_at, requester {user_id, email, locale, timezone},
    /// attachments [{name, kind, description}], desk. A ticket that is a case already stays one.
    file: PathBuf,
}

pub(super) async fn run(home: &Path, options: &Options) -> anyhow::Result<ExitCode> {
    let text =
        std::fs::read_to_string(&options.file).with_context(|| format!("{} can't be read", options.file.display()))?;
    wiring::open(home).await?.close_after(async |console| triage(&console.desk, &text).await).await
}

async fn triage(desk: &Desk, text: &str) -> anyhow::Result<ExitCode> {
    let mut refused = 0;
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let ticket: Ticket = match serde_json::from_str(line) {
            Ok(ticket) => ticket,
            Err(why) => {
                refused += 1;
                eprintln!("line {}: {why}", index + 1);
                continue;
            }
        };
        let id = ticket.id.clone();
        let taken = desk.take_in(CaseId(SystemIds.new_id()), ticket, Vec::new()).await?;
        let diagnosis = &taken.finding.diagnosis;
        let run = diagnosis.matched_run.as_ref().map_or("-", |run| run.as_str());
        println!(
            "{id}  {}  {}  {run}  {} credits",
            diagnosis.verdict.word(),
            diagnosis.remedy.word(),
            diagnosis.restored_total()
        );
    }
    if refused > 0 {
        eprintln!("{refused} lines are no tickets; the others are in");
    }
    Ok(if refused == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
