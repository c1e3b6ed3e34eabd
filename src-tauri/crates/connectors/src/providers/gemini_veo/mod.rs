//! Veo on the Gemini API: long-running operations, and files that need the key.

pub mod map;
mod wire;

#[cfg(test)]
mod payloads;
#[cfg(test)]
mod tests;

use async_trait::async_trait;
use makegood_domain::ports::Capability;

use super::{Asset, Document, Explained, Facts, Inquiry, KeyPlace, NoSuchJob, Protocol, Reading, Unread, Word, veo};

static FACTS: Facts = Facts {
    adapter: "gemini_veo",
    name: "Veo (Gemini API)",
    docs_url: "https://ai.google.dev/gemini-api/docs/video",
    key_hint: "An API key of the Google project that made the videos: files of another project look deleted",
    base_url: "https://generativelanguage.googleapis.com/v1beta",
    key: KeyPlace::header("x-goog-api-key").with_files(),
    headers: &[],
    capability: Capability {
        look_up: true,
        list_by_time: false,
        cost: false,
        cancel: false,
        webhook: true,
        gives_expiry: true,
    },
    delay_in: veo::delay_in,
    not_found: Word::ExpiredOrUnknown,
};

/// The protocol. The job's id is the operation's name, `models/…/operations/…`; or only its last
/// part, and the model path is the locator.
#[derive(Clone, Copy, Debug)]
pub struct Veo;

#[async_trait]
impl Protocol for Veo {
    fn facts(&self) -> &'static Facts {
        &FACTS
    }

    fn no_such_job(&self) -> NoSuchJob {
        NoSuchJob { id: "models/veo-3.0-generate-001/operations/nosuchoperation0", locator: None }
    }

    /// Operations, files of the Files API, lists, and events.
    fn explain(&self, document: &Document<'_>) -> Explained {
        map::of_document(&FACTS, document)
    }

    async fn read(&self, inquiry: &mut Inquiry<'_>) -> Result<Reading, Unread> {
        let name = match (inquiry.job.job_id.as_str(), inquiry.job.locator.as_deref()) {
            (id, Some(model)) if !id.contains('/') => format!("{}/operations/{id}", model.trim_matches('/')),
            (id, _) => id.to_owned(),
        };
        let url = inquiry.address(name.split('/'))?;
        let answer = inquiry.ask_twice(&url).await?;
        let reading = map::explain(answer.status, &answer.body);
        // Asked by its whole name, an operation known by its last part answers with the whole.
        let asked = reading.about.as_ref().is_some_and(|about| about.as_str() == name);
        Ok(Reading { about: if asked { None } else { reading.about }, ..reading })
    }

    /// The Files API tells length and deadline; where it does not know the file, its download
    /// address has the last word. Of a file that is being processed, or could not be, nothing is known: its address
    /// answers as if there were none, and that is no word about the job.
    async fn look_at(&self, inquiry: &mut Inquiry<'_>, asset: &mut Asset) {
        let path = inquiry.http.guard().read(&asset.url).map(|url| url.path().to_owned()).unwrap_or_default();
        if let Some(Ok(url)) = map::file_id(&path).map(|id| inquiry.address(["files", id]))
            && let Ok(answer) = inquiry.ask(&url).await
            && map::note_file(answer.status, &answer.body, asset) != map::Told::Nothing
        {
            return;
        }
        inquiry.look_at(asset).await;
    }
}
