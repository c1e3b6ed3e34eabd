//! The suite that every record must pass, on SQLite, and what every store must do, on the model that
//! the suite compares with.

use async_trait::async_trait;
use makegood_domain::ports::{FactStore as _, Store};
use makegood_domain::settlement::State;
use makegood_testkit::conformance::store::{Record, Subject, differential, scripts};
use makegood_testkit::{MemoryStore, SeenDue, SeenItem};

use super::world::{at, base};
use crate::sqlite::SqliteStore;
use crate::sqlite::rows::instant;

const ITEMS: &str = "SELECT charge_id, item, state, seq, epoch, refunded FROM charge_items ORDER BY charge_id, item";
const DUE: &str = "SELECT root_id, charged_at, next_at, tries, claimed_by FROM due_runs ORDER BY root_id";

#[async_trait]
impl Record for SqliteStore {
    fn store(&self) -> &dyn Store {
        self
    }

    async fn items(&self) -> Vec<SeenItem> {
        let rows: Vec<(String, u32, String, i64, i64, i64)> =
            sqlx::query_as(ITEMS).fetch_all(&self.writer).await.unwrap();
        let seen = |(charge, item, state, seq, epoch, refunded): (_, _, String, _, _, _)| SeenItem {
            charge,
            item,
            state: State::from_word(&state).unwrap(),
            seq,
            epoch,
            refunded,
        };
        rows.into_iter().map(seen).collect()
    }

    async fn due(&self) -> Vec<SeenDue> {
        let rows: Vec<(String, Option<i64>, Option<i64>, u32, Option<String>)> =
            sqlx::query_as(DUE).fetch_all(&self.writer).await.unwrap();
        let time = |value: Option<i64>| value.map(|value| instant(value, "due_runs").unwrap());
        let seen = |(root, charged_at, next_at, tries, claimed_by)| SeenDue {
            root,
            charged_at: time(charged_at),
            next_at: time(next_at),
            tries,
            claimed_by,
        };
        rows.into_iter().map(seen).collect()
    }
}

struct Sqlite;

#[async_trait]
impl Subject for Sqlite {
    async fn fresh(&self) -> Box<dyn Record> {
        Box::new(SqliteStore::open_in_memory().await.unwrap())
    }
}

#[tokio::test]
async fn every_call_does_what_the_model_does() {
    scripts(&Sqlite).await;
}

/// A few seeds, for a quick answer: `make torture-full` plays many, by `MAKEGOOD_SEEDS`.
#[tokio::test]
async fn random_calls_do_what_the_model_does() {
    let count = std::env::var("MAKEGOOD_SEEDS").ok().and_then(|count| count.parse().ok()).unwrap_or(40);
    differential(&Sqlite, 0, count).await;
}

/// The model with the base facts.
async fn model() -> MemoryStore {
    let store = MemoryStore::new();
    assert_eq!(store.import(&base(), at(1000)).await.unwrap().rejected, vec![]);
    store
}

mod on_the_model {
    every_behaviour!(super::super::model);
}
