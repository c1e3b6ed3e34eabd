//! The tests' small product in an SQLite store.

use makegood_domain::feed::Fact;
use makegood_domain::ids::ActionKey;
use makegood_domain::plan::{Effect, Plan};
use makegood_domain::ports::{ActionStore, Applied, ApprovalStore, Begun, CaseStore, FactStore, Receipt};

use crate::sqlite::SqliteStore;
pub use crate::test_world::*;

/// A store that has taken these facts, all of them.
pub async fn store_with(facts: &[Fact]) -> SqliteStore {
    let store = SqliteStore::open_in_memory().await.unwrap();
    let report = store.import(facts, at(1000)).await.unwrap();
    assert_eq!(report.rejected, vec![], "the world is whole");
    store
}

/// The base with these facts on top.
pub async fn world(further: Vec<Fact>) -> SqliteStore {
    store_with(&base().into_iter().chain(further).collect::<Vec<_>>()).await
}

/// One number of the database.
pub async fn number(store: &SqliteStore, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(&store.writer).await.unwrap()
}

/// Level of a balance.
pub async fn level(store: &SqliteStore, id: &str) -> i64 {
    let query = sqlx::query_scalar("SELECT level FROM balances WHERE id = ?1").bind(id.to_owned());
    query.fetch_one(&store.writer).await.unwrap()
}

/// The ledger adds up.
pub async fn assert_whole(store: &SqliteStore) {
    let breaks: Vec<(String, String)> =
        sqlx::query_as("SELECT kind, subject FROM ledger_breaks").fetch_all(&store.writer).await.unwrap();
    assert_eq!(breaks, vec![]);
}

/// Opens a case of its own for an action with a step for each of these effects, and begins it.
pub async fn begin(store: &SqliteStore, key: &str, agent: &str, effects: &[Effect]) -> ActionKey {
    let (case, _) = store.open_case(&new_case(&format!("case_{key}"))).await.unwrap();
    let plan = Plan { steps: steps(effects), ..plan(&case.id, case.revision) };
    assert_eq!(store.begin_action(&order(key, agent), &plan).await.unwrap(), Begun::New);
    key.into()
}

/// Lets Ana and Ben restore any amount alone.
pub async fn trust(store: &SqliteStore) {
    for person in trusted() {
        store.put_person(&person, at(0)).await.unwrap();
    }
}

/// The receipt of an effect that must be allowed.
pub async fn done(store: &SqliteStore, key: &ActionKey, step: u32, effect: &Effect) -> Receipt {
    match store.apply(key, step, 0, effect, at(2000 + i64::from(step))).await.unwrap() {
        Applied::Done(receipt) => receipt.receipt,
        Applied::Refused(why) => panic!("refused: {why}"),
    }
}

/// The words of an effect that must be refused at `seconds`.
pub async fn refused_at(store: &SqliteStore, key: &ActionKey, step: u32, effect: &Effect, seconds: i64) -> String {
    match store.apply(key, step, 0, effect, at(seconds)).await.unwrap() {
        Applied::Done(receipt) => panic!("was done: {receipt:?}"),
        Applied::Refused(why) => why,
    }
}
