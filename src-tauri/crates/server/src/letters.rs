//! Tells the platform, a round after each pause, until it is told to stop.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use makegood_app::letters::tell_once;
use makegood_domain::ports::{Clock, Courier, Store};
use tokio::sync::watch;

/// Between two rounds where nothing was due.
const PAUSE: Duration = Duration::from_secs(1);
/// Between two looks for deliveries whose job was written at the same moment, and how far back they go.
const MATCH_EVERY: SignedDuration = SignedDuration::from_mins(1);
const MATCH_BACK: SignedDuration = SignedDuration::from_hours(48);

/// Tells all endpoints what is due, again and again, and leads deliveries that met their job in mid-air, until
/// `stop` says true. An endpoint that is disabled is said once, in a plain line.
pub async fn keep_telling(
    store: Arc<dyn Store>,
    courier: Arc<dyn Courier>,
    clock: Arc<dyn Clock>,
    chance: Arc<dyn Fn() -> f64 + Send + Sync>,
    mut stop: watch::Receiver<bool>,
) {
    let mut round = Round { store, courier, clock, chance, matched_at: None };
    loop {
        // Whoever is cut off in a round has claimed letters that are sent after their lease, under the same id.
        let sent = tokio::select! {
            sent = round.go() => sent,
            () = stopped(&mut stop) => return,
        };
        if sent == 0 {
            tokio::select! {
                () = tokio::time::sleep(PAUSE) => {}
                () = stopped(&mut stop) => return,
            }
        }
    }
}

/// Also when whoever could say so is gone.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    drop(stop.wait_for(|stop| *stop).await);
}

struct Round {
    store: Arc<dyn Store>,
    courier: Arc<dyn Courier>,
    clock: Arc<dyn Clock>,
    chance: Arc<dyn Fn() -> f64 + Send + Sync>,
    matched_at: Option<Timestamp>,
}

impl Round {
    /// One round; how many letters were taken.
    async fn go(&mut self) -> u64 {
        self.lead().await;
        let mut sent = 0;
        for endpoint in self.courier.endpoints() {
            match tell_once(&*self.store, &*self.courier, &endpoint, &*self.clock, &*self.chance).await {
                Ok(told) => {
                    sent += told.sent;
                    for (name, why) in told.disabled {
                        tracing::error!(
                            "endpoint {name} is told nothing any more: {why}. When it works again: makegoodctl serve \
                             --enable {name}"
                        );
                    }
                }
                Err(why) => tracing::warn!(endpoint, %why, "the outbox can't be read"),
            }
        }
        sent
    }

    async fn lead(&mut self) {
        let now = self.clock.now();
        if self.matched_at.is_some_and(|at| now.duration_since(at) < MATCH_EVERY) {
            return;
        }
        self.matched_at = Some(now);
        let since = now.saturating_sub(MATCH_BACK).unwrap_or(now);
        match self.store.match_deliveries(since, now).await {
            Ok(0) => {}
            Ok(led) => tracing::info!(led, "deliveries were led to jobs that came at the same moment"),
            Err(why) => tracing::warn!(%why, "deliveries can't be led to their jobs"),
        }
    }
}
