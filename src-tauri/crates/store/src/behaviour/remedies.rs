//! Recovery and restoration against each other, and what a loser is told.

use jiff::SignedDuration;
use makegood_domain::diagnose::{ChargeRestoration, RestoredItem};
use makegood_domain::plan::{Effect, Place};
use makegood_domain::ports::{Applied, Receipt};
use makegood_domain::settlement::PAIRS;

use super::world::{at, charge, deliver, fact, lease, new_case, node, output, project, refund, restore, run, run_row};
use super::{Seen, assert_whole, begun, done, level, number, refused_at, state, take, world};

async fn one_run<S: Seen>() -> S {
    world(vec![run("run_1", "a", "a", 10), charge("chg_1", "run_1", "a", 20, &[320], &[("bal_q", 320)])]).await
}

fn whole(id: &str) -> Effect {
    restore(id, "chg_1", "run_1", 320)
}

pub(crate) async fn a_restoration_moves_credits_once<S: Seen>() {
    let store = one_run::<S>().await;
    let first = begun(&store, "k1", "ana", &[whole("rfd_1")]).await;
    let second = begun(&store, "k2", "ben", &[whole("rfd_2"), lease("run_1"), whole("rfd_1")]).await;
    let receipt = done(&store, &first, 0, &whole("rfd_1")).await;
    let Receipt::Restored { total, balances, .. } = &receipt else { panic!("{receipt:?}") };
    assert_eq!((*total, balances[0].before, balances[0].after), (320, 680, 1000));
    assert_eq!(done(&store, &first, 0, &whole("rfd_1")).await, receipt, "asked again");
    let why = refused_at(&store, &second, 0, &whole("rfd_2"), 2100).await;
    assert!(why.contains("refunded (rfd_1) by ana on ") && !why.contains("k1"), "{why}");
    let why = refused_at(&store, &second, 1, &lease("run_1"), 2100).await;
    assert!(why.contains("can't be recovered") && why.contains("by ana"), "{why}");
    assert_eq!(refused_at(&store, &second, 2, &whole("rfd_1"), 2100).await, "there is a refund rfd_1 already");
    assert_eq!(level(&store, "bal_q").await, 1000);
    assert_whole(&store).await;
}

pub(crate) async fn a_live_lease_keeps_a_restoration_off_and_a_dead_one_is_fenced<S: Seen>() {
    let store = one_run::<S>().await;
    let recovery = begun(&store, "k1", "ana", &[lease("run_1"), deliver("run_1", 1, "a")]).await;
    let restoration = begun(&store, "k2", "ben", &[whole("rfd_1")]).await;
    let receipt = done(&store, &recovery, 0, &lease("run_1")).await;
    assert_eq!(receipt, Receipt::Leased { epoch: 1, until: at(2000) + SignedDuration::from_secs(900) });
    let why = refused_at(&store, &restoration, 0, &whole("rfd_1"), 2899).await;
    assert!(why.contains("being recovered by ana"), "{why}");
    store.apply(&restoration, 0, 0, &whole("rfd_1"), at(2900)).await.unwrap();
    assert_eq!(state(&store, "chg_1").await, "refunded");
    let why = refused_at(&store, &recovery, 1, &deliver("run_1", 1, "a"), 2901).await;
    assert!(why.contains("no longer this action's (epoch 1, now 2)") && why.contains("by ben"), "{why}");
    assert_eq!(number(&store, "SELECT count(*) FROM outputs").await, 0, "nothing of it is kept");
    assert_whole(&store).await;
}

pub(crate) async fn an_action_whose_own_lease_is_over_can_restore<S: Seen>() {
    let store = one_run::<S>().await;
    let restore = restore("rfd_1", "chg_1", "run_1", 320);
    let key = begun(&store, "k1", "ana", &[lease("run_1"), restore.clone()]).await;
    done(&store, &key, 0, &lease("run_1")).await;
    let why = refused_at(&store, &key, 1, &restore, 2899).await;
    assert!(why.contains("being recovered by ana"), "its own lease is live: {why}");
    let late = store.apply(&key, 1, 0, &restore, at(2900)).await.unwrap();
    assert!(matches!(late, Applied::Done(_)), "{late:?}");
    assert_eq!((state(&store, "chg_1").await, level(&store, "bal_q").await), ("refunded".into(), 1000));
    assert_whole(&store).await;
}

pub(crate) async fn an_item_that_cost_something_is_not_settled_by_nothing<S: Seen>() {
    let facts = vec![run("run_1", "a", "a", 10), charge("chg_1", "run_1", "a", 20, &[20, 0, 9], &[("bal_q", 29)])];
    let store = world::<S>(facts).await;
    let both = |second: u32| {
        let mut effect = restore("rfd_1", "chg_1", "run_1", 20);
        if let Effect::Restore { restoration, .. } = &mut effect {
            restoration.items.push(RestoredItem { item: second, credits: 0 });
        }
        effect
    };
    let key = begun(&store, "k1", "ana", &[both(3), both(2)]).await;
    let why = refused_at(&store, &key, 0, &both(3), 2100).await;
    assert!(why.contains("0 credits are no refund of an item that cost 9"), "{why}");
    done(&store, &key, 1, &both(2)).await;
    assert_eq!(number(&store, "SELECT count(*) FROM charge_items WHERE state = 'refunded'").await, 2);
    assert_whole(&store).await;
}

pub(crate) async fn the_schema_and_the_code_know_the_same_pairs_of_states<S: Seen>() {
    let store = one_run::<S>().await;
    let mut found = store.texts("SELECT from_state || ' ' || to_state FROM item_state_pairs").await;
    let mut wanted: Vec<String> = PAIRS.iter().map(|(from, to)| format!("{} {}", from.word(), to.word())).collect();
    found.sort();
    wanted.sort();
    assert_eq!(found, wanted);
}

pub(crate) async fn a_delivery_settles_its_item<S: Seen>() {
    let store = one_run::<S>().await;
    let deliveries = [deliver("run_1", 0, "a"), deliver("run_1", 1, "b"), deliver("run_1", 1, "a")];
    let recovery = begun(&store, "k1", "ana", &[&[lease("run_1")], &deliveries[..]].concat()).await;
    let other = begun(&store, "k2", "ben", &[lease("run_1"), whole("rfd_1")]).await;
    done(&store, &recovery, 0, &lease("run_1")).await;
    let why = refused_at(&store, &other, 0, &lease("run_1"), 2001).await;
    assert!(why.contains("being recovered by ana"), "{why}");
    let why = refused_at(&store, &recovery, 1, &deliveries[0], 2001).await;
    assert!(why.contains("epoch 0, now 1"), "{why}");
    let why = refused_at(&store, &recovery, 2, &deliveries[1], 2001).await;
    assert!(why.contains("prj_b belongs to another account"), "{why}");
    done(&store, &recovery, 3, &deliveries[2]).await;
    let why = refused_at(&store, &other, 1, &whole("rfd_1"), 9000).await;
    assert!(why.contains("delivered (new_run_1_1) by ana"), "{why}");
    assert_eq!(state(&store, "chg_1").await, "delivered");
    assert_eq!(number(&store, "SELECT count(*) FROM placements WHERE output_id = 'new_run_1_1'").await, 1);
    assert_whole(&store).await;
}

pub(crate) async fn a_released_item_can_be_restored<S: Seen>() {
    let store = one_run::<S>().await;
    let release = Effect::ReleaseItem { run_id: "run_1".into(), item: 1, epoch: 1, why: "gone".into() };
    let key = begun(&store, "k1", "ana", &[lease("run_1"), release.clone(), whole("rfd_1")]).await;
    done(&store, &key, 0, &lease("run_1")).await;
    assert_eq!(done(&store, &key, 1, &release).await, Receipt::Released);
    done(&store, &key, 2, &whole("rfd_1")).await;
    assert_eq!(state(&store, "chg_1").await, "refunded");
}

pub(crate) async fn the_platforms_refund_fences_a_recovery<S: Seen>() {
    let store = one_run::<S>().await;
    let key = begun(&store, "k1", "ana", &[lease("run_1"), deliver("run_1", 1, "a")]).await;
    done(&store, &key, 0, &lease("run_1")).await;
    let auto = refund("rfd_p", "chg_1", "run_1", "posted", &[1], &[("bal_q", 320)]);
    assert_eq!(store.import(&[auto], at(2100)).await.unwrap().added, 1);
    let why = refused_at(&store, &key, 1, &deliver("run_1", 1, "a"), 2101).await;
    assert!(why.contains("refunded (rfd_p) by the platform"), "{why}");
    assert_eq!(level(&store, "bal_q").await, 1000);
}

pub(crate) async fn a_duplicate_charge_is_restored_while_the_first_is_delivered<S: Seen>() {
    let mut retry = run_row("run_2", "a", "a", 30);
    retry["retry_of"] = "run_1".into();
    retry["retry_initiator"] = "system".into();
    let store = world::<S>(vec![
        run("run_1", "a", "a", 10),
        fact("run", retry),
        charge("chg_1", "run_1", "a", 20, &[100], &[("bal_q", 100)]),
        charge("chg_2", "run_2", "a", 40, &[100], &[("bal_q", 100)]),
        output("out_1", "run_2", "a", "stored"),
    ])
    .await;
    assert_eq!((state(&store, "chg_1").await, state(&store, "chg_2").await), ("delivered".into(), "charged".into()));
    let (second, first) = (restore("rfd_2", "chg_2", "run_1", 100), restore("rfd_1", "chg_1", "run_1", 100));
    let key = begun(&store, "k1", "ana", &[second.clone(), first.clone()]).await;
    done(&store, &key, 0, &second).await;
    let why = refused_at(&store, &key, 1, &first, 2100).await;
    assert!(why.contains("delivered (out_1) by the platform"), "{why}");
    assert_eq!(level(&store, "bal_q").await, 900);
}

fn to(project: &str, node: &str) -> Effect {
    let place = Place::Node { project_id: project.into(), node_id: node.into() };
    Effect::Move { output_id: "out_1".into(), place }
}

pub(crate) async fn a_moved_output_delivers_and_a_quarantined_one_is_out_of_reach<S: Seen>() {
    let mut facts = vec![project("prj_a2", "Other", "acc_a", None), node("nd_a2", "prj_a2")];
    facts.extend([run("run_1", "a", "a", 10), charge("chg_1", "run_1", "a", 20, &[10], &[("bal_q", 10)])]);
    facts.push(output("out_1", "run_1", "b", "stored"));
    let store = world::<S>(facts).await;
    assert_eq!(state(&store, "chg_1").await, "charged", "with Ben it is not delivered");
    let hide = Effect::Quarantine { output_id: "out_1".into(), reason: "foreign".into() };
    let lost = Effect::Quarantine { output_id: "out_9".into(), reason: "foreign".into() };
    let steps =
        [hide.clone(), to("prj_b", "nd_b"), to("prj_a", "nd_a2"), to("prj_a2", "nd_a2"), lost.clone(), hide.clone()];
    let key = begun(&store, "k1", "ana", &steps).await;
    done(&store, &key, 0, &hide).await;
    let requester = new_case("x").ticket.requester;
    assert_eq!(store.scope(&requester, None, at(3000)).await.unwrap().runs[0].outputs, vec![]);
    let why = refused_at(&store, &key, 1, &steps[1], 2100).await;
    assert!(why.contains("another account"), "{why}");
    let why = refused_at(&store, &key, 2, &steps[2], 2100).await;
    assert!(why.contains("node nd_a2 is not in project prj_a"), "{why}");
    done(&store, &key, 3, &steps[3]).await;
    assert_eq!(state(&store, "chg_1").await, "delivered");
    assert_eq!(store.scope(&requester, None, at(3000)).await.unwrap().runs[0].outputs.len(), 1);
    assert_eq!(number(&store, "SELECT count(*) FROM placements WHERE output_id = 'out_1'").await, 2);
    assert_eq!(refused_at(&store, &key, 4, &lost, 2100).await, "there is no output out_9");
    done(&store, &key, 5, &hide).await;
    assert_eq!(state(&store, "chg_1").await, "damaged", "what delivered it can't be reached");
    assert_whole(&store).await;
}

pub(crate) async fn a_refunded_items_file_is_not_handed_over<S: Seen>() {
    let store = one_run::<S>().await;
    take(&store, &[output("out_1", "run_1", "b", "stored")], at(1001)).await;
    let key = begun(&store, "k1", "ana", &[whole("rfd_1"), to("prj_a", "nd_a")]).await;
    done(&store, &key, 0, &whole("rfd_1")).await;
    let why = refused_at(&store, &key, 1, &to("prj_a", "nd_a"), 2100).await;
    assert!(why.contains("output out_1 can't be moved: it was refunded (rfd_1) by ana"), "{why}");
}

type Twist = fn(&mut ChargeRestoration);

pub(crate) async fn restorations_that_do_not_add_up_are_refused<S: Seen>() {
    let store = one_run::<S>().await;
    let twisted = |twist: Twist| {
        let mut effect = whole("rfd_1");
        if let Effect::Restore { restoration, .. } = &mut effect {
            twist(restoration);
        }
        effect
    };
    let table: [(Twist, &str); 8] = [
        (|row| row.items[0].credits = 319, "do not add up"),
        (|row| (row.items[0].credits, row.lines[0].amount) = (0, 0), "nothing to restore"),
        (|row| (row.items[0].credits, row.lines[0].amount) = (321, 321), "cost only 320"),
        (|row| row.account_id = "acc_b".into(), "paid by another account"),
        (|row| row.lines[0].target = "bal_b".into(), "belongs to another account"),
        (|row| row.lines[0].target = "usage:acc_a".into(), "no balance usage:acc_a"),
        (|row| row.run_id = "run_x".into(), "is not of run run_x"),
        (|row| row.charge_id = "chg_9".into(), "there is no charge chg_9"),
    ];
    let effects: Vec<Effect> = table.iter().map(|(twist, _)| twisted(*twist)).collect();
    let key = begun(&store, "k1", "ana", &effects).await;
    for (step, (effect, (_, words))) in (0..).zip(effects.iter().zip(&table)) {
        let why = refused_at(&store, &key, step, effect, 2100).await;
        assert!(why.contains(words), "{words}: {why}");
    }
    assert_eq!(level(&store, "bal_q").await, 680);
    assert_eq!(number(&store, "SELECT count(*) FROM refunds").await, 0);
}
