//! Pieces of answers that providers have in common.

use axum::body::Body;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use jiff::Timestamp;
use serde_json::Value;

/// An answer in JSON.
pub(super) fn json(status: StatusCode, body: &Value) -> Response {
    made(Response::builder().status(status).header(header::CONTENT_TYPE, "application/json"), body.to_string())
}

/// An answer in JSON with one more header.
pub(super) fn json_with(status: StatusCode, name: &'static str, value: &str, body: &Value) -> Response {
    let builder = Response::builder().status(status).header(header::CONTENT_TYPE, "application/json");
    made(builder.header(name, value), body.to_string())
}

/// Any other answer.
pub(super) fn plain(status: StatusCode, media_type: &'static str, body: String) -> Response {
    made(Response::builder().status(status).header(header::CONTENT_TYPE, media_type), body)
}

/// The answer of a builder; a header that cannot be sent makes it a server error.
pub(super) fn made(builder: axum::http::response::Builder, body: impl Into<Body>) -> Response {
    builder.body(body.into()).unwrap_or_else(|error| {
        tracing::warn!(%error, "a practice provider could not word its answer");
        let mut answer = Response::new(Body::empty());
        *answer.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        answer
    })
}

/// Whether a header has exactly this value.
pub(super) fn has(headers: &HeaderMap, name: &str, value: &str) -> bool {
    headers.get(name).is_some_and(|found| found.as_bytes() == value.as_bytes())
}

/// An object with the fields of another one besides.
pub(super) fn with(mut body: Value, more: &Value) -> Value {
    for (name, value) in more.as_object().into_iter().flatten() {
        body[name] = value.clone();
    }
    body
}

/// As an object storage refuses.
pub(super) fn storage_error(status: StatusCode, code: &str, message: &str) -> Response {
    let xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    );
    plain(status, "application/xml", xml)
}

/// An instant as these APIs write it: UTC with milliseconds.
pub(super) fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// As `moment`, null where there is none.
pub(super) fn moment_or_null(at: Option<Timestamp>) -> Value {
    at.map_or(Value::Null, |at| Value::String(moment(at)))
}
