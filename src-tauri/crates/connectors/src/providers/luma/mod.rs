//! Luma's Dream Machine: generations over `api.lumalabs.ai`. Its callbacks carry no signature.

pub mod map;
mod wire;

#[cfg(test)]
mod payloads;
#[cfg(test)]
mod tests;

use async_trait::async_trait;
use makegood_domain::ports::{Capability, JobList, JobWindow};

use super::{Document, Explained, Facts, Inquiry, KeyPlace, PAGES_MAX, Protocol, Reading, Unread, Word};

/// Generations of one page of the list: what Luma itself takes where nothing is asked.
const PAGE: usize = 100;

static FACTS: Facts = Facts {
    adapter: "luma",
    name: "Luma Dream Machine",
    docs_url: "https://docs.lumalabs.ai/reference/getgeneration",
    key_hint: "An API key, luma-…, of the account that made the generations",
    base_url: "https://api.lumalabs.ai/dream-machine/v1",
    key: KeyPlace::BEARER,
    headers: &[],
    capability: Capability {
        look_up: true,
        list_by_time: true,
        cost: false,
        cancel: false,
        webhook: true,
        gives_expiry: false,
    },
    delay_in: |_| None,
    not_found: Word::ExpiredOrUnknown,
};

/// The protocol; the job's id is the generation's.
#[derive(Clone, Copy, Debug)]
pub struct Luma;

#[async_trait]
impl Protocol for Luma {
    fn facts(&self) -> &'static Facts {
        &FACTS
    }

    /// Generations, as answered or delivered, lists of them, and the balance.
    fn explain(&self, document: &Document<'_>) -> Explained {
        map::of_document(&FACTS, document)
    }

    /// By offset, newest first, without a filter by time: read until what comes is older.
    async fn list(&self, inquiry: &mut Inquiry<'_>, window: &JobWindow) -> Result<JobList, Unread> {
        let mut list = JobList::default();
        let mut offset = 0;
        for _ in 0..PAGES_MAX {
            let mut url = inquiry.address(["generations"])?;
            url.query_pairs_mut().append_pair("limit", &PAGE.to_string()).append_pair("offset", &offset.to_string());
            let answer = inquiry.ask(&url).await;
            let page = match answer.and_then(|answer| map::page(answer.status, &answer.body)) {
                Ok(page) => page,
                Err(unread) => return Ok(JobList { why: Some(unread.why), ..list }),
            };
            offset += page.jobs.len();
            let is_past = page.jobs.iter().any(|job| job.created_at.is_some_and(|at| at < window.since));
            let is_last = page.jobs.is_empty() || !page.has_more;
            // The list moves on while it is read: what was new pushes the last of a page to the next.
            for job in page.jobs {
                let is_within = job.created_at.is_none_or(|at| window.since <= at && at <= window.until);
                if is_within && !list.jobs.iter().any(|known| known.job_id == job.job_id) {
                    list.jobs.push(job);
                }
            }
            if is_past || is_last {
                return Ok(JobList { is_whole: true, ..list });
            }
        }
        Ok(JobList { why: Some(format!("only the newest {offset} generations were read")), ..list })
    }

    async fn read(&self, inquiry: &mut Inquiry<'_>) -> Result<Reading, Unread> {
        let url = inquiry.address(["generations", inquiry.job.job_id.as_str()])?;
        let answer = inquiry.ask_twice(&url).await?;
        Ok(map::explain(answer.status, &answer.body))
    }
}
