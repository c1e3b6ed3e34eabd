//! The providers as they answer on loopback, in their own wire formats: one server each, on a free
//! port of 127.0.0.1. What expires, expires by the clock that is handed in.
//!
//! A provider is one file here and one line in [`SITES`]: its routes, which key it takes, and the
//! words that it has for a job's states and for its refusals.

mod answer;
mod bfl;
mod elevenlabs;
mod fal;
mod files;
mod heygen;
mod kling;
mod luma;
mod luma_agents;
mod minimax_v1;
mod minimax_v2;
mod openai;
mod pace;
mod replicate;
mod runway;
mod seedance;
mod stability;
pub mod state;
mod sync;
mod tokens;
mod veo;
mod vertex;

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use jiff::Timestamp;
use makegood_domain::ports::Clock;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::catalogue::{
    BFL, ELEVENLABS, FAL, HEYGEN, KLING, LUMA, LUMA_AGENTS, MINIMAX_V1, MINIMAX_V2, OPENAI, REPLICATE, RUNWAY,
    SEEDANCE, STABILITY, SYNC, VEO, VERTEX,
};
use state::{Ending, UpstreamItem, UpstreamJob, UpstreamState};

pub(crate) use vertex::PROJECT;

/// A provider, the path of its API, and its routes.
type Site = (&'static str, &'static str, fn() -> Router<Shared>);

/// Everybody who answers.
const SITES: [Site; 17] = [
    (REPLICATE, "/v1", replicate::routes),
    (FAL, "", fal::routes),
    (VEO, "/v1beta", veo::routes),
    (VERTEX, "/v1", vertex::routes),
    (OPENAI, "/v1", openai::routes),
    (RUNWAY, "", runway::routes),
    (LUMA, "/dream-machine/v1", luma::routes),
    (LUMA_AGENTS, "/v1", luma_agents::routes),
    (ELEVENLABS, "/v1", elevenlabs::routes),
    (BFL, "/v1", bfl::routes),
    (SYNC, "", sync::routes),
    (HEYGEN, "", heygen::routes),
    (KLING, "", kling::routes),
    (MINIMAX_V2, "", minimax_v2::routes),
    (MINIMAX_V1, "", minimax_v1::routes),
    (SEEDANCE, "/api/v3", seedance::routes),
    (STABILITY, "", stability::routes),
];

/// One job of so many is answered with *too many requests* when it is first asked about.
const THROTTLED_ONE_OF: u64 = 53;

/// What everybody here asks for.
pub(crate) const PROMPT: &str = "a lighthouse at dusk";

/// How the servers behave.
#[derive(Clone, Copy, Debug)]
pub struct Manners {
    /// Waited before every answer.
    pub latency: Duration,
    /// Now and then answer 429 once, as providers do; which jobs, follows from their ids.
    pub throttles: bool,
    /// How long the bytes of a whole file take to come.
    pub file_takes: Duration,
}

impl Default for Manners {
    fn default() -> Self {
        Self { latency: Duration::ZERO, throttles: true, file_takes: Duration::ZERO }
    }
}

/// Where one provider answers, and the key that it wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamAddress {
    /// The catalogue's id, and the adapter's name.
    pub provider: &'static str,
    /// As it goes into the settings of a provider.
    pub base_url: String,
    /// fal's request history.
    pub history_url: Option<String>,
    pub key: String,
}

/// A server could not be started.
#[derive(Debug, thiserror::Error)]
#[error("the practice provider {provider} can't listen on 127.0.0.1: {source}")]
pub struct ServeError {
    pub provider: &'static str,
    pub source: std::io::Error,
}

/// The running servers; they stop when this is dropped.
#[derive(Debug)]
pub struct Upstream {
    pub addresses: Vec<UpstreamAddress>,
    /// Closing it ends the servers.
    _stop: watch::Sender<()>,
}

/// What a server needs to answer.
pub(crate) struct Shop {
    pub state: Arc<UpstreamState>,
    pub clock: Arc<dyn Clock>,
    pub provider: &'static str,
    /// Scheme, host and port.
    pub origin: String,
    /// The account's key, or what its tokens are signed with.
    pub key: String,
    manners: Manners,
    throttled: Mutex<BTreeSet<String>>,
}

type Shared = Arc<Shop>;

impl Shop {
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn job(&self, id: &str) -> Option<&UpstreamJob> {
        self.state.job(self.provider, id)
    }

    /// What a question about this job gets.
    pub(crate) fn about(&self, id: &str) -> About<'_> {
        match self.job(id) {
            None => About::Nothing,
            Some(job) if job.ending == Ending::Unknown => About::Nothing,
            Some(_) if self.refuses_once(id) => About::TooOften,
            Some(job) if job.ending == Ending::Broken => About::Broken,
            Some(job) => About::Job(job),
        }
    }

    /// The jobs that a list has, newest first.
    pub(crate) fn listed(&self) -> Vec<&UpstreamJob> {
        let known =
            self.state.jobs(self.provider).filter(|job| !matches!(job.ending, Ending::Unknown | Ending::Broken));
        let mut jobs: Vec<&UpstreamJob> = known.collect();
        jobs.sort_by_key(|job| (std::cmp::Reverse(job.created_at), &job.id));
        jobs
    }

    /// The file of this token, as long as it is kept.
    pub(crate) fn kept_file(&self, token: &str) -> Option<(&UpstreamJob, &UpstreamItem)> {
        self.state.file(self.provider, token).filter(|(_, item)| item.keep_until > self.now())
    }

    /// Whether this question is refused once for coming too fast.
    fn refuses_once(&self, job: &str) -> bool {
        let sum = job.bytes().fold(7_u64, |sum, byte| sum.wrapping_mul(131).wrapping_add(u64::from(byte)));
        self.manners.throttles
            && sum.is_multiple_of(THROTTLED_ONE_OF)
            && self.throttled.lock().unwrap_or_else(PoisonError::into_inner).insert(job.to_owned())
    }
}

/// What a question about a job comes to, before it is worded.
pub(crate) enum About<'a> {
    /// Never heard of, or of another account.
    Nothing,
    TooOften,
    /// The provider is in trouble.
    Broken,
    Job(&'a UpstreamJob),
}

/// The key of an account, as an operator would enter it, and what the server holds against it.
fn keys(provider: &str, origin: &str) -> (String, String) {
    let plain = format!("practice-{provider}-key");
    match provider {
        VERTEX => (vertex::account(origin), plain),
        KLING => (format!("{}:{plain}", kling::ACCESS_KEY), plain),
        STABILITY => (format!("sk-{plain}"), format!("sk-{plain}")),
        _ => (plain.clone(), plain),
    }
}

/// Starts the servers. They answer until the result is dropped.
///
/// # Errors
/// When no port can be had.
pub async fn serve(state: Arc<UpstreamState>, clock: Arc<dyn Clock>, manners: Manners) -> Result<Upstream, ServeError> {
    let (stop, stopped) = watch::channel(());
    let mut addresses = Vec::new();
    for (provider, path, routes) in SITES {
        let failed = |source| ServeError { provider, source };
        let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let listener = TcpListener::bind(free).await.map_err(failed)?;
        let origin = format!("http://{}", listener.local_addr().map_err(failed)?);
        let (entered, key) = keys(provider, &origin);
        addresses.push(UpstreamAddress {
            provider,
            base_url: format!("{origin}{path}"),
            history_url: (provider == FAL).then(|| format!("{origin}/v1")),
            key: entered,
        });
        let shop = Arc::new(Shop {
            state: Arc::clone(&state),
            clock: Arc::clone(&clock),
            provider,
            origin,
            key,
            manners,
            throttled: Mutex::default(),
        });
        let app = routes().layer(from_fn_with_state(Arc::clone(&shop), take_time)).with_state(shop);
        tokio::spawn(run(listener, app, stopped.clone(), provider));
    }
    Ok(Upstream { addresses, _stop: stop })
}

async fn run(listener: TcpListener, app: Router, mut stopped: watch::Receiver<()>, provider: &'static str) {
    let until_dropped = async move {
        // An error says that the sender is gone: that is the signal.
        while stopped.changed().await.is_ok() {}
    };
    if let Err(error) = axum::serve(listener, app).with_graceful_shutdown(until_dropped).await {
        tracing::warn!(provider, %error, "a practice provider stopped");
    }
}

async fn take_time(State(shop): State<Shared>, request: Request, next: Next) -> Response {
    if !shop.manners.latency.is_zero() {
        tokio::time::sleep(shop.manners.latency).await;
    }
    pace::slowly(next.run(request).await, shop.manners.file_takes).await
}
