//! The door to the outside: webhooks and the platform's facts in, health and metrics out, and the letters to
//! the platform. Knows use cases and ports; which store, which providers and which keys, the shell says.
//!
//! Nobody is answered 2xx before what was sent is committed. Everything that can be sent has a limit.

mod bodies;
mod connections;
mod events;
mod feeders;
mod gather;
mod health;
mod house;
mod letters;
mod limits;
mod metrics;
mod problem;
mod webhooks;

pub use connections::{Ended, serve};
pub use feeders::{Feeder, FeederError, Feeders, hash_of};
pub use house::{Heard, House, Outside};
pub use letters::{Post, keep_leading, keep_telling};
pub use limits::Limits;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use std::sync::Arc;

/// All routes. A slash at the end is the same address: senders do not follow a redirect, they give up.
pub fn routes(house: Arc<House>) -> Router {
    let webhook = || post(webhooks::take).options(webhooks::greet);
    Router::new()
        .route("/webhooks/{provider}", webhook())
        .route("/webhooks/{provider}/", webhook())
        .route("/webhooks/{provider}/{endpoint}", webhook())
        .route("/webhooks/{provider}/{endpoint}/", webhook())
        .route("/v1/events", post(events::take))
        .route("/v1/events/", post(events::take))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(metrics::show))
        .fallback(problem::no_such_address)
        .method_not_allowed_fallback(problem::no_such_method)
        .layer(from_fn_with_state(Arc::clone(&house), limits::keep_heads_short))
        .with_state(house)
}

#[cfg(test)]
mod tests;
