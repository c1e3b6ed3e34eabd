//! Whether a provider takes our key, told from its answer about a job that can't exist: *not found*
//! is what a provider says that has let us in. Nothing is made, changed or paid for.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use makegood_domain::ids::{JobId, RunId};
use makegood_domain::ports::{JobRef, JobWindow, KeyCheck, KeyVerdict};
use makegood_domain::work::JobState;

use crate::http::HttpError;

use super::inquiry::Inquiry;
use super::protocol::Adapter;
use super::reading::{Cause, Reading};

/// Jobs of so long before now are listed where a provider can't be asked about one.
const LISTED: SignedDuration = SignedDuration::from_mins(1);

/// A job that can't exist, in the form of a provider's ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoSuchJob {
    pub id: &'static str,
    pub locator: Option<&'static str>,
}

impl Default for NoSuchJob {
    fn default() -> Self {
        Self { id: "00000000-0000-4000-8000-000000000000", locator: None }
    }
}

impl Adapter {
    pub(super) async fn check_key(&self, now: Timestamp) -> KeyCheck {
        let facts = self.protocol.facts();
        if !self.http.has_key() {
            return KeyCheck::not_asked("There is no key to be asked about.");
        }
        if !facts.capability.look_up && !facts.capability.list_by_time {
            let name = facts.name;
            return KeyCheck::not_asked(format!(
                "{name} keeps no jobs that could be asked about: only a new, paid request would tell."
            ));
        }
        let nobody = self.protocol.no_such_job();
        let job = JobRef {
            provider_id: self.id.clone(),
            job_id: JobId::new(nobody.id),
            run_id: RunId::new(""),
            locator: nobody.locator.map(str::to_owned),
            requested_items: 1,
            submitted_at: now,
        };
        let mut inquiry = Inquiry { hasty: true, ..self.inquiry(&job, Some(now)) };
        let begun = self.http.fare().now;
        let reading = if facts.capability.look_up {
            let read = self.protocol.read(&mut inquiry).await.unwrap_or_else(Reading::from);
            inquiry.believed(read)
        } else {
            self.listed(&mut inquiry, &job, now).await
        };
        let took = self.http.fare().now.saturating_sub(begun);
        let (verdict, words) = if inquiry.raw.is_empty() {
            (KeyVerdict::NotAsked, sentence(reading.error.as_deref().unwrap_or("there was nothing to ask")))
        } else {
            judged(facts.name, &reading, inquiry.unanswered.as_ref())
        };
        if verdict == KeyVerdict::Accepted {
            self.http.note_key_taken();
        }
        let words = self.http.shown(&words);
        KeyCheck { verdict, words, took: signed(took), raw: inquiry.raw }
    }

    /// The jobs of the last minute: a list that comes, empty or not, was given to the key.
    async fn listed(&self, inquiry: &mut Inquiry<'_>, job: &JobRef, now: Timestamp) -> Reading {
        let since = now.checked_sub(LISTED).unwrap_or(now);
        let window = JobWindow { run_id: job.run_id.clone(), locator: job.locator.clone(), since, until: now };
        match self.protocol.list(inquiry, &window).await {
            Ok(list) => match list.why {
                Some(why) if list.jobs.is_empty() => Reading::of(JobState::LookupFailed).saying(why),
                _ => Reading::of(JobState::NotFound),
            },
            Err(unread) => unread.into(),
        }
    }
}

/// What an answer about nobody's job says of the key.
fn judged(name: &str, reading: &Reading, unanswered: Option<&HttpError>) -> (KeyVerdict, String) {
    let said = reading.error.as_deref().unwrap_or("no reason was given");
    if let Some(error) = unanswered {
        return match error {
            HttpError::NotNow { .. } | HttpError::Refused(_) | HttpError::Client(_) => {
                (KeyVerdict::NotAsked, sentence(&error.to_string()))
            }
            HttpError::NoToken(_) => (KeyVerdict::AuthError, sentence(&error.to_string())),
            HttpError::TooLong(_) | HttpError::Redirects(_) => (KeyVerdict::Unclear, sentence(&error.to_string())),
            HttpError::Unreachable(_) | HttpError::Silent(_) | HttpError::Cut(_) => {
                (KeyVerdict::Unreachable, format!("{name} could not be asked: {error}."))
            }
        };
    }
    match reading.cause {
        Some(Cause::KeyRefused) => (KeyVerdict::AuthError, sentence(said)),
        Some(Cause::TooOften) => (KeyVerdict::RateLimited, sentence(said)),
        Some(Cause::Passing | Cause::PassingOrFailed) => (KeyVerdict::Faulty, format!("{name} answered: {said}.")),
        Some(Cause::Wordless) => {
            (KeyVerdict::Unclear, format!("{name} may have answered, or somebody in between: {said}."))
        }
        Some(Cause::Refused | Cause::GoneOrWrongKey | Cause::Retired) => {
            (KeyVerdict::Unclear, format!("{name} did not take the question: {said}."))
        }
        None => match reading.state {
            JobState::NotFound => (
                KeyVerdict::Accepted,
                format!("{name} looked for a job that can't exist, and said that it is not there."),
            ),
            JobState::Unrecognised | JobState::LookupFailed => {
                (KeyVerdict::Unclear, format!("{name} answered in a way that is not understood: {said}."))
            }
            _ => (KeyVerdict::Accepted, format!("{name} answered about a job that can't exist.")),
        },
    }
}

/// As a sentence of its own.
fn sentence(text: &str) -> String {
    let mut letters = text.trim_end_matches('.').chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

pub(super) fn signed(time: Duration) -> SignedDuration {
    SignedDuration::try_from(time).unwrap_or(SignedDuration::MAX)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use makegood_domain::ports::{KeyVerdict, LeftAlone};
    use makegood_testkit::{Reply, Server};
    use serde_json::json;

    use super::*;
    use crate::providers::subject::{connect, connect_with};
    use crate::providers::{ADAPTERS, ProviderSettings, adapters};

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn reply(status: u16) -> Reply {
        Reply::json(status, &json!({"detail": "as the provider says"}))
    }

    /// Every adapter, whatever its paths: each question gets the same reply.
    async fn asked(adapter: &str, reply: Reply) -> (KeyCheck, Arc<dyn makegood_domain::ports::ProviderPort>) {
        let server = Server::start().await.expect("a port");
        server.otherwise(reply);
        let port = connect(adapter, server.base()).port;
        (port.check(NOW).await, port)
    }

    #[tokio::test]
    async fn every_adapter_tells_a_key_that_is_taken_from_one_that_is_not() {
        for protocol in ADAPTERS {
            let facts = protocol.facts();
            if !facts.capability.look_up {
                continue;
            }
            let (refused, _) = asked(facts.adapter, reply(401)).await;
            assert_eq!(refused.verdict, KeyVerdict::AuthError, "{}: {}", facts.adapter, refused.words);
            let (taken, _) = asked(facts.adapter, reply(404)).await;
            assert_eq!(taken.verdict, KeyVerdict::Accepted, "{}: {}", facts.adapter, taken.words);
            let (often, _) = asked(facts.adapter, reply(429)).await;
            assert_eq!(often.verdict, KeyVerdict::RateLimited, "{}: {}", facts.adapter, often.words);
            let (broken, _) = asked(facts.adapter, reply(503)).await;
            assert_eq!(broken.verdict, KeyVerdict::Faulty, "{}: {}", facts.adapter, broken.words);
        }
    }

    #[tokio::test]
    async fn whoever_waits_gets_the_first_answer() {
        let server = Server::start().await.expect("a port");
        server.otherwise(reply(503));
        let port = connect("replicate", server.base()).port;
        port.check(NOW).await;
        assert_eq!(server.seen().len(), 1, "no second try");
        assert_eq!(port.health().retries_left, port.health().retries_max, "nothing of the budget is spent");
    }

    #[tokio::test]
    async fn what_was_answered_is_kept_as_health() {
        let (_, port) = asked("replicate", reply(404)).await;
        let last = port.health().last.expect("an answer");
        assert_eq!((last.status, last.why.as_str()), (Some(404), ""));
        let (_, port) = asked("replicate", reply(429).header("retry-after", "120")).await;
        let health = port.health();
        assert_eq!(health.left_alone, Some((LeftAlone::Asked, SignedDuration::from_secs(120))));
        port.reset();
        assert_eq!(port.health().left_alone, health.left_alone, "a wish of the provider stays");
        let again = port.check(NOW).await;
        assert_eq!(again.verdict, KeyVerdict::NotAsked, "{}", again.words);
        assert!(again.words.contains("for another 120 s"), "{}", again.words);
    }

    #[tokio::test]
    async fn nobody_there_is_unreachable_and_five_times_opens_the_breaker_until_it_is_reset() {
        let base = {
            let gone = Server::start().await.expect("a port");
            gone.base().to_owned()
        };
        let port = connect("replicate", &base).port;
        for _ in 0..5 {
            let check = port.check(NOW).await;
            assert_eq!(check.verdict, KeyVerdict::Unreachable, "{}", check.words);
        }
        assert_eq!(port.health().left_alone, Some((LeftAlone::Failing, SignedDuration::from_secs(20))));
        assert_eq!(port.check(NOW).await.verdict, KeyVerdict::NotAsked);
        port.reset();
        assert_eq!(port.health().left_alone, None);
        assert_eq!(port.check(NOW).await.verdict, KeyVerdict::Unreachable, "it is asked again");
    }

    #[tokio::test]
    async fn without_a_key_nobody_is_asked() {
        let server = Server::start().await.expect("a port");
        server.otherwise(reply(404));
        for adapter in adapters() {
            let base_url = Some(server.base().to_owned());
            let settings = ProviderSettings { base_url, ..ProviderSettings::new("bare", adapter) };
            let check = crate::providers::subject::connect_bare(&settings).check(NOW).await;
            assert_eq!(check.verdict, KeyVerdict::NotAsked, "{adapter}: {}", check.words);
        }
        assert_eq!(server.seen().len(), 0);
    }

    #[tokio::test]
    async fn the_key_is_in_no_word() {
        let key = makegood_testkit::conformance::KEY;
        let server = Server::start().await.expect("a port");
        server.otherwise(Reply::json(401, &json!({"detail": format!("{key} is no key of ours")})));
        let settings = ProviderSettings {
            base_url: Some(server.base().to_owned()),
            ..ProviderSettings::new("conforming", "replicate")
        };
        let check = connect_with(settings).port.check(NOW).await;
        assert!(!check.words.contains(key) && check.words.contains("[key] is no key"), "{}", check.words);
        assert!(check.raw.iter().all(|answer| !answer.body.contains(key)));
    }
}
