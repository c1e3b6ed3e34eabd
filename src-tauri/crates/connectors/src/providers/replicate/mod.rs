//! Replicate: predictions over `api.replicate.com/v1`.

pub mod map;
mod wire;

#[cfg(test)]
mod payloads;
#[cfg(test)]
mod tests;

use async_trait::async_trait;
use makegood_domain::ports::{Capability, JobList, JobWindow};

use super::explain::is_file_of;
use super::reading::body_of;
use super::{Document, Explained, Facts, Inquiry, KeyPlace, PAGES_MAX, Protocol, Reading, Unread, Word};
use crate::http::Answer;

static FACTS: Facts = Facts {
    adapter: "replicate",
    name: "Replicate",
    docs_url: "https://replicate.com/docs/reference/http",
    key_hint: "An API token, r8_…, of the account that made the predictions",
    base_url: "https://api.replicate.com/v1",
    // The vendor's specification asks for the token on downloads too.
    key: KeyPlace::BEARER.with_files(),
    headers: &[],
    capability: Capability {
        look_up: true,
        list_by_time: true,
        cost: false,
        // `POST /predictions/{id}/cancel` (the vendor's specification).
        cancel: true,
        webhook: true,
        gives_expiry: false,
    },
    delay_in: map::delay_in,
    not_found: Word::UnknownJob,
};

/// The protocol; the job's id is the prediction's.
#[derive(Clone, Copy, Debug)]
pub struct Replicate;

#[async_trait]
impl Protocol for Replicate {
    fn facts(&self) -> &'static Facts {
        &FACTS
    }

    /// Predictions, as answered or delivered, lists of them, and files.
    fn explain(&self, document: &Document<'_>) -> Explained {
        let is_file = |text: &str| is_inline(text) || is_file_of(&FACTS, text);
        map::of_document(&FACTS, document, &is_file)
    }

    /// Newest first, a hundred a page; `next` is a whole address.
    async fn list(&self, inquiry: &mut Inquiry<'_>, window: &JobWindow) -> Result<JobList, Unread> {
        let mut url = inquiry.address(["predictions"])?;
        url.query_pairs_mut()
            .append_pair("created_after", &window.since.to_string())
            .append_pair("created_before", &window.until.to_string());
        let mut list = JobList::default();
        for _ in 0..PAGES_MAX {
            let page = match inquiry.ask(&url).await.and_then(|answer| list_of(&answer)) {
                Ok(page) => page,
                Err(unread) => return Ok(JobList { why: Some(unread.why), ..list }),
            };
            list.jobs.extend(page.jobs);
            if !page.is_whole {
                return Ok(JobList { why: Some("an entry of the list can't be read".to_owned()), ..list });
            }
            match page.next.map(|next| inquiry.http.guard().read(&next)) {
                None => return Ok(JobList { is_whole: true, ..list }),
                Some(Ok(next)) => url = next,
                Some(Err(refusal)) => return Ok(JobList { why: Some(refusal.to_string()), ..list }),
            }
        }
        Ok(JobList { why: Some(format!("only the first {PAGES_MAX} pages were read")), ..list })
    }

    async fn read(&self, inquiry: &mut Inquiry<'_>) -> Result<Reading, Unread> {
        let url = inquiry.address(["predictions", inquiry.job.job_id.as_str()])?;
        let answer = inquiry.ask_twice(&url).await?;
        let guard = inquiry.http.guard();
        Ok(map::explain(answer.status, &answer.body, &|text| is_inline(text) || guard.read(text).is_ok()))
    }
}

fn list_of(answer: &Answer) -> Result<map::Page, Unread> {
    map::page(answer.status, &answer.body).ok_or_else(|| {
        let unread = body_of::<serde_json::Value>(answer.status, &answer.body).err();
        unread.unwrap_or_else(|| Unread::refused("the list can't be read"))
    })
}

/// A file inside the answer, as small outputs of some models are.
fn is_inline(text: &str) -> bool {
    text.starts_with("data:") && text.contains(";base64,")
}
