//! What is taken back is locked in one order before anything is changed, whatever order it is named in: two
//! who meet wait for each other in a row, never in a circle.

use makegood_domain::money::BalanceKind;
use makegood_domain::plan::Effect;
use makegood_domain::ports::{ActionStore as _, Applied, FactStore as _};
use sqlx::{ConnectOptions as _, PgConnection};
use tokio::task::JoinHandle;

use super::world::{assert_whole, at, begin, level, refund, restore};
use crate::behaviour::releases::{refunded_to, release};
use crate::postgres::PgStore;

/// A charge paid by two balances; each item was refunded to one of them, the second one's to the first.
async fn record() -> PgStore {
    let sources = [("bal_q", 10), ("bal_w", 10)];
    refunded_to(&sources, &[("rfd_1", &[1], "bal_w", 10), ("rfd_2", &[2], "bal_q", 10)]).await
}

/// A connection in a transaction that has locked these rows.
async fn holding(store: &PgStore, rows: &'static str) -> PgConnection {
    let mut holder = store.pool.connect_options().connect().await.unwrap();
    sqlx::raw_sql("BEGIN").execute(&mut holder).await.unwrap();
    sqlx::raw_sql(rows).execute(&mut holder).await.unwrap();
    holder
}

/// Returns when somebody waits for what is locked; the work is not done before.
async fn until_blocked<T>(store: &PgStore, work: &JoinHandle<T>) {
    let waiting = "SELECT EXISTS (SELECT 1 FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock')";
    while !sqlx::query_scalar::<_, bool>(waiting).fetch_one(&store.pool).await.unwrap() {
        assert!(!work.is_finished(), "it waited for nobody");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_balances_of_a_release_are_locked_in_their_order() {
    let store = record().await;
    let before = (level(&store, "bal_q").await, level(&store, "bal_w").await);
    let effect = release(&["rfd_1", "rfd_2"], 20, &[1, 2]);
    let key = begin(&store, "k1", "ana", std::slice::from_ref(&effect)).await;
    let mut first = holding(&store, "SELECT 1 FROM record.balance_stripes WHERE balance_id = 'bal_q' FOR UPDATE").await;
    let released = tokio::spawn({
        let store = store.clone();
        async move { store.apply(&key, 0, 0, &effect, at(2_500)).await.unwrap() }
    });
    until_blocked(&store, &released).await;
    // Whoever holds the first one gets the others too: nobody who waits for the first holds one of them.
    let others = "SELECT 1 FROM record.balance_stripes WHERE balance_id IN ('bal_w', 'usage:acc_a') FOR UPDATE NOWAIT";
    sqlx::raw_sql(others).execute(&mut first).await.unwrap();
    sqlx::raw_sql("COMMIT").execute(&mut first).await.unwrap();
    assert!(matches!(released.await.unwrap(), Applied::Done(_)));
    assert_eq!((level(&store, "bal_q").await, level(&store, "bal_w").await), (before.0 - 10, before.1 - 10));
    assert_whole(&store).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reversal_of_the_platform_locks_the_items_before_the_refund() {
    let store = record().await;
    let mut items = holding(&store, "SELECT 1 FROM record.charge_items WHERE charge_id = 'chg_1' FOR UPDATE").await;
    let reversed = tokio::spawn({
        let store = store.clone();
        let fact = refund("rfd_1", "chg_1", "run_1", "reversed", &[1], &[("bal_w", 10)]);
        async move { store.import(&[fact], at(2_500)).await.unwrap() }
    });
    until_blocked(&store, &reversed).await;
    let rest = "SELECT 1 FROM record.refunds FOR UPDATE NOWAIT; SELECT 1 FROM record.charge_sources FOR UPDATE NOWAIT;
        SELECT 1 FROM record.balance_stripes FOR UPDATE NOWAIT";
    sqlx::raw_sql(rest).execute(&mut items).await.unwrap();
    sqlx::raw_sql("COMMIT").execute(&mut items).await.unwrap();
    assert_eq!(reversed.await.unwrap().rejected, vec![]);
    // Its item is owed again, and the other one is not.
    let mut effect = restore("rfd_9", "chg_1", "run_1", 10);
    if let Effect::Restore { restoration, .. } = &mut effect {
        for line in &mut restoration.lines {
            (line.source, line.target) = ("bal_w".into(), "bal_w".into());
            line.target_kind = BalanceKind::Wallet;
        }
    }
    let key = begin(&store, "k1", "ana", std::slice::from_ref(&effect)).await;
    assert!(matches!(store.apply(&key, 0, 0, &effect, at(2_600)).await.unwrap(), Applied::Done(_)));
    assert_whole(&store).await;
}
