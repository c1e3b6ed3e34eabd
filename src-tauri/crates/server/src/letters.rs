//! Tells the platform, each endpoint by a task of its own, until it is told to stop; and leads deliveries to jobs that
//! came at the same moment.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use makegood_app::letters::tell_once;
use makegood_domain::ports::{Clock, Courier, DeliveryStore, LetterStore};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Between two rounds of an endpoint where nothing was due.
const PAUSE: Duration = Duration::from_secs(1);
/// Between two looks for deliveries whose job was written at the same moment, and how far back they go.
const MATCH_EVERY: Duration = Duration::from_secs(60);
const MATCH_BACK: SignedDuration = SignedDuration::from_hours(48);

/// What telling needs of the outside.
#[derive(Clone)]
pub struct Post {
    pub store: Arc<dyn LetterStore>,
    pub courier: Arc<dyn Courier>,
    pub clock: Arc<dyn Clock>,
    /// A number of `[0, 1)`.
    pub chance: Arc<dyn Fn() -> f64 + Send + Sync>,
}

/// Tells all endpoints what is due, again and again, until `stop` says true. Each is told by a task of its own, so that
/// one that is slow holds none of the others up. Whoever is cut off has claimed letters that are sent after their lease,
/// under the same id.
pub async fn keep_telling(post: Post, stop: watch::Receiver<bool>) {
    let mut tasks = JoinSet::new();
    for endpoint in post.courier.endpoints() {
        let (post, mut stop) = (post.clone(), stop.clone());
        tasks.spawn(async move {
            tokio::select! {
                () = tell(&post, &endpoint) => {}
                () = stopped(&mut stop) => {}
            }
        });
    }
    while let Some(ended) = tasks.join_next().await {
        if let Err(why) = ended {
            tracing::error!(%why, "an endpoint is told nothing any more until the next start");
        }
    }
}

/// Tells one endpoint, for ever. One that is disabled is said once, in a plain line.
async fn tell(post: &Post, endpoint: &str) {
    loop {
        let sent = match tell_once(&*post.store, &*post.courier, endpoint, &*post.clock, &*post.chance).await {
            Ok(told) => {
                for (name, why) in told.disabled {
                    tracing::error!(
                        "endpoint {name} is told nothing any more: {why}. When it works again: makegoodctl serve \
                         --enable {name}"
                    );
                }
                told.sent
            }
            Err(why) => {
                tracing::warn!(endpoint, %why, "the outbox can't be read");
                0
            }
        };
        if sent == 0 {
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// Leads deliveries that met their job in mid-air to it, until `stop` says true.
pub async fn keep_leading(store: Arc<dyn DeliveryStore>, clock: Arc<dyn Clock>, mut stop: watch::Receiver<bool>) {
    loop {
        let pause = async {
            lead(&*store, &*clock).await;
            tokio::time::sleep(MATCH_EVERY).await;
        };
        tokio::select! {
            () = pause => {}
            () = stopped(&mut stop) => return,
        }
    }
}

/// Also when whoever could say so is gone.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    drop(stop.wait_for(|stop| *stop).await);
}

async fn lead(store: &dyn DeliveryStore, clock: &dyn Clock) {
    let now = clock.now();
    let since = now.saturating_sub(MATCH_BACK).unwrap_or(now);
    match store.match_deliveries(since, now).await {
        Ok(0) => {}
        Ok(led) => tracing::info!(led, "deliveries were led to jobs that came at the same moment"),
        Err(why) => tracing::warn!(%why, "deliveries can't be led to their jobs"),
    }
}

#[cfg(test)]
mod tests;
