//! The application as one value: everything a use case needs, and nothing that is global.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};
use makegood_domain::ids::{ActionKey, AgentId};
use makegood_domain::policy::Policy;
use makegood_domain::ports::{Clock, Connections, Player, Providers, Reader, Store, StoreHealth, Vault};
use tokio::sync::{OnceCell, broadcast};

use crate::capture::Wishes;
use crate::contract::Topic;
use crate::reconcile::lanes::Lanes;
use crate::refusals::Refusals;
use crate::transfers::Board;

/// Changes that nobody has read yet are dropped beyond this number; the window re-reads anyway.
const CHANGES_KEPT_MAX: usize = 256;

/// The person at the console. What he or she may do alone is the record's to say (R53).
#[derive(Clone, Debug)]
pub struct Agent {
    pub id: AgentId,
    pub name: String,
}

/// How the workspace presents itself.
#[derive(Clone, Debug)]
pub struct WorkspaceInfo {
    pub name: String,
    pub banner: Option<String>,
}

/// When this program starts a pass of the reconciler by itself.
#[derive(Clone, Debug, Default)]
pub struct Timer {
    /// `None`: it starts none.
    pub every: Option<SignedDuration>,
    /// Why it starts none, for people.
    pub off_because: Option<String>,
}

/// The outside, as ports.
pub struct Ports {
    pub store: Arc<dyn Store>,
    pub providers: Arc<dyn Providers>,
    pub vault: Arc<dyn Vault>,
    pub reader: Arc<dyn Reader>,
    pub clock: Arc<dyn Clock>,
}

/// One console at work. Built whole before the first window opens; use cases are methods, one file
/// each.
pub struct Desk {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) providers: Arc<dyn Providers>,
    pub(crate) vault: Arc<dyn Vault>,
    pub(crate) reader: Arc<dyn Reader>,
    clock: Arc<dyn Clock>,
    /// What is under way and was begun before it, an earlier run left in the middle.
    pub(crate) started_at: Timestamp,
    pub(crate) policy: Policy,
    pub(crate) agent: Agent,
    pub(crate) workspace: WorkspaceInfo,
    pub(crate) timer: Timer,
    /// None where nobody may look after the providers: they are then only asked.
    pub(crate) connections: Option<Arc<dyn Connections>>,
    /// None where there is no screen to show a file on.
    pub(crate) player: Option<Arc<dyn Player>>,
    /// Asked once: it recomputes the whole ledger.
    pub(crate) health: OnceCell<StoreHealth>,
    /// Actions that this process is doing now, so that a second click waits for nothing and
    /// starts nothing.
    pub(crate) in_flight: Mutex<HashSet<ActionKey>>,
    /// The files that this process brings now.
    pub(crate) board: Board,
    /// Runs of which something may be finished and is to be saved.
    pub(crate) wishes: Wishes,
    /// Files that were refused as they came.
    pub(crate) refusals: Refusals,
    /// Who of all that this process does may be with a provider.
    pub(crate) lanes: Lanes,
    /// The pass of the reconciler that this process makes now, if any.
    pub(crate) sweeping: tokio::sync::Mutex<()>,
    changes: broadcast::Sender<Topic>,
}

impl Desk {
    #[must_use]
    pub fn new(ports: Ports, policy: Policy, agent: Agent, workspace: WorkspaceInfo) -> Self {
        let (changes, _) = broadcast::channel(CHANGES_KEPT_MAX);
        Self {
            store: ports.store,
            providers: ports.providers,
            vault: ports.vault,
            reader: ports.reader,
            started_at: ports.clock.now(),
            clock: ports.clock,
            lanes: Lanes::new(policy.reconcile.per_provider),
            policy,
            agent,
            workspace,
            timer: Timer::default(),
            connections: None,
            player: None,
            health: OnceCell::new(),
            in_flight: Mutex::new(HashSet::new()),
            board: Board::default(),
            wishes: Wishes::default(),
            refusals: Refusals::default(),
            sweeping: tokio::sync::Mutex::new(()),
            changes,
        }
    }

    /// Says when the host of this desk starts passes of the reconciler, for showing. The host keeps
    /// the time.
    #[must_use]
    pub fn with_timer(mut self, timer: Timer) -> Self {
        self.timer = timer;
        self
    }

    /// Lets the providers be looked after from this desk.
    #[must_use]
    pub fn with_connections(mut self, connections: Arc<dyn Connections>) -> Self {
        self.connections = Some(connections);
        self
    }

    /// Lets files that the window does not play be opened in another program.
    pub fn show_with(&mut self, player: Arc<dyn Player>) {
        self.player = Some(player);
    }

    /// When the host of this desk starts passes of the reconciler, as it was set up. It starts each only
    /// [once everybody can be asked](Self::until_all_can_be_asked).
    #[must_use]
    pub fn timer(&self) -> &Timer {
        &self.timer
    }

    /// Tells what to read again. A slow listener loses old ones and reads everything.
    #[must_use]
    pub fn changes(&self) -> broadcast::Receiver<Topic> {
        self.changes.subscribe()
    }

    /// The providers that this desk asks.
    #[must_use]
    pub fn providers(&self) -> &Arc<dyn Providers> {
        &self.providers
    }

    /// The record behind this desk, for exports and proofs.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// What time it is for this desk.
    #[must_use]
    pub fn time(&self) -> Timestamp {
        self.now()
    }

    pub(crate) fn sleep_until(&self, instant: Timestamp) -> impl Future<Output = ()> + Send + Unpin {
        self.clock.sleep_until(instant)
    }

    pub(crate) fn changed(&self, topic: Topic) {
        // No listener is no error: `makegoodctl` has no window.
        drop(self.changes.send(topic));
    }
}
