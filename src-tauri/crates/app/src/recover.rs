//! Recovering one item: lease, fetch, verify, keep, deliver. The provider's file is fetched into
//! the vault under its hash before the record says anything; a crash in between leaves a lease
//! that runs out and a file that nobody refers to, never a delivery without a file.

use makegood_domain::ids::{ActionKey, JobId, RunId};
use makegood_domain::plan::{Effect, Fetch, Step, StoredFile};
use makegood_domain::ports::{Applied, FileSink, JobRef, Receipt, VaultError};

use crate::desk::Desk;
use crate::error::Result;
use crate::look_up::job_ref;
use makegood_domain::scope::Scope;

/// While a recovery holds an item, nobody restores it; a dead one loses it after this long.
const LEASE_SECONDS: i64 = 20 * 60;

/// Parts of one attempt, in the journal. A later attempt of the same step has the next three.
const LEASE: u32 = 0;
const DELIVER: u32 = 1;
const RELEASE: u32 = 2;
const PARTS: u32 = 3;

/// How the recovery of an item ended.
pub(crate) enum Recovered {
    Delivered,
    Refused(String),
    Failed { why: String, retry: bool },
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
        let first = PARTS * self.attempts(key, number).await?;
        let lease = Effect::LeaseItem { run_id: run_id.clone(), item: *item, lease_seconds: LEASE_SECONDS };
        let epoch = match self.store.apply(key, number, first + LEASE, &lease, self.now()).await? {
            Applied::Done(done) => match done.receipt {
                Receipt::Leased { epoch, .. } => epoch,
                other => return Ok(Recovered::Refused(format!("the lease was answered with {other:?}"))),
            },
            Applied::Refused(why) => return Ok(Recovered::Refused(why)),
        };
        match self.fetch_into_vault(scope, run_id, fetch).await {
            Ok(file) => {
                let deliver = Effect::Deliver {
                    run_id: run_id.clone(),
                    item: *item,
                    epoch,
                    output_id: output_id.clone(),
                    file,
                    place: place.clone(),
                };
                Ok(match self.store.apply(key, number, first + DELIVER, &deliver, self.now()).await? {
                    Applied::Done(_) => Recovered::Delivered,
                    Applied::Refused(why) => Recovered::Refused(why),
                })
            }
            Err((why, retry)) => {
                let release = Effect::ReleaseItem { run_id: run_id.clone(), item: *item, epoch, why: why.clone() };
                // A refused release means that the lease is no longer ours: nothing is held.
                let _released = self.store.apply(key, number, first + RELEASE, &release, self.now()).await?;
                Ok(Recovered::Failed { why, retry })
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
        run_id: &RunId,
        fetch: &Fetch,
    ) -> std::result::Result<StoredFile, (String, bool)> {
        let provider = self.providers.get(&fetch.provider_id);
        let provider = provider.ok_or_else(|| (format!("{} is not connected", fetch.provider_id), true))?;
        let job = known_job(scope, run_id, &fetch.job_id)
            .ok_or_else(|| (format!("the record no longer has job {}", fetch.job_id), false))?;
        let mut incoming = self.vault.begin().await.map_err(|why| (why.to_string(), true))?;
        let sink: &mut dyn FileSink = &mut *incoming;
        provider.fetch(&job, fetch.item, sink).await.map_err(|why| (why.to_string(), !why.gone))?;
        incoming.commit(fetch.bytes, &fetch.sha256_prefix).await.map_err(|why| {
            let retry = !matches!(why, VaultError::TooLong { .. });
            (why.to_string(), retry)
        })
    }
}

fn known_job(scope: &Scope, run_id: &RunId, job_id: &JobId) -> Option<JobRef> {
    let dossiers = scope.runs.iter().chain(&scope.foreign_runs);
    dossiers
        .flat_map(|dossier| dossier.jobs.iter().map(move |job| (dossier, job)))
        .find(|(_, job)| job.id == *job_id && job.run_id == *run_id)
        .map(|(dossier, job)| job_ref(dossier, job))
}
