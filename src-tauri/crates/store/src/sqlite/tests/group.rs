//! Effects that are committed together: each stands or falls alone.

use std::sync::Arc;

use makegood_domain::ports::{ActionStore, Applied, FactStore, StoreError};

use super::world::{assert_whole, at, base, begin, charge, level, number, restore, run, trust};
use crate::sqlite::SqliteStore;

const ITEMS: u32 = 48;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn those_refused_take_nobody_with_them() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(SqliteStore::open(&folder.path().join("makegood.db")).await.unwrap());
    let mut facts = base();
    for item in 0..ITEMS {
        let id = format!("run_{item}");
        facts.push(run(&id, "a", "a", 10));
        facts.push(charge(&format!("chg_{item}"), &id, "a", 20, &[10], &[("bal_q", 10)]));
    }
    assert_eq!(store.import(&facts, at(1000)).await.unwrap().rejected, vec![]);
    trust(&store).await;
    // Every item twice, under different steps: of each pair one is done.
    let effect = |step: u32| {
        let item = step / 2;
        restore(&format!("rfd_{step}"), &format!("chg_{item}"), &format!("run_{item}"), 10)
    };
    let effects: Vec<_> = (0..ITEMS * 2).map(effect).collect();
    let key = begin(&store, "k1", "ana", &effects).await;
    let tasks: Vec<_> = (0..)
        .zip(effects)
        .map(|(step, effect)| {
            let (store, key) = (Arc::clone(&store), key.clone());
            tokio::spawn(async move { store.apply(&key, step, 0, &effect, at(2000)).await.unwrap() })
        })
        .collect();
    let mut done = 0;
    for task in tasks {
        done += u32::from(matches!(task.await.unwrap(), Applied::Done(_)));
    }
    assert_eq!(done, ITEMS);
    assert_eq!(number(&store, "SELECT count(*) FROM refunds").await, i64::from(ITEMS));
    assert_eq!(level(&store, "bal_q").await, 1000 - 10 * i64::from(ITEMS) + 10 * i64::from(ITEMS));
    assert_whole(&store).await;
}

#[tokio::test]
async fn the_same_step_twice_in_a_group_is_one_receipt() {
    let store = Arc::new(SqliteStore::open_in_memory().await.unwrap());
    let mut facts = base();
    facts.extend([run("run_1", "a", "a", 10), charge("chg_1", "run_1", "a", 20, &[10], &[("bal_q", 10)])]);
    store.import(&facts, at(1000)).await.unwrap();
    let effect = restore("rfd_1", "chg_1", "run_1", 10);
    let key = begin(&store, "k1", "ana", std::slice::from_ref(&effect)).await;
    let (one, other) =
        tokio::join!(store.apply(&key, 0, 0, &effect, at(2000)), store.apply(&key, 0, 0, &effect, at(2001)));
    assert_eq!(one.unwrap(), other.unwrap());
    assert_eq!(number(&store, "SELECT count(*) FROM refunds").await, 1);
}

#[tokio::test]
async fn a_closed_record_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("makegood.db")).await.unwrap();
    store.import(&base(), at(1000)).await.unwrap();
    let key = begin(&store, "k1", "ana", &[]).await;
    store.close().await;
    let answer = store.apply(&key, 0, 0, &restore("rfd_1", "chg_1", "run_1", 10), at(2000)).await;
    assert!(matches!(answer, Err(StoreError::Backend(_) | StoreError::Unavailable(_))), "{answer:?}");
}
