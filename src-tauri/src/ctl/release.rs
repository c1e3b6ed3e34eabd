//! `makegoodctl release`: gives a customer the file that came after its refund, against a new debit that the customer
//! agreed to. The window does the same with Review and Confirm.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use jiff::Timestamp;
use makegood_app::contract::{
    CaseRequest, ConfirmRequest, ConsentGiven, OutcomeState, ReadBack, ReviewRequest, ReviewSheet,
};
use makegood_domain::plan::ActionKind;
use makegood_domain::ports::Ids as _;

use super::recover::case_of;
use crate::clock::SystemIds;
use crate::wiring;

#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// A case, its ticket, or a run that a case is about.
    #[arg(value_name = "CASE|RUN")]
    what: String,
    /// Who agreed to be charged again: a name or an address.
    #[arg(long, value_name = "WHO")]
    agreed_by: String,
    /// When, in UTC: 2026-03-14T09:30:00Z. Not before the refund.
    #[arg(long, value_name = "WHEN")]
    agreed_at: Timestamp,
    /// In which message: its id at the help desk, or its words.
    #[arg(long, value_name = "MESSAGE")]
    agreed_in: String,
    /// Why, where it is over your limit: the reason that a second person said yes to in the window.
    #[arg(long, value_name = "WHY")]
    reason: Option<String>,
    /// Take the credits and deliver the file; without it, only show what would be done.
    #[arg(long)]
    yes: bool,
}

pub(super) async fn run(home: &Path, options: Options) -> anyhow::Result<ExitCode> {
    super::say_what_takes_time(home);
    wiring::build(home).await?.close_after(async |console| work(console, &options).await).await
}

async fn work(console: &wiring::Console, options: &Options) -> anyhow::Result<ExitCode> {
    if let Some(why) = &console.read_only {
        bail!("nothing can be done: {why}");
    }
    let desk = &*console.desk;
    let case_id = case_of(desk, &options.what).await?;
    let asked = desk.look_up(CaseRequest { case_id: case_id.clone() }).await?;
    asked.problems.iter().for_each(|problem| eprintln!("makegoodctl: {problem}"));
    // What the look-up found is saved before anybody pays for it.
    desk.capture_wanted().await;
    let consent =
        ConsentGiven { by: options.agreed_by.clone(), at: options.agreed_at, message: options.agreed_in.clone() };
    let kind = ActionKind::Release;
    let request = ReviewRequest { case_id, kind, answer: None, consent: Some(consent.clone()) };
    let sheet = desk.review(request).await?;
    show(&sheet);
    if !options.yes {
        eprintln!("makegoodctl: say --yes to take the credits and deliver; nothing was done");
        return Ok(ExitCode::FAILURE);
    }
    let request = ConfirmRequest {
        case_id: sheet.case_id,
        kind,
        answer: None,
        case_revision: sheet.case_revision,
        digest: sheet.digest,
        reviewed_at: sheet.made_at,
        key: SystemIds.new_id(),
        reason: options.reason.clone(),
        consent: Some(consent),
    };
    let outcome = desk.confirm(request).await.context("the release was not confirmed")?;
    for proof in &outcome.read_back {
        match proof {
            ReadBack::File { output_id, sha256, place, matches, .. } => {
                println!("file      {output_id} {sha256} → {place}{}", said(*matches));
            }
            ReadBack::Balance { label, before, after, matches, .. } => {
                println!("balance   {label}: {before} → {after}{}", said(*matches));
            }
            ReadBack::Other { text, .. } => println!("done      {text}"),
        }
    }
    let why = outcome.why.map(|why| format!(": {why}")).unwrap_or_default();
    println!("outcome   {:?}{why}", outcome.state);
    Ok(if outcome.state == OutcomeState::Done { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn said(matches: bool) -> &'static str {
    if matches { "" } else { ", WHICH IS NOT WHAT THE RECORD SHOWS NOW" }
}

fn show(sheet: &ReviewSheet) {
    println!("review    {}", sheet.title);
    for file in &sheet.files {
        println!("file      item {} of {} → {}", file.item, file.run_id, file.place);
    }
    for posting in &sheet.postings {
        println!(
            "debit     {} credits from {}: {} → {}",
            -posting.amount, posting.label, posting.before, posting.after
        );
    }
    for effect in &sheet.effects {
        println!("effect    {effect}");
    }
    if let Some(need) = &sheet.approval_need {
        println!(
            "approval  {}: a second person must say yes to it in the window, and --reason names the same reason",
            need.why
        );
    }
    if let Some(message) = &sheet.message {
        println!("reply     to {} in {}:\n{}", message.to, message.locale, message.text);
    }
}
