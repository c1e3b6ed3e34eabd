//! Replicate's predictions API. Output and files go an hour after the end; the record stays.

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{has, json, json_with, moment, moment_or_null};
use super::state::{Ending, UpstreamJob};
use super::{About, PROMPT, Shared, Shop, files};

/// Predictions on one page of the list.
const PAGE: usize = 100;

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/v1/predictions", get(list))
        .route("/v1/predictions/{id}", get(prediction))
        .route("/v1/predictions/{id}/cancel", post(cancel))
        .route("/delivery/{token}/{name}", get(file))
        .fallback(async || not_found())
}

fn allowed(shop: &Shop, headers: &HeaderMap) -> bool {
    has(headers, "authorization", &format!("Bearer {}", shop.key))
}

fn unauthenticated() -> Response {
    let detail = "You did not pass a valid authentication token";
    json(StatusCode::UNAUTHORIZED, &json!({"title": "Unauthenticated", "detail": detail, "status": 401}))
}

fn not_found() -> Response {
    let detail = "The requested resource could not be found.";
    json(StatusCode::NOT_FOUND, &json!({"title": "Not found", "detail": detail, "status": 404}))
}

async fn prediction(State(shop): State<Shared>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    if !allowed(&shop, &headers) {
        return unauthenticated();
    }
    match shop.about(&id) {
        About::Nothing => not_found(),
        About::TooOften => {
            let detail = "Request was throttled. Your rate limit resets in ~1s.";
            json_with(StatusCode::TOO_MANY_REQUESTS, "retry-after", "1", &json!({ "detail": detail }))
        }
        About::Broken => json(StatusCode::SERVICE_UNAVAILABLE, &json!({"detail": "Internal server error"})),
        About::Job(job) => json(StatusCode::OK, &body(&shop, job)),
    }
}

/// Cancelling what is done changes nothing; practised jobs stay as they are.
async fn cancel(state: State<Shared>, path: Path<String>, headers: HeaderMap) -> Response {
    prediction(state, path, headers).await
}

#[derive(Deserialize)]
struct Between {
    created_after: Option<Timestamp>,
    created_before: Option<Timestamp>,
}

async fn list(State(shop): State<Shared>, Query(between): Query<Between>, headers: HeaderMap) -> Response {
    if !allowed(&shop, &headers) {
        return unauthenticated();
    }
    let within = |job: &&UpstreamJob| {
        between.created_after.is_none_or(|at| job.created_at >= at)
            && between.created_before.is_none_or(|at| job.created_at < at)
    };
    let results: Vec<Value> = shop.listed().into_iter().filter(within).take(PAGE).map(|job| body(&shop, job)).collect();
    json(StatusCode::OK, &json!({"next": null, "previous": null, "results": results}))
}

fn body(shop: &Shop, job: &UpstreamJob) -> Value {
    let now = shop.now();
    let (status, error): (&str, Option<&str>) = match &job.ending {
        Ending::Queued => ("starting", None),
        Ending::Running => ("processing", None),
        Ending::Succeeded | Ending::Unknown | Ending::Broken => ("succeeded", None),
        Ending::Failed { message } | Ending::Filtered { message } => ("failed", Some(message)),
        Ending::Cancelled => ("canceled", None),
        Ending::Odd { word } => (word.as_str(), None),
    };
    let removed = job.made().count() > 0 && job.kept(now).count() == 0;
    let (api, id) = (format!("{}/v1/predictions/{}", shop.origin, job.id), &job.id);
    let seconds = job.finished_at.zip(job.started_at).map(|(end, start)| end.duration_since(start).as_secs_f64());
    json!({
        "id": id,
        "model": job.endpoint,
        "version": "hidden",
        "input": if removed { json!({}) } else { json!({"prompt": PROMPT}) },
        "logs": "",
        "output": output(shop, job, now),
        "data_removed": removed,
        "error": error,
        "source": "api",
        "status": status,
        "created_at": moment(job.created_at),
        "started_at": moment_or_null(job.started_at),
        "completed_at": moment_or_null(job.finished_at),
        "urls": {"get": api.clone(), "cancel": format!("{api}/cancel"), "web": format!("{}/p/{id}", shop.origin)},
        "metrics": seconds.map_or_else(|| json!({}), |seconds| json!({"predict_time": seconds, "total_time": seconds + 2.1})),
    })
}

/// One file is a bare text, several are a list; items that were not made are missing without a mark.
fn output(shop: &Shop, job: &UpstreamJob, now: Timestamp) -> Value {
    let address = |item| files::address(shop, "delivery", job, item);
    let kept: Vec<String> = job.kept(now).map(address).collect();
    match (&job.ending, &kept[..]) {
        (Ending::Succeeded, []) if job.made().count() > 0 => Value::Null,
        (Ending::Succeeded, [one]) if job.items.len() == 1 => json!(one),
        (Ending::Succeeded, _) => json!(kept),
        _ => Value::Null,
    }
}

async fn file(State(shop): State<Shared>, Path((token, _)): Path<(String, String)>, headers: HeaderMap) -> Response {
    match shop.kept_file(&token) {
        _ if !allowed(&shop, &headers) => unauthenticated(),
        Some((job, item)) => files::hand_out(job, item, &headers),
        None => not_found(),
    }
}
