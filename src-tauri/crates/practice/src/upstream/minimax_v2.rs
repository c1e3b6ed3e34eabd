//! MiniMax's second video API: tasks of the last seven days; an older one is an invalid id. Each answer has a fresh
//! address.

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::get;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{has, json, with};
use super::state::{Ending, UpstreamJob};
use super::{About, Shared, Shop, files};
use crate::tale::after;

/// How long tasks can be asked about, from their creation.
const RECORD_SECONDS: i64 = 7 * 24 * 3600;
/// How long a signed address works: "a limited time", says the vendor.
const ADDRESS_SECONDS: i64 = 9 * 3600;
const PAGE: usize = 10;

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/v2/query/video_generation", get(list))
        .route("/v2/query/video_generation/{id}", get(task))
        .route("/prod/{token}/{name}", get(files::leased))
        .fallback(async || refusal(StatusCode::NOT_FOUND, "not_found_error", "404 page not found"))
}

/// The code stands at the end of the words, where there is one.
fn refusal(status: StatusCode, kind: &str, words: &str) -> Response {
    let error = json!({"type": kind, "message": words, "http_code": status.as_u16().to_string()});
    json(status, &json!({"type": "error", "error": error, "request_id": "practice"}))
}

fn allowed(shop: &Shop, headers: &HeaderMap) -> bool {
    has(headers, "authorization", &format!("Bearer {}", shop.key))
}

fn no_key() -> Response {
    let words = "login fail: Please carry the API secret key in the 'Authorization' field of the request header (1004)";
    refusal(StatusCode::UNAUTHORIZED, "authorized_error", words)
}

fn is_known(shop: &Shop, job: &UpstreamJob) -> bool {
    after(job.created_at, RECORD_SECONDS) > shop.now()
}

async fn task(State(shop): State<Shared>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    if !allowed(&shop, &headers) {
        return no_key();
    }
    match shop.about(&id) {
        About::Job(job) if is_known(&shop, job) => json(StatusCode::OK, &json!({ "task": row(&shop, job) })),
        About::Nothing | About::Job(_) => {
            refusal(StatusCode::BAD_REQUEST, "bad_request_error", "invalid params, invalid task_id (2013)")
        }
        About::TooOften => {
            refusal(StatusCode::TOO_MANY_REQUESTS, "rate_limit_error", "rate limit, please retry later (1002)")
        }
        About::Broken => refusal(StatusCode::INTERNAL_SERVER_ERROR, "server_error", "internal error (1000)"),
    }
}

fn row(shop: &Shop, job: &UpstreamJob) -> Value {
    let more = match &job.ending {
        Ending::Queued => json!({"status": "queued"}),
        Ending::Running => json!({"status": "running"}),
        Ending::Failed { message } => json!({"status": "failed", "error": {"code": "1000", "message": message}}),
        Ending::Filtered { message } => json!({"status": "failed", "error": {"code": "1027", "message": message}}),
        Ending::Cancelled => json!({"status": "cancelled"}),
        Ending::Odd { word } => json!({ "status": word }),
        Ending::Succeeded | Ending::Unknown | Ending::Broken => {
            let until = after(shop.now(), ADDRESS_SECONDS);
            let url = job.made().next().map(|item| files::lease(shop, "prod", job, item, until));
            json!({"status": "succeeded", "content": {"url": url}, "usage": {"total_seconds": 8}})
        }
    };
    let base = json!({
        "id": job.id,
        "model": job.endpoint,
        "created_at": job.created_at.as_second(),
        "updated_at": job.finished_at.or(job.started_at).unwrap_or(job.created_at).as_second(),
        "task_type": "generation",
        "modality": "video",
    });
    with(base, &more)
}

#[derive(Deserialize)]
struct Part {
    page_num: Option<usize>,
    page_size: Option<usize>,
}

async fn list(State(shop): State<Shared>, Query(part): Query<Part>, headers: HeaderMap) -> Response {
    if !allowed(&shop, &headers) {
        return no_key();
    }
    let jobs: Vec<&UpstreamJob> = shop.listed().into_iter().filter(|job| is_known(&shop, job)).collect();
    let (number, size) = (part.page_num.unwrap_or(1).max(1), part.page_size.unwrap_or(PAGE).clamp(1, 500));
    let items: Vec<Value> = jobs.iter().skip((number - 1) * size).take(size).map(|job| row(&shop, job)).collect();
    json(StatusCode::OK, &json!({"items": items, "total": jobs.len()}))
}
