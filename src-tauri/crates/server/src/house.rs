//! What every route needs, as one value.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, StatusCode, header};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use makegood_domain::ids::JobId;
use makegood_domain::ports::{Clock, Deliveries, Store};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::feeders::Feeders;
use crate::gather::Gather;
use crate::limits::Limits;
use crate::metrics::Metrics;
use crate::problem::Problem;

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
    /// Kibibytes of bodies that may still be taken in.
    room: Arc<Semaphore>,
}

/// Bytes that one permit of the room stands for.
const KIB: usize = 1024;

/// A body, and the room that it takes.
pub(crate) struct Taken {
    pub bytes: Bytes,
    /// Given back when what was sent is kept.
    pub room: OwnedSemaphorePermit,
}

impl House {
    /// Opens the door; needs a runtime, which keeps what was gathered.
    #[must_use]
    pub fn new(outside: Outside, feeders: Feeders, limits: Limits) -> Self {
        let metrics = Arc::new(Metrics::default());
        let (store, clock) = (Arc::clone(&outside.store), Arc::clone(&outside.clock));
        let gather = Gather::start(store, clock, Arc::clone(&metrics), Arc::clone(&outside.heard));
        let room = Arc::new(Semaphore::new((limits.all_bytes / KIB).min(Semaphore::MAX_PERMITS)));
        let Outside { store, deliveries, clock, .. } = outside;
        Self { store, deliveries, clock, feeders, limits, metrics, gather, room }
    }

    /// Reads a body of at most `limit` bytes, when there is room for it.
    pub(crate) async fn read(&self, headers: &HeaderMap, mut body: Body, limit: usize) -> Result<Taken, Problem> {
        let said = headers.get(header::CONTENT_LENGTH).and_then(|text| text.to_str().ok()?.parse::<usize>().ok());
        let too_long = || {
            Problem::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                format!("the body is longer than the {limit} bytes that are taken"),
            )
        };
        if said.is_some_and(|said| said > limit) {
            return Err(too_long());
        }
        let wanted = u32::try_from(said.unwrap_or(limit).div_ceil(KIB).max(1)).unwrap_or(u32::MAX);
        let room = Arc::clone(&self.room).acquire_many_owned(wanted).await;
        let room = room.map_err(|_| Problem::later("this server is being stopped"))?;
        let mut bytes = BytesMut::with_capacity(said.unwrap_or_default());
        while let Some(frame) = body.frame().await {
            let cut = |_| Problem::new(StatusCode::BAD_REQUEST, "the body broke off");
            let Ok(data) = frame.map_err(cut)?.into_data() else { continue };
            if bytes.len() + data.len() > limit {
                return Err(too_long());
            }
            bytes.extend_from_slice(&data);
        }
        Ok(Taken { bytes: bytes.freeze(), room })
    }
}
