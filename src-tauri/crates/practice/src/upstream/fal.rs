//! fal's queue, request history and media host. A request that ended is `COMPLETED`, well or badly.

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::{get, put};
use jiff::Timestamp;
use makegood_domain::work::Media;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{has, json, json_with, moment, moment_or_null, with};
use super::state::{Ending, UpstreamItem, UpstreamJob};
use super::{PROMPT, Shared, Shop, files};
use crate::media;
use crate::tale::after;

/// The queue forgets a request after 30 days; the history knows it for 90, without its payload.
const QUEUE_SECONDS: i64 = 30 * 24 * 3600;
const HISTORY_SECONDS: i64 = 90 * 24 * 3600;
/// Requests on one page of the history.
const PAGE: usize = 100;

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/{owner}/{alias}/requests/{id}", get(result))
        .route("/{owner}/{alias}/requests/{id}/status", get(status))
        .route("/{owner}/{alias}/requests/{id}/cancel", put(cancel))
        .route("/v1/models/requests/by-endpoint", get(history))
        .route("/files/b/{token}/{name}", get(file))
        .fallback(async || not_found())
}

type Asked = Path<(String, String, String)>;

fn not_found() -> Response {
    json(StatusCode::NOT_FOUND, &json!({"detail": "Request not found"}))
}

fn allowed(shop: &Shop, headers: &HeaderMap) -> bool {
    has(headers, "authorization", &format!("Key {}", shop.key))
}

/// The request, or the answer that there is none to see.
fn find<'a>(
    shop: &'a Shop,
    (owner, alias, id): &(String, String, String),
    headers: &HeaderMap,
) -> Result<&'a UpstreamJob, Box<Response>> {
    if !allowed(shop, headers) {
        let detail = "Authentication is required to access this endpoint.";
        return Err(Box::new(json(StatusCode::UNAUTHORIZED, &json!({ "detail": detail }))));
    }
    let asked = format!("{owner}/{alias}");
    let job = shop.job(id).filter(|job| job.endpoint == asked || job.endpoint.starts_with(&format!("{asked}/")));
    match job {
        Some(job) if job.ending == Ending::Broken => {
            let body = json!({"detail": "Service Unavailable", "error_type": "internal_error"});
            Err(Box::new(json(StatusCode::SERVICE_UNAVAILABLE, &body)))
        }
        Some(job) if job.ending != Ending::Unknown && after(job.created_at, QUEUE_SECONDS) > shop.now() => Ok(job),
        _ => Err(Box::new(not_found())),
    }
}

async fn status(State(shop): State<Shared>, Path(asked): Asked, headers: HeaderMap) -> Response {
    let job = match find(&shop, &asked, &headers) {
        Ok(job) => job,
        Err(refusal) => return *refusal,
    };
    if shop.refuses_once(&job.id) {
        let body = json!({"detail": "Too many requests", "error_type": "concurrent_requests_limit"});
        return json_with(StatusCode::TOO_MANY_REQUESTS, "retry-after", "1", &body);
    }
    let request = format!("{}/{}/{}/requests/{}", shop.origin, asked.0, asked.1, job.id);
    let body = json!({
        "request_id": job.id,
        "response_url": request.clone(),
        "status_url": format!("{request}/status"),
        "cancel_url": format!("{request}/cancel"),
    });
    let (code, more) = match &job.ending {
        Ending::Queued => (StatusCode::ACCEPTED, json!({"status": "IN_QUEUE", "queue_position": 3})),
        Ending::Running => (StatusCode::ACCEPTED, json!({"status": "IN_PROGRESS", "logs": []})),
        Ending::Odd { word } => (StatusCode::OK, json!({ "status": word })),
        Ending::Failed { message } => {
            let error_type = "runner_disconnected";
            (StatusCode::OK, json!({"status": "COMPLETED", "logs": [], "error": message, "error_type": error_type}))
        }
        Ending::Cancelled => {
            let (error, error_type) = ("Request was cancelled", "client_cancelled");
            (StatusCode::OK, json!({"status": "COMPLETED", "logs": [], "error": error, "error_type": error_type}))
        }
        Ending::Succeeded | Ending::Filtered { .. } | Ending::Unknown | Ending::Broken => {
            (StatusCode::OK, json!({"status": "COMPLETED", "logs": [], "metrics": {"inference_time": 9.2}}))
        }
    };
    json(code, &with(body, &more))
}

async fn result(State(shop): State<Shared>, Path(asked): Asked, headers: HeaderMap) -> Response {
    let job = match find(&shop, &asked, &headers) {
        Ok(job) => job,
        Err(refusal) => return *refusal,
    };
    let (code, body) = outcome(&shop, job);
    json(code, &body)
}

/// Status and body of a result.
fn outcome(shop: &Shop, job: &UpstreamJob) -> (StatusCode, Value) {
    match &job.ending {
        Ending::Succeeded => (StatusCode::OK, output(shop, job)),
        Ending::Filtered { message } => {
            let detail = json!([{
                "loc": ["body", "prompt"],
                "msg": message,
                "type": "content_policy_violation",
                "url": "https://docs.fal.ai/errors#content_policy_violation",
                "ctx": {"extra_info": {"reason": "nsfw_content_detected"}},
                "input": "...",
            }]);
            (StatusCode::UNPROCESSABLE_ENTITY, json!({ "detail": detail }))
        }
        Ending::Failed { message } => {
            (StatusCode::INTERNAL_SERVER_ERROR, json!({"detail": message, "error_type": "runner_disconnected"}))
        }
        Ending::Cancelled => {
            (StatusCode::BAD_REQUEST, json!({"detail": "Request was cancelled", "error_type": "client_cancelled"}))
        }
        _ => (StatusCode::BAD_REQUEST, json!({"detail": "Request is still in progress"})),
    }
}

/// The addresses stay in the result when the files behind them are gone.
fn output(shop: &Shop, job: &UpstreamJob) -> Value {
    let (_, content_type) = media::kind(job.media);
    let file = |item: &UpstreamItem| {
        let name = files::name(job, item);
        let url = files::address(shop, "files/b", job, item);
        let size = media::file(job.media, &job.id, item.item).len();
        match job.media {
            Media::Image => json!({"url": url, "content_type": content_type, "width": 1024, "height": 1024}),
            _ => json!({"url": url, "content_type": content_type, "file_name": name, "file_size": size}),
        }
    };
    let made: Vec<Value> = job.made().map(file).collect();
    match (job.media, &made[..]) {
        (Media::Image, _) => {
            let flags = vec![false; made.len()];
            json!({"images": made, "timings": {"inference": 1.9}, "seed": 99, "has_nsfw_concepts": flags})
        }
        (Media::Audio, [one]) => json!({ "audio": one }),
        (_, [one]) if job.items.len() == 1 => json!({"video": one, "seed": 4242}),
        _ => json!({"videos": made, "seed": 4242}),
    }
}

async fn cancel(State(shop): State<Shared>, Path(asked): Asked, headers: HeaderMap) -> Response {
    match find(&shop, &asked, &headers) {
        Err(refusal) => *refusal,
        Ok(job) if job.finished_at.is_some() => json(StatusCode::BAD_REQUEST, &json!({"status": "ALREADY_COMPLETED"})),
        Ok(_) => json(StatusCode::ACCEPTED, &json!({"status": "CANCELLATION_REQUESTED"})),
    }
}

#[derive(Deserialize)]
struct Wanted {
    endpoint_id: String,
    request_id: Option<String>,
    start: Option<Timestamp>,
    end: Option<Timestamp>,
    cursor: Option<usize>,
}

async fn history(State(shop): State<Shared>, Query(wanted): Query<Wanted>, headers: HeaderMap) -> Response {
    if !allowed(&shop, &headers) {
        let error = json!({"type": "authorization_error", "message": "Authentication required"});
        return json(StatusCode::UNAUTHORIZED, &json!({ "error": error }));
    }
    let known = |job: &&UpstreamJob| {
        job.endpoint == wanted.endpoint_id
            && wanted.request_id.as_deref().is_none_or(|id| job.id == id)
            && wanted.start.is_none_or(|at| job.created_at >= at)
            && wanted.end.is_none_or(|at| job.created_at <= at)
            && after(job.created_at, HISTORY_SECONDS) > shop.now()
    };
    let from = wanted.cursor.unwrap_or(0);
    let mut rest = shop.listed().into_iter().filter(known).skip(from);
    let items: Vec<Value> = rest.by_ref().take(PAGE).map(|job| request(&shop, job)).collect();
    let next = rest.next().map(|_| (from + PAGE).to_string());
    json(StatusCode::OK, &json!({"items": items, "has_more": next.is_some(), "next_cursor": next}))
}

fn request(shop: &Shop, job: &UpstreamJob) -> Value {
    let (code, output) = outcome(shop, job);
    let mut row = json!({
        "request_id": job.id,
        "endpoint_id": job.endpoint,
        "sent_at": moment(job.created_at),
        "started_at": moment_or_null(job.started_at),
        "ended_at": moment_or_null(job.finished_at),
        "status_code": if job.ending == Ending::Cancelled { 499 } else { code.as_u16() },
        "duration": 7.8,
    });
    if after(job.created_at, QUEUE_SECONDS) > shop.now() {
        row["json_output"] = output;
        row["json_input"] = json!({ "prompt": PROMPT });
    }
    row
}

async fn file(State(shop): State<Shared>, Path((token, _)): Path<(String, String)>, headers: HeaderMap) -> Response {
    match shop.kept_file(&token) {
        Some((job, item)) => files::hand_out(job, item, &headers),
        None => json(StatusCode::NOT_FOUND, &json!({"detail": "File not found"})),
    }
}
