//! Restorations of parts, many at random: whatever is asked of a charge, in whatever parts, an item
//! never gets back more than it cost, a balance never more than it gave, and what is left over can be
//! given back to the last credit and not one further (I2). What may be done is said here once more, by
//! adding up, and the record must say the same.

use std::collections::BTreeMap;

use makegood_domain::diagnose::{ChargeRestoration, RestoredItem, RestoredLine};
use makegood_domain::feed::Fact;
use makegood_domain::ids::{ActionKey, BalanceId, ChargeId, RefundId};
use makegood_domain::money::{BalanceKind, Credits};
use makegood_domain::plan::Effect;
use makegood_domain::ports::{Applied, FactStore as _, ReconcileStore as _};
use makegood_testkit::MemoryStore;
use serde_json::{Value, json};

use super::tale::at_once;
use crate::dice::Dice;
use crate::product::{ACCOUNT, OPENING, QUOTA, WALLET, at, base, fact};

/// Charges in one record: the books of all of them are compared after each.
const TOGETHER: u64 = 20;
/// Long enough after the charge that the reconciler may restore what it had not noticed.
const DAY: i64 = 86_400;
const SOURCES: [(&str, BalanceKind); 2] = [(QUOTA, BalanceKind::SubscriptionQuota), (WALLET, BalanceKind::Wallet)];

/// What came of all splits.
#[derive(Debug, Default)]
pub struct Splits {
    pub charges: u64,
    pub parts: u64,
    pub refused: u64,
}

/// A charge, and what may still go back: to each item, and to each balance.
struct Left {
    number: u64,
    asked: u32,
    items: BTreeMap<u32, Credits>,
    sources: BTreeMap<&'static str, Credits>,
}

/// What is asked for at once.
struct Part {
    items: BTreeMap<u32, Credits>,
    lines: BTreeMap<&'static str, Credits>,
}

/// Splits so many charges. The error says what must not be.
pub fn play(seed: u64, count: u64) -> anyhow::Result<Splits> {
    let (mut splits, mut dice) = (Splits::default(), Dice::new(seed, "splits"));
    while splits.charges < count {
        let store = MemoryStore::new();
        at_once(store.import(&base()?, at(0)))??;
        for number in 0..TOGETHER.min(count - splits.charges) {
            let mut left = Left::charged(&store, number, &mut dice)?;
            for _ in 0..dice.between(1, 7) {
                let part = left.any(&mut dice);
                left.ask(&store, &part, &mut splits)?;
            }
            left.rest(&store, &mut splits)?;
            let breaks = store.breaks();
            anyhow::ensure!(breaks.is_empty(), "the books of charge {number}: {}", breaks.join("; "));
            splits.charges += 1;
        }
        for (balance, _) in SOURCES {
            let level = store.level(&BalanceId::new(balance));
            anyhow::ensure!(level == Some(OPENING), "everything went back, and {balance} is at {level:?}");
        }
    }
    Ok(splits)
}

impl Left {
    /// A charge of up to six items of any price, of one balance or two.
    fn charged(store: &MemoryStore, number: u64, dice: &mut Dice) -> anyhow::Result<Self> {
        let items: BTreeMap<u32, Credits> =
            (1..=u32::try_from(dice.between(1, 6))?).map(|item| (item, dice.between(1, 40))).collect();
        let total: Credits = items.values().sum();
        let quota = if dice.chance(30) { total } else { dice.between(0, total) };
        let sources = BTreeMap::from([(QUOTA, quota), (WALLET, total - quota)]);
        let left = Self { number, asked: 0, items, sources };
        let report = at_once(store.import(&left.facts(total)?, at(60)))??;
        anyhow::ensure!(report.rejected.is_empty(), "charge {number} is not taken: {:?}", report.rejected);
        Ok(left)
    }

    fn id(&self) -> ChargeId {
        ChargeId(format!("chg_p{}", self.number))
    }

    fn facts(&self, total: Credits) -> anyhow::Result<Vec<Fact>> {
        let run = format!("run_p{}", self.number);
        let prices: Vec<Value> =
            self.items.iter().map(|(item, credits)| json!({ "item": item, "credits": credits })).collect();
        let kinds = SOURCES.iter().filter_map(|(id, kind)| Some((id, kind, self.sources.get(id)?)));
        let sources: Vec<Value> = kinds
            .filter(|(_, _, amount)| **amount > 0)
            .map(|(id, kind, amount)| json!({ "balance_id": id, "kind": kind, "amount": amount }))
            .collect();
        Ok(vec![
            fact(
                "run",
                json!({ "id": run, "project_id": "prj_t", "node_id": "nod_t", "started_by": "usr_t",
                    "model_id": "mdl_t", "started_at": at(60), "requested_items": self.items.len(),
                    "status": "awaiting_result", "cancelled_at": null, "retry_of": null, "retry_initiator": null,
                    "params": {} }),
            )?,
            fact(
                "charge",
                json!({ "id": self.id(), "run_id": run, "account_id": ACCOUNT, "posted_at": at(60), "total": total,
                    "items": prices, "sources": sources, "idempotency_key": format!("{run}:charge") }),
            )?,
        ])
    }

    /// Some items, mostly with what they still can get, and that much of any balances; now and then a
    /// credit too much, too few, or none.
    fn any(&self, dice: &mut Dice) -> Part {
        let mut items = BTreeMap::new();
        for (item, left) in &self.items {
            if dice.chance(60) {
                items.insert(*item, dice.between(1, *left) + i64::from(dice.chance(6)));
            }
        }
        let mut wanted: Credits = items.values().sum();
        if dice.chance(4) {
            wanted += dice.between(-1, 1);
        }
        let (quota, wallet) = (self.left_of(QUOTA), self.left_of(WALLET));
        let lowest = (wanted - wallet).max(0);
        let of_quota = if dice.chance(10) { dice.between(0, wanted) } else { dice.between(lowest, wanted.min(quota)) };
        Part { items, lines: BTreeMap::from([(QUOTA, of_quota), (WALLET, wanted - of_quota)]) }
    }

    fn left_of(&self, source: &str) -> Credits {
        self.sources.get(source).copied().unwrap_or_default()
    }

    /// Whether this may go back.
    fn allows(&self, part: &Part) -> bool {
        let total: Credits = part.items.values().sum();
        let fits = |(item, credits): (&u32, &Credits)| {
            *credits > 0 && self.items.get(item).is_some_and(|left| credits <= left)
        };
        total > 0
            && total == part.lines.values().sum::<Credits>()
            && part.items.iter().all(fits)
            && part.lines.iter().all(|(source, amount)| (0..=self.left_of(source)).contains(amount))
    }

    fn effect(&self, part: &Part) -> Effect {
        let items = part.items.iter().map(|(item, credits)| RestoredItem { item: *item, credits: *credits });
        let kinds = SOURCES.iter().filter_map(|(id, kind)| Some((id, kind, *part.lines.get(id)?)));
        let lines = kinds.filter(|(_, _, amount)| *amount != 0).map(|(id, kind, amount)| RestoredLine {
            source: BalanceId::new(*id),
            target: BalanceId::new(*id),
            target_kind: *kind,
            amount,
        });
        Effect::Restore {
            refund_id: RefundId(format!("rfd_p{}_{}", self.number, self.asked)),
            restoration: ChargeRestoration {
                charge_id: self.id(),
                run_id: format!("run_p{}", self.number).as_str().into(),
                account_id: ACCOUNT.into(),
                items: items.collect(),
                lines: lines.collect(),
            },
            cause: "provider_failed".to_owned(),
        }
    }

    /// Asks for a part, twice under one key: the record must do what adding up allows, and once.
    fn ask(&mut self, store: &MemoryStore, part: &Part, splits: &mut Splits) -> anyhow::Result<()> {
        self.asked += 1;
        let (effect, allowed) = (self.effect(part), self.allows(part));
        let key = ActionKey(format!("rec-{}-part-{}", self.id(), self.asked));
        let first = at_once(store.settle(&key, 0, &effect, at(DAY)))??;
        let second = at_once(store.settle(&key, 0, &effect, at(DAY)))??;
        let done = matches!(first, Applied::Done(_));
        anyhow::ensure!(done == allowed, "{effect:?} may be done: {allowed}, and was answered {first:?} (I2)");
        anyhow::ensure!(!done || first == second, "{key} was answered {first:?}, and then {second:?} (I4)");
        if !done {
            splits.refused += 1;
            return Ok(());
        }
        splits.parts += 1;
        for (item, credits) in &part.items {
            self.items.entry(*item).and_modify(|left| *left -= credits);
        }
        for (source, amount) in &part.lines {
            self.sources.entry(source).and_modify(|left| *left -= amount);
        }
        Ok(())
    }

    /// All that is left goes back, and after that nothing.
    fn rest(&mut self, store: &MemoryStore, splits: &mut Splits) -> anyhow::Result<()> {
        let items = self.items.iter().filter(|(_, left)| **left > 0).map(|(item, left)| (*item, *left));
        let all = Part { items: items.collect(), lines: self.sources.clone() };
        self.ask(store, &all, splits)?;
        let left: Credits = self.items.values().sum();
        anyhow::ensure!(left == 0, "{left} credits of {} can't be given back", self.id());
        let one_more = Part { items: BTreeMap::from([(1, 1)]), lines: BTreeMap::from([(WALLET, 1)]) };
        self.ask(store, &one_more, splits)
    }
}
