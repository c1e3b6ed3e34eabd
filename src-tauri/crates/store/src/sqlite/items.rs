//! What became of each charged item: one remedy, by one row a change. What may follow what is decided
//! by [`makegood_domain::settlement`], the same code as in the simulator; the schema's triggers hold it
//! a second time.

use jiff::Timestamp;
use makegood_domain::ids::{ActionKey, ChargeId, RunId};
use makegood_domain::ports::{StoreError, StoreResult};
use makegood_domain::settlement::{self, By, First, Lease, Move, State};
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use super::fault::{Worked, backend, refused};
use super::rows::{Columns, instant, micros};

statements! {
    ITEM = "SELECT charge_id, item, price, refunded, state, seq, epoch, lease_until, lease_key FROM charge_items
        WHERE charge_id = ?1 AND item = ?2";
    /// The charge that a delivery is paid by: the first one, unless that is wholly refunded already
    /// and another is not.
    FIRST_CHARGE = "SELECT c.id, c.account_id FROM charges c JOIN runs r ON r.id = c.run_id
        WHERE r.root_id = ?1
        ORDER BY NOT EXISTS (SELECT 1 FROM charge_items i WHERE i.charge_id = c.id AND i.refunded < i.price),
            c.posted_at, c.id LIMIT 1";
    ITEMS_OF = "SELECT charge_id, item, price, refunded, state, seq, epoch, lease_until, lease_key
        FROM charge_items WHERE charge_id = ?1 ORDER BY item";
    ADD = "INSERT INTO item_transitions (charge_id, item, seq, state, epoch, lease_until, origin, action_key,
            document, why, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
    /// Who brought an item to where it is.
    NEWEST = "SELECT t.state, t.origin, t.action_key, t.document, t.at, coalesce(p.name, a.agent,
            (SELECT 'the reconciler' FROM sweep_steps s WHERE s.key = t.action_key LIMIT 1)) AS who
        FROM item_transitions t LEFT JOIN actions a ON a.key = t.action_key LEFT JOIN people p ON p.id = a.agent
        WHERE t.charge_id = ?1 AND t.item = ?2 ORDER BY t.seq DESC LIMIT 1";
    /// An output that counts as delivery: intact, reachable, in a project of the account that paid. An
    /// object of 0 bytes is no file (R12).
    INTACT_OUTPUT = "SELECT o.id FROM runs r JOIN outputs o ON o.run_id = r.id JOIN projects p ON p.id = o.project_id
        WHERE r.root_id = ?1 AND o.item = ?2 AND p.account_id = ?3 AND o.state = 'stored'
            AND o.bytes > 0 AND o.quarantined_at IS NULL ORDER BY o.stored_at, o.id LIMIT 1";
}

/// A charged item, and how it stands.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub charge_id: String,
    pub item: i64,
    pub stands: settlement::Item,
}

/// What goes with a change of an item.
#[derive(Clone, Copy, Default)]
pub(super) struct Note<'a> {
    /// The output that delivers it.
    pub document: Option<&'a str>,
    pub why: Option<&'a str>,
}

/// Writes how an item stands next, as it was decided; the schema's triggers hold the same rules.
pub(super) async fn write(
    connection: &mut SqliteConnection,
    item: &Item,
    next: &settlement::Item,
    note: Note<'_>,
    by: &By,
    at: Timestamp,
) -> Worked<()> {
    let (origin, key) = match by {
        By::Platform => ("feed", None),
        By::Action(key) => ("makegood", Some(key.as_str())),
    };
    sqlx::query(ADD)
        .bind(&item.charge_id)
        .bind(item.item)
        .bind(next.seq)
        .bind(next.state.word())
        .bind(next.epoch)
        .bind(next.lease.as_ref().map(|lease| micros(lease.until)))
        .bind(origin)
        .bind(key)
        .bind(note.document)
        .bind(note.why)
        .bind(micros(at))
        .execute(connection)
        .await?;
    Ok(())
}

/// Decides a move and writes it. For moves of which nobody has to be told who was first.
pub(super) async fn make(
    connection: &mut SqliteConnection,
    item: &Item,
    what: &Move,
    note: Note<'_>,
    by: &By,
    at: Timestamp,
) -> Worked<()> {
    match settlement::step(&item.stands, what, at) {
        Ok(next) => write(connection, item, &next, note, by, at).await,
        Err(refusal) => refused(format!("item {} of charge {}: {refusal}", item.item, item.charge_id)),
    }
}

/// One item of a charge.
pub(super) async fn item(connection: &mut SqliteConnection, charge: &ChargeId, item: i64) -> StoreResult<Option<Item>> {
    let query = sqlx::query(ITEM).bind(charge.as_str()).bind(item);
    let row = query.fetch_optional(connection).await.map_err(backend)?;
    row.as_ref().map(parse).transpose()
}

/// All items of a charge.
pub(super) async fn items_of(connection: &mut SqliteConnection, charge: &str) -> StoreResult<Vec<Item>> {
    let rows = sqlx::query(ITEMS_OF).bind(charge).fetch_all(connection).await.map_err(backend)?;
    parse_all(&rows)
}

/// The items of rows of [`ITEMS_OF`].
pub(super) fn parse_all(rows: &[SqliteRow]) -> StoreResult<Vec<Item>> {
    rows.iter().map(parse).collect()
}

/// The first charge of a logical run, whose items are the ones that get delivered, with its account.
pub(super) async fn first_charge(
    connection: &mut SqliteConnection,
    root: &RunId,
) -> StoreResult<Option<(ChargeId, String)>> {
    let query = sqlx::query_as(FIRST_CHARGE).bind(root.as_str());
    let row: Option<(String, String)> = query.fetch_optional(connection).await.map_err(backend)?;
    Ok(row.map(|(charge, account)| (ChargeId(charge), account)))
}

/// The output by which an item of a logical run is delivered, if there is one.
pub(super) async fn intact_output(
    connection: &mut SqliteConnection,
    root: &str,
    item: i64,
    account: &str,
) -> StoreResult<Option<String>> {
    let query = sqlx::query_scalar(INTACT_OUTPUT).bind(root).bind(item).bind(account);
    query.fetch_optional(connection).await.map_err(backend)
}

/// Who was first, in plain words.
pub(super) async fn who_was_first(connection: &mut SqliteConnection, item: &Item) -> StoreResult<String> {
    let row = sqlx::query(NEWEST).bind(&item.charge_id).bind(item.item).fetch_optional(connection).await;
    let Some(row) = row.map_err(backend)? else { return Ok("it was never charged".to_owned()) };
    let first = First {
        state: state(&row)?,
        document: row.opt_text("document")?,
        key: row.opt_text("action_key")?.map(ActionKey),
        who: row.opt_text("who")?,
        at: instant(row.int("at")?, "item_transitions.at")?,
    };
    Ok(first.to_string())
}

fn state(row: &SqliteRow) -> StoreResult<State> {
    let text = row.text("state")?;
    State::from_word(&text).ok_or_else(|| StoreError::Inconsistent {
        at: "an item".to_owned(),
        why: format!("`{text}` is no state of an item"),
    })
}

fn parse(row: &SqliteRow) -> StoreResult<Item> {
    let lease = match (row.opt_text("lease_key")?, row.opt_time("lease_until")?) {
        (Some(key), Some(until)) => Some(Lease { key: ActionKey(key), until }),
        _ => None,
    };
    Ok(Item {
        charge_id: row.text("charge_id")?,
        item: row.int("item")?,
        stands: settlement::Item {
            price: row.int("price")?,
            refunded: row.int("refunded")?,
            state: state(row)?,
            seq: row.int("seq")?,
            epoch: row.int("epoch")?,
            lease,
        },
    })
}
