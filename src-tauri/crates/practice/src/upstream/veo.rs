//! Veo on the Gemini API: long-running operations, and the Files API that keeps videos for two days.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use axum::routing::get;
use serde_json::{Value, json};

use super::answer::{has, json, made, moment, with};
use super::state::{Ending, UpstreamItem, UpstreamJob};
use super::{About, Shared, Shop, files};
use crate::media;

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/v1beta/models/{model}/operations/{id}", get(operation))
        .route("/v1beta/files/{name}", get(file))
        .route("/download/v1beta/files/{name}", get(download))
        .fallback(async || refusal(StatusCode::NOT_FOUND, "NOT_FOUND", "Requested entity was not found."))
}

/// A `google.rpc.Status` as Google's APIs wrap it.
pub(super) fn refusal(code: StatusCode, status: &str, message: &str) -> Response {
    json(code, &json!({"error": {"code": code.as_u16(), "message": message, "status": status}}))
}

fn forbidden(id: &str) -> Response {
    let message = format!("You do not have permission to access the File {id} or it may not exist.");
    refusal(StatusCode::FORBIDDEN, "PERMISSION_DENIED", &message)
}

fn allowed(shop: &Shop, headers: &HeaderMap) -> bool {
    has(headers, "x-goog-api-key", &shop.key)
}

fn no_key() -> Response {
    refusal(StatusCode::BAD_REQUEST, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.")
}

async fn operation(
    State(shop): State<Shared>,
    Path((model, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    if !allowed(&shop, &headers) {
        return no_key();
    }
    let name = format!("models/{model}/operations/{id}");
    match shop.about(&name) {
        About::Nothing => refusal(StatusCode::NOT_FOUND, "NOT_FOUND", "Requested entity was not found."),
        About::TooOften => too_often(),
        About::Broken => unavailable(),
        About::Job(job) => json(StatusCode::OK, &body(&shop, job)),
    }
}

/// How long to wait is in the body; Google sends no header with it.
pub(super) fn too_often() -> Response {
    let details = json!([{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "1s"}]);
    let message = "You exceeded your current quota, please check your plan and billing details.";
    let error = json!({"code": 429, "message": message, "status": "RESOURCE_EXHAUSTED", "details": details});
    json(StatusCode::TOO_MANY_REQUESTS, &json!({ "error": error }))
}

pub(super) fn unavailable() -> Response {
    refusal(StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE", "The service is currently unavailable.")
}

fn body(shop: &Shop, job: &UpstreamJob) -> Value {
    let uri = |item: &UpstreamItem| format!("{}/v1beta/files/{}:download?alt=media", shop.origin, item.token);
    operation_of(job, response, || {
        let samples: Vec<Value> = job.made().map(|item| json!({"video": {"uri": uri(item)}})).collect();
        json!({ "generatedSamples": samples })
    })
}

/// The operation of a job, whose videos are said by `made` and wrapped by `response`. `done` is absent until it is
/// true.
pub(super) fn operation_of(job: &UpstreamJob, response: fn(&Value) -> Value, made: impl FnOnce() -> Value) -> Value {
    let body = json!({ "name": job.id });
    let ended = match &job.ending {
        Ending::Queued | Ending::Running | Ending::Unknown | Ending::Broken => return body,
        Ending::Odd { word } => return json!({"name": job.id, "done": word}),
        Ending::Failed { message } => json!({"error": {"code": 13, "message": message}}),
        Ending::Cancelled => json!({"error": {"code": 1, "message": "The operation was cancelled."}}),
        Ending::Filtered { message } => {
            let withheld = json!({
                "raiMediaFilteredCount": job.items.len().max(1),
                "raiMediaFilteredReasons": [message],
            });
            json!({ "response": response(&withheld) })
        }
        Ending::Succeeded => json!({ "response": response(&made()) }),
    };
    with(with(body, &json!({"done": true})), &ended)
}

fn response(videos: &Value) -> Value {
    let kind = "type.googleapis.com/google.ai.generativelanguage.v1beta.PredictLongRunningResponse";
    json!({"@type": kind, "generateVideoResponse": videos})
}

/// A file's record, or with `:download` the way to its bytes.
async fn file(State(shop): State<Shared>, Path(name): Path<String>, headers: HeaderMap) -> Response {
    if !allowed(&shop, &headers) {
        return no_key();
    }
    let (id, verb) = name.split_once(':').unwrap_or((&name, ""));
    match (shop.kept_file(id), verb) {
        (Some((job, item)), "") => json(StatusCode::OK, &record(&shop, job, item)),
        (Some(_), "download") => {
            let to = format!("{}/download/v1beta/files/{id}:download?alt=media", shop.origin);
            made(Response::builder().status(StatusCode::FOUND).header(header::LOCATION, to), Vec::new())
        }
        _ => forbidden(id),
    }
}

fn record(shop: &Shop, job: &UpstreamJob, item: &UpstreamItem) -> Value {
    let (_, mime_type) = media::kind(job.media);
    let bytes = media::file(job.media, &job.id, item.item).len();
    json!({
        "name": format!("files/{}", item.token),
        "mimeType": mime_type,
        "sizeBytes": bytes.to_string(),
        "createTime": moment(job.finished_at.unwrap_or(job.created_at)),
        "updateTime": moment(job.finished_at.unwrap_or(job.created_at)),
        "expirationTime": moment(item.keep_until),
        "uri": format!("{}/v1beta/files/{}", shop.origin, item.token),
        "downloadUri": format!("{}/v1beta/files/{}:download?alt=media", shop.origin, item.token),
        "state": "ACTIVE",
        "source": "GENERATED",
    })
}

async fn download(State(shop): State<Shared>, Path(name): Path<String>, headers: HeaderMap) -> Response {
    let id = name.split(':').next().unwrap_or_default();
    match shop.kept_file(id) {
        _ if !allowed(&shop, &headers) => no_key(),
        Some((job, item)) => files::hand_out(job, item, &headers),
        None => forbidden(id),
    }
}
