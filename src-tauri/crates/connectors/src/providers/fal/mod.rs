//! fal: the queue at `queue.fal.run`, and the request history of its platform API where the queue
//! no longer knows a request.

pub mod documents;
pub mod map;
mod wire;

#[cfg(test)]
mod payloads;
#[cfg(test)]
mod tests;

use async_trait::async_trait;
use makegood_domain::ports::{Capability, JobList, JobWindow};
use makegood_domain::work::JobState;
use url::Url;

use super::inquiry::below;
use super::{
    Document, Explained, Facts, Inquiry, KeyPlace, NoSuchJob, PAGES_MAX, Pieces, Protocol, Reading, Unread, Word,
};

static FACTS: Facts = Facts {
    adapter: "fal",
    name: "fal",
    docs_url: "https://docs.fal.ai/model-apis/model-endpoints/queue",
    key_hint: "A key of the account that made the requests; the request history may want an admin key",
    base_url: "https://queue.fal.run",
    key: KeyPlace { header: "authorization", scheme: "Key ", with_files: false },
    headers: &[],
    capability: Capability {
        look_up: true,
        list_by_time: true,
        // `GET /models/billing-events?request_id=` of the platform: `cost_total` (the vendor's specification).
        cost: true,
        // `PUT …/requests/{id}/cancel` of the queue (docs.fal.ai).
        cancel: true,
        webhook: true,
        gives_expiry: false,
    },
    delay_in: |_| None,
    not_found: Word::ExpiredOrUnknown,
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

    fn no_such_job(&self) -> NoSuchJob {
        NoSuchJob { locator: Some("fal-ai/flux/dev"), ..NoSuchJob::default() }
    }

    /// Answers of the queue and of the platform, results, and deliveries: told apart by their shape,
    /// as all come from the same few addresses.
    fn explain(&self, document: &Document<'_>) -> Explained {
        documents::explain(&FACTS, document)
    }

    /// By endpoint, as the platform's history keeps it.
    async fn list(&self, inquiry: &mut Inquiry<'_>, window: &JobWindow) -> Result<JobList, Unread> {
        let history = inquiry.history.ok_or_else(|| Unread::refused("no address of fal's history is set"))?;
        let endpoint = window.locator.as_deref().filter(|locator| !locator.contains("://"));
        let endpoint = endpoint.ok_or_else(|| Unread::refused("fal lists by endpoint, and the run keeps none"))?;
        let mut list = JobList::default();
        let mut cursor = None;
        for _ in 0..PAGES_MAX {
            let mut url = below(history, ["models", "requests", "by-endpoint"])?;
            url.query_pairs_mut()
                .append_pair("endpoint_id", endpoint.trim_matches('/'))
                .append_pair("start", &window.since.to_string())
                .append_pair("end", &window.until.to_string())
                .append_pair("expand", "payloads")
                .append_pair("limit", "100")
                .extend_pairs(cursor.iter().map(|cursor: &String| ("cursor", cursor)));
            let answer = inquiry.ask(&url).await;
            let page = match answer.and_then(|answer| map::page(answer.status, &answer.body)) {
                Ok(page) => page,
                Err(unread) => return Ok(JobList { why: Some(unread.why), ..list }),
            };
            list.jobs.extend(page.jobs);
            if !page.is_whole {
                return Ok(JobList { why: Some("an entry of fal's history has no id".to_owned()), ..list });
            }
            cursor = page.next;
            if cursor.is_none() {
                return Ok(JobList { is_whole: true, ..list });
            }
        }
        Ok(JobList { why: Some(format!("only the first {PAGES_MAX} pages were read")), ..list })
    }

    async fn read(&self, inquiry: &mut Inquiry<'_>) -> Result<Reading, Unread> {
        let path = inquiry.job.locator.as_deref().and_then(map::request_path);
        let path = path.ok_or_else(|| Unread::unanswered("fal is asked by endpoint, and the run keeps none"))?;
        let request = path.iter().map(String::as_str).chain(["requests", inquiry.job.job_id.as_str()]);
        let result_url = inquiry.address(request.clone())?;
        let status_url = inquiry.address(request.chain(["status"]))?;
        let answer = inquiry.ask_twice(&status_url).await?;
        match map::status(answer.status, &answer.body) {
            map::Status::Settled(reading) if matches!(answer.status, 404 | 410) => forgotten(inquiry, reading).await,
            map::Status::Settled(reading) => Ok(reading),
            map::Status::AskResult => result_of(inquiry, &result_url).await,
        }
    }
}

/// A request that the queue answers with 404 or 410, whoever said so: the history still tells. It is another service at
/// another address, so that what it says holds whatever stands before the queue; a page of somebody's before the queue
/// is no word about the request all the same.
async fn forgotten(inquiry: &mut Inquiry<'_>, reading: Reading) -> Result<Reading, Unread> {
    Ok(match from_history(inquiry).await? {
        map::Kept::Told(told) => *told,
        map::Kept::Unlisted if reading.state == JobState::NotFound => reading,
        map::Kept::Unlisted if reading.is_missing() => {
            let said = reading.error.clone().unwrap_or_default();
            Reading { state: JobState::NotFound, ..reading }
                .saying(format!("{said}, and fal's history does not list it"))
        }
        map::Kept::Unlisted | map::Kept::Untold => reading,
    })
}

/// The result of a request that ended. Where it is no longer there, the request has succeeded or
/// failed all the same: only the history can still tell. Where not even that does, a 404 without a word is believed,
/// as the queue has just told of the request at the same address; a page is not.
async fn result_of(inquiry: &mut Inquiry<'_>, url: &Url) -> Result<Reading, Unread> {
    let answer = inquiry.ask_twice(url).await?;
    let guard = inquiry.http.guard();
    let reading = map::result(answer.status, &answer.body, &|text| is_file(guard, text));
    if !matches!(answer.status, 404 | 410) {
        return Ok(reading);
    }
    Ok(match from_history(inquiry).await? {
        map::Kept::Told(told) => *told,
        _ if reading.is_missing() => Reading { pieces: Pieces::Gone, ..Reading::of(JobState::Succeeded) }
            .saying("fal says that the request ended, and no longer has its result"),
        _ => reading,
    })
}

/// Asks the platform's history, which keeps requests for months and payloads for weeks.
///
/// A history that may answer in a moment is waited for: what the queue has forgotten may have
/// ended well all the same.
async fn from_history(inquiry: &mut Inquiry<'_>) -> Result<map::Kept, Unread> {
    let endpoint = inquiry.job.locator.as_deref().filter(|locator| !locator.contains("://"));
    let (Some(endpoint), Some(history)) = (endpoint, inquiry.history) else { return Ok(map::Kept::Untold) };
    let mut url = below(history, ["models", "requests", "by-endpoint"])?;
    url.query_pairs_mut()
        .append_pair("endpoint_id", endpoint.trim_matches('/'))
        .append_pair("request_id", inquiry.job.job_id.as_str())
        .append_pair("expand", "payloads");
    let guard = inquiry.http.guard();
    let id = &inquiry.job.job_id;
    let answer = inquiry.ask(&url).await?;
    map::history(answer.status, &answer.body, id, &|text| is_file(guard, text))
}

/// Addresses of files, and files that come inside the answer.
fn is_file(guard: &crate::http::Guard, text: &str) -> bool {
    text.starts_with("data:") || guard.read(text).is_ok()
}
