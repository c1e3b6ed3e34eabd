//! What a webhook costs: `cargo bench --no-default-features --bench serve [-- SECONDS]`.
//!
//! Eight clients on loopback send signed webhooks about known jobs; each is verified and stored durably on
//! PostgreSQL before it is answered. In turn with it, in the same run, the same requests to a bare handler that
//! reads the body and says 200. Then the server at half of the target rate, for its latencies. Asserts nothing;
//! the targets stand beside the figures.

#![expect(clippy::expect_used, reason = "a measurement that cannot be made has failed")]

mod client;
mod house;

use std::sync::atomic::Ordering;
use std::time::Duration;

use client::{Measured, Pace};

/// Rounds of a comparison; the median counts.
const ROUNDS: usize = 3;
/// Webhooks a second that are wanted.
const TARGET: u32 = 2_000;

fn main() {
    let seconds = std::env::args().skip(1).find_map(|word| word.parse().ok()).unwrap_or(10);
    let length = Duration::from_secs(seconds);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(measure(length));
}

async fn measure(length: Duration) {
    let house = house::House::open().await;
    let (mut stored, mut bare) = (Vec::new(), Vec::new());
    client::run(house.door, "warm", Pace::AsFastAsAnswered, length / 4).await;
    for round in 0..ROUNDS {
        stored.push(client::run(house.door, &format!("r{round}"), Pace::AsFastAsAnswered, length).await);
        bare.push(client::run(house.bare, &format!("b{round}"), Pace::AsFastAsAnswered, length).await);
    }
    let (stored, bare) = (median(&stored), median(&bare));
    println!(
        "verified webhooks stored durably on PostgreSQL, {} clients: {stored:.0} a second (target {TARGET})",
        client::CLIENTS
    );
    println!("the same requests to a bare handler: {bare:.0} a second; ratio {:.3}", stored / bare);
    let half = client::run(house.door, "half", Pace::PerSecond(TARGET / 2), length).await;
    println!(
        "at {} a second ({:.0} were reached): p50 {:.1} ms, p99 {:.1} ms (target 50), worst {:.1} ms",
        TARGET / 2,
        half.rate(),
        half.millis(0.50),
        half.millis(0.99),
        half.millis(1.0)
    );
    let kept = house.kept().await;
    println!("answered 2xx: {}; in the record: {kept}", client::ANSWERED.load(Ordering::Relaxed));
}

fn median(rounds: &[Measured]) -> f64 {
    let mut rates: Vec<f64> = rounds.iter().map(Measured::rate).collect();
    rates.sort_by(f64::total_cmp);
    rates.get(rates.len() / 2).copied().unwrap_or_default()
}
