//! Several reconcilers share the list: no run is with two, and none is left with one that is gone.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use makegood_domain::ids::RunId;
use makegood_domain::ports::{DueRun, NextLook, Store};
use serde_json::json;

use super::world::{at, charge, fact, restore, run};
use super::{due_ids, settled, take};

const LEASE: SignedDuration = SignedDuration::from_secs(600);

async fn open_runs(store: &dyn Store, count: usize) {
    let mut facts = Vec::new();
    for number in 0..count {
        let id = format!("run_{number:03}");
        facts.push(run(&id, "a", "a", 10));
        facts.push(charge(&format!("chg_{number:03}"), &id, "a", 20, &[1], &[("bal_q", 1)]));
    }
    take(store, &facts, at(1500)).await;
}

async fn claim(store: &dyn Store, worker: &str, limit: u32, seconds: i64) -> Vec<DueRun> {
    store.claim_due(worker, limit, LEASE, at(seconds)).await.unwrap()
}

async fn end(store: &dyn Store, worker: &str, next: &NextLook, seconds: i64) {
    store.end_look(&RunId::from("run_000"), worker, next, at(seconds)).await.unwrap();
}

/// A fact about the run that settles nothing.
async fn webhook(store: &dyn Store, seconds: i64) {
    let row = json!({ "id": format!("whk_{seconds}"), "job_id": "job", "run_id": "run_000", "received_at": at(seconds),
        "attempts": 1, "result": "timeout", "routed_to": null });
    take(store, &[fact("webhook", row)], at(seconds)).await;
}

/// Claims seven at a time until nothing is left, and ends each look.
async fn work(store: &dyn Store, worker: &str) -> Vec<RunId> {
    let mut mine = Vec::new();
    loop {
        let batch = claim(store, worker, 7, 1500).await;
        if batch.is_empty() {
            return mine;
        }
        for run in batch {
            let later = NextLook::At { at: at(5000) };
            store.end_look(&run.root, worker, &later, at(1500)).await.unwrap();
            mine.push(run.root);
        }
    }
}

pub(crate) async fn two_workers_share_the_runs(store: &dyn Store) {
    open_runs(store, 200).await;
    let (one, other) = tokio::join!(work(store, "one"), work(store, "other"));
    let all: BTreeSet<&RunId> = one.iter().chain(&other).collect();
    assert_eq!((one.len() + other.len(), all.len()), (200, 200), "each run with one of them");
}

pub(crate) async fn a_crashed_claim_is_taken_over(store: &dyn Store) {
    open_runs(store, 3).await;
    let first = claim(store, "one", 2, 1500).await;
    let ids: Vec<_> = first.iter().map(|run| (run.root.as_str(), run.tries, run.charged_at)).collect();
    assert_eq!(ids, [("run_000", 0, Some(at(20))), ("run_001", 0, Some(at(20)))], "the earliest, then by id");
    assert_eq!(claim(store, "other", 9, 1501).await.len(), 1, "what nobody has");
    assert_eq!(claim(store, "third", 9, 2099).await, vec![], "all are claimed");
    let over = claim(store, "third", 9, 2100).await;
    let ids: Vec<_> = over.iter().map(|run| (run.root.as_str(), run.tries)).collect();
    assert_eq!(ids, [("run_000", 1), ("run_001", 1)], "the lease of the first is over");
    end(store, "one", &NextLook::Parked { why: "mine".into() }, 2101).await;
    assert_eq!(claim(store, "third", 9, 2101).await.len(), 1, "only run_002: an old claim ends nothing");
    end(store, "third", &NextLook::At { at: at(2200) }, 2102).await;
    assert_eq!(claim(store, "other", 9, 2199).await, vec![]);
    assert_eq!(claim(store, "other", 9, 2200).await.len(), 1);
}

pub(crate) async fn an_end_says_what_comes_next(store: &dyn Store) {
    open_runs(store, 1).await;
    claim(store, "one", 1, 1500).await;
    end(store, "one", &NextLook::At { at: at(1600) }, 1500).await;
    assert_eq!(claim(store, "one", 1, 1599).await, vec![]);
    assert_eq!(claim(store, "one", 1, 1600).await.len(), 1);
    end(store, "one", &NextLook::Done, 1600).await;
    assert_eq!(due_ids(store, at(1600)).await, Vec::<String>::new(), "not at once, or a pass would not end");
    assert_eq!(due_ids(store, at(1600 + 3600)).await, ["run_000"], "it is open all the same");
    claim(store, "one", 1, 6000).await;
    end(store, "one", &NextLook::Parked { why: "people".into() }, 6000).await;
    assert_eq!(due_ids(store, at(9_000_000)).await, Vec::<String>::new());
    let promise = store.promise(at(6001)).await.unwrap();
    assert_eq!((promise.open_charges, promise.parked, promise.open_credits), (1, 1, 1));
}

pub(crate) async fn a_change_during_a_look_is_looked_at_again(store: &dyn Store) {
    for next in [NextLook::At { at: at(9000) }, NextLook::Parked { why: "x".into() }, NextLook::Done] {
        open_runs(store, 1).await;
        let seconds = match next {
            NextLook::At { .. } => 1500,
            NextLook::Parked { .. } => 1600,
            NextLook::Done => 1700,
        };
        assert_eq!(claim(store, "one", 1, seconds).await.len(), 1, "{next:?}");
        webhook(store, seconds).await;
        assert_eq!(claim(store, "other", 1, seconds).await, vec![], "the claim holds");
        end(store, "one", &next, seconds + 1).await;
        assert_eq!(due_ids(store, at(seconds + 1)).await, ["run_000"], "{next:?}");
    }
}

pub(crate) async fn a_parked_run_wakes_with_a_change(store: &dyn Store) {
    open_runs(store, 1).await;
    claim(store, "one", 1, 1500).await;
    end(store, "one", &NextLook::Parked { why: "people".into() }, 1500).await;
    webhook(store, 3000).await;
    assert_eq!(due_ids(store, at(2999)).await, Vec::<String>::new());
    assert_eq!(due_ids(store, at(3000)).await, ["run_000"]);
}

/// What a reconciler settles late, after its claim, is no news: people are waited for all the same.
pub(crate) async fn a_parked_run_sleeps_through_what_the_reconciler_does(store: &dyn Store) {
    const DAY: i64 = 90_000;
    take(store, &[run("r1", "a", "a", 10), charge("chg_1", "r1", "a", 20, &[1, 1], &[("bal_q", 2)])], at(1500)).await;
    claim(store, "one", 1, DAY).await;
    let parked = NextLook::Parked { why: "people".into() };
    store.end_look(&RunId::from("r1"), "one", &parked, at(DAY)).await.unwrap();
    settled(store, "rec-1", 0, &restore("rfd_1", "chg_1", "r1", 1), DAY + 1).await;
    assert_eq!(due_ids(store, at(2 * DAY)).await, Vec::<String>::new());
}
