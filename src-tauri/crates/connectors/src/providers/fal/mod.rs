//! fal: the queue at `queue.fal.run`, and the request history of its platform API where the queue
//! no longer knows a request.

pub mod map;
mod wire;

#[cfg(test)]
mod tests;

use async_trait::async_trait;
use makegood_domain::ports::Capability;
use makegood_domain::work::JobState;
use url::Url;

use super::inquiry::below;
use super::{Facts, Inquiry, Pieces, Protocol, Reading, Unread};

static FACTS: Facts = Facts {
    adapter: "fal",
    name: "fal",
    docs_url: "https://docs.fal.ai/model-apis/model-endpoints/queue",
    key_hint: "A key of the account that made the requests; the request history may want an admin key",
    base_url: "https://queue.fal.run",
    file_hosts: &["fal.media"],
    key_header: "authorization",
    key_scheme: "Key ",
    key_with_files: false,
    headers: &[],
    capability: Capability {
        look_up: true,
        list_by_time: false,
        cost: false,
        cancel: false,
        webhook: false,
        gives_expiry: false,
    },
    delay_in: |_| None,
};

/// The protocol. The job's id is the request's, its locator the endpoint that was called, or one of
/// the addresses that fal gave at submission.
#[derive(Clone, Copy, Debug)]
pub struct Fal;

#[async_trait]
impl Protocol for Fal {
    fn facts(&self) -> &'static Facts {
        &FACTS
    }

    fn history_url(&self) -> Option<&'static str> {
        Some("https://api.fal.ai/v1")
    }

    async fn read(&self, inquiry: &mut Inquiry<'_>) -> Result<Reading, Unread> {
        let path = inquiry.job.locator.as_deref().and_then(map::request_path);
        let path = path.ok_or_else(|| Unread::unanswered("fal is asked by endpoint, and the run keeps none"))?;
        let request = path.iter().map(String::as_str).chain(["requests", inquiry.job.job_id.as_str()]);
        let result_url = inquiry.address(request.clone())?;
        let status_url = inquiry.address(request.chain(["status"]))?;
        let answer = inquiry.ask_twice(&status_url).await?;
        match map::status(answer.status, &answer.body) {
            map::Status::Settled(reading) if reading.state == JobState::NotFound => {
                Ok(from_history(inquiry).await.unwrap_or(reading))
            }
            map::Status::Settled(reading) => Ok(reading),
            map::Status::AskResult => result_of(inquiry, &result_url).await,
        }
    }
}

/// The result of a request that ended. Where it is no longer there, the request has succeeded or
/// failed all the same: only the history can still tell.
async fn result_of(inquiry: &mut Inquiry<'_>, url: &Url) -> Result<Reading, Unread> {
    let answer = inquiry.ask_twice(url).await?;
    let guard = inquiry.http.guard();
    let reading = map::result(answer.status, &answer.body, &|text| is_file(guard, text));
    if reading.state != JobState::NotFound {
        return Ok(reading);
    }
    Ok(from_history(inquiry).await.unwrap_or_else(|| {
        Reading { pieces: Pieces::Gone, ..Reading::of(JobState::Succeeded) }
            .saying("fal says that the request ended, and no longer has its result")
    }))
}

/// Asks the platform's history, which keeps requests for months and payloads for weeks.
async fn from_history(inquiry: &mut Inquiry<'_>) -> Option<Reading> {
    let endpoint = inquiry.job.locator.as_deref().filter(|locator| !locator.contains("://"))?;
    let mut url = below(inquiry.history?, ["models", "requests", "by-endpoint"]).ok()?;
    url.query_pairs_mut()
        .append_pair("endpoint_id", endpoint.trim_matches('/'))
        .append_pair("request_id", inquiry.job.job_id.as_str())
        .append_pair("expand", "payloads");
    let guard = inquiry.http.guard();
    let id = &inquiry.job.job_id;
    let answer = inquiry.ask(&url).await.ok()?;
    map::history(answer.status, &answer.body, id, &|text| is_file(guard, text))
}

/// Addresses of files, and files that come inside the answer.
fn is_file(guard: &crate::http::Guard, text: &str) -> bool {
    text.starts_with("data:") || guard.read(text).is_ok()
}
