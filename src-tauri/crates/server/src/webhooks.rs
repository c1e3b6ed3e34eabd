//! Webhooks in: judged by their bytes, read, kept, answered. In this order.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::ALLOW;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use makegood_domain::ids::{JobId, ProviderId};
use makegood_domain::ports::{Arrival, NewDelivery, Notice, Proof, StoreResult};
use serde::Deserialize;
use serde_json::json;

use crate::house::House;
use crate::metrics::Came;
use crate::problem::Problem;

/// The address: a provider of the catalogue, and which of its addresses.
#[derive(Debug, Deserialize)]
pub struct Address {
    provider: String,
    endpoint: Option<String>,
}

/// Headers that are kept with a delivery: those that a proof rests on, and what the body is.
const KEPT: [&str; 5] = ["content-type", "signature", "sync-signature", "user-agent", "x-signature-primary"];
const KEPT_PREFIXES: [&str; 4] = ["webhook-", "x-fal-", "x-bfl-", "heygen-"];

/// `POST /webhooks/{provider}` and `/webhooks/{provider}/{endpoint}`.
pub async fn take(
    State(house): State<Arc<House>>,
    Path(address): Path<Address>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let started = tokio::time::Instant::now();
    let limit = house.limits.request;
    let outcome = match tokio::time::timeout(limit, receive(&house, address, &headers, body)).await {
        Ok(outcome) => outcome,
        Err(_) => {
            let why = Problem::new(StatusCode::REQUEST_TIMEOUT, "it did not arrive, or could not be kept, in time");
            Err((Came::Failed, why))
        }
    };
    let (came, response) = match outcome {
        Ok((came, answer)) => (came, answer),
        Err((came, problem)) => (came, problem.into_response()),
    };
    house.metrics.webhook(came, started.elapsed());
    response
}

/// `OPTIONS` of the same: HeyGen asks so before it takes an address.
pub async fn greet(State(house): State<Arc<House>>, Path(address): Path<Address>) -> Response {
    if house.deliveries.expects(&ProviderId(address.provider), address.endpoint.as_deref()) {
        (StatusCode::NO_CONTENT, [(ALLOW, "POST, OPTIONS")]).into_response()
    } else {
        unexpected().into_response()
    }
}

fn unexpected() -> Problem {
    let why = "no webhooks are expected at this address: it is none of the [[webhook]] of the settings";
    Problem::new(StatusCode::NOT_FOUND, why)
}

async fn receive(
    house: &House,
    address: Address,
    headers: &HeaderMap,
    body: Body,
) -> Result<(Came, Response), (Came, Problem)> {
    let provider = ProviderId(address.provider);
    let endpoint = address.endpoint.as_deref();
    if !house.deliveries.expects(&provider, endpoint) {
        return Err((Came::Unexpected, unexpected()));
    }
    let texts = readable(headers);
    let head = Arrival { provider: &provider, endpoint, headers: &texts, body: &[], at: house.clock.now() };
    if let Some(why) = house.deliveries.refuses_head(&head) {
        return Err(refused(&head, why));
    }
    let limits = &house.limits;
    let taken =
        house.room.read(headers, body, limits.webhook_bytes, limits).await.map_err(|why| (Came::Failed, why))?;
    let at = house.clock.now();
    let arrival = Arrival { provider: &provider, endpoint, headers: &texts, body: &taken.bytes, at };
    let proven = match house.deliveries.verify(&arrival).await {
        Proof::Proven => true,
        Proof::Unproven => false,
        Proof::Refused { why } => return Err(refused(&arrival, why)),
        Proof::Undecided { why } => {
            tracing::warn!(provider = provider.as_str(), endpoint, why, "nobody can tell whether a webhook is genuine");
            return Err((Came::Undecided, Problem::later("the provider's keys can't be had at the moment")));
        }
    };
    let notice = house.deliveries.read(&arrival);
    let (challenge, own_id) = (notice.challenge.clone(), notice.own_id.clone());
    let delivery = delivery(&arrival, notice, proven);
    let twin = own_id.and_then(|own_id| under_own_id(&delivery, own_id));
    let kept = keep_both(house, delivery, twin).await;
    drop(taken.room);
    let is_new = kept.map_err(|_| (Came::Failed, Problem::later("the record can't be used at the moment")))?;
    let answer = match challenge {
        Some(word) => json!({ "challenge": word }),
        None => json!({ "kept": if is_new { "new" } else { "known" } }),
    };
    let came = match (is_new, proven) {
        (false, _) => Came::Known,
        (true, true) => Came::Proven,
        (true, false) => Came::Unproven,
    };
    Ok((came, Json(answer).into_response()))
}

fn refused(arrival: &Arrival<'_>, why: String) -> (Came, Problem) {
    let (provider, endpoint) = (arrival.provider.as_str(), arrival.endpoint);
    tracing::warn!(provider, endpoint, why, "a webhook was refused");
    (Came::Refused, Problem::new(StatusCode::UNAUTHORIZED, why))
}

/// The same once more under the caller's own id of the job: the platform may know the job by either, and nobody can
/// say which before it is told. The one that no job has leads nowhere, and is not kept for long.
fn under_own_id(delivery: &NewDelivery, own_id: JobId) -> Option<NewDelivery> {
    let is_another = delivery.job_id.as_ref().is_some_and(|id| *id != own_id);
    is_another.then(|| NewDelivery {
        delivery_id: format!("{}/own", delivery.delivery_id),
        job_id: Some(own_id),
        ..delivery.clone()
    })
}

/// Whether the delivery itself was not known. A sender that is told of a failure sends again, and then what was kept
/// already is known.
async fn keep_both(house: &House, delivery: NewDelivery, twin: Option<NewDelivery>) -> StoreResult<bool> {
    let is_new = house.gather.keep(delivery).await?;
    if let Some(twin) = twin {
        house.gather.keep(twin).await?;
    }
    Ok(is_new)
}

/// Headers as text. One that is no text decides nothing, and what it should have decided is missing.
fn readable(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &axum::http::HeaderValue| value.to_str().ok().map(str::to_owned);
    headers.iter().filter_map(|(name, value)| Some((name.as_str().to_owned(), text(value)?))).collect()
}

fn delivery(arrival: &Arrival<'_>, notice: Notice, proven: bool) -> NewDelivery {
    let is_kept = |name: &str| KEPT.contains(&name) || KEPT_PREFIXES.iter().any(|prefix| name.starts_with(prefix));
    NewDelivery {
        provider_id: arrival.provider.clone(),
        endpoint: arrival.endpoint.map(str::to_owned),
        delivery_id: notice.delivery_id,
        job_id: notice.job_id.or(notice.own_id),
        event: notice.event,
        proven,
        headers: arrival.headers.iter().filter(|(name, _)| is_kept(name)).cloned().collect(),
        body: arrival.body.to_vec(),
        received_at: arrival.at,
    }
}
