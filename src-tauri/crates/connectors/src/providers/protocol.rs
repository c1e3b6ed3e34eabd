//! What every adapter shares: from a reading to the domain's job, and from an item to its file.
//! An adapter itself is a table of facts and one function that asks and reads.

use std::collections::BTreeSet;
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use base64::engine::general_purpose::STANDARD;
use base64::read::DecoderReader;
use jiff::{SignedDuration, Timestamp};
use makegood_domain::ids::{JobId, ProviderId};
use makegood_domain::ports::{
    Capability, Descriptor, FileSink, Health, JobList, JobRef, JobWindow, KeyCheck, LastAnswer, LeftAlone, ListedJob,
    LookUp, ProviderError, ProviderPort, Retry, Start, VaultError,
};
use makegood_domain::work::{Job, JobState};
use secrecy::SecretString;
use url::Url;

use crate::http::inline::{Inline, is_left};
use crate::http::{Answer, Ask, DownloadError, Downloaded, Form, Http, Shut};

use super::explain::{Document, Explained, Word};
use super::inquiry::Inquiry;
use super::items::in_their_places;
use super::key_check::{NoSuchJob, signed};
use super::reading::{Asset, Piece, Pieces, Reading, Unread};
use super::witness;

/// What is fixed about a provider.
#[derive(Debug)]
pub struct Facts {
    /// The adapter's name in settings.
    pub adapter: &'static str,
    pub name: &'static str,
    pub docs_url: &'static str,
    pub key_hint: &'static str,
    pub base_url: &'static str,
    pub key: KeyPlace,
    pub headers: &'static [(&'static str, &'static str)],
    pub capability: Capability,
    /// Reads a wanted wait out of a refusal's body.
    pub delay_in: fn(&[u8]) -> Option<Duration>,
    /// What *not found* can mean at this provider.
    pub not_found: Word,
}

/// Where a provider wants its key.
#[derive(Clone, Copy, Debug)]
pub struct KeyPlace {
    pub header: &'static str,
    /// What stands before the key in the header, with the space between them.
    pub scheme: &'static str,
    /// Whether file hosts want the key too. They get it nowhere else.
    pub with_files: bool,
}

impl KeyPlace {
    /// As a bearer token (RFC 6750).
    pub const BEARER: Self = Self { scheme: "Bearer ", ..Self::header("authorization") };

    /// Bare, in a header of the vendor's own.
    pub const fn header(header: &'static str) -> Self {
        Self { header, scheme: "", with_files: false }
    }

    /// The same, and with files.
    pub const fn with_files(self) -> Self {
        Self { with_files: true, ..self }
    }
}

/// Bytes of a file inside an answer that are unpacked at once.
const INLINE_PIECE: usize = 48 * 1024;

/// How one provider is asked, and how its answers are read.
#[async_trait]
pub trait Protocol: Send + Sync + 'static {
    fn facts(&self) -> &'static Facts;
    /// A second address of the vendor's that can be asked as well: a history of requests, a storage.
    fn history_url(&self) -> Option<&'static str> {
        None
    }
    /// Names below which the vendor has further hosts that want the key, one a region for example.
    /// They may be asked only as long as the base is the vendor's own.
    fn regions(&self) -> &'static [&'static str] {
        &[]
    }
    /// Whether the key may be a service account of Google's, for which tokens are fetched.
    fn takes_accounts(&self) -> bool {
        false
    }
    /// What of this key goes into its header.
    fn key_form(&self, key: &SecretString) -> Form {
        let _ = key;
        Form::AsItIs
    }
    /// Asks about the job.
    ///
    /// # Errors
    /// Where there was nothing to read; that is told about the job like any reading.
    async fn read(&self, inquiry: &mut Inquiry<'_>) -> Result<Reading, Unread>;
    /// A job that can't exist, in the form of the provider's ids: asked about to learn whether the
    /// key is taken.
    fn no_such_job(&self) -> NoSuchJob {
        NoSuchJob::default()
    }
    /// Asks something that the provider answers with a success and nobody else does: whether it was so answered, or
    /// `None` where there is no such question. By default its list.
    async fn witness(&self, inquiry: &mut Inquiry<'_>) -> Option<bool> {
        if self.facts().capability.list_by_time { Some(witness::lists(self, inquiry).await) } else { None }
    }
    /// What a document says, without asking anybody.
    fn explain(&self, document: &Document<'_>) -> Explained;
    /// The same as of an instant, where that changes what it says.
    fn explain_at(&self, document: &Document<'_>, now: Timestamp) -> Explained {
        let _ = now;
        self.explain(document)
    }
    /// The jobs of a time, in the provider's order; for one whose id was lost. Only where
    /// `capability.list_by_time` says so.
    ///
    /// # Errors
    /// Where the question was not answered.
    async fn list(&self, inquiry: &mut Inquiry<'_>, window: &JobWindow) -> Result<JobList, Unread> {
        let _ = (inquiry, window);
        Err(Unread::refused(format!("{} lists no jobs", self.facts().name)))
    }
    /// Finds out about one file; by default whether its address answers.
    async fn look_at(&self, inquiry: &mut Inquiry<'_>, asset: &mut Asset) {
        inquiry.look_at(asset).await;
    }
}

/// A protocol with the connection it speaks over.
pub struct Adapter {
    pub(super) protocol: &'static dyn Protocol,
    pub(super) id: ProviderId,
    pub(super) name: Option<String>,
    pub(super) http: Http,
    pub(super) history: Option<Url>,
    /// How long a finished file is kept, in minutes; `None` where nobody states it.
    pub(super) file_minutes: Option<u32>,
}

impl Adapter {
    pub(super) fn shared(self) -> Arc<dyn ProviderPort> {
        Arc::new(self)
    }

    pub(super) fn inquiry<'a>(&'a self, job: &'a JobRef, now: Option<Timestamp>) -> Inquiry<'a> {
        let (http, facts, history) = (&self.http, self.protocol.facts(), self.history.as_ref());
        Inquiry { http, facts, job, history, now, raw: Vec::new(), inline: None, hasty: false, unanswered: None }
    }

    /// The file of one item, by a fresh look-up, and all files that came inside the answer to that.
    async fn find_asset(&self, job: &JobRef, item: u32) -> Result<(Asset, Option<Inline>), ProviderError> {
        let mut inquiry = self.inquiry(job, None);
        let reading = self.protocol.read(&mut inquiry).await.unwrap_or_else(Reading::from);
        let reading = inquiry.believed(reading);
        let inline = inquiry.inline.take();
        let words = reading.error.unwrap_or_else(|| "no reason was given".to_owned());
        let fail = |what: String, retry, gone| Err(self.error("look-up", &what, retry, gone));
        match (reading.state, reading.pieces) {
            (JobState::Succeeded, Pieces::Gone) => {
                fail("the file is no longer kept".to_owned(), Retry::Permanent, true)
            }
            (JobState::Succeeded, Pieces::Listed(pieces)) => {
                let index = usize::try_from(item.saturating_sub(1)).unwrap_or(usize::MAX);
                if let [Piece::File(asset)] = &pieces[..]
                    && self.is_archive(asset, job.items()).await
                {
                    return Ok((Asset { member: Some(item), ..asset.clone() }, None));
                }
                match in_their_places(pieces, job.items()).into_iter().nth(index) {
                    Some(Piece::File(asset)) => Ok((asset, inline)),
                    _ => fail(format!("item {item} has no file"), Retry::Permanent, false),
                }
            }
            (JobState::Succeeded, Pieces::Unlisted) => fail(words, Retry::Unknown, false),
            (JobState::NotFound, _) => fail(format!("the job is not found: {words}"), Retry::Permanent, true),
            (JobState::LookupFailed, _) => fail(words, Retry::Temporary, false),
            (JobState::Unrecognised, _) => fail(words, Retry::Unknown, false),
            (JobState::Queued | JobState::Processing, _) => {
                fail("the job is not done".to_owned(), Retry::Temporary, false)
            }
            (_, _) => fail(format!("the job made no file: {words}"), Retry::Permanent, false),
        }
    }

    async fn transfer(
        &self,
        (asset, inline): &(Asset, Option<Inline>),
        sink: &mut dyn FileSink,
    ) -> Result<Option<String>, Missed> {
        if let Some(address) = asset.url.strip_prefix("data:") {
            return self.unpack(address, inline.as_ref(), sink).await.map_err(Missed::from);
        }
        if let Some(item) = asset.member {
            return self.unpack_member(asset, item, sink).await;
        }
        let fail = |what: &str, retry, gone| Err(Missed::from(self.error("download", what, retry, gone)));
        let url = match self.http.guard().read(&asset.url) {
            Ok(url) => url,
            Err(refusal) => return fail(&refusal.to_string(), Retry::Permanent, false),
        };
        let ask = Ask::new(url, self.protocol.facts().key.with_files);
        match self.http.download(&ask, sink).await {
            Ok(Downloaded::Whole { media_type, .. }) => Ok(media_type),
            Ok(Downloaded::Answer(answer)) => {
                let (retry, gone) = meaning_of_refusal(&answer);
                let error =
                    self.error("download", &format!("HTTP {} in place of the file", answer.status), retry, gone);
                Err(Missed { error, is_refused: matches!(answer.status, 403 | 404 | 410) })
            }
            Err(DownloadError::Http(error)) => {
                let retry = if error.is_temporary() { Retry::Temporary } else { Retry::Permanent };
                fail(&error.to_string(), retry, false)
            }
            Err(DownloadError::Sink(error)) => fail(&error.to_string(), Retry::Unknown, false),
        }
    }

    /// A file that came inside the answer, from its text or from what that was taken out of.
    async fn unpack(
        &self,
        address: &str,
        inline: Option<&Inline>,
        sink: &mut dyn FileSink,
    ) -> Result<Option<String>, ProviderError> {
        let broken = |what: &str| self.error("download", what, Retry::Permanent, false);
        let (head, text) = address.split_once(";base64,").ok_or_else(|| broken("a data address without base64"))?;
        let mut bytes: Box<dyn Read + Send + '_> = match inline.filter(|_| is_left(text)) {
            Some(inline) => Box::new(inline.file(text).map_err(|_| broken("the answer lacks the file that it names"))?),
            None => Box::new(DecoderReader::new(text.trim().as_bytes(), &STANDARD)),
        };
        let kept = |error: VaultError| self.error("download", &error.to_string(), Retry::Unknown, false);
        sink.starts(&Start::default()).await.map_err(kept)?;
        let mut piece = vec![0; INLINE_PIECE];
        loop {
            match bytes.read(&mut piece) {
                Ok(0) => break,
                Ok(read) => sink.write(&piece[..read]).await.map_err(kept)?,
                Err(_) => return Err(broken("a data address that is not base64")),
            }
        }
        // `image/png;charset=…`: what follows the type says nothing of these bytes.
        Ok(head.split(';').next().map(str::to_owned))
    }

    pub(super) fn error(&self, operation: &'static str, message: &str, retry: Retry, gone: bool) -> ProviderError {
        ProviderError { provider: self.id.clone(), operation, message: self.http.shown(message), retry, gone }
    }
}

#[async_trait]
impl ProviderPort for Adapter {
    fn descriptor(&self) -> Descriptor {
        let facts = self.protocol.facts();
        Descriptor {
            id: self.id.clone(),
            name: self.name.clone().unwrap_or_else(|| facts.name.to_owned()),
            docs_url: facts.docs_url.to_owned(),
            key_hint: facts.key_hint.to_owned(),
        }
    }

    fn capability(&self) -> Capability {
        self.protocol.facts().capability.clone()
    }

    fn keeps(&self) -> Option<SignedDuration> {
        self.file_minutes.map(|minutes| SignedDuration::from_mins(i64::from(minutes)))
    }

    async fn find_job(&self, job: &JobRef, now: Timestamp) -> LookUp {
        let mut inquiry = self.inquiry(job, Some(now));
        let reading = self.protocol.read(&mut inquiry).await.unwrap_or_else(Reading::from);
        let reading = inquiry.believed(reading);
        let mut reading = self.witnessed(&mut inquiry, reading).await;
        let items = self.items(&mut inquiry, &mut reading).await;
        let job = Job {
            id: job.job_id.clone(),
            run_id: job.run_id.clone(),
            provider_id: job.provider_id.clone(),
            submitted_at: job.submitted_at,
            state: reading.state,
            processing_started_at: reading.started_at,
            finished_at: reading.finished_at,
            items,
            error: reading.error.map(|words| self.http.shown(&words)),
            looked_up_at: Some(now),
            locator: job.locator.clone(),
        };
        LookUp { job, raw: inquiry.raw }
    }

    async fn list_jobs(&self, window: &JobWindow, now: Timestamp) -> JobList {
        let nobody = JobRef {
            provider_id: self.id.clone(),
            job_id: JobId::new(""),
            run_id: window.run_id.clone(),
            locator: window.locator.clone(),
            requested_items: 0,
            submitted_at: window.since,
        };
        let mut inquiry = self.inquiry(&nobody, Some(now));
        let listed = self.protocol.list(&mut inquiry, window).await;
        let raw = inquiry.raw;
        match listed {
            Ok(list) => {
                JobList { jobs: each_once(list.jobs), why: list.why.map(|why| self.http.shown(&why)), raw, ..list }
            }
            Err(unread) => JobList { why: Some(self.http.shown(&unread.why)), raw, ..JobList::default() },
        }
    }

    async fn check(&self, now: Timestamp) -> KeyCheck {
        self.check_key(now).await
    }

    fn health(&self) -> Health {
        let fare = self.http.fare();
        let last = fare.last.map(|last| LastAnswer {
            ago: signed(fare.now.saturating_sub(last.at)),
            took: signed(last.took),
            status: last.outcome.as_ref().ok().copied(),
            key_taken: last.key_taken,
            why: last.outcome.err().map(|error| self.http.shown(&error.to_string())).unwrap_or_default(),
        });
        let left_alone = fare.gate.shut.map(|(why, time)| match why {
            Shut::Asked => (LeftAlone::Asked, signed(time)),
            Shut::Failing => (LeftAlone::Failing, signed(time)),
        });
        Health {
            last,
            retries_left: fare.gate.retries_left,
            retries_max: fare.gate.retries_max,
            failures: fare.gate.failures,
            failures_max: fare.gate.failures_max,
            left_alone,
        }
    }

    fn reset(&self) {
        self.http.reset();
    }

    async fn fetch(&self, job: &JobRef, item: u32, sink: &mut dyn FileSink) -> Result<Option<String>, ProviderError> {
        let found = self.find_asset(job, item).await?;
        let missed = match self.transfer(&found, sink).await {
            Err(missed) if missed.is_refused => missed.error,
            done => return done.map_err(|missed| missed.error),
        };
        // Signed addresses live for minutes: the job tells another one, if the file is still there. That it is gone is
        // believed when it is seen twice.
        tracing::debug!(provider = %self.id, why = %missed.message, "asking for a fresh address of a file");
        if missed.gone {
            self.inquiry(job, None).wait_a_moment().await;
        }
        let fresh = self.find_asset(job, item).await?;
        self.transfer(&fresh, sink).await.map_err(|missed| missed.error)
    }
}

/// Why a file did not come from its address.
pub(super) struct Missed {
    pub(super) error: ProviderError,
    /// The address itself was refused: it may be stale.
    pub(super) is_refused: bool,
}

impl From<ProviderError> for Missed {
    fn from(error: ProviderError) -> Self {
        Self { error, is_refused: false }
    }
}

/// A list moves on while it is read, and what was on one page is on the next one too.
fn each_once(jobs: Vec<ListedJob>) -> Vec<ListedJob> {
    let mut seen = BTreeSet::new();
    jobs.into_iter().filter(|job| seen.insert(job.job_id.clone())).collect()
}

/// What an answer in place of a file means. The address was fresh, so 403 is not an expired one:
/// it may be the key, or a file that is gone, and nobody tells which.
pub(super) fn meaning_of_refusal(answer: &Answer) -> (Retry, bool) {
    match answer.status {
        404 | 410 => (Retry::Permanent, true),
        401 => (Retry::Permanent, false),
        403 => (Retry::Unknown, false),
        408 | 425 | 429 | 500.. => (Retry::Temporary, false),
        _ => (Retry::Permanent, false),
    }
}
