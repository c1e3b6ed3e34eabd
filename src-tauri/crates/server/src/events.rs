//! The platform's facts in: CloudEvents of one request are committed together, each answered for itself.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use makegood_app::intake::{self, Outcome};
use makegood_domain::events::{
    BATCH_BYTES_MAX, EVENT_BYTES_MAX, Event, Mode, Unreadable, from_binary, parse_batch, parse_structured,
};
use makegood_domain::ports::{StoreError, Told, Unread};
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use crate::house::House;
use crate::metrics::Event as Counted;
use crate::problem::Problem;

/// `POST /v1/events`, in structured, batch or binary mode.
pub async fn take(State(house): State<Arc<House>>, headers: HeaderMap, body: Body) -> Response {
    let limit = house.limits.request;
    let taken = tokio::time::timeout(limit, receive(&house, &headers, body)).await;
    let late = || Problem::new(StatusCode::REQUEST_TIMEOUT, "it did not arrive, or could not be taken, in time");
    taken.unwrap_or_else(|_| Err(late())).unwrap_or_else(|problem| {
        house.metrics.event(Counted::Refused, 1);
        problem.into_response()
    })
}

async fn receive(house: &House, headers: &HeaderMap, body: Body) -> Result<Response, Problem> {
    let feeder = feeder(house, headers)?;
    let unreadable = |why: Unreadable| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, why.to_string());
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let mode =
        Mode::of(content_type).map_err(|why| Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, why.to_string()))?;
    let limit = if mode == Mode::Batch { BATCH_BYTES_MAX } else { EVENT_BYTES_MAX };
    let taken = house.room.read(headers, body, limit, &house.limits).await?;
    let read: Vec<Result<Event, Unreadable>> = match mode {
        Mode::Batch => parse_batch(&taken.bytes).map_err(unreadable)?,
        Mode::Structured => vec![parse_structured(&taken.bytes)],
        Mode::Binary => {
            let pairs = headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
            vec![from_binary(pairs, &taken.bytes)]
        }
    };
    let lines = told(house, &feeder, mode, read).await?;
    drop(taken.room);
    Ok(match (mode, lines.first()) {
        (Mode::Structured | Mode::Binary, Some(line)) if line.get("reason").is_some() => {
            let why = line["reason"].as_str().unwrap_or_default().to_owned();
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, why).into_response()
        }
        _ => Json(json!({ "events": lines })).into_response(),
    })
}

/// Takes what could be read; a line for each event, in their order.
async fn told(
    house: &House,
    feeder: &str,
    mode: Mode,
    read: Vec<Result<Event, Unreadable>>,
) -> Result<Vec<Value>, Problem> {
    let failed = |why: StoreError| {
        tracing::error!(%why, feeder, "events could not be taken");
        Problem::later("the record can't be used at the moment: send all of it again")
    };
    let (place, now) = (format!("POST /v1/events by {feeder}"), house.clock.now());
    let (mut events, mut unread) = (Vec::new(), Vec::new());
    for one in &read {
        match one {
            Ok(event) => events.push(Told::new(event.clone(), place.clone())),
            Err(why) => unread.push(Unread {
                raw: why.raw.clone(),
                // The beginning of what was too long is no JSON, and attributes in headers are not in the body.
                whole: mode != Mode::Binary && serde_json::from_str::<IgnoredAny>(&why.raw).is_ok(),
                reason: why.to_string(),
                place: place.clone(),
            }),
        }
    }
    // First what is kept for people: sent again, the same one is kept once.
    if !unread.is_empty() {
        house.store.bury(&unread, now).await.map_err(failed)?;
    }
    let outcomes = match events[..] {
        [] => Vec::new(),
        ref events => intake::take_from(&*house.store, events, now).await.map_err(failed)?.0,
    };
    let mut outcomes = outcomes.into_iter();
    let mut lines = Vec::with_capacity(read.len());
    for one in read {
        lines.push(match one {
            Ok(event) => line(house, &event, outcomes.next()),
            Err(why) => {
                house.metrics.event(Counted::Unreadable, 1);
                tracing::warn!(feeder, why.field, why.why, "an event can't be read");
                json!({ "outcome": "unreadable", "reason": why.to_string(), "retryable": false })
            }
        });
    }
    Ok(lines)
}

fn line(house: &House, event: &Event, outcome: Option<Outcome>) -> Value {
    let id = event.origin.as_ref().map(|origin| origin.id.as_str());
    let (counted, mut line) = match outcome {
        Some(Outcome::Added) => (Counted::Added, json!({ "outcome": "added" })),
        Some(Outcome::Updated) => (Counted::Updated, json!({ "outcome": "updated" })),
        Some(Outcome::Unchanged) => (Counted::Unchanged, json!({ "outcome": "unchanged" })),
        Some(Outcome::Rejected { reason, retryable }) => {
            (Counted::Rejected, json!({ "outcome": "rejected", "reason": reason, "retryable": retryable }))
        }
        None => {
            let reason = "nobody said what became of it: send it again";
            (Counted::Rejected, json!({ "outcome": "rejected", "reason": reason, "retryable": true }))
        }
    };
    house.metrics.event(counted, 1);
    if let (Some(id), Some(fields)) = (id, line.as_object_mut()) {
        fields.insert("id".to_owned(), id.into());
    }
    line
}

/// Who tells this, by the token of the request.
fn feeder(house: &House, headers: &HeaderMap) -> Result<String, Problem> {
    let said = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let Some((scheme, token)) = said.and_then(|said| said.split_once(' ')) else {
        return Err(Problem::unknown_feeder("a feeder's token is needed: `Authorization: Bearer …`"));
    };
    let name = scheme.eq_ignore_ascii_case("bearer").then(|| house.feeders.of_token(token.trim())).flatten();
    name.map(str::to_owned).ok_or_else(|| Problem::unknown_feeder("this is no feeder's token"))
}
