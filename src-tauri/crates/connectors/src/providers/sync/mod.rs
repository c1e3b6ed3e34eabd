//! Sync (lip sync): generations over `api.sync.so`, with addresses that are signed anew on demand.

pub mod map;
mod wire;

#[cfg(test)]
mod payloads;
#[cfg(test)]
mod tests;

use async_trait::async_trait;
use makegood_domain::ports::{Capability, JobList, JobWindow};
use makegood_domain::work::JobState;

use super::reading::body_of;
use super::{Document, Explained, Facts, Inquiry, KeyPlace, Piece, Pieces, Protocol, Reading, Unread, Word};

static FACTS: Facts = Facts {
    adapter: "sync",
    name: "Sync",
    docs_url: "https://sync.so/docs",
    key_hint: "An API key of the organization that made the generations",
    base_url: "https://api.sync.so",
    key: KeyPlace::header("x-api-key"),
    headers: &[],
    capability: Capability {
        look_up: true,
        list_by_time: true,
        // A service of its own tells the costs of generations (sync.so/docs).
        cost: true,
        cancel: false,
        webhook: true,
        gives_expiry: false,
    },
    delay_in: |_| None,
    not_found: Word::ExpiredOrUnknown,
};

/// The protocol; the job's id is the generation's.
#[derive(Clone, Copy, Debug)]
pub struct Sync;

#[async_trait]
impl Protocol for Sync {
    fn facts(&self) -> &'static Facts {
        &FACTS
    }

    fn explain(&self, document: &Document<'_>) -> Explained {
        // What `/download` answers: an address by itself.
        let address = map::fresh_address(document.status, document.body);
        if let Some(url) = address.filter(|url| url.starts_with("http")) {
            return Explained::file(&FACTS, &map::made(url));
        }
        match map::page(document.status, document.body) {
            Some(jobs) => Explained::list(&FACTS, jobs),
            None => Explained::job(&FACTS, map::explain(document.status, document.body)),
        }
    }

    /// One answer, newest first. It is the whole of the time only if it reaches back beyond it: no
    /// way to page is documented.
    async fn list(&self, inquiry: &mut Inquiry<'_>, window: &JobWindow) -> Result<JobList, Unread> {
        let url = inquiry.address(["v2", "generations"])?;
        let answer = inquiry.ask(&url).await?;
        let Some(mut jobs) = map::page(answer.status, &answer.body) else {
            let unread = body_of::<serde_json::Value>(answer.status, &answer.body);
            let why = unread.map_or_else(|unread| unread.why, |_| "the list can't be read".to_owned());
            return Ok(JobList { why: Some(why), ..JobList::default() });
        };
        let is_whole = jobs.iter().any(|job| job.created_at.is_some_and(|at| at < window.since));
        jobs.retain(|job| job.created_at.is_none_or(|at| (window.since..=window.until).contains(&at)));
        let why = (!is_whole).then(|| "Sync does not say whether there are more".to_owned());
        Ok(JobList { jobs, is_whole, why, ..JobList::default() })
    }

    /// Its list, whole or not.
    async fn witness(&self, inquiry: &mut Inquiry<'_>) -> Option<bool> {
        let url = inquiry.address(["v2", "generations"]).ok()?;
        let answer = inquiry.ask(&url).await;
        Some(answer.is_ok_and(|answer| map::page(answer.status, &answer.body).is_some()))
    }

    async fn read(&self, inquiry: &mut Inquiry<'_>) -> Result<Reading, Unread> {
        let url = inquiry.address(["v2", "generate", inquiry.job.job_id.as_str()])?;
        let answer = inquiry.ask_twice(&url).await?;
        let reading = map::explain(answer.status, &answer.body);
        match (reading.state, &reading.pieces) {
            (JobState::Succeeded, Pieces::Listed(pieces)) => {
                let pieces = signed_anew(inquiry, pieces).await;
                Ok(Reading { pieces: Pieces::Listed(pieces), ..reading })
            }
            _ => Ok(reading),
        }
    }
}

/// The file by a fresh address; by the one that the generation names where none is to be had.
async fn signed_anew(inquiry: &mut Inquiry<'_>, pieces: &[Piece]) -> Vec<Piece> {
    let url = inquiry.address(["v2", "generations", inquiry.job.job_id.as_str(), "download"]);
    let Ok(url) = url else { return pieces.to_vec() };
    let fresh = inquiry.ask(&url).await.ok().and_then(|answer| map::fresh_address(answer.status, &answer.body));
    match fresh {
        Some(url) => vec![Piece::File(map::made(url))],
        None => pieces.to_vec(),
    }
}
