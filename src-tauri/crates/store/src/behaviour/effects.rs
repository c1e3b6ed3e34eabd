//! The list of runs to look at follows what is done, by agents and by the reconciler.

use makegood_domain::plan::Effect;
use makegood_domain::ports::Store;

use super::world::{at, charge, output, run};
use super::world::{deliver, lease, restore};
use super::{act, assert_list_is_right, due_ids, settled, take};

fn quarantine(output: &str) -> Effect {
    Effect::Quarantine { output_id: output.into(), reason: "foreign".into() }
}

async fn three_charged(store: &dyn Store) {
    let facts = ["r1", "r2", "r3"]
        .map(|id| [run(id, "a", "a", 10), charge(&format!("chg_{id}"), id, "a", 20, &[10], &[("bal_q", 10)])]);
    take(store, &facts.concat(), at(1500)).await;
}

pub(crate) async fn a_settled_run_leaves_the_list(store: &dyn Store) {
    three_charged(store).await;
    act(store, "k1", &[restore("rfd_1", "chg_r1", "r1", 10)]).await;
    assert_eq!(due_ids(store, at(2100)).await, ["r2", "r3"]);
    act(store, "k2", &[lease("r2"), deliver("r2", 1, "a")]).await;
    assert_eq!(due_ids(store, at(2100)).await, ["r3"]);
    settled(store, "rec-1", 0, &lease("r3"), 2100).await;
    assert_eq!(due_ids(store, at(2100)).await, ["r3"], "leased is not settled");
    settled(store, "rec-1", 1, &deliver("r3", 1, "a"), 2101).await;
    assert_eq!(due_ids(store, at(2101)).await, Vec::<String>::new());
    assert_list_is_right(store).await;
}

pub(crate) async fn a_damaged_item_comes_back(store: &dyn Store) {
    three_charged(store).await;
    let stored = ["r1", "r2", "r3"].map(|id| output(&format!("out_{id}"), id, "a", "stored"));
    take(store, &stored, at(1501)).await;
    assert_eq!(due_ids(store, at(1501)).await, Vec::<String>::new());
    act(store, "k1", &[quarantine("out_r1")]).await;
    assert_eq!(due_ids(store, at(2000)).await, ["r1"]);
    settled(store, "rec-1", 0, &quarantine("out_r2"), 2001).await;
    assert_eq!(due_ids(store, at(2001)).await, ["r1", "r2"]);
    assert_list_is_right(store).await;
}
