//! The Luma Agents API: generations over `agents.lumalabs.ai`, another service than the Dream
//! Machine, with other hosts, keys and words.

pub mod map;
mod wire;

#[cfg(test)]
mod payloads;
#[cfg(test)]
mod tests;

use async_trait::async_trait;
use makegood_domain::ports::Capability;

use super::{Document, Explained, Facts, Inquiry, KeyPlace, Protocol, Reading, Unread, Word};

static FACTS: Facts = Facts {
    adapter: "luma_agents",
    name: "Luma Agents",
    docs_url: "https://docs.agents.lumalabs.ai/",
    key_hint: "An API key of the Luma Agents account; one of the Dream Machine is another",
    base_url: "https://agents.lumalabs.ai/v1",
    key: KeyPlace::BEARER,
    headers: &[],
    capability: Capability {
        look_up: true,
        list_by_time: false,
        cost: false,
        cancel: false,
        webhook: false,
        gives_expiry: false,
    },
    delay_in: |_| None,
    not_found: Word::ExpiredOrUnknown,
};

/// The protocol; the job's id is the generation's.
#[derive(Clone, Copy, Debug)]
pub struct LumaAgents;

#[async_trait]
impl Protocol for LumaAgents {
    fn facts(&self) -> &'static Facts {
        &FACTS
    }

    fn explain(&self, document: &Document<'_>) -> Explained {
        map::of_document(&FACTS, document)
    }

    async fn read(&self, inquiry: &mut Inquiry<'_>) -> Result<Reading, Unread> {
        let url = inquiry.address(["generations", inquiry.job.job_id.as_str()])?;
        let answer = inquiry.ask_twice(&url).await?;
        Ok(map::explain(answer.status, &answer.body))
    }
}
