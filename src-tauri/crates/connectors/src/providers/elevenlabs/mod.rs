//! ElevenLabs: speech, which is made while the caller waits and kept in a history, and dubs.

pub mod map;
mod wire;

#[cfg(test)]
mod payloads;
#[cfg(test)]
mod tests;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use makegood_domain::ports::{Capability, JobList, JobWindow};
use makegood_domain::work::JobState;

use self::wire::Item;
use super::{Document, Explained, Facts, Inquiry, KeyPlace, PAGES_MAX, Protocol, Reading, Unread, Word};

/// Locator of jobs that are dubs.
const DUBBING: &str = "dubbing";

/// Around the submission of a request that is known by its own id, the history is read for it.
const BEFORE: SignedDuration = SignedDuration::from_mins(5);
const AFTER: SignedDuration = SignedDuration::from_mins(30);

static FACTS: Facts = Facts {
    adapter: "elevenlabs",
    name: "ElevenLabs",
    docs_url: "https://elevenlabs.io/docs/api-reference/history/get",
    key_hint: "An API key of the account that spoke, which may read the speech history",
    base_url: "https://api.elevenlabs.io/v1",
    key: KeyPlace::header("xi-api-key").with_files(),
    headers: &[],
    capability: Capability {
        look_up: true,
        list_by_time: true,
        // Characters: `character_count_change_to` less `…_from` (the vendor's specification).
        cost: true,
        cancel: false,
        webhook: false,
        gives_expiry: false,
    },
    delay_in: |_| None,
    not_found: Word::ExpiredOrUnknown,
};

/// The protocol. The job's id is the history item's, or that of the request, as its answer had it
/// in the `request-id` header; with the locator `dubbing` it is the dub's.
#[derive(Clone, Copy, Debug)]
pub struct ElevenLabs;

#[async_trait]
impl Protocol for ElevenLabs {
    fn facts(&self) -> &'static Facts {
        &FACTS
    }

    /// Items of the history, dubs, lists, and the subscription.
    fn explain(&self, document: &Document<'_>) -> Explained {
        map::of_document(&FACTS, document)
    }

    /// Newest first, a thousand a page. An item's reference is the request that it was made for.
    async fn list(&self, inquiry: &mut Inquiry<'_>, window: &JobWindow) -> Result<JobList, Unread> {
        let (items, why) = history(inquiry, window.since, window.until).await?;
        let all = items.len();
        let jobs: Vec<_> = items.into_iter().filter_map(map::listed).collect();
        // One without an id might be the one that is sought.
        let lacks = (jobs.len() < all).then(|| "an item of the history has no id".to_owned());
        let why = why.map(|unread| unread.why).or(lacks);
        Ok(JobList { jobs, is_whole: why.is_none(), why, ..JobList::default() })
    }

    async fn read(&self, inquiry: &mut Inquiry<'_>) -> Result<Reading, Unread> {
        let base = inquiry.http.base().to_string();
        if inquiry.job.locator.as_deref() == Some(DUBBING) {
            let url = inquiry.address(["dubbing", inquiry.job.job_id.as_str()])?;
            let answer = inquiry.ask_twice(&url).await?;
            return Ok(map::explain_dub(answer.status, &answer.body, &base));
        }
        let url = inquiry.address(["history", inquiry.job.job_id.as_str()])?;
        let is_missing = |status: u16, body: &[u8]| map::explain(status, body, "").is_missing();
        let answer = inquiry.ask_twice_if(&url, |answer| is_missing(answer.status, &answer.body)).await?;
        let reading = map::explain(answer.status, &answer.body, &base);
        if !reading.is_missing() || inquiry.hasty {
            return Ok(reading);
        }
        Ok(by_request(inquiry, &base).await?.unwrap_or(reading))
    }
}

/// The item that was made for the request of this id. That there is none is only said of a history
/// that was read whole.
async fn by_request(inquiry: &mut Inquiry<'_>, base: &str) -> Result<Option<Reading>, Unread> {
    let submitted = inquiry.job.submitted_at;
    let (since, until) = (submitted.checked_sub(BEFORE), submitted.checked_add(AFTER));
    let (Ok(since), Ok(until)) = (since, until) else { return Ok(None) };
    let (items, why) = history(inquiry, since, until).await?;
    let found = items.iter().find(|item| item.request_id.as_deref() == Some(inquiry.job.job_id.as_str()));
    match (found, why) {
        (Some(item), _) => Ok(Some(Reading { about: None, ..map::of_item(item, base) })),
        // An account without a history has no list either.
        (None, Some(unread)) if unread.state != JobState::NotFound => Err(unread.of_another_question()),
        (None, _) => Ok(None),
    }
}

/// The items of a time, and why they are not all.
async fn history(
    inquiry: &mut Inquiry<'_>,
    since: Timestamp,
    until: Timestamp,
) -> Result<(Vec<Item>, Option<Unread>), Unread> {
    let mut items = Vec::new();
    let mut after = None;
    for _ in 0..PAGES_MAX {
        let mut url = inquiry.address(["history"])?;
        // Whole seconds, each bound one further out: whether they count themselves is said nowhere.
        url.query_pairs_mut()
            .append_pair("page_size", "1000")
            .append_pair("date_after_unix", &since.as_second().saturating_sub(1).to_string())
            .append_pair("date_before_unix", &until.as_second().saturating_add(2).to_string())
            .extend_pairs(after.iter().map(|after: &String| ("start_after_history_item_id", after)));
        let answer = inquiry.ask(&url).await;
        let page = match answer.and_then(|answer| map::page(answer.status, &answer.body)) {
            Ok(page) => page,
            Err(unread) => return Ok((items, Some(unread))),
        };
        let is_past = page.items.iter().any(|item| item.date_unix.is_some_and(|at| at < since));
        items.extend(page.items.into_iter().filter(|item| item.date_unix.is_none_or(|at| since <= at && at <= until)));
        after = page.next;
        if is_past || after.is_none() {
            return Ok((items, None));
        }
    }
    Ok((items, Some(Unread::unanswered(format!("only the first {PAGES_MAX} pages were read")))))
}
