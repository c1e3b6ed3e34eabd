//! OpenAI as it is today: its video service has ended, and an image was in the answer that somebody lost. There is
//! no job that could be asked about, so that all it has for a right key is *no such address*.

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::Response;
use serde_json::json;

use super::Shared;
use super::answer::{has, json};

pub(super) fn routes() -> Router<Shared> {
    Router::new().fallback(anything)
}

async fn anything(State(shop): State<Shared>, method: Method, uri: Uri, headers: HeaderMap) -> Response {
    if has(&headers, "authorization", &format!("Bearer {}", shop.key)) {
        let message = format!("Invalid URL ({method} {})", uri.path());
        return error(StatusCode::NOT_FOUND, &message, "unknown_url");
    }
    let message = "Incorrect API key provided. You can find your API key at https://platform.openai.com/api-keys.";
    error(StatusCode::UNAUTHORIZED, message, "invalid_api_key")
}

fn error(status: StatusCode, message: &str, code: &str) -> Response {
    let error = json!({"message": message, "type": "invalid_request_error", "param": null, "code": code});
    json(status, &json!({ "error": error }))
}
