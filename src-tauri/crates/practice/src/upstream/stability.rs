//! Stability: the HTTP status is the state, the result is the answer itself, and both are gone after a day. A key of
//! another account is taken, and finds nothing.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use axum::routing::get;
use base64::Engine as _;
use serde_json::json;

use super::answer::{has, json};
use super::state::{Ending, UpstreamItem, UpstreamJob};
use super::{About, Shared, files};
use crate::media;

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/v2beta/results/{id}", get(result))
        .route("/v2beta/image-to-video/result/{id}", get(result))
        .route("/v2beta/stable-image/upscale/creative/result/{id}", get(result))
        .fallback(async || not_found())
}

/// The id of a refusal is its own, not the generation's.
fn refusal(status: StatusCode, name: &str, words: &str) -> Response {
    json(status, &json!({"id": "2a1b2d4eafe2bc6ab4cd4d5c6133f513", "name": name, "errors": [words]}))
}

fn not_found() -> Response {
    refusal(StatusCode::NOT_FOUND, "not_found", "generation not found")
}

async fn result(State(shop): State<Shared>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    let sent = headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !sent.starts_with("Bearer sk-") {
        let words = "Unauthorized: invalid or missing authorization header value";
        return refusal(StatusCode::UNAUTHORIZED, "unauthorized", words);
    }
    if !has(&headers, "authorization", &format!("Bearer {}", shop.key)) {
        return not_found();
    }
    let job = match shop.about(&id) {
        About::Job(job) => job,
        About::Nothing => return not_found(),
        About::TooOften => {
            let words = "You have exceeded the rate limit of 150 requests within a 10 second period";
            return refusal(StatusCode::TOO_MANY_REQUESTS, "rate_limit_exceeded", words);
        }
        About::Broken => {
            return refusal(StatusCode::SERVICE_UNAVAILABLE, "service_unavailable", "The service is unavailable");
        }
    };
    match &job.ending {
        Ending::Queued | Ending::Running => in_progress(&id, "in-progress"),
        Ending::Odd { word } => in_progress(&id, word),
        Ending::Filtered { message } => refusal(StatusCode::FORBIDDEN, "content_moderation", message),
        // No word of the newer services for it is documented; the older ones' is read as well.
        Ending::Failed { .. } | Ending::Cancelled => finished("ERROR", ""),
        Ending::Succeeded | Ending::Unknown | Ending::Broken => match job.kept(shop.now()).next() {
            Some(item) => made(job, item, &headers),
            None => not_found(),
        },
    }
}

fn in_progress(id: &str, status: &str) -> Response {
    json(StatusCode::ACCEPTED, &json!({"id": id, "status": status}))
}

fn finished(reason: &str, image: &str) -> Response {
    json(StatusCode::OK, &json!({"finish_reason": reason, "seed": 343_940_597, "image": image}))
}

/// The file itself, or inside JSON for who wants that.
fn made(job: &UpstreamJob, item: &UpstreamItem, headers: &HeaderMap) -> Response {
    if has(headers, "accept", "application/json") {
        let bytes = media::file(job.media, &job.id, item.item);
        return finished("SUCCESS", &base64::engine::general_purpose::STANDARD.encode(bytes));
    }
    let mut answer = files::hand_out(job, item, headers);
    for (name, value) in [("finish-reason", "SUCCESS"), ("seed", "343940597")] {
        answer.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    answer
}
