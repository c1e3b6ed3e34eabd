//! Answers that are refusals: RFC 9457, `application/problem+json`, in plain words.

use std::borrow::Cow;

use axum::http::{HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub status: StatusCode,
    /// What went wrong, for whoever set the sender up.
    pub detail: Cow<'static, str>,
    extra: Option<(HeaderName, HeaderValue)>,
}

impl Problem {
    pub fn new(status: StatusCode, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { status, detail: detail.into(), extra: None }
    }

    /// Not now: the sender should try again.
    pub fn later(detail: impl Into<Cow<'static, str>>) -> Self {
        let extra = Some((header::RETRY_AFTER, HeaderValue::from_static("30")));
        Self { extra, ..Self::new(StatusCode::SERVICE_UNAVAILABLE, detail) }
    }

    /// Who asks has not said who they are.
    pub fn unknown_feeder(detail: impl Into<Cow<'static, str>>) -> Self {
        let extra = Some((header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")));
        Self { extra, ..Self::new(StatusCode::UNAUTHORIZED, detail) }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let title = self.status.canonical_reason().unwrap_or("Problem");
        let body =
            json!({ "type": "about:blank", "title": title, "status": self.status.as_u16(), "detail": self.detail });
        let kind = [(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"))];
        let mut response = (self.status, kind, body.to_string()).into_response();
        if let Some((name, value)) = self.extra {
            response.headers_mut().insert(name, value);
        }
        response
    }
}

/// For addresses that are none. What was asked for is not repeated.
pub async fn no_such_address(_: Uri) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "there is nothing at this address")
}

/// For the wrong method at a known address.
pub async fn no_such_method() -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "this address does not take that method")
}
