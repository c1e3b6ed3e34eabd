//! Stability: generations whose state is the HTTP status, and whose result is the answer itself.

pub mod map;
mod wire;

#[cfg(test)]
mod payloads;
#[cfg(test)]
mod tests;

use async_trait::async_trait;
use makegood_domain::ports::Capability;
use url::Url;

use crate::http::{Answer, Ask};

use super::inquiry::below;
use super::{
    Asset, Document, Explained, Facts, FileKind, Inquiry, KeyPlace, NoSuchJob, Protocol, Reading, Unread, Word, witness,
};

/// Bytes of a result that comes inside JSON.
const LONGEST: u64 = 64 * 1024 * 1024;

static FACTS: Facts = Facts {
    adapter: "stability",
    name: "Stability AI",
    docs_url: "https://platform.stability.ai/docs/api-reference",
    key_hint: "The API key, sk-…, that the generations were started with: another one does not find them",
    base_url: "https://api.stability.ai",
    key: KeyPlace::BEARER.with_files(),
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

/// The protocol; the job's id is the generation's, its locator the service that was called.
#[derive(Clone, Copy, Debug)]
pub struct Stability;

#[async_trait]
impl Protocol for Stability {
    fn facts(&self) -> &'static Facts {
        &FACTS
    }

    fn no_such_job(&self) -> NoSuchJob {
        NoSuchJob { id: "0000000000000000000000000000000000000000000000000000000000000000", locator: None }
    }

    /// Results in JSON or as they are, refusals, and the account's balance.
    fn explain(&self, document: &Document<'_>) -> Explained {
        let json = document.json();
        if document.status == 200 && json["credits"].is_number() && json.get("id").is_none() {
            return Explained::of(&FACTS, Word::Billing);
        }
        Explained::job(&FACTS, map::explain(document.status, document.body))
    }

    /// The account's balance.
    async fn witness(&self, inquiry: &mut Inquiry<'_>) -> Option<bool> {
        Some(witness::tells(inquiry, &["v1", "user", "balance"], "credits").await)
    }

    /// Looks only at the answer's head where it is the file: the bytes are fetched when they are
    /// wanted, from the same address.
    async fn read(&self, inquiry: &mut Inquiry<'_>) -> Result<Reading, Unread> {
        let path = map::result_path(inquiry.job.locator.as_deref());
        let url = below(inquiry.http.base(), path.into_iter().chain([inquiry.job.job_id.as_str()]))?;
        let answer = inquiry.glance_twice(&url).await?;
        let media_type = answer.media_type().unwrap_or_default();
        match answer.status {
            202 => Ok(map::explain(202, b"")),
            200 | 206 if is_file(&media_type) => Ok(map::of_file(finish_reason(&answer), at(&url, &answer))),
            200..=299 => {
                let answer = inquiry.pose(&Ask::new(url, true).holding_files(LONGEST, inquiry.is_fetching())).await?;
                Ok(map::explain(answer.status, &answer.body))
            }
            status => Ok(map::explain(status, &answer.body)),
        }
    }
}

fn is_file(media_type: &str) -> bool {
    ["video/", "image/", "audio/", "model/", "application/octet-stream"].iter().any(|kind| media_type.starts_with(kind))
}

fn finish_reason(answer: &Answer) -> Option<&str> {
    answer.headers.get("finish-reason")?.to_str().ok()
}

fn at(url: &Url, answer: &Answer) -> Asset {
    let kind = answer.media_type().as_deref().and_then(FileKind::of_media_type);
    Asset { url: url.to_string(), bytes: answer.file_bytes(), exists_now: Some(true), kind, ..Asset::default() }
}
