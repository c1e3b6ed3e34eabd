//! A simulated house: one record, two providers, one vault, and the programs that come and go.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use makegood_app::{Agent, Desk, Ports, WorkspaceInfo};
use makegood_domain::policy::Policy;
use makegood_domain::ports::{Clock as _, Store, StoreError, StoreResult, Vault};

use super::checks::After;
use super::outside::{AtItsWord, BothProviders, MemoryVault, Mill};
use super::plant::Plant;
use super::probe::{Probe, Told};
use super::timeline::{Timeline, later};
use crate::between::{Between, Through};
use crate::dice::Dice;

/// What everybody shares.
pub struct House {
    pub timeline: Arc<Timeline>,
    pub mill: Arc<Mill>,
    /// The record, without a link that breaks.
    pub store: Arc<dyn Store>,
    pub link: Arc<Link>,
    pub luck: Arc<Luck>,
    pub probe: Arc<Probe>,
    vault: Arc<dyn Vault>,
    policy: Policy,
    ids: AtomicU64,
}

impl House {
    pub fn new(
        timeline: Arc<Timeline>,
        mill: Arc<Mill>,
        mut store: Arc<dyn Store>,
        mut policy: Policy,
        plant: &Plant,
        dice: Dice,
    ) -> Self {
        let files = MemoryVault::new(&mill);
        let probe = Probe::new(&timeline, &files);
        let luck = Arc::new(Luck(Mutex::new(timeline.now())));
        let link = Arc::new(Link {
            timeline: Arc::clone(&timeline),
            probe: Arc::clone(&probe),
            luck: Arc::clone(&luck),
            dice: Mutex::new(dice),
            calls: AtomicU64::new(0),
            written: Mutex::new(None),
        });
        let mut vault = files as Arc<dyn Vault>;
        if let Some(record) = plant.record {
            store = Arc::new(Through { store, between: record() });
        }
        if let Some(put_before) = plant.vault {
            vault = put_before(vault);
        }
        if let Some(change) = plant.policy {
            change(&mut policy);
        }
        let store = Arc::new(Through { store, between: Arc::clone(&probe) as Arc<dyn Between> });
        Self { timeline, mill, store, link, luck, probe, vault, policy, ids: AtomicU64::new(0) }
    }

    /// The record as a program reaches it: over a line that loses.
    pub fn linked(&self, line: Line) -> Arc<dyn Store> {
        let between = Arc::new(Linked { link: Arc::clone(&self.link), line }) as Arc<dyn Between>;
        Arc::new(Through { store: Arc::clone(&self.store), between })
    }

    /// A program of a person that has just been started, with nothing in its memory.
    pub fn desk(&self, agent: &str) -> Desk {
        self.desk_over(self.linked(Line::Home), agent)
    }

    /// A reconciler, with somebody who hears what it is told of its effects.
    pub fn overheard(&self, agent: &str, line: Line) -> (Desk, Arc<Told>) {
        let told = Arc::new(Told::default());
        let store = Through { store: self.linked(line), between: Arc::clone(&told) as Arc<dyn Between> };
        (self.desk_over(Arc::new(store), agent), told)
    }

    fn desk_over(&self, store: Arc<dyn Store>, agent: &str) -> Desk {
        let ports = Ports {
            store,
            providers: Arc::new(BothProviders(Arc::clone(&self.mill))),
            vault: Arc::clone(&self.vault),
            reader: Arc::new(AtItsWord),
            clock: Arc::clone(&self.timeline) as _,
        };
        let agent = Agent { id: agent.into(), name: agent.to_owned() };
        Desk::new(ports, self.policy.clone(), agent, WorkspaceInfo { name: "Simulated".to_owned(), banner: None })
    }

    /// A number that was never given before.
    pub fn next_id(&self) -> u64 {
        self.ids.fetch_add(1, Ordering::Relaxed)
    }
}

/// How a program reaches the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// From somewhere near.
    Near,
    /// As people do, from home and on the train.
    Home,
    /// From somewhere near, by those that come by seldom: what befalls one spares the other, and the only
    /// one for a while.
    Spared,
}

/// Mishaps of reconcilers. The promise allows for one that dies or is cut off while another takes over,
/// not for all of them at once.
#[derive(Debug)]
pub struct Luck(Mutex<Timestamp>);

/// Between two mishaps.
const SPARED: SignedDuration = SignedDuration::from_hours(3);

impl Luck {
    /// Whether a mishap may strike now.
    pub fn leaves(&self, now: Timestamp) -> bool {
        let mut spared_until = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let strikes = now >= *spared_until;
        if strikes {
            *spared_until = later(now, SPARED);
        }
        strikes
    }
}

/// The link between the programs and the record. Every call waits for a turn before and after; some
/// take their time, some never arrive, and of some the answer is lost.
pub struct Link {
    timeline: Arc<Timeline>,
    probe: Arc<Probe>,
    luck: Arc<Luck>,
    dice: Mutex<Dice>,
    calls: AtomicU64,
    written: Mutex<Option<After>>,
}

/// One program's line over the link.
struct Linked {
    link: Arc<Link>,
    line: Line,
}

/// Calls that fail on the way there, and on the way back, of a thousand.
const LOST_OF_1000: u64 = 4;
const LOST_FROM_HOME: u64 = 12;
/// Calls that take long, of a thousand, and how long at most.
const SLOW_OF_1000: u64 = 15;
const SLOW_FROM_HOME: u64 = 250;
const SLOW_SECONDS: u64 = 180;

impl Link {
    /// How many calls were made.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// The last call that may have changed an item since this was last asked.
    pub fn last_write(&self) -> Option<After> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn of_1000(&self) -> u64 {
        self.dice.lock().unwrap_or_else(PoisonError::into_inner).below(1_000)
    }

    fn seconds(&self) -> SignedDuration {
        let rolled = self.dice.lock().unwrap_or_else(PoisonError::into_inner).below(SLOW_SECONDS);
        SignedDuration::from_secs(1 + i64::try_from(rolled).unwrap_or_default())
    }

    fn broken(call: &str) -> StoreError {
        StoreError::Unavailable(format!("the link broke at {call}"))
    }
}

impl Linked {
    /// Whether a call that came out like this is lost, or only slow.
    fn loses(&self, rolled: u64) -> bool {
        match self.line {
            Line::Near => rolled < LOST_OF_1000,
            Line::Home => rolled < LOST_FROM_HOME,
            Line::Spared => rolled < LOST_OF_1000 && self.link.luck.leaves(self.link.timeline.now()),
        }
    }

    fn slows(&self, rolled: u64) -> bool {
        rolled >= 1_000 - if self.line == Line::Home { SLOW_FROM_HOME } else { SLOW_OF_1000 }
    }
}

#[async_trait]
impl Between for Linked {
    async fn before(&self, call: &'static str) -> StoreResult<()> {
        let link = &self.link;
        link.timeline.turn().await;
        link.calls.fetch_add(1, Ordering::Relaxed);
        let rolled = link.of_1000();
        if self.slows(rolled) {
            link.timeline.sleep(link.seconds()).await;
        }
        if self.loses(rolled) { Err(Link::broken(call)) } else { Ok(()) }
    }

    async fn after(&self, call: &'static str) -> StoreResult<()> {
        let link = &self.link;
        let after = match call {
            "import" => Some(After::Import),
            "apply" => Some(After::Apply),
            "settle" => Some(After::Settle),
            _ => None,
        };
        if after.is_some() {
            *link.written.lock().unwrap_or_else(PoisonError::into_inner) = after;
        }
        let lost = self.loses(link.of_1000());
        if lost && matches!(after, Some(After::Apply | After::Settle)) {
            link.probe.unheard();
        }
        link.timeline.turn().await;
        if lost { Err(Link::broken(call)) } else { Ok(()) }
    }
}
