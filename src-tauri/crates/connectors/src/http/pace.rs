//! Waiting and chance, as arguments: what a retry needs and a test must not wait for.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use rand::RngExt;

/// How time passes for a caller that retries.
#[async_trait]
pub trait Pace: Send + Sync {
    /// Time since some fixed moment; never goes back.
    fn elapsed(&self) -> Duration;
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

    fn chance(&self) -> f64 {
        rand::rng().random()
    }

    async fn wait(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}
