//! The protocol of one charged item: who may recover it, deliver it, refund it, and in which order.
//!
//! Sans I/O: an item as it stands and a move give the item as it stands next, or say why not. The
//! stores, their in-memory model and the simulator decide by this one function. The stores hold the
//! same rules a second time, in keys and triggers, against whoever writes past it.
//!
//! Three things make it safe (P4). A change follows the newest one: `seq` rises by one, and two
//! writers of the same `seq` meet the same key. `epoch` is the fencing token: it rises with each lease
//! and each time a lease is ended for its holder, so that a holder who comes late is told so. And
//! `refunded` never exceeds `price`, nor is anything refunded of what is delivered.

mod first;
#[cfg(test)]
mod tests;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use first::First;

use crate::ids::ActionKey;
use crate::money::Credits;
use crate::words::words;

words! {
    /// Where an item stands.
    State {
        /// Paid for, and nothing has come of it.
        Charged = "charged",
        /// Somebody recovers it, under a lease.
        Delivering = "delivering",
        /// A recovery was given up, or ended from outside.
        Released = "released",
        /// The file is stored intact with the account that paid.
        Delivered = "delivered",
        /// It was delivered, and the file is damaged or out of reach now.
        Damaged = "damaged",
        /// Credits went back for it.
        Refunded = "refunded",
        /// Credits went back, and were taken again.
        Reversed = "reversed",
    }
}

/// The pairs of states that may follow one another. The stores' tables hold the same.
pub const PAIRS: &[(State, State)] = &[
    (State::Charged, State::Delivering),
    (State::Charged, State::Delivered),
    (State::Charged, State::Refunded),
    (State::Released, State::Delivering),
    (State::Released, State::Delivered),
    (State::Released, State::Refunded),
    (State::Reversed, State::Delivering),
    (State::Reversed, State::Delivered),
    (State::Reversed, State::Refunded),
    (State::Damaged, State::Delivering),
    (State::Damaged, State::Delivered),
    (State::Damaged, State::Refunded),
    (State::Delivering, State::Delivering),
    (State::Delivering, State::Delivered),
    (State::Delivering, State::Released),
    (State::Delivered, State::Damaged),
    (State::Refunded, State::Refunded),
    (State::Refunded, State::Reversed),
];

impl State {
    /// Whether `next` may follow.
    #[must_use]
    pub fn may_become(self, next: Self) -> bool {
        PAIRS.contains(&(self, next))
    }

    /// Whether the item has its one remedy (P4).
    #[must_use]
    pub fn is_settled(self) -> bool {
        matches!(self, Self::Delivered | Self::Refunded)
    }
}

/// The right to deliver an item, for a time.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Lease {
    pub key: ActionKey,
    /// From this instant on others may end it. Until somebody does, the holder may still deliver.
    pub until: Timestamp,
}

/// A charged item as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Item {
    /// What it cost.
    pub price: Credits,
    /// What stands refunded of that.
    pub refunded: Credits,
    pub state: State,
    /// Number of its newest change, from 0.
    pub seq: i64,
    /// Fencing token of its newest lease.
    pub epoch: i64,
    /// Set while `state` is delivering, and only then.
    pub lease: Option<Lease>,
}

/// Who makes a move: the platform tells what has happened, an action asks for something to happen.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum By {
    Platform,
    Action(ActionKey),
}

/// A change of one item.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Move {
    /// Takes the lease until then; the epoch rises.
    Lease { key: ActionKey, until: Timestamp },
    /// An intact output lies with the account that paid. An action needs the newest lease, by `epoch`.
    Deliver { by: By, epoch: i64 },
    /// The holder gives the lease back.
    Release { key: ActionKey, epoch: i64 },
    /// Ends a lease that is over, or that the platform has overtaken; its holder's epoch is void.
    Fence { by: By },
    /// Credits go back: more than 0, or 0 for an item that cost nothing.
    Refund { amount: Credits },
    /// A refund of this amount stands no longer. The item is owed again once none stands.
    Reverse { amount: Credits },
    /// The delivered file is damaged, or out of the customer's reach.
    Damage,
}

/// Why a move is not made.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refusal {
    #[error("it has its remedy: it is {}", .0.word())]
    Settled(State),
    #[error("it is being recovered by action {key} until {until}")]
    Leased { key: ActionKey, until: Timestamp },
    #[error("the lease is no longer this action's (epoch {epoch}, now {now})")]
    NotHeld { epoch: i64, now: i64 },
    #[error("a lease until {until} is over at {at}")]
    NoLease { until: Timestamp, at: Timestamp },
    #[error("it cost only {price}, of which {refunded} stand refunded: {amount} more would be too much")]
    AbovePrice { price: Credits, refunded: Credits, amount: Credits },
    #[error("{amount} credits are no refund of an item that cost {price}")]
    NoRefund { amount: Credits, price: Credits },
    #[error("only {refunded} stand refunded: {amount} can't be taken back")]
    NotRefunded { refunded: Credits, amount: Credits },
    #[error("an item that is {} can't become {}", .from.word(), .to.word())]
    Impossible { from: State, to: State },
}

impl Item {
    /// An item that has just been charged.
    #[must_use]
    pub fn charged(price: Credits) -> Self {
        Self { price, refunded: 0, state: State::Charged, seq: 0, epoch: 0, lease: None }
    }

    /// The lease that keeps others off at `at`, if there is one. Instants count in microseconds, as
    /// the stores keep them.
    #[must_use]
    pub fn leased_at(&self, at: Timestamp) -> Option<&Lease> {
        self.lease.as_ref().filter(|lease| at.as_microsecond() < lease.until.as_microsecond())
    }

    /// What is owed of it (P4): the price minus what stands refunded; nothing of what is delivered.
    #[must_use]
    pub fn owed(&self) -> Credits {
        if self.state == State::Delivered { 0 } else { self.price - self.refunded }
    }

    fn held_by(&self, key: &ActionKey) -> bool {
        self.state == State::Delivering && self.lease.as_ref().is_some_and(|lease| lease.key == *key)
    }

    /// The next change: one state further, without a lease.
    fn next(&self, state: State, epoch: i64) -> Result<Self, Refusal> {
        if !self.state.may_become(state) {
            return Err(match self.state.is_settled() {
                true => Refusal::Settled(self.state),
                false => Refusal::Impossible { from: self.state, to: state },
            });
        }
        Ok(Self { state, seq: self.seq + 1, epoch, lease: None, ..self.clone() })
    }
}

/// The item after a move at `at`.
///
/// # Errors
/// Why the move is not made; the item stays as it is.
pub fn step(item: &Item, what: &Move, at: Timestamp) -> Result<Item, Refusal> {
    match what {
        Move::Lease { key, until } => {
            if let Some(live) = item.leased_at(at) {
                return Err(Refusal::Leased { key: live.key.clone(), until: live.until });
            }
            if until.as_microsecond() <= at.as_microsecond() {
                return Err(Refusal::NoLease { until: *until, at });
            }
            let leased = item.next(State::Delivering, item.epoch + 1)?;
            Ok(Item { lease: Some(Lease { key: key.clone(), until: *until }), ..leased })
        }
        Move::Deliver { by: By::Platform, .. } => item.next(State::Delivered, item.epoch),
        Move::Deliver { by: By::Action(key), epoch } => {
            check_held(item, key, *epoch)?;
            item.next(State::Delivered, item.epoch)
        }
        Move::Release { key, epoch } => {
            check_held(item, key, *epoch)?;
            item.next(State::Released, item.epoch)
        }
        Move::Fence { by } => fence(item, by, at),
        Move::Refund { amount } => refund(item, *amount, at),
        Move::Reverse { amount } => reverse(item, *amount),
        Move::Damage => item.next(State::Damaged, item.epoch),
    }
}

/// The item after a refund, with the item as it stands in between where a lease has to be ended first:
/// one that is over, or any where the platform says that it has refunded.
///
/// # Errors
/// As [`step`].
pub fn settle_by_refund(item: &Item, by: &By, amount: Credits, at: Timestamp) -> Result<(Option<Item>, Item), Refusal> {
    if item.state != State::Delivering {
        return step(item, &Move::Refund { amount }, at).map(|refunded| (None, refunded));
    }
    let fenced = step(item, &Move::Fence { by: by.clone() }, at)?;
    let refunded = step(&fenced, &Move::Refund { amount }, at)?;
    Ok((Some(fenced), refunded))
}

/// The item after an action that brought its output to its place in one go: leased, then delivered.
///
/// # Errors
/// As [`step`].
pub fn settle_by_place(item: &Item, key: &ActionKey, until: Timestamp, at: Timestamp) -> Result<(Item, Item), Refusal> {
    let leased = step(item, &Move::Lease { key: key.clone(), until }, at)?;
    let delivered = step(&leased, &Move::Deliver { by: By::Action(key.clone()), epoch: leased.epoch }, at)?;
    Ok((leased, delivered))
}

/// The item after an action that released it against a new debit: its refunds, of these amounts, stand no longer,
/// and it is delivered in one go (P4). As it stands in between, and then.
///
/// # Errors
/// As [`step`]: where these are not all its refunds, it keeps the remedy that it has.
pub fn settle_by_release(
    item: &Item,
    refunds: &[Credits],
    key: &ActionKey,
    until: Timestamp,
    at: Timestamp,
) -> Result<(Item, Item), Refusal> {
    let mut reversed = item.clone();
    for amount in refunds {
        reversed = step(&reversed, &Move::Reverse { amount: *amount }, at)?;
    }
    if item.state != State::Refunded || reversed.state != State::Reversed {
        let amount = refunds.iter().copied().fold(0, Credits::saturating_add);
        return Err(Refusal::NotRefunded { refunded: item.refunded, amount });
    }
    let (_, delivered) = settle_by_place(&reversed, key, until, at)?;
    Ok((reversed, delivered))
}

fn check_held(item: &Item, key: &ActionKey, epoch: i64) -> Result<(), Refusal> {
    if item.held_by(key) && item.epoch == epoch {
        return Ok(());
    }
    Err(Refusal::NotHeld { epoch, now: item.epoch })
}

/// An action ends a lease only when it is over. Where the lease was the action's own, nobody else
/// could deliver by it: the epoch stays.
fn fence(item: &Item, by: &By, at: Timestamp) -> Result<Item, Refusal> {
    let own = match by {
        By::Platform => false,
        By::Action(key) => {
            if let Some(live) = item.leased_at(at) {
                return Err(Refusal::Leased { key: live.key.clone(), until: live.until });
            }
            item.held_by(key)
        }
    };
    item.next(State::Released, item.epoch + i64::from(!own))
}

fn refund(item: &Item, amount: Credits, at: Timestamp) -> Result<Item, Refusal> {
    if let Some(live) = item.leased_at(at) {
        return Err(Refusal::Leased { key: live.key.clone(), until: live.until });
    }
    if item.state == State::Delivered || (item.state == State::Refunded && item.refunded == item.price) {
        return Err(Refusal::Settled(item.state));
    }
    if amount < 0 || (amount == 0) != (item.price == 0) {
        return Err(Refusal::NoRefund { amount, price: item.price });
    }
    // Not as a sum, which could leave the range of numbers.
    if amount > item.price - item.refunded {
        return Err(Refusal::AbovePrice { price: item.price, refunded: item.refunded, amount });
    }
    let refunded = item.next(State::Refunded, item.epoch)?;
    Ok(Item { refunded: item.refunded + amount, ..refunded })
}

fn reverse(item: &Item, amount: Credits) -> Result<Item, Refusal> {
    if item.state != State::Refunded || amount < 0 || amount > item.refunded || (amount == 0) != (item.price == 0) {
        return Err(Refusal::NotRefunded { refunded: item.refunded, amount });
    }
    let refunded = item.refunded - amount;
    if refunded > 0 {
        return Ok(Item { refunded, ..item.clone() });
    }
    let reversed = item.next(State::Reversed, item.epoch)?;
    Ok(Item { refunded, ..reversed })
}
