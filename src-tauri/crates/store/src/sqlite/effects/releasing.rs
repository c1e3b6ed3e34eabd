//! Releasing a late result against a new debit (P4): refunds are taken back, and their items delivered by the
//! saved files, in one go.

use jiff::{SignedDuration, Timestamp};
use makegood_domain::ids::{ChargeId, RefundId, RunId};
use makegood_domain::money::{BalanceKind, Credits};
use makegood_domain::plan::{Consent, ReleasedItem, Standing, covers};
use makegood_domain::ports::{BalanceMove, OutputFile, Receipt};
use makegood_domain::settlement::{self, State};
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use super::super::fault::{Worked, refused};
use super::super::items::{self, Item, Note};
use super::super::rows::{Columns, id_list, instant, micros};
use super::super::{findings, ledger, outputs, rights, runs};
use super::Act;
use super::delivery::check_account;

statements! {
    STANDING = "SELECT x.refund_id, x.item, x.amount, r.posted_at,
            EXISTS (SELECT 1 FROM strays s WHERE s.refund_id = r.id) AS stray
        FROM refunds r JOIN refund_items x ON x.refund_id = r.id
        WHERE r.charge_id = ?1 AND r.state = 'posted' ORDER BY x.refund_id, x.item";
    TAKEN = "SELECT l.target, b.kind, b.level, sum(l.amount) AS amount
        FROM refund_lines l JOIN balances b ON b.id = l.target
        WHERE l.refund_id IN (SELECT value FROM json_each(?1)) GROUP BY l.target ORDER BY l.target";
    IS_SAVED = "SELECT EXISTS (SELECT 1 FROM runs m JOIN runs r ON r.root_id = m.root_id
        JOIN standing_captures c ON c.run_id = r.id WHERE m.id = ?1 AND c.item = ?2 AND c.sha256 = ?3)";
    ADD = "INSERT INTO releases (id, charge_id, run_id, amount, consent_by, consent_at, consent_message, action_key, at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    ADD_REFUND = "INSERT INTO released_refunds (refund_id, release_id) VALUES (?1, ?2)";
    TAKE_BACK = "UPDATE refunds SET state = 'reversed' WHERE id = ?1 AND state = 'posted'";
}

/// Length of the lease within one transaction: nobody sees it.
const INSTANT_LEASE: SignedDuration = SignedDuration::from_secs(1);

/// What is released, and against what.
pub(super) struct Release<'a> {
    pub run_id: &'a RunId,
    pub refund_ids: &'a [RefundId],
    pub amount: Credits,
    pub items: &'a [ReleasedItem],
    pub consent: &'a Consent,
}

pub(super) async fn release(connection: &mut SqliteConnection, act: &Act<'_>, wanted: &Release<'_>) -> Worked<Receipt> {
    act.case()?;
    let run = wanted.run_id;
    let Some(root) = runs::root_of(connection, run).await? else {
        return refused(format!("there is no run {run}"));
    };
    let Some((charge, account)) = items::first_charge(connection, &root).await? else {
        return refused(format!("run {run} was never charged"));
    };
    check_items(connection, &charge, wanted).await?;
    check_refunds(connection, act, &charge, wanted).await?;
    let refunds = id_list(wanted.refund_ids.iter().map(RefundId::as_str));
    let taken = sqlx::query(TAKEN).bind(&refunds).fetch_all(&mut *connection).await?;
    check_levels(&taken)?;
    for item in wanted.items {
        check_saved(connection, run, item).await?;
        check_account(connection, &item.place, &account).await?;
    }
    take_back(connection, act, &charge, wanted).await?;
    for item in wanted.items {
        deliver(connection, act, &charge, wanted, item).await?;
    }
    findings::follow_ledger_of_run(connection, run.as_str()).await?;
    let balances = moved(connection, &taken).await?;
    let outputs = wanted.items.iter().map(OutputFile::from).collect();
    Ok(Receipt::Redebited { total: wanted.amount, refund_ids: wanted.refund_ids.to_vec(), balances, outputs })
}

async fn check_items(connection: &mut SqliteConnection, charge: &ChargeId, wanted: &Release<'_>) -> Worked<()> {
    for released in wanted.items {
        let item = known_item(connection, charge, wanted.run_id, released.item).await?;
        if item.stands.state != State::Refunded {
            let first = items::who_was_first(connection, &item).await?;
            return refused(format!("item {} of {} can't be released: {first}", released.item, wanted.run_id));
        }
    }
    Ok(())
}

async fn known_item(connection: &mut SqliteConnection, charge: &ChargeId, run: &RunId, number: u32) -> Worked<Item> {
    match items::item(connection, charge, i64::from(number)).await? {
        Some(item) => Ok(item),
        None => refused(format!("charge {charge} of {run} has no item {number}")),
    }
}

async fn check_refunds(
    connection: &mut SqliteConnection,
    act: &Act<'_>,
    charge: &ChargeId,
    wanted: &Release<'_>,
) -> Worked<()> {
    let rows = sqlx::query(STANDING).bind(charge.as_str()).fetch_all(&mut *connection).await?;
    let mut standing = Vec::with_capacity(rows.len());
    let mut newest = Timestamp::MIN;
    for row in &rows {
        let refund_id = RefundId(row.text("refund_id")?);
        if wanted.refund_ids.contains(&refund_id) {
            if row.flag("stray")? {
                return refused(format!("a part of refund {refund_id} went astray: that comes first"));
            }
            newest = newest.max(instant(row.int("posted_at")?, "refunds.posted_at")?);
        }
        standing.push(Standing { refund_id, item: row.count("item")?, amount: row.int("amount")? });
    }
    let items: Vec<u32> = wanted.items.iter().map(|item| item.item).collect();
    if let Err(why) = covers(&standing, wanted.refund_ids, &items, wanted.amount) {
        return refused(why);
    }
    for number in items {
        let item = known_item(connection, charge, wanted.run_id, number).await?;
        let amounts: Vec<Credits> = standing.iter().filter(|row| row.item == number).map(|row| row.amount).collect();
        let until = act.at.saturating_add(INSTANT_LEASE).unwrap_or(act.at);
        if let Err(refusal) = settlement::settle_by_release(&item.stands, &amounts, act.key, until, act.at) {
            return refused(format!("item {number} of {}: {refusal}", wanted.run_id));
        }
    }
    if let Some(why) = wanted.consent.flaw(newest, act.at) {
        return refused(why);
    }
    rights::check_debit(connection, act.agent, act.key, wanted.amount).await
}

fn check_levels(taken: &[SqliteRow]) -> Worked<()> {
    for row in taken {
        let (balance, level, amount) = (row.text("target")?, row.int("level")?, row.int("amount")?);
        if level < amount {
            return refused(format!(
                "balance {balance} has {level} credits, and {amount} would be taken: nothing was done"
            ));
        }
    }
    Ok(())
}

async fn check_saved(connection: &mut SqliteConnection, run: &RunId, item: &ReleasedItem) -> Worked<()> {
    let query = sqlx::query_scalar(IS_SAVED).bind(run.as_str()).bind(i64::from(item.item)).bind(&item.file.sha256);
    if query.fetch_one(connection).await? {
        return Ok(());
    }
    refused(format!("this file of item {} of {run} is not saved: look it up again", item.item))
}

/// The consent first: the schema's triggers post what follows from it.
async fn take_back(
    connection: &mut SqliteConnection,
    act: &Act<'_>,
    charge: &ChargeId,
    wanted: &Release<'_>,
) -> Worked<()> {
    let id = act.id("release");
    sqlx::query(ADD)
        .bind(&id)
        .bind(charge.as_str())
        .bind(wanted.run_id.as_str())
        .bind(wanted.amount)
        .bind(&wanted.consent.by)
        .bind(micros(wanted.consent.at))
        .bind(&wanted.consent.message)
        .bind(act.key.as_str())
        .bind(micros(act.at))
        .execute(&mut *connection)
        .await?;
    for refund in wanted.refund_ids {
        sqlx::query(ADD_REFUND).bind(refund.as_str()).bind(&id).execute(&mut *connection).await?;
        sqlx::query(TAKE_BACK).bind(refund.as_str()).execute(&mut *connection).await?;
    }
    Ok(())
}

async fn deliver(
    connection: &mut SqliteConnection,
    act: &Act<'_>,
    charge: &ChargeId,
    wanted: &Release<'_>,
    released: &ReleasedItem,
) -> Worked<()> {
    let item = known_item(connection, charge, wanted.run_id, released.item).await?;
    let until = act.at.saturating_add(INSTANT_LEASE).unwrap_or(act.at);
    let (leased, delivered) = match settlement::settle_by_place(&item.stands, act.key, until, act.at) {
        Ok(moves) => moves,
        Err(refusal) => return refused(format!("item {} of {}: {refusal}", released.item, wanted.run_id)),
    };
    let output = outputs::Delivered {
        output_id: &released.output_id,
        run_id: wanted.run_id.as_str(),
        item: released.item,
        file: &released.file,
        place: &released.place,
        by: act.agent.as_str(),
        at: act.at,
    };
    outputs::deliver(connection, &output).await?;
    let note = Note { document: None, why: Some("released") };
    items::write(connection, &item, &leased, note, &act.by(), act.at).await?;
    let note = Note { document: Some(released.output_id.as_str()), why: Some("released") };
    items::write(connection, &item, &delivered, note, &act.by(), act.at).await
}

/// The balances as they were in `taken`, and as they are now.
async fn moved(connection: &mut SqliteConnection, taken: &[SqliteRow]) -> Worked<Vec<BalanceMove>> {
    let targets: Vec<String> = taken.iter().map(|row| row.text("target")).collect::<Result<_, _>>()?;
    let rows = sqlx::query(ledger::LEVELS).bind(id_list(&targets)).fetch_all(connection).await?;
    let after = ledger::levels(&rows)?;
    let mut moves = Vec::with_capacity(taken.len());
    for row in taken {
        let (target, before, kind): (_, _, BalanceKind) = (row.text("target")?, row.int("level")?, row.word("kind")?);
        let after = after.get(&target).map_or(before, |(_, level)| *level);
        moves.push(BalanceMove { balance_id: target.as_str().into(), kind, before, after });
    }
    Ok(moves)
}
