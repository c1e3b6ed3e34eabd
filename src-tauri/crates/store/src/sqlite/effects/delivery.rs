//! Recovery of an item: lease, then deliver or release. The epoch is the fencing token: whoever
//! lost the lease meanwhile can no longer deliver.

use jiff::{SignedDuration, Timestamp};
use makegood_domain::ids::{OutputId, RunId};
use makegood_domain::plan::{Place, StoredFile};
use makegood_domain::ports::{Receipt, StoreError};
use makegood_domain::settlement::{self, Move};
use sqlx::SqliteConnection;

use super::super::fault::{Worked, refused};
use super::super::items::{self, Item, Note};
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
    if seconds <= 0 {
        return refused(format!("a lease of {seconds} s is none"));
    }
    let until = lease_end(act.at, seconds)?;
    match settlement::step(&item.stands, &Move::Lease { key: act.key.clone(), until }, act.at) {
        Ok(next) => {
            items::write(connection, &item, &next, Note::default(), &act.by(), act.at).await?;
            Ok(Receipt::Leased { epoch: next.epoch, until })
        }
        Err(_) => {
            let first = items::who_was_first(connection, &item).await?;
            refused(format!("item {number} of {run} can't be recovered: {first}"))
        }
    }
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
    let what = Move::Release { key: act.key.clone(), epoch };
    match settlement::step(&item.stands, &what, act.at) {
        Ok(next) => {
            let note = Note { document: None, why: Some(why) };
            items::write(connection, &item, &next, note, &act.by(), act.at).await?;
            Ok(Receipt::Released)
        }
        Err(_) => not_held(connection, &item, epoch, &format!("the lease of item {number} of {run}")).await,
    }
}

pub(super) async fn deliver(connection: &mut SqliteConnection, act: &Act<'_>, new: &New<'_>) -> Worked<Receipt> {
    let (item, account) = paid_item(connection, new.run_id, new.item).await?;
    let what = Move::Deliver { by: act.by(), epoch: new.epoch };
    let Ok(next) = settlement::step(&item.stands, &what, act.at) else {
        return not_held(connection, &item, new.epoch, &format!("item {} of {}", new.item, new.run_id)).await;
    };
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
    let note = Note { document: Some(new.output_id.as_str()), why: None };
    items::write(connection, &item, &next, note, &act.by(), act.at).await?;
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

/// Tells an act that it does not hold the item's newest lease, and who was first.
async fn not_held<T>(connection: &mut SqliteConnection, item: &Item, epoch: i64, what: &str) -> Worked<T> {
    let first = items::who_was_first(connection, item).await?;
    refused(format!("{what} is no longer this action's (epoch {epoch}, now {}): {first}", item.stands.epoch))
}

/// The end of a lease as it is kept: finer than a microsecond is cut.
fn lease_end(at: Timestamp, seconds: i64) -> Worked<Timestamp> {
    let end = at.checked_add(SignedDuration::from_secs(seconds));
    let end = end.map_err(|error| StoreError::Backend(error.to_string()))?;
    Ok(instant(micros(end), "the end of the lease")?)
}
