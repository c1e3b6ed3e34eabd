//! MiniMax, second video API (Hailuo 03): tasks of the last seven days, whose addresses are made
//! anew by each look-up.

pub mod map;
mod wire;

#[cfg(test)]
mod payloads;
#[cfg(test)]
mod tests;

use async_trait::async_trait;
use makegood_domain::ports::{Capability, JobList, JobWindow};

use super::inquiry::below;
use super::{
    Document, Explained, Facts, Inquiry, KeyPlace, NoSuchJob, Protocol, Reading, Unread, Word, listing, minimax,
};

const PATH: [&str; 3] = ["v2", "query", "video_generation"];

/// Tasks a page.
const PAGE: &str = "100";

static FACTS: Facts = Facts {
    adapter: "minimax_v2",
    name: "MiniMax",
    docs_url: "https://platform.minimax.io/docs/api-reference/video-generation-v2-query",
    key_hint: "An API key of the account that made the tasks",
    base_url: "https://api.minimax.io",
    key: KeyPlace::BEARER,
    headers: &[],
    capability: Capability {
        look_up: true,
        list_by_time: true,
        // `usage` of the task: the seconds and tokens that are billed (the vendor's specification).
        cost: true,
        // `DELETE /v2/video_generation/{id}` of one that waits; it deletes one that has ended.
        cancel: true,
        webhook: true,
        gives_expiry: false,
    },
    delay_in: |_| None,
    not_found: Word::ExpiredOrUnknown,
};

/// The protocol; the job's id is the task's, its locator may be the address that was called.
#[derive(Clone, Copy, Debug)]
pub struct MiniMax;

#[async_trait]
impl Protocol for MiniMax {
    fn facts(&self) -> &'static Facts {
        &FACTS
    }

    fn regions(&self) -> &'static [&'static str] {
        minimax::REGIONS
    }

    fn no_such_job(&self) -> NoSuchJob {
        NoSuchJob { id: "100000000000000", locator: None }
    }

    /// Tasks, as answered or delivered, and lists of them.
    fn explain(&self, document: &Document<'_>) -> Explained {
        if minimax::is_challenge(&document.json()) {
            return Explained::of(&FACTS, Word::NotAJob).noting("MiniMax tries the address for callbacks");
        }
        if map::is_list(document.body)
            && let Ok(page) = map::page(document.status, document.body)
        {
            return Explained::list(&FACTS, page.jobs);
        }
        Explained::job(&FACTS, map::explain(document.status, document.body))
    }

    /// Of the last seven days, in pages, without regard to time.
    async fn list(&self, inquiry: &mut Inquiry<'_>, window: &JobWindow) -> Result<JobList, Unread> {
        let all = below(&inquiry.region()?, PATH)?;
        let address = |number: usize| {
            let mut url = all.clone();
            url.query_pairs_mut().append_pair("page_num", &number.to_string()).append_pair("page_size", PAGE);
            Ok(url)
        };
        listing::by_page(inquiry, window, &address, map::page).await
    }

    async fn read(&self, inquiry: &mut Inquiry<'_>) -> Result<Reading, Unread> {
        let url = below(&inquiry.region()?, PATH.into_iter().chain([inquiry.job.job_id.as_str()]))?;
        let is_missing = |status, body: &[u8]| map::explain(status, body).is_missing();
        let answer = inquiry.ask_twice_if(&url, |answer| is_missing(answer.status, &answer.body)).await?;
        Ok(map::explain(answer.status, &answer.body))
    }
}
