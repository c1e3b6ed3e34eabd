//! Bodies that come in pieces, slowly, or not at all, in time that only passes when everybody waits.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::response::Response;
use makegood_domain::ports::DeliveryStore as _;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tower::ServiceExt as _;

use crate::tests::house;
use crate::{House, Limits, routes};

const KIB: usize = 1024;

/// What is sent, as the test sends it.
struct Piped(mpsc::UnboundedReceiver<Vec<u8>>);

impl futures_util::Stream for Piped {
    type Item = std::io::Result<Vec<u8>>;
    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        self.0.poll_recv(context).map(|piece| piece.map(Ok))
    }
}

type Sender = mpsc::UnboundedSender<Vec<u8>>;

/// A webhook whose body is still to come; ended by dropping the sender.
fn begun(house: &Arc<House>, said: Option<usize>, header: &str) -> (Sender, JoinHandle<Response>) {
    let (sender, pieces) = mpsc::unbounded_channel();
    let mut request = Request::post("/webhooks/replicate").header(header, "x");
    if let Some(said) = said {
        request = request.header("content-length", said);
    }
    let request = request.body(Body::from_stream(Piped(pieces))).unwrap();
    let answer = routes(Arc::clone(house)).oneshot(request);
    (sender, tokio::spawn(async move { answer.await.unwrap() }))
}

/// A proven webhook, padded to so many bytes.
fn whole(id: &str, bytes: usize) -> Vec<u8> {
    let mut body = format!("proven job_1 {id} ").into_bytes();
    body.resize(bytes.max(body.len()), b' ');
    body
}

fn limits() -> Limits {
    Limits { webhook_bytes: 128 * KIB, all_bytes: 256 * KIB, bytes_per_second: 16 * 1024, ..Limits::default() }
}

#[tokio::test(start_paused = true)]
async fn who_announces_much_and_sends_nothing_keeps_nobody_out() {
    let (store, house) = house(limits());
    let mut idle = Vec::new();
    for number in 0..16 {
        let (sender, answer) = begun(&house, (number % 2 == 0).then_some(128 * KIB), "x-any");
        sender.send(b"p".to_vec()).unwrap();
        idle.push((sender, answer));
    }
    let started = Instant::now();
    let (sender, answer) = begun(&house, None, "x-any");
    sender.send(whole("honest", 100)).unwrap();
    drop(sender);
    assert_eq!(answer.await.unwrap().status(), StatusCode::OK);
    assert!(started.elapsed() < Duration::from_secs(1), "it waited for {:?}", started.elapsed());
    for (_sender, answer) in idle {
        assert_eq!(answer.await.unwrap().status(), StatusCode::REQUEST_TIMEOUT);
    }
    assert!(started.elapsed() < Limits::default().request, "{:?}", started.elapsed());
    assert_eq!(store.deliveries(10).await.unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn bodies_that_hold_all_room_do_not_wait_for_each_other_for_ever() {
    let (_, house) = house(Limits { all_bytes: 128 * KIB, ..limits() });
    let mut halves = Vec::new();
    for id in ["one", "two"] {
        let (sender, answer) = begun(&house, Some(128 * KIB), "x-any");
        let body = whole(id, 128 * KIB);
        sender.send(body[..64 * KIB].to_vec()).unwrap();
        halves.push((sender, answer, body));
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    for (sender, _, body) in &halves {
        sender.send(body[64 * KIB..].to_vec()).unwrap();
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let mut answers = Vec::new();
    for (sender, answer, _) in halves {
        drop(sender);
        answers.push(answer.await.unwrap());
    }
    let statuses: Vec<StatusCode> = answers.iter().map(Response::status).collect();
    assert_eq!(statuses, [StatusCode::SERVICE_UNAVAILABLE, StatusCode::OK], "the first gave back what it had");
    assert!(answers[0].headers().contains_key("retry-after"));
    // All room is there again.
    let (sender, answer) = begun(&house, Some(128 * KIB), "x-any");
    sender.send(whole("three", 128 * KIB)).unwrap();
    drop(sender);
    assert_eq!(answer.await.unwrap().status(), StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_comes_too_slowly_is_ended() {
    for (bytes, wanted) in
        [(1, StatusCode::REQUEST_TIMEOUT), (15 * KIB, StatusCode::REQUEST_TIMEOUT), (17 * KIB, StatusCode::OK)]
    {
        let (_, house) = house(Limits {
            webhook_bytes: 1024 * KIB,
            all_bytes: 1024 * KIB,
            grace: Duration::from_secs(1),
            ..limits()
        });
        let (sender, answer) = begun(&house, None, "x-any");
        let started = Instant::now();
        sender.send(whole("slow", bytes)).unwrap();
        for _ in 0..20 {
            tokio::time::sleep(Duration::from_secs(1)).await;
            // Whoever was ended does not listen any more.
            drop(sender.send(vec![b' '; bytes]));
        }
        drop(sender);
        assert_eq!(answer.await.unwrap().status(), wanted, "{bytes} bytes a second");
        assert_eq!(started.elapsed().as_secs(), 20);
    }
}

#[tokio::test(start_paused = true)]
async fn a_head_that_proves_nothing_is_answered_before_its_body() {
    let (_, house) = house(limits());
    let started = Instant::now();
    let (_sender, answer) = begun(&house, Some(100), "x-unsigned");
    assert_eq!(answer.await.unwrap().status(), StatusCode::UNAUTHORIZED);
    assert_eq!(started.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn room_is_given_back_whatever_becomes_of_a_body() {
    let (_, house) = house(Limits { all_bytes: 128 * KIB, ..limits() });
    for (said, sent) in [(Some(128 * KIB), 64 * KIB), (None, 129 * KIB), (None, 128 * KIB)] {
        let (sender, answer) = begun(&house, said, "x-any");
        sender.send(whole("one", sent)).unwrap();
        if said.is_none() {
            drop(sender);
            answer.await.unwrap();
        } else {
            tokio::task::yield_now().await;
            answer.abort();
            assert!(answer.await.is_err(), "the connection went away");
        }
        assert_eq!(house.room.0.available_permits(), 128, "{said:?} {sent}");
    }
}
