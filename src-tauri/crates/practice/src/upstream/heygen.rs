//! HeyGen, version 3: everything is wrapped in `data`, and each look-up signs the address anew.

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::get;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{has, json, json_with, with};
use super::state::{Ending, UpstreamJob};
use super::{About, Shared, Shop, files};
use crate::tale::after;

/// How long a signed address works. The vendor does not say; older versions wrote a week.
const ADDRESS_SECONDS: i64 = 7 * 24 * 3600;
/// The most videos of a page.
const PAGE_MAX: usize = 100;

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/v3/videos", get(list))
        .route("/v3/videos/{id}", get(video))
        .route("/files/{token}/{name}", get(files::leased))
        .fallback(async || refusal(StatusCode::NOT_FOUND, "not_found", "no such endpoint"))
}

fn refusal(status: StatusCode, code: &str, message: &str) -> Response {
    json(status, &json!({"error": {"code": code, "message": message}}))
}

fn allowed(shop: &Shop, headers: &HeaderMap) -> bool {
    has(headers, "x-api-key", &shop.key)
}

fn no_key() -> Response {
    refusal(StatusCode::UNAUTHORIZED, "unauthorized", "Invalid API key")
}

async fn video(State(shop): State<Shared>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    if !allowed(&shop, &headers) {
        return no_key();
    }
    match shop.about(&id) {
        About::Nothing => refusal(StatusCode::NOT_FOUND, "not_found", "no such video"),
        About::TooOften => {
            let body = json!({"error": {"code": "rate_limit_exceeded", "message": "Too many requests"}});
            json_with(StatusCode::TOO_MANY_REQUESTS, "retry-after", "1", &body)
        }
        About::Broken => refusal(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Service unavailable"),
        About::Job(job) => json(StatusCode::OK, &json!({ "data": with(row(job), &result(&shop, job)) })),
    }
}

/// What a list has of a video: its addresses only the look-up tells.
fn row(job: &UpstreamJob) -> Value {
    let status = match &job.ending {
        Ending::Queued => "pending",
        Ending::Running => "processing",
        Ending::Failed { .. } | Ending::Filtered { .. } | Ending::Cancelled => "failed",
        Ending::Odd { word } => word,
        Ending::Succeeded | Ending::Unknown | Ending::Broken => "completed",
    };
    json!({
        "id": job.id,
        "title": "Practice video",
        "status": status,
        "callback_id": job.reference,
        "created_at": job.created_at.as_second(),
    })
}

fn result(shop: &Shop, job: &UpstreamJob) -> Value {
    let failed = |code: &str, words: &str| json!({"failure_code": code, "failure_message": words});
    let completed_at = job.finished_at.map(|at| at.as_second());
    match &job.ending {
        Ending::Failed { message } => failed("MOVIO_INTERNAL_ERROR", message),
        Ending::Filtered { message } => failed("MOVIO_CONTENT_MODERATION", message),
        Ending::Cancelled => failed("MOVIO_CANCELLED", "The video was cancelled"),
        Ending::Succeeded => {
            let until = after(shop.now(), ADDRESS_SECONDS);
            let url = job.made().next().map(|item| files::lease(shop, "files", job, item, until));
            json!({"completed_at": completed_at, "duration": 24.0, "video_url": url})
        }
        _ => json!({}),
    }
}

#[derive(Deserialize)]
struct Part {
    limit: Option<usize>,
    token: Option<String>,
}

async fn list(State(shop): State<Shared>, Query(part): Query<Part>, headers: HeaderMap) -> Response {
    if !allowed(&shop, &headers) {
        return no_key();
    }
    let from = part.token.and_then(|token| token.parse::<usize>().ok()).unwrap_or(0);
    let limit = part.limit.unwrap_or(10).clamp(1, PAGE_MAX);
    let jobs = shop.listed();
    let next = from.saturating_add(limit);
    let has_more = jobs.len() > next;
    let rows: Vec<Value> = jobs.into_iter().skip(from).take(limit).map(row).collect();
    let next = has_more.then(|| next.to_string());
    json(StatusCode::OK, &json!({"data": rows, "has_more": has_more, "next_token": next}))
}
