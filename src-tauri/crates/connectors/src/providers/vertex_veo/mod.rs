//! Veo on Vertex AI: long-running operations that are asked about by POST, and files in a bucket of
//! the customer's own, or inside the answer.

pub mod lifecycle;
pub mod map;
mod wire;

#[cfg(test)]
mod payloads;
#[cfg(test)]
mod tests;

use async_trait::async_trait;
use jiff::Timestamp;
use makegood_domain::ports::Capability;
use makegood_domain::work::JobState;
use serde_json::json;
use url::Url;

use super::inquiry::below;
use super::{
    Asset, Document, Explained, Facts, Inquiry, KeyPlace, NoSuchJob, Piece, Pieces, Protocol, Reading, Unread, Word,
    veo,
};
use crate::http::{Ask, is_below};

/// The JSON API of Cloud Storage; its XML API takes the same token, and tells less.
const STORAGE: &str = "https://storage.googleapis.com/storage/v1";

/// Where several videos come inside one answer, it is tens of megabytes long.
const LONGEST_ANSWER: u64 = 64 * 1024 * 1024;

/// The model of nobody's operation. Vertex answers 401 where it does not take the token, and 403
/// where it does and there is no such project.
const NO_MODEL: &str = "projects/makegood-asks-for-no-project/locations/us-central1/publishers/google/models/veo";

static FACTS: Facts = Facts {
    adapter: "vertex_veo",
    name: "Veo (Vertex AI)",
    docs_url: "https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/veo-video-generation",
    key_hint: "The JSON key of a service account that may use Vertex AI and read the bucket; or an access token, good for an hour",
    base_url: "https://us-central1-aiplatform.googleapis.com/v1",
    key: KeyPlace::BEARER.with_files(),
    headers: &[],
    capability: Capability {
        look_up: true,
        list_by_time: false,
        cost: false,
        cancel: false,
        webhook: false,
        gives_expiry: true,
    },
    delay_in: veo::delay_in,
    not_found: Word::ExpiredOrUnknown,
};

/// The protocol. The job's id is the operation's whole name, `projects/…/operations/…`; or only its
/// last part, and the model's path is the locator.
#[derive(Clone, Copy, Debug)]
pub struct Veo;

#[async_trait]
impl Protocol for Veo {
    fn facts(&self) -> &'static Facts {
        &FACTS
    }

    fn history_url(&self) -> Option<&'static str> {
        Some(STORAGE)
    }

    fn takes_accounts(&self) -> bool {
        true
    }

    fn no_such_job(&self) -> NoSuchJob {
        NoSuchJob { locator: Some(NO_MODEL), ..NoSuchJob::default() }
    }

    /// Operations, and objects of the storage.
    fn explain(&self, document: &Document<'_>) -> Explained {
        map::explain(&FACTS, document)
    }

    async fn read(&self, inquiry: &mut Inquiry<'_>) -> Result<Reading, Unread> {
        let name = map::Name::read(inquiry.job.job_id.as_str(), inquiry.job.locator.as_deref());
        let name = name.ok_or_else(|| {
            Unread::refused(
                "Vertex is asked by an operation's whole name, projects/…/operations/…, and the run keeps none",
            )
        })?;
        let url = question(inquiry, &name)?;
        let body = json!({ "operationName": name.whole() }).to_string();
        let ask = Ask::new(url, true).posting("application/json", body);
        let ask = ask.holding_files(LONGEST_ANSWER, inquiry.is_fetching());
        let answer = inquiry.pose_twice(&ask).await?;
        let mut reading = veo::explain(answer.status, &answer.body);
        if answer.status == 403 && name.model == NO_MODEL {
            return Ok(Reading { cause: None, state: JobState::NotFound, ..reading });
        }
        if reading.about.as_ref().is_some_and(|about| name.is_of(about.as_str())) {
            reading.about = None;
        }
        let storage = storage(inquiry);
        if let (Pieces::Listed(pieces), Some(storage)) = (&mut reading.pieces, storage) {
            pieces.iter_mut().for_each(|piece| lead_to(&storage, piece));
        }
        Ok(reading)
    }

    /// The storage tells the length of an object, and the bucket until when it keeps it; where they do
    /// not say, its address has the last word.
    async fn look_at(&self, inquiry: &mut Inquiry<'_>, asset: &mut Asset) {
        let known = inquiry.http.guard().read(&asset.url).ok().filter(|url| url.query() == Some(MEDIA));
        if let Some(mut url) = known {
            url.set_query(None);
            match inquiry.ask(&url).await.map(|answer| map::object_of(answer.status, &answer.body)) {
                Ok(map::Found::There(found)) => {
                    let available_until = kept_until(inquiry, &url, &found).await;
                    *asset = Asset { url: std::mem::take(&mut asset.url), available_until, ..found };
                    return;
                }
                Ok(map::Found::Gone) => {
                    asset.exists_now = Some(false);
                    return;
                }
                Ok(map::Found::Untold) | Err(_) => {}
            }
        }
        inquiry.look_at(asset).await;
    }
}

/// Asks the bucket of an object that is there for its rules. Whoever may read objects need not be
/// allowed to read those: then nothing is known of a deadline.
async fn kept_until(inquiry: &mut Inquiry<'_>, object: &Url, found: &Asset) -> Option<Timestamp> {
    let (_, name) = map::object(&found.url)?;
    let (bucket, _) = object.as_str().rsplit_once("/o/")?;
    let url = Url::parse_with_params(bucket, [("fields", "lifecycle")]).ok()?;
    let answer = inquiry.ask(&url).await.ok()?;
    lifecycle::deadline(answer.status, &answer.body, name, found.finished_at?)
}

/// Asks the storage for the file, and not for what is known of it.
const MEDIA: &str = "alt=media";

/// Where the operation is asked about: the host of its location, unless the operator named another
/// than Google's.
fn question(inquiry: &Inquiry<'_>, name: &map::Name) -> Result<Url, Unread> {
    let mut base = inquiry.http.base().clone();
    if is_vendors(&base)
        && let Some(host) = name.host()
    {
        base.set_host(Some(&host)).map_err(|_| Unread::refused(format!("{host} is no host")))?;
    }
    below(&base, format!("{}:fetchPredictOperation", name.model).split('/'))
}

/// The storage that `gs://` addresses lead to: the one that is set, Google's own, or that of whoever
/// stands in for Google.
fn storage(inquiry: &Inquiry<'_>) -> Option<Url> {
    if let Some(set) = inquiry.history {
        return Some(set.clone());
    }
    let base = inquiry.http.base();
    if is_vendors(base) { Url::parse(STORAGE).ok() } else { base.join("/storage/v1").ok() }
}

fn is_vendors(base: &Url) -> bool {
    base.scheme() == "https" && base.host_str().is_some_and(|host| is_below(host, "googleapis.com"))
}

fn lead_to(storage: &Url, piece: &mut Piece) {
    if let Piece::File(asset) = piece
        && let Some(mut url) = map::object_url(storage, &asset.url)
    {
        url.set_query(Some(MEDIA));
        asset.url = url.into();
    }
}
