//! The races of a charged item, one by one: which of them are run here, how one is known to have been
//! run, and where the others are. A simulation that never comes to a race proves nothing of it, so
//! each time one is met it is counted, and a run in which one never was is no pass.

use std::collections::BTreeMap;

/// A moment in which two actors meet over one thing. Each is told by what the record was asked and what
/// it answered, never by what somebody intended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Race {
    /// An agent restores what the reconciler has just restored, and is refused.
    AgentSecond,
    /// The reconciler restores what an agent has just restored, and is refused.
    ReconcilerSecond,
    /// An agent restores what another agent has just restored, and is refused.
    TwoAgents,
    /// An agent begins on a case on which another agent's action is not over, and is told so.
    OneCase,
    /// An effect is sent again under its key, and gets its receipt again.
    SameKey,
    /// The platform tells that an item succeeded after the reconciler restored it, or before it could.
    WordAndReconciler,
    /// The same with an agent's restoration.
    WordAndAgent,
    /// A restoration reaches the record while somebody else holds a live lease on the item.
    UnderLease,
    /// Whoever recovers comes back with the file when the lease is over and somebody else's.
    LateHolder,
    /// Two agents recover one item.
    TwoRecoveries,
    /// Like a late holder, but the program was stopped in between and went on.
    StoppedHolder,
    /// The provider's word is told a second time.
    WordAgain,
    /// An older word of the provider is told after a newer one.
    OldWord,
    /// A second person's yes is used.
    YesUsed,
    /// A yes is there, and it does not do: too old, of other money, used.
    YesVoid,
    /// Two restorations are posted of one charge.
    Parts,
    /// An effect was committed, its answer was lost, and the same key learned of it.
    AnswerLost,
    /// A reconciler meets what another one did under the same key, or takes over its claim.
    TwoReconcilers,
    /// A provider makes an item anew, with other bytes.
    OtherBytes,
    /// A run is a customer's own retry of one that was charged too.
    OwnRetry,
    /// A charge that is owed is told again with today's price.
    NewPrice,
}

impl Race {
    pub const ALL: [Self; 21] = [
        Self::AgentSecond,
        Self::ReconcilerSecond,
        Self::TwoAgents,
        Self::OneCase,
        Self::SameKey,
        Self::WordAndReconciler,
        Self::WordAndAgent,
        Self::UnderLease,
        Self::LateHolder,
        Self::TwoRecoveries,
        Self::StoppedHolder,
        Self::WordAgain,
        Self::OldWord,
        Self::YesUsed,
        Self::YesVoid,
        Self::Parts,
        Self::AnswerLost,
        Self::TwoReconcilers,
        Self::OtherBytes,
        Self::OwnRetry,
        Self::NewPrice,
    ];
}

/// Where a race is.
#[derive(Clone, Copy, Debug)]
pub enum Shown {
    /// Here: each of these must be met.
    Here(&'static [Race]),
    /// By another suite or test, and why not here.
    There(&'static str),
    /// Nowhere: there is nothing in it that could go wrong with credits.
    Nowhere(&'static str),
}

/// All races with their numbers.
pub const RACES: [(u32, &str, Shown); 22] = [
    (1, "reconciler and agent restore", Shown::Here(&[Race::AgentSecond, Race::ReconcilerSecond])),
    (2, "two agents restore", Shown::Here(&[Race::TwoAgents, Race::OneCase])),
    (3, "double click, retry, killed after sending", Shown::Here(&[Race::SameKey])),
    (4, "reconciler and a late success", Shown::Here(&[Race::WordAndReconciler])),
    (5, "agent and a late success", Shown::Here(&[Race::WordAndAgent])),
    (6, "recovery, end of its lease, restoration", Shown::Here(&[Race::UnderLease, Race::LateHolder])),
    (7, "two agents recover", Shown::Here(&[Race::TwoRecoveries])),
    (8, "stopped, fenced, and gone on", Shown::Here(&[Race::StoppedHolder])),
    (9, "words twice and out of order", Shown::Here(&[Race::WordAgain, Race::OldWord])),
    (
        10,
        "forged words",
        Shown::Nowhere("nobody listens for a provider's calls: its word is asked for, or brought by a feed"),
    ),
    (11, "the second person's yes", Shown::Here(&[Race::YesUsed, Race::YesVoid])),
    (12, "restorations of parts", Shown::Here(&[Race::Parts])),
    (
        13,
        "charged again with too little left",
        Shown::Nowhere("nothing is ever debited by itself (P4), so there is no second debit that could fail"),
    ),
    (14, "committed, and the answer lost", Shown::Here(&[Race::AnswerLost])),
    (15, "a begin that was given up", Shown::There("pg-cut: it takes a pool of connections")),
    (16, "two reconcilers", Shown::Here(&[Race::TwoReconcilers])),
    (17, "made anew with other bytes", Shown::Here(&[Race::OtherBytes])),
    (18, "the customer's own retry", Shown::Here(&[Race::OwnRetry])),
    (19, "the price changed meanwhile", Shown::Here(&[Race::NewPrice])),
    (
        20,
        "customer erased during a recovery",
        Shown::Nowhere(
            "no fact erases anybody: the ledger knows ids, and a project that is deleted keeps its charge (P10)",
        ),
    ),
    (21, "notes written offline", Shown::Nowhere("notes move no credits")),
    (
        22,
        "two versions of the program",
        Shown::There(
            "the stores' own tests, with a real schema: store/src/sqlite/tests/faults.rs, store/src/postgres/tests/opening.rs",
        ),
    ),
];

/// How often each race was met.
#[derive(Clone, Debug, Default)]
pub struct Met(BTreeMap<Race, u64>);

impl Met {
    pub fn count(&mut self, race: Race) {
        self.add(race, 1);
    }

    pub fn add(&mut self, race: Race, times: u64) {
        if times > 0 {
            *self.0.entry(race).or_default() += times;
        }
    }

    pub fn add_all(&mut self, other: &Self) {
        other.0.iter().for_each(|(race, times)| self.add(*race, *times));
    }

    pub fn times(&self, race: Race) -> u64 {
        self.0.get(&race).copied().unwrap_or_default()
    }

    /// Which of those that belong here were never met.
    pub fn missing(&self) -> Vec<Race> {
        Race::ALL.into_iter().filter(|race| self.times(*race) == 0).collect()
    }

    /// How often the rarest was met.
    pub fn rarest(&self) -> u64 {
        Race::ALL.into_iter().map(|race| self.times(race)).min().unwrap_or_default()
    }

    /// A line for each race: how often it was met here, or where it is.
    pub fn lines(&self) -> Vec<String> {
        let told = |(number, what, shown): &(u32, &str, Shown)| {
            let shown = match shown {
                Shown::Here(races) => {
                    let met: Vec<_> = races.iter().map(|race| format!("{race:?} {}", self.times(*race))).collect();
                    met.join(", ")
                }
                Shown::There(place) => format!("not here but in {place}"),
                Shown::Nowhere(why) => format!("not here: {why}"),
            };
            format!("race {number:>2}, {what}: {shown}")
        };
        RACES.iter().map(told).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_race_has_its_number_and_each_pattern_its_race() {
        assert!(RACES.iter().map(|(number, ..)| *number).eq(1..=22));
        let mut here: Vec<Race> = Vec::new();
        for (_, _, shown) in RACES {
            if let Shown::Here(races) = shown {
                here.extend(races);
            }
        }
        assert_eq!(here, Race::ALL);
    }

    #[test]
    fn what_was_never_met_is_missing() {
        let mut met = Met::default();
        Race::ALL.into_iter().filter(|race| *race != Race::Parts).for_each(|race| met.count(race));
        assert_eq!((met.missing(), met.rarest()), (vec![Race::Parts], 0));
        met.add(Race::Parts, 2);
        assert_eq!((met.missing(), met.rarest()), (Vec::new(), 1));
        assert_eq!(met.lines()[11], "race 12, restorations of parts: Parts 2");
    }
}
