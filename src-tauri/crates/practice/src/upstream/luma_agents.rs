//! The Luma Agents API: another service than the Dream Machine, with its own words, and with addresses that a
//! storage signs for an hour. The vendor does not say whether a later question signs anew; a signature that is made
//! on the way out, as the storage makes them, does.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::get;
use makegood_domain::work::Media;
use serde_json::{Value, json};

use super::answer::{has, json, moment, with};
use super::luma::{refusal, too_often};
use super::state::{Ending, UpstreamJob};
use super::{About, Shared, Shop, files};
use crate::tale::after;

/// How long a signed address works.
const ADDRESS_SECONDS: i64 = 3600;

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/v1/generations/{id}", get(generation))
        .route("/outputs/{token}/{name}", get(files::leased))
        .fallback(async || refusal(StatusCode::NOT_FOUND, "Not Found"))
}

async fn generation(State(shop): State<Shared>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    if !has(&headers, "authorization", &format!("Bearer {}", shop.key)) {
        return refusal(StatusCode::UNAUTHORIZED, "Invalid API key");
    }
    match shop.about(&id) {
        About::Nothing => refusal(StatusCode::NOT_FOUND, "Generation not found"),
        About::TooOften => too_often(),
        About::Broken => refusal(StatusCode::SERVICE_UNAVAILABLE, "Service unavailable"),
        About::Job(job) => json(StatusCode::OK, &body(&shop, job)),
    }
}

fn body(shop: &Shop, job: &UpstreamJob) -> Value {
    let kind = if job.media == Media::Image { "image" } else { "video" };
    let failed = |code: &str, reason: &str| json!({"state": "failed", "failure_code": code, "failure_reason": reason});
    let more = match &job.ending {
        Ending::Queued => json!({"state": "queued"}),
        Ending::Running => json!({"state": "processing"}),
        Ending::Failed { message } => failed("generation_failed", message),
        Ending::Filtered { message } => failed("content_moderated", message),
        Ending::Cancelled => failed("cancelled", "The generation was cancelled"),
        Ending::Odd { word } => json!({ "state": word }),
        Ending::Succeeded | Ending::Unknown | Ending::Broken => {
            let until = after(shop.now(), ADDRESS_SECONDS);
            let file = |item| json!({"type": kind, "url": files::lease(shop, "outputs", job, item, until)});
            let output: Vec<Value> = job.made().map(file).collect();
            json!({"state": "completed", "output": output})
        }
    };
    with(json!({"id": job.id, "created_at": moment(job.created_at), "model": job.endpoint, "type": kind}), &more)
}
