//! Refunds: what was said, what of it settles a charge, and what went astray (P4).
//!
//! A feed's refund settles as far as it went back to the account that was charged; to which of its
//! balances is for the platform to say (P6). The rest is kept as a fact: the credits did move, so
//! levels follow, but nothing is settled by them.

use std::collections::HashMap;

use jiff::Timestamp;
use makegood_domain::ids::ChargeId;
use makegood_domain::ledger::{Refund, RefundKind, RefundState};
use makegood_domain::money::{BalanceKind, BalanceLine, Credits};
use makegood_domain::ports::StoreResult;
use makegood_domain::settlement::{self, By, State};
use sqlx::SqliteConnection;

use super::discrepancies::{self, DELIVERED_AND_REFUNDED, STRAY_REFUND};
use super::fault::{Worked, backend, refused};
use super::items::{self, Item, Note};
use super::rows::{Columns, micros, parse_word, signed, word};
use super::script::Script;
use crate::assemble;

statements! {
    CHARGE = "SELECT account_id FROM charges WHERE id = ?1";
    SOURCES = "SELECT s.balance_id, b.kind, s.amount, s.restored FROM charge_sources s
        JOIN balances b ON b.id = s.balance_id WHERE s.charge_id = ?1 ORDER BY s.line";
    TARGETS = "SELECT id, account_id, kind FROM balances
        WHERE opening_at IS NOT NULL AND id IN (SELECT value FROM json_each(?1))";
    ADD = "INSERT INTO refunds (id, key, origin, charge_id, account_id, run_id, posted_at, state, kind, settles,
            ticket_id, detected_at, cause, action_key)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'posted', ?8, ?9, ?10, ?11, ?12, ?13)";
    ADD_ITEM_SAID = "INSERT INTO refund_items_said (refund_id, position, item) VALUES (?1, ?2, ?3)";
    ADD_LINE_SAID = "INSERT INTO refund_lines_said (refund_id, position, balance_id, kind, amount)
        VALUES (?1, ?2, ?3, ?4, ?5)";
    ADD_ITEM = "INSERT INTO refund_items (refund_id, charge_id, account_id, item, amount)
        VALUES (?1, ?2, ?3, ?4, ?5)";
    ADD_LINE = "INSERT INTO refund_lines (refund_id, line, charge_id, account_id, source, target, amount)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    ADD_STRAY = "INSERT INTO strays (refund_id, line, target, amount, why) VALUES (?1, ?2, ?3, ?4, ?5)";
    REVERSE = "UPDATE refunds SET state = 'reversed' WHERE id = ?1 AND state = 'posted'";
    ORIGIN = "SELECT origin FROM refunds WHERE id = ?1";
    REFUNDS = "SELECT id, charge_id, run_id, posted_at, state, kind, ticket_id, detected_at, cause FROM refunds
        WHERE run_id IN (SELECT value FROM json_each(?1)) ORDER BY posted_at, id";
    ITEMS_SAID = "SELECT i.refund_id, i.item FROM refunds r JOIN refund_items_said i ON i.refund_id = r.id
        WHERE r.run_id IN (SELECT value FROM json_each(?1)) ORDER BY i.refund_id, i.position";
    LINES_SAID = "SELECT l.refund_id, l.balance_id, l.kind, l.amount
        FROM refunds r JOIN refund_lines_said l ON l.refund_id = r.id
        WHERE r.run_id IN (SELECT value FROM json_each(?1)) ORDER BY l.refund_id, l.position";
}

/// A balance that a charge drew from, and how much of that is back.
#[derive(Clone, Debug)]
struct Source {
    balance: String,
    kind: BalanceKind,
    left: Credits,
}

/// What a refund does in the ledger.
#[derive(Debug, Default, PartialEq, Eq)]
struct Allocation {
    items: Vec<(i64, Credits)>,
    /// Source, target, amount.
    lines: Vec<(String, String, Credits)>,
    /// Target, amount, why it settles nothing.
    strays: Vec<(String, Credits, &'static str)>,
    /// Items that the platform refunded although it had delivered them.
    delivered: Vec<i64>,
}

/// Keeps a feed's refund, and settles as much as it may.
pub(super) async fn add(connection: &mut SqliteConnection, row: &Refund, at: Timestamp) -> Worked<()> {
    let origin: Option<String> =
        sqlx::query_scalar(ORIGIN).bind(row.id.as_str()).fetch_optional(&mut *connection).await?;
    if origin.as_deref() == Some("makegood") {
        return Ok(()); // The platform tells what was done here; it is known better here.
    }
    let account: Option<String> =
        sqlx::query_scalar(CHARGE).bind(row.charge_id.as_str()).fetch_optional(&mut *connection).await?;
    let Some(account) = account else {
        return refused(format!("there is no charge {}", row.charge_id));
    };
    let sources = sources(connection, &row.charge_id).await?;
    let items = items::items_of(connection, row.charge_id.as_str()).await?;
    let targets = targets(connection, &row.lines).await?;
    let allocation = allocate(row, &account, &sources, &items, &targets);
    fence_leases(connection, &items, &allocation, at).await?;
    let mut script = Script::default();
    write_said(&mut script, row, &account, !allocation.items.is_empty())?;
    write_settled(&mut script, row.id.as_str(), row.charge_id.as_str(), &account, &allocation);
    script.run(connection).await?;
    note_contradictions(connection, row, &allocation, at).await?;
    if row.state == RefundState::Reversed {
        reverse(connection, row).await?;
    }
    Ok(())
}

/// Reverses a posted refund: its items are owed again, its credits are taken back.
pub(super) async fn reverse(connection: &mut SqliteConnection, row: &Refund) -> Worked<()> {
    sqlx::query(REVERSE).bind(row.id.as_str()).execute(connection).await?;
    Ok(())
}

async fn sources(connection: &mut SqliteConnection, charge: &ChargeId) -> StoreResult<Vec<Source>> {
    let rows = sqlx::query(SOURCES).bind(charge.as_str()).fetch_all(connection).await.map_err(backend)?;
    rows.iter()
        .map(|row| {
            Ok(Source {
                balance: row.text("balance_id")?,
                kind: row.word("kind")?,
                left: row.int("amount")? - row.int("restored")?,
            })
        })
        .collect()
}

/// Account and kind of the balances of a refund's lines; unknown ones are left out.
async fn targets(
    connection: &mut SqliteConnection,
    lines: &[BalanceLine],
) -> StoreResult<HashMap<String, (String, BalanceKind)>> {
    let ids = super::rows::id_list(lines.iter().map(|line| line.balance_id.as_str()));
    let query = sqlx::query_as(TARGETS).bind(ids);
    let rows: Vec<(String, String, String)> = query.fetch_all(connection).await.map_err(backend)?;
    rows.into_iter()
        .map(|(id, account, kind)| {
            let kind = parse_word(kind, &id)?;
            Ok((id, (account, kind)))
        })
        .collect()
}

/// Divides a refund into what settles items of the charge and what settles nothing. A refund that
/// names no items covers the charge from its first item on.
fn allocate(
    row: &Refund,
    account: &str,
    sources: &[Source],
    items: &[Item],
    targets: &HashMap<String, (String, BalanceKind)>,
) -> Allocation {
    let mut result = Allocation::default();
    let is_named = |item: &&Item| row.items.is_empty() || row.items.iter().any(|named| i64::from(*named) == item.item);
    let (delivered, open): (Vec<&Item>, Vec<&Item>) =
        items.iter().filter(is_named).partition(|item| item.stands.state == State::Delivered);
    result.delivered = delivered.iter().map(|item| item.item).collect();
    let mut room: Credits = open.iter().map(|item| item.stands.price - item.stands.refunded).sum();
    let mut left: Vec<Source> = sources.to_vec();
    for line in row.lines.iter().filter(|line| line.amount > 0) {
        let target = line.balance_id.as_str();
        match targets.get(target) {
            Some((owner, _)) if owner == account => {}
            Some(_) => {
                result.strays.push((target.to_owned(), line.amount, "the balance is of another account"));
                continue;
            }
            None => continue,
        }
        // From the balance itself first, then from what other balances gave, quota first (P5).
        left.sort_by_key(|source| (source.balance != target, !source.kind.is_quota()));
        let mut rest = line.amount;
        for source in &mut left {
            let part = rest.min(source.left).min(room);
            if part > 0 {
                result.lines.push((source.balance.clone(), target.to_owned(), part));
                source.left -= part;
                room -= part;
                rest -= part;
            }
        }
        if rest > 0 {
            result.strays.push((target.to_owned(), rest, "more than the charge gave or its items cost"));
        }
    }
    let mut settled: Credits = result.lines.iter().map(|line| line.2).sum();
    let nothing_to_pay = row.lines.iter().all(|line| line.amount == 0);
    for item in open {
        let stands = &item.stands;
        let part = settled.min(stands.price - stands.refunded);
        if part > 0 || (stands.price == 0 && stands.state != State::Refunded && nothing_to_pay) {
            result.items.push((item.item, part));
            settled -= part;
        }
    }
    result
}

fn write_said(script: &mut Script, row: &Refund, account: &str, settles: bool) -> Worked<()> {
    let values = [
        row.id.as_str().into(),
        format!("feed:{}", row.id).into(),
        "feed".into(),
        row.charge_id.as_str().into(),
        account.into(),
        row.run_id.as_str().into(),
        micros(row.posted_at).into(),
        word(&row.kind)?.into(),
        settles.into(),
        row.ticket_id.as_ref().map(|id| id.as_str()).into(),
        row.detected_at.map(micros).into(),
        row.cause.as_deref().into(),
        None::<&str>.into(),
    ];
    script.add(ADD, values);
    write_lines_said(script, row.id.as_str(), &row.items, &row.lines)
}

/// Keeps the items and lines of a refund as they were said.
pub(super) fn write_lines_said(script: &mut Script, refund: &str, items: &[u32], lines: &[BalanceLine]) -> Worked<()> {
    for (position, item) in (0_u64..).zip(items) {
        script.add(ADD_ITEM_SAID, [refund.into(), signed(position).into(), i64::from(*item).into()]);
    }
    for (position, line) in (0_u64..).zip(lines) {
        let (balance, kind) = (line.balance_id.as_str().into(), word(&line.kind)?.into());
        script.add(ADD_LINE_SAID, [refund.into(), signed(position).into(), balance, kind, line.amount.into()]);
    }
    Ok(())
}

/// The platform has refunded an item that is just being recovered here: the recovery must not
/// deliver it any more.
async fn fence_leases(
    connection: &mut SqliteConnection,
    items: &[Item],
    allocation: &Allocation,
    at: Timestamp,
) -> Worked<()> {
    for item in items {
        let Some((_, amount)) = allocation.items.iter().find(|(number, _)| *number == item.item) else { continue };
        match settlement::settle_by_refund(&item.stands, &By::Platform, *amount, at) {
            Ok((None, _)) => {}
            Ok((Some(fenced), _)) => {
                let note = Note { document: None, why: Some("refunded by the platform meanwhile") };
                items::write(connection, item, &fenced, note, &By::Platform, at).await?;
            }
            Err(refusal) => return refused(format!("item {} of charge {}: {refusal}", item.item, item.charge_id)),
        }
    }
    Ok(())
}

fn write_settled(script: &mut Script, refund: &str, charge: &str, account: &str, allocation: &Allocation) {
    for (item, amount) in &allocation.items {
        add_item(script, refund, charge, account, *item, *amount);
    }
    for (line, (source, target, amount)) in (0_u64..).zip(&allocation.lines) {
        add_line(script, refund, line, charge, account, (source, target, *amount));
    }
    for (line, (target, amount, why)) in (0_u64..).zip(&allocation.strays) {
        let (line, target) = (signed(line).into(), target.as_str().into());
        script.add(ADD_STRAY, [refund.into(), line, target, (*amount).into(), (*why).into()]);
    }
}

/// Settles one item by `amount`; the schema's triggers mark it refunded.
pub(super) fn add_item(script: &mut Script, refund: &str, charge: &str, account: &str, item: i64, amount: Credits) {
    script.add(ADD_ITEM, [refund.into(), charge.into(), account.into(), item.into(), amount.into()]);
}

/// Returns credits from a source of the charge to a target; the schema's triggers post it.
pub(super) fn add_line(
    script: &mut Script,
    refund: &str,
    line: u64,
    charge: &str,
    account: &str,
    (source, target, amount): (&str, &str, Credits),
) {
    let (source, target) = (source.into(), target.into());
    script.add(
        ADD_LINE,
        [refund.into(), signed(line).into(), charge.into(), account.into(), source, target, amount.into()],
    );
}

/// The head of a restoration made here, under the key of its action's step.
pub(super) struct Restoration<'a> {
    pub id: &'a str,
    pub key: &'a str,
    pub charge: &'a str,
    pub account: &'a str,
    pub run: &'a str,
    pub ticket: Option<&'a str>,
    /// `auto` where the reconciler made it.
    pub kind: RefundKind,
    /// When the failure was noticed, in UTC microseconds.
    pub detected_at: i64,
    pub cause: &'a str,
    pub action: &'a str,
    pub at: Timestamp,
}

/// Writes the head of a restoration; its items and lines follow.
pub(super) fn add_restoration(script: &mut Script, head: &Restoration<'_>) -> Worked<()> {
    let values = [
        head.id.into(),
        head.key.into(),
        "makegood".into(),
        head.charge.into(),
        head.account.into(),
        head.run.into(),
        micros(head.at).into(),
        word(&head.kind)?.into(),
        true.into(),
        head.ticket.into(),
        head.detected_at.into(),
        head.cause.into(),
        head.action.into(),
    ];
    script.add(ADD, values);
    Ok(())
}

async fn note_contradictions(
    connection: &mut SqliteConnection,
    row: &Refund,
    allocation: &Allocation,
    at: Timestamp,
) -> Worked<()> {
    for item in &allocation.delivered {
        let subject = format!("{}/{item}", row.charge_id);
        let detail = format!("refund {} is of an item that is delivered", row.id);
        discrepancies::open(connection, DELIVERED_AND_REFUNDED, &subject, &detail, at).await?;
    }
    if let Some((target, amount, why)) = allocation.strays.first() {
        let detail = format!("{amount} to {target}: {why}");
        discrepancies::open(connection, STRAY_REFUND, row.id.as_str(), &detail, at).await?;
    }
    Ok(())
}

/// The refunds of these runs as they were said, oldest first.
pub(super) async fn refunds(connection: &mut SqliteConnection, runs: &str) -> StoreResult<Vec<Refund>> {
    let items = sqlx::query(ITEMS_SAID).bind(runs).fetch_all(&mut *connection).await.map_err(backend)?;
    let lines = sqlx::query(LINES_SAID).bind(runs).fetch_all(&mut *connection).await.map_err(backend)?;
    let rows = sqlx::query(REFUNDS).bind(runs).fetch_all(connection).await.map_err(backend)?;
    assemble::refunds(&rows, &items, &lines)
}
