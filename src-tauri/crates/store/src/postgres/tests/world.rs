//! A record of its own for each test, on the one server of the test process.

use makegood_domain::feed::Fact;
use makegood_domain::ids::ActionKey;
use makegood_domain::plan::{Effect, Plan};
use makegood_domain::ports::{ActionStore, Applied, ApprovalStore, Begun, CaseStore, FactStore, Receipt};
use makegood_testkit::postgres::{Cluster, SUPERUSER, VIRTUAL_TIME};

use crate::postgres::{PgSettings, PgStore, migrate};
pub use crate::test_world::*;

const TEMPLATE: &str = "makegood";

/// An empty record that believes its callers about the time, and the store of the server's superuser on it.
pub async fn record() -> PgStore {
    record_on(Cluster::shared()).await
}

/// The same on a server of the test's own.
pub async fn record_on(cluster: &Cluster) -> PgStore {
    let build = |url: String| async move {
        migrate(&settings(&url)).await.map_err(|error| error.to_string())?;
        cluster.sql(TEMPLATE, VIRTUAL_TIME).map(drop)
    };
    let database = cluster.database(TEMPLATE, build).await.unwrap();
    PgStore::connect(&settings(&cluster.url(&database, SUPERUSER))).await.unwrap()
}

pub fn settings(url: &str) -> PgSettings {
    PgSettings::new(url)
}

/// A record that has taken these facts, all of them, and where Ana and Ben may restore any amount alone.
pub async fn store_with(facts: &[Fact]) -> PgStore {
    let store = record().await;
    let report = store.import(facts, at(1000)).await.unwrap();
    assert_eq!(report.rejected, vec![], "the world is whole");
    for person in trusted() {
        store.put_person(&person, at(0)).await.unwrap();
    }
    store
}

/// The base with these facts on top.
pub async fn world(further: Vec<Fact>) -> PgStore {
    store_with(&base().into_iter().chain(further).collect::<Vec<_>>()).await
}

/// One number of the database.
pub async fn number(store: &PgStore, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(&store.pool).await.unwrap()
}

/// Level of a balance.
pub async fn level(store: &PgStore, id: &str) -> i64 {
    let query = sqlx::query_scalar("SELECT level FROM api.balances WHERE id = $1").bind(id.to_owned());
    query.fetch_one(&store.pool).await.unwrap()
}

/// The ledger adds up.
pub async fn assert_whole(store: &PgStore) {
    let breaks: Vec<(String, String)> =
        sqlx::query_as("SELECT kind, subject FROM api.ledger_breaks").fetch_all(&store.pool).await.unwrap();
    assert_eq!(breaks, vec![]);
}

/// Opens a case of its own for an action of which these are the steps, and begins it.
pub async fn begin(store: &PgStore, key: &str, agent: &str, effects: &[Effect]) -> ActionKey {
    let (case, _) = store.open_case(&new_case(&format!("case_{key}"))).await.unwrap();
    let plan = Plan { steps: steps(effects), ..plan(&case.id, case.revision) };
    assert_eq!(store.begin_action(&order(key, agent), &plan).await.unwrap(), Begun::New);
    key.into()
}

/// The receipt of an effect that must be allowed.
pub async fn done(store: &PgStore, key: &ActionKey, step: u32, effect: &Effect) -> Receipt {
    match store.apply(key, step, 0, effect, at(2000 + i64::from(step))).await.unwrap() {
        Applied::Done(receipt) => receipt.receipt,
        Applied::Refused(why) => panic!("refused: {why}"),
    }
}
