//! Seedance: content generation tasks of ModelArk, at Volcengine's host or BytePlus's.

pub mod map;
mod wire;

#[cfg(test)]
mod payloads;
#[cfg(test)]
mod tests;

use async_trait::async_trait;
use jiff::Timestamp;
use makegood_domain::ports::{Capability, JobList, JobWindow};

use super::inquiry::below;
use super::{Document, Explained, Facts, Inquiry, KeyPlace, NoSuchJob, Protocol, Reading, Unread, Word, listing};

const PATH: [&str; 3] = ["contents", "generations", "tasks"];

/// Tasks a page; up to 500 are given.
const PAGE: &str = "100";

/// A list is of one tier, the first where none is named.
const TIERS: [&str; 2] = ["default", "flex"];

static FACTS: Facts = Facts {
    adapter: "seedance",
    name: "Seedance",
    docs_url: "https://docs.byteplus.com/en/docs/ModelArk/1521309",
    key_hint: "An API key of the ModelArk account that made the tasks",
    base_url: "https://ark.cn-beijing.volces.com/api/v3",
    key: KeyPlace::BEARER,
    headers: &[],
    capability: Capability {
        look_up: true,
        list_by_time: true,
        // `usage.completion_tokens` of the task, which are what is billed.
        cost: true,
        // `DELETE …/contents/generations/tasks/{id}` of one that waits; it deletes one that has ended.
        cancel: true,
        webhook: true,
        gives_expiry: true,
    },
    delay_in: |_| None,
    not_found: Word::ExpiredOrUnknown,
};

/// The protocol; the job's id is the task's, its locator may be the address that was called.
#[derive(Clone, Copy, Debug)]
pub struct Seedance;

#[async_trait]
impl Protocol for Seedance {
    fn facts(&self) -> &'static Facts {
        &FACTS
    }

    fn regions(&self) -> &'static [&'static str] {
        &["ark.cn-beijing.volces.com", "ark.ap-southeast.bytepluses.com"]
    }

    fn no_such_job(&self) -> NoSuchJob {
        NoSuchJob { id: "cgt-20250101000000-aaaaa", locator: None }
    }

    /// Tasks, as answered or delivered, and lists of them.
    fn explain(&self, document: &Document<'_>) -> Explained {
        if map::is_list(document.body)
            && let Ok(page) = map::page(document.status, document.body)
        {
            return Explained::list(&FACTS, page.jobs);
        }
        Explained::job(&FACTS, map::explain(document.status, document.body))
    }

    fn explain_at(&self, document: &Document<'_>, now: Timestamp) -> Explained {
        if map::is_list(document.body) {
            return self.explain(document);
        }
        // Without its end or its submission, a task may be of any age.
        let reading = map::explain(document.status, document.body);
        Explained::job(&FACTS, map::believed_at(now, Timestamp::MIN, reading))
    }

    /// Of the last seven days, in pages, without regard to time; one tier after the other.
    async fn list(&self, inquiry: &mut Inquiry<'_>, window: &JobWindow) -> Result<JobList, Unread> {
        let all = below(&inquiry.region()?, PATH)?;
        let mut list = JobList { is_whole: true, ..JobList::default() };
        for tier in TIERS {
            let address = |number: usize| {
                let mut url = all.clone();
                url.query_pairs_mut()
                    .append_pair("page_num", &number.to_string())
                    .append_pair("page_size", PAGE)
                    .append_pair("filter.service_tier", tier);
                Ok(url)
            };
            match listing::by_page(inquiry, window, &address, map::page).await {
                Ok(of_tier) => {
                    list.jobs.extend(of_tier.jobs);
                    list.is_whole &= of_tier.is_whole;
                    list.why = list.why.or(of_tier.why);
                }
                Err(unread) if tier == TIERS[0] => return Err(unread),
                Err(unread) => {
                    list.is_whole = false;
                    list.why = list.why.or(Some(format!("tasks of the tier {tier} are not listed: {}", unread.why)));
                }
            }
        }
        Ok(list)
    }

    async fn read(&self, inquiry: &mut Inquiry<'_>) -> Result<Reading, Unread> {
        let url = below(&inquiry.region()?, PATH.into_iter().chain([inquiry.job.job_id.as_str()]))?;
        let is_missing = |status, body: &[u8]| map::explain(status, body).is_missing();
        let answer = inquiry.ask_twice_if(&url, |answer| is_missing(answer.status, &answer.body)).await?;
        let reading = map::explain(answer.status, &answer.body);
        // While a file is fetched the time is not known: then an emptied content proves nothing, and a look-up tells
        // whether its day is over.
        Ok(map::believed_at(inquiry.now.unwrap_or(Timestamp::MIN), inquiry.job.submitted_at, reading))
    }
}
