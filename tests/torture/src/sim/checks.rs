//! What must hold of a simulated record: after every call, at every hour, and at the end.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use makegood_domain::ids::ChargeId;
use makegood_domain::settlement::{Item, State};
use makegood_testkit::MemoryStore;

/// The promise (R1): nobody waits longer for either remedy.
const PROMISE: SignedDuration = SignedDuration::from_hours(24);

/// What is on the way when the promise ends: the pass that keeps it, and the claim of one that died.
const ON_THE_WAY: SignedDuration = SignedDuration::from_mins(45);

/// A charge as its story tells it.
#[derive(Clone, Copy, Debug)]
pub struct Charged {
    pub at: Timestamp,
    /// Something goes wrong with it.
    pub troubled: bool,
}

/// An item, and since when it is owed.
#[derive(Clone, Debug)]
struct Watched {
    item: Item,
    charged: Charged,
    /// Set while it is open: since then.
    open_since: Option<Timestamp>,
}

/// What was seen of every item so far.
#[derive(Debug, Default)]
pub struct Witness {
    items: BTreeMap<(String, u32), Watched>,
    /// Seconds from the charge to the first remedy, of what went wrong.
    waits: Vec<i64>,
}

impl Witness {
    /// Looks at every item after a call. `platform`: the call brought the platform's facts, which
    /// have happened whatever is leased. Returns what must not be.
    pub fn look(
        &mut self,
        store: &MemoryStore,
        charged: &BTreeMap<String, Charged>,
        platform: bool,
        now: Timestamp,
    ) -> Option<String> {
        for seen in store.seen_items() {
            let id = (seen.charge, seen.item);
            if self
                .items
                .get(&id)
                .is_some_and(|known| known.item.seq == seen.seq && known.item.refunded == seen.refunded)
            {
                continue;
            }
            let Some(item) = store.item(&ChargeId(id.0.clone()), id.1) else { continue };
            let wrong = wrong_alone(&item)
                .or_else(|| self.items.get(&id).and_then(|known| wrong_after(&known.item, &item, platform, now)));
            if let Some(wrong) = wrong {
                return Some(format!("item {} of {}: {wrong}", id.1, id.0));
            }
            self.note(id, item, charged, now);
        }
        None
    }

    fn note(&mut self, id: (String, u32), item: Item, charged: &BTreeMap<String, Charged>, now: Timestamp) {
        let charged = charged.get(&id.0).copied().unwrap_or(Charged { at: now, troubled: true });
        let fresh = Watched { item: item.clone(), charged, open_since: Some(charged.at) };
        let known = self.items.entry(id).or_insert(fresh);
        match (item.state.is_settled(), known.open_since) {
            (true, Some(since)) => {
                if charged.troubled {
                    self.waits.push(now.duration_since(since).as_secs());
                }
                known.open_since = None;
            }
            (false, None) => known.open_since = Some(now),
            _ => {}
        }
        known.item = item;
    }

    /// Who waits longer than was promised, apart from those that are left to people.
    pub fn overdue(&self, store: &MemoryStore, now: Timestamp) -> Option<String> {
        let late = self.items.iter().filter(|(_, known)| {
            known.open_since.is_some_and(|since| {
                let promised = known.charged.at.max(since.saturating_sub(PROMISE).unwrap_or(known.charged.at));
                known.item.price > 0 && now.duration_since(promised) > PROMISE + ON_THE_WAY
            })
        });
        let parked: Vec<String> =
            store.seen_due().into_iter().filter(|due| due.next_at.is_none()).map(|due| due.root).collect();
        for ((charge, number), known) in late {
            let run = charge.replacen("chg", "run", 1);
            if !parked.contains(&run) {
                let state = known.item.state.word();
                return Some(format!("item {number} of {charge} is {state} since {}", known.charged.at));
            }
        }
        None
    }

    /// Items that have no remedy, and are not left to people.
    pub fn open(&self) -> usize {
        self.items.values().filter(|known| known.open_since.is_some()).count()
    }

    /// How many items stand in a state.
    pub fn count(&self, state: State) -> usize {
        self.items.values().filter(|known| known.item.state == state).count()
    }

    /// Leases that were taken.
    pub fn leases(&self) -> i64 {
        self.items.values().map(|known| known.item.epoch).sum()
    }

    /// Seconds from charge to remedy, of everything that was settled.
    pub fn into_waits(self) -> Vec<i64> {
        self.waits
    }
}

fn wrong_alone(item: &Item) -> Option<String> {
    if !(0..=item.price).contains(&item.refunded) {
        return Some(format!("{} of {} came back (I2)", item.refunded, item.price));
    }
    match item.state {
        State::Delivered if item.refunded > 0 => Some("delivered and refunded (I5)".to_owned()),
        State::Refunded if item.refunded == 0 && item.price > 0 => Some("refunded, and nothing came back".to_owned()),
        State::Delivering if item.lease.is_none() => Some("delivering without a lease".to_owned()),
        _ => None,
    }
}

fn wrong_after(before: &Item, item: &Item, platform: bool, now: Timestamp) -> Option<String> {
    if item.seq < before.seq || item.epoch < before.epoch {
        return Some(format!("went back from {}/{} to {}/{} (I3)", before.seq, before.epoch, item.seq, item.epoch));
    }
    if item.state == State::Refunded && before.leased_at(now).is_some() && !platform {
        return Some("restored under a live lease".to_owned());
    }
    let both = [State::Delivered, State::Refunded].map(|state| before.state == state || item.state == state);
    if both == [true, true] && !platform {
        return Some(format!("went from {} to {}", before.state.word(), item.state.word()));
    }
    None
}
