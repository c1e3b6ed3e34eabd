//! The record's side of the protocol: what it allows in which state, and what a commit changes.

use std::cell::RefCell;
use std::collections::HashMap;

use jiff::Timestamp;
use makegood_domain::ids::ActionKey;
use makegood_domain::settlement::{
    By, Item, Lease, Move, State as ItemState, settle_by_refund, settle_by_release, step,
};

use super::rules::Rules;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    Charged,
    Delivering,
    Released,
    Delivered,
    Damaged,
    Refunded,
    Reversed,
}

impl Phase {
    const NAMES: [(Self, ItemState); 7] = [
        (Self::Charged, ItemState::Charged),
        (Self::Delivering, ItemState::Delivering),
        (Self::Released, ItemState::Released),
        (Self::Delivered, ItemState::Delivered),
        (Self::Damaged, ItemState::Damaged),
        (Self::Refunded, ItemState::Refunded),
        (Self::Reversed, ItemState::Reversed),
    ];

    /// Charged, and neither remedy stands.
    #[must_use]
    pub fn is_open(self) -> bool {
        !matches!(self, Self::Delivered | Self::Refunded)
    }

    fn state(self) -> ItemState {
        Self::NAMES.iter().find(|(phase, _)| *phase == self).map_or(ItemState::Charged, |(_, state)| *state)
    }
}

/// What goes out to the canvas.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Letter {
    None,
    Waiting,
    /// It arrived, and the sender does not know: it will be sent again.
    Unheard,
    Sent,
}

/// What a commit did that must not be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    None,
    Gap,
    UnderLease,
}

/// The item as the database has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Record {
    pub phase: Phase,
    pub seq: u8,
    pub epoch: u8,
    /// Who holds the lease; 0: nobody.
    pub holder: u8,
    pub live: bool,
    /// Prices returned, less those taken back.
    pub returned: i8,
    pub delivered: bool,
    /// Times that it was charged again.
    pub released: u8,
    pub letter: Letter,
    /// What the customer sees.
    pub shown: bool,
    pub fault: Fault,
}

/// What somebody read of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Snap {
    pub phase: Phase,
    pub seq: u8,
    epoch: u8,
    holder: u8,
    live: bool,
}

impl Snap {
    /// The seq of every current reading, where numbers are forgotten.
    pub const CURRENT: u8 = 1;

    /// A reading with its numbers forgotten: as it is, or old.
    #[must_use]
    pub fn seen_from(self, seq: u8) -> Self {
        if self.seq == seq {
            Self { seq: Self::CURRENT, ..self }
        } else {
            Self { phase: Phase::Charged, seq: 0, epoch: 0, holder: 0, live: false }
        }
    }

    #[must_use]
    pub fn leased(self) -> bool {
        self.phase == Phase::Delivering && self.live
    }

    /// The same reading, had the other recovery been the first.
    pub fn swap_holders(&mut self) {
        self.holder = other_recovery(self.holder);
    }

    /// The item, in the words of the rules. It costs 1 credit.
    fn item(self) -> Item {
        let until = instant(if self.live { LIVE } else { OVER });
        Item {
            price: 1,
            refunded: i64::from(self.phase == Phase::Refunded),
            state: self.phase.state(),
            seq: i64::from(self.seq),
            epoch: i64::from(self.epoch),
            lease: (self.phase == Phase::Delivering).then(|| Lease { key: key(self.holder), until }),
        }
    }
}

/// What is asked of the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ask {
    Lease,
    Deliver {
        epoch: u8,
    },
    Release {
        epoch: u8,
    },
    /// End a lease that is over, so that its holder can no longer deliver.
    Fence,
    Refund,
    /// Take the refund back and deliver the item, in one (P4).
    Redebit,
    FactReversed,
    FactDamaged,
}

/// The next state of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Next {
    phase: Phase,
    epoch: u8,
    holder: u8,
    by: u8,
    /// It takes a refund back on the way.
    redebits: bool,
}

impl Next {
    fn of(item: &Item, by: u8) -> Option<Self> {
        let (phase, _) = Phase::NAMES.into_iter().find(|(_, state)| *state == item.state)?;
        let holder = if phase == Phase::Delivering { by } else { 0 };
        Some(Self { phase, epoch: u8::try_from(item.epoch).ok()?, holder, by, redebits: false })
    }
}

impl Record {
    #[must_use]
    pub fn charged() -> Self {
        Self {
            phase: Phase::Charged,
            seq: Snap::CURRENT,
            epoch: 0,
            holder: 0,
            live: false,
            returned: 0,
            delivered: false,
            released: 0,
            letter: Letter::None,
            shown: false,
            fault: Fault::None,
        }
    }

    /// The same record, had the other recovery been the first.
    pub fn swap_holders(&mut self) {
        self.holder = other_recovery(self.holder);
    }

    #[must_use]
    pub fn snap(&self) -> Snap {
        Snap { phase: self.phase, seq: self.seq, epoch: self.epoch, holder: self.holder, live: self.live }
    }
}

fn other_recovery(holder: u8) -> u8 {
    match holder {
        1 => 2,
        2 => 1,
        other => other,
    }
}

/// Whether `by` holds the item's newest lease.
#[must_use]
pub fn held_by(record: &Record, by: u8, epoch: u8) -> bool {
    record.phase == Phase::Delivering && record.holder == by && record.epoch == epoch
}

/// The instants between which the model knows a difference: a live lease, and one that is over.
const OVER: i64 = 500;
const NOW: i64 = 1_000;
const LIVE: i64 = 2_000;

/// What was decided before: the same reading and question, the same answer.
type Known = HashMap<(Snap, Ask, u8), Option<Next>>;

/// What the record allows, decided on what was read, by the rules that the stores have.
pub struct Decider {
    rules: Rules,
    known: RefCell<Known>,
}

impl Decider {
    pub fn new(rules: Rules) -> Self {
        Self { rules, known: RefCell::default() }
    }

    /// `None`: refused. The platform is `by` 0: its facts have happened, so a lease does not keep
    /// them off.
    pub fn decide(&self, snap: Snap, ask: Ask, by: u8) -> Option<Next> {
        let mut known = self.known.borrow_mut();
        *known.entry((snap, ask, by)).or_insert_with(|| ask_the_rules(&self.bent(snap, ask, by), ask, by))
    }

    /// What the rules are told instead of what was read, where one is left out.
    fn bent(&self, snap: Snap, ask: Ask, by: u8) -> Snap {
        let mut told = snap;
        if !self.rules.once && !told.phase.is_open() {
            told = Snap { phase: Phase::Released, holder: 0, live: false, ..told };
        }
        if !self.rules.lease_keeps_off && ask == Ask::Refund {
            told.live = false;
        }
        if !self.rules.refund_stands && ask == Ask::Redebit && told.phase == Phase::Reversed {
            told.phase = Phase::Refunded;
        }
        match ask {
            Ask::Deliver { epoch } | Ask::Release { epoch } if !self.rules.fence && told.phase.is_open() => {
                Snap { phase: Phase::Delivering, holder: by, epoch, ..told }
            }
            _ => told,
        }
    }
}

fn ask_the_rules(snap: &Snap, ask: Ask, by: u8) -> Option<Next> {
    let at = instant(NOW);
    let item = snap.item();
    let who = if by == 0 { By::Platform } else { By::Action(key(by)) };
    let moved = |what: &Move| step(&item, what, at).ok();
    let next = match ask {
        Ask::Lease => moved(&Move::Lease { key: key(by), until: instant(LIVE) }),
        Ask::Deliver { epoch } => moved(&Move::Deliver { by: who, epoch: i64::from(epoch) }),
        Ask::Release { epoch } => moved(&Move::Release { key: key(by), epoch: i64::from(epoch) }),
        Ask::Fence if snap.phase == Phase::Delivering => moved(&Move::Fence { by: who }),
        Ask::Fence => None,
        Ask::Refund => settle_by_refund(&item, &who, 1, at).ok().map(|(_, refunded)| refunded),
        Ask::Redebit => {
            let released = settle_by_release(&item, &[1], &key(by), instant(LIVE), at).ok();
            let next = released.and_then(|(_, delivered)| Next::of(&delivered, by))?;
            return Some(Next { redebits: true, ..next });
        }
        Ask::FactReversed => moved(&Move::Reverse { amount: 1 }),
        Ask::FactDamaged => moved(&Move::Damage),
    }?;
    Next::of(&next, by)
}

fn instant(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap_or_default()
}

fn key(by: u8) -> ActionKey {
    ActionKey(format!("key-{by}"))
}

/// Writes what was decided. `None`: a key of the record refuses it, somebody was faster.
pub fn apply(rules: &Rules, now: &Record, read: Snap, next: &Next) -> Option<Record> {
    let settles = !next.phase.is_open();
    // The refund that a release takes back makes room for the delivery, under the same keys.
    let has_room = now.phase.is_open() || (next.redebits && now.phase == Phase::Refunded);
    if settles && rules.once && !has_room {
        return None;
    }
    let mut record = Record { phase: next.phase, seq: read.seq + 1, epoch: next.epoch, holder: next.holder, ..*now };
    record.live = next.phase == Phase::Delivering;
    if now.seq != read.seq {
        record.fault = Fault::Gap;
    }
    match next.phase {
        Phase::Refunded => {
            record.returned += 1;
            if now.snap().leased() && next.by != 0 {
                record.fault = Fault::UnderLease;
            }
        }
        Phase::Reversed => record.returned -= 1,
        Phase::Delivered => {
            record.delivered = true;
            if next.redebits {
                record.returned -= i8::from(rules.release_whole);
                record.released += 1;
            }
            // The platform shows what it delivered itself.
            record.shown |= next.by == 0;
            if next.by != 0 && rules.letter_with_effect {
                record.letter = Letter::Waiting;
            }
        }
        Phase::Damaged => (record.delivered, record.shown) = (false, false),
        Phase::Charged | Phase::Delivering | Phase::Released => {}
    }
    Some(record)
}
