//! Places with the providers: how many may be with one of them at a time. Nobody waits in here, so that a
//! slow provider has nothing of anybody else's.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use makegood_domain::ids::ProviderId;

pub(crate) struct Lanes {
    width: usize,
    taken: Mutex<HashMap<ProviderId, usize>>,
}

/// The right to ask one provider, until it is dropped.
pub(crate) struct Place<'p> {
    lanes: &'p Lanes,
    pub provider: ProviderId,
}

impl Lanes {
    pub(crate) fn new(width: u32) -> Self {
        Self { width: usize::try_from(width).unwrap_or(1).max(1), taken: Mutex::default() }
    }

    /// A place with a provider, if one is free.
    pub(crate) fn place(&self, provider: &ProviderId) -> Option<Place<'_>> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(provider.clone()).or_default();
        if *count >= self.width {
            return None;
        }
        *count += 1;
        Some(Place { lanes: self, provider: provider.clone() })
    }

    /// How many are taken, with all providers together.
    pub(crate) fn taken(&self) -> usize {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).values().sum()
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut taken = self.lanes.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&self.provider) {
            *count = count.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_free_again_when_it_is_left_and_each_provider_has_its_own() {
        let lanes = Lanes::new(2);
        let (mill, press) = (ProviderId::new("mill"), ProviderId::new("press"));
        let first = lanes.place(&mill);
        let second = lanes.place(&mill);
        assert!(first.is_some() && second.is_some() && lanes.place(&mill).is_none());
        assert!(lanes.place(&press).is_some(), "it has no more than that one");
        drop(first);
        assert!(lanes.place(&mill).is_some());
        assert_eq!(lanes.taken(), 1, "the second one");
    }
}
