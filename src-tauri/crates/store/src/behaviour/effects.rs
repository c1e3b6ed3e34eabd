//! The list of runs to look at follows what is done, by agents and by the reconciler.

use makegood_domain::plan::Effect;
use makegood_domain::ports::{Applied, Begun, Person, Store};

use super::world::{at, charge, output, run, trusted};
use super::world::{deliver, lease, restore};
use super::{act, assert_list_is_right, begin, due_ids, settled, take};

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

pub(crate) async fn who_was_first_is_told_in_plain_words(store: &dyn Store) {
    three_charged(store).await;
    let [ana, _] = trusted();
    store.put_person(&Person { name: "Ana Prata".into(), ..ana }, at(1500)).await.unwrap();
    act(store, "k1", &[restore("rfd_1", "chg_r1", "r1", 10)]).await;
    // Whose a key is follows from where it is kept, not from how it looks.
    settled(store, "key-of-a-pass-2", 0, &lease("r2"), 2001).await;
    take(store, &[output("out_r3", "r3", "a", "stored")], at(2002)).await;
    let again = ["r1", "r2", "r3"].map(|id| restore(&format!("rfd_of_{id}"), &format!("chg_{id}"), id, 10));
    assert_eq!(begin(store, "k9", "ben", &again, None).await, Begun::New);
    for (step, (effect, words)) in (0..).zip(again.iter().zip([
        "it was refunded (rfd_1) by Ana Prata on 8 March 2026 at 20:33:20 UTC",
        "it is being recovered by the reconciler on 8 March 2026 at 20:33:21 UTC",
        "it was delivered (out_r3) by the platform on 8 March 2026 at 20:33:22 UTC",
    ])) {
        let Applied::Refused(why) = store.apply(&"k9".into(), step, 0, effect, at(2003)).await.unwrap() else {
            panic!("{words}, and it was restored");
        };
        assert!(why.ends_with(words), "{why}");
    }
}
