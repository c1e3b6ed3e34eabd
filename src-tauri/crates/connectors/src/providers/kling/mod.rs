//! Kling: tasks over its regional hosts, asked by type of task.

pub mod map;
mod wire;

#[cfg(test)]
mod payloads;
#[cfg(test)]
mod tests;

use async_trait::async_trait;
use jiff::Timestamp;
use makegood_domain::ports::{Capability, JobList, JobWindow};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::inquiry::below;
use super::{Document, Explained, Facts, Inquiry, KeyPlace, NoSuchJob, Protocol, Reading, Unread, Word, listing};
use crate::http::Form;
use crate::tokens;

/// Tasks a page; the most that Kling gives.
const PAGE: &str = "500";

static FACTS: Facts = Facts {
    adapter: "kling",
    name: "Kling",
    docs_url: "https://kling.ai/document-api/apiReference/commonInfo",
    key_hint: "An API key; for an older account its access key and secret key, joined as ACCESS:SECRET",
    base_url: "https://api-singapore.klingai.com",
    key: KeyPlace::BEARER,
    headers: &[],
    capability: Capability {
        look_up: true,
        list_by_time: true,
        // `final_unit_deduction` of the task (kling.ai, document-api).
        cost: true,
        cancel: false,
        webhook: true,
        gives_expiry: false,
    },
    delay_in: |_| None,
    not_found: Word::ExpiredOrUnknown,
};

/// The protocol. The job's id is the task's, or the one of ours that it was submitted under; its
/// locator the type of task, `videos/text2video`, or the address that was called.
#[derive(Clone, Copy, Debug)]
pub struct Kling;

#[async_trait]
impl Protocol for Kling {
    fn facts(&self) -> &'static Facts {
        &FACTS
    }

    fn regions(&self) -> &'static [&'static str] {
        &["api-singapore.klingai.com", "api-beijing.klingai.com", "api.klingai.com"]
    }

    fn no_such_job(&self) -> NoSuchJob {
        NoSuchJob { id: "100000000000000000", locator: Some("videos/text2video") }
    }

    fn key_form(&self, key: &SecretString) -> Form {
        if pair(key).is_some() { Form::Made(token) } else { Form::AsItIs }
    }

    /// Tasks, as answered or delivered, and lists of them.
    fn explain(&self, document: &Document<'_>) -> Explained {
        if map::is_list(document.body)
            && let Ok(page) = map::page(document.status, document.body)
        {
            return Explained::list(&FACTS, page.jobs);
        }
        Explained::job(&FACTS, map::explain(document.status, document.body).reading)
    }

    /// Of one type, in pages, without regard to time.
    async fn list(&self, inquiry: &mut Inquiry<'_>, window: &JobWindow) -> Result<JobList, Unread> {
        let all = of_type(&inquiry.region()?, window.locator.as_deref(), None)?;
        let address = |number: usize| {
            let mut url = all.clone();
            url.query_pairs_mut().append_pair("pageNum", &number.to_string()).append_pair("pageSize", PAGE);
            Ok(url)
        };
        listing::by_page(inquiry, window, &address, map::page).await
    }

    async fn read(&self, inquiry: &mut Inquiry<'_>) -> Result<Reading, Unread> {
        let job = inquiry.job;
        let url = of_type(&inquiry.region()?, job.locator.as_deref(), Some(job.job_id.as_str()))?;
        let answer = inquiry.ask_twice(&url).await?;
        let told = map::explain(answer.status, &answer.body);
        // Asked by our own id, Kling answers about its task under Kling's.
        let is_ours = told.reference.as_deref() == Some(job.job_id.as_str());
        Ok(Reading { about: if is_ours { None } else { told.reading.about }, ..told.reading })
    }
}

/// The address of the tasks of a type, or of one of them.
fn of_type(base: &Url, locator: Option<&str>, id: Option<&str>) -> Result<Url, Unread> {
    let path = locator.and_then(map::type_path);
    let path = path.ok_or_else(|| Unread::refused("Kling is asked by type of task, and the run keeps none"))?;
    below(base, std::iter::once("v1").chain(path.iter().map(String::as_str)).chain(id))
}

/// Access key and secret key of an older account.
fn pair(key: &SecretString) -> Option<(&str, SecretString)> {
    let (access, secret) = key.expose_secret().split_once(':')?;
    (!access.is_empty() && !secret.is_empty()).then(|| (access, secret.into()))
}

/// A token for one request.
fn token(key: &SecretString, now: Timestamp) -> SecretString {
    pair(key).map_or_else(|| key.clone(), |(access, secret)| tokens::kling(access, &secret, now).into())
}
