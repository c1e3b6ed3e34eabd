//! Faults and snapshots. What the store itself does is proved by the suite that every store passes.

use jiff::{SignedDuration, Timestamp};
use makegood_domain::plan::Effect;
use makegood_domain::ports::{Applied, FactStore, ReconcileStore, Store, StoreError};
use makegood_domain::settlement::State;

use super::{Fault, MemoryStore, Op};
use crate::World;

fn at(minutes: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minutes)
}

fn lease(run: &str) -> Effect {
    Effect::LeaseItem { run_id: run.into(), item: 1, lease_seconds: 60 }
}

async fn one_run() -> MemoryStore {
    let store = MemoryStore::new();
    let mut world = World::new("veo", Timestamp::UNIX_EPOCH);
    world.charged_run(2, 30);
    let report = store.import(&world.facts(), at(5)).await.expect("imported");
    assert_eq!((report.rejected, report.added), (vec![], 8));
    store
}

#[tokio::test]
async fn a_call_fails_before_its_commit_or_after_it() {
    let store = one_run().await;
    let state = |store: &MemoryStore| store.item(&"chg_1".into(), 1).expect("charged").state;
    for (fault, left) in [(Fault::BeforeCommit, State::Charged), (Fault::LostAck, State::Delivering)] {
        store.fail_next(Op::Settle, fault);
        let error = store.settle(&"rec-1".into(), 0, &lease("run_1"), at(6)).await.expect_err("told to fail");
        assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
        assert_eq!(state(&store), left, "{fault:?}");
    }
    let again = store.settle(&"rec-1".into(), 0, &lease("run_1"), at(7)).await.expect("no fault is left");
    assert!(matches!(again, Applied::Done(_)), "the receipt of the one that was done: {again:?}");
    assert_eq!(store.item(&"chg_1".into(), 1).expect("charged").epoch, 1);
    store.fail_next(Op::Health, Fault::LostAck);
    assert!(store.health().await.is_err(), "a read fails too");
    assert_eq!(store.breaks(), Vec::<String>::new());
}

#[tokio::test]
async fn a_snapshot_is_all_of_it() {
    let store = one_run().await;
    let before = store.snapshot();
    store.settle(&"rec-1".into(), 0, &lease("run_1"), at(6)).await.expect("leased");
    let after = store.snapshot();
    store.restore(&before);
    assert_eq!(store.seen_items()[0].state, State::Charged);
    store.restore(&after);
    assert_eq!(store.seen_items()[0].state, State::Delivering);
}
