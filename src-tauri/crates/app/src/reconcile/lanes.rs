//! Places with the providers: how many may be with one of them at a time, of all that this program does. Nobody waits
//! in here, so that a slow provider has nothing of anybody else's; who waits elsewhere is told when a place is freed.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Mutex, MutexGuard, PoisonError};

use makegood_domain::ids::ProviderId;
use tokio::sync::Notify;

/// Who wants places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// A pass of the reconciler.
    Pass,
    /// What is only saved.
    Captures,
    /// An agent, who waits for nobody: it is counted, and never refused.
    Agents,
}

const SIDES: usize = 3;

pub(crate) struct Lanes {
    width: usize,
    seats: Mutex<Seats>,
    freed: Notify,
}

#[derive(Default)]
struct Seats {
    /// By provider and side.
    taken: HashMap<ProviderId, [usize; SIDES]>,
    /// How many of each side are at work, whether they have a place or not.
    present: [usize; SIDES],
}

/// The right to ask one provider, until it is dropped.
pub(crate) struct Place<'p> {
    lanes: &'p Lanes,
    side: Side,
    pub provider: ProviderId,
}

/// Somebody who may want places, until it is dropped.
pub(crate) struct Present<'p> {
    lanes: &'p Lanes,
    side: Side,
}

impl Lanes {
    pub(crate) fn new(width: u32) -> Self {
        let width = usize::try_from(width).unwrap_or(1).max(1);
        Self { width, seats: Mutex::default(), freed: Notify::new() }
    }

    fn seats(&self) -> MutexGuard<'_, Seats> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells that this side is at work: from now on the other one leaves it a place with each provider.
    pub(crate) fn enter(&self, side: Side) -> Present<'_> {
        self.seats().present[side as usize] += 1;
        Present { lanes: self, side }
    }

    /// A place with a provider, if one is free. Where there is more than one, a side never has all of them while the
    /// other one is at work: else whoever has many files would keep the other out until all of them are here.
    pub(crate) fn place(&self, provider: &ProviderId, side: Side) -> Option<Place<'_>> {
        let mut seats = self.seats();
        let other = match side {
            Side::Pass => seats.present[Side::Captures as usize],
            Side::Captures => seats.present[Side::Pass as usize],
            Side::Agents => 0,
        };
        let taken = seats.taken.entry(provider.clone()).or_default();
        if side != Side::Agents {
            let left_to_other = usize::from(other > 0 && self.width > 1);
            if taken.iter().sum::<usize>() >= self.width || taken[side as usize] >= self.width - left_to_other {
                return None;
            }
        }
        taken[side as usize] += 1;
        Some(Place { lanes: self, side, provider: provider.clone() })
    }

    /// How many this side has, with all providers together.
    pub(crate) fn taken(&self, side: Side) -> usize {
        self.seats().taken.values().map(|taken| taken[side as usize]).sum()
    }

    /// Until there may be a place that was none before, counted from this call on.
    pub(crate) fn freed(&self) -> impl Future<Output = ()> + Send + '_ {
        self.freed.notified()
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if let Some(taken) = self.lanes.seats().taken.get_mut(&self.provider) {
            taken[self.side as usize] = taken[self.side as usize].saturating_sub(1);
        }
        self.lanes.freed.notify_waiters();
    }
}

impl Drop for Present<'_> {
    fn drop(&mut self) {
        let mut seats = self.lanes.seats();
        seats.present[self.side as usize] = seats.present[self.side as usize].saturating_sub(1);
        drop(seats);
        self.lanes.freed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[test]
    fn a_place_is_free_again_when_it_is_left_and_each_provider_has_its_own() {
        let lanes = Lanes::new(2);
        let (mill, press) = (ProviderId::new("mill"), ProviderId::new("press"));
        let first = lanes.place(&mill, Side::Pass);
        let second = lanes.place(&mill, Side::Captures);
        assert!(first.is_some() && second.is_some() && lanes.place(&mill, Side::Captures).is_none());
        assert!(lanes.place(&press, Side::Pass).is_some(), "it has no more than that one");
        drop(first);
        assert!(lanes.place(&mill, Side::Pass).is_some());
        assert_eq!((lanes.taken(Side::Pass), lanes.taken(Side::Captures)), (0, 1), "the second one");
    }

    #[test]
    fn one_side_leaves_the_other_a_place_while_that_is_at_work() {
        let (lanes, mill) = (Lanes::new(3), ProviderId::new("mill"));
        let mut held: Vec<_> = (0..3).filter_map(|_| lanes.place(&mill, Side::Captures)).collect();
        assert_eq!(held.len(), 3, "alone it has all of them");
        let present = lanes.enter(Side::Pass);
        held.pop();
        assert!(lanes.place(&mill, Side::Captures).is_none(), "that one is the other's");
        let pass = lanes.place(&mill, Side::Pass);
        assert!(pass.is_some() && lanes.place(&mill, Side::Pass).is_none(), "three in all");
        drop((pass, present));
        assert!(lanes.place(&mill, Side::Captures).is_some());
        let (one, _other) = (Lanes::new(1), lanes.enter(Side::Pass));
        assert!(one.place(&mill, Side::Captures).is_some(), "of a single one nothing can be left");
    }

    #[test]
    fn agents_go_first_and_are_counted() {
        let (lanes, mill) = (Lanes::new(2), ProviderId::new("mill"));
        let agents: Vec<_> = (0..3).filter_map(|_| lanes.place(&mill, Side::Agents)).collect();
        assert_eq!(agents.len(), 3);
        assert!(lanes.place(&mill, Side::Pass).is_none() && lanes.place(&mill, Side::Captures).is_none());
        drop(agents);
        assert!(lanes.place(&mill, Side::Pass).is_some());
    }

    #[test]
    fn who_waits_is_told_of_a_place_that_was_freed_before_it_was_polled() {
        let (lanes, mill) = (Lanes::new(1), ProviderId::new("mill"));
        let place = lanes.place(&mill, Side::Pass);
        let mut freed = Box::pin(lanes.freed());
        assert!((&mut freed).now_or_never().is_none());
        let early = lanes.freed();
        drop(place);
        assert!(freed.now_or_never().is_some() && early.now_or_never().is_some());
        let present = lanes.enter(Side::Captures);
        let freed = lanes.freed();
        drop(present);
        assert!(freed.now_or_never().is_some());
    }
}
