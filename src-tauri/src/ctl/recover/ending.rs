//! Being asked to stop. What is on its way can't always be stopped when somebody asks: between two files, while one is
//! looked into or recorded. Then it is the next one that is.

use makegood_app::contract::TransferView;

/// Whether somebody has asked to stop.
#[derive(Debug, Default)]
pub(super) struct Ending {
    is_asked: bool,
}

impl Ending {
    /// Somebody asks, for the first time or again: what is to be ended of what is on its way. Each is, so that it is
    /// told of each why it can't be.
    pub(super) fn ask(&mut self, transfers: Vec<TransferView>) -> Vec<TransferView> {
        self.is_asked = true;
        transfers
    }

    /// What is to be ended of what is on its way now, because somebody asked before.
    pub(super) fn due(&self, transfers: Vec<TransferView>) -> Vec<TransferView> {
        transfers.into_iter().filter(|transfer| self.is_asked && transfer.can_cancel).collect()
    }
}

#[cfg(test)]
mod tests {
    use makegood_app::contract::TransferPhase::{Asking, Downloading, Recording, Verifying};

    use super::super::progress::tests::transfer;
    use super::*;

    #[test]
    fn who_asked_while_nothing_could_be_stopped_stops_what_comes_next() {
        let at = |item: u32, phase| {
            let can_cancel = matches!(phase, Asking | Downloading);
            TransferView { item, can_cancel, ..transfer(phase, 5, Some(9), None) }
        };
        let items = |transfers: Vec<TransferView>| transfers.iter().map(|one| one.item).collect::<Vec<_>>();
        let mut ending = Ending::default();
        assert_eq!(items(ending.due(vec![at(1, Downloading)])), [0; 0], "nobody asked");
        assert_eq!(items(ending.ask(Vec::new())), [0; 0], "between two files");
        for (phase, want) in [(Asking, vec![2]), (Downloading, vec![2]), (Verifying, vec![]), (Recording, vec![])] {
            assert_eq!(items(ending.due(vec![at(2, phase)])), want, "{phase:?}");
        }
        assert_eq!(items(ending.ask(vec![at(2, Verifying)])), [2], "and again, to hear why not");
    }
}
