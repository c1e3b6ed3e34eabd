//! Runway: tasks over `api.dev.runwayml.com`. Every look-up gives fresh addresses.

pub mod map;
mod wire;

#[cfg(test)]
mod payloads;
#[cfg(test)]
mod tests;

use async_trait::async_trait;
use makegood_domain::ports::Capability;

use super::{Document, Explained, Facts, Inquiry, KeyPlace, Protocol, Reading, Unread, Word, witness};

/// Locator of jobs that are invocations of a workflow.
const WORKFLOWS: &str = "workflow_invocations";

static FACTS: Facts = Facts {
    adapter: "runway",
    name: "Runway",
    docs_url: "https://docs.dev.runwayml.com/api/",
    key_hint: "An API key of the organization that made the tasks",
    base_url: "https://api.dev.runwayml.com",
    key: KeyPlace::BEARER,
    headers: &[("x-runway-version", "2024-11-06")],
    capability: Capability {
        look_up: true,
        list_by_time: false,
        // `cost.credits` of the task (the vendor's specification).
        cost: true,
        // `DELETE /v1/tasks/{id}`, which also deletes what has ended (the vendor's specification).
        cancel: true,
        webhook: false,
        gives_expiry: false,
    },
    delay_in: |_| None,
    not_found: Word::CancelledOrUnknown,
};

/// The protocol; the job's id is the task's, its locator `workflow_invocations` for a workflow.
#[derive(Clone, Copy, Debug)]
pub struct Runway;

#[async_trait]
impl Protocol for Runway {
    fn facts(&self) -> &'static Facts {
        &FACTS
    }

    fn explain(&self, document: &Document<'_>) -> Explained {
        map::of_document(&FACTS, document)
    }

    /// What the organisation has left (the vendor's specification).
    async fn witness(&self, inquiry: &mut Inquiry<'_>) -> Option<bool> {
        Some(witness::tells(inquiry, &["v1", "organization"], "creditBalance").await)
    }

    async fn read(&self, inquiry: &mut Inquiry<'_>) -> Result<Reading, Unread> {
        let kind = if inquiry.job.locator.as_deref() == Some(WORKFLOWS) { WORKFLOWS } else { "tasks" };
        let url = inquiry.address(["v1", kind, inquiry.job.job_id.as_str()])?;
        let answer = inquiry.ask_twice(&url).await?;
        Ok(map::explain(answer.status, &answer.body))
    }
}
