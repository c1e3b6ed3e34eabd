//! The only HTTP client (reliability 2.1 to 2.3). It follows no redirect by itself, uses no proxy
//! of the environment, connects only where [`Guard`] and the resolver allow, gives its key only to
//! those that want it, bounds every body, and asks again with patience.

mod address;
mod ask;
mod causes;
mod download;
mod gate;
mod grant;
mod guard;
pub mod inline;
mod pace;
mod post;
mod redact;
mod speed;
mod storage;
mod tls;
mod turns;
mod wait;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{
    ACCEPT, CONTENT_TYPE, DATE, HeaderMap, HeaderName, HeaderValue, IF_RANGE, LOCATION, RANGE, RETRY_AFTER,
};
use reqwest::{Response, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

pub use address::{Names, SystemNames, is_global};
pub use ask::{Ask, Version};
pub use download::{DownloadError, Downloaded};
pub use gate::{GateState, Shut};
pub use grant::{Account, AccountError};
pub use guard::{Guard, Refusal, is_below, same_origin};
pub use pace::{Pace, RealPace};
pub use post::Post;
pub use redact::{SHOWN_BYTES, shown};
pub use storage::{StorageError, StorageLine};
pub use turns::Rate;
pub use wait::backoff;

use address::JudgingResolver;
use causes::chain;
use gate::Gate;
use grant::Grant;
use inline::{Body, Inline};
use speed::Speed;
use turns::Turns;

/// How long, how often and how much (reliability 2.1 and 2.2, N3, N4, N9).
#[derive(Clone, Debug)]
pub struct Limits {
    pub connect: Duration,
    /// From the request to the last of the answer's headers.
    pub head: Duration,
    /// Without a byte of the body.
    pub stall: Duration,
    /// For a whole file, and for a whole answer.
    pub file: Duration,
    /// Tries of one question, the first included.
    pub tries: u32,
    /// The longest wait that is sat through; a longer one is reported, and kept.
    pub patience: Duration,
    /// Bytes of an answer that is no file.
    pub answer_bytes: u64,
    pub hops: u32,
    /// How often the provider itself may be asked; its file hosts are not counted.
    pub rate: Option<Rate>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            head: Duration::from_secs(15),
            stall: Duration::from_secs(20),
            file: Duration::from_mins(15),
            tries: 5,
            patience: Duration::from_mins(1),
            answer_bytes: 8 * 1024 * 1024,
            hops: 3,
            rate: None,
        }
    }
}

/// A provider's key and who may see it.
pub struct Key {
    /// `authorization`, `x-goog-api-key` …
    pub header: &'static str,
    /// What stands before the key, with its space: `Bearer `.
    pub scheme: &'static str,
    pub secret: SecretString,
    pub form: Form,
    /// Hosts beside the base that want the key, with all names below them, over https only.
    pub also: Vec<String>,
}

/// What of a key goes into its header.
#[derive(Clone, Debug)]
pub enum Form {
    /// The key as it is.
    AsItIs,
    /// What is made of it, without asking anybody, at the time of each question.
    Made(fn(&SecretString, Timestamp) -> SecretString),
    /// A token that the account gets which the key describes.
    Account(Account),
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Key").field("header", &self.header).finish_non_exhaustive()
    }
}

/// What a client is made of.
#[derive(Debug)]
pub struct Line {
    pub base: Url,
    /// A second address of the same provider, which gets key and headers like the base.
    pub also: Option<Url>,
    pub guard: Guard,
    pub key: Option<Key>,
    /// Sent to the provider's own addresses only.
    pub headers: &'static [(&'static str, &'static str)],
    pub limits: Limits,
}

/// An answer, whatever its status.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    /// The files that came inside it, where they were wanted.
    pub inline: Option<Inline>,
}

/// Why there is no answer. The texts are for agents: no keys, no query strings.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    #[error("not asked: {0}")]
    Refused(#[from] Refusal),
    #[error("not asked: no token was given for the key: {0}")]
    NoToken(String),
    #[error("not asked: {} for another {} s", shut(*.why), .wait.as_secs().max(1))]
    NotNow { why: Shut, wait: Duration },
    #[error("not reached: {0}")]
    Unreachable(String),
    #[error("no answer within {} s", .0.as_secs_f32())]
    Silent(Duration),
    #[error("the answer broke off: {0}")]
    Cut(String),
    #[error("the answer is longer than {0} bytes")]
    TooLong(u64),
    #[error("redirected more than {0} times")]
    Redirects(u32),
    #[error("the client could not be made: {0}")]
    Client(String),
}

const fn shut(why: Shut) -> &'static str {
    match why {
        Shut::Asked => "the provider asked for a pause",
        Shut::Failing => "the provider failed several times in a row and is left alone",
    }
}

impl HttpError {
    /// Whether the same question can be answered later.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::NotNow { .. } | Self::Unreachable(_) | Self::Silent(_) | Self::Cut(_))
    }
}

/// A client for one provider.
pub struct Http {
    client: reqwest::Client,
    line: Line,
    key: Option<KeyValue>,
    gate: Mutex<Gate>,
    turns: Option<Mutex<Turns>>,
    last: Mutex<Option<Last>>,
    pace: Arc<dyn Pace>,
}

/// The last answer of a provider, or that none came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Last {
    /// When it came, on the client's own clock.
    pub at: Duration,
    pub took: Duration,
    /// The status, or why no answer came.
    pub outcome: Result<u16, HttpError>,
    /// Whether the key was taken for sure, whatever the status seems to say.
    pub key_taken: bool,
}

/// How a client fares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fare {
    /// Now, on the client's own clock.
    pub now: Duration,
    pub last: Option<Last>,
    pub gate: GateState,
}

impl std::fmt::Debug for Http {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Http").field("line", &self.line).finish_non_exhaustive()
    }
}

/// What a key's header says.
enum KeyValue {
    Always(HeaderValue),
    /// What this makes of the secret.
    Made(fn(&SecretString, Timestamp) -> SecretString),
    /// What was granted last, for as long as it lasts.
    Granted(Box<Grant>),
}

/// An answer whose body was read, or is still to come.
enum Arrived {
    Whole(Answer),
    Open(Response),
}

impl Http {
    /// # Errors
    /// When the key can't be a header, or TLS can't be set up.
    pub fn new(line: Line, pace: Arc<dyn Pace>) -> Result<Self, HttpError> {
        Self::with_names(line, pace, Arc::new(SystemNames))
    }

    /// The same, by another word on where names lead.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn with_names(line: Line, pace: Arc<dyn Pace>, names: Arc<dyn Names>) -> Result<Self, HttpError> {
        let key = line.key.as_ref().map(|key| value_of(key, pace.now())).transpose()?;
        let client = build(&line.guard, &line.limits, names)?;
        let turns = line.limits.rate.map(|rate| Mutex::new(Turns::new(rate)));
        Ok(Self { client, line, key, gate: Mutex::default(), turns, last: Mutex::default(), pace })
    }

    /// The operator's address of the provider.
    #[must_use]
    pub fn base(&self) -> &Url {
        &self.line.base
    }

    /// What may be asked.
    #[must_use]
    pub fn guard(&self) -> &Guard {
        &self.line.guard
    }

    /// Whether a key goes along.
    #[must_use]
    pub fn has_key(&self) -> bool {
        self.key.is_some()
    }

    /// How the provider answered, and whether it would be asked now.
    #[must_use]
    pub fn fare(&self) -> Fare {
        let (now, gate) = self.with_gate(|gate, now| (now, gate.state(now)));
        Fare { now, gate, last: self.last.lock().unwrap_or_else(PoisonError::into_inner).clone() }
    }

    /// The last answer was given to our key, though a provider may call what it does not know forbidden.
    pub fn note_key_taken(&self) {
        if let Some(last) = self.last.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            last.key_taken = true;
        }
    }

    /// Forgets failures and fills the budget of retries.
    pub fn reset(&self) {
        self.with_gate(|gate, _| gate.reset());
    }

    /// Whether a question at this address takes the key along.
    #[must_use]
    pub fn gives_key_to(&self, url: &Url) -> bool {
        let host = url.host_str().unwrap_or_default();
        let named = |key: &Key| url.scheme() == "https" && key.also.iter().any(|suffix| is_below(host, suffix));
        self.line.key.as_ref().is_some_and(|key| self.is_own(url) || named(key))
    }

    /// Whether an address is the operator's own of this provider.
    fn is_own(&self, url: &Url) -> bool {
        std::iter::once(&self.line.base).chain(&self.line.also).any(|own| same_origin(url, own))
    }

    /// Waits as a retry would.
    pub async fn wait(&self, time: Duration) {
        self.pace.wait(time).await;
    }

    /// `text` without keys and query strings, cut.
    #[must_use]
    pub fn shown(&self, text: &(impl AsRef<[u8]> + ?Sized)) -> String {
        let token = match &self.key {
            Some(KeyValue::Granted(grant)) => grant.last(),
            _ => None,
        };
        shown(text, self.line.key.as_ref().map(|key| &key.secret).into_iter().chain(&token))
    }

    /// Asks, follows, and reads the whole answer.
    ///
    /// # Errors
    /// When there is no answer to read; a status of 4xx or 5xx is an answer.
    pub async fn get(&self, ask: &Ask) -> Result<Answer, HttpError> {
        match self.patiently(ask, true).await? {
            Arrived::Whole(answer) => Ok(answer),
            Arrived::Open(response) => self.read(response, ask).await,
        }
    }

    /// Asks for the first byte only: whether a file is there, and how long it is. The body, of
    /// whatever length, is not read.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn probe(&self, ask: &Ask) -> Result<Answer, HttpError> {
        let ask = Ask { range: Some("bytes=0-0".to_owned()), ..ask.clone() };
        match self.patiently(&ask, false).await? {
            Arrived::Whole(answer) => Ok(answer),
            Arrived::Open(response) => {
                let (status, headers) = (response.status().as_u16(), response.headers().clone());
                Ok(Answer { status, headers, body: Vec::new(), inline: None })
            }
        }
    }

    /// Asks up to the limit of tries, as long as trying again can help and the budget lasts.
    /// Answers of 2xx come back open unless `whole`.
    async fn patiently(&self, ask: &Ask, whole: bool) -> Result<Arrived, HttpError> {
        let key = self.key_for(ask).await?;
        self.patiently_with(ask, key.as_ref(), whole).await
    }

    async fn patiently_with(&self, ask: &Ask, key: Option<&HeaderValue>, whole: bool) -> Result<Arrived, HttpError> {
        self.with_gate(|gate, now| gate.enter(now)).map_err(|(why, wait)| HttpError::NotNow { why, wait })?;
        let mut attempt = 1;
        loop {
            let tried = self.timed(ask, key, whole).await;
            let asked = match &tried {
                Ok(Arrived::Whole(answer)) if is_worth_a_retry(answer.status) => {
                    wanted_wait(answer, self.pace.now()).or_else(|| (ask.delay_in)(&answer.body))
                }
                Err(error) if error.is_temporary() => None,
                Ok(arrived) => {
                    self.forget_refused(arrived);
                    self.with_gate(|gate, _| gate.succeeded());
                    return tried;
                }
                Err(_) => return tried,
            };
            let more = attempt < self.line.limits.tries && !ask.once && self.with_gate(|gate, _| gate.take_retry());
            let wait = asked.unwrap_or_default().saturating_add(wait::backoff(attempt, self.pace.chance()));
            if !more || wait > self.line.limits.patience {
                self.with_gate(|gate, now| match asked {
                    Some(asked) => gate.asked_to_wait(now, asked),
                    None => gate.failed(now),
                });
                return tried;
            }
            tracing::debug!(url.host = ask.url.host_str(), attempt, wait_ms = wait.as_millis(), "asking again");
            self.pace.wait(wait).await;
            attempt += 1;
        }
    }

    /// What the key's header says to this question.
    async fn key_for(&self, ask: &Ask) -> Result<Option<HeaderValue>, HttpError> {
        match self.key.as_ref().filter(|_| ask.with_key) {
            None => Ok(None),
            Some(KeyValue::Always(value)) => Ok(Some(value.clone())),
            Some(KeyValue::Made(make)) => {
                self.line.key.as_ref().map(|key| made(key, *make, self.pace.now())).transpose()
            }
            Some(KeyValue::Granted(grant)) => self.granted(grant).await.map(Some),
        }
    }

    async fn granted(&self, grant: &Grant) -> Result<HeaderValue, HttpError> {
        let _turn = grant.turn().await;
        if let Some(value) = grant.value(self.pace.elapsed()) {
            return Ok(value);
        }
        let ask = grant.question(self.pace.now())?;
        match self.patiently_with(&ask, None, true).await? {
            Arrived::Whole(answer) => grant.keep(&answer, self.pace.elapsed()),
            Arrived::Open(response) => grant.keep(&self.read(response, &ask).await?, self.pace.elapsed()),
        }
    }

    fn forget_refused(&self, arrived: &Arrived) {
        if let (Some(KeyValue::Granted(grant)), Arrived::Whole(Answer { status: 401, .. })) = (&self.key, arrived) {
            grant.forget();
        }
    }

    /// Asks once, and notes what came and how long it took.
    async fn timed(&self, ask: &Ask, key: Option<&HeaderValue>, whole: bool) -> Result<Arrived, HttpError> {
        self.await_turn(&ask.url).await;
        let begun = self.pace.elapsed();
        let tried = self.once(ask, key, whole).await;
        let at = self.pace.elapsed();
        let outcome = match &tried {
            Ok(Arrived::Whole(answer)) => Ok(answer.status),
            Ok(Arrived::Open(response)) => Ok(response.status().as_u16()),
            Err(error) => Err(error.clone()),
        };
        let last = Last { at, took: at.saturating_sub(begun), outcome, key_taken: false };
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(last);
        tried
    }

    /// Waits until the provider's own limit lets one more question through.
    async fn await_turn(&self, url: &Url) {
        let Some(turns) = self.turns.as_ref().filter(|_| self.is_own(url) || self.gives_key_to(url)) else { return };
        let wait = turns.lock().unwrap_or_else(PoisonError::into_inner).take(self.pace.elapsed());
        if !wait.is_zero() {
            self.pace.wait(wait).await;
        }
    }

    async fn once(&self, ask: &Ask, key: Option<&HeaderValue>, whole: bool) -> Result<Arrived, HttpError> {
        let response = self.open(ask, key).await?;
        if response.status().is_success() && !whole {
            return Ok(Arrived::Open(response));
        }
        Ok(Arrived::Whole(self.read(response, ask).await?))
    }

    /// Sends the question and follows redirects, judging each address anew.
    async fn open(&self, ask: &Ask, key: Option<&HeaderValue>) -> Result<Response, HttpError> {
        let mut url = ask.url.clone();
        for _ in 0..=self.line.limits.hops {
            self.line.guard.check(&url)?;
            let request = match &ask.posted {
                None => self.client.get(url.clone()),
                Some(posted) => {
                    self.client.post(url.clone()).header(CONTENT_TYPE, posted.media_type).body(posted.body.clone())
                }
            };
            let mut request = request.headers(self.headers(key, &url));
            if let Some(range) = &ask.range {
                request = request.header(RANGE, range);
            }
            if let Some(tag) = &ask.if_range {
                request = request.header(IF_RANGE, tag);
            }
            let head = self.line.limits.head;
            let response = tokio::time::timeout(head, request.send())
                .await
                .map_err(|_| HttpError::Silent(head))?
                .map_err(|error| self.unreachable(error))?;
            match next_hop(&response, &url).filter(|_| ask.posted.is_none()) {
                Some(next) => url = next?,
                None => return Ok(response),
            }
        }
        Err(HttpError::Redirects(self.line.limits.hops))
    }

    /// The key and the provider's own headers, for those hosts only that want them.
    fn headers(&self, value: Option<&HeaderValue>, url: &Url) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
        if self.is_own(url) {
            headers.extend(
                self.line.headers.iter().map(|(k, v)| (HeaderName::from_static(k), HeaderValue::from_static(v))),
            );
        }
        if let (Some(key), Some(value)) = (&self.line.key, value)
            && self.gives_key_to(url)
        {
            headers.insert(HeaderName::from_static(key.header), value.clone());
        }
        headers
    }

    /// Reads a body up to the limit, as long as it keeps coming.
    async fn read(&self, mut response: Response, ask: &Ask) -> Result<Answer, HttpError> {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let (usual, told) = (self.line.limits.answer_bytes, response.content_length());
        let mut body = Body::begin(ask.files, usual, response.status().is_success(), told).await;
        let mut speed = Speed::since(self.pace.elapsed());
        while let Some(chunk) = self.chunk(&mut response).await? {
            body.take(&chunk)?;
            let now = self.pace.elapsed();
            speed.in_time(now, self.line.limits.file)?;
            speed.keeps_up(now, body.seen())?;
        }
        let (body, inline) = body.end();
        Ok(Answer { status, headers, body, inline })
    }

    async fn chunk(&self, response: &mut Response) -> Result<Option<bytes::Bytes>, HttpError> {
        let stall = self.line.limits.stall;
        tokio::time::timeout(stall, response.chunk())
            .await
            .map_err(|_| HttpError::Cut(format!("nothing came for {} s", stall.as_secs_f32())))?
            .map_err(|error| HttpError::Cut(self.shown(&chain(&error.without_url()))))
    }

    fn unreachable(&self, error: reqwest::Error) -> HttpError {
        HttpError::Unreachable(self.shown(&chain(&error.without_url())))
    }

    fn with_gate<T>(&self, act: impl FnOnce(&mut Gate, Duration) -> T) -> T {
        let now = self.pace.elapsed();
        act(&mut self.gate.lock().unwrap_or_else(PoisonError::into_inner), now)
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one place where a client is built, with its limits")]
fn build(guard: &Guard, limits: &Limits, names: Arc<dyn Names>) -> Result<reqwest::Client, HttpError> {
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls::config().map_err(HttpError::Client)?)
        .user_agent(concat!("makegood/", env!("CARGO_PKG_VERSION")))
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .connect_timeout(limits.connect)
        .dns_resolver(JudgingResolver { names, trusted: guard.trusted_hosts() })
        .build()
        .map_err(|error| HttpError::Client(chain(&error)))
}

fn value_of(key: &Key, now: Timestamp) -> Result<KeyValue, HttpError> {
    Ok(match &key.form {
        Form::AsItIs => KeyValue::Always(made(key, |secret, _| secret.clone(), now)?),
        Form::Made(make) => {
            made(key, *make, now)?;
            KeyValue::Made(*make)
        }
        Form::Account(account) => KeyValue::Granted(Box::new(Grant::new(account.clone(), key.scheme))),
    })
}

fn made(
    key: &Key,
    make: fn(&SecretString, Timestamp) -> SecretString,
    now: Timestamp,
) -> Result<HeaderValue, HttpError> {
    header_of(key.scheme, &make(&key.secret, now))
        .ok_or_else(|| HttpError::Client("the key holds characters that a header can't carry".to_owned()))
}

/// The header's value; `None` where a header can't carry it.
fn header_of(scheme: &str, secret: &SecretString) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(&format!("{scheme}{}", secret.expose_secret())).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Where a redirect leads; `None` where the answer is none.
fn next_hop(response: &Response, from: &Url) -> Option<Result<Url, HttpError>> {
    let follows = matches!(
        response.status(),
        StatusCode::MOVED_PERMANENTLY
            | StatusCode::FOUND
            | StatusCode::SEE_OTHER
            | StatusCode::TEMPORARY_REDIRECT
            | StatusCode::PERMANENT_REDIRECT
    );
    let location = response.headers().get(LOCATION).filter(|_| follows)?;
    let next = location.to_str().ok().and_then(|text| from.join(text).ok());
    Some(next.ok_or(HttpError::Refused(Refusal::Unreadable)))
}

/// 429 and what a healthy server answers later.
const fn is_worth_a_retry(status: u16) -> bool {
    matches!(status, 408 | 425 | 429 | 500 | 502 | 503 | 504 | 520..=524 | 529)
}

fn wanted_wait(answer: &Answer, now: Timestamp) -> Option<Duration> {
    let values = answer.headers.get_all(RETRY_AFTER).iter().filter_map(|v| v.to_str().ok());
    wait::retry_after(values, answer.headers.get(DATE).and_then(|v| v.to_str().ok()), now)
}

#[cfg(test)]
mod tests;
