//! OpenAI: a video service that ended on 2026-09-24, and images that no job stands behind.
//!
//! The vendor itself is asked about nothing any more. Whoever sets another address has something
//! that still speaks the protocol (a gateway, the practice workspace), and that is asked.

pub mod map;
mod wire;

#[cfg(test)]
mod payloads;
#[cfg(test)]
mod tests;

use async_trait::async_trait;
use makegood_domain::ports::{Capability, JobList, JobWindow};
use makegood_domain::work::JobState;

use super::{Document, Explained, Facts, Inquiry, KeyPlace, PAGES_MAX, Protocol, Reading, Unread, Word, witness};
use crate::http::is_below;

static FACTS: Facts = Facts {
    adapter: "openai",
    name: "OpenAI",
    docs_url: "https://developers.openai.com/api/docs/deprecations",
    key_hint: "An API key, sk-…; of no use for jobs at OpenAI itself, which keeps none",
    base_url: "https://api.openai.com/v1",
    key: KeyPlace::BEARER.with_files(),
    headers: &[],
    // The video service is no more, and images are made while the caller waits: nothing is told of either.
    capability: Capability {
        look_up: false,
        list_by_time: false,
        cost: false,
        cancel: false,
        webhook: false,
        gives_expiry: false,
    },
    delay_in: |_| None,
    not_found: Word::ExpiredOrUnknown,
};

/// The protocol; the job's id is the video's.
#[derive(Clone, Copy, Debug)]
pub struct OpenAi;

#[async_trait]
impl Protocol for OpenAi {
    fn facts(&self) -> &'static Facts {
        &FACTS
    }

    /// Videos, images, events, and lists.
    fn explain(&self, document: &Document<'_>) -> Explained {
        map::of_document(&FACTS, document)
    }

    /// Newest first, a hundred a page, without a filter by time.
    async fn list(&self, inquiry: &mut Inquiry<'_>, window: &JobWindow) -> Result<JobList, Unread> {
        if is_vendors(inquiry) {
            return Err(Unread::refused(map::RETIRED));
        }
        let mut list = JobList::default();
        let mut after = None;
        for _ in 0..PAGES_MAX {
            let mut url = inquiry.address(["videos"])?;
            url.query_pairs_mut()
                .append_pair("limit", "100")
                .append_pair("order", "desc")
                .extend_pairs(after.iter().map(|after: &String| ("after", after)));
            let page = inquiry.ask(&url).await.and_then(|answer| {
                map::page(answer.status, &answer.body).ok_or_else(|| map::no_list(answer.status, &answer.body))
            });
            let map::Page { jobs, next, is_whole } = match page {
                Ok(page) => page,
                Err(unread) => return Ok(JobList { why: Some(unread.why), ..list }),
            };
            let is_past = jobs.iter().any(|job| job.created_at.is_some_and(|at| at < window.since));
            list.jobs.extend(
                jobs.into_iter().filter(|job| job.created_at.is_none_or(|at| window.since <= at && at <= window.until)),
            );
            if !is_whole {
                return Ok(JobList { why: Some("an entry of the list can't be read".to_owned()), ..list });
            }
            if is_past || next.is_none() {
                return Ok(JobList { is_whole: true, ..list });
            }
            after = next;
        }
        Ok(JobList { why: Some(format!("only the first {PAGES_MAX} pages were read")), ..list })
    }

    /// Whoever speaks this protocol now lists its videos.
    async fn witness(&self, inquiry: &mut Inquiry<'_>) -> Option<bool> {
        Some(witness::lists(self, inquiry).await)
    }

    async fn read(&self, inquiry: &mut Inquiry<'_>) -> Result<Reading, Unread> {
        if is_vendors(inquiry) {
            return Ok(map::retired());
        }
        let url = inquiry.address(["videos", inquiry.job.job_id.as_str()])?;
        let answer = inquiry.ask_twice(&url).await?;
        let reading = map::explain(answer.status, &answer.body, inquiry.http.base().as_str());
        // Somebody else's service has not ended because it does not know a model.
        let cause = reading.cause.filter(|_| reading.state != JobState::NotFound);
        Ok(Reading { cause, ..reading })
    }
}

fn is_vendors(inquiry: &Inquiry<'_>) -> bool {
    inquiry.http.base().host_str().is_some_and(|host| is_below(host, "openai.com"))
}
