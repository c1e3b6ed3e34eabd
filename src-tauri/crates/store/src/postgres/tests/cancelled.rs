//! sqlx 0.8.4 to 0.9.0: a begin that is dropped before its answer leaves the connection in a
//! transaction, and whatever is written on it next is acknowledged and never committed.

use sqlx::postgres::{PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection};

use super::world::record;

const CANCELS: u32 = 300;
const ROUNDS_MAX: u32 = 20;

/// Begins and gives up at ever later points, writes one row after each, and counts the rows that were
/// acknowledged and that nobody else can see.
async fn lost(pool: &PgPool, other: &mut PgConnection, table: &str) -> u32 {
    other.execute(AssertSqlSafe(format!("CREATE TABLE public.{table} (n int PRIMARY KEY)"))).await.unwrap();
    let insert = format!("INSERT INTO public.{table} VALUES ($1)");
    let seen = format!("SELECT count(*) FROM public.{table} WHERE n = $1");
    let mut lost = 0;
    for n in 0..CANCELS {
        let patience = async {
            for _ in 0..n {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            biased;
            begun = pool.begin() => drop(begun.unwrap()),
            () = patience => {}
        }
        let number = i32::try_from(n).unwrap();
        sqlx::query(AssertSqlSafe(insert.clone())).bind(number).execute(pool).await.unwrap();
        let query = sqlx::query_scalar(AssertSqlSafe(seen.clone())).bind(number);
        let count: i64 = query.fetch_one(&mut *other).await.unwrap();
        lost += u32::from(count == 0);
    }
    lost
}

#[tokio::test]
async fn nothing_that_was_acknowledged_is_lost_after_a_cancelled_begin() {
    let store = record().await;
    let options = store.pool.connect_options();
    let mut other = options.connect().await.unwrap();
    assert_eq!(lost(&store.pool, &mut other, "with_hook").await, 0);
    // The same without the hook, so that the day is seen when it is no longer needed.
    let bare = PgPoolOptions::new().max_connections(1).test_before_acquire(false);
    let bare = bare.connect_with((*options).clone()).await.unwrap();
    // On a busy machine an answer can come at once each time, and no begin is given up half way.
    let mut round = 0;
    while lost(&bare, &mut other, &format!("without_hook_{round}")).await == 0 {
        round += 1;
        assert!(round < ROUNDS_MAX, "sqlx cleans up by itself now: the hook can go");
    }
    other.close().await.unwrap();
}
