//! Recovering one item: lease, fetch, verify, keep, deliver. The provider's file is fetched into
//! the vault under its hash before the record says anything; a crash in between leaves a lease
//! that runs out and a file that nobody refers to, never a delivery without a file.

use async_trait::async_trait;
use jiff::Timestamp;
use makegood_domain::ids::{ActionKey, OutputId, RunId};
use makegood_domain::plan::{Effect, Fetch, Place, Step, StoredFile};
use makegood_domain::ports::{Applied, FileSink, JobRef, Receipt, VaultError};

use crate::desk::Desk;
use crate::error::Result;
use crate::look_up::job_ref;
use makegood_domain::scope::Scope;

/// Parts of one attempt, in the journal. A later attempt of the same step has the next three.
const LEASE: u32 = 0;
const DELIVER: u32 = 1;
const RELEASE: u32 = 2;
pub(crate) const PARTS: u32 = 3;

/// One item's file, from its provider to its place.
pub(crate) struct Saga<'a> {
    pub run_id: &'a RunId,
    pub item: u32,
    pub fetch: &'a Fetch,
    pub place: &'a Place,
    pub output_id: &'a OutputId,
    /// When it is given up. `None`: when its provider gives up. Its lease alone does not end it: whoever
    /// takes over from it keeps it from delivering.
    pub until: Option<Timestamp>,
}

/// Takes a file until an instant.
struct InTime<'a> {
    desk: &'a Desk,
    until: Option<Timestamp>,
    incoming: &'a mut dyn FileSink,
}

impl InTime<'_> {
    fn is_late(&self) -> bool {
        self.until.is_some_and(|until| self.desk.now() >= until)
    }
}

#[async_trait]
impl FileSink for InTime<'_> {
    async fn write(&mut self, chunk: &[u8]) -> std::result::Result<(), VaultError> {
        if self.is_late() { Err(VaultError::Late) } else { self.incoming.write(chunk).await }
    }
}

/// Where the effects of a saga are written, each in one transaction with what it changes.
#[async_trait]
pub(crate) trait Journal: Sync {
    async fn write(&self, part: u32, effect: &Effect) -> Result<Applied>;
}

/// The journal of an agent's action.
struct OfAction<'a> {
    desk: &'a Desk,
    key: &'a ActionKey,
    number: u32,
}

#[async_trait]
impl Journal for OfAction<'_> {
    async fn write(&self, part: u32, effect: &Effect) -> Result<Applied> {
        Ok(self.desk.store.apply(self.key, self.number, part, effect, self.desk.now()).await?)
    }
}

/// How the recovery of an item ended.
pub(crate) enum Recovered {
    Delivered,
    Refused(String),
    Failed(Missed),
}

/// Why a file could not be brought.
pub(crate) struct Missed {
    pub why: String,
    /// Trying again can help.
    pub retry: bool,
    /// Its provider says for sure that it no longer has it.
    pub gone: bool,
}

impl Missed {
    fn new(why: String, retry: bool) -> Self {
        Self { why, retry, gone: false }
    }
}

impl Desk {
    pub(crate) async fn recover_item(
        &self,
        key: &ActionKey,
        number: u32,
        step: &Step,
        scope: &Scope,
    ) -> Result<Recovered> {
        let Step::RecoverItem { run_id, item, fetch, place, output_id } = step else {
            return Ok(Recovered::Refused("this step recovers nothing".into()));
        };
        let saga = Saga { run_id, item: *item, fetch, place, output_id, until: None };
        let first = PARTS * self.attempts(key, number).await?;
        self.transfer(&OfAction { desk: self, key, number }, first, &saga, scope).await
    }

    /// The saga of one item: lease, fetch, verify, keep, deliver; the lease is given back where the
    /// file could not be had. `first` is the part of the lease in the journal.
    pub(crate) async fn transfer(
        &self,
        journal: &dyn Journal,
        first: u32,
        saga: &Saga<'_>,
        scope: &Scope,
    ) -> Result<Recovered> {
        let (run_id, item) = (saga.run_id.clone(), saga.item);
        let lease_seconds = self.policy.item_lease().as_secs();
        let lease = Effect::LeaseItem { run_id: run_id.clone(), item, lease_seconds };
        let epoch = match journal.write(first + LEASE, &lease).await? {
            Applied::Done(done) => match done.receipt {
                Receipt::Leased { epoch, .. } => epoch,
                other => return Ok(Recovered::Refused(format!("the lease was answered with {other:?}"))),
            },
            Applied::Refused(why) => return Ok(Recovered::Refused(why)),
        };
        match self.fetch_into_vault(scope, saga.fetch, saga.until).await {
            Ok(file) => {
                let (output_id, place) = (saga.output_id.clone(), saga.place.clone());
                let deliver = Effect::Deliver { run_id, item, epoch, output_id, file, place };
                Ok(match journal.write(first + DELIVER, &deliver).await? {
                    Applied::Done(_) => Recovered::Delivered,
                    Applied::Refused(why) => Recovered::Refused(why),
                })
            }
            Err(missed) => {
                let release = Effect::ReleaseItem { run_id, item, epoch, why: missed.why.clone() };
                // A refused release means that the lease is no longer ours: nothing is held.
                let _released = journal.write(first + RELEASE, &release).await?;
                Ok(Recovered::Failed(missed))
            }
        }
    }

    /// How often this step was tried and given up, by its releases in the journal.
    async fn attempts(&self, key: &ActionKey, number: u32) -> Result<u32> {
        let record = self.store.action(key).await?;
        let receipts = record.map(|record| record.receipts).unwrap_or_default();
        let given_up =
            |row: &&makegood_domain::ports::StepReceipt| row.step == number && matches!(row.receipt, Receipt::Released);
        Ok(u32::try_from(receipts.iter().filter(given_up).count()).unwrap_or(u32::MAX / PARTS))
    }

    /// The file in the vault, or why not and whether trying again can help.
    async fn fetch_into_vault(
        &self,
        scope: &Scope,
        fetch: &Fetch,
        until: Option<Timestamp>,
    ) -> std::result::Result<StoredFile, Missed> {
        let provider = self.providers.get(&fetch.provider_id);
        let provider = provider.ok_or_else(|| Missed::new(format!("{} is not connected", fetch.provider_id), true))?;
        let job = known_job(scope, fetch)
            .ok_or_else(|| Missed::new(format!("the record no longer has job {}", fetch.job_id), false))?;
        let mut incoming = self.vault.begin().await.map_err(|why| Missed::new(why.to_string(), true))?;
        let mut sink = InTime { desk: self, until, incoming: &mut *incoming };
        provider.fetch(&job, fetch.item, &mut sink).await.map_err(|why| Missed {
            why: why.to_string(),
            retry: !why.gone,
            gone: why.gone,
        })?;
        if sink.is_late() {
            return Err(Missed::new(VaultError::Late.to_string(), true));
        }
        incoming.commit(fetch.bytes, &fetch.sha256_prefix).await.map_err(|why| {
            let retry = !matches!(why, VaultError::TooLong { .. });
            Missed::new(why.to_string(), retry)
        })
    }
}

/// The job of a file, whichever run of the logical run submitted it.
fn known_job(scope: &Scope, fetch: &Fetch) -> Option<JobRef> {
    let dossiers = scope.runs.iter().chain(&scope.foreign_runs);
    dossiers
        .flat_map(|dossier| dossier.jobs.iter().map(move |job| (dossier, job)))
        .find(|(_, job)| job.id == fetch.job_id && job.provider_id == fetch.provider_id)
        .map(|(dossier, job)| job_ref(dossier, job))
}
