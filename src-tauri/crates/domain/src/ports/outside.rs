//! Providers, the vault, clocks, ids and readers.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Health, KeyCheck};
use crate::ids::{JobId, ProviderId, RunId};
use crate::keeping::VaultFile;
use crate::media::MediaFacts;
use crate::plan::StoredFile;
use crate::support::{Claim, Ticket};
use crate::work::{Job, JobState, Model, Project, RUN_ITEMS_MAX};

/// The only source of the present.
#[async_trait]
pub trait Clock: Send + Sync {
    fn now(&self) -> Timestamp;
    /// Ends at `instant`, or at once where that has passed. A clock that somebody sets wakes nobody: what
    /// waits for it and for something else waits for the something.
    async fn sleep_until(&self, instant: Timestamp) {
        if self.now() < instant {
            std::future::pending::<()>().await;
        }
    }
}

/// The only source of new ids. Random, never guessable from one another.
pub trait Ids: Send + Sync {
    /// A new UUIDv7 as text.
    fn new_id(&self) -> String;
}

/// What a reader knows of the world besides the ticket: the names that can be recognised in it.
#[derive(Clone, Debug, Default)]
pub struct ReadingContext {
    pub models: Vec<Model>,
    /// Projects in the requester's scope, for names written without an id.
    pub projects: Vec<Project>,
}

/// Ticket to claim. The rules of `reading` are one reader; a language model can be another.
#[async_trait]
pub trait Reader: Send + Sync {
    /// Kept with every claim: `rules`, `given`.
    fn name(&self) -> &str;
    /// Reads a ticket. A reader never fails on odd text: what it can't read it leaves out.
    ///
    /// # Errors
    /// When the reader itself cannot work, a remote one for instance.
    async fn read(&self, ticket: &Ticket, context: &ReadingContext) -> Result<Claim, ReaderError>;
}

#[derive(Debug, thiserror::Error)]
#[error("the reader `{reader}` could not read ticket {ticket}: {why}")]
pub struct ReaderError {
    pub reader: String,
    pub ticket: String,
    pub why: String,
}

/// What a provider adapter can do, as data: callers ask it, conformance tests are chosen by it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capability {
    pub look_up: bool,
    pub list_by_time: bool,
    /// The vendor tells what a job cost: in money, in credits, or in the units that it bills. Nothing here asks.
    pub cost: bool,
    /// The vendor lets a job be cancelled. Nothing here does: nothing is ever changed at a provider.
    pub cancel: bool,
    pub webhook: bool,
    /// The provider itself tells a file's deadline.
    pub gives_expiry: bool,
}

/// How a provider presents itself in settings and evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Descriptor {
    pub id: ProviderId,
    pub name: String,
    pub docs_url: String,
    pub key_hint: String,
}

/// What we know about a job before asking: enough to find it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobRef {
    pub provider_id: ProviderId,
    pub job_id: JobId,
    pub run_id: RunId,
    /// Endpoint or model path kept at submission.
    pub locator: Option<String>,
    pub requested_items: u32,
    pub submitted_at: Timestamp,
}

impl JobRef {
    /// How many items are followed: what was asked for, within [`RUN_ITEMS_MAX`], whatever the row says.
    #[must_use]
    pub fn items(&self) -> u32 {
        self.requested_items.min(RUN_ITEMS_MAX)
    }
}

/// An answer as it came, for showing. Bodies are cut at a limit and keys are taken out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RawAnswer {
    pub url: String,
    /// HTTP status; 0 where no answer came.
    pub status: u16,
    pub body: String,
    pub fetched_at: Timestamp,
}

/// The outcome of a look-up: always a `Job` (a failed look-up is `JobState::LookupFailed`) with
/// the raw answers behind it.
#[derive(Clone, Debug, PartialEq)]
pub struct LookUp {
    pub job: Job,
    pub raw: Vec<RawAnswer>,
}

/// When a job was asked for whose id was lost, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobWindow {
    pub run_id: RunId,
    /// Endpoint or model path kept at submission.
    pub locator: Option<String>,
    pub since: Timestamp,
    pub until: Timestamp,
}

/// A job as a provider lists it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedJob {
    pub job_id: JobId,
    pub state: JobState,
    pub created_at: Option<Timestamp>,
    pub model: Option<String>,
    pub prompt: Option<String>,
    /// An id of ours that went with the request, or the provider's of the request itself.
    pub reference: Option<String>,
}

/// The jobs that a provider lists for a time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobList {
    pub jobs: Vec<ListedJob>,
    /// Whether the list was read to the end of the time asked for.
    pub is_whole: bool,
    /// Why there is no list, or only a part of it. For agents.
    pub why: Option<String>,
    pub raw: Vec<RawAnswer>,
}

/// Whether trying again can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Retry {
    Temporary,
    Permanent,
    Unknown,
}

/// A failed transfer. `message` is for agents: what and where, no keys, no signed addresses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{operation} at {provider}: {message}")]
pub struct ProviderError {
    pub provider: ProviderId,
    pub operation: &'static str,
    pub message: String,
    pub retry: Retry,
    /// The file is definitely no longer there.
    pub gone: bool,
}

/// What lies here of a file, of an earlier attempt that broke off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// How many of its first bytes.
    pub bytes: u64,
    /// Its whole length, where the server told it.
    pub total: Option<u64>,
    /// The version that they are of: a strong `ETag` (RFC 9110, 8.8.3), as the server wrote it. `None`
    /// where it gave none: then these bytes can't be added to.
    pub tag: Option<String>,
}

impl Held {
    /// Whether nothing is missing.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.bytes > 0 && self.total == Some(self.bytes)
    }
}

/// Which bytes of a file come next, and of which version of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Start {
    /// The first of them.
    pub from: u64,
    /// Length of the whole file, where the server tells it.
    pub total: Option<u64>,
    /// A strong `ETag`, where the server gives one.
    pub tag: Option<String>,
}

/// Receives a file while it arrives; hashes and limits are the receiver's work.
#[async_trait]
pub trait FileSink: Send {
    /// What lies here already, if that can be added to or is whole.
    fn held(&self) -> Option<Held> {
        None
    }
    /// Tells which bytes the following writes bring. From where the held bytes end, in the same version, they are
    /// added to; from 0, whatever was here is forgotten. Called before the first write, and again wherever
    /// a transfer begins anew.
    ///
    /// # Errors
    /// When the bytes belong neither at the end of what is here nor at the beginning of the file, or cannot be kept.
    async fn starts(&mut self, start: &Start) -> Result<(), VaultError>;
    /// # Errors
    /// When the bytes cannot be kept.
    async fn write(&mut self, chunk: &[u8]) -> Result<(), VaultError>;
}

/// A provider of generations.
#[async_trait]
pub trait ProviderPort: Send + Sync {
    fn descriptor(&self) -> Descriptor;
    fn capability(&self) -> Capability;
    /// How long it keeps a finished file, as it states; `None` where nobody knows.
    fn keeps(&self) -> Option<SignedDuration> {
        None
    }
    /// Asks about one job. Never fails: what could not be asked is a fact as well.
    async fn find_job(&self, job: &JobRef, now: Timestamp) -> LookUp;
    /// The jobs of a time, for a run whose job's id was lost. Never fails: why there is no list is
    /// told in it.
    async fn list_jobs(&self, window: &JobWindow, now: Timestamp) -> JobList {
        let _ = (window, now);
        JobList { why: Some(format!("{} lists no jobs", self.descriptor().name)), ..JobList::default() }
    }
    /// Asks whether the provider takes our key, by a question that changes nothing. Never fails: what
    /// came in the place of an answer is told in it.
    async fn check(&self, now: Timestamp) -> KeyCheck {
        let _ = now;
        KeyCheck::not_asked(format!("{} has no question that would tell", self.descriptor().name))
    }
    /// How the connection fares.
    fn health(&self) -> Health {
        Health::default()
    }
    /// Forgets failures and fills the budget of retries. A pause that the provider asked for is kept.
    fn reset(&self) {}
    /// Fetches one item's file into `sink`, asking for a fresh address where it is stale.
    /// Returns the declared media type, if any.
    ///
    /// # Errors
    /// With `gone` where the provider no longer has it.
    async fn fetch(&self, job: &JobRef, item: u32, sink: &mut dyn FileSink) -> Result<Option<String>, ProviderError>;
}

/// Finds the adapter of a provider by the catalogue's id.
pub trait Providers: Send + Sync {
    fn get(&self, id: &ProviderId) -> Option<std::sync::Arc<dyn ProviderPort>>;
    fn all(&self) -> Vec<Descriptor>;
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    #[error("the vault can't write {what}: {why}")]
    Write { what: String, why: String },
    #[error("the vault can't read {what}: {why}")]
    Read { what: String, why: String },
    /// The vault was asked and has no such file; one that could not be asked has said nothing.
    #[error("the vault can't read {what}: it is not there")]
    Missing { what: String },
    #[error("the file is longer than the limit of {limit_bytes} bytes")]
    TooLong { limit_bytes: u64 },
    #[error("the file is not what was promised: {why}")]
    NotAsPromised { why: String },
    #[error("the file did not arrive in time")]
    Late,
}

/// Which file is on its way: attempts with the same key bring the same file, and go on where the last one broke off.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TransitKey {
    pub provider_id: ProviderId,
    pub job_id: JobId,
    pub item: u32,
}

/// A file on its way into the vault. Nothing of it is visible before `commit`. Dropped before that, what arrived
/// is kept for the next attempt, for a day.
#[async_trait]
pub trait Incoming: FileSink {
    /// Whether another attempt has this file in its hands just now. Then nothing of it is seen here, and that says
    /// nothing of what is there.
    fn is_anothers(&self) -> bool {
        false
    }
    /// Looks into what arrived, checks it against what was promised, and keeps it under its hash.
    /// `bytes` 0 and an empty prefix promise nothing.
    ///
    /// # Errors
    /// `NotAsPromised` for a wrong length or hash, an empty file, or something that is no media file. No later attempt
    /// goes on from what was refused.
    async fn commit(self: Box<Self>, bytes: u64, sha256_prefix: &str) -> Result<StoredFile, VaultError>;
    /// Leaves nothing of what arrived: the transfer was cancelled.
    ///
    /// # Errors
    /// When it can't be deleted; it is then deleted after a day.
    async fn discard(self: Box<Self>) -> Result<(), VaultError>;
}

/// Where recovered files live, by content.
#[async_trait]
pub trait Vault: Send + Sync {
    /// Goes on with this file, or begins it. Where another program is bringing the same one, this attempt works by
    /// itself, from the first byte.
    ///
    /// # Errors
    /// When nothing can be written.
    async fn begin(&self, key: &TransitKey) -> Result<Box<dyn Incoming>, VaultError>;
    /// Reads the file again and returns its true length and hash: the proof after an action.
    ///
    /// # Errors
    /// `Missing` where it is not there, `NotAsPromised` where it is damaged; any other says nothing about the file.
    async fn verify(&self, sha256: &str) -> Result<StoredFile, VaultError>;
    /// What a file says of itself: how long it plays, how large it is, how it is coded.
    ///
    /// # Errors
    /// When it is not there, cannot be read, or is no whole media file.
    async fn inspect(&self, sha256: &str) -> Result<MediaFacts, VaultError> {
        Err(VaultError::Read { what: sha256.to_owned(), why: "this vault does not look into files".to_owned() })
    }
    /// The bytes, for showing. `limit_bytes` guards the caller's memory.
    ///
    /// # Errors
    /// When it is not there, cannot be read, or is longer than the limit.
    async fn read(&self, sha256: &str, limit_bytes: u64) -> Result<Vec<u8>, VaultError>;
    /// Where it is, for people.
    fn place(&self) -> String {
        "the vault".to_owned()
    }
    /// A part of a file, for players that ask for parts: up to `bytes` from byte `from` on, fewer only at its end.
    ///
    /// # Errors
    /// When it is not there or cannot be read.
    async fn read_part(&self, sha256: &str, from: u64, bytes: u64) -> Result<Vec<u8>, VaultError> {
        let whole = self.read(sha256, u64::MAX).await?;
        let (from, bytes) = (usize::try_from(from).unwrap_or(usize::MAX), usize::try_from(bytes).unwrap_or(usize::MAX));
        Ok(whole.into_iter().skip(from).take(bytes).collect())
    }
    /// The next files by their hashes, after one; none at the end.
    ///
    /// # Errors
    /// When the list can't be read.
    async fn files(&self, after: Option<&str>, limit: usize) -> Result<Vec<VaultFile>, VaultError> {
        let _ = (after, limit);
        Err(VaultError::Read { what: self.place(), why: "it has no list of its files".to_owned() })
    }
    /// Says whose files are kept here from now on. A vault is one record's, because another would take its files away:
    /// they are nothing that it knows of.
    fn belongs_to(&self, record: &str) {
        let _ = record;
    }
    /// Makes sure that the vault is ours, and takes it where it is nobody's.
    ///
    /// # Errors
    /// Where it is another record's, or can't be asked.
    async fn claim(&self) -> Result<(), VaultError> {
        Ok(())
    }
    /// Takes a file away. One that is not there is no error. Whether anything needs it is the caller's to know.
    ///
    /// # Errors
    /// When it is still there.
    async fn remove(&self, sha256: &str) -> Result<(), VaultError> {
        Err(VaultError::Write { what: sha256.to_owned(), why: "nothing can be taken away here".to_owned() })
    }
    /// An address at which anybody can read the file for a while, where the vault can make one.
    ///
    /// # Errors
    /// When it can't be made.
    async fn link(&self, sha256: &str, valid_for: SignedDuration) -> Result<Option<String>, VaultError> {
        let _ = (sha256, valid_for);
        Ok(None)
    }
    /// Takes away what was begun before an instant and never finished, and says how much that was.
    ///
    /// # Errors
    /// When it can't be found or taken away.
    async fn clear(&self, before: Timestamp) -> Result<u32, VaultError> {
        let _ = before;
        Ok(0)
    }
}

/// Another program of this machine that shows a file, where the window cannot.
#[async_trait]
pub trait Player: Send + Sync {
    /// Opens a copy of the file that cannot be written, under a name that ends as its type does; of a long film or
    /// sound, where the vault makes links, a list that names one. Returns the path of either, which lasts as long as
    /// this program.
    ///
    /// # Errors
    /// In words for people: what could not be copied, or that no program opens this type.
    async fn open(&self, vault: &dyn Vault, file: &StoredFile, name: &str) -> Result<String, String>;
}
