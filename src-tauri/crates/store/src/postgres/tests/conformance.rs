//! The suite that every record must pass, on PostgreSQL.

use async_trait::async_trait;
use jiff::Timestamp;
use makegood_domain::ports::Store;
use makegood_domain::settlement::State;
use makegood_testkit::conformance::store::{Record, Subject, differential, scripts};
use makegood_testkit::{SeenDue, SeenItem};

use super::world::record;
use crate::postgres::PgStore;
use crate::rows::instant;

const ITEMS: &str = "SELECT charge_id, item, state, seq, epoch, refunded FROM api.charge_items
    ORDER BY charge_id COLLATE \"C\", item";
const DUE: &str = "SELECT root_id, charged_at, next_at, tries, claimed_by FROM api.due_runs
    ORDER BY root_id COLLATE \"C\"";

const UNSEALED: &str = "SELECT count(*) FROM api.audit WHERE hash = ''";
const SEALS_MAX: u32 = 20_000;

#[async_trait]
impl Record for PgStore {
    fn store(&self) -> &dyn Store {
        self
    }

    async fn items(&self) -> Vec<SeenItem> {
        let rows: Vec<(String, i64, String, i64, i64, i64)> =
            sqlx::query_as(ITEMS).fetch_all(&self.pool).await.unwrap();
        let seen = |(charge, item, state, seq, epoch, refunded): (_, _, String, _, _, _)| SeenItem {
            charge,
            item: u32::try_from(item).unwrap(),
            state: State::from_word(&state).unwrap(),
            seq,
            epoch,
            refunded,
        };
        rows.into_iter().map(seen).collect()
    }

    async fn due(&self) -> Vec<SeenDue> {
        let rows: Vec<(String, Option<i64>, Option<i64>, i64, Option<String>)> =
            sqlx::query_as(DUE).fetch_all(&self.pool).await.unwrap();
        let time = |value: Option<i64>| value.map(|value| instant(value, "due_runs").unwrap());
        let seen = |(root, charged_at, next_at, tries, claimed_by)| SeenDue {
            root,
            charged_at: time(charged_at),
            next_at: time(next_at),
            tries: u32::try_from(tries).unwrap(),
            claimed_by,
        };
        rows.into_iter().map(seen).collect()
    }

    /// Seals every line. A transaction that is under way anywhere on the server keeps the lines after it
    /// from being sealed, also one of another test, which is over soon.
    async fn tend(&self, at: Timestamp) {
        for _ in 0..SEALS_MAX {
            self.seal_audit(at).await.unwrap();
            let unsealed: i64 = sqlx::query_scalar(UNSEALED).fetch_one(&self.pool).await.unwrap();
            if unsealed == 0 {
                return;
            }
        }
        panic!("lines of the audit are still not sealed after {SEALS_MAX} tries");
    }
}

struct Postgres;

#[async_trait]
impl Subject for Postgres {
    async fn fresh(&self) -> Box<dyn Record> {
        Box::new(record().await)
    }
}

#[tokio::test]
async fn every_call_does_what_the_model_does() {
    scripts(&Postgres).await;
}

/// A few seeds, for a quick answer: `make torture-full` plays many, by `MAKEGOOD_SEEDS`.
#[tokio::test]
async fn random_calls_do_what_the_model_does() {
    let count = std::env::var("MAKEGOOD_SEEDS").ok().and_then(|count| count.parse().ok()).unwrap_or(12);
    differential(&Postgres, 0, count).await;
}
