//! What a test looks at that no port tells: how items stand, who is due, whether the books balance.

use std::sync::PoisonError;

use jiff::Timestamp;
use makegood_domain::ids::{BalanceId, ChargeId, RunId};
use makegood_domain::ledger::RefundState;
use makegood_domain::money::Credits;
use makegood_domain::settlement::{Item, State};

use super::record::{Purpose, Record};
use super::{MemoryStore, items, ledger};

/// How a charged item stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SeenItem {
    pub charge: String,
    pub item: u32,
    pub state: State,
    pub seq: i64,
    pub epoch: i64,
    pub refunded: Credits,
}

/// A line of the list of due runs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SeenDue {
    pub root: String,
    pub charged_at: Option<Timestamp>,
    /// `None`: parked.
    pub next_at: Option<Timestamp>,
    pub tries: u32,
    pub claimed_by: Option<String>,
}

impl MemoryStore {
    fn look<T>(&self, work: impl FnOnce(&Record) -> T) -> T {
        work(&self.record.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// All charged items, by charge and number.
    #[must_use]
    pub fn seen_items(&self) -> Vec<SeenItem> {
        let seen = |((charge, item), row): (&(ChargeId, u32), &super::record::ItemRow)| SeenItem {
            charge: charge.0.clone(),
            item: *item,
            state: row.stands.state,
            seq: row.stands.seq,
            epoch: row.stands.epoch,
            refunded: row.stands.refunded,
        };
        self.look(|record| record.items.iter().map(seen).collect())
    }

    /// The list of due runs, by id.
    #[must_use]
    pub fn seen_due(&self) -> Vec<SeenDue> {
        let seen = |(root, due): (&RunId, &super::record::Due)| SeenDue {
            root: root.0.clone(),
            charged_at: due.charged_at,
            next_at: due.next_at,
            tries: due.tries,
            claimed_by: due.claim.as_ref().map(|(worker, _)| worker.clone()),
        };
        self.look(|record| record.due.iter().map(seen).collect())
    }

    /// How an item stands.
    #[must_use]
    pub fn item(&self, charge: &ChargeId, number: u32) -> Option<Item> {
        self.look(|record| record.items.get(&(charge.clone(), number)).map(|row| row.stands.clone()))
    }

    /// Level of a customer's balance.
    #[must_use]
    pub fn level(&self, balance: &BalanceId) -> Option<Credits> {
        self.look(|record| ledger::level(record, balance).map(|(_, level)| level))
    }

    /// What contradicts the books, in plain words: normally nothing (I1, I2, I5).
    #[must_use]
    pub fn breaks(&self) -> Vec<String> {
        self.look(breaks)
    }
}

pub(super) fn breaks(record: &Record) -> Vec<String> {
    let mut found = Vec::new();
    if record.balances.values().map(|row| row.level).sum::<Credits>() != 0 {
        found.push("the levels do not add up to 0".to_owned());
    }
    for (id, row) in record.balances.iter() {
        let postings = record.postings.values();
        let moved: Credits = postings
            .map(|posting| match () {
                () if posting.to == *id => posting.line.amount,
                () if posting.from == *id => -posting.line.amount,
                () => 0,
            })
            .sum();
        if moved != row.level || (row.level < 0 && matches!(row.purpose, Purpose::Customer { .. })) {
            found.push(format!("balance {id} is at {}, its postings say {moved}", row.level));
        }
    }
    for (id, row) in record.charges.iter() {
        let standing = |number: u32| {
            let posted = record
                .refunds
                .values()
                .filter(|row| row.refund.charge_id == *id && row.refund.state == RefundState::Posted);
            posted.flat_map(|row| &row.items).filter(|item| item.0 == number).map(|item| item.1).sum::<Credits>()
        };
        let mut total = 0;
        for (number, item) in items::items_of(record, id) {
            let Item { price, refunded, state, .. } = item.stands;
            total += price;
            if refunded != standing(number) || refunded > price || (refunded > 0 && state != State::Refunded) {
                found.push(format!("item {number} of {id} is {} with {refunded} of {price} back", state.word()));
            }
        }
        if total != row.charge.total {
            found.push(format!("the items of {id} add up to {total}, not {}", row.charge.total));
        }
    }
    found
}
