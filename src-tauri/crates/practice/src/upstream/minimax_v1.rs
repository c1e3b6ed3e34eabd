//! MiniMax's first video API: everything comes with HTTP 200, a refusal in `base_resp`. A task names a file, whose
//! address is asked for by itself and is made anew each time.

use axum::Router;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::get;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{has, json, with};
use super::state::{Ending, UpstreamJob};
use super::{About, Shared, Shop, files};
use crate::tale::after;

/// How long a signed address works: "a limited time", says the vendor.
const ADDRESS_SECONDS: i64 = 9 * 3600;

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/v1/query/video_generation", get(task))
        .route("/v1/files/retrieve", get(file))
        .route("/inference_output/{token}/{name}", get(files::leased))
        .fallback(async || json(StatusCode::NOT_FOUND, &json!({"message": "404 page not found"})))
}

/// A refusal.
fn refused(code: u32, words: &str) -> Response {
    json(StatusCode::OK, &said(code, words))
}

fn said(code: u32, words: &str) -> Value {
    json!({"base_resp": {"status_code": code, "status_msg": words}})
}

fn allowed(shop: &Shop, headers: &HeaderMap) -> bool {
    has(headers, "authorization", &format!("Bearer {}", shop.key))
}

fn no_key() -> Response {
    refused(1004, "login fail: Please carry the API secret key in the 'Authorization' field of the request header")
}

#[derive(Deserialize)]
struct Wanted {
    #[serde(default)]
    task_id: String,
    #[serde(default)]
    file_id: String,
}

async fn task(State(shop): State<Shared>, Query(wanted): Query<Wanted>, headers: HeaderMap) -> Response {
    if !allowed(&shop, &headers) {
        return no_key();
    }
    match shop.about(&wanted.task_id) {
        About::Nothing => refused(2013, "invalid params, invalid task_id"),
        About::TooOften => refused(1002, "rate limit"),
        About::Broken => refused(1000, "unknown error"),
        About::Job(job) => json(StatusCode::OK, &body(job)),
    }
}

fn body(job: &UpstreamJob) -> Value {
    let well = (0, "success");
    let (status, (code, words)) = match &job.ending {
        Ending::Queued => ("Queueing", well),
        Ending::Running => ("Processing", well),
        Ending::Failed { message } => ("Fail", (1000, message.as_str())),
        Ending::Filtered { message } => ("Fail", (1027, message.as_str())),
        Ending::Cancelled => ("Fail", (1000, "cancelled")),
        Ending::Odd { word } => (word.as_str(), well),
        Ending::Succeeded | Ending::Unknown | Ending::Broken => ("Success", well),
    };
    let file_id = job.made().next().map_or("", |item| item.token.as_str());
    with(json!({"task_id": job.id, "status": status, "file_id": file_id}), &said(code, words))
}

/// The id of a file, a text in the task, is a number here, and its length is never told.
async fn file(State(shop): State<Shared>, Query(wanted): Query<Wanted>, headers: HeaderMap) -> Response {
    if !allowed(&shop, &headers) {
        return no_key();
    }
    let Some((job, item)) = shop.kept_file(&wanted.file_id) else {
        return refused(2013, "invalid params, file_id not found");
    };
    let url = files::lease(&shop, "inference_output", job, item, after(shop.now(), ADDRESS_SECONDS));
    let file = json!({
        "file_id": item.token.parse::<u64>().ok(),
        "bytes": 0,
        "created_at": job.finished_at.unwrap_or(job.created_at).as_second(),
        "filename": files::name(job, item),
        "purpose": "video_generation",
        "download_url": url,
    });
    json(StatusCode::OK, &with(json!({ "file": file }), &said(0, "success")))
}
