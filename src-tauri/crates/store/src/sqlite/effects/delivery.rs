//! Recovery of an item: lease, then deliver or release. The epoch is the fencing token: whoever
//! lost the lease meanwhile can no longer deliver.

use jiff::{SignedDuration, Timestamp};
use makegood_domain::ids::{OutputId, RunId};
use makegood_domain::plan::{Place, StoredFile};
use makegood_domain::ports::{Receipt, StoreError};
use sqlx::SqliteConnection;

use super::super::fault::{Worked, refused};
use super::super::items::{self, By, Change, Item};
use super::super::rows::{instant, micros};
use super::super::{findings, outputs, runs};
use super::Act;

statements! {
    ACCOUNT_OF_PROJECT = "SELECT account_id FROM projects WHERE id = ?1";
}

/// A file that is to become an item's output.
pub(super) struct New<'a> {
    pub run_id: &'a RunId,
    pub item: u32,
    pub epoch: i64,
    pub output_id: &'a OutputId,
    pub file: &'a StoredFile,
    pub place: &'a Place,
}

pub(super) async fn lease(
    connection: &mut SqliteConnection,
    act: &Act<'_>,
    run: &RunId,
    number: u32,
    seconds: i64,
) -> Worked<Receipt> {
    let (item, _) = paid_item(connection, run, number).await?;
    let taken = matches!(item.state.as_str(), "delivered" | "refunded") || item.leased_at(act.at);
    if taken {
        let first = items::who_was_first(connection, &item).await?;
        return refused(format!("item {number} of {run} can't be recovered: {first}"));
    }
    let until = lease_end(act.at, seconds)?;
    let epoch = item.epoch + 1;
    let change = Change { state: "delivering", epoch, lease_until: Some(micros(until)), document: None, why: None };
    items::change(connection, &item, &change, By::Action(act.key.as_str()), act.at).await?;
    Ok(Receipt::Leased { epoch, until: instant(micros(until), "the end of the lease")? })
}

pub(super) async fn release(
    connection: &mut SqliteConnection,
    act: &Act<'_>,
    run: &RunId,
    number: u32,
    epoch: i64,
    why: &str,
) -> Worked<Receipt> {
    let (item, _) = paid_item(connection, run, number).await?;
    held(connection, act, &item, epoch, &format!("the lease of item {number} of {run}")).await?;
    let change = Change { state: "released", epoch, lease_until: None, document: None, why: Some(why) };
    items::change(connection, &item, &change, By::Action(act.key.as_str()), act.at).await?;
    Ok(Receipt::Released)
}

pub(super) async fn deliver(connection: &mut SqliteConnection, act: &Act<'_>, new: &New<'_>) -> Worked<Receipt> {
    let (item, account) = paid_item(connection, new.run_id, new.item).await?;
    held(connection, act, &item, new.epoch, &format!("item {} of {}", new.item, new.run_id)).await?;
    check_account(connection, new.place, &account).await?;
    let output = outputs::Delivered {
        output_id: new.output_id,
        run_id: new.run_id.as_str(),
        item: new.item,
        file: new.file,
        place: new.place,
        by: act.agent.as_str(),
        at: act.at,
    };
    outputs::deliver(connection, &output).await?;
    let document = Some(new.output_id.as_str());
    let change = Change { state: "delivered", epoch: new.epoch, lease_until: None, document, why: None };
    items::change(connection, &item, &change, By::Action(act.key.as_str()), act.at).await?;
    findings::follow_ledger_of_run(connection, new.run_id.as_str()).await?;
    Ok(Receipt::Delivered { output_id: new.output_id.clone(), sha256: new.file.sha256.clone(), bytes: new.file.bytes })
}

/// The item of the charge that the delivery is paid by, with the account that paid.
pub(super) async fn paid_item(connection: &mut SqliteConnection, run: &RunId, number: u32) -> Worked<(Item, String)> {
    let Some(root) = runs::root_of(connection, run).await? else {
        return refused(format!("there is no run {run}"));
    };
    let Some((charge, account)) = items::first_charge(connection, &root).await? else {
        return refused(format!("run {run} was never charged"));
    };
    match items::item(connection, &charge, i64::from(number)).await? {
        Some(item) => Ok((item, account)),
        None => refused(format!("charge {charge} of {run} has no item {number}")),
    }
}

/// Refuses a place in a project of another account than the one that paid (P11).
pub(super) async fn check_account(connection: &mut SqliteConnection, place: &Place, account: &str) -> Worked<()> {
    let (Place::Node { project_id, .. } | Place::History { project_id } | Place::Hold { project_id, .. }) = place;
    let owner: Option<String> =
        sqlx::query_scalar(ACCOUNT_OF_PROJECT).bind(project_id.as_str()).fetch_optional(connection).await?;
    match owner {
        Some(owner) if owner == account => Ok(()),
        Some(_) => refused(format!("project {project_id} belongs to another account than the one that paid")),
        None => refused(format!("there is no project {project_id}")),
    }
}

/// Refuses unless the act holds the item's newest lease.
async fn held(connection: &mut SqliteConnection, act: &Act<'_>, item: &Item, epoch: i64, what: &str) -> Worked<()> {
    let holds = item.state == "delivering" && item.lease_key.as_deref() == Some(act.key.as_str());
    if holds && item.epoch == epoch {
        return Ok(());
    }
    let first = items::who_was_first(connection, item).await?;
    refused(format!("{what} is no longer this action's (epoch {epoch}, now {}): {first}", item.epoch))
}

fn lease_end(at: Timestamp, seconds: i64) -> Worked<Timestamp> {
    if seconds <= 0 {
        return refused(format!("a lease of {seconds} s is none"));
    }
    at.checked_add(SignedDuration::from_secs(seconds)).map_err(|error| StoreError::Backend(error.to_string()).into())
}
