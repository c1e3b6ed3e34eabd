//! `makegoodctl practice --drive`: the main job without a window. Recovers the file of one ticket and
//! restores the split charge of another, through the very use cases of the window, and shows the
//! ledger before and after.

use anyhow::{Context as _, bail};
use makegood_app::Desk;
use makegood_app::contract::{
    ActionView, CaseRequest, ConfirmRequest, OutcomeState, QueueFilter, QueueRequest, ReadBack, ReviewRequest,
};
use makegood_domain::ids::AccountId;
use makegood_domain::plan::ActionKind;
use makegood_domain::ports::Ids as _;

use crate::clock::SystemIds;

/// Does one action on the case of a ticket, and prints what the ledger shows around it.
pub(super) async fn drive(desk: &Desk, ticket: &str, kind: ActionKind) -> anyhow::Result<()> {
    let case_id = case_of(desk, ticket).await?;
    println!("\n== {ticket}: {}", kind.word());
    // The provider is asked first: what the feed knew may be older than the file.
    let asked = desk.look_up(CaseRequest { case_id: case_id.clone() }).await?;
    let detail = desk.case_detail(CaseRequest { case_id: case_id.clone() }).await?;
    let verdict = detail.verdict.context("the case has no verdict")?;
    println!("verdict   {} → {} (asked {} jobs)", verdict.label, verdict.remedy_label, asked.asked);
    let account = detail.usage.account_id.map(AccountId);
    print_postings(desk, account.as_ref(), "before").await?;
    let sheet = desk.review(ReviewRequest { case_id: case_id.clone(), kind, answer: None, consent: None }).await?;
    println!("review    {}", sheet.title);
    let request = ConfirmRequest {
        case_id: case_id.clone(),
        kind,
        answer: None,
        case_revision: sheet.case_revision,
        digest: sheet.digest,
        reviewed_at: sheet.made_at,
        key: SystemIds.new_id(),
        reason: None,
        consent: None,
    };
    let outcome = desk.confirm(request.clone()).await?;
    print_outcome(&outcome);
    print_postings(desk, account.as_ref(), "after").await?;
    let again = desk.confirm(request).await?;
    println!("again     the same key answers: {:?}, repeated {}", again.state, again.repeated);
    if outcome.state != OutcomeState::Done || !again.repeated {
        bail!("{ticket}: {} ended {:?}: {}", kind.word(), outcome.state, outcome.why.unwrap_or_default());
    }
    Ok(())
}

async fn case_of(desk: &Desk, ticket: &str) -> anyhow::Result<String> {
    let filter = QueueFilter { search: ticket.to_owned(), ..QueueFilter::default() };
    let window = desk.queue(QueueRequest { filter, offset: 0, limit: 10 }).await?;
    let row = window.rows.into_iter().find(|row| row.ticket_id == ticket);
    Ok(row.with_context(|| format!("the practice workspace has no ticket {ticket}"))?.case_id)
}

async fn print_postings(desk: &Desk, account: Option<&AccountId>, when: &str) -> anyhow::Result<()> {
    let Some(account) = account else { return Ok(()) };
    println!("ledger    {account}, the newest postings {when}");
    for posting in desk.store().postings(account, 4).await? {
        println!(
            "          {}  {:<8} {:>5}  {} → {}",
            posting.at.strftime("%Y-%m-%d %H:%M:%SZ"),
            posting.kind,
            posting.amount,
            posting.from,
            posting.to
        );
    }
    Ok(())
}

fn print_outcome(outcome: &ActionView) {
    println!(
        "outcome   {:?}{}",
        outcome.state,
        outcome.why.as_deref().map(|why| format!(": {why}")).unwrap_or_default()
    );
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
