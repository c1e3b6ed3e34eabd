//! Seedance on ModelArk. `expired` is a task that ran out of its time, and made nothing; a video that is no longer
//! kept is a success whose content is empty; after a week the task itself is not found.

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::get;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{has, json, json_with, with};
use super::state::{Ending, UpstreamJob};
use super::{About, Shared, Shop, files};
use crate::catalogue::TIME_RAN_OUT;
use crate::tale::after;

/// How long tasks can be asked about.
const RECORD_SECONDS: i64 = 7 * 24 * 3600;
/// How long an address is good, from the end of the task; it is signed once.
const ADDRESS_SECONDS: i64 = 24 * 3600;
const PAGE: usize = 10;

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/api/v3/contents/generations/tasks", get(list))
        .route("/api/v3/contents/generations/tasks/{id}", get(task))
        .route("/videos/{token}/{name}", get(file))
        .fallback(async || no_task())
}

fn refusal(status: StatusCode, code: &str, message: &str, kind: &str) -> Response {
    json(status, &error(code, message, kind))
}

fn error(code: &str, message: &str, kind: &str) -> Value {
    json!({"error": {"code": code, "message": message, "param": "", "type": kind}})
}

fn no_task() -> Response {
    refusal(StatusCode::NOT_FOUND, "ResourceNotFound", "The specified task is not found.", "NotFound")
}

fn allowed(shop: &Shop, headers: &HeaderMap) -> bool {
    has(headers, "authorization", &format!("Bearer {}", shop.key))
}

fn no_key() -> Response {
    let message = "The API key in the request is missing or invalid.";
    refusal(StatusCode::UNAUTHORIZED, "AuthenticationError", message, "Unauthorized")
}

fn is_known(shop: &Shop, job: &UpstreamJob) -> bool {
    after(job.created_at, RECORD_SECONDS) > shop.now()
}

async fn task(State(shop): State<Shared>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    if !allowed(&shop, &headers) {
        return no_key();
    }
    match shop.about(&id) {
        About::Job(job) if is_known(&shop, job) => json(StatusCode::OK, &row(&shop, job)),
        About::Nothing | About::Job(_) => no_task(),
        About::TooOften => {
            let body = error("RateLimitExceeded", "Requests are too frequent.", "TooManyRequests");
            json_with(StatusCode::TOO_MANY_REQUESTS, "retry-after", "1", &body)
        }
        About::Broken => {
            let message = "The service encountered an unexpected internal error.";
            refusal(StatusCode::INTERNAL_SERVER_ERROR, "InternalServiceError", message, "InternalServerError")
        }
    }
}

fn row(shop: &Shop, job: &UpstreamJob) -> Value {
    let failed = |code: &str, message: &str| json!({"status": "failed", "error": {"code": code, "message": message}});
    let more = match &job.ending {
        Ending::Queued => json!({"status": "queued"}),
        Ending::Running => json!({"status": "running"}),
        Ending::Failed { message } if message == TIME_RAN_OUT => json!({"status": "expired"}),
        Ending::Failed { message } => failed("InternalServiceError", message),
        Ending::Filtered { message } => failed("OutputVideoSensitiveContentDetected", message),
        Ending::Cancelled => json!({"status": "cancelled"}),
        Ending::Odd { word } => json!({ "status": word }),
        Ending::Succeeded | Ending::Unknown | Ending::Broken => {
            let kept = job.kept(shop.now()).next();
            let content = kept.map(|item| json!({"video_url": address(shop, job, &item.token)}));
            json!({"status": "succeeded", "content": content, "usage": {"completion_tokens": 108_900}})
        }
    };
    let base = json!({
        "id": job.id,
        "model": job.endpoint,
        "created_at": job.created_at.as_second(),
        "updated_at": job.finished_at.or(job.started_at).unwrap_or(job.created_at).as_second(),
        "service_tier": "default",
        "execution_expires_after": 172_800,
    });
    with(base, &more)
}

/// Until when an address that was signed then is good.
fn until(signed_at: Timestamp) -> Timestamp {
    after(signed_at, ADDRESS_SECONDS)
}

fn address(shop: &Shop, job: &UpstreamJob, token: &str) -> String {
    let at = job.finished_at.unwrap_or(job.created_at);
    let mark = files::seal(shop, token, until(at));
    let date = at.strftime("%Y%m%dT%H%M%SZ");
    format!(
        "{}/videos/{token}/out.mp4?X-Tos-Algorithm=TOS4-HMAC-SHA256&X-Tos-Date={date}&X-Tos-Expires={ADDRESS_SECONDS}\
         &X-Tos-Signature={mark}",
        shop.origin
    )
}

#[derive(Deserialize)]
struct Signed {
    #[serde(rename = "X-Tos-Date")]
    date: Option<Timestamp>,
    #[serde(rename = "X-Tos-Signature", default)]
    signature: String,
}

async fn file(
    State(shop): State<Shared>,
    Path((token, _)): Path<(String, String)>,
    Query(signed): Query<Signed>,
    headers: HeaderMap,
) -> Response {
    files::signed(&shop, &token, (signed.date.map(until), &signed.signature), &headers)
}

#[derive(Deserialize)]
struct Part {
    page_num: Option<usize>,
    page_size: Option<usize>,
    #[serde(rename = "filter.service_tier")]
    tier: Option<String>,
}

/// Of one tier; all that the practised product asked for is of the first.
async fn list(State(shop): State<Shared>, Query(part): Query<Part>, headers: HeaderMap) -> Response {
    if !allowed(&shop, &headers) {
        return no_key();
    }
    let is_ours = part.tier.as_deref().is_none_or(|tier| tier == "default");
    let jobs: Vec<&UpstreamJob> = shop.listed().into_iter().filter(|job| is_ours && is_known(&shop, job)).collect();
    let (number, size) = (part.page_num.unwrap_or(1).max(1), part.page_size.unwrap_or(PAGE).clamp(1, 500));
    let items: Vec<Value> = jobs.iter().skip((number - 1) * size).take(size).map(|job| row(&shop, job)).collect();
    json(StatusCode::OK, &json!({"items": items, "total": jobs.len()}))
}
