//! The server under measurement, with a record on PostgreSQL, and the bare handler beside it.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::routing::post;
use jiff::SignedDuration;
use makegood::clock::SystemClock;
use makegood_connectors::webhooks::{SenderSettings, Senders};
use makegood_domain::ports::{Clock as _, DeliveryStore as _, FactStore as _};
use makegood_domain::work::JobState;
use makegood_server::{Feeders, Limits, Outside, routes, serve};
use makegood_store::postgres::{PgSettings, PgStore, migrate};
use makegood_testkit::World;
use makegood_testkit::postgres::{Cluster, Options, SUPERUSER};
use tokio::net::TcpListener;
use tokio::sync::watch;

/// The secret that is public: nobody's.
pub const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// Jobs that are known, each of a run that was charged and is open.
pub const JOBS: u64 = 500;

pub struct House {
    pub door: SocketAddr,
    pub bare: SocketAddr,
    store: Arc<PgStore>,
    _cluster: Cluster,
    _stop: watch::Sender<bool>,
}

impl House {
    pub async fn open() -> Self {
        let cluster = Cluster::start(&Options::default()).expect("a server that syncs");
        let database = cluster.empty_database().expect("a database");
        let settings = PgSettings::new(cluster.url(&database, SUPERUSER));
        migrate(&settings).await.expect("a schema");
        let store = Arc::new(PgStore::connect(&settings).await.expect("a record"));
        fill(&store).await;
        let sender = SenderSettings {
            provider: "replicate".into(),
            endpoint: None,
            form: "replicate".to_owned(),
            secrets: vec![SECRET.into()],
            keys_url: None,
        };
        let outside = Outside {
            store: Arc::clone(&store) as _,
            deliveries: Arc::new(Senders::new(vec![sender]).expect("good settings")),
            clock: Arc::new(SystemClock),
            heard: Arc::new(|_| ()),
        };
        let (stop, stopped) = watch::channel(false);
        let house = Arc::new(makegood_server::House::new(outside, Feeders::default(), Limits::default()));
        let door = listen(routes(house), stopped.clone()).await;
        let handler = post(async |body: Bytes| body.len().to_string());
        let bare = listen(Router::new().route("/webhooks/replicate", handler), stopped).await;
        Self { door, bare, store, _cluster: cluster, _stop: stop }
    }

    /// Deliveries in the record.
    pub async fn kept(&self) -> usize {
        self.store.deliveries(u64::from(u32::MAX)).await.expect("the deliveries").len()
    }
}

async fn listen(routes: Router, stopped: watch::Receiver<bool>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("its address");
    tokio::spawn(async move { serve(listener, routes, &Limits::default(), stopped).await });
    address
}

async fn fill(store: &PgStore) {
    let now = SystemClock.now();
    let mut world = World::new("replicate", now.saturating_sub(SignedDuration::from_hours(1)).unwrap_or(now));
    for _ in 0..JOBS {
        let run = world.charged_run(1, 2);
        world = world.with_job(&run, JobState::Processing, &[]);
    }
    for some in world.facts().chunks(500) {
        let report = store.import(some, now).await.expect("imported");
        assert_eq!(report.rejected, vec![]);
    }
}
