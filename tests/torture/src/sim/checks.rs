//! What must hold of a simulated record: after every call, at every hour, and at the end.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use makegood_domain::ids::ChargeId;
use makegood_domain::settlement::{Item, State};
use makegood_testkit::MemoryStore;

use super::outside::{JobFate, Made};
use super::probe::Probe;
use super::timeline::later;

/// The promise: nobody waits longer for either remedy.
pub const PROMISE: SignedDuration = SignedDuration::from_hours(24);

/// A charge as its story tells it.
#[derive(Clone, Debug)]
pub struct Charged {
    pub at: Timestamp,
    /// Something goes wrong with it.
    pub troubled: bool,
    pub run: String,
    /// What the provider makes of the items, and when.
    pub job: JobFate,
    /// When the outage began in which hour 24 lies, if there is one.
    pub out_since: Option<Timestamp>,
}

/// The call after which the items are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    /// The platform's facts, which have happened whatever is leased.
    Import,
    /// An agent's effect.
    Apply,
    /// The reconciler's.
    Settle,
}

/// An item, and since when it is owed.
#[derive(Clone, Debug)]
struct Watched {
    item: Item,
    /// Set while it is open: when the promise ends.
    promised: Option<Timestamp>,
}

/// What was seen of every item so far.
#[derive(Debug, Default)]
pub struct Witness {
    charged: BTreeMap<String, Charged>,
    /// How long a reconciler waits for more, where it comes by as seldom as the slowest one here.
    patience: SignedDuration,
    items: BTreeMap<(String, u32), Watched>,
    /// Seconds from the charge to the first remedy, of what went wrong.
    waits: Vec<i64>,
    /// Charges that were settled while their provider was out of reach until after hour 24.
    unheard: BTreeSet<String>,
}

impl Witness {
    pub fn new(charged: BTreeMap<String, Charged>, patience: SignedDuration) -> Self {
        Self { charged, patience, ..Self::default() }
    }

    /// Looks at every item after a call. Returns what must not be.
    pub fn look(&mut self, store: &MemoryStore, after: After, probe: &Probe, now: Timestamp) -> Option<String> {
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
                .or_else(|| self.items.get(&id).and_then(|known| wrong_after(&known.item, &item, after, now)))
                .or_else(|| self.hasty(&id, &item, after, now))
                .or_else(|| self.note(&id, item, probe, now));
            if let Some(wrong) = wrong {
                return Some(format!("item {} of {}: {wrong}", id.1, id.0));
            }
        }
        None
    }

    /// P4, P8: the reconciler returns credits of what its provider made only where the file is gone, and
    /// of what is not done only where it has waited as long as it may.
    fn hasty(&self, id: &(String, u32), item: &Item, after: After, now: Timestamp) -> Option<String> {
        let charged = self.charged.get(&id.0)?;
        if after != After::Settle || item.state != State::Refunded || now.duration_since(charged.at) >= self.patience {
            return None;
        }
        let place = usize::try_from(id.1).ok()?.checked_sub(1)?;
        match (charged.job.done.filter(|done| *done <= now), charged.job.items.get(place)?) {
            (None, _) => Some("credits came back while its provider was at work".to_owned()),
            (Some(_), Made::File { until }) if now < *until => {
                Some(format!("credits came back, and its file was there until {until} (P4)"))
            }
            _ => None,
        }
    }

    /// How long after its posting a charge may be open. One whose job runs on past hour 24 becomes an orphan
    /// only then (R12, P8), and has as much time more as two passes need of which the first one dies.
    fn promised_within(&self, charged: Option<&Charged>, at: Timestamp) -> SignedDuration {
        let runs_on = charged.is_some_and(|charged| charged.job.done.is_none_or(|done| done > later(at, PROMISE)));
        if runs_on { PROMISE + (PROMISE - self.patience) * 2 } else { PROMISE }
    }

    /// Keeps how it stands. Returns that it was settled too late.
    fn note(&mut self, id: &(String, u32), item: Item, probe: &Probe, now: Timestamp) -> Option<String> {
        let charged = self.charged.get(&id.0);
        let (at, troubled) = charged.map_or((now, true), |charged| (charged.at, charged.troubled));
        let first = later(at, self.promised_within(charged, at));
        let fresh = Watched { item: item.clone(), promised: Some(first) };
        let known = self.items.entry(id.clone()).or_insert(fresh);
        known.item = item;
        match (known.item.state.is_settled(), known.promised) {
            (true, Some(promised)) => {
                known.promised = None;
                if troubled && promised == first {
                    self.waits.push(now.duration_since(at).as_secs());
                }
                if charged.and_then(|charged| charged.out_since).is_some_and(|since| since <= now) {
                    self.unheard.insert(id.0.clone());
                }
                let parked = charged.is_some_and(|charged| probe.is_parked(&charged.run));
                (now > promised && !parked).then(|| format!("charged at {at}, settled at {now}: after hour 24"))
            }
            // Open again: whoever comes by has a day.
            (false, None) => {
                known.promised = Some(later(now, PROMISE));
                None
            }
            _ => None,
        }
    }

    /// Who waits longer than was promised, apart from those that are left to people.
    pub fn overdue(&self, probe: &Probe, now: Timestamp) -> Option<String> {
        self.items.iter().find_map(|((charge, number), known)| {
            let late = known.promised.is_some_and(|promised| now > promised) && known.item.price > 0;
            let parked = self.charged.get(charge).is_some_and(|charged| probe.is_parked(&charged.run));
            let state = known.item.state.word();
            (late && !parked).then(|| format!("item {number} of {charge} is {state} after hour 24"))
        })
    }

    /// Credits of a charge that came back.
    pub fn returned(&self, charge: &str) -> i64 {
        let of_charge = self.items.iter().filter(|((known, _), _)| known == charge);
        of_charge.map(|(_, known)| known.item.refunded).sum()
    }

    /// How an item stands.
    pub fn state(&self, charge: &str, item: u32) -> Option<State> {
        self.items.get(&(charge.to_owned(), item)).map(|known| known.item.state)
    }

    /// Items that have no remedy, and are not left to people.
    pub fn open(&self) -> usize {
        self.items.values().filter(|known| known.promised.is_some()).count()
    }

    /// How many items stand in a state.
    pub fn count(&self, state: State) -> usize {
        self.items.values().filter(|known| known.item.state == state).count()
    }

    /// Leases that were taken.
    pub fn leases(&self) -> i64 {
        self.items.values().map(|known| known.item.epoch).sum()
    }

    /// How many charges were settled while their provider was out of reach until after hour 24.
    pub fn unheard(&self) -> usize {
        self.unheard.len()
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

fn wrong_after(before: &Item, item: &Item, after: After, now: Timestamp) -> Option<String> {
    let platform = after == After::Import;
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
