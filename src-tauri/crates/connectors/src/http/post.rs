//! Posting to an address of the operator's own platform: one try, no redirect, little patience. Whether to
//! try again is the caller's to say, who remembers it longer than this process lives.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use makegood_domain::ports::POST_LIMIT;
use reqwest::header::{CONTENT_TYPE, DATE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use url::Url;

use super::causes::chain;
use super::{Guard, HttpError, Limits, SystemNames, build, wait};

/// So long an endpoint may take for its whole answer.
const PATIENCE: Duration = POST_LIMIT.unsigned_abs();

/// What was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posted {
    pub status: u16,
    /// The pause that the endpoint asked for.
    pub retry_after: Option<Duration>,
}

/// A client that posts to one address.
pub struct Post {
    client: reqwest::Client,
    guard: Guard,
    url: Url,
}

impl std::fmt::Debug for Post {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Post").field("host", &self.url.host_str()).finish_non_exhaustive()
    }
}

impl Post {
    /// # Errors
    /// When TLS can't be set up.
    pub fn new(url: Url) -> Result<Self, HttpError> {
        let guard = Guard::new([&url], []);
        Ok(Self { client: build(&guard, &Limits::default(), Arc::new(SystemNames))?, guard, url })
    }

    /// Posts JSON once, at `now`. The answer's body is not read: its status says all.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn json(
        &self,
        headers: &[(&'static str, String)],
        body: String,
        now: Timestamp,
    ) -> Result<Posted, HttpError> {
        self.guard.check(&self.url)?;
        let mut map = HeaderMap::new();
        map.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        for (name, value) in headers {
            let value = HeaderValue::from_str(value)
                .map_err(|_| HttpError::Client(format!("the header {name} holds what none can carry")))?;
            map.insert(HeaderName::from_static(name), value);
        }
        let request = self.client.post(self.url.clone()).headers(map).body(body).timeout(PATIENCE);
        let response = request.send().await.map_err(|error| {
            if error.is_timeout() {
                HttpError::Silent(PATIENCE)
            } else {
                HttpError::Unreachable(chain(&error.without_url()))
            }
        })?;
        let text = |value: &HeaderValue| value.to_str().map(str::to_owned).ok();
        let asked: Vec<String> = response.headers().get_all(RETRY_AFTER).iter().filter_map(text).collect();
        let answered = response.headers().get(DATE).and_then(text);
        let retry_after = wait::retry_after(asked.iter().map(String::as_str), answered.as_deref(), now);
        Ok(Posted { status: response.status().as_u16(), retry_after })
    }
}
