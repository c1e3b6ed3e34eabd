//! The outside of a program that gets killed: a provider whose jobs are over, a real vault in a
//! folder, and a reader that takes a ticket at its word. Each call of them is a point with a name.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use makegood_connectors::vault::LocalVault;
use makegood_domain::ids::{JobId, ProviderId, RunId};
use makegood_domain::plan::StoredFile;
use makegood_domain::ports::{
    Capability, Descriptor, FileSink, Held, Incoming, JobRef, LookUp, ProviderError, ProviderPort, Providers, Reader,
    ReaderError, ReadingContext, Retry, Start, TransitKey, Vault, VaultError,
};
use makegood_domain::support::{Claim, Ticket};
use makegood_domain::work::{ItemState, Job, JobItem, JobState, ProviderFile};
use makegood_testkit::Sample;

use super::marks::{FETCHED, Marks, say};
use crate::product;

const PROVIDER: &str = "mill";
/// When every job is over, and until when its files are kept, in seconds of the world.
const OVER: i64 = 3_300;
const KEPT: i64 = OVER + 48 * 3_600;

/// What the provider made: a file of item 1, or nothing at all. Every further item failed.
#[derive(Clone, Copy, Debug)]
pub struct Made {
    pub first: bool,
    /// Its files are of some megabytes, and come in many parts.
    pub large: bool,
    /// It tells no version of a file, and gives each from its first byte, whatever is there already.
    pub forgetful: bool,
}

/// What a large file has at the least: many times of what a program that is ended may lose of it.
pub const LARGE: usize = 8 * 1024 * 1024;
/// The parts in which one comes.
pub const LARGE_PARTS: usize = 32;

impl Made {
    fn has(self, item: u32) -> bool {
        self.first && item == 1
    }

    /// A whole video, another one for each job.
    fn file_of(self, job: &JobId) -> Vec<u8> {
        let length = job.as_str().bytes().fold(0_usize, |sum, byte| (sum * 31 + usize::from(byte)) % 60_000);
        Sample::mp4(if self.large { LARGE } else { 1_000 } + length).bytes
    }

    fn parts(self) -> usize {
        if self.large { LARGE_PARTS } else { 2 }
    }

    /// The provider's word on a job, as of `seen`.
    pub fn told(self, id: &JobId, run: &RunId, items: u32, seen: Timestamp) -> Job {
        let over = seen >= product::at(OVER);
        let item = |item: u32| JobItem {
            item,
            state: match (over, self.has(item)) {
                (false, _) => ItemState::Processing,
                (true, true) => ItemState::Succeeded,
                (true, false) => ItemState::Failed,
            },
            finished_at: over.then(|| product::at(OVER)),
            file: (over && self.has(item)).then(|| ProviderFile {
                bytes: 0,
                sha256_prefix: String::new(),
                available_until: Some(product::at(KEPT)),
                exists_now: Some(seen < product::at(KEPT)),
            }),
        };
        Job {
            id: id.clone(),
            run_id: run.clone(),
            provider_id: PROVIDER.into(),
            submitted_at: product::at(61),
            state: match (over, self.first) {
                (false, _) => JobState::Processing,
                (true, true) => JobState::Succeeded,
                (true, false) => JobState::Failed,
            },
            processing_started_at: Some(product::at(61)),
            finished_at: over.then(|| product::at(OVER)),
            items: (1..=items).map(item).collect(),
            error: (over && !self.first).then(|| "internal".to_owned()),
            looked_up_at: Some(seen),
            locator: None,
        }
    }
}

/// One provider for all jobs.
pub struct Mill {
    pub marks: Arc<Marks>,
    pub made: Made,
}

impl Mill {
    fn gone(message: &str) -> ProviderError {
        ProviderError {
            provider: ProviderId::new(PROVIDER),
            operation: "fetch",
            message: message.to_owned(),
            retry: Retry::Permanent,
            gone: true,
        }
    }
}

#[async_trait]
impl ProviderPort for Mill {
    fn descriptor(&self) -> Descriptor {
        Descriptor {
            id: ProviderId::new(PROVIDER),
            name: "Mill".to_owned(),
            docs_url: "https://mill.example/docs".to_owned(),
            key_hint: "mill_…".to_owned(),
        }
    }

    fn capability(&self) -> Capability {
        Capability { look_up: true, gives_expiry: true, ..Capability::default() }
    }

    async fn find_job(&self, job: &JobRef, now: Timestamp) -> LookUp {
        self.marks.pass("find_job", "before");
        let told = self.made.told(&job.job_id, &job.run_id, job.requested_items, now);
        self.marks.pass("find_job", "after");
        LookUp { job: told, raw: Vec::new() }
    }

    async fn fetch(&self, job: &JobRef, item: u32, sink: &mut dyn FileSink) -> Result<Option<String>, ProviderError> {
        self.marks.pass("fetch", "before");
        if !self.made.has(item) {
            return Err(Self::gone("there is no such file"));
        }
        let file = self.made.file_of(&job.job_id);
        let tag = Some(format!("\"{}\"", job.job_id)).filter(|_| !self.made.forgetful);
        let held = sink.held().filter(|held| tag.is_some() && held.tag == tag);
        let from = held.map_or(0, |held| held.bytes);
        let start = Start { from, total: u64::try_from(file.len()).ok(), tag };
        sink.starts(&start).await.map_err(|why| Self::gone(&why.to_string()))?;
        let rest = file.get(usize::try_from(from).unwrap_or(usize::MAX)..).unwrap_or_default();
        for part in rest.chunks(file.len().div_ceil(self.made.parts()).max(1)) {
            say(&format!("{FETCHED}{}", part.len()));
            sink.write(part).await.map_err(|why| Self::gone(&why.to_string()))?;
        }
        self.marks.pass("fetch", "after");
        Ok(Some("video/mp4".to_owned()))
    }
}

impl Providers for Mill {
    fn get(&self, id: &ProviderId) -> Option<Arc<dyn ProviderPort>> {
        let own = Self { marks: Arc::clone(&self.marks), made: self.made };
        (id.as_str() == PROVIDER).then(|| Arc::new(own) as Arc<dyn ProviderPort>)
    }

    fn all(&self) -> Vec<Descriptor> {
        vec![self.descriptor()]
    }
}

/// The vault of the product.
pub struct MarkedVault {
    pub marks: Arc<Marks>,
    pub vault: LocalVault,
}

struct Arriving {
    marks: Arc<Marks>,
    incoming: Box<dyn Incoming>,
}

#[async_trait]
impl FileSink for Arriving {
    fn held(&self) -> Option<Held> {
        self.incoming.held()
    }

    async fn starts(&mut self, start: &Start) -> Result<(), VaultError> {
        self.incoming.starts(start).await
    }

    async fn write(&mut self, chunk: &[u8]) -> Result<(), VaultError> {
        self.marks.pass("vault_write", "before");
        let written = self.incoming.write(chunk).await;
        self.marks.pass("vault_write", "after");
        written
    }
}

#[async_trait]
impl Incoming for Arriving {
    async fn commit(self: Box<Self>, bytes: u64, sha256_prefix: &str) -> Result<StoredFile, VaultError> {
        self.marks.pass("vault_commit", "before");
        let kept = self.incoming.commit(bytes, sha256_prefix).await;
        self.marks.pass("vault_commit", "after");
        kept
    }

    async fn discard(self: Box<Self>) -> Result<(), VaultError> {
        self.incoming.discard().await
    }
}

#[async_trait]
impl Vault for MarkedVault {
    async fn begin(&self, key: &TransitKey) -> Result<Box<dyn Incoming>, VaultError> {
        self.marks.pass("vault_begin", "before");
        let incoming = self.vault.begin(key).await?;
        self.marks.pass("vault_begin", "after");
        Ok(Box::new(Arriving { marks: Arc::clone(&self.marks), incoming }))
    }

    async fn verify(&self, sha256: &str) -> Result<StoredFile, VaultError> {
        self.marks.pass("vault_verify", "before");
        let verified = self.vault.verify(sha256).await;
        self.marks.pass("vault_verify", "after");
        verified
    }

    async fn read(&self, sha256: &str, limit_bytes: u64) -> Result<Vec<u8>, VaultError> {
        self.vault.read(sha256, limit_bytes).await
    }
}

/// Takes the body of a ticket for the run that it is about.
pub struct AtItsWord;

#[async_trait]
impl Reader for AtItsWord {
    fn name(&self) -> &str {
        "given"
    }

    async fn read(&self, ticket: &Ticket, _: &ReadingContext) -> Result<Claim, ReaderError> {
        Ok(Claim { run_refs: vec![ticket.body.clone()], ..Claim::default() })
    }
}
