//! Whether this program lives, and whether it can do its work.

use std::sync::Arc;

use axum::extract::State;

use crate::house::House;
use crate::problem::Problem;

/// `GET /healthz`: it lives. Says nothing of what it needs, so that it is not started anew because its
/// database is away.
pub async fn alive() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: the record answers, so that webhooks can be kept.
pub async fn ready(State(house): State<Arc<House>>) -> Result<&'static str, Problem> {
    let asked = tokio::time::timeout(house.limits.head, house.store.endpoints()).await;
    match asked {
        Ok(Ok(_)) => Ok("ready\n"),
        Ok(Err(why)) => {
            tracing::warn!(%why, "the record does not answer");
            Err(Problem::later("the record does not answer"))
        }
        Err(_) => Err(Problem::later("the record does not answer in time")),
    }
}
