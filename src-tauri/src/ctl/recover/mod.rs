//! `makegoodctl recover`: what the window does with Review and Confirm, for the files of one case. The sheet
//! is shown, the transfer is shown while it goes on, and an interrupt cancels it as the window's button does.

mod ending;
mod progress;

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};
use makegood_app::Desk;
use makegood_app::contract::{
    ActionView, CancelTransferRequest, CaseRequest, ConfirmRequest, Nothing, OutcomeState, QueueFilter, QueueRequest,
    ReadBack, ReviewRequest, ReviewSheet, TransferView,
};
use makegood_domain::ids::CaseId;
use makegood_domain::plan::ActionKind;
use makegood_domain::ports::{Ids as _, StoreError};

use self::ending::Ending;
use self::progress::Progress;
use super::signals::asked_to_end;
use crate::clock::SystemIds;
use crate::wiring;

/// So often it is looked at how far the files are.
const LOOK: Duration = Duration::from_millis(500);

#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// A case, its ticket, or a run that a case is about.
    #[arg(value_name = "CASE|RUN")]
    what: String,
    /// Only go on if the file of this item is among those that are brought. The others of the case are brought with
    /// it: what is decided is decided for all of them.
    #[arg(long, value_name = "N")]
    item: Option<u32>,
    /// Ask no provider again before deciding: go by what the record knows.
    #[arg(long)]
    as_known: bool,
    /// Show what would be done, and do nothing.
    #[arg(long)]
    dry_run: bool,
    /// Go on also where the sheet posts credits.
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
    if !options.as_known {
        let asked = desk.look_up(CaseRequest { case_id: case_id.clone() }).await?;
        asked.problems.iter().for_each(|problem| eprintln!("makegoodctl: {problem}"));
    }
    let Some(kind) = kind_of(desk, &case_id).await? else { return Ok(ExitCode::FAILURE) };
    let sheet = desk.review(ReviewRequest { case_id, kind, answer: None, consent: None }).await?;
    show(&sheet);
    if let Some(item) = options.item
        && !sheet.files.iter().any(|file| file.item == item)
    {
        eprintln!("makegoodctl: the file of item {item} is not among those that are brought; nothing was done");
        return Ok(ExitCode::FAILURE);
    }
    if let Some(item) = options.item.filter(|_| sheet.files.len() > 1) {
        eprintln!("makegoodctl: the other files are brought together with that of item {item}");
    }
    if options.dry_run {
        return Ok(ExitCode::SUCCESS);
    }
    if !sheet.postings.is_empty() && !options.yes {
        eprintln!("makegoodctl: this also posts {} credits: say --yes; nothing was done", sheet.restored_total);
        return Ok(ExitCode::FAILURE);
    }
    let outcome = carry_out(desk, &sheet).await?;
    told(&outcome);
    Ok(if outcome.state == OutcomeState::Done { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The case by its own id, by its ticket's, or by a run that it is about.
pub(super) async fn case_of(desk: &Desk, what: &str) -> anyhow::Result<String> {
    match desk.store().case(&CaseId::new(what)).await {
        Ok(case) => return Ok(case.id.0),
        Err(StoreError::NotFound { .. }) => {}
        Err(why) => return Err(why.into()),
    }
    let filter = QueueFilter { search: what.to_owned(), ..QueueFilter::default() };
    let found = desk.queue(QueueRequest { filter, offset: 0, limit: 50 }).await?.rows;
    if let Some(row) = found.iter().find(|row| row.ticket_id == what) {
        return Ok(row.case_id.clone());
    }
    let mut about = Vec::new();
    for row in found {
        let case = desk.store().case(&CaseId::new(&*row.case_id)).await?;
        let Some(finding) = case.finding else { continue };
        let mut runs = finding.diagnosis.matched_run.iter().chain(&finding.diagnosis.additional_runs);
        if runs.any(|run| run.as_str() == what) {
            about.push(row.case_id);
        }
    }
    match about.len() {
        0 => bail!("there is no case {what}, no ticket of that id, and no case about a run {what}"),
        1 => about.pop().context("a case"),
        _ => bail!("several cases are about run {what}: {}: say which", about.join(", ")),
    }
}

/// Recovering or holding, whichever the verdict calls for; else it is said why there is nothing to bring.
async fn kind_of(desk: &Desk, case_id: &str) -> anyhow::Result<Option<ActionKind>> {
    let detail = desk.case_detail(CaseRequest { case_id: case_id.to_owned() }).await?;
    let verdict = detail.verdict.context("nobody has looked at the case yet")?;
    println!("case      {case_id}: {} → {}", verdict.label, verdict.remedy_label);
    let offers: Vec<_> = detail.offers.into_iter().collect();
    for kind in [ActionKind::Recover, ActionKind::Hold] {
        if offers.iter().any(|offer| offer.kind == kind && offer.primary && offer.allowed) {
            return Ok(Some(kind));
        }
    }
    let why = offers.iter().find(|offer| offer.kind == ActionKind::Recover).and_then(|offer| offer.why_not.as_deref());
    eprintln!("makegoodctl: no file is brought: {}", why.unwrap_or("the verdict calls for something else"));
    Ok(None)
}

fn show(sheet: &ReviewSheet) {
    println!("review    {}", sheet.title);
    for file in &sheet.files {
        let bytes = file.bytes.map_or_else(|| "of unknown length".to_owned(), |bytes| format!("{bytes} bytes"));
        println!("file      item {} of {}, {bytes} → {}", file.item, file.run_id, file.place);
    }
    for posting in &sheet.postings {
        println!("posting   {} credits to {}: {} → {}", posting.amount, posting.label, posting.before, posting.after);
    }
    for check in sheet.checks.iter().filter(|check| !check.ok) {
        println!("warning   {}", check.text);
    }
}

/// Confirms the sheet, and shows how far its files are until it has ended.
async fn carry_out(desk: &Desk, sheet: &ReviewSheet) -> anyhow::Result<ActionView> {
    let key = SystemIds.new_id();
    let request = ConfirmRequest {
        case_id: sheet.case_id.clone(),
        kind: sheet.kind,
        answer: None,
        case_revision: sheet.case_revision,
        digest: sheet.digest.clone(),
        reviewed_at: sheet.made_at,
        key: key.clone(),
        reason: None,
        consent: None,
    };
    let mut progress = Progress::new();
    let mut confirming = std::pin::pin!(desk.confirm(request));
    let mut interrupted = std::pin::pin!(asked_to_end());
    let mut looks = tokio::time::interval(LOOK);
    let mut ending = Ending::default();
    loop {
        tokio::select! {
            outcome = &mut confirming => {
                progress.end();
                return Ok(outcome?);
            }
            _ = looks.tick() => {
                let transfers = of_action(desk, &key).await?;
                progress.tell(&transfers);
                let due = ending.due(transfers);
                if !due.is_empty() {
                    progress.end();
                }
                if let Some(outcome) = cancel(desk, due, &mut confirming).await? {
                    return Ok(outcome?);
                }
            }
            heard = &mut interrupted => {
                heard.context("an interrupt is not heard")?;
                // Who asks again is heard again.
                interrupted.set(asked_to_end());
                progress.end();
                let asked = ending.ask(of_action(desk, &key).await?);
                if asked.is_empty() {
                    eprintln!("makegoodctl: no file is on its way now; the step at hand is finished, and no further file is brought");
                }
                if let Some(outcome) = cancel(desk, asked, &mut confirming).await? {
                    return Ok(outcome?);
                }
            }
        }
    }
}

async fn of_action(desk: &Desk, key: &str) -> anyhow::Result<Vec<TransferView>> {
    let all = desk.transfers(Nothing {}).await?.transfers;
    Ok(all.into_iter().filter(|one| one.action_key.as_deref() == Some(key)).collect())
}

/// Ends what is on its way, as the window does. The action goes on meanwhile: it is what gives the lease back.
/// What it came to, where it ended meanwhile.
async fn cancel<F: Future>(
    desk: &Desk,
    transfers: Vec<TransferView>,
    confirming: &mut std::pin::Pin<&mut F>,
) -> anyhow::Result<Option<F::Output>> {
    for transfer in transfers {
        let request = CancelTransferRequest { run_id: transfer.run_id, item: transfer.item };
        let mut ending = std::pin::pin!(desk.cancel_transfer(request));
        let answer = tokio::select! {
            biased;
            answer = &mut ending => answer?,
            outcome = confirming.as_mut() => return Ok(Some(outcome)),
        };
        if let Some(why) = answer.why {
            eprintln!("makegoodctl: {why}");
        }
    }
    Ok(None)
}

fn told(outcome: &ActionView) {
    let why = outcome.why.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
    println!("outcome   {:?}{why}", outcome.state);
    for proof in &outcome.read_back {
        match proof {
            ReadBack::File { output_id, sha256, bytes, matches, place } => println!(
                "file      {output_id} {bytes} bytes, {place}\n          sha256 {sha256} {}",
                if *matches { "read back from the vault" } else { "DOES NOT MATCH" }
            ),
            ReadBack::Balance { label, before, after, .. } => println!("balance   {label}: {before} → {after}"),
            ReadBack::Other { text, .. } => println!("also      {text}"),
        }
    }
}
