//! Waiting and chance, as arguments: what a retry needs and a test must not wait for.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use jiff::Timestamp;
use rand::RngExt;

/// How time passes for a caller that retries.
#[async_trait]
pub trait Pace: Send + Sync {
    /// Time since some fixed moment; never goes back.
    fn elapsed(&self) -> Duration;
    /// The time of day, for what is signed for a time.
    fn now(&self) -> Timestamp;
    /// A number of `[0, 1)`, for jitter.
    fn chance(&self) -> f64;
    async fn wait(&self, time: Duration);
}

/// Real time and real chance.
#[derive(Debug)]
pub struct RealPace {
    started: Instant,
}

impl RealPace {
    #[must_use]
    pub fn new() -> Self {
        Self { started: Instant::now() }
    }
}

impl Default for RealPace {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Pace for RealPace {
    fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    #[expect(clippy::disallowed_methods, reason = "here the time comes in, for all that take a pace")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn chance(&self) -> f64 {
        rand::rng().random()
    }

    async fn wait(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}
