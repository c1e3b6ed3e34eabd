//! The list of runs to look at follows the facts.

use jiff::SignedDuration;
use makegood_domain::feed::Fact;
use makegood_domain::ports::{NextLook, Store};
use serde_json::Value;

use super::world::{at, charge, fact, node, output, project, refund, run, run_row};
use super::{assert_list_is_right, due, due_ids, take};

/// A run of Ana's, and one charge of 10 for it, posted at 20.
fn charged(id: &str) -> Vec<Fact> {
    vec![run(id, "a", "a", 10), charge(&format!("chg_{id}"), id, "a", 20, &[10], &[("bal_q", 10)])]
}

fn with(id: &str, further: impl IntoIterator<Item = Fact>) -> Vec<Fact> {
    charged(id).into_iter().chain(further).collect()
}

fn back(id: &str, amount: i64) -> Fact {
    refund(&format!("rfd_{id}"), &format!("chg_{id}"), id, "posted", &[1], &[("bal_q", amount)])
}

fn stored(id: &str, place: &str, state: &str) -> Fact {
    output(&format!("out_{id}"), id, place, state)
}

fn changed(fact: &Fact, change: impl FnOnce(&mut Value)) -> Fact {
    let mut value = serde_json::to_value(fact).unwrap();
    change(&mut value["data"]);
    serde_json::from_value(value).unwrap()
}

/// A run, its facts, and whether it is listed: with the posting of its open charge, or for a
/// contradiction alone.
type Row = (&'static str, Vec<Fact>, Option<Option<i64>>);

fn table() -> Vec<Row> {
    let mut retry = run_row("twice_2", "a", "a", 30);
    retry["retry_of"] = "twice".into();
    retry["retry_initiator"] = "system".into();
    let second = charge("chg_twice_2", "twice_2", "a", 40, &[10], &[("bal_q", 10)]);
    let empty = changed(&stored("empty", "a", "stored"), |row| row["bytes"] = 0.into());
    let mut told = run_row("told", "a", "a", 10);
    told["status"] = "refunded".into();
    let told_charge = charge("chg_told", "told", "a", 20, &[10], &[("bal_q", 10)]);
    let gone = changed(&back("turned", 10), |row| row["state"] = "reversed".into());
    let stray = refund("rfd_stray", "chg_stray", "stray", "posted", &[1], &[("bal_b", 10)]);
    vec![
        ("open", charged("open"), Some(Some(20))),
        ("delivered", with("delivered", [stored("delivered", "a", "stored")]), None),
        ("refunded", with("refunded", [back("refunded", 10)]), None),
        ("in_part", with("in_part", [back("in_part", 4)]), Some(Some(20))),
        ("turned", with("turned", [gone]), Some(Some(20))),
        ("twice", with("twice", [stored("twice", "a", "stored"), fact("run", retry), second]), Some(Some(40))),
        ("away", with("away", [stored("away", "b", "stored")]), Some(Some(20))),
        ("away_back", with("away_back", [stored("away_back", "b", "stored"), back("away_back", 10)]), Some(None)),
        ("away_free", vec![run("away_free", "a", "a", 10), stored("away_free", "b", "stored")], Some(None)),
        ("damaged", with("damaged", [stored("damaged", "a", "corrupt")]), Some(Some(20))),
        ("empty", with("empty", [empty]), Some(Some(20))),
        ("both", with("both", [back("both", 10), stored("both", "a", "stored")]), Some(None)),
        ("held", with("held", [back("held", 10), stored("held", "a", "held")]), None),
        ("stray", with("stray", [stored("stray", "a", "stored"), stray]), Some(None)),
        ("told", vec![fact("run", told), told_charge, stored("told", "a", "stored")], Some(None)),
        ("free", vec![run("free", "a", "a", 10), charge("chg_free", "free", "a", 20, &[0], &[])], None),
        ("unpaid", vec![run("unpaid", "a", "a", 10)], None),
    ]
}

pub(crate) async fn only_what_is_open_or_contradicts_itself_is_listed(store: &dyn Store) {
    let facts: Vec<Fact> = table().into_iter().flat_map(|row| row.1).collect();
    take(store, &facts, at(1500)).await;
    assert_eq!(due(store, at(1499)).await, vec![], "due when it became known, not before");
    let mut wanted: Vec<_> = table()
        .into_iter()
        .filter_map(|(id, _, listed)| listed.map(|charged| (id.to_owned(), charged.map(at))))
        .collect();
    wanted.sort();
    assert_eq!(due(store, at(1500)).await, wanted);
    assert_list_is_right(store).await;
    let scan = store.full_scan().await.unwrap();
    assert_eq!((scan.charges, scan.open_charges), (16, 7));
}

pub(crate) async fn facts_put_a_run_on_and_take_it_off(store: &dyn Store) {
    let intact = stored("r", "a", "stored");
    let steps: Vec<(Vec<Fact>, &[&str])> = vec![
        (charged("r"), &["r"]),
        (vec![intact.clone()], &[]),
        (vec![changed(&intact, |row| row["state"] = "corrupt".into())], &["r"]),
        (vec![back("r", 10)], &[]),
        (vec![changed(&back("r", 10), |row| row["state"] = "reversed".into())], &["r"]),
        (vec![changed(&intact, |row| row["bytes"] = 11.into())], &[]),
    ];
    for (second, (facts, wanted)) in (1500..).zip(steps) {
        take(store, &facts, at(second)).await;
        assert_eq!(due_ids(store, at(second)).await, wanted, "at {second}");
        assert_list_is_right(store).await;
    }
}

pub(crate) async fn a_run_that_becomes_a_retry_leaves_its_place(store: &dyn Store) {
    take(store, &with("first", [stored("first", "a", "stored")]), at(1500)).await;
    take(store, &charged("second"), at(1501)).await;
    assert_eq!(due_ids(store, at(1501)).await, ["second"]);
    let mut retry = run_row("second", "a", "a", 10);
    retry["retry_of"] = "first".into();
    retry["retry_initiator"] = "system".into();
    take(store, &[fact("run", retry)], at(1502)).await;
    assert_eq!(due_ids(store, at(1502)).await, ["first"], "charged twice, known by its first run");
    assert_list_is_right(store).await;
}

pub(crate) async fn a_project_that_changes_hands_is_looked_at(store: &dyn Store) {
    take(store, &[project("prj_x", "X", "acc_a", None), node("nd_x", "prj_x")], at(1500)).await;
    take(store, &with("r", [stored("r", "x", "stored")]), at(1500)).await;
    assert_eq!(due_ids(store, at(1500)).await, Vec::<String>::new());
    take(store, &[project("prj_x", "X", "acc_b", None)], at(1501)).await;
    assert_eq!(due(store, at(1501)).await, [("r".to_owned(), Some(at(20)))], "it lies with Ben now");
    take(store, &[project("prj_x", "X", "acc_a", None)], at(1502)).await;
    assert_eq!(due_ids(store, at(1502)).await, Vec::<String>::new());
    assert_list_is_right(store).await;
}

pub(crate) async fn the_next_look_is_known_and_is_nobodys_claim(store: &dyn Store) {
    assert_eq!(store.next_due(at(1500)).await.unwrap(), None, "nothing waits");
    take(store, &charged("early"), at(1500)).await;
    take(store, &charged("late"), at(1600)).await;
    assert_eq!(store.next_due(at(1400)).await.unwrap(), Some(at(1500)), "also before it is due");
    let lease = SignedDuration::from_secs(100);
    assert_eq!(store.claim_due("worker", 1, lease, at(1550)).await.unwrap().len(), 1);
    assert_eq!(store.next_due(at(1551)).await.unwrap(), Some(at(1600)), "somebody looks at the first one");
    assert_eq!(store.next_due(at(1650)).await.unwrap(), Some(at(1500)), "whoever looked at it is dead");
    let root = "early".into();
    store.end_look(&root, "worker", &NextLook::At { at: at(1700) }, at(1560)).await.unwrap();
    assert_eq!(store.next_due(at(1561)).await.unwrap(), Some(at(1600)));
    let claimed = store.claim_due("worker", 9, lease, at(1700)).await.unwrap();
    assert_eq!(claimed.len(), 2);
    store.end_look(&root, "worker", &NextLook::Parked { why: "for people".into() }, at(1701)).await.unwrap();
    assert_eq!(store.next_due(at(1701)).await.unwrap(), None, "what is for people waits for no look");
}
