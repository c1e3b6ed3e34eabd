//! Two programs on one record, for the same items at the same time: one wins, the other is told who.

use makegood_domain::diagnose::Verdict;
use makegood_domain::plan::Effect;
use makegood_domain::ports::{
    ActionStore, Applied, Begun, CaseStore, Draft, DraftKind, DraftSave, FactStore, QueueQuery,
};

use super::world::{
    assert_whole, at, base, begin, charge, done, finding, lease, level, new_case, number, order, plan, record, restore,
    run,
};
use crate::postgres::PgStore;

const PAIRS: u32 = 40;

async fn charged(runs: u32, prices: &[i64]) -> PgStore {
    let store = record().await;
    let mut facts = base();
    let total: i64 = prices.iter().sum();
    for number in 0..runs {
        let id = format!("run_{number}");
        facts.push(run(&id, "a", "a", 10));
        facts.push(charge(&format!("chg_{number}"), &id, "a", 20, prices, &[("bal_q", total)]));
    }
    assert_eq!(store.import(&facts, at(1000)).await.unwrap().rejected, vec![]);
    store
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_remedies_one_is_done() {
    let store = charged(PAIRS, &[10]).await;
    let named = |prefix: &str, pair: u32| {
        restore(&format!("rfd_{prefix}{pair}"), &format!("chg_{pair}"), &format!("run_{pair}"), 10)
    };
    // Half of the pairs are two restorations, half a restoration against a recovery.
    let ones: Vec<Effect> = (0..PAIRS).map(|pair| named("a", pair)).collect();
    let others: Vec<Effect> =
        (0..PAIRS).map(|pair| if pair % 2 == 0 { named("b", pair) } else { lease(&format!("run_{pair}")) }).collect();
    let (first, second) = (begin(&store, "k1", "ana", &ones).await, begin(&store, "k2", "ben", &others).await);
    let mut restored = 0;
    for (pair, (one, other)) in (0..).zip(ones.iter().zip(&others)) {
        let (one, other) =
            tokio::join!(store.apply(&first, pair, 0, one, at(2000)), store.apply(&second, pair, 0, other, at(2000)));
        let (one, other) = (one.unwrap(), other.unwrap());
        let (loser, winner) = match (&one, &other) {
            (Applied::Done(_), Applied::Refused(why)) => (why, "ana"),
            (Applied::Refused(why), Applied::Done(_)) => (why, "ben"),
            both => panic!("pair {pair}: {both:?}"),
        };
        assert!(loser.contains(&format!("by {winner}")), "{loser}");
        restored += i64::from(winner == "ana" || pair % 2 == 0);
    }
    assert_eq!(level(&store, "bal_q").await, 1000 - 10 * (i64::from(PAIRS) - restored));
    assert_eq!(number(&store, "SELECT count(*) FROM api.refunds").await, restored);
    assert_whole(&store).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_step_sent_many_times_at_once_is_done_once() {
    let store = charged(1, &[10]).await;
    let effect = restore("rfd_1", "chg_0", "run_0", 10);
    let key = begin(&store, "k1", "ana", std::slice::from_ref(&effect)).await;
    let sent: Vec<_> = (0..8)
        .map(|_| {
            let (store, key, effect) = (store.clone(), key.clone(), effect.clone());
            tokio::spawn(async move { store.apply(&key, 0, 0, &effect, at(2000)).await.unwrap() })
        })
        .collect();
    let mut answers = Vec::new();
    for task in sent {
        answers.push(task.await.unwrap());
    }
    assert!(matches!(answers[0], Applied::Done(_)), "{:?}", answers[0]);
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    assert_eq!(number(&store, "SELECT count(*) FROM api.audit WHERE act = 'restore'").await, 1);
    assert_eq!(level(&store, "bal_q").await, 1000);
}

/// Two cases about one run, and an item of it for each: neither copy of the amount may miss the
/// other's restoration, and neither case may wait for the other for ever.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_queue_misses_nothing_of_two_restorations_at_once() {
    let store = charged(PAIRS, &[7, 3]).await;
    let item = |number: u32, price: i64, pair: u32| {
        let mut effect =
            restore(&format!("rfd_{number}_{pair}"), &format!("chg_{pair}"), &format!("run_{pair}"), price);
        if let Effect::Restore { restoration, .. } = &mut effect {
            restoration.items[0].item = number;
        }
        effect
    };
    for pair in 0..PAIRS {
        let (one, other) = (item(1, 7, pair), item(2, 3, pair));
        let keys = [(format!("a{pair}"), "ana", &one), (format!("b{pair}"), "ben", &other)];
        for (key, agent, effect) in &keys {
            let begun = begin(&store, key, agent, std::slice::from_ref(*effect)).await;
            let case = store.action(&begun).await.unwrap().unwrap().plan.case_id;
            let found = finding(&format!("run_{pair}"), Verdict::ProviderFailed, None);
            store.save_finding(&case, 1, &found).await.unwrap();
        }
        let (first, second) = (keys[0].0.as_str().into(), keys[1].0.as_str().into());
        let both =
            tokio::join!(store.apply(&first, 0, 0, &one, at(2000)), store.apply(&second, 0, 0, &other, at(2000)));
        let done = |applied| matches!(applied, Applied::Done(_));
        assert!(done(both.0.unwrap()) && done(both.1.unwrap()), "different items");
    }
    let page = store.queue(&QueueQuery { limit: 200, ..QueueQuery::default() }).await.unwrap();
    assert_eq!((page.total, page.stake), (u64::from(2 * PAIRS), 0));
    assert_eq!(level(&store, "bal_q").await, 1000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_beginnings_on_a_case_one_is_new() {
    let store = record().await;
    for number in 0..PAIRS {
        let (case, _) = store.open_case(&new_case(&format!("c{number}"))).await.unwrap();
        let plan = plan(&case.id, case.revision);
        let (one, other) = (order(&format!("a{number}"), "ana"), order(&format!("b{number}"), "ben"));
        let (one, other) = tokio::join!(store.begin_action(&one, &plan), store.begin_action(&other, &plan));
        match (one.unwrap(), other.unwrap()) {
            (Begun::New, Begun::Busy { key, .. }) => assert_eq!(key.0, format!("a{number}")),
            (Begun::Busy { key, .. }, Begun::New) => assert_eq!(key.0, format!("b{number}")),
            both => panic!("{both:?}"),
        }
    }
    assert_eq!(number(&store, "SELECT count(*) FROM api.actions").await, i64::from(PAIRS));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_texts_saved_at_once_both_are_kept() {
    let store = record().await;
    let (case, _) = store.open_case(&new_case("c1")).await.unwrap();
    let draft = |text: String, revision: i64| Draft {
        case_id: case.id.clone(),
        kind: DraftKind::Reply,
        author: "ana".into(),
        text,
        revision,
        saved_at: at(700),
    };
    for round in 0..i64::from(PAIRS) {
        let (here, there) = (draft(format!("here {round}"), round), draft(format!("there {round}"), round));
        let both = tokio::join!(store.save_draft(&here, round), store.save_draft(&there, round));
        let saved = |save: &DraftSave| matches!(save, DraftSave::Saved { revision } if *revision == round + 1);
        let lost = |save: &DraftSave| matches!(save, DraftSave::Conflict { .. });
        let (one, other) = (both.0.unwrap(), both.1.unwrap());
        assert!(saved(&one) && lost(&other) || lost(&one) && saved(&other), "{one:?} {other:?}");
    }
    assert_eq!(number(&store, "SELECT count(DISTINCT text) FROM api.draft_history").await, 2 * i64::from(PAIRS));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lease_is_one_persons() {
    let store = charged(1, &[10]).await;
    let (first, second) =
        (begin(&store, "k1", "ana", &[lease("run_0")]).await, begin(&store, "k2", "ben", &[lease("run_0")]).await);
    done(&store, &first, 0, &lease("run_0")).await;
    let late = store.apply(&second, 0, 0, &lease("run_0"), at(2900)).await.unwrap();
    assert!(matches!(late, Applied::Done(_)), "the first is over: {late:?}");
    let transitions = "SELECT count(*) FROM api.item_transitions WHERE charge_id = 'chg_0'";
    assert_eq!(number(&store, transitions).await, 3);
}
