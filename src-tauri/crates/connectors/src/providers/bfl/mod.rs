//! Black Forest Labs (FLUX): tasks that are known only on the host that took them.

pub mod map;
mod wire;

#[cfg(test)]
mod payloads;
#[cfg(test)]
mod tests;

use async_trait::async_trait;
use makegood_domain::ports::Capability;

use super::{Document, Explained, Facts, Inquiry, KeyPlace, Protocol, Reading, Unread, Word, witness};

static FACTS: Facts = Facts {
    adapter: "bfl",
    name: "Black Forest Labs",
    docs_url: "https://docs.bfl.ai/",
    key_hint: "An API key of the organisation that asked for the images",
    base_url: "https://api.bfl.ai/v1",
    key: KeyPlace::header("x-key"),
    headers: &[],
    capability: Capability {
        look_up: true,
        list_by_time: false,
        cost: false,
        cancel: false,
        webhook: true,
        gives_expiry: true,
    },
    delay_in: map::delay_in,
    not_found: Word::ExpiredOrUnknown,
};

/// The protocol. The job's id is the task's; its locator the `polling_url` of the submission, or
/// the host or region in it.
#[derive(Clone, Copy, Debug)]
pub struct Bfl;

#[async_trait]
impl Protocol for Bfl {
    fn facts(&self) -> &'static Facts {
        &FACTS
    }

    fn regions(&self) -> &'static [&'static str] {
        &["bfl.ai"]
    }

    fn explain(&self, document: &Document<'_>) -> Explained {
        map::of_document(&FACTS, document)
    }

    /// The account's credits, at the same address as the task only where that is the base.
    async fn witness(&self, inquiry: &mut Inquiry<'_>) -> Option<bool> {
        Some(witness::tells(inquiry, &["credits"], "credits").await)
    }

    /// Each question may sign the sample anew, so that a file is asked for by a fresh address.
    async fn read(&self, inquiry: &mut Inquiry<'_>) -> Result<Reading, Unread> {
        if inquiry.hasty {
            // A task is told to whoever knows its id, so that it tells nothing about the key.
            let url = inquiry.address(["credits"])?;
            let answer = inquiry.ask(&url).await?;
            if !matches!(answer.status, 404 | 410) {
                return Ok(map::account(answer.status, &answer.body));
            }
        }
        let url = map::question(inquiry.http.base(), inquiry.job.locator.as_deref(), &inquiry.job.job_id)?;
        let is_missing = |status, body: &[u8]| map::explain(status, body).is_missing();
        let answer = inquiry.ask_twice_if(&url, |answer| is_missing(answer.status, &answer.body)).await?;
        Ok(map::explain(answer.status, &answer.body))
    }
}
