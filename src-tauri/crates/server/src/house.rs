//! What every route needs, as one value.

use std::sync::Arc;

use makegood_domain::ids::JobId;
use makegood_domain::ports::{Clock, Deliveries, Store};

use crate::bodies::Room;
use crate::feeders::Feeders;
use crate::gather::Gather;
use crate::limits::Limits;
use crate::metrics::Metrics;

/// The outside, as ports.
pub struct Outside {
    pub store: Arc<dyn Store>,
    pub deliveries: Arc<dyn Deliveries>,
    pub clock: Arc<dyn Clock>,
    /// Is told of which jobs something new was kept, after the commit. It must not wait.
    pub heard: Heard,
}

/// Who wants to know of which jobs webhooks came.
pub type Heard = Arc<dyn Fn(Vec<JobId>) + Send + Sync>;

/// The door with all behind it.
pub struct House {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) deliveries: Arc<dyn Deliveries>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) feeders: Feeders,
    pub(crate) limits: Limits,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) gather: Gather,
    pub(crate) room: Room,
}

impl House {
    /// Opens the door; needs a runtime, which keeps what was gathered.
    #[must_use]
    pub fn new(outside: Outside, feeders: Feeders, limits: Limits) -> Self {
        let metrics = Arc::new(Metrics::default());
        let (store, clock) = (Arc::clone(&outside.store), Arc::clone(&outside.clock));
        let gather = Gather::start(store, clock, Arc::clone(&metrics), Arc::clone(&outside.heard));
        let room = Room::of(limits.all_bytes);
        let Outside { store, deliveries, clock, .. } = outside;
        Self { store, deliveries, clock, feeders, limits, metrics, gather, room }
    }
}
