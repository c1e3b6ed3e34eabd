//! Kling: tasks by their type, for a token that the secret key signs. The code in a body says more than its status.

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::get;
use makegood_domain::work::Media;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{json, with};
use super::state::{Ending, UpstreamItem, UpstreamJob};
use super::tokens::Token;
use super::{About, Shared, Shop, files};

/// The public half of an older account's keys.
pub(super) const ACCESS_KEY: &str = "practice-kling-access";
/// The most tasks of a page, and how many there are where nothing is asked.
const PAGE_MAX: usize = 500;
const PAGE: usize = 30;

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/v1/{kind}/{of}", get(list))
        .route("/v1/{kind}/{of}/{id}", get(task))
        .route("/kcdn/{token}/{name}", get(files::public))
        .fallback(async || refusal(StatusCode::NOT_FOUND, 1202, "The requested method is invalid"))
}

fn refusal(status: StatusCode, code: u32, message: &str) -> Response {
    json(status, &json!({"code": code, "message": message, "request_id": "practice"}))
}

/// What the token of a question says of its sender; the refusal where it is not to be let in.
fn admit(shop: &Shop, headers: &HeaderMap) -> Result<(), Box<Response>> {
    let no = |code, message| Err(Box::new(refusal(StatusCode::UNAUTHORIZED, code, message)));
    let Some(sent) = headers.get("authorization").and_then(|value| value.to_str().ok()) else {
        return no(1001, "Authorization is empty");
    };
    let token = sent.strip_prefix("Bearer ").and_then(Token::read);
    let Some(token) = token.filter(|token| token.is_of(&shop.key) && token.claims["iss"] == ACCESS_KEY) else {
        return no(1002, "access key not found or signature is invalid");
    };
    let now = shop.now();
    match (token.time("nbf"), token.time("exp")) {
        (Some(from), _) if from > now => no(1003, "Authorization is not valid yet"),
        (_, Some(until)) if until > now => Ok(()),
        _ => no(1004, "Authorization has expired"),
    }
}

/// Asked by the task's own id, or by the one that it was submitted under.
async fn task(
    State(shop): State<Shared>,
    Path((kind, of, id)): Path<(String, String, String)>,
    headers: HeaderMap,
) -> Response {
    if let Err(refusal) = admit(&shop, &headers) {
        return *refusal;
    }
    let ours = shop.state.jobs(shop.provider).find(|job| job.reference == id);
    let id = ours.map_or(id.as_str(), |job| job.id.as_str());
    match shop.about(id) {
        About::Job(job) if job.endpoint == format!("{kind}/{of}") => answer(&row(&shop, job)),
        About::Nothing | About::Job(_) => refusal(StatusCode::NOT_FOUND, 1203, "task not found"),
        About::TooOften => refusal(StatusCode::TOO_MANY_REQUESTS, 1302, "request too fast"),
        About::Broken => refusal(StatusCode::SERVICE_UNAVAILABLE, 5001, "Server is temporarily unavailable"),
    }
}

fn answer(data: &Value) -> Response {
    json(StatusCode::OK, &json!({"code": 0, "message": "SUCCEED", "request_id": "practice", "data": data}))
}

/// Times are in milliseconds.
fn row(shop: &Shop, job: &UpstreamJob) -> Value {
    let (status, words) = match &job.ending {
        Ending::Queued => ("submitted", ""),
        Ending::Running => ("processing", ""),
        Ending::Failed { message } | Ending::Filtered { message } => ("failed", message.as_str()),
        Ending::Cancelled => ("failed", "The task was cancelled"),
        Ending::Odd { word } => (word.as_str(), ""),
        Ending::Succeeded | Ending::Unknown | Ending::Broken => ("succeed", ""),
    };
    let updated = job.finished_at.or(job.started_at).unwrap_or(job.created_at);
    let base = json!({
        "task_id": job.id,
        "task_info": {"external_task_id": job.reference},
        "task_status": status,
        "task_status_msg": words,
        "created_at": job.created_at.as_millisecond(),
        "updated_at": updated.as_millisecond(),
    });
    if job.ending != Ending::Succeeded {
        return base;
    }
    with(base, &json!({"task_result": result(shop, job), "final_unit_deduction": job.cost.to_string()}))
}

/// Pictures say their place in the series; those that were not made leave a gap.
fn result(shop: &Shop, job: &UpstreamJob) -> Value {
    let url = |item: &UpstreamItem| files::address(shop, "kcdn", job, item);
    let files: Vec<Value> = match job.media {
        Media::Image => job.made().map(|item| json!({"index": item.item - 1, "url": url(item)})).collect(),
        _ => job.made().map(|item| json!({"id": item.token, "url": url(item), "duration": "5.1"})).collect(),
    };
    json!({ if job.media == Media::Image { "images" } else { "videos" }: files })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Part {
    page_num: Option<usize>,
    page_size: Option<usize>,
}

/// Of one type, newest first, without a word about how many there are.
async fn list(
    State(shop): State<Shared>,
    Path((kind, of)): Path<(String, String)>,
    Query(part): Query<Part>,
    headers: HeaderMap,
) -> Response {
    if let Err(refusal) = admit(&shop, &headers) {
        return *refusal;
    }
    let (number, size) = (part.page_num.unwrap_or(1), part.page_size.unwrap_or(PAGE));
    if number == 0 || !(1..=PAGE_MAX).contains(&size) {
        return refusal(StatusCode::BAD_REQUEST, 1201, "pageNum or pageSize is invalid");
    }
    let wanted = format!("{kind}/{of}");
    let of_type = shop.listed().into_iter().filter(|job| job.endpoint == wanted);
    let rows: Vec<Value> = of_type.skip((number - 1) * size).take(size).map(|job| row(&shop, job)).collect();
    answer(&Value::Array(rows))
}
