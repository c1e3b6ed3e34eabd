//! Runway's tasks. Every look-up signs fresh addresses; old ones stop working after a day.

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::get;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{has, json, json_with, moment, with};
use super::state::{Ending, UpstreamItem, UpstreamJob};
use super::{About, Shared, Shop, files};
use crate::tale::after;

/// How long a signed address works.
const ADDRESS_SECONDS: i64 = 24 * 3600;

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/v1/tasks/{id}", get(task))
        .route("/artifacts/{token}/{name}", get(file))
        .fallback(async || error(StatusCode::NOT_FOUND, "Not found"))
}

fn error(status: StatusCode, words: &str) -> Response {
    json(status, &json!({ "error": words }))
}

async fn task(State(shop): State<Shared>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    if !has(&headers, "authorization", &format!("Bearer {}", shop.key)) {
        return error(StatusCode::UNAUTHORIZED, "Unauthorized");
    }
    if !has(&headers, "x-runway-version", "2024-11-06") {
        return error(StatusCode::BAD_REQUEST, "Missing or invalid X-Runway-Version header");
    }
    match shop.about(&id) {
        About::Nothing => error(StatusCode::NOT_FOUND, "Task not found"),
        About::TooOften => {
            let body = json!({"error": "You have made too many requests"});
            json_with(StatusCode::TOO_MANY_REQUESTS, "retry-after", "1", &body)
        }
        About::Broken => error(StatusCode::SERVICE_UNAVAILABLE, "Service unavailable"),
        About::Job(job) => json(StatusCode::OK, &body(&shop, job)),
    }
}

fn body(shop: &Shop, job: &UpstreamJob) -> Value {
    let more = match &job.ending {
        Ending::Queued => json!({"status": "THROTTLED", "estimatedCost": {"credits": job.cost}}),
        Ending::Running => json!({"status": "RUNNING", "progress": 0.4, "estimatedCost": {"credits": job.cost}}),
        Ending::Cancelled => json!({"status": "CANCELLED"}),
        Ending::Odd { word } => json!({ "status": word }),
        Ending::Failed { message } => {
            json!({"status": "FAILED", "failure": message, "failureCode": "INTERNAL.BAD_OUTPUT.CODE01", "cost": {"credits": 0}})
        }
        Ending::Filtered { message } => {
            json!({"status": "FAILED", "failure": message, "failureCode": "SAFETY.OUTPUT.VIDEO", "cost": {"credits": 0}})
        }
        Ending::Succeeded | Ending::Unknown | Ending::Broken => {
            let output: Vec<String> = job.made().map(|item| address(shop, job, item)).collect();
            json!({"status": "SUCCEEDED", "output": output, "cost": {"credits": job.cost}})
        }
    };
    with(json!({"id": job.id, "createdAt": moment(job.created_at)}), &more)
}

/// An address that works for a day from now.
fn address(shop: &Shop, job: &UpstreamJob, item: &UpstreamItem) -> String {
    let until = after(shop.now(), ADDRESS_SECONDS);
    let (name, token) = (files::name(job, item), &item.token);
    let mark = files::seal(shop, token, until);
    format!("{}/artifacts/{token}/{name}?_jwt={}.{mark}", shop.origin, until.as_second())
}

#[derive(Deserialize)]
struct Signed {
    #[serde(rename = "_jwt", default)]
    jwt: String,
}

async fn file(
    State(shop): State<Shared>,
    Path((token, _)): Path<(String, String)>,
    Query(signed): Query<Signed>,
    headers: HeaderMap,
) -> Response {
    let (until, mark) = signed.jwt.split_once('.').unwrap_or_default();
    let until = until.parse().ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    files::signed(&shop, &token, (until, mark), &headers)
}
