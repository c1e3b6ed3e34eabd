//! Runs that wait for a place with a provider. They hold nothing meanwhile, and many of them need little.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BinaryHeap};

use jiff::Timestamp;
use makegood_domain::ids::ProviderId;

use super::lanes::{Lanes, Side};
use super::look::Look;

/// By provider: what is lost first comes first. In the providers' order, so that the same facts always play
/// out the same way.
#[derive(Default)]
pub(super) struct Queue<'p> {
    waiting: BTreeMap<ProviderId, BinaryHeap<Entry<'p>>>,
}

struct Entry<'p>(Look<'p>);

impl Entry<'_> {
    /// The earliest is the greatest: a heap gives the greatest first.
    fn rank(&self, other: &Self) -> Ordering {
        (other.0.urgent_at, &other.0.due.root).cmp(&(self.0.urgent_at, &self.0.due.root))
    }
}

impl PartialEq for Entry<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.rank(other).is_eq()
    }
}

impl Eq for Entry<'_> {}

impl PartialOrd for Entry<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.rank(other)
    }
}

impl<'p> Queue<'p> {
    pub(super) fn put(&mut self, provider: ProviderId, look: Look<'p>) {
        self.waiting.entry(provider).or_default().push(Entry(look));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.values().all(BinaryHeap::is_empty)
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.values().map(BinaryHeap::len).sum()
    }

    /// Those that have a place now, with it.
    pub(super) fn placed(&mut self, lanes: &'p Lanes) -> Vec<Look<'p>> {
        let mut placed = Vec::new();
        for (provider, heap) in &mut self.waiting {
            while !heap.is_empty() {
                let Some(place) = lanes.place(provider, Side::Pass) else { break };
                let Some(Entry(mut look)) = heap.pop() else { break };
                look.places.push(place);
                placed.push(look);
            }
        }
        placed
    }

    /// Those that can't wait any longer.
    pub(super) fn overdue(&mut self, now: Timestamp) -> Vec<Look<'p>> {
        let mut overdue = Vec::new();
        for heap in self.waiting.values_mut() {
            if heap.iter().all(|entry| now < entry.0.waits_until()) {
                continue;
            }
            let (over, left): (Vec<_>, Vec<_>) =
                std::mem::take(heap).into_iter().partition(|entry| now >= entry.0.waits_until());
            *heap = left.into();
            overdue.extend(over.into_iter().map(|entry| entry.0));
        }
        overdue
    }

    /// All of them.
    pub(super) fn drain(&mut self) -> Vec<Look<'p>> {
        std::mem::take(&mut self.waiting).into_values().flatten().map(|entry| entry.0).collect()
    }
}
