//! Counts for Prometheus, in its text form. Numbers of this process since its start, and of the record as it
//! stands when it is asked.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

use crate::house::House;

macro_rules! counted {
    ($(#[$doc:meta])* $name:ident { $($what:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($what),+ }
        impl $name {
            const WORDS: &[(Self, &'static str)] = &[$((Self::$what, $word)),+];
        }
    };
}

counted! {
    /// What became of a webhook.
    Came {
        Proven = "proven",
        Unproven = "unproven",
        Known = "known",
        Refused = "refused",
        Undecided = "undecided",
        Unexpected = "unexpected",
        Failed = "failed",
    }
}

counted! {
    /// What became of an event.
    Event {
        Added = "added",
        Updated = "updated",
        Unchanged = "unchanged",
        Rejected = "rejected",
        Unreadable = "unreadable",
        Refused = "refused",
    }
}

/// Upper ends of the buckets, in microseconds, and as Prometheus writes them in seconds.
const LATENCIES: [(u64, &str); 10] = [
    (1_000, "0.001"),
    (2_500, "0.0025"),
    (5_000, "0.005"),
    (10_000, "0.01"),
    (25_000, "0.025"),
    (50_000, "0.05"),
    (100_000, "0.1"),
    (250_000, "0.25"),
    (1_000_000, "1"),
    (10_000_000, "10"),
];

/// Counts of this process.
#[derive(Debug, Default)]
pub struct Metrics {
    webhooks: [AtomicU64; Came::WORDS.len()],
    events: [AtomicU64; Event::WORDS.len()],
    latencies: [AtomicU64; LATENCIES.len()],
    latency_count: AtomicU64,
    latency_micros: AtomicU64,
    groups: AtomicU64,
    grouped: AtomicU64,
}

impl Metrics {
    pub fn webhook(&self, came: Came, took: Duration) {
        count(&self.webhooks, came as usize, 1);
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        for (bucket, (end, _)) in self.latencies.iter().zip(LATENCIES) {
            if micros <= end {
                bucket.fetch_add(1, Ordering::Relaxed);
            }
        }
        self.latency_count.fetch_add(1, Ordering::Relaxed);
        self.latency_micros.fetch_add(micros, Ordering::Relaxed);
    }

    pub fn event(&self, what: Event, events: u64) {
        count(&self.events, what as usize, events);
    }

    /// Deliveries that are kept by one commit.
    pub fn group(&self, deliveries: usize) {
        self.groups.fetch_add(1, Ordering::Relaxed);
        self.grouped.fetch_add(u64::try_from(deliveries).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// The counts of this process as Prometheus reads them.
    fn text(&self, waiting: usize) -> String {
        let mut text = Text::default();
        text.head("makegood_webhooks_total", "counter", "Webhooks by what became of them.");
        for ((_, word), number) in Came::WORDS.iter().zip(&self.webhooks) {
            text.line("makegood_webhooks_total", &format!("{{outcome=\"{word}\"}}"), of(number));
        }
        text.head("makegood_webhook_seconds", "histogram", "From the head of a webhook to its answer.");
        for (bucket, (_, end)) in self.latencies.iter().zip(LATENCIES) {
            text.line("makegood_webhook_seconds_bucket", &format!("{{le=\"{end}\"}}"), of(bucket));
        }
        text.line("makegood_webhook_seconds_bucket", "{le=\"+Inf\"}", of(&self.latency_count));
        text.seconds("makegood_webhook_seconds_sum", of(&self.latency_micros));
        text.line("makegood_webhook_seconds_count", "", of(&self.latency_count));
        text.head("makegood_deliveries_waiting", "gauge", "Deliveries that wait for their commit.");
        text.line("makegood_deliveries_waiting", "", u64::try_from(waiting).unwrap_or(u64::MAX));
        text.head("makegood_commits_total", "counter", "Commits that kept deliveries.");
        text.line("makegood_commits_total", "", of(&self.groups));
        text.head("makegood_committed_deliveries_total", "counter", "Deliveries in those commits.");
        text.line("makegood_committed_deliveries_total", "", of(&self.grouped));
        text.head("makegood_events_total", "counter", "Events of the platform by what became of them.");
        for ((_, word), number) in Event::WORDS.iter().zip(&self.events) {
            text.line("makegood_events_total", &format!("{{outcome=\"{word}\"}}"), of(number));
        }
        text.0
    }
}

fn count(counts: &[AtomicU64], place: usize, number: u64) {
    if let Some(count) = counts.get(place) {
        count.fetch_add(number, Ordering::Relaxed);
    }
}

fn of(number: &AtomicU64) -> u64 {
    number.load(Ordering::Relaxed)
}

#[derive(Default)]
struct Text(String);

impl Text {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        self.put(format_args!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
    }

    fn line(&mut self, name: &str, labels: &str, value: u64) {
        self.put(format_args!("{name}{labels} {value}\n"));
    }

    fn seconds(&mut self, name: &str, micros: u64) {
        self.put(format_args!("{name} {}.{:06}\n", micros / 1_000_000, micros % 1_000_000));
    }

    fn put(&mut self, line: std::fmt::Arguments<'_>) {
        // Writing to a text cannot fail.
        if self.0.write_fmt(line).is_err() {
            tracing::error!("a metric could not be written");
        }
    }
}

/// `GET /metrics`.
pub async fn show(State(house): State<Arc<House>>) -> Response {
    let mut text = Text(house.metrics.text(house.gather.waiting()));
    let now = house.clock.now();
    let up = match house.store.promise(now).await {
        Ok(promise) => {
            let age = promise.oldest_open.map_or(0, |at| now.duration_since(at).as_secs().max(0));
            text.head("makegood_open_charges", "gauge", "Charges with an item that is neither delivered nor restored.");
            text.line("makegood_open_charges", "", promise.open_charges);
            text.head(
                "makegood_oldest_open_charge_seconds",
                "gauge",
                "Age of the oldest of them; the promise is 24 hours.",
            );
            text.line("makegood_oldest_open_charge_seconds", "", age.unsigned_abs());
            text.head("makegood_parked_charges", "gauge", "Of them, those that are for people to settle.");
            text.line("makegood_parked_charges", "", promise.parked);
            endpoints(&house, &mut text).await
        }
        Err(why) => {
            tracing::warn!(%why, "the record has no numbers");
            false
        }
    };
    text.head("makegood_record_up", "gauge", "Whether the record answered for this page.");
    text.line("makegood_record_up", "", u64::from(up));
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    ([(header::CONTENT_TYPE, kind)], text.0).into_response()
}

async fn endpoints(house: &House, text: &mut Text) -> bool {
    let Ok(endpoints) = house.store.endpoints().await else { return false };
    text.head("makegood_letters_waiting", "gauge", "Letters to the platform that are on their way.");
    for row in &endpoints {
        text.line("makegood_letters_waiting", &label(&row.name), row.waiting);
    }
    text.head("makegood_endpoint_disabled", "gauge", "Whether an endpoint of the platform is not told any more.");
    for row in &endpoints {
        text.line("makegood_endpoint_disabled", &label(&row.name), u64::from(row.disabled_at.is_some()));
    }
    true
}

/// A label as Prometheus wants it.
fn label(name: &str) -> String {
    format!("{{endpoint=\"{}\"}}", name.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_written_as_prometheus_reads_them() {
        let metrics = Metrics::default();
        metrics.webhook(Came::Proven, Duration::from_micros(1_500));
        metrics.webhook(Came::Refused, Duration::from_secs(11));
        metrics.event(Event::Added, 3);
        metrics.group(8);
        let text = metrics.text(5);
        for line in [
            "makegood_webhooks_total{outcome=\"proven\"} 1",
            "makegood_webhooks_total{outcome=\"known\"} 0",
            "makegood_webhook_seconds_bucket{le=\"0.001\"} 0",
            "makegood_webhook_seconds_bucket{le=\"0.0025\"} 1",
            "makegood_webhook_seconds_bucket{le=\"10\"} 1",
            "makegood_webhook_seconds_bucket{le=\"+Inf\"} 2",
            "makegood_webhook_seconds_sum 11.001500",
            "makegood_deliveries_waiting 5",
            "makegood_committed_deliveries_total 8",
            "makegood_events_total{outcome=\"added\"} 3",
        ] {
            assert!(text.lines().any(|have| have == line), "{line} is not in\n{text}");
        }
        assert_eq!(label("a\"b\\c\nd"), "{endpoint=\"a\\\"b\\\\c\\nd\"}");
    }
}
