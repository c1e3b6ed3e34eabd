//! The door in a test: real connections on loopback, a record in memory, a sender that says what it is told.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use jiff::Timestamp;
use makegood_domain::ids::{JobId, ProviderId};
use makegood_domain::ports::{
    Arrival, Clock, DeadLettersWanted, Deliveries, DeliveryStore, FactStore as _, IntakeStore as _, Notice, Proof,
    Store,
};
use makegood_testkit::{Fault, MemoryStore, Op, World};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tower::ServiceExt as _;

use crate::{Feeder, Feeders, House, Limits, Outside, hash_of, routes};

const TOKEN: &str = "mgf_5wX0c2LkGq7VvT9yPzR3nB8dHs4JtA1e";

pub(crate) struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(1_790_000_000).expect("an instant")
    }
}

/// Proof and notice are what the body says, so that a test writes them down: `proven job delivery`.
#[derive(Default)]
struct Told {
    asked: AtomicUsize,
}

#[async_trait]
impl Deliveries for Told {
    fn expects(&self, provider: &ProviderId, endpoint: Option<&str>) -> bool {
        provider.as_str() == "replicate" && matches!(endpoint, None | Some("eu"))
    }
    fn refuses_head(&self, arrival: &Arrival<'_>) -> Option<String> {
        let is_unsigned = arrival.headers.iter().any(|(name, _)| name == "x-unsigned");
        is_unsigned.then(|| "the header webhook-signature is missing".to_owned())
    }
    async fn verify(&self, arrival: &Arrival<'_>) -> Proof {
        self.asked.fetch_add(1, Ordering::SeqCst);
        match words(arrival.body).first().map(String::as_str) {
            Some("proven") => Proof::Proven,
            Some("unproven") => Proof::Unproven,
            Some("undecided") => Proof::Undecided { why: "no keys".to_owned() },
            _ => Proof::Refused { why: "no signature fits".to_owned() },
        }
    }
    fn read(&self, arrival: &Arrival<'_>) -> Notice {
        let words = words(arrival.body);
        let (job_id, own_id) = match words.get(1).and_then(|word| word.split_once('+')) {
            Some((job, own)) => (Some(JobId::new(job)).filter(|_| !job.is_empty()), Some(JobId::new(own))),
            None => (words.get(1).map(JobId::new), None),
        };
        Notice {
            job_id,
            own_id,
            delivery_id: words.get(2).cloned().unwrap_or_default(),
            event: None,
            challenge: words.get(3).cloned(),
        }
    }
}

fn words(body: &[u8]) -> Vec<String> {
    String::from_utf8_lossy(body).split_whitespace().map(str::to_owned).collect()
}

pub(crate) fn house(limits: Limits) -> (Arc<MemoryStore>, Arc<House>) {
    let store = Arc::new(MemoryStore::new());
    let feeders = Feeders::new(vec![Feeder::new("platform", &hash_of(TOKEN).unwrap()).unwrap()]).unwrap();
    let outside = Outside {
        store: Arc::clone(&store) as Arc<dyn Store>,
        deliveries: Arc::new(Told::default()),
        clock: Arc::new(Still),
        heard: Arc::new(|_| ()),
    };
    (store, Arc::new(House::new(outside, feeders, limits)))
}

async fn ask(house: &Arc<House>, request: Request<Body>) -> (StatusCode, String, String) {
    let response = routes(Arc::clone(house)).oneshot(request).await.unwrap();
    let kind = response.headers().get("content-type").map(|kind| kind.to_str().unwrap().to_owned());
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, kind.unwrap_or_default(), String::from_utf8_lossy(&body).into_owned())
}

async fn post(house: &Arc<House>, address: &str, body: impl Into<Body>) -> (StatusCode, String, String) {
    ask(house, Request::post(address).header("webhook-id", "w").header("cookie", "c").body(body.into()).unwrap()).await
}

#[tokio::test]
async fn what_is_answered_2xx_is_kept() {
    let (store, house) = house(Limits::default());
    let (status, _, body) = post(&house, "/webhooks/replicate", "proven job_1 one").await;
    assert_eq!((status, body.as_str()), (StatusCode::OK, r#"{"kept":"new"}"#));
    let (_, _, body) = post(&house, "/webhooks/replicate/", "proven job_1 one").await;
    assert_eq!(body, r#"{"kept":"known"}"#, "a slash more is the same address");
    let (status, ..) = post(&house, "/webhooks/replicate/eu/", "unproven job_1 two").await;
    assert_eq!(status, StatusCode::OK);
    let kept = store.deliveries(10).await.unwrap();
    let mut kept: Vec<_> = kept.into_iter().map(|row| (row.delivery_id, row.proven, row.endpoint)).collect();
    kept.sort();
    assert_eq!(kept, [("one".into(), true, None), ("two".into(), false, Some("eu".into()))]);
    let body = store.delivery_body(&"replicate".into(), "one").await.unwrap();
    assert_eq!(body.as_deref(), Some(&b"proven job_1 one"[..]));
}

/// A sender that is led elsewhere gives up.
#[tokio::test]
async fn symptom_02_no_webhook_is_answered_with_a_redirect() {
    let (store, house) = house(Limits::default());
    for (number, address) in
        ["/webhooks/replicate", "/webhooks/replicate/", "/webhooks/replicate/eu", "/webhooks/replicate/eu/"]
            .into_iter()
            .enumerate()
    {
        let (status, _, body) = post(&house, address, format!("proven job_1 d{number}")).await;
        assert_eq!((status, body.as_str()), (StatusCode::OK, r#"{"kept":"new"}"#), "{address}");
    }
    for address in
        ["/webhooks//replicate", "/webhooks", "/webhooks/", "/Webhooks/replicate", "/webhooks/replicate/eu/x"]
    {
        let (status, ..) = post(&house, address, "proven job_1 other").await;
        assert!(status.is_client_error(), "{address}: {status}");
    }
    assert_eq!(store.deliveries(10).await.unwrap().len(), 4);
}

/// What succeeded is told with its logs and inline files, and is refused nowhere for its length.
#[tokio::test]
async fn symptom_03_a_body_of_megabytes_is_kept_whole() {
    let (store, house) = house(Limits::default());
    for megabytes in [1, 4, 15] {
        let mut sent = format!("proven job_1 big{megabytes} ").into_bytes();
        sent.resize(megabytes * 1024 * 1024 + 1, b'x');
        assert_eq!(post(&house, "/webhooks/replicate", sent.clone()).await.0, StatusCode::OK, "{megabytes} MiB");
        let kept = store.delivery_body(&"replicate".into(), &format!("big{megabytes}")).await.unwrap();
        assert!(kept.is_some_and(|kept| kept == sent), "{megabytes} MiB");
    }
}

#[tokio::test]
async fn an_address_tells_who_asks_whether_it_is_one() {
    let (store, house) = house(Limits::default());
    for (address, wanted) in [
        ("/webhooks/replicate", StatusCode::NO_CONTENT),
        ("/webhooks/replicate/eu", StatusCode::NO_CONTENT),
        ("/webhooks/fal", StatusCode::NOT_FOUND),
        ("/v1/events", StatusCode::METHOD_NOT_ALLOWED),
    ] {
        let (status, ..) = ask(&house, Request::options(address).body(Body::empty()).unwrap()).await;
        assert_eq!(status, wanted, "{address}");
    }
    assert!(store.deliveries(1).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_is_not_proven_is_not_kept() {
    let (store, house) = house(Limits::default());
    for (address, body, wanted) in [
        ("/webhooks/replicate", "forged job_1 one", StatusCode::UNAUTHORIZED),
        ("/webhooks/replicate", "", StatusCode::UNAUTHORIZED),
        ("/webhooks/replicate", "undecided job_1 one", StatusCode::SERVICE_UNAVAILABLE),
        ("/webhooks/fal", "proven job_1 one", StatusCode::NOT_FOUND),
        ("/webhooks/replicate/us", "proven job_1 one", StatusCode::NOT_FOUND),
        ("/webhooks", "proven job_1 one", StatusCode::NOT_FOUND),
        ("/healthz", "", StatusCode::METHOD_NOT_ALLOWED),
    ] {
        let (status, kind, body) = post(&house, address, body).await;
        assert_eq!((status, kind.as_str()), (wanted, "application/problem+json"), "{address}: {body}");
        let problem: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(problem["status"], wanted.as_u16());
        assert!(problem["detail"].as_str().is_some_and(|detail| !detail.is_empty()));
    }
    assert_eq!(store.deliveries(10).await.unwrap(), []);
}

/// A job of Kling's is known by its task's id, or by the one of ours that it was submitted under.
#[tokio::test]
async fn a_delivery_leads_to_the_run_by_either_id() {
    for (known, body, kept) in [
        ("job_1", "proven job_1+ours one", 2),
        ("ours", "proven job_1+ours one", 2),
        ("ours", "proven +ours one", 1),
        ("job_1", "proven job_1+job_1 one", 1),
    ] {
        let (store, house) = house(Limits::default());
        let mut world = World::new("replicate", Timestamp::UNIX_EPOCH);
        let run = world.charged_run(1, 30);
        let world = world.with_job(&run, makegood_domain::work::JobState::Queued, &[]);
        let facts = world.facts().into_iter().map(|fact| match fact {
            makegood_domain::feed::Fact::Job(job) => {
                makegood_domain::feed::Fact::Job(makegood_domain::work::Job { id: JobId::from(known), ..job })
            }
            fact => fact,
        });
        store.import(&facts.collect::<Vec<_>>(), Timestamp::UNIX_EPOCH).await.unwrap();
        for expected in [r#"{"kept":"new"}"#, r#"{"kept":"known"}"#] {
            let (status, _, answer) = post(&house, "/webhooks/replicate", body).await;
            assert_eq!((status, answer.as_str()), (StatusCode::OK, expected), "{body}");
        }
        let lines = store.deliveries(10).await.unwrap();
        assert_eq!(lines.len(), kept, "{body}: {lines:?}");
        let led: Vec<_> = lines.iter().filter(|line| line.run_id.is_some()).map(|line| line.job_id.clone()).collect();
        assert_eq!(led, [Some(JobId::from(known))], "{body}");
    }
}

#[tokio::test]
async fn a_record_that_is_away_is_no_2xx() {
    let (store, house) = house(Limits::default());
    store.fail_next(Op::KeepDeliveries, Fault::BeforeCommit);
    let (status, ..) = post(&house, "/webhooks/replicate", "proven job_1 one").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    // Committed, and nobody heard of it: the sender asks again, and it is known.
    store.fail_next(Op::KeepDeliveries, Fault::LostAck);
    let (status, ..) = post(&house, "/webhooks/replicate", "proven job_1 two").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    let (status, _, body) = post(&house, "/webhooks/replicate", "proven job_1 two").await;
    assert_eq!((status, body.as_str()), (StatusCode::OK, r#"{"kept":"known"}"#));
    store.fail_next(Op::Endpoints, Fault::BeforeCommit);
    let ready = || Request::get("/readyz").body(Body::empty()).unwrap();
    assert_eq!(ask(&house, ready()).await.0, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(ask(&house, ready()).await.0, StatusCode::OK);
}

#[tokio::test]
async fn real_sizes_pass_and_no_larger_ones() {
    let (store, house) = house(Limits { webhook_bytes: 3_000_000, ..Limits::default() });
    let long = |bytes: usize| format!("proven job_1 d{bytes} {}", "x".repeat(bytes));
    assert_eq!(post(&house, "/webhooks/replicate", long(2_900_000)).await.0, StatusCode::OK);
    assert_eq!(post(&house, "/webhooks/replicate", long(3_000_000)).await.0, StatusCode::PAYLOAD_TOO_LARGE);
    // Without a length, it is counted while it arrives.
    let pieces = futures(vec![long(2_000_000), "y".repeat(1_000_000)]);
    assert_eq!(post(&house, "/webhooks/replicate", pieces).await.0, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(store.deliveries(10).await.unwrap().len(), 1);
}

fn futures(pieces: Vec<String>) -> Body {
    let mut pieces = pieces.into_iter();
    let frames = std::iter::from_fn(move || pieces.next().map(Ok::<_, std::io::Error>));
    Body::from_stream(Pieces(frames.collect::<Vec<_>>().into_iter()))
}

struct Pieces(std::vec::IntoIter<Result<String, std::io::Error>>);

impl futures_util::Stream for Pieces {
    type Item = Result<String, std::io::Error>;
    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        std::task::Poll::Ready(self.0.next())
    }
}

#[tokio::test]
async fn a_challenge_is_answered_with_itself() {
    let (_, house) = house(Limits::default());
    let (status, _, body) = post(&house, "/webhooks/replicate", "unproven job_1 one word").await;
    assert_eq!((status, body.as_str()), (StatusCode::OK, r#"{"challenge":"word"}"#));
}

fn event(token: Option<&str>, kind: &str, body: String) -> Request<Body> {
    let mut request = Request::post("/v1/events").header("content-type", kind);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    request.body(body.into()).unwrap()
}

fn batch() -> Value {
    let mut world = World::new("veo", Timestamp::UNIX_EPOCH);
    world.charged_run(1, 30);
    let event = |(at, fact): (usize, makegood_domain::feed::Fact)| {
        let fact = serde_json::to_value(fact).unwrap();
        let kind = format!("makegood.{}.v1", fact["type"].as_str().unwrap());
        serde_json::json!({ "specversion": "1.0", "id": format!("e{at}"), "source": "/platform", "type": kind,
            "data": fact["data"] })
    };
    world.facts().into_iter().enumerate().map(event).collect()
}

#[tokio::test]
async fn facts_are_taken_from_those_who_have_a_token() {
    let (_, house) = house(Limits::default());
    let kind = "application/cloudevents-batch+json";
    for token in [None, Some("wrong"), Some(&TOKEN[1..])] {
        let (status, ..) = ask(&house, event(token, kind, batch().to_string())).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{token:?}");
    }
    let (status, _, body) = ask(&house, event(Some(TOKEN), kind, batch().to_string())).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    let told: Value = serde_json::from_str(&body).unwrap();
    let lines = told["events"].as_array().unwrap();
    assert_eq!(lines.len(), batch().as_array().unwrap().len());
    assert!(lines.iter().all(|line| line["outcome"] == "added"), "{body}");
    let (_, _, body) = ask(&house, event(Some(TOKEN), kind, batch().to_string())).await;
    assert!(body.contains("unchanged") && !body.contains("added"), "{body}");
}

#[tokio::test]
async fn an_event_that_cannot_be_taken_says_why() {
    let (store, house) = house(Limits::default());
    let one = batch().as_array().unwrap().last().unwrap().clone();
    let (status, kind, body) = ask(&house, event(Some(TOKEN), "application/cloudevents+json", one.to_string())).await;
    assert_eq!((status, kind.as_str()), (StatusCode::UNPROCESSABLE_ENTITY, "application/problem+json"));
    assert!(body.contains("there is no"), "{body}");
    let (status, ..) = ask(&house, event(Some(TOKEN), "application/cloudevents+json", "{}".to_owned())).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let wanted = DeadLettersWanted { state: None, after: 0, limit: 10 };
    let kept = store.dead_letters(&wanted).await.unwrap();
    let unread = kept.iter().find(|letter| letter.raw == "{}").expect("what could not be read is kept");
    assert!(unread.whole && unread.place.contains("platform"), "{unread:?}");
    assert_eq!(kept.len(), 2, "with what lacks a row");
    let (status, ..) = ask(&house, event(Some(TOKEN), "application/cloudevents+xml", "<e/>".to_owned())).await;
    assert_eq!(status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
}

#[tokio::test]
async fn metrics_tell_what_came() {
    let (_, house) = house(Limits::default());
    post(&house, "/webhooks/replicate", "proven job_1 one").await;
    post(&house, "/webhooks/replicate", "forged job_1 one").await;
    let (status, kind, body) = ask(&house, Request::get("/metrics").body(Body::empty()).unwrap()).await;
    assert_eq!(status, StatusCode::OK);
    assert!(kind.starts_with("text/plain; version=0.0.4"));
    for line in [
        "makegood_webhooks_total{outcome=\"proven\"} 1",
        "makegood_webhooks_total{outcome=\"refused\"} 1",
        "makegood_webhook_seconds_count 2",
        "makegood_open_charges 0",
        "makegood_record_up 1",
    ] {
        assert!(body.lines().any(|have| have == line), "{line} is not in\n{body}");
    }
}

async fn opened(
    limits: Limits,
) -> (Arc<MemoryStore>, std::net::SocketAddr, watch::Sender<bool>, tokio::task::JoinHandle<crate::Ended>) {
    let (store, house) = house(limits.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = watch::channel(false);
    let serving = tokio::spawn(async move { crate::serve(listener, routes(house), &limits, stopped).await });
    (store, address, stop, serving)
}

const HEAD: &str = "POST /webhooks/replicate HTTP/1.1\r\nhost: x\r\ncontent-length: 16\r\n\r\n";

#[tokio::test]
async fn a_stop_lets_what_is_under_way_end() {
    let (store, address, stop, serving) = opened(Limits::default()).await;
    let mut one = TcpStream::connect(address).await.unwrap();
    one.write_all(format!("{HEAD}proven jo").as_bytes()).await.unwrap();
    // It is read before the stop is given: another connection was served after it.
    let mut other = TcpStream::connect(address).await.unwrap();
    other.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut some = [0; 15];
    other.read_exact(&mut some).await.unwrap();
    stop.send(true).unwrap();
    one.write_all(b"b_1 one").await.unwrap();
    let mut answer = String::new();
    one.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert_eq!(serving.await.unwrap().cut, 0, "idle connections are ended at once");
    assert_eq!(store.deliveries(10).await.unwrap().len(), 1);
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");
}

#[tokio::test(start_paused = true)]
async fn who_sends_nothing_is_not_waited_for() {
    let limits = Limits { request: Duration::from_secs(30), stop: Duration::from_secs(5), ..Limits::default() };
    let (_, address, stop, serving) = opened(limits).await;
    let mut slow = TcpStream::connect(address).await.unwrap();
    slow.write_all(format!("{HEAD}prov").as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    slow.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 408");
    // Half a head, and nothing more.
    let mut half = TcpStream::connect(address).await.unwrap();
    half.write_all(b"POST /webhooks/replicate HTTP/1.1\r\nhost:").await.unwrap();
    let mut rest = Vec::new();
    half.read_to_end(&mut rest).await.unwrap();
    let mut long = TcpStream::connect(address).await.unwrap();
    long.write_all(format!("GET /healthz HTTP/1.1\r\n{}\r\n", "x: y\r\n".repeat(101)).as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    long.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 431");
    stop.send(true).unwrap();
    serving.await.unwrap();
}

#[tokio::test]
async fn a_head_is_as_long_as_the_limit_and_not_a_byte_longer() {
    let limits = Limits { head_bytes: 8192, ..Limits::default() };
    let (_, address, stop, serving) = opened(limits.clone()).await;
    for (bytes, want) in [(200, "200"), (8192, "200"), (8193, "431"), (12_000, "431")] {
        let around = "GET /healthz HTTP/1.1\r\nhost: x\r\nx-long: \r\n\r\n".len();
        let head = format!("GET /healthz HTTP/1.1\r\nhost: x\r\nx-long: {}\r\n\r\n", "a".repeat(bytes - around));
        assert_eq!(head.len(), bytes);
        let mut one = TcpStream::connect(address).await.unwrap();
        // Who is refused early is not read to the end.
        drop(one.write_all(head.as_bytes()).await);
        let mut answer = [0; 12];
        one.read_exact(&mut answer).await.unwrap();
        assert_eq!(answer, *format!("HTTP/1.1 {want}").as_bytes(), "{bytes}");
    }
    stop.send(true).unwrap();
    serving.await.unwrap();
}
