//! Outputs that lie in the wrong place: moved to where they belong, or made unreachable.

use jiff::SignedDuration;
use makegood_domain::ids::OutputId;
use makegood_domain::plan::Place;
use makegood_domain::ports::Receipt;
use makegood_domain::settlement::{self, Move, State};
use makegood_domain::work::Output;
use sqlx::SqliteConnection;

use super::super::fault::{Worked, refused};
use super::super::items::{self, Item, Note};
use super::super::{findings, outputs, runs};
use super::Act;
use super::delivery::check_account;

statements! {
    ACCOUNT_OF_RUN = "SELECT p.account_id FROM runs r JOIN projects p ON p.id = r.project_id WHERE r.id = ?1";
}

/// Length of the lease within one transaction: nobody sees it.
const INSTANT_LEASE: SignedDuration = SignedDuration::from_secs(1);

pub(super) async fn relocate(
    connection: &mut SqliteConnection,
    act: &Act<'_>,
    id: &OutputId,
    place: &Place,
) -> Worked<Receipt> {
    let output = known(connection, id).await?;
    match paid(connection, &output).await? {
        Some((item, account)) => {
            check_account(connection, place, &account).await?;
            // An asset of a refunded item is released only against a new debit (P4).
            if item.stands.state == State::Refunded || item.stands.leased_at(act.at).is_some() {
                let first = items::who_was_first(connection, &item).await?;
                return refused(format!("output {id} can't be moved: {first}"));
            }
            outputs::place(connection, id, place, act.at, act.agent.as_str()).await?;
            deliver_by_place(connection, act, &output, &item, &account).await?;
        }
        None => {
            let owner: Option<String> = sqlx::query_scalar(ACCOUNT_OF_RUN)
                .bind(output.run_id.as_str())
                .fetch_optional(&mut *connection)
                .await?;
            check_account(connection, place, &owner.unwrap_or_default()).await?;
            outputs::place(connection, id, place, act.at, act.agent.as_str()).await?;
        }
    }
    findings::follow_ledger_of_run(connection, output.run_id.as_str()).await?;
    Ok(Receipt::Moved { output_id: id.clone() })
}

pub(super) async fn quarantine(
    connection: &mut SqliteConnection,
    act: &Act<'_>,
    id: &OutputId,
    reason: &str,
) -> Worked<Receipt> {
    let output = known(connection, id).await?;
    if outputs::quarantine(connection, id, reason, act.at).await?
        && let Some((item, account)) = paid(connection, &output).await?
        && item.stands.state == State::Delivered
        && delivered_by(connection, &output, &item, &account).await?.is_none()
    {
        let note = Note { document: Some(id.as_str()), why: Some(reason) };
        items::make(connection, &item, &Move::Damage, note, &act.by(), act.at).await?;
    }
    findings::follow_ledger_of_run(connection, output.run_id.as_str()).await?;
    Ok(Receipt::Quarantined { output_id: id.clone() })
}

async fn known(connection: &mut SqliteConnection, id: &OutputId) -> Worked<Output> {
    match outputs::output(connection, id).await? {
        Some(output) => Ok(output),
        None => refused(format!("there is no output {id}")),
    }
}

/// The charged item that an output is of, with the account that paid; none for a run without charge.
async fn paid(connection: &mut SqliteConnection, output: &Output) -> Worked<Option<(Item, String)>> {
    let Some(root) = runs::root_of(connection, &output.run_id).await? else { return Ok(None) };
    let Some((charge, account)) = items::first_charge(connection, &root).await? else { return Ok(None) };
    let item = items::item(connection, &charge, i64::from(output.item)).await?;
    Ok(item.map(|item| (item, account)))
}

async fn delivered_by(
    connection: &mut SqliteConnection,
    output: &Output,
    item: &Item,
    account: &str,
) -> Worked<Option<String>> {
    let Some(root) = runs::root_of(connection, &output.run_id).await? else { return Ok(None) };
    Ok(items::intact_output(connection, root.as_str(), item.item, account).await?)
}

/// An output that now lies with the account that paid delivers its item, as if it had been
/// recovered: leased and delivered in one go.
async fn deliver_by_place(
    connection: &mut SqliteConnection,
    act: &Act<'_>,
    output: &Output,
    item: &Item,
    account: &str,
) -> Worked<()> {
    let Some(document) = delivered_by(connection, output, item, account).await? else { return Ok(()) };
    if item.stands.state == State::Delivered {
        return Ok(());
    }
    let until = act.at.saturating_add(INSTANT_LEASE).unwrap_or(act.at);
    match settlement::settle_by_place(&item.stands, act.key, until, act.at) {
        Ok((leased, delivered)) => {
            let note = Note { document: None, why: Some("moved") };
            items::write(connection, item, &leased, note, &act.by(), act.at).await?;
            let note = Note { document: Some(document.as_str()), why: Some("moved") };
            items::write(connection, item, &delivered, note, &act.by(), act.at).await
        }
        Err(refusal) => refused(format!("output {} can't be moved: {refusal}", output.id)),
    }
}
