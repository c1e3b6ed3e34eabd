//! Luma's Dream Machine. A working generation is `dreaming`; the list knows no times, only an offset.

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::get;
use makegood_domain::work::Media;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{has, json, json_with, moment};
use super::state::{Ending, UpstreamJob};
use super::{About, PROMPT, Shared, Shop, files};

/// Generations of a page, where no limit is asked for; and the most that one has.
const PAGE: usize = 100;

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/dream-machine/v1/generations", get(list))
        .route("/dream-machine/v1/generations/{id}", get(generation))
        .route("/dream_machine/{token}/{name}", get(files::public))
        .fallback(async || refusal(StatusCode::NOT_FOUND, "Not Found"))
}

pub(super) fn refusal(status: StatusCode, words: &str) -> Response {
    json(status, &json!({ "detail": words }))
}

pub(super) fn too_often() -> Response {
    let body = json!({"detail": "Too many requests, please slow down"});
    json_with(StatusCode::TOO_MANY_REQUESTS, "retry-after", "1", &body)
}

fn allowed(shop: &Shop, headers: &HeaderMap) -> bool {
    has(headers, "authorization", &format!("Bearer {}", shop.key))
}

/// A key that is none gets 403 here.
fn no_key() -> Response {
    refusal(StatusCode::FORBIDDEN, "Invalid API key is provided")
}

async fn generation(State(shop): State<Shared>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    if !allowed(&shop, &headers) {
        return no_key();
    }
    match shop.about(&id) {
        About::Nothing => refusal(StatusCode::NOT_FOUND, "Generation not found"),
        About::TooOften => too_often(),
        About::Broken => refusal(StatusCode::SERVICE_UNAVAILABLE, "Service unavailable"),
        About::Job(job) => json(StatusCode::OK, &body(&shop, job)),
    }
}

fn body(shop: &Shop, job: &UpstreamJob) -> Value {
    let (state, reason) = match &job.ending {
        Ending::Queued => ("queued", None),
        Ending::Running => ("dreaming", None),
        Ending::Succeeded | Ending::Unknown | Ending::Broken => ("completed", None),
        Ending::Failed { message } | Ending::Filtered { message } => ("failed", Some(message.as_str())),
        // Nobody can stop a generation; what was deleted is not found.
        Ending::Cancelled => ("failed", Some("cancelled")),
        Ending::Odd { word } => (word.as_str(), None),
    };
    let (kind, field) = if job.media == Media::Image { ("image", "image") } else { ("video", "video") };
    let address = job.made().next().map(|item| files::address(shop, "dream_machine", job, item));
    json!({
        "id": job.id,
        "generation_type": kind,
        "state": state,
        "failure_reason": reason,
        "created_at": moment(job.created_at),
        "assets": address.map(|address| json!({ field: address })),
        "model": job.endpoint,
        "request": {"generation_type": kind, "prompt": PROMPT, "model": job.endpoint},
    })
}

#[derive(Deserialize)]
struct Part {
    limit: Option<usize>,
    offset: Option<usize>,
}

async fn list(State(shop): State<Shared>, Query(part): Query<Part>, headers: HeaderMap) -> Response {
    if !allowed(&shop, &headers) {
        return no_key();
    }
    let (limit, offset) = (part.limit.unwrap_or(PAGE).min(PAGE), part.offset.unwrap_or(0));
    let jobs = shop.listed();
    let has_more = jobs.len() > offset.saturating_add(limit);
    let generations: Vec<Value> = jobs.iter().skip(offset).take(limit).map(|job| body(&shop, job)).collect();
    let page = json!({"has_more": has_more, "count": jobs.len(), "limit": limit, "offset": offset});
    json(StatusCode::OK, &super::answer::with(page, &json!({ "generations": generations })))
}
