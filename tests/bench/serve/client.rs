//! Clients: one connection each, one request after the other, signed anew each time.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use makegood::clock::SystemClock;
use makegood_connectors::webhooks::{Secret, sign};
use makegood_domain::ports::Clock as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::house::{JOBS, SECRET};

pub const CLIENTS: usize = 8;

/// All webhooks to the door that were answered 2xx, in all rounds.
pub static ANSWERED: AtomicU64 = AtomicU64::new(0);

/// When the next request is sent.
#[derive(Clone, Copy)]
pub enum Pace {
    AsFastAsAnswered,
    /// By the clock, whether earlier ones were answered or not: what waits counts as waiting.
    PerSecond(u32),
}

/// What a round came to.
pub struct Measured {
    took: Duration,
    /// Of each request, sorted.
    latencies: Vec<Duration>,
}

impl Measured {
    pub fn rate(&self) -> f64 {
        self.latencies.len() as f64 / self.took.as_secs_f64()
    }

    pub fn millis(&self, part: f64) -> f64 {
        let last = self.latencies.len().saturating_sub(1);
        let place = (last as f64 * part).round() as usize;
        self.latencies.get(place).map_or(0.0, |latency| latency.as_secs_f64() * 1000.0)
    }
}

pub async fn run(address: SocketAddr, round: &str, pace: Pace, length: Duration) -> Measured {
    let number = Arc::new(AtomicU64::new(0));
    let started = Instant::now();
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| tokio::spawn(send(address, round.to_owned(), pace, started, length, Arc::clone(&number))))
        .collect();
    let mut latencies = Vec::new();
    for client in clients {
        latencies.extend(client.await.expect("a client ended well"));
    }
    latencies.sort();
    Measured { took: started.elapsed(), latencies }
}

async fn send(
    address: SocketAddr,
    round: String,
    pace: Pace,
    started: Instant,
    length: Duration,
    number: Arc<AtomicU64>,
) -> Vec<Duration> {
    let secret = [Secret::standard(SECRET).expect("a secret")];
    let mut stream = TcpStream::connect(address).await.expect("connected");
    stream.set_nodelay(true).expect("sent at once");
    let mut latencies = Vec::new();
    while started.elapsed() < length {
        let number = number.fetch_add(1, Ordering::Relaxed);
        let due = match pace {
            Pace::AsFastAsAnswered => Instant::now(),
            Pace::PerSecond(rate) => {
                started + Duration::from_secs(1) / rate * u32::try_from(number).unwrap_or(u32::MAX)
            }
        };
        tokio::time::sleep_until(due.into()).await;
        let request = request(&secret, &format!("{round}-{number}"), number);
        stream.write_all(&request).await.expect("sent");
        assert_eq!(answer(&mut stream).await, 200);
        latencies.push(due.elapsed());
    }
    latencies
}

/// A prediction with some of its fields, 700 bytes.
fn request(secret: &[Secret], id: &str, number: u64) -> Vec<u8> {
    let job = number % JOBS + 1;
    let body = format!(
        r#"{{"id":"job_run_{job}","delivery":"{id}","model":"maker/model","version":"5c7d5dc6dd8bf75c1acaa8565735e7986bc5b66206b55cca93cb72c9bf15ccaa","input":{{"prompt":"{prompt}","seed":{number}}},"logs":"","error":null,"status":"succeeded","output":["https://delivery.example/{id}/out-0.webp"],"metrics":{{"predict_time":4.18}},"created_at":"2026-11-23T05:45:00.265Z","started_at":"2026-11-23T05:45:00.612Z","completed_at":"2026-11-23T05:45:04.791Z"}}"#,
        prompt = "a lighthouse on a cliff in the evening, seen from the sea, ".repeat(3),
    );
    let mut head = "POST /webhooks/replicate HTTP/1.1\r\nhost: door\r\ncontent-type: application/json\r\n".to_owned();
    for (name, value) in sign(secret, id, body.as_bytes(), SystemClock.now()) {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    format!("{head}content-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

/// Reads an answer whole; its status.
async fn answer(stream: &mut TcpStream) -> u16 {
    let mut got = Vec::with_capacity(512);
    loop {
        assert_ne!(stream.read_buf(&mut got).await.expect("an answer"), 0, "the connection ended");
        let Some(end) = got.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(got.get(..end).unwrap_or_default()).to_ascii_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse::<usize>().ok());
        if got.len() >= end + 4 + length.unwrap_or_default() {
            let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
            if head.contains("application/json") {
                ANSWERED.fetch_add(1, Ordering::Relaxed);
            }
            return status;
        }
    }
}
