//! Replicate: predictions over `api.replicate.com/v1`.

pub mod map;
mod wire;

#[cfg(test)]
mod tests;

use async_trait::async_trait;
use makegood_domain::ports::Capability;

use super::{Facts, Inquiry, Protocol, Reading, Unread};

static FACTS: Facts = Facts {
    adapter: "replicate",
    name: "Replicate",
    docs_url: "https://replicate.com/docs/reference/http",
    key_hint: "An API token, r8_…, of the account that made the predictions",
    base_url: "https://api.replicate.com/v1",
    file_hosts: &["replicate.delivery"],
    key_header: "authorization",
    key_scheme: "Bearer ",
    // The vendor's specification asks for the token on downloads too.
    key_with_files: true,
    headers: &[],
    capability: Capability {
        look_up: true,
        list_by_time: false,
        cost: false,
        cancel: false,
        webhook: false,
        gives_expiry: false,
    },
    delay_in: map::delay_in,
};

/// The protocol; the job's id is the prediction's.
#[derive(Clone, Copy, Debug)]
pub struct Replicate;

#[async_trait]
impl Protocol for Replicate {
    fn facts(&self) -> &'static Facts {
        &FACTS
    }

    async fn read(&self, inquiry: &mut Inquiry<'_>) -> Result<Reading, Unread> {
        let url = inquiry.address(["predictions", inquiry.job.job_id.as_str()])?;
        let answer = inquiry.ask_twice(&url).await?;
        let guard = inquiry.http.guard();
        Ok(map::explain(answer.status, &answer.body, &|text| guard.read(text).is_ok()))
    }
}
