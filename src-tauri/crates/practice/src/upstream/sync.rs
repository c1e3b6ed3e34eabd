//! Sync: lip-synced videos. A generation names an address that was signed for a week at its end; a fresh one is asked
//! for by itself, and comes as plain text.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::get;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::answer::{has, json, json_with, moment, plain, with};
use super::state::{Ending, UpstreamJob};
use super::{About, Shared, Shop, files};
use crate::tale::after;

/// How long a signed address works.
const ADDRESS_SECONDS: i64 = 7 * 24 * 3600;
/// Generations of a list; there are no pages.
const LISTED: usize = 100;

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/v2/generate/{id}", get(generation))
        .route("/v2/generations", get(list))
        .route("/v2/generations/{id}/download", get(download))
        .route("/results/{token}/{name}", get(files::leased))
        .fallback(async || refusal(StatusCode::NOT_FOUND, "Not Found"))
}

fn refusal(status: StatusCode, message: &str) -> Response {
    json(status, &json!({"statusCode": status.as_u16(), "message": message}))
}

fn allowed(shop: &Shop, headers: &HeaderMap) -> bool {
    has(headers, "x-api-key", &shop.key)
}

fn no_key() -> Response {
    refusal(StatusCode::UNAUTHORIZED, "Unauthorized")
}

/// The job, or the answer that there is none to see.
fn find<'a>(shop: &'a Shop, id: &str, headers: &HeaderMap) -> Result<&'a UpstreamJob, Box<Response>> {
    if !allowed(shop, headers) {
        return Err(Box::new(no_key()));
    }
    match shop.about(id) {
        About::Job(job) => Ok(job),
        About::Nothing => Err(Box::new(refusal(StatusCode::NOT_FOUND, "Generation not found"))),
        About::TooOften => {
            let body = json!({"statusCode": 429, "message": "Too Many Requests"});
            Err(Box::new(json_with(StatusCode::TOO_MANY_REQUESTS, "retry-after", "2", &body)))
        }
        About::Broken => Err(Box::new(refusal(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable"))),
    }
}

async fn generation(State(shop): State<Shared>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    match find(&shop, &id, &headers) {
        Ok(job) => json(StatusCode::OK, &body(&shop, job)),
        Err(refusal) => *refusal,
    }
}

fn body(shop: &Shop, job: &UpstreamJob) -> Value {
    let failed = |code: &str, words: &str| json!({"status": "FAILED", "error": words, "error_code": code});
    let more = match &job.ending {
        Ending::Queued => json!({"status": "PENDING"}),
        Ending::Running => json!({"status": "PROCESSING"}),
        Ending::Failed { message } => failed("generation_pipeline_failed", message),
        Ending::Filtered { message } => failed("generation_content_moderated", message),
        Ending::Cancelled => json!({"status": "REJECTED", "error": "cancelled", "error_code": "generation_rejected"}),
        Ending::Odd { word } => json!({ "status": word }),
        Ending::Succeeded | Ending::Unknown | Ending::Broken => {
            let until = after(job.finished_at.unwrap_or(job.created_at), ADDRESS_SECONDS);
            let url = address(shop, job, until);
            json!({"status": "COMPLETED", "outputUrl": url, "outputMediaUrl": url, "outputDuration": 24.0})
        }
    };
    let base = json!({
        "id": job.id,
        "createdAt": moment(job.created_at),
        "model": job.endpoint,
        "input": [],
        "webhookUrl": null,
        "options": {},
        "outputUrl": null,
        "error": null,
    });
    with(base, &more)
}

fn address(shop: &Shop, job: &UpstreamJob, until: Timestamp) -> Option<String> {
    job.made().next().map(|item| files::lease(shop, "results", job, item, until))
}

async fn download(State(shop): State<Shared>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    let fresh = |job| address(&shop, job, after(shop.now(), ADDRESS_SECONDS));
    match find(&shop, &id, &headers).map(fresh) {
        Ok(Some(url)) => plain(StatusCode::OK, "text/plain; charset=utf-8", url),
        Ok(None) => refusal(StatusCode::BAD_REQUEST, "Generation is not completed"),
        Err(refusal) => *refusal,
    }
}

async fn list(State(shop): State<Shared>, headers: HeaderMap) -> Response {
    if !allowed(&shop, &headers) {
        return no_key();
    }
    let newest: Vec<Value> = shop.listed().into_iter().take(LISTED).map(|job| body(&shop, job)).collect();
    json(StatusCode::OK, &Value::Array(newest))
}
