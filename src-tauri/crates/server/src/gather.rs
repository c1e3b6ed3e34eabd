//! Group commit: deliveries that arrive while a commit is under way are kept by the next one, together. One
//! sync of the disk then stands for all of them, and nobody is answered before the commit that holds theirs.

use std::sync::Arc;

use makegood_domain::ports::{Clock, NewDelivery, Store, StoreError, StoreResult};
use tokio::sync::{mpsc, oneshot};

use crate::house::Heard;
use crate::metrics::Metrics;

/// Deliveries in one commit, and bytes of their bodies: more would make the first one wait too long.
const GROUP_MAX: usize = 256;
const GROUP_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Deliveries that may wait; beyond that their senders do.
const WAITING_MAX: usize = 4096;

type Tell = oneshot::Sender<StoreResult<bool>>;

/// The way to the task that keeps. The task ends with the last one who knows it, after what it was given.
#[derive(Clone, Debug)]
pub struct Gather {
    queue: mpsc::Sender<(NewDelivery, Tell)>,
}

impl Gather {
    pub fn start(store: Arc<dyn Store>, clock: Arc<dyn Clock>, metrics: Arc<Metrics>, heard: Heard) -> Self {
        let (queue, waiting) = mpsc::channel(WAITING_MAX);
        tokio::spawn(keep_groups(store, clock, metrics, heard, waiting));
        Self { queue }
    }

    /// Keeps a delivery; whether it was not known.
    ///
    /// # Errors
    /// It may not be kept: its sender must send it again.
    pub async fn keep(&self, delivery: NewDelivery) -> StoreResult<bool> {
        let stopped = || StoreError::Unavailable("the record is being closed".to_owned());
        let (told, answer) = oneshot::channel();
        self.queue.send((delivery, told)).await.map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }

    /// Deliveries that wait for their commit.
    pub fn waiting(&self) -> usize {
        self.queue.max_capacity().saturating_sub(self.queue.capacity())
    }
}

async fn keep_groups(
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
    heard: Heard,
    mut waiting: mpsc::Receiver<(NewDelivery, Tell)>,
) {
    let mut arrived = Vec::with_capacity(GROUP_MAX);
    while waiting.recv_many(&mut arrived, GROUP_MAX).await > 0 {
        let mut left = arrived.drain(..).peekable();
        while left.peek().is_some() {
            let (mut group, mut tells, mut bytes) = (Vec::new(), Vec::new(), 0);
            while let Some((delivery, tell)) =
                left.next_if(|(delivery, _)| bytes == 0 || bytes + delivery.body.len() <= GROUP_BYTES_MAX)
            {
                bytes += delivery.body.len().max(1);
                group.push(delivery);
                tells.push(tell);
            }
            metrics.group(group.len());
            let kept = store.keep_deliveries(&group, clock.now()).await;
            if let Ok(news) = &kept {
                let new = group.iter().zip(news).filter(|(_, is_new)| **is_new);
                let jobs: Vec<_> = new.filter_map(|(delivery, _)| delivery.job_id.clone()).collect();
                if !jobs.is_empty() {
                    heard(jobs);
                }
            }
            tell_all(tells, kept, group.len());
        }
    }
}

/// A sender that is gone asks again, and is told that it is known.
fn tell_all(tells: Vec<Tell>, kept: StoreResult<Vec<bool>>, wanted: usize) {
    match kept {
        Ok(news) if news.len() == wanted => {
            for (tell, is_new) in tells.into_iter().zip(news) {
                drop(tell.send(Ok(is_new)));
            }
        }
        other => {
            let why = match other {
                Ok(_) => "the record did not say what became of each delivery".to_owned(),
                Err(why) => why.to_string(),
            };
            tracing::error!(why, deliveries = wanted, "deliveries could not be kept");
            for tell in tells {
                drop(tell.send(Err(StoreError::Unavailable(why.clone()))));
            }
        }
    }
}
