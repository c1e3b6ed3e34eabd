//! The outside of a simulated house: a provider whose jobs have a fate, a network that loses, a vault
//! in memory, and a reader that takes a ticket at its word.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use makegood_domain::ids::{JobId, ProviderId};
use makegood_domain::plan::StoredFile;
use makegood_domain::ports::{
    Capability, Clock as _, Descriptor, FileSink, Incoming, JobRef, LookUp, ProviderError, ProviderPort, Providers,
    Reader, ReaderError, ReadingContext, Retry, Start, TransitKey, Vault, VaultError,
};
use makegood_domain::support::{Claim, Ticket};
use makegood_domain::work::{ItemState, Job, JobItem, JobState, ProviderFile};
use sha2::{Digest, Sha256};

use super::fates::number_of;
use super::timeline::{Timeline, later};
use crate::dice::Dice;

pub const PROVIDER: &str = "mill";
/// The other one. In some houses it takes minutes for every answer.
pub const OTHER: &str = "press";

/// What a provider makes of one item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Made {
    /// A file, kept until then.
    File {
        until: Timestamp,
    },
    Nothing,
}

/// What becomes of a job at the provider.
#[derive(Clone, Debug)]
pub struct JobFate {
    /// Who was asked to make it.
    pub provider: &'static str,
    pub submitted: Timestamp,
    /// `None`: it is never done.
    pub done: Option<Timestamp>,
    pub items: Vec<Made>,
    /// The provider makes it anew at each look, with other bytes under the same id.
    pub shifting: bool,
}

impl JobFate {
    fn state(&self, now: Timestamp) -> JobState {
        match self.done {
            Some(done) if now >= done => {
                if self.items.iter().any(|made| matches!(made, Made::File { .. })) {
                    JobState::Succeeded
                } else {
                    JobState::Failed
                }
            }
            _ => JobState::Processing,
        }
    }

    /// The provider's word on the job.
    pub fn told(&self, id: &JobId, run: &makegood_domain::ids::RunId, now: Timestamp) -> Job {
        let state = self.state(now);
        let over = state != JobState::Processing;
        let item = |(item, made): (u32, &Made)| JobItem {
            item,
            state: match made {
                _ if !over => ItemState::Processing,
                Made::File { .. } => ItemState::Succeeded,
                Made::Nothing => ItemState::Failed,
            },
            finished_at: self.done.filter(|_| over),
            file: match made {
                Made::File { until } if over => Some(ProviderFile {
                    bytes: 0,
                    sha256_prefix: String::new(),
                    available_until: Some(*until),
                    exists_now: Some(now < *until),
                }),
                _ => None,
            },
        };
        Job {
            id: id.clone(),
            run_id: run.clone(),
            provider_id: self.provider.into(),
            submitted_at: self.submitted,
            state,
            processing_started_at: Some(self.submitted),
            finished_at: self.done.filter(|_| over),
            items: (1..).zip(&self.items).map(item).collect(),
            error: (state == JobState::Failed).then(|| "internal".to_owned()),
            looked_up_at: Some(now),
            locator: None,
        }
    }
}

/// How unkind the outside is, in percent of the occasions.
#[derive(Clone, Copy, Debug)]
pub struct Weather {
    pub answers_lost: u32,
    pub transfers_cut: u32,
    pub vault_fails: u32,
    /// Transfers that take longer than a lease.
    pub transfers_slow: u32,
    /// Whether the other provider takes its time.
    pub other_is_slow: bool,
}

impl Weather {
    /// Seconds that a look-up and a transfer take at least, and by how much more at most.
    fn pace(&self, provider: &ProviderId) -> ([i64; 2], [i64; 2]) {
        match provider.as_str() == OTHER && self.other_is_slow {
            true => ([60, 420], [900, 3_600]),
            false => ([0, 0], [0, 90]),
        }
    }
}

/// Both providers with all their jobs.
pub struct Mill {
    timeline: Arc<Timeline>,
    dice: Mutex<Dice>,
    jobs: Mutex<BTreeMap<JobId, JobFate>>,
    /// From and until when it cannot be reached.
    outages: Vec<(Timestamp, Timestamp)>,
    weather: Weather,
}

impl Mill {
    pub fn new(
        timeline: &Arc<Timeline>,
        dice: Dice,
        outages: Vec<(Timestamp, Timestamp)>,
        weather: Weather,
    ) -> Arc<Self> {
        let (timeline, dice) = (Arc::clone(timeline), Mutex::new(dice));
        Arc::new(Self { timeline, dice, jobs: Mutex::default(), outages, weather })
    }

    pub fn submit(&self, job: JobId, fate: JobFate) {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner).insert(job, fate);
    }

    pub fn fate(&self, job: &JobId) -> Option<JobFate> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner).get(job).cloned()
    }

    fn rolls(&self, percent: u32) -> bool {
        self.dice.lock().unwrap_or_else(PoisonError::into_inner).chance(percent)
    }

    fn below(&self, count: u64) -> i64 {
        let rolled = self.dice.lock().unwrap_or_else(PoisonError::into_inner).below(count);
        i64::try_from(rolled).unwrap_or_default()
    }

    fn is_out(&self) -> bool {
        self.out_at(self.timeline.now()).is_some()
    }

    /// When the outage at that instant began, if there is one.
    pub fn out_at(&self, instant: Timestamp) -> Option<Timestamp> {
        self.outages.iter().find(|(from, until)| (*from..*until).contains(&instant)).map(|(from, _)| *from)
    }

    fn between(&self, [least, more]: [i64; 2]) -> i64 {
        least + if more > 0 { self.below(more.unsigned_abs()) } else { 0 }
    }

    fn failed(&self, message: &str, gone: bool) -> ProviderError {
        let retry = if gone { Retry::Permanent } else { Retry::Temporary };
        ProviderError {
            provider: ProviderId::new(PROVIDER),
            operation: "fetch",
            message: message.to_owned(),
            retry,
            gone,
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

    async fn find_job(&self, job: &JobRef, _: Timestamp) -> LookUp {
        self.timeline.turn().await;
        let seconds = self.between(self.weather.pace(&job.provider_id).0);
        if seconds > 0 {
            self.timeline.sleep(SignedDuration::from_secs(seconds)).await;
        }
        let now = self.timeline.now();
        let unheard = self.is_out() || self.rolls(self.weather.answers_lost);
        let found = match self.fate(&job.job_id) {
            Some(fate) if !unheard => fate.told(&job.job_id, &job.run_id, now),
            fate => {
                let state = if unheard { JobState::LookupFailed } else { JobState::NotFound };
                let nothing =
                    JobFate { provider: PROVIDER, submitted: now, done: None, items: Vec::new(), shifting: false };
                let told = fate.unwrap_or(nothing).told(&job.job_id, &job.run_id, now);
                let provider_id = job.provider_id.clone();
                Job { state, items: Vec::new(), finished_at: None, provider_id, ..told }
            }
        };
        LookUp { job: found, raw: Vec::new() }
    }

    async fn fetch(&self, job: &JobRef, item: u32, sink: &mut dyn FileSink) -> Result<Option<String>, ProviderError> {
        let slow = self.rolls(self.weather.transfers_slow);
        let seconds = self.between(if slow { [1_000, 1_500] } else { self.weather.pace(&job.provider_id).1 });
        self.timeline.turn().await;
        if self.is_out() {
            return Err(self.failed("it cannot be reached", false));
        }
        let place = usize::try_from(item).unwrap_or_default().saturating_sub(1);
        let fate = self.fate(&job.job_id);
        let made = fate.as_ref().and_then(|fate| fate.items.get(place).map(|made| (*made, fate.shifting)));
        let Some((Made::File { until }, shifting)) =
            made.filter(|_| fate.as_ref().and_then(|fate| fate.done).is_some_and(|done| self.timeline.now() >= done))
        else {
            return Err(self.failed("there is no such file", true));
        };
        if self.timeline.now() >= until {
            return Err(self.failed("it was deleted", true));
        }
        let version = if shifting { self.below(1_000_000) } else { 0 };
        let content = format!("{}/{item}/{version}{END}", job.job_id);
        let written = |error: VaultError| self.failed(&error.to_string(), false);
        let half = content.len() / 2;
        sink.write(&content.as_bytes()[..half]).await.map_err(written)?;
        // It trickles in.
        for minute in 0..=seconds / 60 {
            let part = (seconds - minute * 60).min(60);
            self.timeline.sleep(SignedDuration::from_secs(part)).await;
            sink.write(&[]).await.map_err(written)?;
        }
        if self.is_out() || self.rolls(self.weather.transfers_cut) {
            return Err(self.failed("the link was cut", false));
        }
        sink.write(&content.as_bytes()[half..]).await.map_err(written)?;
        Ok(Some("video/mp4".to_owned()))
    }
}

/// The registry with the two providers.
pub struct BothProviders(pub Arc<Mill>);

impl Providers for BothProviders {
    fn get(&self, id: &ProviderId) -> Option<Arc<dyn ProviderPort>> {
        [PROVIDER, OTHER].contains(&id.as_str()).then(|| Arc::clone(&self.0) as Arc<dyn ProviderPort>)
    }

    fn all(&self) -> Vec<Descriptor> {
        vec![self.0.descriptor()]
    }
}

/// Files by content, which outlive every process.
pub struct MemoryVault {
    mill: Arc<Mill>,
    files: Files,
}

/// Contents, by their hash.
type Files = Arc<Mutex<BTreeMap<String, Vec<u8>>>>;

impl MemoryVault {
    pub fn new(mill: &Arc<Mill>) -> Arc<Self> {
        Arc::new(Self { mill: Arc::clone(mill), files: Arc::default() })
    }

    /// Files of which there are several versions with other bytes.
    pub fn made_anew(&self) -> u64 {
        let files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let mut versions: BTreeMap<&[u8], u64> = BTreeMap::new();
        for content in files.values() {
            let end = content.iter().rposition(|byte| *byte == b'/').unwrap_or_default();
            *versions.entry(&content[..end]).or_default() += 1;
        }
        versions.values().map(|count| u64::from(*count > 1)).sum()
    }

    /// What it keeps under a hash.
    pub fn content(&self, sha256: &str) -> Option<Vec<u8>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner).get(sha256).cloned()
    }
}

/// Whether this is a whole file that the provider made for an item of a run, in some version.
pub fn content_is_of(content: &[u8], run: &str, item: u32) -> bool {
    let whole = number_of(run).map(|number| format!("{}/{item}/", job_id(number)));
    let version = std::str::from_utf8(content)
        .ok()
        .zip(whole)
        .and_then(|(text, head)| text.strip_prefix(head.as_str())?.strip_suffix(END)?.parse::<i64>().ok());
    version.is_some()
}

/// The last byte of every file.
const END: &str = ".";

/// The job of a run, by its number.
pub fn job_id(number: u32) -> JobId {
    JobId(format!("mill-s{number:08}"))
}

struct Arriving {
    mill: Arc<Mill>,
    files: Files,
    bytes: Vec<u8>,
}

#[async_trait]
impl FileSink for Arriving {
    async fn starts(&mut self, start: &Start) -> Result<(), VaultError> {
        self.bytes.truncate(usize::try_from(start.from).unwrap_or(usize::MAX));
        Ok(())
    }

    async fn write(&mut self, chunk: &[u8]) -> Result<(), VaultError> {
        if self.mill.rolls(self.mill.weather.vault_fails) {
            return Err(VaultError::Write { what: "a file".to_owned(), why: "the disk is full".to_owned() });
        }
        self.bytes.extend_from_slice(chunk);
        Ok(())
    }
}

#[async_trait]
impl Incoming for Arriving {
    async fn commit(self: Box<Self>, _: u64, _: &str) -> Result<StoredFile, VaultError> {
        self.mill.timeline.turn().await;
        let digest = Sha256::digest(&self.bytes);
        let sha256: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let bytes = u64::try_from(self.bytes.len()).unwrap_or(u64::MAX);
        self.files.lock().unwrap_or_else(PoisonError::into_inner).insert(sha256.clone(), self.bytes);
        self.mill.timeline.turn().await;
        Ok(StoredFile { sha256, bytes, media_type: "video/mp4".to_owned() })
    }

    async fn discard(self: Box<Self>) -> Result<(), VaultError> {
        Ok(())
    }
}

#[async_trait]
impl Vault for MemoryVault {
    async fn begin(&self, _: &TransitKey) -> Result<Box<dyn Incoming>, VaultError> {
        let (mill, files) = (Arc::clone(&self.mill), Arc::clone(&self.files));
        Ok(Box::new(Arriving { mill, files, bytes: Vec::new() }))
    }

    async fn verify(&self, sha256: &str) -> Result<StoredFile, VaultError> {
        let missing = || VaultError::Missing { what: sha256.to_owned() };
        let bytes = u64::try_from(self.content(sha256).ok_or_else(missing)?.len()).unwrap_or(u64::MAX);
        Ok(StoredFile { sha256: sha256.to_owned(), bytes, media_type: "video/mp4".to_owned() })
    }

    async fn read(&self, sha256: &str, _: u64) -> Result<Vec<u8>, VaultError> {
        self.verify(sha256).await.map(|_| Vec::new())
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

/// The instant when a file that is kept for `minutes` from `done` is deleted.
pub fn kept_until(done: Timestamp, minutes: i64) -> Timestamp {
    later(done, SignedDuration::from_mins(minutes))
}
