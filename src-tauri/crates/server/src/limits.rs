//! What may come in. Every number is a promise to the machine that this runs on.

use std::time::Duration;

/// Limits of the door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a webhook. Predictions with their logs and inline files have more than a megabyte, and a provider
    /// whose webhook is refused for its length may never tell of that job again.
    pub webhook_bytes: usize,
    /// Bytes of all bodies that are being read or kept at the same time.
    pub all_bytes: usize,
    /// Connections at the same time; further ones wait to be accepted.
    pub connections: usize,
    /// Bytes of a request's line and headers, and their number.
    pub head_bytes: usize,
    pub headers: usize,
    /// For the head of a request, from its first byte; also how long a connection may be idle.
    pub head: Duration,
    /// For a request, from its head to its answer.
    pub request: Duration,
    /// For what is under way when it is told to stop.
    pub stop: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            webhook_bytes: 16 * 1024 * 1024,
            all_bytes: 256 * 1024 * 1024,
            connections: 1024,
            head_bytes: 64 * 1024,
            headers: 100,
            head: Duration::from_secs(15),
            request: Duration::from_secs(30),
            stop: Duration::from_secs(25),
        }
    }
}
