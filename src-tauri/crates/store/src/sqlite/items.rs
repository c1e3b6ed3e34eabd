//! What became of each charged item: one remedy, by one row a change.
//!
//! `charged → delivering → delivered | released`, `charged → refunded → reversed`,
//! `delivered → damaged`. The schema holds the table of what may follow what.

use jiff::Timestamp;
use makegood_domain::ids::{ChargeId, RunId};
use makegood_domain::ports::StoreResult;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use super::fault::{Worked, backend};
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
    NEWEST = "SELECT t.state, t.origin, t.action_key, t.document, t.at, coalesce(a.agent,
            (SELECT 'the reconciler' FROM sweep_steps s WHERE s.key = t.action_key LIMIT 1)) AS agent
        FROM item_transitions t LEFT JOIN actions a ON a.key = t.action_key
        WHERE t.charge_id = ?1 AND t.item = ?2 ORDER BY t.seq DESC LIMIT 1";
    /// An output that counts as delivery: intact, reachable, in a project of the account that paid. An
    /// object of 0 bytes is no file (R12).
    INTACT_OUTPUT = "SELECT o.id FROM runs r JOIN outputs o ON o.run_id = r.id JOIN projects p ON p.id = o.project_id
        WHERE r.root_id = ?1 AND o.item = ?2 AND p.account_id = ?3 AND o.state = 'stored'
            AND o.bytes > 0 AND o.quarantined_at IS NULL ORDER BY o.stored_at, o.id LIMIT 1";
}

/// A charged item as it stands.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub charge_id: String,
    pub item: i64,
    pub price: i64,
    pub refunded: i64,
    pub state: String,
    pub seq: i64,
    pub epoch: i64,
    pub lease_until: Option<i64>,
    pub lease_key: Option<String>,
}

impl Item {
    /// Whether somebody else's lease keeps others off at `at`.
    pub(super) fn leased_at(&self, at: Timestamp) -> bool {
        self.lease_until.is_some_and(|until| micros(at) < until)
    }
}

/// Who changes an item.
#[derive(Clone, Copy, Debug)]
pub(super) enum By<'a> {
    Feed,
    Action(&'a str),
}

/// The next state of an item.
pub(super) struct Change<'a> {
    pub state: &'a str,
    pub epoch: i64,
    pub lease_until: Option<i64>,
    pub document: Option<&'a str>,
    pub why: Option<&'a str>,
}

/// Writes the next state of an item; the schema's triggers allow or refuse it.
pub(super) async fn change(
    connection: &mut SqliteConnection,
    item: &Item,
    change: &Change<'_>,
    by: By<'_>,
    at: Timestamp,
) -> Worked<()> {
    let (origin, key) = match by {
        By::Feed => ("feed", None),
        By::Action(key) => ("makegood", Some(key)),
    };
    sqlx::query(ADD)
        .bind(&item.charge_id)
        .bind(item.item)
        .bind(item.seq + 1)
        .bind(change.state)
        .bind(change.epoch)
        .bind(change.lease_until)
        .bind(origin)
        .bind(key)
        .bind(change.document)
        .bind(change.why)
        .bind(micros(at))
        .execute(connection)
        .await?;
    Ok(())
}

/// Ends a lease so that its holder can no longer deliver: the epoch rises. For a lease that is
/// over, or for what the platform itself did meanwhile.
pub(super) async fn fence(
    connection: &mut SqliteConnection,
    item: &Item,
    by: By<'_>,
    at: Timestamp,
    why: &str,
) -> Worked<Item> {
    let release =
        Change { state: "released", epoch: item.epoch + 1, lease_until: None, document: None, why: Some(why) };
    change(connection, item, &release, by, at).await?;
    Ok(Item {
        state: "released".to_owned(),
        seq: item.seq + 1,
        epoch: item.epoch + 1,
        lease_until: None,
        lease_key: None,
        ..item.clone()
    })
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

/// Who was first, in plain words: `it was refunded by ana at 2026-03-14T15:20:00Z (action a1)`.
pub(super) async fn who_was_first(connection: &mut SqliteConnection, item: &Item) -> StoreResult<String> {
    let row = sqlx::query(NEWEST).bind(&item.charge_id).bind(item.item).fetch_optional(connection).await;
    let Some(row) = row.map_err(backend)? else { return Ok("it was never charged".to_owned()) };
    let at = instant(row.int("at")?, "item_transitions.at")?;
    let what = match row.text("state")?.as_str() {
        "delivering" => "it is being recovered".to_owned(),
        "refunded" => format!("it was refunded ({})", row.opt_text("document")?.unwrap_or_default()),
        "delivered" => format!("it was delivered ({})", row.opt_text("document")?.unwrap_or_default()),
        other => format!("it is {other}"),
    };
    Ok(match (row.opt_text("action_key")?, row.opt_text("agent")?) {
        (Some(key), Some(agent)) => format!("{what} by {agent} at {at} (action {key})"),
        (Some(key), None) => format!("{what} at {at} (action {key})"),
        _ => format!("{what} by the platform at {at}"),
    })
}

fn parse(row: &SqliteRow) -> StoreResult<Item> {
    Ok(Item {
        charge_id: row.text("charge_id")?,
        item: row.int("item")?,
        price: row.int("price")?,
        refunded: row.int("refunded")?,
        state: row.text("state")?,
        seq: row.int("seq")?,
        epoch: row.int("epoch")?,
        lease_until: row.opt_int("lease_until")?,
        lease_key: row.opt_text("lease_key")?,
    })
}
