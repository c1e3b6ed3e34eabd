//! HeyGen, version 3 of its API: videos over `api.heygen.com`. Each look-up signs the file anew.

pub mod map;
mod wire;

#[cfg(test)]
mod payloads;
#[cfg(test)]
mod tests;

use async_trait::async_trait;
use makegood_domain::ports::{Capability, JobList, JobWindow};

use super::reading::body_of;
use super::{Document, Explained, Facts, Inquiry, KeyPlace, PAGES_MAX, Protocol, Reading, Unread, Word};

static FACTS: Facts = Facts {
    adapter: "heygen_v3",
    name: "HeyGen",
    docs_url: "https://developers.heygen.com/",
    key_hint: "An API key of the account that made the videos",
    base_url: "https://api.heygen.com",
    key: KeyPlace::header("x-api-key"),
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

/// The protocol; the job's id is the video's.
#[derive(Clone, Copy, Debug)]
pub struct HeyGen;

#[async_trait]
impl Protocol for HeyGen {
    fn facts(&self) -> &'static Facts {
        &FACTS
    }

    fn explain(&self, document: &Document<'_>) -> Explained {
        map::explain_any(&FACTS, document)
    }

    /// Newest first, without a filter by time: pages are read until one is older than that.
    async fn list(&self, inquiry: &mut Inquiry<'_>, window: &JobWindow) -> Result<JobList, Unread> {
        let mut list = JobList::default();
        let mut token = None;
        for _ in 0..PAGES_MAX {
            let mut url = inquiry.address(["v3", "videos"])?;
            url.query_pairs_mut()
                .append_pair("limit", "100")
                .extend_pairs(token.iter().map(|token: &String| ("token", token)));
            let answer = inquiry.ask(&url).await?;
            let Some(page) = map::page(answer.status, &answer.body) else {
                let unread = body_of::<serde_json::Value>(answer.status, &answer.body);
                let why = unread.map_or_else(|unread| unread.why, |_| "the list can't be read".to_owned());
                return Ok(JobList { why: Some(why), ..list });
            };
            let is_beyond = page.jobs.iter().any(|job| job.created_at.is_some_and(|at| at < window.since));
            let inside = |at| (window.since..=window.until).contains(&at);
            list.jobs.extend(page.jobs.into_iter().filter(|job| job.created_at.is_none_or(inside)));
            token = page.next;
            if is_beyond || token.is_none() {
                return Ok(JobList { is_whole: true, ..list });
            }
        }
        Ok(JobList { why: Some(format!("only the first {PAGES_MAX} pages were read")), ..list })
    }

    async fn read(&self, inquiry: &mut Inquiry<'_>) -> Result<Reading, Unread> {
        let url = inquiry.address(["v3", "videos", inquiry.job.job_id.as_str()])?;
        let answer = inquiry.ask_twice(&url).await?;
        Ok(map::explain(answer.status, &answer.body))
    }
}
