//! A simulated house: one record, one provider, one vault, and the programs that come and go.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use makegood_app::{Agent, Desk, Ports, WorkspaceInfo};
use makegood_domain::policy::Policy;
use makegood_domain::ports::{Store, StoreError, StoreResult, Vault};

use super::checks::After;
use super::outside::{AtItsWord, MemoryVault, Mill, OneProvider};
use super::plant::Plant;
use super::probe::{Probe, Told};
use super::timeline::Timeline;
use crate::between::{Between, Through};
use crate::dice::Dice;

/// Credits that the agents here may restore alone: they are not what this is about.
pub const LIMIT: i64 = 1_000_000_000;

/// What everybody shares.
pub struct House {
    pub timeline: Arc<Timeline>,
    pub mill: Arc<Mill>,
    /// The record, without a link that breaks.
    pub store: Arc<dyn Store>,
    pub link: Arc<Link>,
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
        let link = Arc::new(Link {
            timeline: Arc::clone(&timeline),
            dice: Mutex::new(dice),
            calls: AtomicU64::new(0),
            written: Mutex::new(None),
        });
        let files = MemoryVault::new(&mill);
        let probe = Probe::new(&files);
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
        Self { timeline, mill, store, link, probe, vault, policy, ids: AtomicU64::new(0) }
    }

    /// The record as a program reaches it: over a link that loses.
    pub fn linked(&self) -> Arc<dyn Store> {
        Arc::new(Through { store: Arc::clone(&self.store), between: Arc::clone(&self.link) as Arc<dyn Between> })
    }

    /// A program that has just been started, with nothing in its memory.
    pub fn desk(&self, agent: &str) -> Desk {
        self.desk_over(self.linked(), agent)
    }

    /// The same, with somebody who hears what it is told of its effects.
    pub fn overheard(&self, agent: &str) -> (Desk, Arc<Told>) {
        let told = Arc::new(Told::default());
        let store = Through { store: self.linked(), between: Arc::clone(&told) as Arc<dyn Between> };
        (self.desk_over(Arc::new(store), agent), told)
    }

    fn desk_over(&self, store: Arc<dyn Store>, agent: &str) -> Desk {
        let ports = Ports {
            store,
            providers: Arc::new(OneProvider(Arc::clone(&self.mill))),
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

/// The link between the programs and the record. Every call waits for a turn before and after; some
/// never arrive, and of some the answer is lost.
pub struct Link {
    timeline: Arc<Timeline>,
    dice: Mutex<Dice>,
    calls: AtomicU64,
    written: Mutex<Option<After>>,
}

/// Calls that fail on the way there, and on the way back, of a thousand.
const LOST_OF_1000: u64 = 4;

impl Link {
    /// How many calls were made.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// The last call that may have changed an item since this was last asked.
    pub fn last_write(&self) -> Option<After> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn loses(&self) -> bool {
        self.dice.lock().unwrap_or_else(PoisonError::into_inner).below(1_000) < LOST_OF_1000
    }

    fn broken(call: &str) -> StoreError {
        StoreError::Unavailable(format!("the link broke at {call}"))
    }
}

#[async_trait]
impl Between for Link {
    async fn before(&self, call: &'static str) -> StoreResult<()> {
        self.timeline.turn().await;
        self.calls.fetch_add(1, Ordering::Relaxed);
        if self.loses() { Err(Self::broken(call)) } else { Ok(()) }
    }

    async fn after(&self, call: &'static str) -> StoreResult<()> {
        let after = match call {
            "import" => Some(After::Import),
            "apply" => Some(After::Apply),
            "settle" => Some(After::Settle),
            _ => None,
        };
        if after.is_some() {
            *self.written.lock().unwrap_or_else(PoisonError::into_inner) = after;
        }
        self.timeline.turn().await;
        if self.loses() { Err(Self::broken(call)) } else { Ok(()) }
    }
}
