//! The line to an object store. A library of storage services makes and signs the requests; they leave
//! through here, so that they have the same TLS, guard, limits and patience as every other question.
//!
//! What a store answers in the place of what it was asked for becomes a [`StorageError`] with its own code
//! and words; it travels as the source of the library's error.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::Stream;
use http::{Request, Response, StatusCode};
use jiff::{SignedDuration, Timestamp};
use opendal::{Buffer, ErrorKind, HttpBody, HttpTransport};
use reqwest::header::{CONTENT_ENCODING, DATE, HeaderMap, RETRY_AFTER};
use secrecy::SecretString;
use url::Url;

use super::causes::chain;
use super::speed::Speed;
use super::{Guard, HttpError, Limits, Names, Pace, SystemNames, is_worth_a_retry, shown, wait};

/// The longest text of an error that is read, in bytes.
const ERROR_BYTES: usize = 64 * 1024;
/// What a line must at least carry: a part that takes longer has failed.
const SLOWEST_BYTES_PER_S: u64 = 64 * 1024;

/// Why a store did not do what it was asked. The words are for people: no keys, no signed addresses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StorageError {
    #[error(transparent)]
    Unasked(#[from] HttpError),
    #[error("the store answered {status} {code}: {words}")]
    Answered {
        status: u16,
        /// The store's own: `NoSuchBucket`, `SlowDown`; empty where it gave none.
        code: String,
        words: String,
        /// Where it says that the bucket is.
        region: Option<String>,
        /// How far our clock is ahead of the store's, where it told its time.
        ahead: Option<SignedDuration>,
    },
}

impl StorageError {
    /// Whether the same question can be answered later.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Unasked(error) => error.is_temporary(),
            Self::Answered { status, .. } => is_worth_a_retry(*status),
        }
    }

    const fn kind(&self) -> ErrorKind {
        match self {
            Self::Unasked(_) => ErrorKind::Unexpected,
            Self::Answered { status, .. } => match status {
                401 | 403 => ErrorKind::PermissionDenied,
                404 => ErrorKind::NotFound,
                409 => ErrorKind::Conflict,
                304 | 412 => ErrorKind::ConditionNotMatch,
                416 => ErrorKind::RangeNotSatisfied,
                429 | 503 => ErrorKind::RateLimited,
                _ => ErrorKind::Unexpected,
            },
        }
    }
}

impl From<StorageError> for opendal::Error {
    fn from(error: StorageError) -> Self {
        let temporary = error.is_temporary();
        Self::new(error.kind(), error.to_string()).with_temporary(temporary).set_source(error)
    }
}

/// A client for one store.
pub struct StorageLine {
    client: reqwest::Client,
    guard: Guard,
    limits: Limits,
    secrets: Vec<SecretString>,
    pace: Arc<dyn Pace>,
}

impl std::fmt::Debug for StorageLine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StorageLine").field("guard", &self.guard).finish_non_exhaustive()
    }
}

impl StorageLine {
    /// A line to the store, and to what else of its service the guard lets through. None of `secrets` is ever in a
    /// text that it gives.
    ///
    /// # Errors
    /// When TLS can't be set up.
    pub fn new(
        guard: Guard,
        secrets: Vec<SecretString>,
        limits: Limits,
        pace: Arc<dyn Pace>,
    ) -> Result<Self, HttpError> {
        Self::with_names(guard, secrets, limits, pace, Arc::new(SystemNames))
    }

    /// The same, by another word on where names lead.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn with_names(
        guard: Guard,
        secrets: Vec<SecretString>,
        limits: Limits,
        pace: Arc<dyn Pace>,
        names: Arc<dyn Names>,
    ) -> Result<Self, HttpError> {
        Ok(Self { client: super::build(&guard, &limits, names)?, guard, limits, secrets, pace })
    }

    /// Asks and reads the whole answer.
    ///
    /// # Errors
    /// As the store answered, or why it was not asked.
    pub async fn ask(&self, request: Request<Bytes>) -> Result<Response<Bytes>, StorageError> {
        let response = self.patiently(&request).await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = self.whole(response, usize::try_from(self.limits.answer_bytes).unwrap_or(usize::MAX)).await?;
        let mut answer = Response::new(body);
        *answer.status_mut() = status;
        *answer.headers_mut() = headers;
        Ok(answer)
    }

    /// Asks up to the limit of tries, as long as trying again can help. What is sent again is the same
    /// request under the same signature, which is good for minutes: everything that is asked of a store
    /// here does no harm twice.
    async fn patiently(&self, request: &Request<Bytes>) -> Result<reqwest::Response, StorageError> {
        let url = Url::parse(&request.uri().to_string()).map_err(|_| HttpError::Refused(super::Refusal::Unreadable))?;
        self.guard.check(&url).map_err(HttpError::Refused)?;
        let mut attempt = 1;
        loop {
            let (error, asked) = match self.once(request, url.clone()).await {
                Ok(response) if !is_refusal(response.status()) => return Ok(response),
                Ok(response) => {
                    let asked = wanted_wait(response.headers(), self.pace.now());
                    (self.refusal(response).await, asked)
                }
                Err(error) => (error.into(), None),
            };
            let wait = asked.unwrap_or_default().saturating_add(wait::backoff(attempt, self.pace.chance()));
            if !error.is_temporary() || attempt >= self.limits.tries || wait > self.limits.patience {
                return Err(error);
            }
            tracing::debug!(url.host = url.host_str(), attempt, wait_ms = wait.as_millis(), "asking the store again");
            self.pace.wait(wait).await;
            attempt += 1;
        }
    }

    async fn once(&self, request: &Request<Bytes>, url: Url) -> Result<reqwest::Response, HttpError> {
        let body = request.body();
        let time = Duration::from_secs(body.len() as u64 / SLOWEST_BYTES_PER_S).saturating_add(self.limits.head);
        let asked = self.client.request(request.method().clone(), url).headers(request.headers().clone());
        let asked = asked.body(body.clone()).send();
        tokio::time::timeout(time, asked)
            .await
            .map_err(|_| HttpError::Silent(time))?
            .map_err(|error| HttpError::Unreachable(self.shown(&chain(&error.without_url()))))
    }

    /// What a store says in the place of an answer.
    async fn refusal(&self, response: reqwest::Response) -> StorageError {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        // Words that don't arrive are words less; the status stands.
        let body = self.whole(response, ERROR_BYTES).await.unwrap_or_default();
        let text = String::from_utf8_lossy(&body);
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let code = element(&text, "Code").or_else(|| header("x-ms-error-code")).or_else(|| json(&text, "reason"));
        let words = element(&text, "Message").or_else(|| json(&text, "message")).unwrap_or_default();
        let region = header("x-amz-bucket-region").or_else(|| element(&text, "Region"));
        let now = self.pace.now();
        let told = header(DATE.as_str()).and_then(|date| wait::http_date(&date));
        let ahead = told.map(|told| now.duration_since(told));
        let code = code.unwrap_or_default();
        StorageError::Answered { status, code, words: self.shown(&words), region, ahead }
    }

    async fn whole(&self, mut response: reqwest::Response, limit: usize) -> Result<Bytes, HttpError> {
        let (mut body, mut speed) = (Vec::new(), Speed::since(self.pace.elapsed()));
        while let Some(chunk) = self.chunk(&mut response).await? {
            if body.len() + chunk.len() > limit {
                return Err(HttpError::TooLong(limit as u64));
            }
            body.extend_from_slice(&chunk);
            let now = self.pace.elapsed();
            speed.in_time(now, self.limits.file)?;
            speed.keeps_up(now, body.len() as u64)?;
        }
        Ok(body.into())
    }

    async fn chunk(&self, response: &mut reqwest::Response) -> Result<Option<Bytes>, HttpError> {
        next_chunk(response, self.limits.stall).await.map_err(|why| HttpError::Cut(self.shown(&why)))
    }

    fn shown(&self, text: &str) -> String {
        shown(text, &self.secrets)
    }
}

impl HttpTransport for StorageLine {
    async fn fetch(&self, request: Request<Buffer>) -> opendal::Result<Response<HttpBody>> {
        let is_head = request.method() == http::Method::HEAD;
        let request = request.map(|body| body.to_bytes());
        let response = self.patiently(&request).await?;
        let mut answer = Response::builder().status(response.status()).version(response.version());
        if let Some(headers) = answer.headers_mut() {
            headers.extend(response.headers().clone());
        }
        let is_coded = response.headers().contains_key(CONTENT_ENCODING);
        let length = response.content_length().filter(|_| !is_head && !is_coded);
        let body = HttpBody::new(Arriving::new(response, &self.limits, Arc::clone(&self.pace)), length);
        answer.body(body).map_err(|error| opendal::Error::new(ErrorKind::Unexpected, error.to_string()))
    }
}

/// A body as it comes. The lock is never contended, because only the owner reads: it makes what comes from
/// the client fit to be shared, as the library wants it.
struct Arriving(Mutex<Pin<Box<dyn Stream<Item = opendal::Result<Buffer>> + Send>>>);

impl Arriving {
    fn new(response: reqwest::Response, limits: &Limits, pace: Arc<dyn Pace>) -> Self {
        let coming = Coming { response, speed: Speed::since(pace.elapsed()), received: 0, pace };
        let (stall, whole) = (limits.stall, limits.file);
        Self(Mutex::new(Box::pin(futures_util::stream::unfold(Some(coming), move |coming| async move {
            let mut coming = coming?;
            match coming.next(stall, whole).await {
                Ok(None) => None,
                Ok(Some(chunk)) => Some((Ok(Buffer::from(chunk)), Some(coming))),
                Err(error) => Some((Err(StorageError::Unasked(error).into()), None)),
            }
        }))))
    }
}

/// A body and how fast it has come: a store that drips is given up like one that has gone silent.
struct Coming {
    response: reqwest::Response,
    speed: Speed,
    received: u64,
    pace: Arc<dyn Pace>,
}

impl Coming {
    async fn next(&mut self, stall: Duration, whole: Duration) -> Result<Option<Bytes>, HttpError> {
        let chunk = next_chunk(&mut self.response, stall).await.map_err(HttpError::Cut)?;
        if let Some(chunk) = &chunk {
            self.received += chunk.len() as u64;
            let now = self.pace.elapsed();
            self.speed.in_time(now, whole)?;
            self.speed.keeps_up(now, self.received)?;
        }
        Ok(chunk)
    }
}

impl Stream for Arriving {
    type Item = opendal::Result<Buffer>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.get_mut().unwrap_or_else(PoisonError::into_inner).as_mut().poll_next(context)
    }
}

async fn next_chunk(response: &mut reqwest::Response, stall: Duration) -> Result<Option<Bytes>, String> {
    tokio::time::timeout(stall, response.chunk())
        .await
        .map_err(|_| format!("nothing came for {} s", stall.as_secs_f32()))?
        .map_err(|error| chain(&error.without_url()))
}

/// Whether a status is no answer to go on with. 308 is one: that is how Google says that a part was taken.
fn is_refusal(status: StatusCode) -> bool {
    status.is_client_error()
        || status.is_server_error()
        || (status.is_redirection() && status != StatusCode::PERMANENT_REDIRECT)
}

fn wanted_wait(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let values = headers.get_all(RETRY_AFTER).iter().filter_map(|value| value.to_str().ok());
    wait::retry_after(values, headers.get(DATE).and_then(|value| value.to_str().ok()), now)
}

/// The text of the first element of this name. Errors of stores are flat.
fn element(xml: &str, name: &str) -> Option<String> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    let (text, _) = rest.split_once(&format!("</{name}>"))?;
    Some(text.trim().to_owned())
}

/// The first text of this name in an error of Google's: beside `error`, or in the first of its `errors`.
fn json(text: &str, name: &str) -> Option<String> {
    let told: serde_json::Value = serde_json::from_str(text).ok()?;
    let error = told.get("error")?;
    let inner = error.get("errors").and_then(|errors| errors.get(0)?.get(name));
    let said = error.get(name).or(inner);
    // Its token service says `{"error": "invalid_grant", "error_description": "…"}`.
    let said = said.or_else(|| if name == "reason" { Some(error) } else { told.get("error_description") });
    said?.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_read_in_each_dialect() {
        let s3 = "<?xml version=\"1.0\"?><Error><Code>NoSuchBucket</Code><Message>no</Message></Error>";
        let google = r#"{"error": {"code": 404, "message": "no bucket", "errors": [{"reason": "notFound"}]}}"#;
        let token = r#"{"error": "invalid_grant", "error_description": "Invalid JWT"}"#;
        assert_eq!(
            (element(s3, "Code").as_deref(), element(s3, "Message").as_deref()),
            (Some("NoSuchBucket"), Some("no"))
        );
        for (text, reason, message) in [
            (google, Some("notFound"), Some("no bucket")),
            (token, Some("invalid_grant"), Some("Invalid JWT")),
            ("{}", None, None),
            ("<html>", None, None),
        ] {
            assert_eq!(
                (json(text, "reason").as_deref(), json(text, "message").as_deref()),
                (reason, message),
                "{text}"
            );
        }
        assert_eq!((element(google, "Code"), element("<Code>cut", "Code")), (None, None));
    }

    #[test]
    fn what_can_be_asked_again_and_what_not() {
        let answered = |status| StorageError::Answered {
            status,
            code: String::new(),
            words: String::new(),
            region: None,
            ahead: None,
        };
        for (status, temporary, kind) in [
            (301, false, ErrorKind::Unexpected),
            (403, false, ErrorKind::PermissionDenied),
            (404, false, ErrorKind::NotFound),
            (409, false, ErrorKind::Conflict),
            (412, false, ErrorKind::ConditionNotMatch),
            (503, true, ErrorKind::RateLimited),
            (500, true, ErrorKind::Unexpected),
        ] {
            let error: opendal::Error = answered(status).into();
            assert_eq!((error.is_temporary(), error.kind()), (temporary, kind), "{status}");
        }
        assert!(is_refusal(StatusCode::MOVED_PERMANENTLY) && !is_refusal(StatusCode::PERMANENT_REDIRECT));
    }
}
