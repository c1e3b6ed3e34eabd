//! ElevenLabs: speech is made while the caller waits, so that there is no job. What was spoken is in the history,
//! under an id of its own and with the id of the request; that one is all that the platform has of a lost answer.

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::get;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{has, json, json_with};
use super::state::{Ending, UpstreamJob};
use super::{About, Shared, Shop, files};
use crate::media;

/// The most items that a page has.
const PAGE_MAX: usize = 1000;

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/v1/history", get(history))
        .route("/v1/history/{id}", get(item))
        .route("/v1/history/{id}/audio", get(audio))
        .fallback(async || refusal(StatusCode::NOT_FOUND, "not_found", "Not Found"))
}

fn refusal(code: StatusCode, status: &str, message: &str) -> Response {
    json(code, &json!({"detail": {"status": status, "message": message}}))
}

fn allowed(shop: &Shop, headers: &HeaderMap) -> bool {
    has(headers, "xi-api-key", &shop.key)
}

fn no_key() -> Response {
    refusal(StatusCode::UNAUTHORIZED, "invalid_api_key", "Invalid API key")
}

fn no_item() -> Response {
    refusal(StatusCode::NOT_FOUND, "history_item_not_found", "History item not found.")
}

/// Asked by a request's own id, the history knows nothing.
async fn item(State(shop): State<Shared>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    if !allowed(&shop, &headers) {
        return no_key();
    }
    match shop.about(&id) {
        About::TooOften => {
            let detail = json!({"status": "too_many_concurrent_requests", "message": "Too many concurrent requests"});
            json_with(StatusCode::TOO_MANY_REQUESTS, "retry-after", "1", &json!({ "detail": detail }))
        }
        About::Broken => refusal(
            StatusCode::SERVICE_UNAVAILABLE,
            "system_busy",
            "Our services are experiencing \
            high traffic and could not process your request",
        ),
        About::Nothing | About::Job(_) => match shop.kept_file(&id) {
            Some((job, _)) => json(StatusCode::OK, &body(job)),
            None => no_item(),
        },
    }
}

async fn audio(State(shop): State<Shared>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    match shop.kept_file(&id) {
        _ if !allowed(&shop, &headers) => no_key(),
        Some((job, item)) => files::hand_out(job, item, &headers),
        None => no_item(),
    }
}

/// The item's own id. One that is being made, or was not, has it from its request.
fn history_id(job: &UpstreamJob) -> &str {
    job.made().next().map_or_else(|| job.id.trim_start_matches("req_"), |item| item.token.as_str())
}

fn spoken_at(job: &UpstreamJob) -> Timestamp {
    job.finished_at.unwrap_or(job.created_at)
}

fn body(job: &UpstreamJob) -> Value {
    let (_, content_type) = media::kind(job.media);
    let state = match &job.ending {
        Ending::Queued | Ending::Running => "processing",
        Ending::Odd { word } => word,
        _ => "created",
    };
    json!({
        "history_item_id": history_id(job),
        "request_id": job.id,
        "voice_id": "21m00Tcm4TlvDq8ikWAM",
        "voice_name": "Practice voice",
        "voice_category": "premade",
        "model_id": job.endpoint,
        "text": "The lighthouse went dark at dusk.",
        "date_unix": spoken_at(job).as_second(),
        "character_count_change_from": 17_189,
        "character_count_change_to": 17_829,
        "content_type": content_type,
        "state": state,
        "source": "TTS",
    })
}

#[derive(Deserialize)]
struct Wanted {
    page_size: Option<usize>,
    date_after_unix: Option<i64>,
    date_before_unix: Option<i64>,
    start_after_history_item_id: Option<String>,
}

/// Newest first. What was refused was never spoken, and is not in it.
async fn history(State(shop): State<Shared>, Query(wanted): Query<Wanted>, headers: HeaderMap) -> Response {
    if !allowed(&shop, &headers) {
        return no_key();
    }
    let size = wanted.page_size.unwrap_or(100);
    if size > PAGE_MAX {
        let why = json!({"loc": ["query", "page_size"], "msg": "ensure this value is less than or equal to 1000",
            "type": "value_error.number.not_le"});
        return json(StatusCode::UNPROCESSABLE_ENTITY, &json!({ "detail": [why] }));
    }
    let spoken = |job: &&UpstreamJob| {
        let at = spoken_at(job).as_second();
        !matches!(job.ending, Ending::Failed { .. } | Ending::Filtered { .. } | Ending::Cancelled)
            && wanted.date_after_unix.is_none_or(|after| at > after)
            && wanted.date_before_unix.is_none_or(|before| at < before)
    };
    let mut jobs: Vec<&UpstreamJob> = shop.listed().into_iter().filter(spoken).collect();
    if let Some(last) = &wanted.start_after_history_item_id {
        let place = jobs.iter().position(|job| history_id(job) == last);
        jobs.drain(..place.map_or(jobs.len(), |place| place + 1));
    }
    let has_more = jobs.len() > size;
    jobs.truncate(size);
    let last = jobs.last().map(|job| history_id(job));
    let items: Vec<Value> = jobs.iter().map(|job| body(job)).collect();
    json(StatusCode::OK, &json!({"history": items, "has_more": has_more, "last_history_item_id": last}))
}
