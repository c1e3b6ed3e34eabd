//! Veo on Vertex AI: operations that are asked about by POST, with a token that a service account gets for a signed
//! claim. Every other job was started without a bucket: its video comes inside the answer.

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};
use base64::Engine as _;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use url::form_urlencoded;

use super::answer::{has, json, moment};
use super::state::{UpstreamItem, UpstreamJob};
use super::tokens::Token;
use super::veo::{operation_of, refusal, too_often, unavailable};
use super::{About, Shared, Shop, files};
use crate::catalogue::BUCKET_DAYS;
use crate::media;
use crate::tale::after;

/// The project of the practised product, as it stands in the names of operations.
pub(crate) const PROJECT: &str = "projects/makegood-practice/locations/us-central1/publishers/google/models";
const BUCKET: &str = "makegood-practice-clips";
const ACCOUNT: &str = "recovery@makegood-practice.iam.gserviceaccount.com";
/// A key pair made for this workspace; it opens nothing else.
const ACCOUNT_PEM: &str = include_str!("../../samples/vertex-account.pem");
/// How long a token is good.
const TOKEN_SECONDS: i64 = 3600;

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/token", post(token))
        .route("/v1/projects/{project}/locations/{location}/publishers/google/models/{call}", post(operation))
        .route("/storage/v1/b/{bucket}", get(bucket))
        .route("/storage/v1/b/{bucket}/o/{object}", get(object))
        .fallback(async || refusal(StatusCode::NOT_FOUND, "NOT_FOUND", "Requested entity was not found."))
}

/// The key file of the service account, as Google's console hands it out.
pub(super) fn account(origin: &str) -> String {
    json!({
        "type": "service_account",
        "project_id": "makegood-practice",
        "private_key_id": "practice-vertex_veo-key",
        "private_key": ACCOUNT_PEM,
        "client_email": ACCOUNT,
        "token_uri": format!("{origin}/token"),
    })
    .to_string()
}

/// RFC 7523: a claim that the account has signed is exchanged for a token.
async fn token(State(shop): State<Shared>, body: String) -> Response {
    let field = |wanted: &str| {
        form_urlencoded::parse(body.as_bytes()).find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned())
    };
    if field("grant_type").as_deref() != Some("urn:ietf:params:oauth:grant-type:jwt-bearer") {
        return denied("unsupported_grant_type", "Invalid grant_type");
    }
    let assertion = field("assertion").unwrap_or_default();
    let Some(claim) = Token::read(&assertion) else {
        return denied("invalid_grant", "Bad Request");
    };
    let (from, until) = (claim.time("iat"), claim.time("exp"));
    let now = shop.now();
    if claim.claims["iss"] != ACCOUNT {
        return denied("invalid_grant", "Invalid grant: account not found");
    }
    if !claim.is_of_account(ACCOUNT_PEM) || claim.claims["aud"] != format!("{}/token", shop.origin) {
        return denied("invalid_grant", "Invalid JWT Signature.");
    }
    if !(from.is_some_and(|from| from <= after(now, 60)) && until.is_some_and(|until| until > now)) {
        return denied("invalid_grant", "Invalid JWT: Token must be a short-lived token (60 minutes)");
    }
    let until = after(now, TOKEN_SECONDS);
    let secret = format!("ya29.{}.{}", until.as_second(), files::seal(&shop, "token", until));
    json(StatusCode::OK, &json!({"access_token": secret, "expires_in": TOKEN_SECONDS - 1, "token_type": "Bearer"}))
}

fn denied(error: &str, description: &str) -> Response {
    json(StatusCode::BAD_REQUEST, &json!({"error": error, "error_description": description}))
}

/// Whether the token is one of ours, and still good.
fn allowed(shop: &Shop, headers: &HeaderMap) -> bool {
    let sent = headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let until = sent.strip_prefix("Bearer ya29.").and_then(|rest| rest.split_once('.')?.0.parse().ok());
    let until = until.and_then(|seconds| Timestamp::from_second(seconds).ok()).filter(|until| *until > shop.now());
    until.is_some_and(|until| {
        let whole = format!("Bearer ya29.{}.{}", until.as_second(), files::seal(shop, "token", until));
        has(headers, "authorization", &whole)
    })
}

fn no_token() -> Response {
    let message = "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or \
                   other valid authentication credential.";
    refusal(StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", message)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Question {
    operation_name: String,
}

async fn operation(
    State(shop): State<Shared>,
    Path((project, location, call)): Path<(String, String, String)>,
    headers: HeaderMap,
    body: String,
) -> Response {
    if !allowed(&shop, &headers) {
        return no_token();
    }
    let model = call.strip_suffix(":fetchPredictOperation").unwrap_or_default();
    let model = format!("projects/{project}/locations/{location}/publishers/google/models/{model}");
    if !model.starts_with(PROJECT) {
        let message = format!("Permission 'aiplatform.endpoints.predict' denied on resource '//aiplatform/{model}'.");
        return refusal(StatusCode::FORBIDDEN, "PERMISSION_DENIED", &message);
    }
    let asked = serde_json::from_str::<Question>(&body).ok().map(|question| question.operation_name);
    let Some(name) = asked.filter(|name| name.starts_with(&format!("{model}/operations/"))) else {
        let message = "Invalid resource field value in the request.";
        return refusal(StatusCode::BAD_REQUEST, "INVALID_ARGUMENT", message);
    };
    match shop.about(&name) {
        About::Job(job) if !is_forgotten(&shop, job) => json(StatusCode::OK, &answer(job)),
        About::Nothing | About::Job(_) => refusal(StatusCode::NOT_FOUND, "NOT_FOUND", "Operation not found"),
        About::TooOften => too_often(),
        About::Broken => unavailable(),
    }
}

/// Whether the video was made without a bucket.
fn is_inline(job: &UpstreamJob) -> bool {
    job.id.bytes().last().is_some_and(|last| last.is_ascii_digit() && last.is_multiple_of(2))
}

/// An answer with the video inside is not kept for ever; for how long, is stated nowhere.
fn is_forgotten(shop: &Shop, job: &UpstreamJob) -> bool {
    is_inline(job) && job.made().next().is_some() && job.kept(shop.now()).next().is_none()
}

fn answer(job: &UpstreamJob) -> Value {
    operation_of(job, response, || {
        let videos: Vec<Value> = job.made().map(|item| video(job, item)).collect();
        json!({ "videos": videos })
    })
}

fn video(job: &UpstreamJob, item: &UpstreamItem) -> Value {
    let (_, mime_type) = media::kind(job.media);
    if is_inline(job) {
        let bytes = base64::engine::general_purpose::STANDARD.encode(media::file(job.media, &job.id, item.item));
        return json!({"bytesBase64Encoded": bytes, "mimeType": mime_type});
    }
    json!({"gcsUri": format!("gs://{BUCKET}/{}", object_name(job, item)), "mimeType": mime_type})
}

fn object_name(job: &UpstreamJob, item: &UpstreamItem) -> String {
    format!("{}/{}", item.token, files::name(job, item))
}

/// Vertex wraps nothing round its videos.
fn response(videos: &Value) -> Value {
    let mut response = videos.clone();
    response["@type"] = json!("type.googleapis.com/cloud.ai.large_models.vision.GenerateVideoResponse");
    response
}

/// The bucket's rules: clips go after some days.
async fn bucket(State(shop): State<Shared>, Path(bucket): Path<String>, headers: HeaderMap) -> Response {
    if !allowed(&shop, &headers) {
        return no_token();
    }
    if bucket != BUCKET {
        return refusal(StatusCode::NOT_FOUND, "NOT_FOUND", "The specified bucket does not exist.");
    }
    let rule = json!({"action": {"type": "Delete"}, "condition": {"age": BUCKET_DAYS}});
    json(StatusCode::OK, &json!({"kind": "storage#bucket", "name": BUCKET, "lifecycle": {"rule": [rule]}}))
}

#[derive(Deserialize)]
struct As {
    alt: Option<String>,
}

/// What is known of an object, or with `alt=media` its bytes.
async fn object(
    State(shop): State<Shared>,
    Path((bucket, name)): Path<(String, String)>,
    Query(wanted): Query<As>,
    headers: HeaderMap,
) -> Response {
    if !allowed(&shop, &headers) {
        return no_token();
    }
    let token = name.split('/').next().unwrap_or_default();
    let found = shop.kept_file(token).filter(|(job, item)| bucket == BUCKET && object_name(job, item) == name);
    let Some((job, item)) = found else {
        let message = format!("No such object: {bucket}/{name}");
        return json(StatusCode::NOT_FOUND, &json!({"error": {"code": 404, "message": message}}));
    };
    if wanted.alt.as_deref() == Some("media") {
        return files::hand_out(job, item, &headers);
    }
    let (_, content_type) = media::kind(job.media);
    let created = moment(job.finished_at.unwrap_or(job.created_at));
    let body = json!({
        "kind": "storage#object",
        "bucket": bucket,
        "name": name,
        "size": media::file(job.media, &job.id, item.item).len().to_string(),
        "contentType": content_type,
        "timeCreated": created,
        "updated": created,
    });
    json(StatusCode::OK, &body)
}
