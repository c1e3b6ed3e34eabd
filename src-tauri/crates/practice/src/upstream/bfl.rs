//! Black Forest Labs: a task is told to whoever knows its id, its sample at an address that is signed for ten minutes
//! and never again, and only the account's credits want the key.

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::get;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{has, json};
use super::state::{Ending, UpstreamItem, UpstreamJob};
use super::{About, PROMPT, Shared, Shop, files};

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/v1/get_result", get(result))
        .route("/v1/credits", get(credits))
        .route("/results/{token}/{name}", get(sample))
        .fallback(async || json(StatusCode::NOT_FOUND, &json!({"detail": "Not Found"})))
}

async fn credits(State(shop): State<Shared>, headers: HeaderMap) -> Response {
    if has(&headers, "x-key", &shop.key) {
        return json(StatusCode::OK, &json!({"credits": 4_812.5}));
    }
    json(StatusCode::FORBIDDEN, &json!({"detail": "Not authenticated - Invalid Authentication"}))
}

#[derive(Deserialize)]
struct Task {
    id: Option<String>,
}

async fn result(State(shop): State<Shared>, Query(task): Query<Task>) -> Response {
    let Some(id) = task.id else {
        let why = json!({"loc": ["query", "id"], "msg": "Field required", "type": "missing"});
        return json(StatusCode::UNPROCESSABLE_ENTITY, &json!({ "detail": [why] }));
    };
    match shop.about(&id) {
        About::Nothing => json(StatusCode::OK, &told(&id, "Task not found", &Value::Null, &Value::Null)),
        // The wait is in the body; no header says it.
        About::TooOften => {
            let message = "Too many concurrent requests";
            let body = json!({"error": "rate_limit_exceeded", "message": message, "retry_after": 1});
            json(StatusCode::TOO_MANY_REQUESTS, &body)
        }
        About::Broken => json(StatusCode::SERVICE_UNAVAILABLE, &json!({"detail": "Service Unavailable"})),
        About::Job(job) => json(StatusCode::OK, &body(&shop, job)),
    }
}

fn told(id: &str, status: &str, result: &Value, details: &Value) -> Value {
    json!({"id": id, "status": status, "result": result, "progress": null, "details": details, "preview": null})
}

fn body(shop: &Shop, job: &UpstreamJob) -> Value {
    let (none, id) = (Value::Null, job.id.as_str());
    match &job.ending {
        // There is no word for waiting.
        Ending::Queued | Ending::Running => told(id, "Pending", &none, &none),
        Ending::Filtered { message } => {
            told(id, "Content Moderated", &none, &json!({ "Moderation Reasons": [message] }))
        }
        Ending::Failed { message } => json!({"id": id, "status": "Error", "error": message}),
        Ending::Cancelled => json!({"id": id, "status": "Error", "error": "cancelled"}),
        Ending::Odd { word } => told(id, word, &none, &none),
        Ending::Succeeded | Ending::Unknown | Ending::Broken => {
            let sample = job.made().next().map(|item| address(shop, job, item));
            told(id, "Ready", &json!({"sample": sample, "prompt": PROMPT, "seed": 42}), &none)
        }
    }
}

/// Signed at the end of the task, as long as the file is kept: `se` says until when.
fn address(shop: &Shop, job: &UpstreamJob, item: &UpstreamItem) -> String {
    let until = item.keep_until;
    let mark = files::seal(shop, &item.token, until);
    let se = until.strftime("%Y-%m-%dT%H:%M:%SZ");
    format!("{}?se={se}&sp=r&sv=2024-11-04&sr=b&sig={mark}", files::address(shop, "results", job, item))
}

#[derive(Deserialize)]
struct Signed {
    se: Option<Timestamp>,
    #[serde(default)]
    sig: String,
}

async fn sample(
    State(shop): State<Shared>,
    Path((token, _)): Path<(String, String)>,
    Query(signed): Query<Signed>,
    headers: HeaderMap,
) -> Response {
    files::signed(&shop, &token, (signed.se, &signed.sig), &headers)
}
