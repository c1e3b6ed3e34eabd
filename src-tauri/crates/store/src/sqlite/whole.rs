//! Restorations of the reconciler, whole: all that has to be known about a group of them is asked in one
//! statement, and all that they are made of is written by one. A connection lives on a thread of its own, and
//! the way there and back takes longer than most statements.
//!
//! Only what is as most are goes this way. What is not (a lease that is over, a key that was used, a limit that
//! is reached) is left to [`super::sweeps`], which takes it step by step and has the words for it.

use std::collections::{BTreeMap, HashMap};
use std::mem;

use jiff::Timestamp;
use makegood_domain::diagnose::ChargeRestoration;
use makegood_domain::ids::{ActionKey, AgentId, RunId};
use makegood_domain::money::{BalanceKind, Credits};
use makegood_domain::plan::{Effect, letter};
use makegood_domain::ports::{BalanceMove, Receipt, StepReceipt, StoreResult};
use makegood_domain::settlement::{self, State};
use serde::Serialize;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{AssertSqlSafe, Connection as _, SqlSafeStr as _, SqliteConnection};

use super::effects::{self, Act};
use super::fault::{Fault, Worked, as_error, backend};
use super::many::Cell;
use super::rows::{Columns, document, id_list, instant, micros, parse_document, word};
use super::script::Script;
use super::sweeps::{self, RECONCILER, hour};
use super::{audit, findings, open};

statements! {
    /// Of each: key, part, charge, run, refund, items, targets, hour. A row each, in their order; the newest
    /// line of the audit and the newest schema are the same in all.
    ASK = "SELECT l.restorations_per_hour, l.unseen_hours, c.posted_at,
            (SELECT i.value FROM json_each(w.value ->> 5) i WHERE NOT EXISTS (SELECT 1 FROM detections d
                WHERE d.charge_id = c.id AND d.item IN (0, i.value)
                    AND d.kind IN ('orphan', 'damaged', 'duplicate_charge')) LIMIT 1) AS unnoticed,
            (SELECT restorations FROM reconciler_hours WHERE hour = w.value ->> 7) AS counted,
            EXISTS (SELECT 1 FROM refunds WHERE id = w.value ->> 4) AS used,
            c.account_id, paid.root_id, (SELECT root_id FROM runs WHERE id = w.value ->> 3) AS wanted_root,
            EXISTS (SELECT 1 FROM sweep_steps WHERE key = w.value ->> 0 AND part = w.value ->> 1)
                OR EXISTS (SELECT 1 FROM actions WHERE key = w.value ->> 0) AS is_known,
            (SELECT json_group_array(json_array(item, price, refunded, state, seq, epoch)) FROM charge_items
                WHERE charge_id = c.id) AS items,
            (SELECT json_group_array(json_array(b.id, b.kind, b.level, b.opening_at)) FROM balances b
                WHERE b.id IN (SELECT value FROM json_each(w.value ->> 6)) AND b.opening_at IS NOT NULL) AS levels,
            (SELECT json_array(detected_at, cause) FROM detections
                WHERE charge_id = c.id AND (item = 0 OR item IN (SELECT value FROM json_each(w.value ->> 5)))
                    AND kind IN ('orphan', 'damaged', 'duplicate_charge')
                ORDER BY detected_at, item LIMIT 1) AS noticed,
            EXISTS (SELECT 1 FROM runs r JOIN case_runs k ON k.run_id = r.id
                WHERE r.root_id = paid.root_id) AS has_cases,
            (SELECT seq FROM audit ORDER BY seq DESC LIMIT 1) AS seq,
            (SELECT hash FROM audit ORDER BY seq DESC LIMIT 1) AS hash,
            (SELECT max(number) FROM schema_migrations) AS newest,
            (SELECT data_version FROM pragma_data_version) AS version
        FROM json_each(?1) w CROSS JOIN reconciler_limits l LEFT JOIN charges c ON c.id = w.value ->> 2
            LEFT JOIN runs paid ON paid.id = c.run_id ORDER BY w.key";
    /// The first of a group, which says of which version of the record [`ASK`] told.
    WRITE = "INSERT INTO sweep_restorations (refund_id, refund_key, charge_id, account_id, run_id, root_id,
            detected_at, cause, key, part, at, hour, items, said, lines, effect, receipt, seq, detail, prev_hash,
            hash, letter_id, letter_kind, summary, payload, is_current)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
            (SELECT data_version FROM pragma_data_version) = ?)";
}

/// A further one.
const AND: &str = ", (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1)";

/// An effect of the reconciler under its key.
#[derive(Clone, Debug)]
pub(super) struct Sweep {
    pub key: ActionKey,
    pub part: u32,
    pub effect: Effect,
    pub at: Timestamp,
}

impl Sweep {
    /// The restoration, if it is one.
    pub(super) fn restoration(&self) -> Option<&ChargeRestoration> {
        match &self.effect {
            Effect::Restore { restoration, .. } => Some(restoration),
            _ => None,
        }
    }
}

/// What is written of one: the columns of `sweep_restorations` but for the last.
type Whole = [Cell; 25];

/// How a balance of a customer stands.
struct Level {
    kind: BalanceKind,
    level: Credits,
    /// What is dated earlier does not move it.
    opening_at: i64,
}

/// What those before it in the group have changed.
#[derive(Default)]
struct Before {
    levels: HashMap<String, Level>,
    /// Restorations by hour.
    made: HashMap<i64, i64>,
    /// Number and hash of the audit's newest line.
    line: Option<(i64, String)>,
}

/// Does them all, commits them, and returns their receipts in their order; `None` where one of them is not as most
/// are: then nothing is written. No two may have the same key or charge. The connection must be outside any
/// transaction.
///
/// What is read and what is written are a transaction each, and the second is refused where any other connection
/// wrote between them. To begin and to end one around both would be two ways more to the connection's thread.
pub(super) async fn commit(
    connection: &mut SqliteConnection,
    sweeps: &[&Sweep],
) -> StoreResult<Option<Vec<StepReceipt>>> {
    let Some(prepared) = prepared(connection, sweeps).await? else { return Ok(None) };
    if prepared.concerned.is_empty() {
        return written(connection, prepared).await;
    }
    let mut tx = connection.begin_with("BEGIN IMMEDIATE").await.map_err(backend)?;
    let receipts = settle(&mut tx, sweeps).await?;
    let ended = if receipts.is_some() { tx.commit().await } else { tx.rollback().await };
    ended.map_err(backend)?;
    Ok(receipts)
}

/// The same in a transaction that is the caller's, and must not be kept after a failure; the cases that it concerns
/// follow.
pub(super) async fn settle(
    connection: &mut SqliteConnection,
    sweeps: &[&Sweep],
) -> StoreResult<Option<Vec<StepReceipt>>> {
    let Some(mut prepared) = prepared(connection, sweeps).await? else { return Ok(None) };
    let mut follow = Script::default();
    for run in mem::take(&mut prepared.concerned) {
        follow.add(findings::FOLLOW_LEDGER_OF_RUN, [run.as_str().into()]);
    }
    let receipts = written(connection, prepared).await?;
    if receipts.is_some() {
        follow.run(connection).await.map_err(|fault| as_error(fault, "restorations of the reconciler"))?;
    }
    Ok(receipts)
}

/// What is to be written, and the runs that cases are concerned with.
pub(super) struct Prepared {
    /// Of the record, when it was asked.
    version: i64,
    wholes: Vec<Whole>,
    receipts: Vec<StepReceipt>,
    concerned: Vec<RunId>,
}

/// What would be written; `None` where one of them is not as most are.
pub(super) async fn prepared(connection: &mut SqliteConnection, sweeps: &[&Sweep]) -> StoreResult<Option<Prepared>> {
    match prepare(connection, sweeps).await {
        Ok(prepared) => Ok(prepared),
        Err(Fault::Refused(_)) => Ok(None),
        Err(Fault::Failed(error)) => Err(error),
    }
}

async fn prepare(connection: &mut SqliteConnection, sweeps: &[&Sweep]) -> Worked<Option<Prepared>> {
    let mut asked = Vec::with_capacity(sweeps.len());
    for sweep in sweeps {
        let Some(restoration) = sweep.restoration() else { return Ok(None) };
        asked.push(ask(sweep, restoration)?);
    }
    let mut script = Script::default();
    script.add(ASK, [document(&asked)?.into()]);
    let rows = script.rows(connection).await?.next();
    let Some(first) = rows.first().filter(|_| rows.len() == sweeps.len()) else { return Ok(None) };
    let version = first.int("version")?;
    let mut before = Before::default();
    let (mut wholes, mut receipts, mut concerned) = (Vec::new(), Vec::new(), Vec::new());
    for (row, sweep) in rows.iter().zip(sweeps) {
        let Some((whole, receipt)) = one(row, sweep, &mut before)? else { return Ok(None) };
        if row.flag("has_cases")?
            && let Some(restoration) = sweep.restoration()
        {
            concerned.push(restoration.run_id.clone());
        }
        wholes.push(whole);
        receipts.push(receipt);
    }
    Ok(Some(Prepared { version, wholes, receipts, concerned }))
}

/// Writes them by one statement: what a rule refuses leaves no trace of it. `None`: a rule refused it, or another
/// connection wrote since it was asked what is to be written.
pub(super) async fn written(
    connection: &mut SqliteConnection,
    prepared: Prepared,
) -> StoreResult<Option<Vec<StepReceipt>>> {
    let what = "restorations of the reconciler";
    let statement = statement(prepared.wholes.len());
    let mut arguments = SqliteArguments::default();
    for (place, whole) in prepared.wholes.into_iter().enumerate() {
        for cell in whole {
            cell.add_to(&mut arguments).map_err(|fault| as_error(fault, what))?;
        }
        if place == 0 {
            Cell::Int(prepared.version).add_to(&mut arguments).map_err(|fault| as_error(fault, what))?;
        }
    }
    // The text is made of the statements of this crate alone; values are bound.
    let statement = AssertSqlSafe(statement).into_sql_str();
    match sqlx::query_with(statement, arguments).execute(connection).await.map_err(Fault::from) {
        Ok(_) => Ok(Some(prepared.receipts)),
        Err(Fault::Refused(_)) => Ok(None),
        Err(Fault::Failed(error)) => Err(error),
    }
}

/// The statement that writes so many of them. It has a power of two of rows, so that the connection keeps each
/// prepared; places without a value are null, and a row of nulls is none.
fn statement(rows: usize) -> String {
    let further = rows.next_power_of_two().saturating_sub(1);
    let mut text = String::with_capacity(WRITE.len() + further * AND.len());
    text.push_str(WRITE);
    for _ in 0..further {
        text.push_str(AND);
    }
    text
}

fn ask<'a>(sweep: &'a Sweep, restoration: &'a ChargeRestoration) -> StoreResult<impl Serialize + 'a> {
    let items: Vec<u32> = restoration.items.iter().map(|item| item.item).collect();
    let targets = id_list(restoration.lines.iter().map(|line| line.target.as_str()));
    let refund = match &sweep.effect {
        Effect::Restore { refund_id, .. } => refund_id.as_str(),
        _ => "",
    };
    let (charge, run) = (restoration.charge_id.as_str(), restoration.run_id.as_str());
    Ok((sweep.key.as_str(), sweep.part, charge, run, refund, document(&items)?, targets, hour(sweep.at)))
}

/// One of them, after those before it. `row`: of [`ASK`].
fn one(row: &SqliteRow, sweep: &Sweep, before: &mut Before) -> Worked<Option<(Whole, StepReceipt)>> {
    let Effect::Restore { refund_id, restoration, cause } = &sweep.effect else { return Ok(None) };
    if row.flag("is_known")? || !open::is_known(row.int("newest")?) {
        return Ok(None);
    }
    let made = before.made.entry(hour(sweep.at)).or_default();
    sweeps::check_restoration(row, restoration, sweep.at, *made)?;
    let total = effects::check_restoration(row, refund_id, restoration)?;
    if !all_open(&row.text("items")?, sweep, restoration)? {
        return Ok(None);
    }
    *made += 1;
    let Some(balances) = moved(&row.text("levels")?, sweep.at, restoration, &mut before.levels)? else {
        return Ok(None);
    };
    let receipt = Receipt::Restored { refund_id: refund_id.clone(), total, balances };
    let agent = AgentId::from(RECONCILER);
    let act = Act { key: &sweep.key, agent: &agent, case: None, step: 0, part: sweep.part, at: sweep.at };
    let Some((letter_kind, summary)) = letter(&sweep.effect, &receipt) else { return Ok(None) };
    let noticed: Option<(i64, String)> =
        row.opt_text("noticed")?.map(|text| parse_document(&text, "a detection")).transpose()?;
    let (detected_at, cause) = noticed.unwrap_or_else(|| (micros(sweep.at), cause.clone()));
    let detail = effects::audit_detail(&act, &sweep.effect, &receipt)?;
    let (newest, prev_hash) = match before.line.take() {
        Some(line) => line,
        None => (row.opt_int("seq")?.unwrap_or_default(), row.opt_text("hash")?.unwrap_or_default()),
    };
    let (seq, at) = (newest + 1, micros(sweep.at));
    let hash =
        audit::hash(&prev_hash, seq, at, [RECONCILER, sweep.effect.word(), restoration.run_id.as_str(), &detail]);
    before.line = Some((seq, hash.clone()));
    let items: Vec<(u32, Credits)> = restoration.items.iter().map(|item| (item.item, item.credits)).collect();
    let whole = [
        refund_id.as_str().into(),
        act.id("restore").into(),
        restoration.charge_id.as_str().into(),
        restoration.account_id.as_str().into(),
        restoration.run_id.as_str().into(),
        row.text("root_id")?.into(),
        detected_at.into(),
        cause.into(),
        sweep.key.as_str().into(),
        sweep.part.into(),
        at.into(),
        hour(sweep.at).into(),
        document(&items)?.into(),
        document(&said(restoration)?)?.into(),
        document(&lines(restoration))?.into(),
        document(&sweep.effect)?.into(),
        document(&receipt)?.into(),
        seq.into(),
        detail.into(),
        prev_hash.into(),
        hash.into(),
        act.id("out").into(),
        letter_kind.into(),
        summary.into(),
        effects::letter_payload(&act, &sweep.effect, &receipt)?.into(),
    ];
    // As it will be read back: finer than a microsecond is cut.
    let at = instant(at, "the instant of the step")?;
    Ok(Some((whole, StepReceipt { step: 0, part: sweep.part, at, receipt })))
}

/// The lines as they are said in the refund.
fn said(wanted: &ChargeRestoration) -> StoreResult<Vec<(&str, String, Credits)>> {
    wanted.lines.iter().map(|line| Ok((line.target.as_str(), word(&line.target_kind)?, line.amount))).collect()
}

/// The lines that move credits: from where, to where, how much.
fn lines(wanted: &ChargeRestoration) -> Vec<(&str, &str, Credits)> {
    let lines = wanted.lines.iter().filter(|line| line.amount > 0);
    lines.map(|line| (line.source.as_str(), line.target.as_str(), line.amount)).collect()
}

/// Whether each item can be restored as it stands, with no lease to end first. `items`: of [`ASK`].
fn all_open(items: &str, sweep: &Sweep, wanted: &ChargeRestoration) -> StoreResult<bool> {
    type Said = (u32, Credits, Credits, String, i64, i64);
    let items: Vec<Said> = parse_document(items, wanted.charge_id.as_str())?;
    let by = settlement::By::Action(sweep.key.clone());
    Ok(wanted.items.iter().all(|part| {
        let stands =
            items.iter().find(|item| item.0 == part.item).and_then(|(_, price, refunded, state, seq, epoch)| {
                let (price, refunded, seq, epoch) = (*price, *refunded, *seq, *epoch);
                let state = State::from_word(state).filter(|state| *state != State::Delivering)?;
                Some(settlement::Item { price, refunded, state, seq, epoch, lease: None })
            });
        stands.is_some_and(|item| {
            matches!(settlement::settle_by_refund(&item, &by, part.credits, sweep.at), Ok((None, _)))
        })
    }))
}

/// What each balance has before and after it; `None` where one is missing. `told`: the levels of [`ASK`], which
/// are those before the group.
fn moved(
    told: &str,
    at: Timestamp,
    wanted: &ChargeRestoration,
    levels: &mut HashMap<String, Level>,
) -> StoreResult<Option<Vec<BalanceMove>>> {
    let told: Vec<(String, BalanceKind, Credits, i64)> = parse_document(told, wanted.charge_id.as_str())?;
    for (id, kind, level, opening_at) in told {
        levels.entry(id).or_insert(Level { kind, level, opening_at });
    }
    let mut moves: BTreeMap<&str, BalanceMove> = BTreeMap::new();
    for line in &wanted.lines {
        let Some(stands) = levels.get_mut(line.target.as_str()) else { return Ok(None) };
        let before = stands.level;
        let counts = line.amount > 0 && micros(at) >= stands.opening_at;
        let Some(after) = before.checked_add(if counts { line.amount } else { 0 }) else { return Ok(None) };
        stands.level = after;
        let new = BalanceMove { balance_id: line.target.clone(), kind: stands.kind, before, after };
        moves.entry(line.target.as_str()).and_modify(|known| known.after = after).or_insert(new);
    }
    Ok(Some(moves.into_values().collect()))
}
