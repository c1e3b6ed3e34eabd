//! Ten thousand charges with random splits and restorations, against a model in plain numbers.

use std::collections::BTreeMap;

use makegood_domain::diagnose::{ChargeRestoration, RestoredItem, RestoredLine};
use makegood_domain::feed::Fact;
use makegood_domain::money::{BalanceKind, item_prices};
use makegood_domain::plan::Effect;
use makegood_domain::ports::{ActionStore, Applied};
use proptest::collection::vec;
use proptest::prelude::*;

use super::world::{assert_whole, at, begin, charge, level, number, run, trust, world};

const CASES: u32 = 40;
const CHARGES: usize = 250;
const TRIES: usize = 150;

/// A charge as the model keeps it.
#[derive(Debug)]
struct Known {
    id: String,
    /// What is left of each item and of each source.
    items: Vec<i64>,
    sources: Vec<(&'static str, i64)>,
}

/// A random restoration: which charge, which item, how much, and how it is wrong, if it is.
type Try = (usize, usize, i64, u8);

fn build(shapes: &[(i64, u32, i64)]) -> (Vec<Fact>, Vec<Known>, BTreeMap<&'static str, i64>) {
    let mut levels = BTreeMap::from([("bal_q", 1000), ("bal_w", 100), ("bal_b", 500)]);
    let (mut facts, mut known) = (vec![run("run_1", "a", "a", 10)], Vec::new());
    for (place, (total, items, share)) in shapes.iter().enumerate() {
        let quota = (total * share / 100).min(levels["bal_q"]);
        let wallet = (total - quota).min(levels["bal_w"]);
        let total = quota + wallet;
        let id = format!("chg_{place}");
        let prices = item_prices(total, *items);
        let sources: Vec<(&'static str, i64)> =
            [("bal_q", quota), ("bal_w", wallet)].into_iter().filter(|source| source.1 > 0).collect();
        facts.push(charge(&id, "run_1", "a", 20, &prices, &sources));
        for (balance, amount) in &sources {
            *levels.entry(balance).or_default() -= amount;
        }
        known.push(Known { id, items: prices, sources });
    }
    (facts, known, levels)
}

/// The restoration of a try, and whether it is right.
fn attempt(known: &Known, (_, item, amount, twist): Try) -> (ChargeRestoration, bool, usize) {
    let place = item % known.items.len();
    let credits = if twist == 0 { amount } else { amount % (known.items[place] + 1) };
    let mut lines = Vec::new();
    let mut rest = credits;
    for (source, left) in &known.sources {
        let part = rest.min(*left);
        if part > 0 {
            lines.push((*source, *source, part));
            rest -= part;
        }
    }
    if rest > 0 {
        lines.push(("bal_q", "bal_q", rest));
    }
    match (twist, lines.first_mut()) {
        (1, Some(line)) => line.1 = "bal_b",
        (2, Some(line)) => line.2 += 1,
        (3, Some(line)) => line.0 = "bal_w",
        (4, Some(line)) => line.1 = "bal_w",
        _ => {}
    }
    let mut drawn: BTreeMap<&str, i64> = BTreeMap::new();
    for (source, _, part) in &lines {
        *drawn.entry(source).or_default() += part;
    }
    let left: BTreeMap<&str, i64> = known.sources.iter().copied().collect();
    let right = credits > 0
        && credits <= known.items[place]
        && lines.iter().map(|line| line.2).sum::<i64>() == credits
        && lines.iter().all(|line| line.1 != "bal_b")
        && drawn.iter().all(|(source, part)| left.get(source).is_some_and(|left| part <= left));
    let restoration = ChargeRestoration {
        charge_id: known.id.as_str().into(),
        run_id: "run_1".into(),
        account_id: "acc_a".into(),
        items: vec![RestoredItem { item: u32::try_from(place + 1).unwrap(), credits }],
        lines: lines
            .iter()
            .map(|(source, target, amount)| RestoredLine {
                source: (*source).into(),
                target: (*target).into(),
                target_kind: BalanceKind::Wallet,
                amount: *amount,
            })
            .collect(),
    };
    (restoration, right, place)
}

async fn play(shapes: &[(i64, u32, i64)], tries: &[Try]) {
    let (facts, mut known, mut levels) = build(shapes);
    let store = world(facts).await;
    trust(&store).await;
    for (step, what) in (0_u32..).zip(tries) {
        let place = what.0 % known.len();
        let charge = &mut known[place];
        let (restoration, right, item) = attempt(charge, *what);
        let lines = restoration.lines.clone();
        let effect =
            Effect::Restore { refund_id: format!("rfd_{step}").as_str().into(), restoration, cause: "x".into() };
        let key = begin(&store, &format!("k{step}"), "ana", std::slice::from_ref(&effect)).await;
        let outcome = store.apply(&key, 0, 0, &effect, at(3000)).await.unwrap();
        assert_eq!(matches!(outcome, Applied::Done(_)), right, "{what:?} of {charge:?}: {outcome:?}");
        if right {
            for line in &lines {
                charge.items[item] -= line.amount;
                let source = charge.sources.iter_mut().find(|source| source.0 == line.source.as_str()).unwrap();
                source.1 -= line.amount;
                *levels.get_mut(line.target.as_str()).unwrap() += line.amount;
            }
        }
    }
    for (balance, wanted) in levels {
        assert_eq!(level(&store, balance).await, wanted, "{balance} is not off by a credit");
    }
    assert_eq!(number(&store, "SELECT sum(level) FROM balances").await, 0);
    assert_eq!(
        number(&store, "SELECT count(*) FROM charge_items WHERE (state = 'refunded') <> (refunded > 0)").await,
        0,
        "an item is refunded exactly where credits went back for it"
    );
    assert_whole(&store).await;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, max_shrink_iters: 200, failure_persistence: None,
        ..ProptestConfig::default() })]
    #[test]
    fn no_balance_is_off_by_a_credit(
        shapes in vec((0_i64..9, 1_u32..6, 0_i64..=100), CHARGES),
        tries in vec((0_usize..CHARGES, 0_usize..6, 0_i64..15, 0_u8..12), TRIES),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(play(&shapes, &tries));
    }
}
