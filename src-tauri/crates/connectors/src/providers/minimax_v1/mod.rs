//! MiniMax, first video API (Hailuo 2): a task names a file, and the file's address is asked for
//! by a second question.

pub mod map;
mod wire;

#[cfg(test)]
mod payloads;
#[cfg(test)]
mod tests;

use async_trait::async_trait;
use makegood_domain::ports::Capability;
use url::Url;

use super::inquiry::below;
use super::{
    Asset, Document, Explained, Facts, Inquiry, KeyPlace, NoSuchJob, Protocol, Reading, Unread, Word, minimax,
};

static FACTS: Facts = Facts {
    adapter: "minimax_v1",
    name: "MiniMax (Hailuo 2)",
    docs_url: "https://platform.minimax.io/docs/api-reference/video-generation-query",
    key_hint: "An API key of the account that made the tasks",
    base_url: "https://api.minimax.io",
    key: KeyPlace::BEARER,
    headers: &[],
    capability: Capability {
        look_up: true,
        list_by_time: false,
        cost: false,
        cancel: false,
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

    /// Tasks, as answered or delivered, and files.
    fn explain(&self, document: &Document<'_>) -> Explained {
        let json = document.json();
        if minimax::is_challenge(&json) {
            return Explained::of(&FACTS, Word::NotAJob).noting("MiniMax tries the address for callbacks");
        }
        if map::is_file(&json)
            && let Ok(Some(asset)) = map::file(document.status, document.body)
        {
            return Explained::file(&FACTS, &asset);
        }
        let told = map::explain(document.status, document.body);
        let explained = Explained::job(&FACTS, told.reading);
        match told.file_id {
            Some(id) => explained.noting(format!("the address of file {id} is asked for by itself")),
            None => explained,
        }
    }

    async fn read(&self, inquiry: &mut Inquiry<'_>) -> Result<Reading, Unread> {
        let base = inquiry.region()?;
        let url = question(&base, ["v1", "query", "video_generation"], "task_id", inquiry.job.job_id.as_str())?;
        let is_missing = |status, body: &[u8]| map::explain(status, body).reading.is_missing();
        let answer = inquiry.ask_twice_if(&url, |answer| is_missing(answer.status, &answer.body)).await?;
        let told = map::explain(answer.status, &answer.body);
        let Some(file_id) = told.file_id else { return Ok(told.reading) };
        let is_strange = told.reading.about.as_ref().is_some_and(|about| *about != inquiry.job.job_id);
        if is_strange {
            return Ok(told.reading);
        }
        match file_of(inquiry, &base, &file_id).await {
            Ok(found) => Ok(map::with_file(told.reading, found)),
            // To whom the file matters, it is not there to be had now; the task succeeded all the same.
            Err(unread) if inquiry.now.is_none() => Err(unread),
            Err(_) => Ok(told.reading),
        }
    }

    /// Without an address there is nowhere to look.
    async fn look_at(&self, inquiry: &mut Inquiry<'_>, asset: &mut Asset) {
        if !asset.url.is_empty() {
            inquiry.look_at(asset).await;
        }
    }
}

/// The file that a task names; `None` where MiniMax says twice that there is none such.
async fn file_of(inquiry: &mut Inquiry<'_>, base: &Url, id: &str) -> Result<Option<Asset>, Unread> {
    let url = question(base, ["v1", "files", "retrieve"], "file_id", id)?;
    let is_gone = |status, body: &[u8]| map::file(status, body) == Ok(None);
    let answer = inquiry.ask_twice_if(&url, |answer| is_gone(answer.status, &answer.body)).await?;
    map::file(answer.status, &answer.body)
}

fn question(base: &Url, path: [&str; 3], name: &str, id: &str) -> Result<Url, Unread> {
    let mut url = below(base, path)?;
    url.query_pairs_mut().append_pair(name, id);
    Ok(url)
}
