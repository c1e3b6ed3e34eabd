//! Whether a 404 without a word may be believed. Credits go back in the pass that learns that a job is not found, so
//! that a proxy which answers 404 by itself, or a gateway that leads nowhere, must not be taken for a provider.
//!
//! What was asked twice and answered twice with nothing is believed only where the provider itself answers at the same
//! address, in the same moment: with a success, in JSON that its adapter reads. The question by which a key is checked
//! is no such witness for most providers. It is about a job that can't exist; a provider that words its answer to that
//! would have worded this one too, and a proxy says nothing to both alike. So a list of the last minute is asked for,
//! or the account; and the job once more after that, since of several machines behind one address only some may be
//! broken. Providers that have neither ([`Protocol::witness`] says `None`) are not believed without a word:
//! their jobs wait for hour 24, as if nobody had answered.

use jiff::SignedDuration;
use makegood_domain::ports::{JobWindow, RawAnswer};
use makegood_domain::work::JobState;
use serde_json::Value;
use url::{Origin, Url};

use super::inquiry::Inquiry;
use super::protocol::{Adapter, Protocol};
use super::reading::{Cause, Reading, body_of};

/// Jobs of so long before now are listed.
const LISTED: SignedDuration = SignedDuration::from_mins(1);

impl Adapter {
    /// The same reading, or, where it found nothing without a word and the provider answers otherwise, *not found*.
    pub(super) async fn witnessed(&self, inquiry: &mut Inquiry<'_>, reading: Reading) -> Reading {
        let is_open = reading.state == JobState::LookupFailed && reading.cause == Some(Cause::Wordless);
        if !is_open || inquiry.hasty {
            return reading;
        }
        // The job itself is asked about first.
        let place = inquiry.raw.first().and_then(origin);
        let before = inquiry.raw.len();
        // Whoever is there answers at once; there is another look in a while.
        inquiry.hasty = true;
        let answered = self.protocol.witness(inquiry).await;
        inquiry.hasty = false;
        let is_there = |raw: &RawAnswer| (200..300).contains(&raw.status) && origin(raw) == place;
        let is_witnessed = answered == Some(true) && inquiry.raw.iter().skip(before).any(is_there);
        let said = reading.error.clone().unwrap_or_default();
        if answered.is_none() {
            return reading.saying(format!("{said}, and there is no other question that would tell"));
        }
        if !is_witnessed {
            return reading.saying(format!("{said}, and it does not answer otherwise"));
        }
        inquiry.wait_a_moment().await;
        let again = self.protocol.read(inquiry).await.unwrap_or_else(Reading::from);
        let again = inquiry.believed(again);
        if again.state != JobState::LookupFailed || again.cause != Some(Cause::Wordless) {
            return again;
        }
        Reading { state: JobState::NotFound, ..again }.saying(format!("{said}; it answers otherwise"))
    }
}

/// Whether the list of the last minute was answered.
pub async fn lists<P: Protocol + ?Sized>(protocol: &P, inquiry: &mut Inquiry<'_>) -> bool {
    let Some(until) = inquiry.now else { return false };
    let since = until.checked_sub(LISTED).unwrap_or(until);
    let (run_id, locator) = (inquiry.job.run_id.clone(), inquiry.job.locator.clone());
    let listed = protocol.list(inquiry, &JobWindow { run_id, locator, since, until }).await;
    listed.is_ok_and(|list| list.why.is_none() || !list.jobs.is_empty())
}

/// What an account tells of itself below the base: whether it was answered, with a number in this field.
pub async fn tells(inquiry: &mut Inquiry<'_>, path: &[&str], field: &str) -> bool {
    let Ok(url) = inquiry.address(path.iter().copied()) else { return false };
    let account = inquiry.ask(&url).await.and_then(|answer| body_of::<Value>(answer.status, &answer.body));
    account.is_ok_and(|account| account[field].is_number())
}

fn origin(raw: &RawAnswer) -> Option<Origin> {
    Url::parse(&raw.url).ok().map(|url| url.origin())
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use makegood_domain::ports::{JobRef, KeyVerdict};
    use makegood_testkit::{Reply, Server};
    use serde_json::json;

    use super::*;
    use crate::providers::subject::{connect, connect_with};
    use crate::providers::{ADAPTERS, ProviderSettings};

    fn job(provider: &str, id: &str, locator: Option<&str>) -> JobRef {
        JobRef {
            provider_id: provider.into(),
            job_id: id.into(),
            run_id: "run_1".into(),
            locator: locator.map(str::to_owned),
            requested_items: 1,
            submitted_at: Timestamp::UNIX_EPOCH,
        }
    }

    /// A proxy that says 404 to everything is nobody's provider, whatever else it is asked.
    #[tokio::test]
    async fn who_answers_nothing_to_every_question_is_no_provider() {
        for protocol in ADAPTERS.iter().filter(|protocol| protocol.facts().capability.look_up) {
            let facts = protocol.facts();
            for body in ["", "404 page not found\n"] {
                let server = Server::start().await.expect("a port");
                server.otherwise(Reply::new(404, "text/plain", body));
                let port = connect(facts.adapter, server.base()).port;
                let nobody = protocol.no_such_job();
                let job = job(facts.adapter, nobody.id, nobody.locator);
                let found = port.find_job(&job, Timestamp::UNIX_EPOCH).await.job;
                assert_eq!((found.state, found.items.len()), (JobState::LookupFailed, 0), "{}: {found:?}", facts.name);
                assert!(!server.seen().is_empty(), "{} was asked", facts.name);
                let check = port.check(Timestamp::UNIX_EPOCH).await;
                assert_ne!(check.verdict, KeyVerdict::Accepted, "{}", facts.name);
            }
        }
    }

    /// An answer at another address than the job's shows nothing of who stands before that one.
    #[tokio::test]
    async fn who_answers_elsewhere_is_no_witness() {
        const HISTORY: &str = "/v1/models/requests/by-endpoint";
        for (is_elsewhere, want) in [(false, JobState::NotFound), (true, JobState::LookupFailed)] {
            let (queue, other) = (Server::start().await.expect("a port"), Server::start().await.expect("a port"));
            let history = if is_elsewhere { &other } else { &queue };
            queue.otherwise(Reply::new(404, "text/plain", ""));
            // Nothing to be had of the job by its id; and then a list.
            let list = json!({"items": [], "has_more": false});
            history.on(HISTORY, [Reply::json(404, &json!({"detail": "no"})), Reply::json(200, &list)]);
            let connected = connect_with(ProviderSettings {
                base_url: Some(queue.base().to_owned()),
                history_url: Some(format!("{}/v1", history.base())),
                ..ProviderSettings::new("fal", "fal")
            });
            let job = job("fal", "r", Some("acme/painter/fast"));
            let found = connected.port.find_job(&job, Timestamp::UNIX_EPOCH).await.job;
            assert_eq!(found.state, want, "elsewhere: {is_elsewhere}: {found:?}");
        }
    }
}
